// SPDX-License-Identifier: PostgreSQL
#include "request_log.hpp"

#include <algorithm>

namespace crm_bridge::sandbox {

std::string url_pattern(const std::string &method, const std::vector<std::string> &path) {
  std::string pattern = method + " ";
  for (const auto &segment : path) {
    const bool number = !segment.empty() && std::all_of(segment.begin(), segment.end(), [](char c) {
      return c >= '0' && c <= '9';
    });
    const bool variable = number || segment.find('@') != std::string::npos;
    pattern += "/";
    pattern += variable ? "{}" : segment;
  }
  return pattern;
}

void RequestLog::add(Entry entry, const std::string &pattern) {
  const std::lock_guard lock{mutex_};
  entry.sequence = ++last_sequence_;
  ++by_service_[entry.service];
  ++by_pattern_[entry.service][pattern];
  entries_.push_back(std::move(entry));
  if (entries_.size() > capacity) entries_.pop_front();
}

Json RequestLog::since(std::uint64_t since, const std::string &service, std::size_t limit) const {
  const std::lock_guard lock{mutex_};
  Json requests = Json::array();
  const auto first = std::upper_bound(
      entries_.begin(), entries_.end(), since,
      [](std::uint64_t sequence, const Entry &entry) { return sequence < entry.sequence; });
  for (auto entry = first; entry != entries_.end() && requests.size() < limit; ++entry) {
    if (!service.empty() && entry->service != service) continue;
    requests.push_back({{"sequence", entry->sequence},
                        {"arrived_at", entry->arrived_at},
                        {"service", entry->service},
                        {"method", entry->method},
                        {"path", entry->path},
                        {"query", entry->query},
                        {"body_bytes", entry->body_bytes},
                        {"body", entry->body},
                        {"status", entry->status}});
  }
  return {{"requests", std::move(requests)}, {"last_sequence", last_sequence_}};
}

void RequestLog::count(const std::string &counter, std::int64_t by) {
  const std::lock_guard lock{mutex_};
  counters_[counter] += by;
}

Json RequestLog::counters() const {
  const std::lock_guard lock{mutex_};
  Json answer = counters_;
  answer["requests"] = by_service_;
  answer["patterns"] = by_pattern_;
  return answer;
}

}  // namespace crm_bridge::sandbox
