// SPDX-License-Identifier: PostgreSQL
#include "core/localized.hpp"

#include <unicode/udat.h>
#include <unicode/unum.h>
#include <unicode/ustring.h>

#include <memory>
#include <new>

#include "core/error.hpp"

namespace crm_bridge::core {

namespace {

constexpr double milliseconds_per_day = 86'400'000.0;
// Longer than any date; a number may be longer and asks again.
constexpr std::int32_t usual_length = 128;
// As many as Number has.
constexpr std::int32_t most_fraction_digits = 16'383;

struct CloseDateFormat {
  void operator()(UDateFormat *format) const { udat_close(format); }
};
struct CloseNumberFormat {
  void operator()(UNumberFormat *format) const { unum_close(format); }
};

void check(UErrorCode status, const char *doing) {
  if (status == U_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc{};
  if (U_FAILURE(status)) {
    throw Error{{.sqlstate = "XX000",
                 .message = std::string("ICU could not ") + doing,
                 .detail = std::string("ICU answered ") + u_errorName(status) + "."}};
  }
}

std::string to_utf8(const std::u16string &wide) {
  std::int32_t length = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strToUTF8(nullptr, 0, &length, wide.data(), static_cast<std::int32_t>(wide.size()), &status);
  std::string text(static_cast<std::size_t>(length), '\0');
  status = U_ZERO_ERROR;
  u_strToUTF8(text.data(), length, nullptr, wide.data(), static_cast<std::int32_t>(wide.size()),
              &status);
  if (status != U_STRING_NOT_TERMINATED_WARNING) check(status, "write UTF-8");
  return text;
}

// Calls a function of ICU that fills a buffer, with a larger one where the first was too small.
template <typename Fill>
std::string filled(Fill fill, const char *doing) {
  std::u16string wide(usual_length, u'\0');
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t length = fill(wide.data(), usual_length, &status);
  if (status == U_BUFFER_OVERFLOW_ERROR) {
    wide.resize(static_cast<std::size_t>(length));
    status = U_ZERO_ERROR;
    length = fill(wide.data(), length, &status);
  }
  check(status, doing);
  wide.resize(static_cast<std::size_t>(length));
  return to_utf8(wide);
}

std::string formatted(double milliseconds, UDateFormatStyle time, const std::string &locale,
                      const std::string &zone) {
  const std::u16string wide_zone(zone.begin(), zone.end());  // names of zones are ASCII
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UDateFormat, CloseDateFormat> format(
      udat_open(time, UDAT_LONG, locale.c_str(), wide_zone.data(),
                static_cast<std::int32_t>(wide_zone.size()), nullptr, 0, &status));
  check(status, "open a date format");
  return filled(
      [&](char16_t *buffer, std::int32_t size, UErrorCode *error) {
        return udat_format(format.get(), milliseconds, buffer, size, nullptr, error);
      },
      "format a date");
}

}  // namespace

std::string localized_date(Date date, const std::string &locale) {
  return formatted(date.days * milliseconds_per_day, UDAT_NONE, locale, "UTC");
}

std::string localized_instant(Instant instant, const std::string &locale, const TimeZone &zone) {
  return formatted(static_cast<double>(instant.microseconds / 1000), UDAT_SHORT, locale,
                   zone.name());
}

std::string localized_number(const Number &number, const std::string &locale) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UNumberFormat, CloseNumberFormat> format(
      unum_open(UNUM_DECIMAL, nullptr, 0, locale.c_str(), nullptr, &status));
  check(status, "open a number format");
  unum_setAttribute(format.get(), UNUM_MAX_FRACTION_DIGITS, most_fraction_digits);
  return filled(
      [&](char16_t *buffer, std::int32_t size, UErrorCode *error) {
        return unum_formatDecimal(format.get(), number.digits.data(),
                                  static_cast<std::int32_t>(number.digits.size()), buffer, size,
                                  nullptr, error);
      },
      "format a number");
}

}  // namespace crm_bridge::core
