// SPDX-License-Identifier: PostgreSQL
#include "core/localized.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace data = boost::unit_test::data;
using namespace crm_bridge::core;

namespace {

const std::string locales[] = {"en", "en_GB", "de_DE", "fr", "ja_JP", "zh_CN", "no-such-locale"};
const std::string dates[] = {"March 1, 2026", "1 March 2026", "1. März 2026", "1 mars 2026",
                             "2026年3月1日",  "2026年3月1日", "March 1, 2026"};

}  // namespace

BOOST_AUTO_TEST_SUITE(localized)

BOOST_DATA_TEST_CASE(D10_a_date_is_written_as_the_reader_writes_it,
                     data::make(locales) ^ data::make(dates), locale, expected) {
  const std::string text = localized_date(*parse_date("2026-03-01"), locale);
  if (locale == "no-such-locale") {
    BOOST_TEST(text.find("2026") != std::string::npos);
  } else {
    BOOST_TEST(text == expected);
  }
}

BOOST_AUTO_TEST_CASE(D10_D18_an_instant_is_shown_in_the_organizations_zone) {
  const auto instant = *parse_instant("2026-02-28T20:45:00+00:00");
  const std::string text = localized_instant(instant, "de", TimeZone{"Asia/Kolkata"});
  BOOST_TEST(text.find("1. März 2026") != std::string::npos);
  BOOST_TEST(text.find("02:15") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(D10_a_number_keeps_every_digit) {
  BOOST_TEST(localized_number(*parse_number("1234567.12345678901234567890123"), "de") ==
             "1.234.567,12345678901234567890123");
  BOOST_TEST(localized_number(*parse_number("-5"), "en") == "-5");
  const std::string longest(300, '9');
  BOOST_TEST(localized_number(*parse_number(longest), "zh").size() == 300U + 99U);
}

BOOST_AUTO_TEST_SUITE_END()
