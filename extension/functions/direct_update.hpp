// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/mirror.hpp"

namespace crm_bridge {

// Writes the named columns of rows that this transaction holds, as an UPDATE of the bridge's own
// would: stamped, checked and captured, but without executor and triggers, which cost twice what
// the rows do.  Only for a few rows, and where nobody else has anything on the mirror that an
// UPDATE would heed. Returns the patches that it did not write.  Needs AsOwner and an SpiSession.
std::vector<const Patch *> update_directly(const Module &module, std::int64_t org_id,
                                           const std::vector<const Column *> &columns,
                                           std::vector<const Patch *> patches);

}  // namespace crm_bridge
