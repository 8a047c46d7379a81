// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "protocol.hpp"

namespace crm_bridge::worker {

class Database;
struct Shared;

// What became of deliveries and has not been told to the database yet.  It survives a lost
// connection: telling twice does no harm.
class Outbox {
 public:
  Outbox(Shared &shared, std::string service);

  void add(std::int64_t org_id, Settled settled);
  void add(std::int64_t org_id, std::vector<ModuleRecords> seen);
  // True if there is nothing to tell at the moment.
  bool empty() const {
    return pending_.empty() && (held_back_.empty() || Clock::now() < tell_again_);
  }
  // When something that a writer held up should be told again, at the latest `otherwise`.
  std::chrono::steady_clock::time_point due(std::chrono::steady_clock::time_point otherwise) const {
    return held_back_.empty() ? otherwise : std::min(otherwise, tell_again_);
  }
  // The state of a record that was found before sending and has been merged; null if there is none.
  Json merged(const std::string &record_id) const;
  bool holds_back() const { return !held_back_.empty(); }
  // `read_started_at`: a time by the server's clock before any of the requests.
  void flush(Database &database, const std::string &read_started_at);

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {
    std::vector<ModuleRecords> seen;
    std::vector<Settled> settled;
  };
  void receive(Database &database, std::int64_t org_id, Pending &pending,
               const std::string &read_started_at);
  // Returns those that must be read again.
  std::vector<std::string> receive(Database &database, std::int64_t org_id,
                                   const ModuleRecords &records,
                                   const std::string &read_started_at);
  // What a writer held up is held back, and told again a little later.
  void tell(Database &database, std::int64_t org_id, const std::vector<Settled> &settled,
            const std::string &read_started_at);
  void take_back();
  void tell_one_by_one(Database &database, std::int64_t org_id, const std::vector<Settled> &settled,
                       const std::string &read_started_at);
  void judge_found(Settled &settled);

  Shared &shared_;
  std::string service_;
  std::map<std::int64_t, Pending> pending_;
  std::map<std::int64_t, std::vector<Settled>> held_back_;
  Clock::time_point tell_again_{};
  struct Found {
    Json fields{};
    bool merged = false;
  };
  std::map<std::string, Found>
      found_;  // by record, until it is sent; what is forgotten is found again
};

// The forms of docs/protocol.md.
Json acknowledgement(const Settled &settled);
Json failure(const Settled &settled);

}  // namespace crm_bridge::worker
