// SPDX-License-Identifier: PostgreSQL
// What is handed out to workers, what the services make of it, and what is told of that.
#include <algorithm>

#include "history.hpp"

namespace crm_bridge::convergence {

namespace {

std::string text(Side side) { return side == Side::crm ? "CRM" : "Projects"; }

const char *name(Fate fate) {
  static const std::array<const char *, 8> names{
      "released",    "done",        "done, told later", "done later",
      "unavailable", "answer lost", "request lost",     "done very late"};
  return names[static_cast<std::size_t>(fate)];
}

Fate draw_fate(bool calm, Random &random) {
  const int drawn = random.below(100);
  if (drawn < 20) return Fate::released;
  if (drawn < 45) return Fate::done;
  if (drawn < 60) return Fate::told_later;
  if (drawn < 70) return Fate::done_later;
  if (drawn < 80 || calm) return Fate::unavailable;
  if (drawn < 88) return Fate::answer_lost;
  return drawn < 94 ? Fate::request_lost : Fate::done_very_late;
}

}  // namespace

Request &History::hand_out(Request request, std::int64_t version, int round, bool peaceful) {
  const Side side = request.side;
  const bool creates = request.operation == Operation::create;
  request.fate = peaceful ? Fate::done : draw_fate(calm, network);
  // Nobody can tell a creation that is done after it was looked up from a stranger's.
  if (creates && request.fate == Fate::done_very_late) request.fate = Fate::answer_lost;
  request.effect_at = request.told_at = round;
  if (request.fate == Fate::told_later || request.fate == Fate::answer_lost ||
      request.fate == Fate::request_lost)
    request.told_at += network.below(4);
  if (request.fate == Fate::done_later) {
    request.told_at += 1 + network.below(3);
    if (!creates) request.effect_at = request.told_at;
  }
  if (request.fate == Fate::done_very_late) request.effect_at += 2 + network.below(5);
  // The CRM judges a record that is sent alone by the version that we know.
  if (side == Side::crm && request.operation == Operation::update && network.chance(50))
    request.unless_after = version;
  if (creates) {
    for (std::size_t field = 0; field < field_count; ++field)
      request.fields.emplace(name_of(side, field), nullptr);
    known_[index(side)] = request.fields;
  }
  request.idle = request.operation == Operation::update &&
                 std::all_of(request.fields.items().begin(), request.fields.items().end(),
                             [&](const auto &field) {
                               return known_[index(side)][field.key()] == field.value();
                             });
  in_flight_[index(side)] = request.fields;
  decided_[index(side)] = Json::object();
  meddled_[index(side)] = false;
  if (request.fate != Fate::released && request.operation == Operation::update)
    for (const auto &[name, value] : request.fields.items())
      ++sent_[index(side)][field_named(side, name)];
  log.push_back(std::string("a request to ") +
                (creates                                  ? "make at "
                 : request.operation == Operation::remove ? "delete at "
                                                          : "") +
                text(side) + " " + request.fields.dump() + ": " + name(request.fate));
  requests.push_back(std::move(request));
  return requests.back();
}

void History::reach(Request &request) {
  request.reached = true;
  Remote &record = remote[index(request.side)];
  if (request.operation == Operation::create) {
    make(request);
  } else if (request.operation == Operation::remove) {
    request.missing = !erase(request);
  } else if (!record.exists || record.external_id != request.external_id) {
    request.missing = true;
    read_again[index(request.side)] = true;
  } else if (request.unless_after && record.version > *request.unless_after) {
    request.refused = true;
    read_again[index(request.side)] = true;
    log.push_back(text(request.side) + " refuses " + request.fields.dump() + ": modified already");
    return;
  } else {
    write(request);
  }
  if (request.fate == Fate::done_later || request.fate == Fate::done_very_late)
    log.push_back(text(request.side) + (request.missing ? " has nothing for " : " does ") +
                  request.fields.dump());
}

void History::write(Request &request) {
  Remote &record = remote[index(request.side)];
  request.late = std::any_of(requests.begin(), requests.end(), [&](const Request &newer) {
    return &newer > &request && newer.side == request.side && newer.fate != Fate::released;
  });
  for (const auto &[name, value] : request.fields.items()) {
    const std::size_t field = field_named(request.side, name);
    if (is_persons(record.author[field]) && record.fields[name] != value) {
      Typed &before = typed[static_cast<std::size_t>(record.author[field])];
      before.replaced = before.replaced || !before.told;
    }
    record.author[field] = by_request(static_cast<std::size_t>(&request - requests.data()));
    record.fields[name] = value;
  }
  request.version = ++record.version;
}

void History::confirmed(Request &request, const std::string &outcome) {
  const Side side = request.side;
  request.told = true;
  log.push_back("confirmed to " + text(side) + " " + request.fields.dump() + ": " + outcome);
  if (request.operation == Operation::create) {
    known_id_[index(side)] = request.external_id;
    known_there_[index(side)] = true;
  }
  if (outcome == "late" || outcome == "duplicate") return;
  request.confirmed = true;
  if (request.operation == Operation::remove) {
    known_there_[index(side)] = false;
    return;
  }
  // What a newer reading has decided on before the answer came stays as it showed it.
  const bool older = request.version < heard_of_[index(side)];
  for (const auto &[name, value] : request.fields.items())
    if (!older || !decided_[index(side)].contains(name)) known_[index(side)][name] = value;
  in_flight_[index(side)] = Json::object();
}

void History::failed(Request &request) {
  request.told = true;
  if (request.fate != Fate::released)
    log.push_back("told that it failed at " + text(request.side) + " " + request.fields.dump());
  const bool in_doubt = request.fate == Fate::answer_lost || request.fate == Fate::request_lost ||
                        request.fate == Fate::done_very_late;
  doubtful = doubtful || in_doubt;
  meddled_[index(request.side)] = true;
  // What was deleted here meanwhile need not be deleted there.
  if (request.missing && !in_doubt && !here[index(request.side)])
    known_there_[index(request.side)] = false;
  // Another one, of a worker that was given up, may be under way still.
  const bool another = std::any_of(requests.begin(), requests.end(), [&](const Request &each) {
    return each.side == request.side && !each.told;
  });
  if (!in_doubt && !another) in_flight_[index(request.side)] = Json::object();
}

void History::lease_broken(const std::string &lease) {
  for (const Request &request : requests) {
    if (request.lease != lease || request.told) continue;
    doubtful = true;
    log.push_back("the worker dies that has sent " + text(request.side) + " " +
                  request.fields.dump());
  }
}

}  // namespace crm_bridge::convergence
