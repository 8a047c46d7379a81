// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/service.hpp"
#include "services/sessions.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {

class Database;

// One thread's way of reading from one service into the database.
class Intake {
 public:
  Intake(Shared &shared, ServiceContext &context);

  Shared &shared() { return shared_; }
  ServiceContext &context() { return context_; }
  Service &service() { return *service_; }
  Sessions &sessions() { return sessions_; }

  // Runs a connector's coroutine on this thread; throws HttpClient::Stopped when a stop is
  // requested meanwhile.
  template <typename T>
  T wait_for(Task<T> task) {
    return client_.run(std::move(task), [this] { return shared_.stop.requested(); });
  }

  // Gives records to receive(), in portions; reads again what was busy or stale, and after a few
  // rounds leaves a notice so that it is read later.  Returns how many were given.
  std::size_t take(Database &database, Session &session, const std::vector<ModuleRecords> &records,
                   const std::string &read_started_at, const std::string &run = {});
  // Has noted what complete lists did not show.
  void compare(Database &database, const Session &session, const std::vector<Listing> &listings,
               const std::string &read_started_at);

 private:
  std::vector<Notice> give(Database &database, Session &session, const ModuleRecords &records,
                           const std::string &read_started_at, const std::string &run);

  Shared &shared_;
  ServiceContext &context_;
  std::unique_ptr<Service> service_;
  HttpClient client_;
  Sessions sessions_;
};

}  // namespace crm_bridge::worker
