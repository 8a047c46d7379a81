// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "poll/intake.hpp"

namespace crm_bridge::worker {

// Turns webhooks into reads: what a notice names is fetched from the service and received.
class Notices {
 public:
  Notices(Shared &shared, ServiceContext &context);

  void run();
  // Until no notice is left; true if there were any.
  bool drain(Database &database);

 private:
  void loop(Database &database);
  // True if any was taken.
  bool work(Database &database);
  void read_again(Database &database, Session &session, const std::string &module,
                  std::vector<Notice> notices);

  Intake intake_;
};

}  // namespace crm_bridge::worker
