// SPDX-License-Identifier: PostgreSQL
#include "history.hpp"

#include <algorithm>

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

const Json &at(const Json &object, const std::string &name, const Json &otherwise) {
  const auto found = object.find(name);
  return found == object.end() ? otherwise : *found;
}

}  // namespace

History::History(std::uint64_t seed, int number_)
    : number(number_),
      random(seed, static_cast<std::uint64_t>(number_) * 4096),
      network(random),
      calm(random.chance(50)) {
  for (const Side side : sides) {
    for (std::size_t field = 0; field < field_count; ++field)
      remote[index(side)].fields[name_of(side, field)] = nullptr;
    in_flight_[index(side)] = decided_[index(side)] = base_[index(side)] = known_[index(side)] =
        Json::object();
  }
}

void History::begin_round(std::uint64_t seed, int round) {
  const auto stream =
      static_cast<std::uint64_t>(number) * 4096 + 2 * static_cast<std::uint64_t>(round);
  random = Random(seed, stream);
  network = Random(seed, stream + 1);
}

void History::in_step() {
  for (const Side side : sides) known_[index(side)] = remote[index(side)].fields;
}

int History::enter(Side side, std::size_t field, Json value, bool there) {
  typed.push_back({side, field, std::move(value), there});
  return static_cast<int>(typed.size()) - 1;
}

Json History::type_here(Side side) {
  Json patch = Json::object();
  for (int left = random.chance(30) ? 2 : 1; left > 0; --left) {
    const auto field = static_cast<std::size_t>(random.below(field_count));
    Json value = typed_value(side, field, ++serial_, random);
    // Now and then both people have the same idea.
    if (random.chance(10) && field == subject)
      value = remote[index(other(side))].fields[name_of(other(side), subject)];
    if (patch.contains(name_of(side, field)) || value == face[index(side)][name_of(side, field)])
      continue;
    enter(side, field, value, false);
    patch[name_of(side, field)] = std::move(value);
  }
  log.push_back("an app writes " + std::string(module_of(side)) + " " + patch.dump());
  return patch;
}

bool History::in_doubt(Side side, std::size_t field, const Json &value) const {
  return std::any_of(requests.begin(), requests.end(), [&](const Request &request) {
    return request.side == side && !request.confirmed && request.fate != Fate::released &&
           request.fields.value(name_of(side, field), Json("")) == value;
  });
}

void History::type_there(Side side) {
  Remote &record = remote[index(side)];
  Json patch = Json::object();
  for (int left = random.chance(30) ? 2 : 1; left > 0; --left) {
    const auto field = static_cast<std::size_t>(random.below(field_count));
    Json value = typed_value(side, field, ++serial_, random);
    if (random.chance(10) && field == subject) value = face[index(side)][name_of(side, subject)];
    Json &standing = record.fields[name_of(side, field)];
    if (patch.contains(name_of(side, field)) || value == standing) continue;
    // Decision 9: what a write in doubt would have brought is taken for it, once.
    if (in_doubt(side, field, value)) continue;
    if (is_persons(record.author[field])) {
      Typed &before = typed[static_cast<std::size_t>(record.author[field])];
      before.replaced = before.replaced || !before.told;
    }
    record.author[field] = enter(side, field, value, true);
    patch[name_of(side, field)] = value;
    standing = std::move(value);
  }
  if (!patch.empty()) ++record.version;
  log.push_back("a person edits at " + text(side) + " " + patch.dump());
}

void History::read(Side side, std::size_t instant) {
  const Remote &record = remote[index(side)];
  queue[index(side)].push_back(readings[index(side)].size());
  readings[index(side)].push_back(
      {record.fields, record.version, record.author, instant, network.chance(50)});
}

void History::heard(Side side, const Reading &reading, const std::string &outcome) {
  if (!at_rest || (outcome != "stale" && outcome != "unchanged"))
    log.push_back("told of " + text(side) + " " + reading.fields.dump() + ": " + outcome);
  if (outcome == "stale") {
    read_again[index(side)] = true;
    return;
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Request &request = requests[i];
    if (request.side != side || !request.reached || request.refused || request.confirmed) continue;
    int shown = 0;
    for (const int author : reading.author) shown += author == by_request(i) ? 1 : 0;
    if (shown > 0 && shown < static_cast<int>(request.fields.size())) request.mixed = true;
  }
  heard_of_[index(side)] = std::max(heard_of_[index(side)], reading.version);
  Json &known = known_[index(side)];
  const Json &flying = in_flight_[index(side)];
  for (std::size_t field = 0; field < field_count; ++field) {
    const std::string &name = name_of(side, field);
    const Json &value = reading.fields[name];
    if (is_persons(reading.author[field]))
      typed[static_cast<std::size_t>(reading.author[field])].told = true;
    if (flying.contains(name) && flying[name] == value) {
      known[name] = value;
      continue;
    }
    if (flying.contains(name)) ++overlaps_[index(side)][field];
    if (flying.contains(name) && value != known[name]) decided_[index(side)][name] = true;
    const Json &local = face[index(side)][name];
    // B1: both sides changed it since they agreed, and to different values.
    if (value != known[name] && local != known[name] && value != local)
      foretold.push_back({false, side, field, local, value});
    known[name] = value;
  }
}

void History::looked_at(Json left, Json right, bool apart_now) {
  std::array<Json, 2> now{std::move(left), std::move(right)};
  for (const Side side : sides) {
    for (std::size_t field = 0; field < field_count; ++field) {
      const std::string &name = name_of(side, field);
      const Json &before = face[index(side)][name];
      if ((apart || apart_now) && before != now[index(side)][name] &&
          !base_[index(side)].contains(name))
        base_[index(side)][name] = before;
    }
  }
  face = std::move(now);
  apart = apart_now;
  if (!apart) base_ = {Json::object(), Json::object()};
}

void History::before_reconcile() {
  if (!apart) return;
  log.emplace_back("reconcile");
  for (std::size_t field = 0; field < field_count; ++field) {
    const std::string &left_name = name_of(Side::crm, field);
    const std::string &right_name = name_of(Side::projects, field);
    const Json &left = face[0][left_name];
    const Json &right = face[1][right_name];
    const bool left_moved = at(base_[0], left_name, left) != left;
    const bool right_moved = at(base_[1], right_name, right) != right;
    if (left_moved && right_moved &&
        meaning(Side::crm, field, left) != meaning(Side::projects, field, right))
      foretold.push_back({true, Side::crm, field, left, right});
  }
}

Request &History::hand_out(Side side, Json fields, std::int64_t version, const std::string &lease,
                           int round, bool peaceful) {
  Request request;
  request.side = side;
  request.fields = std::move(fields);
  request.lease = lease;
  request.fate = peaceful ? Fate::done : draw_fate(calm, network);
  request.effect_at = request.told_at = round;
  if (request.fate == Fate::told_later || request.fate == Fate::answer_lost ||
      request.fate == Fate::request_lost)
    request.told_at += network.below(4);
  if (request.fate == Fate::done_later) request.effect_at = request.told_at += 1 + network.below(3);
  if (request.fate == Fate::done_very_late) request.effect_at += 2 + network.below(5);
  // The CRM judges a record that is sent alone by the version that we know.
  if (side == Side::crm && network.chance(50)) request.unless_after = version;
  request.idle = std::all_of(
      request.fields.items().begin(), request.fields.items().end(),
      [&](const auto &field) { return known_[index(side)][field.key()] == field.value(); });
  in_flight_[index(side)] = request.fields;
  decided_[index(side)] = Json::object();
  if (request.fate != Fate::released)
    for (const auto &[name, value] : request.fields.items())
      ++sent_[index(side)][field_named(side, name)];
  log.push_back("a request to " + text(side) + " " + request.fields.dump() + ": " +
                name(request.fate));
  requests.push_back(std::move(request));
  return requests.back();
}

void History::reach(Request &request) {
  request.reached = true;
  Remote &record = remote[index(request.side)];
  if (request.unless_after && record.version > *request.unless_after) {
    request.refused = true;
    read_again[index(request.side)] = true;
    log.push_back(text(request.side) + " refuses " + request.fields.dump() + ": modified already");
    return;
  }
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
  if (request.fate == Fate::done_later || request.fate == Fate::done_very_late)
    log.push_back(text(request.side) + " does " + request.fields.dump());
}

void History::confirmed(Request &request, const std::string &outcome) {
  request.told = true;
  log.push_back("confirmed to " + text(request.side) + " " + request.fields.dump() + ": " +
                outcome);
  if (outcome == "late") return;
  request.confirmed = true;
  // What a newer reading has decided on before the answer came stays as it showed it.
  const bool older = request.version < heard_of_[index(request.side)];
  for (const auto &[name, value] : request.fields.items())
    if (!older || !decided_[index(request.side)].contains(name))
      known_[index(request.side)][name] = value;
  in_flight_[index(request.side)] = Json::object();
}

void History::failed(Request &request) {
  request.told = true;
  if (request.fate != Fate::released)
    log.push_back("told that it failed at " + text(request.side) + " " + request.fields.dump());
  const bool in_doubt = request.fate == Fate::answer_lost || request.fate == Fate::request_lost ||
                        request.fate == Fate::done_very_late;
  doubtful = doubtful || in_doubt;
  if (!in_doubt) in_flight_[index(request.side)] = Json::object();
}

void History::lease_broken(const std::string &lease) {
  for (const Request &request : requests) {
    if (request.lease != lease || request.told) continue;
    doubtful = true;
    log.push_back("the worker dies that has sent " + text(request.side) + " " +
                  request.fields.dump());
  }
}

int History::genuine_edits() const { return static_cast<int>(typed.size()); }

int History::conflicts_of(Side side, std::size_t field) const {
  int count = 0;
  for (const auto &[clash, times] : recorded)
    if (clash.field == field && (clash.of_link || clash.side == side)) count += times;
  return count;
}

bool History::looked_like_a_persons(Side side, std::size_t field, const Json &value) const {
  return std::any_of(requests.begin(), requests.end(), [&](const Request &request) {
    return (request.late || request.mixed) && request.side == side &&
           request.fields.value(name_of(side, field), Json("")) == value;
  });
}

int History::allowed(Side side, std::size_t field) const {
  int edits = 0;
  for (const Typed &value : typed)
    if (value.field == field && (!value.there || value.side != side)) ++edits;
  int forced = overlaps_[index(side)][field];
  for (const Request &request : requests) {
    if (request.fate == Fate::released || !request.fields.contains(name_of(request.side, field)))
      continue;
    if (request.side == side && !request.confirmed) ++forced;
    // What is done after it was given up is put right here, or taken for a person's there.
    if (request.late || request.mixed) ++forced;
  }
  return edits + forced + conflicts_of(side, field);
}

}  // namespace crm_bridge::convergence
