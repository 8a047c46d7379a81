// SPDX-License-Identifier: PostgreSQL
#pragma once

namespace crm_bridge::worker {

struct Shared;

// Has the database keep house about once a day (partitions and retention of history, what is over).
// All workers ask, one of them does it.  A connection for each question: between them it would only
// take up room.
void run_maintenance(Shared &shared);

}  // namespace crm_bridge::worker
