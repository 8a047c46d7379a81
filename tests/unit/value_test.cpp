// SPDX-License-Identifier: PostgreSQL
#include "core/value.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "printing.hpp"
#include "random.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using crm_bridge::test::Random;

namespace {

struct Reading {
  std::string text;
  std::string expected;  // empty: refused
};
std::ostream &operator<<(std::ostream &out, const Reading &reading) {
  return out << '"' << reading.text.substr(0, 60) << '"';
}

const std::vector<Reading> numbers{
    {"0", "0"},
    {"-0", "0"},
    {"-0.000", "0"},
    {"007", "7"},
    {"1.50", "1.5"},
    {"-12.340", "-12.34"},
    {"100", "100"},
    {"0.001", "0.001"},
    {"1e3", "1000"},
    {"1.25E+2", "125"},
    {"12.5e-3", "0.0125"},
    {"1200e-2", "12"},
    {"0e99999999999999999999", "0"},
    {"1e-2", "0.01"},
    {"", ""},
    {"-", ""},
    {"+1", ""},
    {".5", ""},
    {"5.", ""},
    {"1e", ""},
    {"1e+", ""},
    {"NaN", ""},
    {"Infinity", ""},
    {" 1", ""},
    {"1 ", ""},
    {"1,5", ""},
    {"0x10", ""},
    {"1e99999999999999999999", ""},
    {"1e-99999999999999999999", ""},
    {"1.2.3", ""},
    {"--1", ""},
    {"1e5.0", ""},
};

const std::vector<Reading> dates{
    {"1970-01-01", "1970-01-01"},
    {"2024-02-29", "2024-02-29"},
    {"0001-01-01", "0001-01-01"},
    {"9999-12-31", "9999-12-31"},
    {"2000-02-29", "2000-02-29"},
    {"2023-02-29", ""},
    {"1900-02-29", ""},
    {"0000-01-01", ""},
    {"2024-13-01", ""},
    {"2024-00-01", ""},
    {"2024-04-31", ""},
    {"2024-4-1", ""},
    {"24-04-01", ""},
    {"2024-04-01 ", ""},
    {"2024/04/01", ""},
    {"", ""},
    {"-024-04-01", ""},
    {"infinity", ""},
};

const std::vector<Reading> instants{
    {"2024-05-06T07:08:09Z", "2024-05-06T07:08:09+00:00"},
    {"2024-05-06 07:08:09+00", "2024-05-06T07:08:09+00:00"},
    {"2024-05-06T07:08:09.5+02:00", "2024-05-06T05:08:09.5+00:00"},
    {"2024-05-06T07:08:09.1234567-0530", "2024-05-06T12:38:09.123456+00:00"},
    {"2024-12-31T23:59:60Z", "2025-01-01T00:00:00+00:00"},
    {"2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00+00:00"},
    {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999+00:00"},
    {"2024-05-06T07:08:09", ""},
    {"2024-05-06T07:08Z", ""},
    {"2024-05-06T24:00:00Z", ""},
    {"2024-05-06T07:60:00Z", ""},
    {"2024-05-06T07:08:09.Z", ""},
    {"2024-05-06T07:08:09+16:00", ""},
    {"2024-05-06T07:08:09+01:60", ""},
    {"2024-05-06T07:08:09+1", ""},
    {"2024-02-30T00:00:00Z", ""},
    {"2024-05-06T07:08:09Z ", ""},
    {"", ""},
};

template <typename T>
std::string text_of(const std::optional<T> &value) {
  if (!value) return "";
  if constexpr (std::is_same_v<T, core::Number>) {
    return value->digits;
  } else {
    return to_text(*value);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(value)

BOOST_DATA_TEST_CASE(numbers_are_read_as_numeric_prints_them, data::make(numbers)) {
  BOOST_TEST(text_of(core::parse_number(sample.text)) == sample.expected);
}

BOOST_DATA_TEST_CASE(dates_are_read_strictly, data::make(dates)) {
  BOOST_TEST(text_of(core::parse_date(sample.text)) == sample.expected);
}

BOOST_DATA_TEST_CASE(instants_are_read_with_any_offset_and_written_in_utc, data::make(instants)) {
  BOOST_TEST(text_of(core::parse_instant(sample.text)) == sample.expected);
}

BOOST_AUTO_TEST_CASE(numbers_reach_exactly_as_far_as_numeric) {
  const std::string longest(131'072, '9');
  BOOST_TEST(core::parse_number(longest)->digits.size() == 131'072U);
  BOOST_TEST((core::parse_number("9" + longest) == std::nullopt));
  BOOST_TEST(core::parse_number("000" + longest).has_value());
  const std::string finest = "0." + std::string(16'382, '0') + "1";
  BOOST_TEST(core::parse_number(finest)->digits == finest);
  BOOST_TEST((core::parse_number("0.0" + finest.substr(2)) == std::nullopt));
  BOOST_TEST(core::parse_number("1e131071")->digits.size() == 131'072U);
  BOOST_TEST((core::parse_number("1e131072") == std::nullopt));
  BOOST_TEST(core::parse_number("1." + std::string(100'000, '0'))->digits == "1");
}

BOOST_AUTO_TEST_CASE(canonical_numbers_read_as_themselves) {
  Random random("canonical numbers");
  for (int i = 0; i < 10'000; ++i) {
    const core::Number number = random.number();
    BOOST_REQUIRE_EQUAL(text_of(core::parse_number(number.digits)), number.digits);
    BOOST_REQUIRE_EQUAL(text_of(core::parse_number(number.digits + "e0")), number.digits);
  }
}

BOOST_AUTO_TEST_CASE(dates_and_instants_survive_their_text) {
  Random random("dates and instants");
  for (int i = 0; i < 10'000; ++i) {
    const core::Date date = random.date();
    BOOST_REQUIRE(core::parse_date(to_text(date)) == date);
    const core::Instant instant = random.instant();
    BOOST_REQUIRE(core::parse_instant(to_text(instant)) == instant);
  }
}

BOOST_AUTO_TEST_CASE(every_date_and_instant_has_a_text) {
  BOOST_TEST(to_text(core::Date{-719'163}) == "0001-12-31 BC");
  BOOST_TEST(to_text(core::Date{2'932'897}) == "10000-01-01");
  BOOST_TEST(!to_text(core::Date{INT32_MIN}).empty());
  BOOST_TEST(!to_text(core::Date{INT32_MAX}).empty());
  BOOST_TEST(to_text(core::Instant{INT64_MAX}) == "294247-01-10T04:00:54.775807+00:00");
  BOOST_TEST(to_text(core::Instant{INT64_MIN}) == "290309-12-21T19:59:05.224192+00:00 BC");
}

BOOST_AUTO_TEST_CASE(field_types_are_named_as_the_catalog_names_them) {
  for (int i = 0; i <= static_cast<int>(core::FieldType::json); ++i) {
    const auto type = static_cast<core::FieldType>(i);
    BOOST_TEST((core::parse_field_type(to_text(type)) == type));
  }
  BOOST_TEST(to_text(core::FieldType::references) == "references");
  BOOST_TEST((core::parse_field_type("Text") == std::nullopt));
  BOOST_TEST((core::parse_field_type("") == std::nullopt));
}

BOOST_AUTO_TEST_CASE(values_describe_themselves_briefly) {
  const core::Uuid id = *core::parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  BOOST_TEST(core::describe({}) == "null");
  BOOST_TEST(core::describe(true) == "true");
  BOOST_TEST(core::describe(core::Number{"12.5"}) == "12.5");
  BOOST_TEST(core::describe(std::string("two\nlines")) == "\"two lines\"");
  BOOST_TEST(core::describe(core::Date{0}) == "1970-01-01");
  BOOST_TEST(core::describe(core::Json{"{\"a\": 1}"}) == "{\"a\": 1}");
  BOOST_TEST(core::describe(std::vector{id}) == "[" + to_text(id) + "]");
  std::string long_text;
  for (int i = 0; i < 70; ++i) long_text += "ü";
  BOOST_TEST(core::describe(long_text) == "\"" + long_text.substr(0, 120) + "…\"");
  BOOST_TEST(core::describe(core::Number{std::string(131'072, '9')}).size() < 70U);
}

BOOST_AUTO_TEST_SUITE_END()
