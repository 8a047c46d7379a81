// SPDX-License-Identifier: PostgreSQL
#include "core/name_key.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <array>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "random.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using crm_bridge::test::Random;

namespace {

struct Pair {
  std::string one;
  std::string other;
};
std::ostream &operator<<(std::ostream &out, const Pair &pair) {
  return out << pair.one << " | " << pair.other;
}

const std::vector<Pair> same_names{
    {"Acme", "ACME"},
    {"  Acme \t Ltd\r\n", "acme ltd"},
    {"Société Générale", "Socie\u0301te\u0301 Ge\u0301ne\u0301rale"},
    {"STRASSENBAU GROß", "Straßenbau gross"},
    {"GROẞ", "groß"},
    {"ﬁnanz ﬂuß", "FINANZ FLUSS"},
    {"ＡＣＭＥ　Ｃｏ．，Ｌｔｄ．", "Acme Co.,Ltd."},
    {"ｶﾌﾞｼｷｶﾞｲｼｬ", "カブシキガイシャ"},
    {"㈱トヨタ", "(株)トヨタ"},
    {"ΚΌΣΜΟΣ", "κόσμος"},
    {"ГАЗПРОМ", "Газпром"},
    {"ЁЛКА", "ёлка"},
    {"ԱՐԱՐԱՏ", "արարատ"},
    {"ᏣᎳᎩ", "ꮳꮃꭹ"},
    {"𐐔𐐇𐐝", "𐐼𐐯𐑅"},
    {"삼성전자", "\u1109\u1161\u11B7\u1109\u1165\u11BC\u110C\u1165\u11AB\u110C\u1161"},
    {"№ 1 Bau", "no 1 bau"},
    {"Acme™", "acmetm"},
    {"Ac\u200Bme\u00AD\uFEFF", "Acme"},
    {"\u200Eاتصالات\u200F", "اتصالات"},
    {"Acme\u00A0\u2003\u2028Ltd", "acme ltd"},
    {"e\u034Fa", "ea"},
    {"x\u00B2", "X2"},
    {"\u1FB3\u0323", "\u03B1\u0323\u0345"},
    {"\u0391\u0345\u0323", "\u1FBC\u0323"},
};

const std::vector<Pair> different_names{
    {"Acme Ltd", "Acme Limited"},
    {"Acme Ltd", "Acme Ltd."},
    {"Müller", "Mueller"},
    {"Müller", "Muller"},
    {"Acme", "Acme AG"},
    {"AcmeLtd", "Acme Ltd"},
    {"Ask", "Аsk"},
    {"Ørsted", "Orsted"},
    {"ΟΔΥΣΣΕΥΣ", "Οδυσσεύς"},
    {"Işık", "Isik"},
    {"A-B", "A–B"},
};

using Text = std::vector<UChar>;

Text utf16(std::string_view text) {
  Text units(text.size() + 1);
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t length = 0;
  u_strFromUTF8WithSub(units.data(), static_cast<std::int32_t>(units.size()), &length, text.data(),
                       static_cast<std::int32_t>(text.size()), 0xFFFD, nullptr, &status);
  BOOST_REQUIRE(U_SUCCESS(status));
  units.resize(static_cast<std::size_t>(length));
  return units;
}

Text normal_form(const UNormalizer2 *(*form)(UErrorCode *), const Text &text) {
  UErrorCode status = U_ZERO_ERROR;
  Text out(text.size() * 20 + 20);
  out.resize(static_cast<std::size_t>(
      unorm2_normalize(form(&status), text.data(), static_cast<std::int32_t>(text.size()),
                       out.data(), static_cast<std::int32_t>(out.size()), &status)));
  BOOST_REQUIRE(U_SUCCESS(status));
  return out;
}

Text folded(const Text &text) {
  UErrorCode status = U_ZERO_ERROR;
  Text out(text.size() * 4 + 4);
  out.resize(static_cast<std::size_t>(
      u_strFoldCase(out.data(), static_cast<std::int32_t>(out.size()), text.data(),
                    static_cast<std::int32_t>(text.size()), U_FOLD_CASE_DEFAULT, &status)));
  BOOST_REQUIRE(U_SUCCESS(status));
  return out;
}

Text without(const Text &text, UProperty property) {
  Text out;
  for (std::size_t at = 0; at < text.size();) {
    UChar32 c;
    std::size_t const from = at;
    U16_NEXT(text.data(), at, text.size(), c);
    if (!u_hasBinaryProperty(c, property))
      out.insert(out.end(), text.begin() + static_cast<std::ptrdiff_t>(from),
                 text.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return out;
}

// D6 word by word (decomposed first, as Unicode's D145 has it), until nothing changes any more;
// slow, and sharing nothing with the code under test but the Unicode tables.
std::string key_by_definition(std::string_view name) {
  Text text = utf16(name);
  for (Text before; before != text;) {
    before = text;
    text = without(text, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
    text = normal_form(unorm2_getNFKCInstance, folded(normal_form(unorm2_getNFKDInstance, text)));
  }
  std::string key;
  bool space = false;
  for (std::size_t at = 0; at < text.size();) {
    UChar32 c;
    U16_NEXT(text.data(), at, text.size(), c);
    if (u_hasBinaryProperty(c, UCHAR_WHITE_SPACE)) {
      space = true;
      continue;
    }
    if (space && !key.empty()) key += ' ';
    space = false;
    std::array<char, 4> bytes{};
    std::int32_t length = 0;
    U8_APPEND_UNSAFE(reinterpret_cast<std::uint8_t *>(bytes.data()), length, c);
    key.append(bytes.data(), static_cast<std::size_t>(length));
  }
  return key;
}

// Names as people would not give them: all scripts, marks, jamo, invisible and white characters.
std::string strange_name(Random &random) {
  static const std::vector<std::pair<std::int64_t, std::int64_t>> ranges{
      {0x20, 0x7E},       {0x20, 0x7E},       {0x09, 0x0D},     {0xA0, 0x24F},
      {0x300, 0x36F},     {0x370, 0x5FF},     {0x600, 0x6FF},   {0x900, 0x97F},
      {0x1100, 0x11FF},   {0x13A0, 0x13FF},   {0x1E00, 0x1FFF}, {0x2000, 0x206F},
      {0x2100, 0x218F},   {0x3000, 0x30FF},   {0x3200, 0x33FF}, {0x4E00, 0x9FFF},
      {0xAC00, 0xD7A3},   {0xFB00, 0xFDFF},   {0xFE00, 0xFFEF}, {0x10400, 0x1044F},
      {0x1D400, 0x1D7FF}, {0xE0000, 0xE01EF}, {0x1, 0x10FFFF}};
  std::string name;
  for (std::int64_t left = random.between(0, random.chance(5) ? 400 : 20); left > 0; --left) {
    auto const [low, high] = random.pick(ranges);
    auto const c = static_cast<UChar32>(random.between(low, high));
    if (U_IS_SURROGATE(c)) continue;
    std::array<char, 4> bytes{};
    std::int32_t length = 0;
    U8_APPEND_UNSAFE(reinterpret_cast<std::uint8_t *>(bytes.data()), length, c);
    name.append(bytes.data(), static_cast<std::size_t>(length));
  }
  return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(name_key)

BOOST_DATA_TEST_CASE(D6_these_are_one_name, data::make(same_names), pair) {
  BOOST_TEST(core::name_key(pair.one) == core::name_key(pair.other));
}

BOOST_DATA_TEST_CASE(D6_these_are_two_names, data::make(different_names), pair) {
  BOOST_TEST(core::name_key(pair.one) != core::name_key(pair.other));
}

BOOST_AUTO_TEST_CASE(D6_what_is_empty_or_only_invisible_has_an_empty_key) {
  for (const char *name : {"", " ", "\t \r\n", "\u3000", "\u200B\uFEFF", " \u00AD "})
    BOOST_TEST(core::name_key(name).empty());
}

BOOST_AUTO_TEST_CASE(D6_the_key_of_a_name_is_what_the_definition_says) {
  Random random{"name_key_definition"};
  for (int round = 0; round < 20'000; ++round) {
    std::string const name = strange_name(random);
    BOOST_REQUIRE_EQUAL(core::name_key(name), key_by_definition(name));
  }
}

BOOST_AUTO_TEST_CASE(D6_every_character_has_the_key_that_the_definition_gives_it) {
  for (UChar32 c = 1; c <= 0x10FFFF; ++c) {
    if (U_IS_SURROGATE(c)) continue;
    std::array<char, 5> bytes{'x'};
    std::int32_t length = 1;
    U8_APPEND_UNSAFE(reinterpret_cast<std::uint8_t *>(bytes.data()), length, c);
    std::string_view const name{bytes.data(), static_cast<std::size_t>(length)};
    if (core::name_key(name) != key_by_definition(name)) BOOST_ERROR("U+" << std::hex << c);
  }
}

BOOST_AUTO_TEST_CASE(D6_a_key_is_its_own_key) {
  Random random{"name_key_idempotent"};
  for (int round = 0; round < 20'000; ++round) {
    std::string const key = core::name_key(strange_name(random));
    BOOST_REQUIRE_EQUAL(core::name_key(key), key);
    BOOST_REQUIRE(key.empty() || (key.front() != ' ' && key.back() != ' '));
    BOOST_REQUIRE(key.find("  ") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(any_bytes_have_a_key_that_is_utf8) {
  Random random{"name_key_bytes"};
  for (int round = 0; round < 20'000; ++round) {
    std::string name;
    for (std::int64_t left = random.between(0, 30); left > 0; --left)
      name += static_cast<char>(random.between(0, 255));
    std::string const key = core::name_key(name);
    BOOST_REQUIRE_EQUAL(key, core::name_key(key));
  }
}

BOOST_AUTO_TEST_CASE(a_character_that_becomes_eighteen_fits_however_many_there_are) {
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "\uFDFA";
  BOOST_TEST(core::name_key(name) == key_by_definition(name));
}

BOOST_AUTO_TEST_SUITE_END()
