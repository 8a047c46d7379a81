// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"
#include "pg/trigger_call.hpp"

namespace crm_bridge {

// What the trigger does after an UPDATE, for rows that were written without one.
void capture_update(std::shared_ptr<const Module> module, Tuplestorestate *old_rows,
                    Tuplestorestate *new_rows, TupleDesc descriptor);

}  // namespace crm_bridge
