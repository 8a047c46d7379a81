// SPDX-License-Identifier: PostgreSQL
#include "random.hpp"

#include <cstdlib>
#include <functional>

namespace crm_bridge::test {

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    if (const char *given = std::getenv("CRM_BRIDGE_TEST_SEED"))
      return std::uint64_t{std::strtoull(given, nullptr, 10)};
    return std::uint64_t{std::random_device{}()};
  }();
  return value;
}

Random::Random(std::string_view stream) {
  std::uint64_t mixed = 0xCBF29CE484222325U;  // FNV-1a: std::hash may differ between two builds
  for (const char c : stream) mixed = (mixed ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  engine_.seed(seed() ^ mixed);
}

core::Uuid Random::uuid() {
  core::Uuid uuid;
  for (auto &byte : uuid.bytes) byte = static_cast<std::uint8_t>(between(0, 255));
  return uuid;
}

std::string Random::text() {
  static const std::vector<std::string> pieces{
      "a",   "Z",    "7",  "plan",  "Ünïcode", "東京",  "😀",    " ",  "  ",     "\n",     "\r\n",
      "\r",  "\t",   "\f", "-",     "- ",      "&",     "<",    ">",  "\"",     "'",      ";",
      "#",   "<br>", "</", "&amp;", "&#",      "=",     "\x01", "\v", "\u00A0", "\u2028", "<!--",
      "-->", "<p",   "/>", "\\",    "%",       "&nbsp", ".",    "ß",  "ﬁ",      "e\u0301"};
  std::string text;
  for (auto left = between(0, 12); left > 0; --left) text += pick(pieces);
  return text;
}

std::string Random::html() {
  static const std::vector<std::string> pieces{"<p>",
                                               "</p>",
                                               "<P class='x>y'>",
                                               "<div>",
                                               "</div>",
                                               "<br>",
                                               "<BR/>",
                                               "<br />",
                                               "<ul>",
                                               "<li>",
                                               "</li>",
                                               "</ul>",
                                               "<ol>",
                                               "<table>",
                                               "<tr>",
                                               "<td>",
                                               "</td>",
                                               "</tr>",
                                               "<th>",
                                               "<h1>",
                                               "</h1>",
                                               "<b>",
                                               "</b>",
                                               "<span a=\"<\">",
                                               "</span>",
                                               "<!-- c -->",
                                               "<!doctype html>",
                                               "<?xml?>",
                                               "<script>",
                                               "</script>",
                                               "<style>",
                                               "</style>",
                                               "<a href=x",
                                               ">",
                                               "&amp;",
                                               "&lt;",
                                               "&#65;",
                                               "&#x20AC;",
                                               "&#0;",
                                               "&#xD800;",
                                               "&#9999999999999;",
                                               "&nbsp;",
                                               "&euro;",
                                               "&unknown;",
                                               "&#10;",
                                               "&#32;",
                                               "&",
                                               "<",
                                               "</>",
                                               "<>",
                                               "<3",
                                               "<![CDATA[x]]>",
                                               "<hr>",
                                               "<title>t</title>",
                                               "\"",
                                               "'"};
  std::string html;
  for (auto left = between(0, 14); left > 0; --left) html += chance(60) ? pick(pieces) : text();
  return html;
}

core::Number Random::number() {
  std::string text;
  if (chance(40)) text += '-';
  for (auto left = between(1, chance(5) ? 60 : 9); left > 0; --left)
    text += static_cast<char>('0' + between(0, 9));
  if (chance(60)) {
    text += '.';
    for (auto left = between(1, 6); left > 0; --left)
      text += static_cast<char>('0' + between(0, 9));
  }
  return *core::parse_number(text);
}

core::Date Random::date() {
  return core::Date{static_cast<std::int32_t>(between(-29'220, 54'787))};
}

core::Instant Random::instant() {
  constexpr std::int64_t day = 86'400'000'000;
  return core::Instant{between(-29'220 * day, 54'787 * day)};
}

}  // namespace crm_bridge::test
