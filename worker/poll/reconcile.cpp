// SPDX-License-Identifier: PostgreSQL
#include "poll/reconcile.hpp"

#include "database.hpp"
#include "loop.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

constexpr int requests_a_call = 100;
constexpr std::chrono::milliseconds pause_when_busy{100};

}  // namespace

int reconcile_all(Shared &shared, Database &database) {
  int left = 0;
  for (const std::int64_t org_id : database.reconcile_backlog()) {
    int before = -1;
    int now = database.reconcile(requests_a_call, org_id);
    // As long as it gets fewer; the rest is held by somebody at the moment.
    while (now > 0 && now != before && !shared.stop.requested()) {
      before = now;
      now = database.reconcile(requests_a_call, org_id);
    }
    left += now;
  }
  return left;
}

void run_reconcile(Shared &shared) {
  run_loop(shared, "reconcile", [&](Database &database) {
    Bell &bell = shared.bells.of("reconcile");
    while (!shared.stop.requested()) {
      const int left = reconcile_all(shared, database);
      wait_for_bell(shared, bell,
                    left > 0 ? pause_when_busy : shared.configuration.worker.idle_interval);
    }
  });
}

}  // namespace crm_bridge::worker
