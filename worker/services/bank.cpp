// SPDX-License-Identifier: PostgreSQL
#include "services/bank.hpp"

#include "database.hpp"

namespace crm_bridge::worker {

DatabaseBank::DatabaseBank(std::function<Database &()> database, const ServiceSettings &settings,
                           std::string lease, std::int64_t org_id)
    : database_(std::move(database)),
      settings_(settings),
      lease_(std::move(lease)),
      org_id_(org_id) {}

Bank::Share DatabaseBank::take(const Ask &ask) {
  return database_().take_budget(settings_.kind, ask, settings_.requests_per_window,
                                 settings_.window, org_id_);
}

void DatabaseBank::rest(const std::string &meter, std::chrono::milliseconds wait,
                        const std::string &reason) {
  database_().rest_budget(settings_.kind, meter, wait, reason, org_id_);
}

std::optional<int> DatabaseBank::places(const std::string &meter, int wanted) {
  return database_().take_places(settings_.kind, meter, wanted, lease_, org_id_);
}

}  // namespace crm_bridge::worker
