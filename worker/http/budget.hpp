// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crm_bridge::worker {

// "POST /api/v3/portal/{}/projects": the unit by which a service counts.  A path segment that holds
// a digit and no letter is an id.
std::string url_pattern(std::string_view method, std::string_view path);

// Where budgets come from: the database, over the asking thread's connection (docs/protocol.md).
// Each call throws what the database throws.
class Bank {
 public:
  struct Ask {
    std::string meter;
    int wanted = 0;
    int least = 1;
    int given_back = 0;  // of an earlier share
    std::string given_back_until{};
    std::optional<int> remaining{};  // what the service itself says is left
  };
  struct Share {
    int granted = 0;
    std::chrono::milliseconds hold{0};  // may be sent for so long
    std::string counts_until{};
    std::chrono::milliseconds retry_after{0};  // where nothing was granted
    std::string reason{};
  };
  virtual ~Bank() = default;
  virtual Share take(const Ask &ask) = 0;
  virtual void rest(const std::string &meter, std::chrono::milliseconds wait,
                    const std::string &reason) = 0;
  // nullopt: no limit.
  virtual std::optional<int> places(const std::string &meter, int wanted) = 0;
};

// One organization's budget at one service, as this process has it: the shares that its threads
// took from the bank and have not used yet, so that most requests cost no round trip.  Shares grow
// while they are used up before they lapse.  Thread-safe; the bank is asked by one thread at a
// time.
class Budget {
 public:
  using Clock = std::chrono::steady_clock;
  // Who was refused asks again after so long at the latest: others may have given back what they
  // did not use, or somebody decided another limit.
  static constexpr std::chrono::milliseconds look_again{2000};

  struct Answer {
    std::chrono::milliseconds wait{0};  // zero: go, and it is counted
    std::string reason{};
  };
  // `cost` is in the meter's units.  `now` must be read before the call.
  Answer take(const std::string &meter, int cost, Bank &bank, Clock::time_point now = Clock::now());

  // Room for one more request under way on each of these meters; all or none.
  bool enter(const std::vector<std::string> &meters, Bank &bank,
             Clock::time_point now = Clock::now());
  void leave(const std::vector<std::string> &meters);

  // The service refused: nothing of this meter until `wait` has passed, here and in every worker.
  // Throws what the bank throws; the rest here holds all the same.
  void rest(const std::string &meter, std::chrono::milliseconds wait, const std::string &reason,
            Bank &bank, Clock::time_point now = Clock::now());
  // What the service said is left; told to the bank with the next ask.
  void told(const std::string &meter, int remaining);
  // Some worker was told to wait: whatever is held here must be asked for anew.
  void recall();
  // Gives back lapsed shares and places that are not needed any more.  To be called every few
  // seconds.
  void tend(Bank &bank, Clock::time_point now = Clock::now());

 private:
  struct Meter {
    int left = 0;
    Clock::time_point use_by{};
    std::string counts_until{};
    int size = 1;  // of the next share
    Clock::time_point ask_again{};
    Clock::time_point free_at{};
    std::string reason{};
    std::optional<int> remaining{};
  };
  struct Room {
    int under_way = 0;
    int most = 0;  // under way since the last tend()
    int granted = 0;
    bool unlimited = false;
    Clock::time_point ask_again{};
  };
  bool has_room(const std::string &meter, Bank &bank, Clock::time_point now);
  static Bank::Ask giving_back(const std::string &name, Meter &meter);

  std::mutex mutex_;
  std::map<std::string, Meter> meters_;
  std::map<std::string, Room> rooms_;
};

}  // namespace crm_bridge::worker
