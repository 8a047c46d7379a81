// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "services/session.hpp"

namespace crm_bridge::worker {

class Database;
struct Shared;

// The sessions of one thread with one service: loads organizations, fields and credentials over the
// thread's own connection and looks again after a while.
class Sessions {
 public:
  Sessions(Shared &shared, ServiceContext &context, HttpClient &client,
           std::chrono::milliseconds patience);

  // Uses this connection until the returned object goes; after that, what needs the database throws
  // ConnectionLost.
  class [[nodiscard]] Use {
   public:
    explicit Use(Sessions &sessions) : sessions_(sessions) {}
    ~Use() { sessions_.database_ = nullptr; }
    Use(const Use &) = delete;
    Use &operator=(const Use &) = delete;

   private:
    Sessions &sessions_;
  };
  Use use(Database &database);
  const std::vector<Organization> &organizations();
  // nullptr for an organization that this service does not have.  Holders keep an old session as
  // long as they need it.
  std::shared_ptr<Session> of(std::int64_t org_id);
  void forget();

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::shared_ptr<Session> session;
    Clock::time_point loaded_at;
  };
  Credential load_credential(std::int64_t org_id);
  void note_refusal(std::int64_t org_id, const std::string &stored_at, const std::string &reason);
  Database &database() const;

  Shared &shared_;
  ServiceContext &context_;
  HttpClient &client_;
  std::chrono::milliseconds patience_;
  Database *database_ = nullptr;
  std::vector<Organization> organizations_;
  Clock::time_point organizations_at_{};
  std::map<std::int64_t, Entry> entries_;
};

}  // namespace crm_bridge::worker
