// SPDX-License-Identifier: PostgreSQL
#include "core/html.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/html_entities.hpp"

namespace crm_bridge::core {

namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

enum class Element : std::uint8_t { inline_text, block, line_break, list_item, cell, raw_text };

struct NamedElement {
  std::string_view name;
  Element element;
};

// Sorted by name.  What is not here is part of the line it stands in.
constexpr std::array<NamedElement, 45> elements{{
    {"address", Element::block},    {"article", Element::block},  {"aside", Element::block},
    {"blockquote", Element::block}, {"body", Element::block},     {"br", Element::line_break},
    {"center", Element::block},     {"dd", Element::block},       {"details", Element::block},
    {"div", Element::block},        {"dl", Element::block},       {"dt", Element::block},
    {"fieldset", Element::block},   {"figure", Element::block},   {"footer", Element::block},
    {"form", Element::block},       {"h1", Element::block},       {"h2", Element::block},
    {"h3", Element::block},         {"h4", Element::block},       {"h5", Element::block},
    {"h6", Element::block},         {"head", Element::block},     {"header", Element::block},
    {"hr", Element::block},         {"html", Element::block},     {"li", Element::list_item},
    {"main", Element::block},       {"nav", Element::block},      {"ol", Element::block},
    {"p", Element::block},          {"pre", Element::block},      {"script", Element::raw_text},
    {"section", Element::block},    {"style", Element::raw_text}, {"summary", Element::block},
    {"table", Element::block},      {"tbody", Element::block},    {"td", Element::cell},
    {"tfoot", Element::block},      {"th", Element::cell},        {"thead", Element::block},
    {"title", Element::raw_text},   {"tr", Element::block},       {"ul", Element::block},
}};
static_assert(is_sorted_by_name(elements));

Element element_of(std::string_view name) {
  std::array<char, 10> buffer;
  if (name.size() > buffer.size()) return Element::inline_text;
  std::transform(name.begin(), name.end(), buffer.begin(), lower);
  const std::string_view lowered(buffer.data(), name.size());
  const auto *const found = std::lower_bound(
      elements.begin(), elements.end(), lowered,
      [](const NamedElement &entry, std::string_view wanted) { return entry.name < wanted; });
  return found != elements.end() && found->name == lowered ? found->element : Element::inline_text;
}

// Lays text out in lines.  What it has written is its own fixed point under plain_to_html and
// html_to_plain: no white space at either end of a line, single spaces within, no empty lines at
// the end.  The lenses' laws rest on that.
class Lines {
 public:
  explicit Lines(std::size_t expected_size) { text_.reserve(expected_size); }

  void byte(char c) {
    if (is_space(c)) return space();
    if (space_pending_) text_ += ' ';
    text_ += c;
    space_pending_ = false;
    state_ = State::has_text;
  }
  void space() { space_pending_ = state_ != State::empty; }
  void line_break() {
    text_ += '\n';
    space_pending_ = false;
    state_ = State::empty;
  }
  // A block starts or ends: it has its lines to itself, but it does not part a list item from its
  // dash.
  void block() {
    if (state_ == State::has_text) line_break();
  }
  void start_item() {
    end_item();
    text_ += '-';
    state_ = State::has_dash;
    space_pending_ = true;
  }
  void end_item() {
    if (state_ != State::empty) line_break();
  }
  std::string take() {
    while (!text_.empty() && text_.back() == '\n') text_.pop_back();
    return std::move(text_);
  }

 private:
  enum class State : std::uint8_t { empty, has_dash, has_text };
  std::string text_;
  State state_ = State::empty;
  bool space_pending_ = false;
};

void append_utf8(Lines &lines, std::uint32_t code_point) {
  const auto continuation = [](std::uint32_t bits) {
    return static_cast<char>(0x80 | (bits & 0x3F));
  };
  if (code_point < 0x80) {
    lines.byte(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    lines.byte(static_cast<char>(0xC0 | code_point >> 6));
    lines.byte(continuation(code_point));
  } else if (code_point < 0x10000) {
    lines.byte(static_cast<char>(0xE0 | code_point >> 12));
    lines.byte(continuation(code_point >> 6));
    lines.byte(continuation(code_point));
  } else {
    lines.byte(static_cast<char>(0xF0 | code_point >> 18));
    lines.byte(continuation(code_point >> 12));
    lines.byte(continuation(code_point >> 6));
    lines.byte(continuation(code_point));
  }
}

// Every method consumes at least one byte and looks at no byte more than a fixed number of times.
class Parser {
 public:
  explicit Parser(std::string_view html) : html_(html), lines_(html.size()) {}

  std::string run() {
    while (position_ < html_.size()) {
      const char c = html_[position_];
      if (c == '<') {
        markup();
      } else if (c == '&') {
        character_reference();
      } else {
        lines_.byte(c);
        ++position_;
      }
    }
    return lines_.take();
  }

 private:
  char peek(std::size_t distance) const {
    return position_ + distance < html_.size() ? html_[position_ + distance] : '\0';
  }
  // What is not closed reaches to the end, as in a browser.
  void skip_past(std::string_view end) {
    const std::size_t found = html_.find(end, position_);
    position_ = found == std::string_view::npos ? html_.size() : found + end.size();
  }

  void markup() {
    const char next = peek(1);
    if (html_.substr(position_, 4) == "<!--") {
      position_ += 4;
      skip_past("-->");
    } else if (next == '!' || next == '?' || (next == '/' && !is_letter(peek(2)))) {
      skip_past(">");
    } else if (is_letter(next) || next == '/') {
      tag();
    } else {
      lines_.byte('<');
      ++position_;
    }
  }

  void tag() {
    const bool closing = peek(1) == '/';
    position_ += closing ? 2 : 1;
    const std::size_t start = position_;
    while (position_ < html_.size() && !is_space(html_[position_]) && html_[position_] != '/' &&
           html_[position_] != '>') {
      ++position_;
    }
    const std::string_view name = html_.substr(start, position_ - start);
    skip_attributes();
    switch (element_of(name)) {
      case Element::inline_text:
        break;
      case Element::block:
        lines_.block();
        break;
      case Element::line_break:
        lines_.line_break();
        break;
      case Element::list_item:
        closing ? lines_.end_item() : lines_.start_item();
        break;
      case Element::cell:
        lines_.space();
        break;
      case Element::raw_text:
        if (!closing) skip_raw_text(name);
        break;
    }
  }

  void skip_attributes() {
    char quote = '\0';
    bool value_follows = false;
    for (; position_ < html_.size(); ++position_) {
      const char c = html_[position_];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '>') {
        ++position_;
        return;
      } else if ((c == '"' || c == '\'') && value_follows) {
        quote = c;
      }
      if (!is_space(c)) value_follows = c == '=';
    }
  }

  void skip_raw_text(std::string_view name) {
    for (; position_ < html_.size(); ++position_) {
      if (html_[position_] != '<' || peek(1) != '/') continue;
      const std::string_view candidate = html_.substr(position_ + 2, name.size());
      if (std::equal(candidate.begin(), candidate.end(), name.begin(), name.end(),
                     [](char a, char b) { return lower(a) == lower(b); })) {
        position_ += 2 + name.size();
        skip_attributes();
        return;
      }
    }
  }

  void character_reference() {
    std::uint32_t code_point = 0;
    std::size_t length = 0;
    if (peek(1) == '#') {
      length = numeric_reference(code_point);
    } else {
      const std::string_view ahead = html_.substr(position_ + 1, longest_entity_name + 1);
      if (const std::size_t end = ahead.find(';'); end != std::string_view::npos) {
        code_point = entity(ahead.substr(0, end));
        if (code_point != 0) length = end + 2;
      }
    }
    if (length == 0) {
      lines_.byte('&');
      ++position_;
    } else {
      append_utf8(lines_, code_point);
      position_ += length;
    }
  }

  // The length of "&#…;" with its value, or 0 if it is not one.
  std::size_t numeric_reference(std::uint32_t &code_point) const {
    constexpr std::uint32_t last_code_point = 0x10FFFF;
    constexpr std::uint32_t replacement = 0xFFFD;
    const bool hexadecimal = lower(peek(2)) == 'x';
    const std::size_t start = hexadecimal ? 3 : 2;
    std::size_t end = start;
    for (;; ++end) {
      const char c = lower(peek(end));
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (hexadecimal && c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a' + 10);
      } else {
        break;
      }
      code_point = std::min(code_point * (hexadecimal ? 16 : 10) + digit, last_code_point + 1);
    }
    if (end == start || peek(end) != ';') return 0;
    if (code_point >= 0x80 && code_point < 0xA0) code_point = windows_1252[code_point - 0x80];
    const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
    if (code_point == 0 || surrogate || code_point > last_code_point) code_point = replacement;
    return end + 1;
  }

  std::string_view html_;
  std::size_t position_ = 0;
  Lines lines_;
};

}  // namespace

std::string html_to_plain(std::string_view html) { return Parser(html).run(); }

std::string plain_to_html(std::string_view plain) {
  std::string html;
  html.reserve(plain.size() + plain.size() / 8);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    switch (const char c = plain[i]) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\r':  // a line may end in \r\n, \n or \r
        if (i + 1 < plain.size() && plain[i + 1] == '\n') ++i;
        [[fallthrough]];
      case '\n':
        html += "<br>";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace crm_bridge::core
