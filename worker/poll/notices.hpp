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
  // What webhooks told and the service does not have any more may have been overwritten unread.
  void look_for_lost_updates(Database &database, const Session &session,
                             const std::vector<Notice> &notices, const Reading &reading);

  Intake intake_;
};

}  // namespace crm_bridge::worker
