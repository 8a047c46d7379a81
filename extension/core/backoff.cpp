// SPDX-License-Identifier: PostgreSQL
#include "core/backoff.hpp"

#include <algorithm>
#include <limits>

namespace crm_bridge::core {

std::chrono::milliseconds retry_delay(int attempt, std::uint64_t random,
                                      std::chrono::milliseconds base, std::chrono::milliseconds cap,
                                      std::chrono::milliseconds retry_after) {
  const std::int64_t limit = std::max<std::int64_t>(cap.count(), 0);
  std::int64_t longest = std::clamp<std::int64_t>(base.count(), 0, limit);
  for (int step = 1; step < attempt && longest > 0 && longest < limit; ++step) {
    longest = longest > limit / 2 ? limit : longest * 2;
  }
  // The high half of a 128-bit product is uniform in [0, longest], without a modulo's bias.
  __extension__ using Wide = unsigned __int128;
  const auto jitter = static_cast<std::int64_t>(
      (static_cast<Wide>(random) * (static_cast<Wide>(longest) + 1)) >> 64);
  const std::int64_t floor = std::max<std::int64_t>(retry_after.count(), 0);
  return std::chrono::milliseconds{
      std::min(floor, std::numeric_limits<std::int64_t>::max() - jitter) + jitter};
}

}  // namespace crm_bridge::core
