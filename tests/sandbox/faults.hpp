// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <string>

namespace crm_bridge::sandbox {

// The faults asked for and not yet used up.
class Faults {
 public:
  // Returns an explanation when the request cannot be understood.
  std::optional<std::string> add(const Json &request);
  // Forgets all faults; what is held back goes on.
  void clear();
  Json list() const;

  // The first fault that fits takes one of its times.
  std::optional<Fault> take(const std::string &service, const std::string &method,
                            const std::string &path);

  // Waits before the work, or before the answer; returns early when the faults are cleared or the
  // sandbox stops.
  void hold(const Call &call);
  void hold_answer(const Call &call);
  void stop();

 private:
  struct Plan {
    std::string service;  // empty = any, as for the next two
    std::string method;
    std::string path_contains;
    std::int64_t times = 1;
    int chance = 100;  // of a hundred requests that fit, how many it meets
    std::string kind;
    Fault fault;
  };

  void wait(std::int64_t milliseconds);

  mutable std::mutex mutex_;
  std::list<Plan> plans_;
  std::mt19937_64 random_{1};
  std::uint64_t released_ = 0;
  std::condition_variable stop_;
  bool stopping_ = false;
};

}  // namespace crm_bridge::sandbox
