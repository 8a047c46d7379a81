// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <atomic>
#include <chrono>
#include <string>

namespace crm_bridge::worker {

class Database;
struct Shared;

// The name under which this process holds what it has claimed.  A process that was stopped for
// longer than the lease lasts must not send what it still holds: somebody else may have sent it, or
// something newer.
class Lease {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Lease(std::chrono::milliseconds lasts);

  const std::string &id() const { return id_; }
  std::chrono::milliseconds lasts() const { return lasts_; }
  bool fresh() const { return Clock::now().time_since_epoch().count() < fresh_until_.load(); }
  // `asked_at`: before the heartbeat was sent.
  void renewed(Clock::time_point asked_at) {
    fresh_until_ = (asked_at + lasts_).time_since_epoch().count();
  }

 private:
  std::string id_;
  std::chrono::milliseconds lasts_;
  std::atomic<Clock::rep> fresh_until_{0};
};

// One heartbeat.  Throws what the database throws.
void beat(Shared &shared, Database &database);

// The loop: a heartbeat every third of the lease; with it goes back what this process does not need
// of the shared budgets.
void run_heartbeat(Shared &shared);

}  // namespace crm_bridge::worker
