// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "http/result.hpp"
#include "http/retry.hpp"

namespace prometheus {
class Registry;
}

namespace crm_bridge::worker {

// What this process has done, for /metrics and the status page.  Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void request(const std::string &service, const HttpResult &result,
               std::chrono::milliseconds took);
  void claimed(const std::string &service, std::size_t records);
  void settled(const std::string &service, Outcome outcome);
  void received(const std::string &service, const std::string &outcome);
  void notice(const std::string &service, bool accepted);
  void polled(const std::string &service, bool good);
  void mailed(const std::string &outcome);
  void connection_lost(const std::string &loop);

  // The heartbeat tells whether the database answers.
  void database_seen(bool reachable);
  bool database_reachable() const { return database_reachable_; }

  std::string text() const;  // Prometheus' text format

 private:
  struct Families;
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Families> families_;
  std::atomic<bool> database_reachable_{false};
};

}  // namespace crm_bridge::worker
