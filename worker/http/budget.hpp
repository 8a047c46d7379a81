// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace crm_bridge::worker {

// "POST /api/v3/portal/{}/projects": the unit by which a service counts.  A path segment that holds
// a digit and no letter is an id.
std::string url_pattern(std::string_view method, std::string_view path);

// How many requests of one organization may go to one service, by URL pattern, in any stretch of
// `window`; and until when a pattern (or the whole service) must rest because the service said so.
// Shared by all threads of a worker; several workers do not share it yet.
class Budget {
 public:
  using Clock = std::chrono::steady_clock;
  // limit 0 = no limit of our own.
  Budget(int limit, std::chrono::milliseconds window) : limit_(limit), window_(window) {}

  // Zero: go, and it is counted.  Otherwise how long to wait before asking again; nothing is
  // counted.
  std::chrono::milliseconds take(const std::string &pattern, Clock::time_point now = Clock::now());

  // The service refused: nothing of `pattern` ("" = nothing at all) until `wait` has passed.
  void rest(const std::string &pattern, std::chrono::milliseconds wait,
            Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  const int limit_;
  const std::chrono::milliseconds window_;
  std::map<std::string, std::deque<Clock::time_point>> taken_;
  std::map<std::string, Clock::time_point> resting_;
};

}  // namespace crm_bridge::worker
