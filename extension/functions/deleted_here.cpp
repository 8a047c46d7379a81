// SPDX-License-Identifier: PostgreSQL
#include "functions/deleted_here.hpp"

#include "functions/late_echo.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_deletion{
    "SELECT h.old, h.at, h.actor FROM crm_bridge.history AS h"
    " WHERE h.org_id = $1 AND h.record_id = $2 AND h.operation = 'delete'"
    " ORDER BY h.at DESC, h.event_id DESC LIMIT 1",
    {INT8OID, UUIDOID}};

constinit pg::Statement select_request{
    "SELECT 1 FROM crm_bridge.reconcile_request AS r"
    " WHERE r.org_id = $1 AND r.record_id = $2 AND r.operation = 'delete' LIMIT 1",
    {INT8OID, UUIDOID}};

constinit pg::Statement select_linked{"SELECT crm_bridge._is_linked($1, $2)", {INT8OID, UUIDOID}};

constinit pg::Statement delete_deletions{
    "WITH held AS (DELETE FROM crm_bridge.held_change AS h"
    "   WHERE h.org_id = $1 AND h.record_id = ANY ($2) AND h.direction = 'out' AND h.operation = "
    "'delete')"
    " DELETE FROM crm_bridge.delivery AS d"
    "  WHERE d.org_id = $1 AND d.record_id = ANY ($2) AND d.operation = 'delete' AND d.state <> "
    "'in_flight'",
    {INT8OID, UUIDARRAYOID}};

}  // namespace

DeletedHere judge_deleted(const Module &module, const Organization &organization,
                          const Incoming &incoming, const Shadow &shadow,
                          const PendingDelivery &pending) {
  auto const type = [&](std::string_view field) { return type_of(module, organization, field); };
  DeletedHere deleted;
  pg::Fields known = typed_fields(module, organization, shadow.fields);
  pg::Rows const deletion =
      select_deletion.execute({pg::argument(organization.org_id), pg::argument(incoming.id)});
  if (!deletion.empty()) {
    // What the service was never known to have is what the record had here.
    deleted.was = typed_fields(module, organization, deletion[0].jsonb(0));
    known.insert(deleted.was.begin(), deleted.was.end());
    deleted.at = deletion[0].instant(1);
    deleted.by = deletion[0].string(2);
  }
  Doubts doubts{shadow.doubted, type};
  std::set<std::string> const late_echoes = doubts.explain(incoming.fields, known);
  pg::Fields const sent = typed_fields(module, organization, pending.sent);
  std::set<std::string> changed;
  for (const auto &[field, value] : incoming.fields) {
    const ServiceField *described = organization.find_field(module.name, field);
    auto const before = known.find(field);
    auto const ours = sent.find(field);
    bool const theirs = described != nullptr && described->writable && before != known.end() &&
                        before->second != value && (ours == sent.end() || ours->second != value) &&
                        !late_echoes.contains(field);
    deleted.changed_there = deleted.changed_there || theirs;
    if (theirs) changed.insert(field);
  }
  if (deleted.changed_there) {
    for (auto &[field, value] : known) {
      const ServiceField *described = organization.find_field(module.name, field);
      if (described == nullptr) continue;
      if (described->writable && !changed.contains(field)) deleted.ours.insert(field);
      deleted.unsaid.insert_or_assign(field, std::move(value));
    }
  }
  doubts.save(organization.org_id, incoming.id);
  return deleted;
}

bool still_linked(std::int64_t org_id, const core::Uuid &id) {
  return select_linked.execute({pg::argument(org_id), pg::argument(id)})[0].boolean(0);
}

void bring_back(const DeletedHere &deleted, Patch &made, std::vector<Patch> &changes,
                std::vector<DeliveryUpdate> &deliveries) {
  Patch change{.id = made.id, .modified_at = made.modified_at, .modified_by = made.modified_by};
  std::vector<std::string> unsent;
  for (auto &[field, value] : made.fields) {
    auto const before = deleted.was.find(field);
    if (before == deleted.was.end() || before->second == value) continue;
    if (deleted.ours.contains(field))
      unsent.push_back(field);
    else
      change.fields.insert_or_assign(field, std::move(value));
    value = before->second;
  }
  if (!change.fields.empty()) changes.push_back(std::move(change));
  if (!unsent.empty()) deliveries.push_back({made.id, std::move(unsent)});
}

bool deletion_requested(std::int64_t org_id, const core::Uuid &id) {
  return !select_request.execute({pg::argument(org_id), pg::argument(id)}).empty();
}

void call_off_deletions(std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  if (ids.empty()) return;
  (void)delete_deletions.execute({pg::argument(org_id), pg::argument(ids)});
}

}  // namespace crm_bridge
