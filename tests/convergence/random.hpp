// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <vector>

namespace crm_bridge::convergence {

// SplitMix64.  Each history draws from a stream of its own, so that it goes the same way alone as
// it does among a thousand others, on every machine and with every library.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream)
      : state_(mix(seed ^ mix(stream + 0x9E3779B97F4A7C15U))) {}

  // A number from 0 up to, but not including, `end`.
  int below(int end) {
    state_ += 0x9E3779B97F4A7C15U;
    return static_cast<int>(mix(state_) % static_cast<std::uint64_t>(end));
  }
  bool chance(int percent) { return below(100) < percent; }
  template <typename T>
  const T &pick(const std::vector<T> &choices) {
    return choices[static_cast<std::size_t>(below(static_cast<int>(choices.size())))];
  }

 private:
  static std::uint64_t mix(std::uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
    return bits ^ (bits >> 31);
  }

  std::uint64_t state_;
};

}  // namespace crm_bridge::convergence
