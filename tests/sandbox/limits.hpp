// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace crm_bridge::sandbox {

// So many events in a rolling window for each key, then a lock-out.
class Throttle {
 public:
  // Seconds throughout.  A limit of 0 never throttles; a block of 0 only waits for the window.
  Throttle(std::int64_t limit, std::int64_t window, std::int64_t block)
      : limit_{limit}, window_{window}, block_{block} {}

  // Counts one event at `now` (microseconds), or says how many seconds to wait.
  std::optional<std::int64_t> admit(const std::string &key, std::int64_t now);
  std::int64_t limit() const { return limit_; }
  std::int64_t window() const { return window_; }

 private:
  struct State {
    std::deque<std::int64_t> events;
    std::int64_t blocked_until = 0;
  };

  const std::int64_t limit_;
  const std::int64_t window_;
  const std::int64_t block_;
  std::mutex mutex_;
  std::map<std::string, State> states_;
};

// CRM's credits: costs that add up over a rolling day, kept by the minute.
class Credits {
 public:
  explicit Credits(std::int64_t limit) : limit_{limit} {}

  // Takes `cost`, or refuses.  Once half is used, `remaining` says what is left.
  bool spend(std::int64_t cost, std::int64_t now_seconds, std::optional<std::int64_t> &remaining);

 private:
  const std::int64_t limit_;
  std::mutex mutex_;
  std::deque<std::pair<std::int64_t, std::int64_t>> minutes_;  // minute, cost
  std::int64_t used_ = 0;
};

// Calls in flight.
class Concurrency {
 public:
  explicit Concurrency(std::int64_t limit) : limit_{limit} {}

  class Place {
   public:
    explicit Place(Concurrency &owner) : owner_{owner}, count_{++owner.count_} {}
    ~Place() { --owner_.count_; }
    Place(const Place &) = delete;
    Place &operator=(const Place &) = delete;
    bool granted() const { return owner_.limit_ == 0 || count_ <= owner_.limit_; }

   private:
    Concurrency &owner_;
    const std::int64_t count_;
  };

 private:
  const std::int64_t limit_;
  std::atomic<std::int64_t> count_{0};
};

}  // namespace crm_bridge::sandbox
