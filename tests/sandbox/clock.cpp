// SPDX-License-Identifier: PostgreSQL
#include "clock.hpp"

#include <chrono>
#include <cstdio>

namespace crm_bridge::sandbox {
namespace {

// Reads exactly `digits` decimal digits at `position` and moves past them.
std::optional<int> read_number(std::string_view text, std::size_t &position, std::size_t digits) {
  if (position + digits > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t end = position + digits; position < end; ++position) {
    if (text[position] < '0' || text[position] > '9') return std::nullopt;
    value = value * 10 + (text[position] - '0');
  }
  return value;
}

bool read_symbol(std::string_view text, std::size_t &position, char symbol) {
  if (position >= text.size() || text[position] != symbol) return false;
  ++position;
  return true;
}

std::optional<std::int64_t> read_day(std::string_view text, std::size_t &position) {
  const auto year = read_number(text, position, 4);
  if (!year || !read_symbol(text, position, '-')) return std::nullopt;
  const auto month = read_number(text, position, 2);
  if (!month || !read_symbol(text, position, '-')) return std::nullopt;
  const auto day = read_number(text, position, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

std::string format(std::int64_t seconds) {
  const std::chrono::sys_seconds instant{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{instant - day};
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return buffer;
}

}  // namespace

std::int64_t Clock::real_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t Clock::microseconds() const { return real_microseconds() + offset_; }

std::string iso_with_offset(std::int64_t seconds, std::int64_t zone_offset_seconds) {
  const std::int64_t distance =
      zone_offset_seconds < 0 ? -zone_offset_seconds : zone_offset_seconds;
  char zone[16];
  std::snprintf(zone, sizeof zone, "%c%02d:%02d", zone_offset_seconds < 0 ? '-' : '+',
                static_cast<int>(distance / 3600) % 100, static_cast<int>(distance / 60) % 60);
  return format(seconds + zone_offset_seconds) + zone;
}

std::string iso_utc(std::int64_t milliseconds) {
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return format(milliseconds / 1000) + fraction;
}

std::optional<std::int64_t> parse_zone_offset(std::string_view text) {
  std::size_t position = 1;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = read_number(text, position, 2);
  if (!hours) return std::nullopt;
  read_symbol(text, position, ':');
  const auto minutes = read_number(text, position, 2);
  if (!minutes || position != text.size() || *hours > 14 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
  std::size_t position = 0;
  const auto day = read_day(text, position);
  if (!day || !read_symbol(text, position, 'T')) return std::nullopt;
  const auto hour = read_number(text, position, 2);
  if (!hour || *hour > 23 || !read_symbol(text, position, ':')) return std::nullopt;
  const auto minute = read_number(text, position, 2);
  if (!minute || *minute > 59 || !read_symbol(text, position, ':')) return std::nullopt;
  const auto second = read_number(text, position, 2);
  if (!second || *second > 59) return std::nullopt;
  std::int64_t milliseconds = 0;
  if (read_symbol(text, position, '.')) {
    std::int64_t scale = 100;
    const std::size_t first = position;
    for (; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position) {
      milliseconds += (text[position] - '0') * scale;
      scale /= 10;
    }
    if (position == first) return std::nullopt;
  }
  std::int64_t offset = 0;
  if (text.substr(position) != "Z") {
    const auto zone = parse_zone_offset(text.substr(position));
    if (!zone) return std::nullopt;
    offset = *zone;
  }
  const std::int64_t seconds = *day * 86400 + *hour * 3600 + *minute * 60 + *second - offset;
  return seconds * 1000 + milliseconds;
}

bool is_date(std::string_view text) {
  std::size_t position = 0;
  return read_day(text, position).has_value() && position == text.size();
}

}  // namespace crm_bridge::sandbox
