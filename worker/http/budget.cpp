// SPDX-License-Identifier: PostgreSQL
#include "http/budget.hpp"

#include <algorithm>
#include <utility>

namespace crm_bridge::worker {
namespace {

bool is_id(std::string_view segment) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::any_of(segment.begin(), segment.end(), is_digit) &&
         std::none_of(segment.begin(), segment.end(), is_letter);
}

constexpr int largest_share = 4096;
constexpr std::chrono::milliseconds places_again{200};
constexpr std::chrono::minutes unlimited_again{1};

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

Bank::Ask Budget::giving_back(const std::string &name, Meter &meter) {
  Bank::Ask ask;
  ask.meter = name;
  // Whether a call that failed has given them back is not known, and giving them back twice would
  // hand out too much: they are gone from here in any case.
  ask.given_back = std::exchange(meter.left, 0);
  ask.given_back_until = meter.counts_until;
  ask.remaining = std::exchange(meter.remaining, std::nullopt);
  return ask;
}

Budget::Answer Budget::take(const std::string &name, int cost, Bank &bank, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Meter &meter = meters_[name];
  if (meter.left >= cost && now < meter.use_by) {
    meter.left -= cost;
    return {};
  }
  if (now < meter.ask_again) return {until(meter.free_at, now), meter.reason};
  const bool was_too_small = meter.left < cost && now < meter.use_by;
  meter.size =
      was_too_small ? std::min(2 * std::max(meter.size, cost), largest_share) : meter.size / 2;
  Bank::Ask ask = giving_back(name, meter);
  ask.wanted = std::max(meter.size, cost);
  ask.least = cost;
  const Bank::Share share = bank.take(ask);
  if (share.granted > 0) {
    meter.left = std::max(share.granted - cost, 0);
    meter.use_by = now + share.hold;
    meter.counts_until = share.counts_until;
    return {};
  }
  meter.reason = share.reason;
  const auto wait = std::max(share.retry_after, std::chrono::milliseconds{1});
  meter.free_at = now + wait;
  meter.ask_again = now + std::min(wait, look_again);
  return {wait, meter.reason};
}

bool Budget::has_room(const std::string &meter, Bank &bank, Clock::time_point now) {
  Room &room = rooms_[meter];
  if (room.under_way < room.granted) return true;
  if (now < room.ask_again) return room.unlimited;
  const int wanted = std::max(2 * room.granted, room.under_way + 1);
  const auto granted = bank.places(meter, wanted);
  room.unlimited = !granted.has_value();
  room.granted = granted.value_or(0);
  room.ask_again = now + (room.unlimited ? Clock::duration(unlimited_again) : places_again);
  return room.unlimited || room.under_way < room.granted;
}

bool Budget::enter(const std::vector<std::string> &meters, Bank &bank, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (const auto &meter : meters) {
    if (!has_room(meter, bank, now)) return false;
  }
  for (const auto &meter : meters) {
    Room &room = rooms_[meter];
    room.most = std::max(room.most, ++room.under_way);
  }
  return true;
}

void Budget::leave(const std::vector<std::string> &meters) {
  const std::lock_guard lock(mutex_);
  for (const auto &meter : meters) --rooms_[meter].under_way;
}

void Budget::rest(const std::string &name, std::chrono::milliseconds wait,
                  const std::string &reason, Bank &bank, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Meter &meter = meters_[name];
  meter.use_by = {};
  meter.reason = reason;
  meter.free_at = std::max(meter.free_at, now + wait);
  meter.ask_again = now + std::min(wait, look_again);
  bank.rest(name, wait, reason);
}

void Budget::told(const std::string &meter, int remaining) {
  const std::lock_guard lock(mutex_);
  auto &known = meters_[meter].remaining;
  known = std::min(known.value_or(remaining), remaining);
}

void Budget::recall() {
  const std::lock_guard lock(mutex_);
  for (auto &[name, meter] : meters_) meter.use_by = {};
}

void Budget::tend(Bank &bank, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto &[name, meter] : meters_) {
    if (meter.left > 0 && now >= meter.use_by) bank.take(giving_back(name, meter));
  }
  for (auto &[name, room] : rooms_) {
    if (room.unlimited || room.granted == 0) continue;
    const int wanted = std::exchange(room.most, room.under_way);
    room.granted = bank.places(name, wanted).value_or(0);
  }
}

}  // namespace crm_bridge::worker
