// SPDX-License-Identifier: PostgreSQL
#include "core/rules.hpp"

#include <boost/test/unit_test.hpp>

namespace crm_bridge::core {
namespace {

Date day(std::string_view text) { return parse_date(text).value(); }
std::vector<BrokenRule> judge(TaskPlace place, TaskChange change) {
  return broken_rules(place, change);
}

const TaskPlace strict{true, day("2026-03-01"), day("2026-03-31"), false};

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(R80_a_due_date_beyond_the_schedule_of_a_strict_project_is_refused) {
  auto const late = judge(strict, {.new_due_day = day("2026-04-01")});
  BOOST_TEST_REQUIRE(late.size() == 1U);
  BOOST_TEST((late[0] == BrokenRule{TaskRule::strict_schedule, day("2026-03-31")}));
  auto const early = judge(strict, {.new_due_day = day("2026-02-28")});
  BOOST_TEST_REQUIRE(early.size() == 1U);
  BOOST_TEST((early[0] == BrokenRule{TaskRule::strict_schedule, day("2026-03-01")}));
}

BOOST_AUTO_TEST_CASE(R80_both_ends_of_the_schedule_belong_to_it) {
  for (const char *const within : {"2026-03-01", "2026-03-15", "2026-03-31"})
    BOOST_TEST(judge(strict, {.new_due_day = day(within)}).empty());
}

BOOST_AUTO_TEST_CASE(R80_a_date_that_stays_or_is_emptied_breaks_nothing) {
  BOOST_TEST(judge(strict, {}).empty());
}

BOOST_AUTO_TEST_CASE(R80_a_schedule_that_is_open_at_one_end_is_open_there) {
  BOOST_TEST(
      judge({true, std::nullopt, day("2026-03-31")}, {.new_due_day = day("1999-01-01")}).empty());
  BOOST_TEST(
      judge({true, day("2026-03-01"), std::nullopt}, {.new_due_day = day("2999-01-01")}).empty());
  BOOST_TEST(judge({true, std::nullopt, std::nullopt}, {.new_due_day = day("2999-01-01")}).empty());
}

BOOST_AUTO_TEST_CASE(R82_a_project_that_is_not_strict_takes_any_date) {
  TaskPlace loose = strict;
  loose.project_is_strict = false;
  BOOST_TEST(judge(loose, {.new_due_day = day("2026-04-01")}).empty());
}

BOOST_AUTO_TEST_CASE(R83_R85_a_task_is_reopened_only_while_its_parent_is_open) {
  auto const refused = judge({.parent_is_closed = true}, {.reopens = true});
  BOOST_TEST_REQUIRE(refused.size() == 1U);
  BOOST_TEST((refused[0] == BrokenRule{TaskRule::parent_closed, std::nullopt}));
  BOOST_TEST(judge({.parent_is_closed = false}, {.reopens = true}).empty());
  BOOST_TEST(judge({.parent_is_closed = true}, {.reopens = false}).empty());
}

BOOST_AUTO_TEST_CASE(R80_R83_a_change_may_break_both_rules) {
  TaskPlace both = strict;
  both.parent_is_closed = true;
  BOOST_TEST(judge(both, {.new_due_day = day("2026-04-01"), .reopens = true}).size() == 2U);
}

BOOST_AUTO_TEST_CASE(D3_modes_are_known_by_name) {
  BOOST_TEST((parse_rule_mode("reject") == RuleMode::reject));
  BOOST_TEST((parse_rule_mode("warn") == RuleMode::warn));
  BOOST_TEST((parse_rule_mode("send") == RuleMode::send));
  BOOST_TEST(!parse_rule_mode("Reject").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crm_bridge::core
