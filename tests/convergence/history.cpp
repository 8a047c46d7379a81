// SPDX-License-Identifier: PostgreSQL
#include "history.hpp"

#include <algorithm>

namespace crm_bridge::convergence {

namespace {

std::string text(Side side) { return side == Side::crm ? "CRM" : "Projects"; }

const Json &at(const Json &object, const std::string &name, const Json &otherwise) {
  const auto found = object.find(name);
  return found == object.end() ? otherwise : *found;
}

}  // namespace

History::History(std::uint64_t seed, int number_)
    : number(number_),
      random(seed, static_cast<std::uint64_t>(number_) * 4096),
      network(random),
      calm(random.chance(50)),
      mortal(random.chance(50)) {
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
  for (const Side side : sides) {
    known_[index(side)] = remote[index(side)].fields;
    known_id_[index(side)] = remote[index(side)].external_id;
  }
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

void History::read(Side side, std::size_t instant, const std::string &external_id) {
  const Remote &record = remote[index(side)];
  const bool former = !external_id.empty() && external_id != record.external_id;
  queue[index(side)].push_back(readings[index(side)].size());
  readings[index(side)].push_back({former ? external_id : record.external_id,
                                   former || !record.exists, record.fields, record.version,
                                   record.author, instant, network.chance(50)});
}

void History::heard(Side side, const Reading &reading, const std::string &outcome) {
  if (!at_rest || (outcome != "stale" && outcome != "unchanged"))
    log.push_back("told of " + text(side) + " " +
                  (reading.gone ? "deleted" : reading.fields.dump()) + ": " + outcome);
  // Of what waits for reconcile nothing is taken either.
  const bool waits = deferred_[index(side)] && !here[index(side)];
  if (outcome == "busy" && !waits) surprises.push_back(text(side) + " is busy, and nobody writes");
  if (outcome == "stale" || outcome == "busy") {
    read_again[index(side)] = true;
    return;
  }
  if (reading.external_id != known_id_[index(side)]) {
    // What was made and not confirmed yet; Projects keeps no id of ours: there it is a stranger.
    const bool made_now = reading.external_id == remote[index(side)].external_id;
    if (!made_now && outcome != "unchanged")
      surprises.push_back("B3: what is gone at " + text(side) + " was " + outcome);
    if (!made_now || side == Side::projects || reading.gone) return;
    known_id_[index(side)] = reading.external_id;
    known_there_[index(side)] = true;
  }
  if (reading.gone)
    heard_gone(side, outcome);
  else if (here[index(side)])
    heard_fields(side, reading);
  else
    heard_of_deleted(side, reading, outcome);
}

void History::heard_fields(Side side, const Reading &reading) {
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

void History::looked_at(Json left, Json right, bool linked_now, bool apart_now) {
  std::array<Json, 2> now{std::move(left), std::move(right)};
  if (linked_now != linked)
    surprises.push_back(linked ? "D2: the link is over" : "D2: the link goes on");
  linked = linked_now;
  for (const Side side : sides) {
    const bool there = !now[index(side)].is_null();
    if (there != here[index(side)])
      surprises.push_back("D2: the face of " + text(side) + (there ? " is there" : " is gone"));
    here[index(side)] = there;
    if (!there) continue;
    for (std::size_t field = 0; field < field_count; ++field) {
      const std::string &name = name_of(side, field);
      const Json &before = face[index(side)][name];
      if (before == now[index(side)][name]) continue;
      meddled_[index(side)] = true;
      if ((apart || apart_now) && !base_[index(side)].contains(name))
        base_[index(side)][name] = before;
    }
    face[index(side)] = std::move(now[index(side)]);
  }
  apart = apart_now;
  if (!apart) base_ = {Json::object(), Json::object()};
  note_held();
}

void History::before_reconcile() {
  deferred_ = {};
  if (!apart) return;
  log.emplace_back("reconcile");
  if (here[0] && here[1])
    reconcile_fields();
  else
    reconcile_deletion();
}

void History::reconcile_fields() {
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

int History::genuine_edits() const {
  return static_cast<int>(std::count_if(typed.begin(), typed.end(),
                                        [](const Typed &value) { return !value.withdrawn; }));
}

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
    if (value.field == field && !value.withdrawn && (!value.there || value.side != side)) ++edits;
  int forced = overlaps_[index(side)][field];
  for (const Request &request : requests) {
    if (request.fate == Fate::released || !request.fields.contains(name_of(request.side, field)))
      continue;
    if (request.side == side && !request.confirmed) ++forced;
    // What is done after it was given up is put right here, or taken for a person's there.
    if (request.late || request.mixed) ++forced;
  }
  return edits + forced + conflicts_of(side, field) + decisions_[field];
}

}  // namespace crm_bridge::convergence
