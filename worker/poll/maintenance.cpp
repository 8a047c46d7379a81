// SPDX-License-Identifier: PostgreSQL
#include "poll/maintenance.hpp"

#include "database.hpp"
#include "log.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::chrono::minutes pause{10};

}  // namespace

void run_maintenance(Shared &shared) {
  while (!shared.stop.requested()) {
    try {
      Database database(shared.configuration.conninfo, "maintenance");
      const std::string done = database.maintain_if_due();
      if (!done.empty()) log_event(Severity::information, "maintained", {{"done", done}});
    } catch (const std::exception &fault) {
      log_event(Severity::warning, "not_maintained", {{"reason", fault.what()}});
    }
    shared.stop.wait(pause);
  }
}

}  // namespace crm_bridge::worker
