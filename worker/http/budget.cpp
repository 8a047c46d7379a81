// SPDX-License-Identifier: PostgreSQL
#include "http/budget.hpp"

#include <algorithm>

namespace crm_bridge::worker {
namespace {

bool is_id(std::string_view segment) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::any_of(segment.begin(), segment.end(), is_digit) &&
         std::none_of(segment.begin(), segment.end(), is_letter);
}

std::chrono::milliseconds until(Budget::Clock::time_point when, Budget::Clock::time_point now) {
  if (when <= now) return std::chrono::milliseconds{0};
  return std::chrono::ceil<std::chrono::milliseconds>(when - now);
}

}  // namespace

std::string url_pattern(std::string_view method, std::string_view path) {
  std::string pattern(method);
  pattern += ' ';
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, slash);
    pattern += '/';
    pattern += is_id(segment) ? std::string_view("{}") : segment;
    path.remove_prefix(slash);
  }
  return pattern;
}

std::chrono::milliseconds Budget::take(const std::string &pattern, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (const auto &name : {std::string{}, pattern}) {
    const auto found = resting_.find(name);
    if (found == resting_.end()) continue;
    if (const auto wait = until(found->second, now); wait.count() > 0) return wait;
    resting_.erase(found);
  }
  if (limit_ == 0) return std::chrono::milliseconds{0};
  auto &taken = taken_[pattern];
  while (!taken.empty() && taken.front() + window_ <= now) taken.pop_front();
  if (static_cast<int>(taken.size()) >= limit_) return until(taken.front() + window_, now);
  taken.push_back(now);
  return std::chrono::milliseconds{0};
}

void Budget::rest(const std::string &pattern, std::chrono::milliseconds wait,
                  Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto &until_when = resting_[pattern];
  until_when = std::max(until_when, now + wait);
}

}  // namespace crm_bridge::worker
