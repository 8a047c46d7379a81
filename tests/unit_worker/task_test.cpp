// SPDX-License-Identifier: PostgreSQL
#include "http/task.hpp"

#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/client.hpp"

using namespace crm_bridge::worker;

namespace {

Task<int> number(int value) { co_return value; }
Task<int> sum(int left, int right) {
  const int one = co_await number(left);
  const int other = co_await number(right);
  co_return one + other;
}
Task<int> failing() {
  throw std::runtime_error("no");
  co_return 0;
}
Task<std::string> caught() {
  std::string text;
  try {
    co_await failing();
  } catch (const std::runtime_error &fault) {
    text = fault.what();
  }
  co_return text;
}
Task<int> deep(int levels) {
  if (levels == 0) co_return 0;
  const int below = co_await deep(levels - 1);
  co_return below + 1;
}
Task<void> pass(HttpClient &client, Gate &gate, int who, std::vector<int> &log) {
  const Gate::Pass through = co_await gate.enter();
  log.push_back(who);
  co_await client.sleep(std::chrono::milliseconds{1});
  log.push_back(who);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task)

BOOST_AUTO_TEST_CASE(results_and_exceptions_travel) {
  HttpClient client{AllowedOrigins{}};
  BOOST_TEST(client.run(sum(2, 3)) == 5);
  BOOST_TEST(client.run(caught()) == "no");
  BOOST_CHECK_THROW(client.run(failing()), std::runtime_error);
  BOOST_TEST(client.run(deep(10000)) == 10000);
}

BOOST_AUTO_TEST_CASE(a_gate_lets_one_pass_at_a_time_in_order) {
  HttpClient client{AllowedOrigins{}};
  Gate gate;
  std::vector<int> log;
  std::vector<Task<void>> tasks;
  for (int who = 0; who < 5; ++who) tasks.push_back(pass(client, gate, who, log));
  for (auto &one : tasks) one.start();
  while (!tasks.back().done()) client.turn(std::chrono::milliseconds{10});
  const std::vector<int> expected{0, 0, 1, 1, 2, 2, 3, 3, 4, 4};
  BOOST_TEST(log == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
