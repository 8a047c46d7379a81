// SPDX-License-Identifier: PostgreSQL
// Dates and instants as text; the types are in value.hpp.
#include <array>
#include <charconv>

#include "core/value.hpp"

namespace crm_bridge::core {

namespace {

constexpr std::int64_t microseconds_per_second = 1'000'000;
constexpr std::int64_t microseconds_per_day = 86'400 * microseconds_per_second;
constexpr std::int64_t days_per_era = 146'097;  // 400 Gregorian years

struct CivilDate {
  std::int64_t year;  // astronomical: 0 is 1 BC
  int month;
  int day;
};

// Both conversions count from the first of March of the era's year 0, so that the leap day is a
// year's last.
constexpr std::int64_t days_from_civil(CivilDate civil) {
  const std::int64_t year = civil.year - (civil.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year =
      (153 * (civil.month + (civil.month > 2 ? -3 : 9)) + 2) / 5 + civil.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * days_per_era + day_of_era - 719'468;
}

constexpr CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - days_per_era + 1) / days_per_era;
  const std::int64_t day_of_era = days - era * days_per_era;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted_month = static_cast<int>((5 * day_of_year + 2) / 153);
  const int day = static_cast<int>(day_of_year) - (153 * shifted_month + 2) / 5 + 1;
  const int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

static_assert(days_from_civil({1970, 1, 1}) == 0 && days_from_civil({2000, 2, 29}) == 11'016);
static_assert(civil_from_days(-1).year == 1969 && civil_from_days(11'016).day == 29);

constexpr int days_in_month(int year, int month) {
  constexpr std::array<int, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : lengths[static_cast<std::size_t>(month - 1)];
}

// Reads fixed-width fields off the front; one failed step makes all later ones fail.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    if (rest_.size() < count) return fail();
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  void require(bool condition) {
    if (!condition) fail();
  }
  bool failed() const { return failed_; }
  bool succeeded() const { return !failed_ && rest_.empty(); }

 private:
  int fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool failed_ = false;
};

std::int64_t read_days(Reader &reader) {
  const int year = reader.digits(4);
  reader.expect('-');
  const int month = reader.digits(2);
  reader.expect('-');
  const int day = reader.digits(2);
  reader.require(year >= 1 && month >= 1 && month <= 12);
  if (reader.failed()) return 0;
  reader.require(day >= 1 && day <= days_in_month(year, month));
  return days_from_civil({year, month, day});
}

std::int64_t read_time_of_day(Reader &reader) {
  const int hour = reader.digits(2);
  reader.expect(':');
  const int minute = reader.digits(2);
  reader.expect(':');
  const int second =
      reader.digits(2);  // 60 is a leap second, which belongs to the next minute as in PostgreSQL
  reader.require(hour <= 23 && minute <= 59 && second <= 60);
  std::int64_t microseconds = 0;
  if (reader.accept('.')) {
    reader.require(reader.next_is_digit());
    for (std::int64_t unit = 100'000; reader.next_is_digit(); unit /= 10)
      microseconds += unit * reader.digits(1);
  }
  return (hour * 3600 + minute * 60 + second) * microseconds_per_second + microseconds;
}

std::int64_t read_offset(Reader &reader) {
  if (reader.accept('Z')) return 0;
  const bool negative = reader.accept('-');
  if (!negative) reader.expect('+');
  const int hours = reader.digits(2);
  int minutes = 0;
  if (reader.accept(':') || reader.next_is_digit()) minutes = reader.digits(2);
  reader.require(hours <= 15 && minutes <= 59);  // PostgreSQL's limit
  const std::int64_t offset = (hours * 3600 + minutes * 60) * microseconds_per_second;
  return negative ? -offset : offset;
}

// A fixed buffer, since dates and instants are written for every request:
// "-292277-01-01T00:00:00.000000+00:00 BC" fits.
class Writer {
 public:
  void number(std::int64_t value, int width) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    for (auto missing = width - (end - digits.data()); missing > 0; --missing) character('0');
    for (const char *c = digits.data(); c != end; ++c) character(*c);
  }
  void character(char c) { buffer_[size_++] = c; }
  void text(std::string_view text) {
    for (const char c : text) character(c);
  }
  void drop_trailing_zeros() {
    while (buffer_[size_ - 1] == '0') --size_;
  }
  std::string take() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, 64> buffer_;
  std::size_t size_ = 0;
};

// Returns whether the year is before Christ, which PostgreSQL writes at the very end.
bool write_days(Writer &writer, std::int64_t days) {
  const CivilDate civil = civil_from_days(days);
  writer.number(civil.year > 0 ? civil.year : 1 - civil.year, 4);
  writer.character('-');
  writer.number(civil.month, 2);
  writer.character('-');
  writer.number(civil.day, 2);
  return civil.year <= 0;
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  Reader reader(text);
  const std::int64_t days = read_days(reader);
  if (!reader.succeeded()) return std::nullopt;
  return Date{static_cast<std::int32_t>(days)};
}

std::string to_text(Date date) {
  Writer writer;
  if (write_days(writer, date.days)) writer.text(" BC");
  return writer.take();
}

std::optional<Instant> parse_instant(std::string_view text) {
  Reader reader(text);
  const std::int64_t days = read_days(reader);
  if (!reader.accept('T')) reader.expect(' ');
  const std::int64_t time_of_day = read_time_of_day(reader);
  const std::int64_t offset = read_offset(reader);
  if (!reader.succeeded()) return std::nullopt;
  return Instant{days * microseconds_per_day + time_of_day - offset};
}

std::string to_text(Instant instant) {
  std::int64_t days = instant.microseconds / microseconds_per_day;
  std::int64_t rest = instant.microseconds % microseconds_per_day;
  if (rest < 0) {
    rest += microseconds_per_day;
    --days;
  }
  Writer writer;
  const bool before_christ = write_days(writer, days);
  const std::int64_t seconds = rest / microseconds_per_second;
  writer.character('T');
  writer.number(seconds / 3600, 2);
  writer.character(':');
  writer.number(seconds / 60 % 60, 2);
  writer.character(':');
  writer.number(seconds % 60, 2);
  if (const std::int64_t fraction = rest % microseconds_per_second; fraction != 0) {
    writer.character('.');
    writer.number(fraction, 6);
    writer.drop_trailing_zeros();
  }
  writer.text("+00:00");
  if (before_christ) writer.text(" BC");
  return writer.take();
}

}  // namespace crm_bridge::core
