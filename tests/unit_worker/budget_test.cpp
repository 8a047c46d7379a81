// SPDX-License-Identifier: PostgreSQL
#include "http/budget.hpp"

#include <boost/test/unit_test.hpp>

#include "scripted_bank.hpp"
#include "services/session.hpp"

using namespace crm_bridge::worker;
using namespace std::chrono_literals;
using crm_bridge::worker::test::ScriptedBank;

namespace {

const auto start = Budget::Clock::time_point{} + 1h;

ApiCall crm_write(std::size_t records) {
  ApiCall call{"POST", "/crm/v8/Deals"};
  call.body = {{"data", Json::array()}};
  for (std::size_t i = 0; i < records; ++i) call.body["data"].push_back(Json::object());
  return call;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(budget)

BOOST_AUTO_TEST_CASE(a_share_is_used_up_without_asking_again_and_the_next_is_larger) {
  ScriptedBank bank(100000);
  Budget budget;
  for (int i = 0; i < 1000; ++i) BOOST_TEST(budget.take("m", 1, bank, start).wait.count() == 0);
  BOOST_TEST(bank.asks.size() < 12);
  for (const auto &ask : bank.asks) BOOST_TEST(ask.given_back == 0);
  BOOST_TEST(bank.asks.front().wanted == 1);
}

BOOST_AUTO_TEST_CASE(a_lapsed_share_is_never_used_and_goes_back) {
  ScriptedBank bank(1000);
  Budget budget;
  for (int i = 0; i < 4; ++i) BOOST_TEST(budget.take("m", 1, bank, start).wait.count() == 0);
  // 1, 2, 4 were asked for; three are left.
  BOOST_TEST(bank.used("m") == 7);
  BOOST_TEST(budget.take("m", 1, bank, start + 6s).wait.count() == 0);
  BOOST_TEST(bank.asks.back().given_back == 3);
  BOOST_TEST(bank.asks.back().given_back_until == "share 3");
  BOOST_TEST(bank.asks.back().wanted == 2);
  BOOST_TEST(bank.used("m") == 6);
  budget.tend(bank, start + 7s);
  BOOST_TEST(bank.used("m") == 6);  // not lapsed yet
  budget.tend(bank, start + 12s);
  BOOST_TEST(bank.used("m") == 5);  // as many as were sent
}

BOOST_AUTO_TEST_CASE(who_is_refused_waits_and_looks_again_now_and_then) {
  ScriptedBank bank(1);
  Budget budget;
  BOOST_TEST(budget.take("m", 1, bank, start).wait.count() == 0);
  const auto refused = budget.take("m", 1, bank, start);
  BOOST_TEST(refused.wait.count() == 120000);
  BOOST_TEST(refused.reason == "all used");
  BOOST_TEST(budget.take("m", 1, bank, start + 1s).wait.count() == 119000);
  BOOST_TEST(bank.asks.size() == 2);
  BOOST_TEST(budget.take("m", 1, bank, start + 2s).wait.count() == 120000);
  BOOST_TEST(bank.asks.size() == 3);
}

BOOST_AUTO_TEST_CASE(a_share_that_may_be_lost_is_given_back_once_at_most) {
  ScriptedBank bank(1000);
  Budget budget;
  for (int i = 0; i < 4; ++i) budget.take("m", 1, bank, start);
  bank.down = true;
  BOOST_CHECK_THROW(budget.take("m", 1, bank, start + 6s), std::runtime_error);
  BOOST_TEST(bank.asks.back().given_back == 3);
  bank.down = false;
  BOOST_TEST(budget.take("m", 1, bank, start + 7s).wait.count() == 0);
  BOOST_TEST(bank.asks.back().given_back == 0);
}

BOOST_AUTO_TEST_CASE(told_to_wait_nothing_goes_whatever_is_in_hand) {
  ScriptedBank bank(1000);
  Budget budget;
  for (int i = 0; i < 2; ++i) budget.take("m", 1, bank, start);
  budget.rest("m", 30s, "words", bank, start);
  BOOST_TEST(bank.reasons.size() == 1);
  BOOST_TEST(budget.take("m", 1, bank, start + 1s).wait.count() == 29000);
  BOOST_TEST(budget.take("other", 1, bank, start + 1s).wait.count() == 0);
  // The database is down: the rest holds here all the same.
  bank.down = true;
  BOOST_CHECK_THROW(budget.rest("other", 30s, "words", bank, start + 1s), std::runtime_error);
  BOOST_TEST(budget.take("other", 1, bank, start + 2s).wait.count() == 29000);
}

BOOST_AUTO_TEST_CASE(what_another_worker_was_told_counts_at_once) {
  ScriptedBank bank(1000);
  Budget budget;
  for (int i = 0; i < 4; ++i) budget.take("m", 1, bank, start);
  bank.rested["m"] = 22min;
  BOOST_TEST(budget.take("m", 1, bank, start).wait.count() == 0);  // from the share in hand
  budget.recall();
  BOOST_TEST(budget.take("m", 1, bank, start).wait == 22min);
  BOOST_TEST(bank.asks.back().given_back == 2);
}

BOOST_AUTO_TEST_CASE(what_the_service_says_is_left_reaches_the_bank_once) {
  ScriptedBank bank(1000);
  Budget budget;
  budget.told("m", 500);
  budget.told("m", 520);
  budget.take("m", 1, bank, start);
  BOOST_TEST(bank.asks.back().remaining.value_or(0) == 500);
  budget.take("m", 1, bank, start);
  BOOST_TEST(!bank.asks.back().remaining.has_value());
}

BOOST_AUTO_TEST_CASE(no_more_are_under_way_than_there_are_places) {
  ScriptedBank bank(1000, 3);
  Budget budget;
  int entered = 0;
  for (int i = 0; i < 10; ++i) entered += budget.enter({"*"}, bank, start + i * 1s) ? 1 : 0;
  BOOST_TEST(entered == 3);
  budget.leave({"*"});
  BOOST_TEST(budget.enter({"*"}, bank, start + 20s));
  // Others need some: the next answer is smaller, and what is under way is waited for.
  bank.change_places(1);
  budget.tend(bank, start + 21s);
  budget.leave({"*"});
  BOOST_TEST(!budget.enter({"*"}, bank, start + 22s));
  budget.leave({"*"});
  budget.leave({"*"});
  BOOST_TEST(budget.enter({"*"}, bank, start + 23s));
  budget.leave({"*"});
  budget.tend(bank, start + 24s);
  budget.tend(bank, start + 25s);
  BOOST_TEST(bank.wishes.back() == 0);  // idle: all goes back
}

BOOST_AUTO_TEST_CASE(places_are_taken_on_all_meters_or_none) {
  ScriptedBank bank(1000, 1);
  Budget budget;
  BOOST_TEST(budget.enter({"heavy"}, bank, start));
  BOOST_TEST(!budget.enter({"*", "heavy"}, bank, start + 1s));
  BOOST_TEST(budget.enter({"*"}, bank, start + 2s));
}

BOOST_AUTO_TEST_CASE(a_service_without_such_a_limit_is_asked_once_a_minute) {
  ScriptedBank bank(1000);
  Budget budget;
  for (int i = 0; i < 100; ++i) BOOST_TEST(budget.enter({"*"}, bank, start));
  BOOST_TEST(bank.wishes.size() == 1);
}

BOOST_AUTO_TEST_CASE(patterns_leave_ids_out) {
  BOOST_TEST(url_pattern("POST", "/api/v3/portal/687892/projects/2063927000000085005/tasks") ==
             "POST /api/v3/portal/{}/projects/{}/tasks");
  BOOST_TEST(url_pattern("GET", "/crm/v8/Deals?ids=1,2") == "GET /crm/v8/Deals");
  BOOST_TEST(url_pattern("GET", "/crm/v8/Deals/4876876000000111001") == "GET /crm/v8/Deals/{}");
}

BOOST_AUTO_TEST_CASE(calls_cost_what_their_service_counts) {
  BOOST_TEST(demand_of("zoho_crm", crm_write(1)).cost == 1);
  BOOST_TEST(demand_of("zoho_crm", crm_write(11)).cost == 2);
  BOOST_TEST(demand_of("zoho_crm", crm_write(100)).cost == 10);
  BOOST_TEST(demand_of("zoho_crm", crm_write(100)).meter == "*");
  BOOST_TEST(demand_of("zoho_crm", crm_write(10)).places.size() == 1);
  BOOST_TEST(demand_of("zoho_crm", crm_write(11)).places.size() == 2);
  BOOST_TEST(demand_of("zoho_crm", {"POST", "/crm/v8/coql"}).places.back() == "heavy");
  const Demand task = demand_of("zoho_projects", {"PATCH", "/api/v3/portal/1/projects/2/tasks/3"});
  BOOST_TEST(task.meter == "PATCH /api/v3/portal/{}/projects/{}/tasks/{}");
  BOOST_TEST(task.cost == 1);
}

BOOST_AUTO_TEST_SUITE_END()
