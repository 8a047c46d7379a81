// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/outbox.hpp"
#include "services/service.hpp"
#include "services/sessions.hpp"

namespace crm_bridge::worker {

class Database;
struct Shared;

// Claims what one service lacks, sends it, and tells the database how it went.  One thread:
// requests wait for their answers as coroutines while further records are claimed.
class Relay {
 public:
  Relay(Shared &shared, ServiceContext &context);

  // Until a stop is requested; then waits for the answers under way.
  void run();
  // Delivers until nothing is due any more; true if anything was.  For `--once`.
  bool drain(Database &database);

 private:
  using Clock = std::chrono::steady_clock;
  struct Batch {
    std::int64_t org_id = 0;
    std::shared_ptr<Session> session{};
    std::vector<Change> changes{};
  };
  struct Flight {
    Batch batch;
    Task<Delivered> task;
  };

  void loop(Database &database);
  // True if anything was claimed.
  bool claim(Database &database);
  // What the service takes none of for a while: the other modules' records go past it.
  std::vector<std::string> resting_modules(std::int64_t org_id) const;
  void launch();
  // Takes finished flights into the outbox; true if there were any.
  bool land();
  void settle(const Batch &batch, Delivered delivered);
  void settle_all(const Batch &batch, const Verdict &verdict);
  void finish();
  std::size_t free_places() const;

  Shared &shared_;
  ServiceContext &context_;
  std::unique_ptr<Service> service_;
  HttpClient client_;
  Sessions sessions_;
  Outbox outbox_;
  std::deque<Batch> waiting_;
  std::list<Flight> flights_;
  bool more_is_due_ = false;  // the last claim gave all that was asked for
  // A module of an organization whose budget is used up: until when the service wants no more, and
  // when it is worth a look, because others may have given back what they did not need.
  struct Rest {
    Clock::time_point until{};
    Clock::time_point look_again{};
  };
  std::map<std::pair<std::int64_t, std::string>, Rest> resting_;
};

}  // namespace crm_bridge::worker
