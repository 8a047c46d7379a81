// SPDX-License-Identifier: PostgreSQL
#include "core/time_zone.hpp"

#include <unicode/ucal.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "core/error.hpp"
#include "printing.hpp"
#include "random.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using crm_bridge::test::Random;

namespace {

constexpr std::int64_t minute = 60'000'000;

const std::vector<std::string> zones{"UTC",
                                     "Europe/Berlin",
                                     "America/New_York",
                                     "Asia/Kolkata",
                                     "Pacific/Apia",
                                     "America/Sao_Paulo",
                                     "Australia/Lord_Howe",
                                     "Africa/Monrovia",
                                     "Asia/Kathmandu",
                                     "Antarctica/Troll",
                                     "Pacific/Kiritimati",
                                     "America/Caracas"};

struct WallClock {
  std::string zone;
  std::string date;
  std::int64_t minutes;  // after midnight
  std::string instant;
};
std::ostream &operator<<(std::ostream &out, const WallClock &clock) {
  return out << clock.zone << " " << clock.date << " minute " << clock.minutes;
}

const std::vector<WallClock> clocks{
    {"UTC", "2024-02-29", 0, "2024-02-29T00:00:00Z"},
    {"Europe/Berlin", "2024-01-15", 0, "2024-01-14T23:00:00Z"},
    {"Europe/Berlin", "2024-07-15", 9 * 60, "2024-07-15T07:00:00Z"},
    {"America/New_York", "2024-07-15", 23 * 60, "2024-07-16T03:00:00Z"},
    {"Asia/Kolkata", "2024-07-15", 0, "2024-07-14T18:30:00Z"},
    {"Pacific/Kiritimati", "2024-07-15", 0, "2024-07-14T10:00:00Z"},
    // Skipped by daylight saving: forward by the gap.
    {"Europe/Berlin", "2024-03-31", 2 * 60 + 30, "2024-03-31T01:30:00Z"},
    {"America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z"},
    {"Australia/Lord_Howe", "2024-10-06", 2 * 60 + 10, "2024-10-05T15:40:00Z"},
    {"Pacific/Apia", "2011-12-30", 12 * 60, "2011-12-30T22:00:00Z"},
    // Twice on the clock: the first.
    {"Europe/Berlin", "2024-10-27", 2 * 60 + 30, "2024-10-27T00:30:00Z"},
    {"America/New_York", "2024-11-03", 60 + 30, "2024-11-03T05:30:00Z"},
    // Outside the years that are kept in the table.
    {"Europe/Berlin", "2150-07-15", 0, "2150-07-14T22:00:00Z"},
    {"Europe/Berlin", "1880-01-01", 0, "1879-12-31T23:06:32Z"},
    {"Asia/Kolkata", "2500-01-01", 0, "2499-12-31T18:30:00Z"},
};

// ICU's own calendar, asked afresh each time: what the table must agree with.
std::pair<std::int64_t, std::int64_t> ask_icu(const std::string &zone, core::Instant instant) {
  const std::u16string wide(zone.begin(), zone.end());
  UErrorCode status = U_ZERO_ERROR;
  UCalendar *calendar =
      ucal_open(wide.data(), static_cast<std::int32_t>(wide.size()), "en", UCAL_GREGORIAN, &status);
  const auto milliseconds =
      static_cast<std::int64_t>(std::floor(static_cast<double>(instant.microseconds) / 1000.0));
  ucal_setMillis(calendar, static_cast<UDate>(milliseconds), &status);
  const std::int64_t julian_day = ucal_get(calendar, UCAL_JULIAN_DAY, &status);
  const std::int64_t time = ucal_get(calendar, UCAL_MILLISECONDS_IN_DAY, &status);
  ucal_close(calendar);
  BOOST_REQUIRE(U_SUCCESS(status));
  return {julian_day - 2'440'588, time * 1000 + instant.microseconds - milliseconds * 1000};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(time_zone)

BOOST_DATA_TEST_CASE(d18_local_times_are_found_in_the_zone, data::make(clocks)) {
  const core::TimeZone zone(sample.zone);
  const core::Instant expected = *core::parse_instant(sample.instant);
  BOOST_TEST(zone.at(*core::parse_date(sample.date), sample.minutes * minute) == expected);
}

BOOST_DATA_TEST_CASE(d18_the_wall_clock_agrees_with_icu, data::make(zones)) {
  const core::TimeZone zone(sample);
  Random random("wall clock " + sample);
  for (int i = 0; i < 1'000; ++i) {
    const core::Instant instant = random.instant();
    const auto [days, time] = ask_icu(sample, instant);
    BOOST_REQUIRE_EQUAL(zone.date_of(instant).days, days);
    BOOST_REQUIRE_EQUAL(zone.time_of_day(instant), time);
  }
}

BOOST_DATA_TEST_CASE(
    a_local_time_that_exists_is_found_again_and_never_later_than_another_of_the_same_name,
    data::make(zones)) {
  const core::TimeZone zone(sample);
  Random random("local times " + sample);
  for (int i = 0; i < 10'000; ++i) {
    const core::Instant instant = random.instant();
    const core::Date date = zone.date_of(instant);
    const std::int64_t time = zone.time_of_day(instant);
    const core::Instant found = zone.at(date, time);
    BOOST_REQUIRE(zone.date_of(found) == date);
    BOOST_REQUIRE_EQUAL(zone.time_of_day(found), time);
    BOOST_REQUIRE(found <= instant);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_an_error_with_a_hint) {
  for (const std::string name :
       {"", "Europe/Atlantis", "europe/berlin", "Etc/Unknown", "GMT+3", "Zürich"}) {
    BOOST_CHECK_EXCEPTION(core::TimeZone{name}, core::Error, [](const core::Error &error) {
      return std::string(error.fault().sqlstate) == "22023" && !error.fault().hint.empty();
    });
  }
  BOOST_CHECK_THROW(core::TimeZone{std::string(100'000, 'x')}, core::Error);
  BOOST_TEST(core::TimeZone{"Asia/Tokyo"}.name() == "Asia/Tokyo");
}

BOOST_AUTO_TEST_CASE(every_date_and_every_instant_gives_an_answer) {
  for (const std::string &name : zones) {
    const core::TimeZone zone(name);
    for (const std::int64_t microseconds : {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX}) {
      const std::int64_t time = zone.time_of_day(core::Instant{microseconds});
      BOOST_TEST((time >= 0 && time < 1440 * minute));
      BOOST_TEST(std::abs(zone.date_of(core::Instant{microseconds}).days) > 106'000'000);
    }
    BOOST_TEST((zone.at(core::Date{INT32_MIN}, INT64_MIN) < zone.at(core::Date{0})));
    BOOST_TEST((zone.at(core::Date{INT32_MAX}, INT64_MAX) > zone.at(core::Date{0})));
  }
}

BOOST_AUTO_TEST_CASE(one_handle_serves_several_threads) {
  const core::TimeZone zone("Europe/Berlin");
  Random random("threads");
  std::vector<core::Instant> instants(2'000);
  std::vector<core::Date> expected;
  for (auto &instant : instants) {
    instant = random.instant();
    expected.push_back(zone.date_of(instant));
  }
  std::vector<int> differences(4);
  std::vector<std::thread> threads;
  for (int &count : differences) {
    threads.emplace_back([&zone, &instants, &expected, &count] {
      const core::TimeZone own("Europe/Berlin");
      for (std::size_t i = 0; i < instants.size(); ++i) {
        count += zone.date_of(instants[i]) != expected[i] ? 1 : 0;
        count += own.date_of(instants[i]) != expected[i] ? 1 : 0;
      }
    });
  }
  for (auto &thread : threads) thread.join();
  for (const int count : differences) BOOST_TEST(count == 0);
}

BOOST_AUTO_TEST_SUITE_END()
