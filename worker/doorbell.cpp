// SPDX-License-Identifier: PostgreSQL
#include "doorbell.hpp"

#include "database.hpp"
#include "loop.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::chrono::milliseconds longest_wait{1000};

// A service told some worker to wait: what this one holds of its budget must be asked for anew.
void recall_budgets(Shared &shared) {
  for (const auto &[kind, context] : shared.services) context->recall();
}

}  // namespace

void run_doorbell(Shared &shared) {
  run_loop(shared, "doorbell", [&](Database &database) {
    database.listen();
    // What rang while nobody listened was not heard.
    shared.bells.ring_all();
    recall_budgets(shared);
    while (!shared.stop.requested()) {
      for (const std::string &topic : database.rung()) {
        if (topic == "budget") recall_budgets(shared);
        shared.bells.ring(topic);
      }
      wait_for_any({database.descriptor(), shared.stop.descriptor()}, longest_wait);
    }
  });
}

}  // namespace crm_bridge::worker
