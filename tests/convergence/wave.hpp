// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <functional>
#include <set>
#include <unordered_map>

#include "bridge.hpp"
#include "history.hpp"

namespace crm_bridge::convergence {

struct Plan {
  std::uint64_t seed = 1;
  int first = 0;  // number of the first history
  int count = 1000;
  int rounds = 24;
  std::set<int> skipped;  // rounds in which nobody does anything, for shrinking
  int wave = 0;           // what policies, phases and workers' deaths are drawn from
};

struct Tally {
  long histories = 0, steps = 0, edits = 0, requests = 0, forced = 0, conflicts = 0, idle = 0,
       replaced = 0, calm = 0, deletions = 0;
};

// Many histories side by side in one organization, so that each call of the protocol serves
// hundreds of them.
class Wave {
 public:
  Wave(Bridge &bridge, Plan plan, std::string prefix);

  void play();
  // What is not as promised, by history.
  std::map<int, std::vector<std::string>> judge(Tally &tally);
  const History &history(int number) const {
    return histories_.at(static_cast<std::size_t>(number - plan_.first));
  }

 private:
  using Told = std::vector<std::pair<History *, std::size_t>>;  // which reading of whom

  void make_pairs();
  void draw_policies();
  void play_round(int round);
  void act(int round);
  void write_faces(Side side, bool repeatable_read);
  void delete_faces(Side side, bool repeatable_read);
  void send_notices();
  void follow_notices(Side side);
  void poll(Side side);
  void tell(Side side, const Told &told);
  bool claim(Side side, int round, bool peaceful);
  void carry(int round);
  void break_a_lease(int round);
  void reconcile();
  // Result: whether anything was decided.
  bool decide(bool everything);
  void come_to_rest();
  bool send_all();
  std::map<std::string, int> read_all();
  void look(const std::vector<History *> &histories);
  std::vector<History *> everybody();
  bool due(Side side);

  void judge_end(const History &history, std::vector<std::string> &wrong) const;
  void judge_conflicts(History &history, std::vector<std::string> &wrong) const;
  void judge_typed(const History &history, std::vector<std::string> &wrong, Tally &tally) const;
  void judge_requests(const History &history, std::vector<std::string> &wrong, Tally &tally) const;
  void read_conflicts();
  void read_history();
  void read_strangers();

  Bridge &bridge_;
  Plan plan_;
  std::string prefix_;
  Random random_;
  int round_ = 0;
  std::vector<History> histories_;
  std::unordered_map<std::string, std::pair<History *, Side>> by_id_, by_external_id_;
  std::map<std::pair<History *, Side>, Json> writes_, deferred_writes_;
  std::set<std::pair<History *, Side>> deletions_, deferred_deletions_;
  Json place_;  // what addresses the tasks in Projects
  std::array<std::vector<std::string>, 2> noticed_;
  std::vector<std::string> instants_;
  std::map<std::pair<int, Side>, std::string> leases_;  // of the claims of a round
  std::vector<std::string> troubles_;                   // of the wave as a whole
  std::map<std::string, std::string> policies_;         // by scope and field
  std::unordered_map<std::string, std::map<std::string, std::set<Json>>>
      past_;  // record → field → values that were overwritten
};

}  // namespace crm_bridge::convergence
