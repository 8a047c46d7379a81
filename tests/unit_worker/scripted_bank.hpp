// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <vector>

#include "http/budget.hpp"

namespace crm_bridge::worker::test {

// A bank whose meters hold `limit` units each and never fill up again by themselves.
class ScriptedBank : public Bank {
 public:
  explicit ScriptedBank(int limit, std::optional<int> places = std::nullopt)
      : limit_(limit), places_(places) {}

  Share take(const Ask &ask) override {
    asks.push_back(ask);
    if (down) throw std::runtime_error("the database is down");
    int &used = used_[ask.meter];
    used -= ask.given_back;
    Share share;
    share.hold = std::chrono::seconds{5};
    share.counts_until = "share " + std::to_string(asks.size());
    if (rested.contains(ask.meter)) {
      share.retry_after = rested[ask.meter];
      share.reason = "rests";
    } else if (ask.wanted > 0 && limit_ - used >= ask.least) {
      share.granted = std::min(ask.wanted, limit_ - used);
      used += share.granted;
    } else {
      share.retry_after = std::chrono::minutes{2};
      share.reason = "all used";
    }
    return share;
  }
  void rest(const std::string &meter, std::chrono::milliseconds wait,
            const std::string &reason) override {
    if (down) throw std::runtime_error("the database is down");
    rested[meter] = wait;
    reasons.push_back(reason);
  }
  std::optional<int> places(const std::string &, int wanted) override {
    wishes.push_back(wanted);
    if (!places_) return std::nullopt;
    return std::min(wanted, *places_);
  }
  void change_places(int places) { places_ = places; }
  int used(const std::string &meter) const { return used_.at(meter); }

  bool down = false;
  std::vector<Ask> asks;
  std::vector<int> wishes;
  std::map<std::string, std::chrono::milliseconds> rested;
  std::vector<std::string> reasons;

 private:
  int limit_;
  std::optional<int> places_;
  std::map<std::string, int> used_;
};

}  // namespace crm_bridge::worker::test
