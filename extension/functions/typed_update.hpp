// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/mirror.hpp"

namespace crm_bridge {

// Writes those patches that are made of columns only, each with a value of its column's own type,
// by an UPDATE that names just these columns, which costs a fraction of jsonb_populate_record over
// the whole row.  Returns the others.  Needs AsOwner and an SpiSession.
std::vector<const Patch *> update_by_columns(const Module &module, std::int64_t org_id,
                                             const std::vector<Patch> &patches);

}  // namespace crm_bridge
