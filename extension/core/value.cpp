// SPDX-License-Identifier: PostgreSQL
#include "core/value.hpp"

#include <algorithm>
#include <array>

namespace crm_bridge::core {

namespace {

// In the order of FieldType.
constexpr std::array<std::string_view, 11> field_type_names{
    "text",    "html",     "number",    "money",      "boolean", "date",
    "instant", "picklist", "reference", "references", "json"};

// numeric's own limits.
constexpr std::int64_t maximum_digits_before_point = 131072;
constexpr std::int64_t maximum_digits_after_point = 16383;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits_end(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

// "[+-]digits", saturated far beyond numeric's limits; nullopt for anything else.
std::optional<std::int64_t> parse_exponent(std::string_view text) {
  constexpr std::int64_t saturated = 1'000'000'000'000;
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || digits_end(text, 0) != text.size()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    value = value * 10 + (c - '0');
    if (value > saturated) value = saturated;
  }
  return negative ? -value : value;
}

}  // namespace

std::string_view to_text(FieldType type) {
  return field_type_names[static_cast<std::size_t>(type)];
}

std::optional<FieldType> parse_field_type(std::string_view text) {
  for (std::size_t i = 0; i < field_type_names.size(); ++i) {
    if (field_type_names[i] == text) return static_cast<FieldType>(i);
  }
  return std::nullopt;
}

std::optional<Number> parse_number(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);

  const std::size_t integer_size = digits_end(text, 0);
  if (integer_size == 0) return std::nullopt;
  const std::string_view integer = text.substr(0, integer_size);
  std::string_view fraction;
  std::size_t end = integer_size;
  if (end < text.size() && text[end] == '.') {
    end = digits_end(text, integer_size + 1);
    fraction = text.substr(integer_size + 1, end - integer_size - 1);
    if (fraction.empty()) return std::nullopt;
  }
  std::int64_t exponent = 0;
  if (end < text.size()) {
    if (text[end] != 'e' && text[end] != 'E') return std::nullopt;
    const auto parsed = parse_exponent(text.substr(end + 1));
    if (!parsed) return std::nullopt;
    exponent = *parsed;
  }

  // The significant digits are [first, last) of integer and fraction laid end to end, the point is
  // before `point`.
  const auto size = static_cast<std::int64_t>(integer.size() + fraction.size());
  const auto digit = [&](std::int64_t position) {
    const auto index = static_cast<std::size_t>(position);
    return index < integer.size() ? integer[index] : fraction[index - integer.size()];
  };
  std::int64_t first = 0;
  while (first < size && digit(first) == '0') ++first;
  if (first == size) return Number{};
  std::int64_t last = size;
  while (digit(last - 1) == '0') --last;
  const std::int64_t point = static_cast<std::int64_t>(integer.size()) + exponent;
  if (point - first > maximum_digits_before_point) return std::nullopt;
  if (last - point > maximum_digits_after_point) return std::nullopt;

  Number number;
  number.digits.clear();
  number.digits.reserve(
      static_cast<std::size_t>(std::max(last, point) - std::min(first, point) + 3));
  if (negative) number.digits += '-';
  if (point <= first) number.digits += '0';
  for (std::int64_t i = first; i < std::max(last, point); ++i) {
    if (i == first && point <= first) {
      number.digits += '.';
      number.digits.append(static_cast<std::size_t>(first - point), '0');
    } else if (i == point) {
      number.digits += '.';
    }
    number.digits += i < last ? digit(i) : '0';
  }
  return number;
}

namespace {

constexpr std::size_t description_limit = 60;

// At most `description_limit` characters of UTF-8; control characters become spaces, so that a
// message stays on its line.
std::string shortened(std::string_view text) {
  std::string result;
  std::size_t characters = 0;
  for (const char c : text) {
    const bool starts_character = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts_character && ++characters > description_limit) return result + "…";
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return result;
}

struct Describer {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const Number &value) const { return shortened(value.digits); }
  std::string operator()(const std::string &value) const { return '"' + shortened(value) + '"'; }
  std::string operator()(Date value) const { return to_text(value); }
  std::string operator()(Instant value) const { return to_text(value); }
  std::string operator()(const Uuid &value) const { return to_text(value); }
  std::string operator()(const Json &value) const { return shortened(value.text); }
  std::string operator()(const std::vector<Uuid> &value) const {
    constexpr std::size_t shown = 3;
    std::string result = "[";
    for (std::size_t i = 0; i < value.size() && i < shown; ++i) {
      if (i > 0) result += ", ";
      result += to_text(value[i]);
    }
    if (value.size() > shown) result += ", … " + std::to_string(value.size() - shown) + " more";
    return result + "]";
  }
};

}  // namespace

std::string describe(const Value &value) { return std::visit(Describer{}, value); }

}  // namespace crm_bridge::core
