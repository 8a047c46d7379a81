// SPDX-License-Identifier: PostgreSQL
#include "http/budget.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::worker;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(budget)

BOOST_AUTO_TEST_CASE(a_window_slides) {
  Budget budget(2, 120s);
  const auto start = Budget::Clock::time_point{} + 1h;
  BOOST_TEST(budget.take("GET /a", start).count() == 0);
  BOOST_TEST(budget.take("GET /a", start + 60s).count() == 0);
  BOOST_TEST(budget.take("GET /a", start + 61s).count() == 59000);
  BOOST_TEST(budget.take("GET /b", start + 61s).count() == 0);  // patterns do not share
  BOOST_TEST(budget.take("GET /a", start + 120s).count() == 0);
  BOOST_TEST(budget.take("GET /a", start + 120s).count() == 60000);
}

BOOST_AUTO_TEST_CASE(never_more_than_the_limit_in_any_window) {
  Budget budget(5, 10s);
  const auto start = Budget::Clock::time_point{} + 1h;
  std::vector<Budget::Clock::time_point> taken;
  for (int tick = 0; tick < 2000; ++tick) {
    const auto now = start + tick * 37ms;
    if (budget.take("p", now).count() == 0) taken.push_back(now);
  }
  BOOST_REQUIRE(taken.size() > 20);
  for (std::size_t i = 5; i < taken.size(); ++i) BOOST_TEST(((taken[i] - taken[i - 5]) >= 10s));
}

BOOST_AUTO_TEST_CASE(a_refusal_makes_the_pattern_rest_and_a_general_one_everything) {
  Budget budget(0, 1s);
  const auto start = Budget::Clock::time_point{} + 1h;
  budget.rest("GET /a", 30s, start);
  BOOST_TEST(budget.take("GET /a", start + 1s).count() == 29000);
  BOOST_TEST(budget.take("GET /b", start + 1s).count() == 0);
  BOOST_TEST(budget.take("GET /a", start + 30s).count() == 0);
  budget.rest("", 5s, start + 40s);
  BOOST_TEST(budget.take("GET /b", start + 41s).count() == 4000);
  budget.rest("", 1s, start + 41s);  // a shorter one does not end a longer one
  BOOST_TEST(budget.take("GET /b", start + 43s).count() == 2000);
}

BOOST_AUTO_TEST_CASE(patterns_leave_ids_out) {
  BOOST_TEST(url_pattern("POST", "/api/v3/portal/687892/projects/2063927000000085005/tasks") ==
             "POST /api/v3/portal/{}/projects/{}/tasks");
  BOOST_TEST(url_pattern("GET", "/crm/v8/Deals?ids=1,2") == "GET /crm/v8/Deals");
  BOOST_TEST(url_pattern("GET", "/crm/v8/Deals/4876876000000111001") == "GET /crm/v8/Deals/{}");
}

BOOST_AUTO_TEST_SUITE_END()
