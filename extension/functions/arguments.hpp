// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

namespace crm_bridge {

// Throws core::Error 22004 naming the first of these arguments that is NULL.
void demand_arguments(FunctionCallInfo fcinfo,
                      std::initializer_list<std::pair<int, const char *>> required);

// The organization that a call is about: the argument, or the session's own.  Throws core::Error
// 55000 if neither is settled. Whether the caller may work for a named one is the privilege of the
// function: those that take it are the worker's.
std::int64_t organization_argument(FunctionCallInfo fcinfo, int position);

// What current_org() gives; nullopt where it is not settled.
std::optional<std::int64_t> session_organization();

}  // namespace crm_bridge
