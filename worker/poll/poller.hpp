// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <string>
#include <vector>

#include "poll/channels.hpp"
#include "poll/intake.hpp"

namespace crm_bridge::worker {

// The safety net that makes lost webhooks harmless: delta reads of every polled module, the first
// complete reading, what the database asks the worker to do, and what notification channels need.
class Poller {
 public:
  Poller(Shared &shared, ServiceContext &context);

  void run();
  // Commands, then one delta read of everything.  False if a service or its credential did not
  // answer.
  bool poll_once(Database &database);

 private:
  using Clock = std::chrono::steady_clock;
  void loop(Database &database);
  bool poll_organization(Database &database, Session &session);

  Intake intake_;
  Channels channels_;
  std::map<std::int64_t, Clock::time_point> next_poll_;
  std::map<std::int64_t, int> failed_polls_;  // in a row
};

// Reads one module to the end, from its cursor, and moves the cursor page by page.  A module that
// was never read is an initial sync.  Throws ServiceFailure.
std::int64_t poll_module(Intake &intake, Database &database, Session &session,
                         const std::string &module);

// The same from the beginning, because a command asks for it; what a worker that died over the same
// command had read is not read again.
std::int64_t read_whole_module(Intake &intake, Database &database, Session &session,
                               const std::string &module, const std::string &command);

// What the database asks for; returns how many commands were done.
int obey_commands(Intake &intake, Database &database, Session &session);

}  // namespace crm_bridge::worker
