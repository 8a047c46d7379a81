// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <functional>
#include <string>

#include "database.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {

// Runs `body` with a database connection until a stop is requested.  Whatever ends it (a lost
// connection, a refusal of the server, a fault of a service that nobody caught) is logged, and it
// begins again with a new connection after a pause that grows, jitters and is capped.  `meanwhile`
// is called during the pauses, at least every 100 ms.
void run_loop(Shared &shared, const std::string &name, const std::function<void(Database &)> &body,
              const std::function<void()> &meanwhile = {});

// Waits until the bell rings, a stop is requested, or `longest` is over.
void wait_for_bell(Shared &shared, Bell &bell, std::chrono::milliseconds longest);

}  // namespace crm_bridge::worker
