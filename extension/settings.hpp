// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/postgres.hpp"

// Every setting of the extension; what it means is said where it is registered.
namespace crm_bridge::settings {

extern int clock_offset;           // crm_bridge.clock_offset, seconds
extern bool notify;                // crm_bridge.notify
extern int notify_interval;        // crm_bridge.notify_interval, milliseconds
extern bool notify_changed;        // crm_bridge.notify_changed
extern std::int64_t organization;  // crm_bridge.organization; 0 = not narrowed
extern int propagate_limit;        // crm_bridge.propagate_limit, rows of a statement
extern int write_origin;           // crm_bridge.write_origin, a core of Origin

void register_all();

}  // namespace crm_bridge::settings
