// SPDX-License-Identifier: PostgreSQL
#include "doorbell.hpp"

#include "database.hpp"
#include "loop.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::chrono::milliseconds longest_wait{1000};

}  // namespace

void run_doorbell(Shared &shared) {
  run_loop(shared, "doorbell", [&](Database &database) {
    database.listen();
    // What rang while nobody listened was not heard.
    shared.bells.ring_all();
    while (!shared.stop.requested()) {
      for (const std::string &topic : database.rung()) shared.bells.ring(topic);
      wait_for_any({database.descriptor(), shared.stop.descriptor()}, longest_wait);
    }
  });
}

}  // namespace crm_bridge::worker
