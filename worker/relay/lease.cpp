// SPDX-License-Identifier: PostgreSQL
#include "relay/lease.hpp"

#include "database.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "services/bank.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {

Lease::Lease(std::chrono::milliseconds lasts) : id_(random_uuid()), lasts_(lasts) {}

namespace {

// A fault here must not cost the lease.
void tend_budgets(Shared &shared, Database &database) {
  try {
    for (const auto &[kind, context] : shared.services) {
      const ServiceSettings &settings = context->settings();
      context->tend([&](std::int64_t org_id) -> std::unique_ptr<Bank> {
        return std::make_unique<DatabaseBank>([&]() -> Database & { return database; }, settings,
                                              shared.lease.id(), org_id);
      });
    }
  } catch (const SqlError &fault) {
    log_event(Severity::warning, "budgets_not_tended", {{"reason", fault.what()}});
  }
}

}  // namespace

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
      tend_budgets(shared, database);
      shared.stop.wait(shared.lease.lasts() / 3);
    }
  });
}

}  // namespace crm_bridge::worker
