// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <functional>

#include "functions/incoming.hpp"

namespace crm_bridge {

// The breaker (B7): settles as held what would delete or, in a run, overwrite more records than may
// be without asking.  is_here: whether the record is in the mirror.
void hold_excess(const Module &module, std::int64_t org_id, const std::optional<core::Uuid> &run,
                 std::vector<Incoming> &records,
                 const std::function<bool(const core::Uuid &)> &is_here);

}  // namespace crm_bridge
