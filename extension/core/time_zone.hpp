// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <memory>
#include <string>

#include "core/value.hpp"

namespace crm_bridge::core {

// An IANA time zone by ICU's data: the same answers in the server and in the worker (D18).
// Copyable handle; opening the same zone again is cheap.
class TimeZone {
 public:
  // Throws Error 22023 with a hint for a name that ICU does not know.  "UTC" always works.
  explicit TimeZone(const std::string &name);
  const std::string &name() const;

  Date date_of(Instant instant) const;
  // Microseconds since local midnight, as a clock on the wall shows it.
  std::int64_t time_of_day(Instant instant) const;
  // A local time that daylight saving skips moves forward by the gap; one that occurs twice is the
  // first.
  Instant at(Date date, std::int64_t microseconds_after_midnight = 0) const;

 private:
  struct Calendar;
  std::shared_ptr<const Calendar> calendar_;
};

}  // namespace crm_bridge::core
