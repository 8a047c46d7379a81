// SPDX-License-Identifier: PostgreSQL
#include "core/time_zone.hpp"

#include <unicode/ucal.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

#include "core/error.hpp"

namespace crm_bridge::core {

namespace {

constexpr std::int64_t microseconds_per_millisecond = 1000;
constexpr std::int64_t milliseconds_per_day = 86'400'000;
constexpr std::int64_t microseconds_per_day = milliseconds_per_day * microseconds_per_millisecond;
constexpr std::int64_t beginning_of_time = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t end_of_time = std::numeric_limits<std::int64_t>::max();

// Deals, tasks and events live between these; the rest is asked of ICU each time.
constexpr std::int64_t table_start = -25'567 * milliseconds_per_day;  // 1900-01-01
constexpr std::int64_t table_end = 47'482 * milliseconds_per_day;     // 2100-01-01

// No zone's local time is further from UTC.
constexpr std::int64_t largest_offset = milliseconds_per_day + 2 * 3'600'000;

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}
constexpr std::int64_t floor_modulo(std::int64_t value, std::int64_t divisor) {
  return value % divisor + (value % divisor < 0 ? divisor : 0);
}

// The times of one UTC offset: [start, end) in milliseconds since 1970.
struct Span {
  std::int64_t start;
  std::int64_t end;
  std::int64_t offset;
};

struct CloseCalendar {
  void operator()(UCalendar *calendar) const { ucal_close(calendar); }
};
using CalendarHandle = std::unique_ptr<UCalendar, CloseCalendar>;

void check(UErrorCode status, const char *doing) {
  if (status == U_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc{};
  if (U_FAILURE(status)) {
    throw Error{{.sqlstate = "XX000",
                 .message = std::string("ICU could not ") + doing,
                 .detail = std::string("ICU answered ") + u_errorName(status) + "."}};
  }
}

// IANA names are ASCII; anything else cannot be one.
std::u16string to_utf16(const std::string &name) {
  std::u16string wide;
  for (const char c : name)
    wide += static_cast<unsigned char>(c) < 0x80 ? static_cast<char16_t>(c) : u'?';
  return wide;
}

bool is_known(const std::string &name) {
  constexpr std::size_t longest_name = 64;
  if (name.empty() || name.size() > longest_name || name == "Etc/Unknown") return false;
  const std::u16string wide = to_utf16(name);
  std::array<char16_t, 128> canonical;
  UBool is_system_id = 0;
  UErrorCode status = U_ZERO_ERROR;
  ucal_getCanonicalTimeZoneID(wide.data(), static_cast<std::int32_t>(wide.size()), canonical.data(),
                              static_cast<std::int32_t>(canonical.size()), &is_system_id, &status);
  return U_SUCCESS(status) && is_system_id;
}

CalendarHandle open_calendar(const std::string &name) {
  const std::u16string wide = to_utf16(name);
  UErrorCode status = U_ZERO_ERROR;
  CalendarHandle calendar(ucal_open(wide.data(), static_cast<std::int32_t>(wide.size()), "en",
                                    UCAL_GREGORIAN, &status));
  check(status, "open a calendar");
  return calendar;
}

Span ask_icu(UCalendar *calendar, std::int64_t utc) {
  UErrorCode status = U_ZERO_ERROR;
  ucal_setMillis(calendar, static_cast<UDate>(utc), &status);
  const std::int64_t offset =
      ucal_get(calendar, UCAL_ZONE_OFFSET, &status) + ucal_get(calendar, UCAL_DST_OFFSET, &status);
  UDate previous = 0;
  UDate next = 0;
  const bool has_previous = ucal_getTimeZoneTransitionDate(
      calendar, UCAL_TZ_TRANSITION_PREVIOUS_INCLUSIVE, &previous, &status);
  const bool has_next =
      ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &next, &status);
  check(status, "tell a time zone's offset");
  return {has_previous ? static_cast<std::int64_t>(previous) : beginning_of_time,
          has_next ? static_cast<std::int64_t>(next) : end_of_time, offset};
}

}  // namespace

// The offsets of two centuries are read once into a table that never changes, so that all threads
// share it without a lock and a look-up is a binary search.  Only what lies outside asks an ICU
// calendar, behind a mutex: ICU's objects carry state and must not be used by two threads at a
// time.
struct TimeZone::Calendar {
  explicit Calendar(const std::string &zone_name)
      : name(zone_name), calendar(open_calendar(zone_name)) {
    for (std::int64_t utc = table_start; utc < table_end;) {
      const Span span = ask_icu(calendar.get(), utc);
      utc = span.end;
      if (!spans.empty() && spans.back().offset == span.offset) {
        spans.back().end = span.end;  // only the zone's abbreviation changed
      } else {
        spans.push_back(span);
      }
    }
  }

  Span span_at(std::int64_t utc) const {
    if (utc < spans.front().start || utc >= spans.back().end) {
      const std::lock_guard lock(mutex);
      return ask_icu(calendar.get(), utc);
    }
    const auto after =
        std::upper_bound(spans.begin(), spans.end(), utc,
                         [](std::int64_t wanted, const Span &span) { return wanted < span.start; });
    return *std::prev(after);
  }

  // Milliseconds since 1970 on the wall's clock; Instant's range leaves room for the offset.
  std::int64_t local(Instant instant) const {
    const std::int64_t utc = floor_divide(instant.microseconds, microseconds_per_millisecond);
    return utc + span_at(utc).offset;
  }

  std::int64_t to_utc(std::int64_t local) const {
    Span span = span_at(local - largest_offset);
    for (;;) {
      const std::int64_t utc = local - span.offset;
      if (utc < span.end) return utc;
      const Span next = span_at(span.end);
      // Neither side of the transition has this local time: on the old offset's clock it is the
      // time moved by the gap.
      if (local - next.offset < next.start) return utc;
      span = next;
    }
  }

  std::string name;
  std::vector<Span> spans;
  CalendarHandle calendar;
  mutable std::mutex mutex;
};

TimeZone::TimeZone(const std::string &name) {
  // Never destroyed: a backend's exit handlers and a worker's last threads may still ask.
  static std::mutex &mutex = *new std::mutex;
  static auto &opened = *new std::map<std::string, std::shared_ptr<const Calendar>>;
  const std::lock_guard lock(mutex);
  if (const auto found = opened.find(name); found != opened.end()) {
    calendar_ = found->second;
    return;
  }
  if (!is_known(name)) {
    throw Error{
        {.sqlstate = "22023",
         .message = "time zone \"" + name + "\" is not known",
         .hint =
             "Use a name of the IANA time zone database, such as \"Europe/Berlin\" or \"UTC\"."}};
  }
  calendar_ = std::make_shared<const Calendar>(name);
  opened.emplace(name, calendar_);
}

const std::string &TimeZone::name() const { return calendar_->name; }

Date TimeZone::date_of(Instant instant) const {
  return Date{
      static_cast<std::int32_t>(floor_divide(calendar_->local(instant), milliseconds_per_day))};
}

std::int64_t TimeZone::time_of_day(Instant instant) const {
  const std::int64_t local = calendar_->local(instant);
  return floor_modulo(local, milliseconds_per_day) * microseconds_per_millisecond +
         floor_modulo(instant.microseconds, microseconds_per_millisecond);
}

Instant TimeZone::at(Date date, std::int64_t microseconds_after_midnight) const {
  // Beyond what an Instant can hold the nearest one is given; a Date reaches twenty times further.
  constexpr std::int64_t last_day = end_of_time / microseconds_per_day - 3;
  const std::int64_t days = std::clamp<std::int64_t>(date.days, -last_day, last_day);
  const std::int64_t time =
      std::clamp<std::int64_t>(microseconds_after_midnight, 0, microseconds_per_day - 1);
  const std::int64_t local = days * milliseconds_per_day + time / microseconds_per_millisecond;
  return Instant{calendar_->to_utc(local) * microseconds_per_millisecond +
                 time % microseconds_per_millisecond};
}

}  // namespace crm_bridge::core
