// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/postgres.hpp"

// Every setting of the extension; what it means is said where it is registered.
namespace crm_bridge::settings {

// crm_bridge.acting_user, which only act_as() writes: whom the transaction acts for.
struct ActingUser {
  std::int64_t org_id = 0;  // 0: nobody
  core::Uuid id;
};
extern ActingUser acting_user;
extern std::uint64_t identity_changes;  // grows when acting_user or organization is set
// For the rest of the transaction; what a subtransaction set ends with it when it is rolled back.
void act_as(const ActingUser &user);

extern int clock_offset;           // crm_bridge.clock_offset, seconds
extern bool notify;                // crm_bridge.notify
extern int notify_interval;        // crm_bridge.notify_interval, milliseconds
extern bool notify_changed;        // crm_bridge.notify_changed
extern std::int64_t organization;  // crm_bridge.organization; 0 = not narrowed
extern int propagate_limit;        // crm_bridge.propagate_limit, rows of a statement
extern int write_origin;           // crm_bridge.write_origin, a core of Origin

void register_all();

}  // namespace crm_bridge::settings
