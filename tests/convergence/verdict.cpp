// SPDX-License-Identifier: PostgreSQL
// The end of a wave against what was promised: convergence, B1, B2, B9.
#include <algorithm>

#include "wave.hpp"

namespace crm_bridge::convergence {

namespace {

std::string told(const Clash &clash) {
  const std::string between = (clash.of_link ? std::string("between the faces")
                                             : "with " + std::string(service_of(clash.side)));
  if (clash.field == field_count) return between + ", deleted on one side and changed on the other";
  return between + ", field " + name_of(clash.side, clash.field) + ": " + clash.left.dump() +
         " against " + clash.right.dump();
}

std::vector<std::string> ids_of(const std::vector<History> &histories) {
  std::vector<std::string> ids;
  for (const History &history : histories)
    ids.insert(ids.end(), history.id.begin(), history.id.end());
  return ids;
}

}  // namespace

void Wave::read_conflicts() {
  for (const auto &row : bridge_.run(
           "SELECT c.record_id, c.link_id IS NOT NULL, c.field, c.left_value, c.right_value, "
           "c.winner,"
           "       CASE WHEN c.left_at = c.right_at THEN 'tie' WHEN c.left_at > c.right_at THEN "
           "'left' ELSE 'right' END"
           "  FROM crm_bridge.conflict AS c WHERE c.org_id = 1 AND c.record_id = ANY ($1::uuid[])",
           Bridge::array(ids_of(histories_)))) {
    const auto [history, side] = by_id_.at(row[0].c_str());
    Clash clash;
    clash.of_link = row[1].as<bool>();
    clash.side = side;
    clash.field = field_named(side, row[2].c_str());
    if (clash.field == field_count && row[2].c_str() == std::string("*")) {
      ++history->recorded[clash];
      continue;
    }
    if (clash.field == field_count) {
      troubles_.push_back(std::string("a conflict about field ") + row[2].c_str());
      continue;
    }
    const auto value = [&](int column) {
      return row[column].is_null() ? Json(nullptr)
                                   : bridge_.outward(clash.field, Json::parse(row[column].c_str()));
    };
    clash.left = value(3);
    clash.right = value(4);
    ++history->recorded[clash];
    const std::string scope = clash.of_link ? "task_task" : module_of(side);
    const std::string &policy = policies_.at(scope + "." + row[2].c_str());
    const std::string winner = row[5].c_str();
    const std::string wanted = policy == "newest" ? row[6].c_str() : policy;
    if (wanted != "tie" && wanted != "manual" && winner != wanted)
      troubles_.push_back("D1: " + told(clash) + ": " + winner + " wins, by " + policy + " it is " +
                          wanted);
  }
}

void Wave::read_history() {
  for (const auto &row :
       bridge_.run("SELECT h.record_id, h.old FROM crm_bridge.history AS h WHERE h.org_id = 1 AND "
                   "h.record_id = ANY ($1::uuid[]) AND h.old IS NOT NULL",
                   Bridge::array(ids_of(histories_)))) {
    const auto [history, side] = by_id_.at(row[0].c_str());
    const Json old = Json::parse(row[1].c_str());
    for (const auto &[name, value] : old.items()) {
      const std::size_t field = field_named(side, name);
      if (field < field_count) past_[row[0].c_str()][name].insert(bridge_.outward(field, value));
    }
  }
}

// B3: each row of the mirrors is what its service has, and nothing is left to be sent, parked or
// not.
void Wave::read_strangers() {
  for (const Side side : sides) {
    const std::string module = module_of(side);
    for (const auto &row : bridge_.run("SELECT t.external_id, t.id FROM crm_bridge." + module +
                                           " AS t WHERE t.org_id = 1 AND (t.external_id LIKE $1 OR "
                                           "t.id = ANY ($2::uuid[]))",
                                       prefix_ + "%", Bridge::array(ids_of(histories_)))) {
      const auto known = by_id_.find(row[1].c_str());
      const std::string external_id = row[0].is_null() ? "" : row[0].c_str();
      if (known != by_id_.end()) {
        History &history = *known->second.first;
        if (history.remote[index(side)].external_id != external_id)
          history.surprises.push_back("B3: " + module + " is called " + external_id);
        continue;
      }
      by_external_id_.at(external_id)
          .first->surprises.push_back("B3: " + module + " has " + external_id + " once more");
    }
  }
  for (const auto &row : bridge_.run("SELECT d.record_id, d.state, d.operation, d.reason FROM "
                                     "crm_bridge.delivery AS d WHERE d.org_id = 1"))
    if (const auto known = by_id_.find(row[0].c_str()); known != by_id_.end())
      known->second.first->surprises.push_back(std::string("B9: a ") + row[2].c_str() +
                                               " is left " + row[1].c_str() + ", " +
                                               (row[3].is_null() ? "" : row[3].c_str()));
}

void Wave::judge_end(const History &history, std::vector<std::string> &wrong) const {
  wrong.insert(wrong.end(), history.surprises.begin(), history.surprises.end());
  if (history.apart) wrong.emplace_back("B9: the faces are not merged");
  for (const Side side : sides) {
    const std::string service = service_of(side);
    const Remote &remote = history.remote[index(side)];
    if (history.here[index(side)] != remote.exists) {
      wrong.push_back("B9: " + service + (remote.exists ? " has it still" : " does not have it"));
      continue;
    }
    if (!remote.exists) continue;
    for (std::size_t field = 0; field < field_count; ++field) {
      const std::string &name = name_of(side, field);
      const Json &here = history.face[index(side)][name];
      const Json &there = remote.fields[name];
      if (here != there)
        wrong.push_back("B9: " + name + " is " + here.dump() + " here and " + there.dump() +
                        " at " + service);
    }
  }
  if (!history.linked) return;
  if (!history.here[0] || !history.here[1]) wrong.emplace_back("B9: a link has one face only");
  for (std::size_t field = 0; field < field_count; ++field) {
    const Json left = meaning(Side::crm, field, history.face[0][name_of(Side::crm, field)]);
    const Json right =
        meaning(Side::projects, field, history.face[1][name_of(Side::projects, field)]);
    if (left != right)
      wrong.push_back("B9: the faces differ in " + name_of(Side::crm, field) + ": " + left.dump() +
                      " and " + right.dump());
  }
}

// B1: where no answer was lost, the conflicts are exactly those that the base, the mirror and the
// service foretell. Where one was, whatever is in conflict was at least entered by somebody at the
// service, or on both faces.
void Wave::judge_conflicts(History &history, std::vector<std::string> &wrong) const {
  if (!history.doubtful) {
    // Of what a person is to decide the same question is not asked twice.
    const auto manual = [&](const Clash &clash) {
      const std::string scope = clash.of_link ? "task_task" : module_of(clash.side);
      return clash.field < field_count &&
             policies_.at(scope + "." + name_of(clash.side, clash.field)) == "manual";
    };
    std::map<Clash, int> foretold;
    for (const Clash &clash : history.foretold) ++foretold[clash];
    for (const auto &[clash, times] : foretold)
      if (const auto found = history.recorded.find(clash);
          !manual(clash) && (found == history.recorded.end() || found->second < times))
        wrong.push_back("B1: not on record " + std::to_string(times) + " times: a conflict " +
                        told(clash));
    for (const auto &[clash, times] : history.recorded)
      if (const auto found = foretold.find(clash);
          !manual(clash) && (found == foretold.end() || found->second < times))
        wrong.push_back("B1: on record " + std::to_string(times) + " times: a conflict " +
                        told(clash));
  }
  for (const auto &[clash, times] : history.recorded) {
    if (clash.field == field_count) continue;
    const auto entered = [&](auto matches) {
      return std::any_of(history.typed.begin(), history.typed.end(), [&](const Typed &value) {
        return value.field == clash.field && matches(value);
      });
    };
    const auto of = [&](Side side, const Json &standing) {
      return entered([&](const Typed &value) {
               return value.side == side && (clash.of_link || value.there);
             }) ||
             history.looked_like_a_persons(side, clash.field, standing);
    };
    const bool genuine = clash.of_link
                             ? of(Side::crm, clash.left) && of(Side::projects, clash.right)
                             : of(clash.side, clash.right);
    if (!genuine) wrong.push_back("B1: nobody entered what is in conflict " + told(clash));
  }
}

// B2: what was entered is in force, or in a conflict, or in the history.  What a service replaced
// before anybody was told of it, this side has never seen: neither API has conditional writes for
// several records, and Projects none at all.
void Wave::judge_typed(const History &history, std::vector<std::string> &wrong,
                       Tally &tally) const {
  for (const Typed &value : history.typed) {
    const std::string &name = name_of(value.side, value.field);
    if (value.withdrawn) continue;
    if (history.here[index(value.side)] && history.face[index(value.side)][name] == value.value)
      continue;
    const bool clashed =
        std::any_of(history.recorded.begin(), history.recorded.end(), [&](const auto &entry) {
          const Clash &clash = entry.first;
          if (clash.field != value.field) return false;
          if (clash.of_link)
            return (value.side == Side::crm ? clash.left : clash.right) == value.value;
          return clash.side == value.side &&
                 (clash.left == value.value || clash.right == value.value);
        });
    if (clashed) continue;
    if (const auto record = past_.find(history.id[index(value.side)]); record != past_.end())
      if (const auto field = record->second.find(name);
          field != record->second.end() && field->second.contains(value.value))
        continue;
    if (value.there && value.replaced && !value.told) {
      ++tally.replaced;
      continue;
    }
    wrong.push_back("B2: " + value.value.dump() + ", entered as " + name +
                    (value.there ? " at " + std::string(service_of(value.side)) : " here") +
                    ", is nowhere");
  }
}

// B9: nothing is sent but what somebody entered, once to each service that does not have it, and
// what the network made us send again.
void Wave::judge_requests(const History &history, std::vector<std::string> &wrong,
                          Tally &tally) const {
  for (const Side side : sides)
    for (std::size_t field = 0; field < field_count; ++field)
      if (history.sent(side, field) > history.allowed(side, field))
        wrong.push_back("B9: " + name_of(side, field) + " was sent to " + service_of(side) + " " +
                        std::to_string(history.sent(side, field)) + " times, " +
                        std::to_string(history.allowed(side, field)) + " are explained");
  for (const Side side : sides)
    for (const auto &[operation, word] :
         {std::pair{Operation::create, "made"}, {Operation::remove, "deleted"}})
      if (history.sent(side, operation) > history.allowed(side, operation))
        wrong.push_back(std::string("B9: it was ") + word + " at " + service_of(side) + " " +
                        std::to_string(history.sent(side, operation)) + " times, " +
                        std::to_string(history.allowed(side, operation)) + " are explained");
  for (const Request &request : history.requests) {
    if (request.fate == Fate::released) continue;
    ++tally.requests;
    if (request.operation == Operation::remove) ++tally.deletions;
    if (!request.confirmed) ++tally.forced;
    if (request.idle) ++tally.idle;
  }
}

std::map<int, std::vector<std::string>> Wave::judge(Tally &tally) {
  read_conflicts();
  read_history();
  read_strangers();
  std::map<int, std::vector<std::string>> wrong;
  for (History &history : histories_) {
    std::vector<std::string> of_history;
    judge_end(history, of_history);
    judge_conflicts(history, of_history);
    judge_typed(history, of_history, tally);
    judge_requests(history, of_history, tally);
    ++tally.histories;
    tally.calm += history.doubtful ? 0 : 1;
    tally.steps += static_cast<long>(history.log.size());
    tally.edits += history.genuine_edits();
    for (const auto &[clash, times] : history.recorded) tally.conflicts += times;
    if (!of_history.empty()) wrong[history.number] = std::move(of_history);
  }
  if (!troubles_.empty()) wrong[-1] = troubles_;
  return wrong;
}

}  // namespace crm_bridge::convergence
