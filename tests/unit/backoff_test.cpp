// SPDX-License-Identifier: PostgreSQL
#include "core/backoff.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <climits>
#include <vector>

#include "random.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using crm_bridge::test::Random;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t all_bits = ~std::uint64_t{0};

struct Longest {
  int attempt;
  std::chrono::milliseconds delay;
};
std::ostream &operator<<(std::ostream &out, const Longest &longest) {
  return out << "attempt " << longest.attempt;
}

const std::vector<Longest> longest_delays{
    {INT_MIN, 1s}, {-1, 1s},   {0, 1s},    {1, 1s},    {2, 2s},    {3, 4s},      {9, 256s},
    {10, 512s},    {11, 900s}, {12, 900s}, {63, 900s}, {64, 900s}, {1000, 900s}, {INT_MAX, 900s},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(backoff)

BOOST_DATA_TEST_CASE(the_range_doubles_up_to_the_cap_and_never_overflows,
                     data::make(longest_delays)) {
  BOOST_TEST(core::retry_delay(sample.attempt, all_bits).count() == sample.delay.count());
  BOOST_TEST(core::retry_delay(sample.attempt, 0).count() == 0);
}

BOOST_AUTO_TEST_CASE(jitter_is_uniform_over_the_whole_range) {
  Random random("jitter");
  std::vector<int> tenths(10);
  constexpr int draws = 20'000;
  for (int i = 0; i < draws; ++i) {
    const auto delay = core::retry_delay(1, random.bits(), 999ms).count();
    BOOST_REQUIRE(delay >= 0 && delay <= 999);
    ++tenths[static_cast<std::size_t>(delay / 100)];
  }
  for (const int count : tenths)
    BOOST_TEST(std::abs(count - draws / 10) < 300);  // seven standard deviations
}

BOOST_AUTO_TEST_CASE(retry_after_is_a_floor_below_the_jitter) {
  BOOST_TEST(core::retry_delay(1, 0, 1s, 15min, 30s).count() == 30'000);
  BOOST_TEST(core::retry_delay(1, all_bits, 1s, 15min, 30s).count() == 31'000);
  BOOST_TEST(core::retry_delay(99, all_bits, 1s, 15min, 1h).count() == 4'500'000);
}

BOOST_AUTO_TEST_CASE(extreme_arguments_give_a_delay) {
  constexpr auto most = std::chrono::milliseconds::max();
  BOOST_TEST(core::retry_delay(INT_MAX, all_bits, most, most, most).count() == most.count());
  BOOST_TEST(core::retry_delay(64, all_bits, 1ms, most).count() == most.count());
  BOOST_TEST(core::retry_delay(5, all_bits, 0ms).count() == 0);
  BOOST_TEST(core::retry_delay(5, all_bits, -1s, 15min, -1s).count() == 0);
  BOOST_TEST(core::retry_delay(5, all_bits, 1s, -1s).count() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
