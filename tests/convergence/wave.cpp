// SPDX-License-Identifier: PostgreSQL
#include "wave.hpp"

#include <algorithm>
#include <stdexcept>

namespace crm_bridge::convergence {

namespace {

constexpr std::int64_t first_version = 1'760'000'000;

// Projects says where a task lives; the CRM keeps our id of it.
Json record_of(const History &history, Side side, const Reading &reading, const Json &place,
               std::int64_t now) {
  constexpr std::int64_t a_day = 86'400;
  if (reading.gone) return {{"external_id", reading.external_id}, {"deleted", true}};
  Json record{{"external_id", reading.external_id},
              {"version", instant_text(reading.version)},
              {"modified_at", instant_text(now + (reading.newest_wins ? a_day : -a_day))},
              {"modified_by", "mira@zylker.example"},
              {"fields", reading.fields}};
  if (side == Side::crm)
    record["record_id"] = history.id[index(side)];
  else
    record["fields"].update(place);
  return record;
}

}  // namespace

Wave::Wave(Bridge &bridge, Plan plan, std::string prefix)
    : bridge_(bridge),
      plan_(std::move(plan)),
      prefix_(std::move(prefix)),
      random_(plan_.seed, ~static_cast<std::uint64_t>(plan_.wave)) {
  histories_.reserve(static_cast<std::size_t>(plan_.count));
  for (int i = 0; i < plan_.count; ++i) histories_.emplace_back(plan_.seed, plan_.first + i);
}

std::vector<History *> Wave::everybody() {
  std::vector<History *> all;
  for (History &history : histories_) all.push_back(&history);
  return all;
}

void Wave::play() {
  make_pairs();
  draw_policies();
  for (round_ = 1; round_ <= plan_.rounds; ++round_) play_round(round_);
  come_to_rest();
}

void Wave::make_pairs() {
  instants_.push_back(bridge_.clock());
  place_ = {
      {"project_id",
       bridge_.run("SELECT p.external_id FROM crm_bridge.projects_project AS p")[0][0].c_str()},
      {"portal_id", "portal"}};
  Json records = Json::array();
  std::vector<std::string> external_ids;
  for (History &history : histories_) {
    Remote &remote = history.remote[index(Side::projects)];
    remote.external_id = prefix_ + "p" + std::to_string(history.number);
    remote.version = first_version;
    for (std::size_t field = 0; field < field_count; ++field)
      remote.fields[name_of(Side::projects, field)] =
          typed_value(Side::projects, field, 0, history.random);
    external_ids.push_back(remote.external_id);
    by_external_id_[remote.external_id] = {&history, Side::projects};
    Json fields = remote.fields;
    fields.update(place_);
    records.push_back({{"external_id", remote.external_id},
                       {"version", instant_text(remote.version)},
                       {"fields", fields}});
  }
  bridge_.receive(Side::projects, records, instants_.back());
  const std::vector<std::string> ids = bridge_.add_to_crm(external_ids);
  const std::vector<std::string> twins = bridge_.twins(ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    histories_[i].id = {ids[i], twins[i]};
    for (const Side side : sides) by_id_[histories_[i].id[index(side)]] = {&histories_[i], side};
  }
  const std::string lease = bridge_.new_lease();
  Json results = Json::array();
  for (const Bridge::Claimed &created : bridge_.claim(Side::crm, lease)) {
    History &history = *by_id_.at(created.record_id).first;
    Remote &remote = history.remote[index(Side::crm)];
    remote.external_id = prefix_ + "c" + std::to_string(history.number);
    remote.version = first_version;
    for (const auto &[name, value] : created.fields.items())
      if (field_named(Side::crm, name) < field_count) remote.fields[name] = value;
    by_external_id_[remote.external_id] = {&history, Side::crm};
    results.push_back({{"module", "crm_task"},
                       {"record_id", created.record_id},
                       {"external_id", remote.external_id},
                       {"version", instant_text(remote.version)}});
  }
  bridge_.acknowledge(lease, results);
  bridge_.run(
      "ANALYZE crm_bridge.crm_task, crm_bridge.projects_task, crm_bridge.link, crm_bridge.shadow");
  std::vector<Bridge::Faces> faces = bridge_.faces(ids, twins);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    histories_[i].face = {std::move(faces[i].left), std::move(faces[i].right)};
    histories_[i].in_step();
  }
  look(everybody());
  for (const auto &[outcome, times] : read_all())
    if (outcome != "unchanged")
      troubles_.push_back("a pair that was just made was told " + outcome);
}

// Waves differ in who wins and in what becomes of the twin of what is deleted.
void Wave::draw_policies() {
  static const std::vector<std::string> choices{"newest", "newest", "left", "right", "manual"};
  static const std::vector<std::string> deletions{"unlink", "delete", "restore"};
  const std::string &on_delete = deletions[static_cast<std::size_t>(plan_.wave) % 3];
  bridge_.run("SELECT crm_bridge.set_on_delete('task_task', $1)", on_delete);
  for (History &history : histories_) history.on_delete = on_delete;
  for (const std::string &scope :
       {std::string("task_task"), std::string("crm_task"), std::string("projects_task")}) {
    for (std::size_t field = 0; field < field_count; ++field) {
      const std::string name =
          name_of(scope == "projects_task" ? Side::projects : Side::crm, field);
      const std::string policy = plan_.wave == 0 ? "newest" : random_.pick(choices);
      policies_[scope + "." + name] = policy;
      bridge_.set_policy(scope, name, policy);
      if (policy != "manual") continue;
      for (History &history : histories_) {
        if (scope == "task_task")
          history.held_between_faces.insert(field);
        else
          history.questions[scope == "projects_task" ? 1 : 0] = true;
      }
    }
  }
}

// The faces as they are now.
void Wave::look(const std::vector<History *> &histories) {
  if (histories.empty()) return;
  std::vector<std::string> left_ids, right_ids;
  for (const History *history : histories) {
    left_ids.push_back(history->id[0]);
    right_ids.push_back(history->id[1]);
  }
  std::vector<Bridge::Faces> faces = bridge_.faces(left_ids, right_ids);
  for (std::size_t i = 0; i < faces.size(); ++i)
    histories[i]->looked_at(std::move(faces[i].left), std::move(faces[i].right), faces[i].linked,
                            faces[i].apart);
}

void Wave::tell(Side side, const Told &told) {
  std::map<std::size_t, Told> by_instant;
  for (const auto &[history, position] : told)
    by_instant[history->readings[index(side)][position].taken_at].emplace_back(history, position);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  for (const auto &[instant, part] : by_instant) {
    Json records = Json::array();
    std::vector<History *> touched;
    for (const auto &[history, position] : part) {
      records.push_back(
          record_of(*history, side, history->readings[index(side)][position], place_, now));
      touched.push_back(history);
    }
    const auto outcomes = bridge_.receive(side, records, instants_.at(instant));
    for (const auto &[history, position] : part) {
      const Reading &reading = history->readings[index(side)][position];
      history->heard(side, reading, outcomes.at(reading.external_id));
    }
    look(touched);
  }
}

std::map<std::string, int> Wave::read_all() {
  std::map<std::string, int> outcomes;
  for (const Side side : sides) {
    instants_.push_back(bridge_.clock());
    Json records = Json::array();
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    for (History &history : histories_) {
      history.read(side, instants_.size() - 1);
      history.queue[index(side)].pop_back();
      records.push_back(
          record_of(history, side, history.readings[index(side)].back(), place_, now));
    }
    for (const auto &[external_id, outcome] : bridge_.receive(side, records, instants_.back())) {
      History &history = *by_external_id_.at(external_id).first;
      history.heard(side, history.readings[index(side)].back(), outcome);
      ++outcomes[outcome];
    }
    look(everybody());
  }
  return outcomes;
}

// Reconciles and sends until nothing is due.  Result: whether anything was sent.
bool Wave::send_all() {
  bool sent = false;
  for (bool more = true; more;) {
    more = false;
    reconcile();
    for (const Side side : sides) more = claim(side, round_, true) || more;
    sent = sent || more;
    carry(round_);
  }
  return sent;
}

// The network calms down: what is under way ends, everything is told, everything is read once,
// everything is sent.
void Wave::come_to_rest() {
  constexpr int end_of_time = 1 << 20;
  round_ = end_of_time;
  carry(round_);
  for (const auto &[of_round, lease] : leases_) {
    bridge_.break_lease(lease);
    for (History &history : histories_) history.lease_broken(lease);
  }
  for (const Side side : sides) {
    follow_notices(side);
    for (bool more = true; more;) {
      Told told;
      for (History &history : histories_) {
        auto &queue = history.queue[index(side)];
        if (queue.empty()) continue;
        told.emplace_back(&history, queue.back());
        queue.pop_back();
      }
      more = !told.empty();
      tell(side, told);
    }
  }
  const auto outcomes = read_all();
  if (outcomes.contains("stale")) troubles_.push_back("the last reading of all was called stale");
  send_all();
  // What nobody has decided is as it was; then it is decided, and that travels.
  while (decide(true)) {
    send_all();
    read_all();
    send_all();
  }
  for (History &history : histories_) history.at_rest = true;
  for (const auto &[outcome, times] : read_all())
    if (outcome != "unchanged")
      troubles_.push_back("when all was sent, a reading was " + outcome + " " +
                          std::to_string(times) + " times");
  if (send_all())
    troubles_.push_back("B9: the reading of what the bridge itself has sent caused requests");
  // Every reading ever taken comes once more, days late and in another order.
  for (const Side side : sides) {
    std::map<int, Told> copies;
    for (History &history : histories_)
      for (std::size_t i = 0; i < history.readings[index(side)].size(); ++i)
        copies[static_cast<int>(history.readings[index(side)].size() - i)].emplace_back(&history,
                                                                                        i);
    for (const auto &[order, told] : copies) tell(side, told);
  }
  if (send_all()) troubles_.push_back("B9: readings that came once more, late, caused requests");
}

}  // namespace crm_bridge::convergence
