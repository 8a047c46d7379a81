// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"
#include "pg/trigger_call.hpp"

namespace crm_bridge {

// What a record's own service is bound to refuse of an app's write, as far as the catalog of fields
// knows (B5): texts that are too long, and choices that a custom picklist does not have.  Raises,
// warns or lets pass by setting rule_mode (D3).  `old` is nullptr for a new row; what it has
// already is not looked at again.
void demand_limits(const std::shared_ptr<const Module> &module, std::int64_t org_id,
                   const TupleTableSlot &row, const TupleTableSlot *old);

}  // namespace crm_bridge
