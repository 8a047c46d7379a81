// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <cstdint>

namespace crm_bridge::core {

// Exponential backoff with full jitter: uniform in [0, min(cap, base × 2^(attempt-1))], never
// overflowing. `attempt` counts from 1; `random` is 64 uniform bits.  A service's own Retry-After
// is a floor: the jitter comes on top.
std::chrono::milliseconds retry_delay(
    int attempt, std::uint64_t random, std::chrono::milliseconds base = std::chrono::seconds{1},
    std::chrono::milliseconds cap = std::chrono::minutes{15},
    std::chrono::milliseconds retry_after = std::chrono::milliseconds{0});

}  // namespace crm_bridge::core
