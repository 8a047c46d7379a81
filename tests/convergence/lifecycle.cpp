// SPDX-License-Identifier: PostgreSQL
// What is deleted, and what must become of the other face and of both services' records (D2).
#include <algorithm>

#include "history.hpp"

namespace crm_bridge::convergence {

namespace {

std::string text(Side side) { return side == Side::crm ? "CRM" : "Projects"; }

}  // namespace

void History::withdraw(Side side, const Json &patch) {
  log.push_back("which comes too late: the face is gone");
  for (const auto &[name, entered] : patch.items()) {
    const std::size_t field = field_named(side, name);
    const auto value = std::find_if(typed.rbegin(), typed.rend(), [&](const Typed &each) {
      return !each.there && each.side == side && each.field == field && each.value == entered;
    });
    value->withdrawn = true;
  }
}

bool History::in_the_making(Side side) const {
  return here[index(side)] && !known_there_[index(side)] && remote[index(side)].exists;
}

// Whoever deletes a record deletes what nobody was told of.
void History::replace_unseen(Side side) {
  for (const int author : remote[index(side)].author) {
    if (!is_persons(author)) continue;
    Typed &value = typed[static_cast<std::size_t>(author)];
    value.replaced = value.replaced || !value.told;
  }
}

void History::delete_there(Side side) {
  log.push_back("a person deletes the record at " + text(side));
  replace_unseen(side);
  remote[index(side)].exists = false;
}

void History::deleted_here(Side side, bool deferred) {
  log.push_back("an app deletes the face of " + text(side) + (deferred ? ", deferred" : ""));
  here[index(side)] = false;
  ++departures_[index(side)];
  deferred_[index(side)] = deferred;
  if (!linked) return;
  // What is not in step, or has a request, is for reconcile to decide.
  if (deferred || (on_delete != "unlink" && (apart || held_)))
    apart = true;
  else
    end_link(side, false);
}

void History::end_link(Side gone, bool at_service) {
  const Side twin = other(gone);
  if (on_delete == "restore" && here[index(twin)]) {
    here[index(gone)] = true;
    if (at_service) ++revivals_[index(gone)];
    return;
  }
  linked = false;
  if (on_delete == "delete" && here[index(twin)]) {
    here[index(twin)] = false;
    ++departures_[index(twin)];
  }
}

void History::reconcile_deletion() {
  const Side gone = here[0] ? Side::projects : Side::crm;
  const Side twin = other(gone);
  if (!here[index(twin)]) {
    linked = false;
  } else if (on_delete == "restore") {
    end_link(gone, !known_there_[index(gone)]);
    reconcile_fields();
  } else if (on_delete == "delete" && (!base_[index(twin)].empty() || held_)) {
    foretold.push_back({true, Side::crm, field_count, nullptr, nullptr});
    linked = false;
  } else {
    end_link(gone, false);
  }
}

// Whether the mirror has what its service was not told, or may not have been.
bool History::changed_here(Side side) const {
  return !in_flight_[index(side)].empty() || face[index(side)] != known_[index(side)];
}

void History::heard_gone(Side side, const std::string &outcome) {
  bool &known_there = known_there_[index(side)];
  const bool has_face = here[index(side)];
  if (!known_there || !has_face) {
    // Whether a worker that was given up could still say that it found nothing, nobody knows.
    const bool open = doubtful && !has_face && (outcome == "deleted" || outcome == "unchanged");
    if (!open && outcome != (known_there ? "deleted" : "unchanged"))
      surprises.push_back("D2: a deletion at " + text(side) + " was " + outcome);
    known_there = false;
    return;
  }
  known_there = false;
  const bool changed = changed_here(side);
  if (outcome != "deleted" && outcome != "conflict")
    surprises.push_back("D2: a deletion at " + text(side) + " was " + outcome);
  if (outcome == "deleted" && changed)
    surprises.push_back("D2: deleted at " + text(side) + ", changed here, and not kept");
  if (outcome == "conflict" && !changed && !meddled_[index(side)])
    surprises.push_back("D2: deleted at " + text(side) + ", not changed here, and kept");
  if (outcome == "conflict") {
    foretold.push_back({false, side, field_count, nullptr, nullptr});
    ++revivals_[index(side)];
    return;
  }
  here[index(side)] = false;
  if (!linked) return;
  if (on_delete != "unlink" && (apart || held_)) {
    apart = true;
    return;
  }
  end_link(side, true);
}

// Deleted here, and the service is still to be told, or is just being told.
void History::heard_of_deleted(Side side, const Reading &reading, const std::string &outcome) {
  bool changed = false;
  bool perhaps = false;  // a request of ours said the same, and may not have been the one
  for (std::size_t field = 0; field < field_count; ++field) {
    const Json &value = reading.fields[name_of(side, field)];
    if (is_persons(reading.author[field]))
      typed[static_cast<std::size_t>(reading.author[field])].told = true;
    const bool differs = value != known_[index(side)][name_of(side, field)];
    perhaps = perhaps || differs;
    changed = changed || (differs && !in_doubt(side, field, value));
  }
  if (outcome != "conflict") {
    if (outcome != "unchanged" || changed)
      surprises.push_back("D2: deleted here, changed at " + text(side) + ", and " + outcome);
    return;
  }
  // An open question is a change there, too: nobody has taken it yet.
  if (!perhaps && !doubtful && !questions[index(side)])
    surprises.push_back("D2: deleted here, not changed at " + text(side) + ", and kept");
  foretold.push_back({false, side, field_count, nullptr, nullptr});
  here[index(side)] = true;
  known_[index(side)] = reading.fields;
}

// While a change waits for reconcile nobody knows whether it is about to be held.
void History::note_held() {
  if (apart || !linked || !here[0] || !here[1]) return;
  held_ = std::any_of(held_between_faces.begin(), held_between_faces.end(), [&](std::size_t field) {
    return meaning(Side::crm, field, face[0][name_of(Side::crm, field)]) !=
           meaning(Side::projects, field, face[1][name_of(Side::projects, field)]);
  });
}

Json History::decides(Side side, std::size_t field) {
  ++decisions_[field];
  if (field != subject || random.chance(60)) return nullptr;
  Json value = typed_value(side, field, ++serial_, random);
  enter(side, field, value, false);
  return value;
}

// A request that makes a record, or changes one that an earlier attempt has made.
void History::make(Request &request) {
  Remote &record = remote[index(request.side)];
  if (record.exists && request.side == Side::projects && !request.in_doubt)
    surprises.push_back("B3: a record is made at Projects that is there");
  if (!record.exists) {
    record.exists = true;
    record.external_id += "+";
    ++record.births;
    for (std::size_t field = 0; field < field_count; ++field) {
      record.fields[name_of(request.side, field)] = nullptr;
      record.author[field] = ours;
    }
  }
  request.external_id = record.external_id;
  write(request);
}

bool History::erase(Request &request) {
  Remote &record = remote[index(request.side)];
  // A creation whose answer was lost is looked up by what it said.
  const bool unnamed = request.external_id.empty();
  if (!record.exists || (!unnamed && record.external_id != request.external_id)) return false;
  replace_unseen(request.side);
  record.exists = false;
  return true;
}

int History::sent(Side side, Operation operation) const {
  return static_cast<int>(
      std::count_if(requests.begin(), requests.end(), [&](const Request &request) {
        return request.side == side && request.operation == operation &&
               request.fate != Fate::released;
      }));
}

int History::allowed(Side side, Operation operation) const {
  const auto forced = std::count_if(requests.begin(), requests.end(), [&](const Request &request) {
    return request.side == side && request.operation == operation && !request.confirmed &&
           request.fate != Fate::released;
  });
  return static_cast<int>(forced) +
         (operation == Operation::create ? revivals_ : departures_)[index(side)];
}

}  // namespace crm_bridge::convergence
