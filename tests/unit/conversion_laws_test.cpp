// SPDX-License-Identifier: PostgreSQL
// The laws that make a conversion a pair of lenses (design: merge), over random values of every
// conversion.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "conversion_cases.hpp"
#include "printing.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using core::Value;
using crm_bridge::test::conversion_cases;
using crm_bridge::test::ConversionCase;
using crm_bridge::test::Random;

namespace {

constexpr int rounds = 10'000;

// The value, or nothing if it is Unmappable; every other exception is a failure of the test.
template <typename Function>
std::optional<Value> attempt(Function &&function) {
  try {
    return function();
  } catch (const core::Unmappable &why) {
    BOOST_REQUIRE(!why.reason.empty());
    BOOST_REQUIRE(!why.detail.empty());
    return std::nullopt;
  }
}

// Sends `value` from `here` to `there`, where `other` stands, and back; returns whether it could be
// carried over.
bool check_journey(const core::Lens &here, const core::Lens &there, const Value &value,
                   const Value &other) {
  const auto canonical = attempt([&] { return here.get(value); });
  if (!canonical) return false;
  BOOST_REQUIRE_EQUAL(*canonical, here.get(value));
  BOOST_REQUIRE_EQUAL(here.put(*canonical, value), value);

  const auto arrived = attempt([&] { return there.put(*canonical, other); });
  if (!arrived) return false;
  BOOST_REQUIRE_EQUAL(there.get(*arrived), *canonical);
  BOOST_REQUIRE_EQUAL(there.put(*canonical, *arrived), *arrived);
  BOOST_REQUIRE_EQUAL(here.put(there.get(*arrived), value), value);
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conversion_laws)

BOOST_DATA_TEST_CASE(what_was_put_is_what_is_got_and_a_round_trip_wears_nothing_away,
                     data::make(conversion_cases())) {
  Random random("laws " + sample.name);
  int carried_right = 0;
  int carried_left = 0;
  for (int i = 0; i < rounds; ++i) {
    const Value left = sample.left(random);
    const Value right = sample.right(random);
    BOOST_TEST_INFO("left " << core::describe(left) << ", right " << core::describe(right));
    carried_right +=
        check_journey(*sample.conversion.left, *sample.conversion.right, left, right) ? 1 : 0;
    carried_left +=
        check_journey(*sample.conversion.right, *sample.conversion.left, right, left) ? 1 : 0;
  }
  // The laws must not hold because nothing could be carried over.
  BOOST_TEST(carried_right > rounds / 3);
  BOOST_TEST(carried_left > rounds / 3);
}

BOOST_DATA_TEST_CASE(empty_is_empty_on_both_sides, data::make(conversion_cases())) {
  if (sample.name == "picklist one mapped, empty means something") return;
  for (const auto &lens : {sample.conversion.left, sample.conversion.right}) {
    BOOST_TEST(lens->get({}) == Value{});
    BOOST_TEST(lens->put({}, {}) == Value{});
    Random random("empty " + sample.name);
    for (int i = 0; i < 100; ++i) {
      const Value old = lens == sample.conversion.left ? sample.left(random) : sample.right(random);
      BOOST_TEST_REQUIRE(lens->get(lens->put({}, old)) == Value{});
    }
  }
}

BOOST_DATA_TEST_CASE(a_value_of_any_type_is_answered_or_unmappable,
                     data::make(conversion_cases())) {
  Random random("any type " + sample.name);
  for (int i = 0; i < 2'000; ++i) {
    const Value any = random.pick(conversion_cases()).left(random);
    const Value old = random.pick(conversion_cases()).right(random);
    for (const auto &lens : {sample.conversion.left, sample.conversion.right}) {
      attempt([&] { return lens->get(any); });
      attempt([&] { return lens->put(any, old); });
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
