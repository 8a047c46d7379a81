// SPDX-License-Identifier: PostgreSQL
#pragma once

namespace crm_bridge::worker {

class Database;
struct Shared;

// Settles what writers left because a row was held (design: reconcile_request).  Returns how many
// requests are left.
int reconcile_all(Shared &shared, Database &database);
void run_reconcile(Shared &shared);

}  // namespace crm_bridge::worker
