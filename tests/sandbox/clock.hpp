// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crm_bridge::sandbox {

// The services' time.  Everything that a service decides by time (limits, token expiry, change
// times) reads this clock, so that a test can let an hour pass at once.
class Clock {
 public:
  std::int64_t microseconds() const;  // since 1970
  std::int64_t seconds() const { return microseconds() / 1'000'000; }
  std::int64_t milliseconds() const { return microseconds() / 1'000; }
  void advance(std::int64_t seconds) { offset_ += seconds * 1'000'000; }

  // The machine's time, for what is measured rather than imitated.
  static std::int64_t real_microseconds();

 private:
  std::atomic<std::int64_t> offset_{0};
};

// "2026-03-02T09:15:00+05:30"
std::string iso_with_offset(std::int64_t seconds, std::int64_t zone_offset_seconds);
// "2026-03-30T07:58:19.896Z"
std::string iso_utc(std::int64_t milliseconds);
// An ISO 8601 instant with "Z" or a numeric offset, in milliseconds; nothing else is accepted.
std::optional<std::int64_t> parse_instant(std::string_view text);
// "+05:30" in seconds.
std::optional<std::int64_t> parse_zone_offset(std::string_view text);
// "yyyy-MM-dd", an existing day.
bool is_date(std::string_view text);

}  // namespace crm_bridge::sandbox
