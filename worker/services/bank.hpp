// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "configuration.hpp"
#include "http/budget.hpp"

namespace crm_bridge::worker {

class Database;

// The budgets of one organization at one service, as all workers share them in the database.
class DatabaseBank : public Bank {
 public:
  // `database` gives the asking thread's connection, or throws ConnectionLost.
  DatabaseBank(std::function<Database &()> database, const ServiceSettings &settings,
               std::string lease, std::int64_t org_id);

  Share take(const Ask &ask) override;
  void rest(const std::string &meter, std::chrono::milliseconds wait,
            const std::string &reason) override;
  std::optional<int> places(const std::string &meter, int wanted) override;

 private:
  std::function<Database &()> database_;
  const ServiceSettings &settings_;
  std::string lease_;
  std::int64_t org_id_;
};

}  // namespace crm_bridge::worker
