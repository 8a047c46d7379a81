// SPDX-License-Identifier: PostgreSQL
#include "limits.hpp"

namespace crm_bridge::sandbox {

std::optional<std::int64_t> Throttle::admit(const std::string &key, std::int64_t now) {
  if (limit_ == 0) return std::nullopt;
  const std::lock_guard lock{mutex_};
  State &state = states_[key];
  const auto seconds_until = [now](std::int64_t then) {
    return (then - now + 999'999) / 1'000'000;
  };
  if (state.blocked_until > now) return seconds_until(state.blocked_until);
  while (!state.events.empty() && state.events.front() <= now - window_ * 1'000'000) {
    state.events.pop_front();
  }
  if (static_cast<std::int64_t>(state.events.size()) < limit_) {
    state.events.push_back(now);
    return std::nullopt;
  }
  if (block_ == 0) return seconds_until(state.events.front() + window_ * 1'000'000);
  state.blocked_until = now + block_ * 1'000'000;
  state.events.clear();
  return block_;
}

bool Credits::spend(std::int64_t cost, std::int64_t now_seconds,
                    std::optional<std::int64_t> &remaining) {
  if (limit_ == 0) return true;
  const std::lock_guard lock{mutex_};
  const std::int64_t minute = now_seconds / 60;
  while (!minutes_.empty() && minutes_.front().first <= minute - 24 * 60) {
    used_ -= minutes_.front().second;
    minutes_.pop_front();
  }
  if (used_ + cost > limit_) return false;
  if (minutes_.empty() || minutes_.back().first != minute) minutes_.emplace_back(minute, 0);
  minutes_.back().second += cost;
  used_ += cost;
  if (used_ * 2 >= limit_) remaining = limit_ - used_;
  return true;
}

}  // namespace crm_bridge::sandbox
