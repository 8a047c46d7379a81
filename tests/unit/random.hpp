// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace crm_bridge::test {

// CRM_BRIDGE_TEST_SEED, or a random one; printed when the tests start.
std::uint64_t seed();

// Random values, hostile ones among them.  Each test names its own stream, so that running one test
// alone repeats what it did among all.
class Random {
 public:
  explicit Random(std::string_view stream);

  std::uint64_t bits() { return engine_(); }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  template <typename T>
  const T &pick(const std::vector<T> &choices) {
    return choices[static_cast<std::size_t>(
        between(0, static_cast<std::int64_t>(choices.size()) - 1))];
  }

  core::Uuid uuid();
  std::string text();
  std::string html();
  core::Number number();
  core::Date date();  // years 1890 to 2120, so that a zone's table and what lies outside are met
  core::Instant instant();  // likewise

 private:
  std::mt19937_64 engine_;
};

}  // namespace crm_bridge::test
