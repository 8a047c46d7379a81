// SPDX-License-Identifier: PostgreSQL
#include "functions/merge_incoming.hpp"

#include "functions/history.hpp"

namespace crm_bridge {

MergedRecord merge_incoming(const Module &module, const Organization &organization,
                            const Incoming &incoming, const OurSide &ours) {
  MergedRecord merged;
  merged.dirty.insert(ours.dirty.begin(), ours.dirty.end());
  static const core::Value empty{};
  for (const auto &[field, value] : incoming.fields) {
    auto const sent_value = ours.sent.find(field);
    auto const known_value = ours.known.find(field);
    auto const mirror_value = ours.mirror.fields.find(field);
    const core::Value &local =
        mirror_value == ours.mirror.fields.end() ? empty : mirror_value->second;
    bool const in_flight = sent_value != ours.sent.end();
    // Our own write coming back: by value, never by time.
    if (in_flight && sent_value->second == value) {
      merged.confirmed.insert_or_assign(field, value);
      continue;
    }
    // An older write of ours, done after a newer one that the service had confirmed: what is here
    // goes out once more, also if a write is in flight, for that one may have come before.
    if (ours.late_echoes.contains(field)) {
      merged.confirmed.insert_or_assign(field, value);
      if (local != value) merged.dirty.insert(field);
      continue;
    }
    bool const was_dirty =
        merged.dirty.contains(field) || (ours.created_here && !in_flight && !core::is_null(local));
    // What nobody has told of yet was empty when it was created, for all else was sent.
    const core::Value &base = known_value != ours.known.end()  ? known_value->second
                              : in_flight && ours.created_here ? sent_value->second
                              : in_flight || was_dirty         ? empty
                                                               : local;
    bool const ours_to_say = module.find(field) == nullptr || module.find(field)->writable;
    Edit edit{ours.mirror.modified_at, ours.mirror.modified_by.value_or("")};
    if (ours_to_say && local != base && value != base && local != value)
      edit = last_edit(organization.org_id, incoming.id, field, EditsOf::here).value_or(edit);
    core::FieldMerge const field_merge =
        ours_to_say ? core::merge_field({.conversion = &core::identity(),
                                         .policy = organization.policy(module.name, field),
                                         .tie_winner = core::Side::right,
                                         .base_left = &base,
                                         .base_right = &base,
                                         .left = &local,
                                         .right = &value,
                                         .left_changed = edit.at,
                                         .right_changed = incoming.modified_at})
                    : core::FieldMerge{.outcome = local == value ? core::Outcome::agreed
                                                                 : core::Outcome::take_right};
    if (core::is_conflict(field_merge.outcome)) {
      merged.conflicts.push_back({.record = incoming.id,
                                  .field = field,
                                  .other_field = field,
                                  .outcome = field_merge.outcome,
                                  .base = base,
                                  .left = local,
                                  .right = value,
                                  .left_at = edit.at,
                                  .right_at = incoming.modified_at,
                                  .left_by = edit.by,
                                  .right_by = incoming.modified_by.value_or(""),
                                  .reason = field_merge.reason});
    }
    bool const takes_theirs = field_merge.outcome == core::Outcome::take_right ||
                              field_merge.outcome == core::Outcome::right_wins;
    if (takes_theirs && local != value) merged.take.insert_or_assign(field, value);
    if (field_merge.outcome == core::Outcome::held) {
      merged.dirty.erase(
          field);  // a person decides; until then neither value travels, and the base stays
      continue;
    }
    merged.confirmed.insert_or_assign(field, value);
    if (field_merge.outcome == core::Outcome::agreed || takes_theirs) {
      // A write of ours that is in flight may land after this read: then what won is sent once
      // more.
      if (in_flight && sent_value->second != value)
        merged.dirty.insert(field);
      else
        merged.dirty.erase(field);
    } else if (field_merge.outcome == core::Outcome::left_wins ||
               (field_merge.outcome == core::Outcome::take_left && !in_flight)) {
      merged.dirty.insert(field);
    }
  }
  return merged;
}

}  // namespace crm_bridge
