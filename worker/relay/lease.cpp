// SPDX-License-Identifier: PostgreSQL
#include "relay/lease.hpp"

#include "database.hpp"
#include "loop.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {

Lease::Lease(std::chrono::milliseconds lasts) : id_(random_uuid()), lasts_(lasts) {}

void beat(Shared &shared, Database &database) {
  const auto asked_at = Lease::Clock::now();
  database.heartbeat(shared.lease.id(), shared.configuration.worker.name, shared.lease.lasts());
  shared.lease.renewed(asked_at);
  shared.metrics.database_seen(true);
}

void run_heartbeat(Shared &shared) {
  run_loop(shared, "heartbeat", [&](Database &database) {
    while (!shared.stop.requested()) {
      beat(shared, database);
      shared.stop.wait(shared.lease.lasts() / 3);
    }
  });
}

}  // namespace crm_bridge::worker
