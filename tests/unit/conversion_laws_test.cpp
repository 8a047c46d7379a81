// SPDX-License-Identifier: PostgreSQL
// The laws that make a conversion a pair of lenses (design: merge), over random values of every
// conversion.
#include <algorithm>
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

// R61-R67: left, right, left, right, with edits in between: nothing drifts, nothing is worn away.
BOOST_DATA_TEST_CASE(a_long_walk_changes_only_what_is_edited, data::make(conversion_cases())) {
  Random random("walk " + sample.name);
  for (int walk = 0; walk < 500; ++walk) {
    Value left = sample.left(random);
    Value right = sample.right(random);
    for (int step = 0; step < 6; ++step) {
      const bool from_left = random.chance(50);
      const auto &here = from_left ? sample.conversion.left : sample.conversion.right;
      const auto &there = from_left ? sample.conversion.right : sample.conversion.left;
      Value &edited = from_left ? left : right;
      Value &other = from_left ? right : left;
      edited = from_left ? sample.left(random) : sample.right(random);
      const auto arrived = attempt([&] { return there->put(here->get(edited), other); });
      // What the other side cannot hold stays apart: there is nothing to walk with.
      if (!arrived) continue;
      other = *arrived;
      const Value kept = edited;
      for (int idle = 0; idle < 4; ++idle) {
        BOOST_REQUIRE_EQUAL(here->put(there->get(other), edited), kept);
        edited = here->put(there->get(other), edited);
        BOOST_REQUIRE_EQUAL(there->put(here->get(edited), other), *arrived);
        other = there->put(here->get(edited), other);
      }
    }
  }
}

// A conversion that somebody adds is under these laws, or this fails.
BOOST_AUTO_TEST_CASE(every_conversion_that_there_is_has_a_case) {
  BOOST_TEST(!core::known_conversions().empty());
  for (const std::string &name : core::known_conversions()) {
    const bool covered =
        std::any_of(conversion_cases().begin(), conversion_cases().end(),
                    [&](const ConversionCase &each) { return each.conversion.name == name; });
    BOOST_TEST(covered, name);
  }
  core::ConversionRequest request;
  request.name = "no such conversion";
  BOOST_CHECK_THROW((void)core::make_conversion(request, nullptr), core::Error);
}

// What organizations start with is what was walked through above.
BOOST_AUTO_TEST_CASE(the_shipped_mappings_of_a_task_are_as_they_are_said_to_be) {
  using crm_bridge::test::shipped_parameters;
  BOOST_TEST(shipped_parameters("task_task", "priority", "priority").size() == 15U);
  BOOST_TEST(shipped_parameters("task_task", "status", "is_completed").at("true") == "Completed");
  BOOST_CHECK_THROW((void)shipped_parameters("task_task", "nothing", "nothing"),
                    std::runtime_error);
  const auto find = [](const std::string &name) {
    for (const ConversionCase &each : conversion_cases())
      if (each.name == name) return each.conversion;
    throw std::runtime_error(name);
  };
  const core::Conversion priority = find("picklist task priority");
  const auto there_and_back = [&](const char *crm, const char *projects) {
    const Value right = priority.right->put(priority.left->get(std::string{crm}), {});
    BOOST_TEST(right == Value{std::string{projects}}, crm);
    BOOST_TEST(priority.left->put(priority.right->get(right), std::string{crm}) ==
               Value{std::string{crm}});
  };
  there_and_back("Highest", "high");
  there_and_back("High", "high");
  there_and_back("Normal", "medium");
  there_and_back("Low", "low");
  there_and_back("Lowest", "low");
  // Chosen in Projects: the CRM's usual word for it, unless what it has says the same already.
  BOOST_TEST(priority.left->put(priority.right->get(std::string{"high"}), std::string{"Low"}) ==
             Value{std::string{"High"}});
  const core::Conversion status = find("flag task status");
  BOOST_TEST(status.left->put(Value{false}, std::string{"Deferred"}) ==
             Value{std::string{"Deferred"}});
  BOOST_TEST(status.left->put(Value{false}, std::string{"Completed"}) ==
             Value{std::string{"Not Started"}});
}

BOOST_DATA_TEST_CASE(empty_is_empty_on_both_sides, data::make(conversion_cases())) {
  // Their maps say what empty means.
  if (sample.name == "picklist one mapped, empty means something" ||
      sample.name == "picklist task priority")
    return;
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
