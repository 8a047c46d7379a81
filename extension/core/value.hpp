// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/uuid.hpp"

namespace crm_bridge::core {

// What a field of a service means (`service_field.type`).  The C++ alternative that holds its value
// is in brackets.
enum class FieldType : std::uint8_t {
  text,        // plain text [std::string]
  html,        // text with markup [std::string]
  number,      // decimal of any precision [Number]
  money,       // decimal amount of the record's currency [Number]
  boolean,     // [bool]
  date,        // a calendar day without a zone [Date]
  instant,     // a moment [Instant]
  picklist,    // one of the service's choices, by its stored value [std::string]
  reference,   // the id of a record of `reference_module` [Uuid]
  references,  // an ordered list of such ids [std::vector<Uuid>]
  json,        // anything else, kept and compared as jsonb's text [Json]
};
std::string_view to_text(FieldType type);
std::optional<FieldType> parse_field_type(std::string_view text);

// Decimal digits in canonical form: optional '-', no exponent, no leading or trailing zeros, never
// "-0".
struct Number {
  std::string digits = "0";
  auto operator<=>(const Number &) const = default;  // identity of the text, not numeric order
};
// Accepts what PostgreSQL's numeric prints, plus an exponent; nullopt for NaN, infinities and
// anything else. At most 131072 digits before and 16383 after the point, as numeric has it.
std::optional<Number> parse_number(std::string_view text);

struct Date {
  std::int32_t days = 0;  // since 1970-01-01, proleptic Gregorian
  auto operator<=>(const Date &) const = default;
};
std::optional<Date> parse_date(std::string_view text);  // yyyy-MM-dd, years 0001 to 9999
std::string to_text(Date date);

struct Instant {
  std::int64_t microseconds = 0;  // since 1970-01-01T00:00:00Z
  auto operator<=>(const Instant &) const = default;
};
// yyyy-MM-ddTHH:mm:ss[.f…](Z|±HH:mm|±HHmm|±HH), also with a space for the T; digits beyond
// microseconds are cut.
std::optional<Instant> parse_instant(std::string_view text);
// yyyy-MM-ddTHH:mm:ss[.ffffff]+00:00 with trailing zeros of the fraction dropped: as jsonb shows a
// timestamptz in UTC.
std::string to_text(Instant instant);

struct Json {
  std::string text;  // normalized by jsonb, so that equal values are equal texts
  auto operator<=>(const Json &) const = default;
};

// One value of a field.  std::monostate is the service's "empty" (SQL NULL).
using Value = std::variant<std::monostate, bool, Number, std::string, Date, Instant, Uuid,
                           std::vector<Uuid>, Json>;

inline bool is_null(const Value &value) { return std::holds_alternative<std::monostate>(value); }

// For messages and tests: null, true, 12.5, "text", 2026-01-02, …  Text is quoted and cut after 60
// characters.
std::string describe(const Value &value);

}  // namespace crm_bridge::core
