// SPDX-License-Identifier: PostgreSQL
// What happens in a round: people, services, network, workers, in an order that chance gives.
#include <algorithm>
#include <stdexcept>

#include "wave.hpp"

namespace crm_bridge::convergence {

void Wave::play_round(int round) {
  for (History &history : histories_) history.begin_round(plan_.seed, round);
  act(round);
  std::vector<std::function<void()>> phases{
      [&] { write_faces(Side::crm, false); },
      [&] { write_faces(Side::projects, false); },
      [&] { write_faces(Side::crm, true); },
      [&] { write_faces(Side::projects, true); },
      [&] { delete_faces(Side::crm, false); },
      [&] { delete_faces(Side::projects, false); },
      [&] { delete_faces(Side::crm, true); },
      [&] { delete_faces(Side::projects, true); },
      [&] { send_notices(); },
      [&] { follow_notices(Side::crm); },
      [&] { follow_notices(Side::projects); },
      [&] { poll(Side::crm); },
      [&] { poll(Side::projects); },
      [&] { carry(round); },
      [&] { claim(Side::crm, round, false); },
      [&] { claim(Side::projects, round, false); },
      [&] { break_a_lease(round); },
  };
  if (random_.chance(30)) phases.emplace_back([&] { decide(false); });
  if (random_.chance(60)) phases.emplace_back([&] { reconcile(); });
  for (std::size_t i = phases.size(); i > 1; --i)
    std::swap(phases[i - 1], phases[static_cast<std::size_t>(random_.below(static_cast<int>(i)))]);
  for (const auto &phase : phases) phase();
}

// What each history's people do in this round; the apps' writes are carried out in batches.
void Wave::act(int round) {
  if (plan_.skipped.contains(round)) return;
  for (History &history : histories_) {
    const int drawn = history.random.below(100);
    const Side side = drawn % 2 == 0 ? Side::crm : Side::projects;
    const Remote &remote = history.remote[index(side)];
    const auto noticed = [&] {
      if (history.random.chance(70)) noticed_[index(side)].push_back(remote.external_id);
    };
    if (history.mortal && history.random.chance(6)) {
      if (history.random.chance(50)) {
        if (history.here[index(side)])
          (history.random.chance(15) ? deferred_deletions_ : deletions_).insert({&history, side});
      } else if (remote.exists && !history.in_the_making(side)) {
        history.delete_there(side);
        noticed();
      }
    } else if (drawn < 40) {
      if (!history.here[index(side)]) continue;
      auto &writes = history.random.chance(15) ? deferred_writes_ : writes_;
      Json patch = history.type_here(side);
      if (!patch.empty()) writes[{&history, side}] = std::move(patch);
    } else if (drawn < 74) {
      // Nobody finds in Projects what was just made there before its creation is confirmed: who
      // changed it then would be asked which of two records it is.
      if (!remote.exists || (side == Side::projects && history.in_the_making(side))) continue;
      history.type_there(side);
      noticed();
    } else if (drawn < 90) {
      history.read_again[index(side)] = true;
    }
  }
}

void Wave::write_faces(Side side, bool repeatable_read) {
  auto &writes = repeatable_read ? deferred_writes_ : writes_;
  Json edits = Json::array();
  std::vector<History *> touched;
  for (const auto &[target, patch] : writes) {
    if (target.second != side) continue;
    if (!target.first->here[index(side)]) {
      target.first->withdraw(side, patch);
      continue;
    }
    edits.push_back({{"id", target.first->id[index(side)]}, {"v", patch}});
    touched.push_back(target.first);
  }
  std::erase_if(writes, [&](const auto &entry) { return entry.first.second == side; });
  if (edits.empty()) return;
  bridge_.write_face(side, std::move(edits), repeatable_read);
  look(touched);
}

void Wave::delete_faces(Side side, bool repeatable_read) {
  auto &deletions = repeatable_read ? deferred_deletions_ : deletions_;
  std::vector<std::string> ids;
  std::vector<History *> touched;
  for (const auto &[history, of_side] : deletions) {
    if (of_side != side || !history->here[index(side)]) continue;
    ids.push_back(history->id[index(side)]);
    history->deleted_here(side, repeatable_read);
    touched.push_back(history);
  }
  std::erase_if(deletions, [&](const auto &entry) { return entry.second == side; });
  if (ids.empty()) return;
  bridge_.delete_faces(side, ids, repeatable_read);
  look(touched);
}

void Wave::send_notices() {
  for (const Side side : sides) {
    auto &noticed = noticed_[index(side)];
    const bool twice = random_.chance(30);
    if (noticed.empty()) continue;
    bridge_.store_notices(side, noticed);
    if (twice) bridge_.store_notices(side, noticed);
    noticed.clear();
  }
}

// The worker reads what webhooks named and tells it; now and then it dies before it has, and
// another one does it later.
void Wave::follow_notices(Side side) {
  const std::string lease = bridge_.new_lease();
  instants_.push_back(bridge_.clock());
  Told told;
  std::vector<std::string> finished;
  for (const auto &[external_id, notice_ids] : bridge_.take_notices(side, lease)) {
    const auto known = by_external_id_.find(external_id);
    if (known == by_external_id_.end())
      throw std::runtime_error("a notice of a record of another wave");
    History &history = *known->second.first;
    if (round_ <= plan_.rounds && history.network.chance(20)) continue;
    history.read(side, instants_.size() - 1, external_id);
    told.emplace_back(&history, history.queue[index(side)].back());
    // Some are told a second time, later.
    if (history.network.chance(70)) history.queue[index(side)].pop_back();
    finished.push_back(notice_ids);
  }
  tell(side, told);
  for (const std::string &notice_ids : finished) bridge_.finish_notices(notice_ids);
  bridge_.break_lease(lease);
}

// Readings are taken, and told in any order, late, twice or never.
void Wave::poll(Side side) {
  instants_.push_back(bridge_.clock());
  Told told;
  for (History &history : histories_) {
    bool &wanted = history.read_again[index(side)];
    if (wanted) history.read(side, instants_.size() - 1);
    wanted = false;
    auto &queue = history.queue[index(side)];
    if (queue.empty() || history.network.chance(40)) continue;
    const auto drawn =
        static_cast<std::size_t>(history.network.below(static_cast<int>(queue.size())));
    told.emplace_back(&history, queue[drawn]);
    if (history.network.chance(70)) queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(drawn));
  }
  tell(side, told);
}

bool Wave::claim(Side side, int round, bool peaceful) {
  bridge_.forget_backoff();
  const std::string lease = bridge_.new_lease();
  const std::vector<Bridge::Claimed> claimed = bridge_.claim(side, lease);
  if (claimed.empty()) return false;
  if (!peaceful) leases_[{round, side}] = lease;
  for (const Bridge::Claimed &row : claimed) {
    const auto known = by_id_.find(row.record_id);
    if (known == by_id_.end()) {
      const auto stranger = by_external_id_.find(row.external_id);
      if (stranger == by_external_id_.end())
        throw std::runtime_error("claim handed out a record of another wave");
      stranger->second.first->surprises.push_back("B3: claim handed out a stranger, to " +
                                                  row.operation);
      continue;
    }
    Request request;
    request.side = side;
    request.operation = row.operation == "create"   ? Operation::create
                        : row.operation == "update" ? Operation::update
                                                    : Operation::remove;
    request.external_id = row.external_id;
    request.in_doubt = row.in_doubt;
    request.lease = lease;
    for (const auto &[name, value] : row.fields.items())
      if (field_named(side, name) < field_count) request.fields[name] = value;
    known->second.first->hand_out(std::move(request), row.version, round, peaceful);
  }
  carry(round);
  return true;
}

// What services do by now, and what their answers were.
void Wave::carry(int round) {
  struct Answers {
    Json results = Json::array(), failures = Json::array();
    std::vector<std::pair<History *, std::size_t>> confirmed;
  };
  std::map<std::string, Answers> by_lease;
  for (History &history : histories_) {
    for (std::size_t i = 0; i < history.requests.size(); ++i) {
      Request &request = history.requests[i];
      const bool never = request.fate == Fate::released || request.fate == Fate::unavailable ||
                         request.fate == Fate::request_lost;
      if (!request.reached && !never && request.effect_at <= round) {
        history.reach(request);
        const std::string &external_id = history.remote[index(request.side)].external_id;
        by_external_id_[external_id] = {&history, request.side};
      }
      if (request.told || request.told_at > round) continue;
      const Side side = request.side;
      Json about = {{"module", module_of(side)}, {"record_id", history.id[index(side)]}};
      Answers &answers = by_lease[request.lease];
      const bool answered = request.fate == Fate::done || request.fate == Fate::told_later ||
                            request.fate == Fate::done_later;
      const bool erased = request.operation == Operation::remove;
      // To delete what is not there is done; what nobody knows the id of cannot be said to be.
      const bool missing = request.missing && (!erased || request.external_id.empty());
      if (answered && !request.refused && !missing) {
        if (!erased) {
          about["external_id"] = request.external_id;
          about["version"] = instant_text(request.version);
        }
        answers.results.push_back(about);
        answers.confirmed.emplace_back(&history, i);
        continue;
      }
      const bool definite = answered || request.fate == Fate::unavailable;
      about["outcome"] = request.fate == Fate::released ? "release"
                         : answered && missing          ? "gone"
                         : definite                     ? "retry"
                                                        : "in_doubt";
      about["reason"] = request.refused ? "already_modified"
                        : definite      ? "unavailable"
                                        : "timed_out";
      answers.failures.push_back(about);
      history.failed(request);
    }
  }
  for (auto &[lease, answers] : by_lease) {
    if (!answers.failures.empty()) bridge_.fail(lease, answers.failures);
    if (answers.results.empty()) continue;
    const auto outcomes = bridge_.acknowledge(lease, answers.results);
    for (const auto &[history, position] : answers.confirmed) {
      Request &request = history->requests[position];
      const std::string &outcome = outcomes.at(history->id[index(request.side)]);
      // The answer to a change of what was made anew meanwhile, from a worker long given up.
      const bool of_former = request.operation == Operation::update &&
                             request.external_id != history->known_id(request.side);
      if (outcome != "done" && outcome != "pending" && outcome != "late" &&
          !(of_former && outcome == "duplicate"))
        history->surprises.push_back("acknowledge said " + outcome);
      history->confirmed(request, outcome);
    }
  }
}

// The worker dies that claimed a round or a few ago.
void Wave::break_a_lease(int round) {
  const bool dies = random_.chance(25);
  const Side side = random_.chance(50) ? Side::crm : Side::projects;
  const auto lease = leases_.find({round - random_.below(4), side});
  if (!dies || lease == leases_.end()) return;
  bridge_.break_lease(lease->second);
  for (History &history : histories_) history.lease_broken(lease->second);
}

// People decide what waits for them (D1), one side, the other, or another value.
bool Wave::decide(bool everything) {
  std::vector<std::string> ids;
  for (const History &history : histories_)
    ids.insert(ids.end(), history.id.begin(), history.id.end());
  std::vector<History *> touched;
  for (const Bridge::Question &question : bridge_.questions(ids)) {
    const auto [history, side] = by_id_.at(question.record_id);
    if (!everything && history->random.chance(70)) continue;
    const std::size_t field = field_named(side, question.field);
    const bool left = history->random.chance(50);
    const Json value = left ? history->decides(side, field) : Json(nullptr);
    if (!bridge_.decide(question.id, left ? "left" : "right", value)) {
      if (!value.is_null()) history->typed.back().withdrawn = true;
      continue;
    }
    if (!question.of_link) history->decided(side);
    history->log.push_back("a person decides about " + question.field + ": " +
                           (!value.is_null() ? value.dump()
                            : left           ? "left"
                                             : "right"));
    touched.push_back(history);
  }
  look(touched);
  return !touched.empty();
}

void Wave::reconcile() {
  std::vector<History *> merged;
  for (History &history : histories_) {
    if (history.apart) merged.push_back(&history);
    history.before_reconcile();
  }
  bridge_.reconcile();
  look(merged);
}

}  // namespace crm_bridge::convergence
