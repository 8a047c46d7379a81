// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace crm_bridge::sandbox {

// What was asked of the services, newest last, and how often.
class RequestLog {
 public:
  struct Entry {
    std::uint64_t sequence = 0;
    std::int64_t arrived_at = 0;  // microseconds since 1970, the machine's clock
    std::string service;
    std::string method;
    std::string path;
    std::string query;
    std::size_t body_bytes = 0;
    std::string body;  // the first 4 KB
    int status = 0;    // 0 = closed without an answer
  };

  void add(Entry entry, const std::string &pattern);
  // Entries after sequence number `since`, at most `limit`; of one service or (empty) of all.
  Json since(std::uint64_t since, const std::string &service, std::size_t limit) const;

  void count(const std::string &counter, std::int64_t by = 1);
  Json counters() const;

 private:
  static constexpr std::size_t capacity = 20'000;

  mutable std::mutex mutex_;
  std::uint64_t last_sequence_ = 0;
  std::deque<Entry> entries_;
  std::map<std::string, std::map<std::string, std::int64_t>> by_pattern_;
  std::map<std::string, std::int64_t> by_service_;
  std::map<std::string, std::int64_t> counters_{
      {"mails", 0},           {"throttled", 0},        {"tokens_issued", 0},
      {"webhooks_failed", 0}, {"webhooks_dropped", 0}, {"webhooks_sent", 0},
      {"workflows_fired", 0}};
};

}  // namespace crm_bridge::sandbox
