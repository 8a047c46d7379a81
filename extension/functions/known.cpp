// SPDX-License-Identifier: PostgreSQL
#include "functions/known.hpp"

namespace crm_bridge {

namespace {

#define CRM_BRIDGE_SHADOW_COLUMNS                                                            \
  "s.record_id, s.module, s.external_id, s.state, s.version, s.acknowledged_at, s.read_at, " \
  "s.fields, s.survivor_id IS NOT NULL, "                                                    \
  "CASE WHEN s.doubted_until > pg_catalog.clock_timestamp() THEN s.doubted END"

constinit pg::Statement select_shadows{
    "SELECT " CRM_BRIDGE_SHADOW_COLUMNS
    " FROM crm_bridge.shadow AS s"
    " WHERE s.org_id = $1 AND s.module = $2 AND s.external_id = ANY ($3)",
    {INT8OID, TEXTOID, TEXTARRAYOID}};
constinit pg::Statement lock_shadows_by_id{"SELECT " CRM_BRIDGE_SHADOW_COLUMNS
                                           " FROM crm_bridge.shadow AS s"
                                           " WHERE s.org_id = $1 AND s.record_id = ANY ($2)"
                                           " ORDER BY s.record_id FOR NO KEY UPDATE",
                                           {INT8OID, UUIDARRAYOID}};
#undef CRM_BRIDGE_SHADOW_COLUMNS

constinit pg::Statement lock_deliveries_by_id{
    "SELECT d.record_id, d.module, d.state = 'in_flight', d.operation = 'delete', d.fields, d.sent "
    "FROM crm_bridge.delivery AS d"
    " WHERE d.org_id = $1 AND d.record_id = ANY ($2) ORDER BY d.record_id FOR NO KEY UPDATE",
    {INT8OID, UUIDARRAYOID}};

constinit pg::Statement upsert_shadows{
    "INSERT INTO crm_bridge.shadow AS s (org_id, module, read_at, record_id, external_id, state, "
    "version, fields)"
    " SELECT $1, $2, $3, u.record_id, u.external_id, u.state, u.version, u.fields"
    "   FROM unnest($4, $5, $6, $7, $8) AS u (record_id, external_id, state, version, fields)"
    " ON CONFLICT (org_id, record_id) DO UPDATE SET external_id = EXCLUDED.external_id, state = "
    "EXCLUDED.state,"
    "   version = GREATEST(s.version, EXCLUDED.version), "
    "   read_at = GREATEST(s.read_at, EXCLUDED.read_at),"
    "   fields = CASE WHEN EXCLUDED.state = 'gone' THEN '{}' ELSE s.fields || EXCLUDED.fields END",
    {INT8OID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
     TIMESTAMPTZARRAYOID, JSONBARRAYOID}};

constinit pg::Statement upsert_deliveries{
    "INSERT INTO crm_bridge.delivery AS d (org_id, module, service, record_id, fields)"
    " SELECT $1, $2, $3, u.record_id, ARRAY(SELECT pg_catalog.jsonb_array_elements_text(u.dirty))"
    "   FROM unnest($4, $5) AS u (record_id, dirty)"
    " ON CONFLICT (org_id, record_id) DO UPDATE SET fields = EXCLUDED.fields",
    {INT8OID, TEXTOID, TEXTOID, UUIDARRAYOID, JSONBARRAYOID}};

constinit pg::Statement delete_deliveries{
    "DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = $1 AND d.record_id = ANY ($2) AND "
    "d.state <> 'in_flight'",
    {INT8OID, UUIDARRAYOID}};

constinit pg::Statement release_deliveries{
    "UPDATE crm_bridge.delivery AS d SET state = 'pending', stopped = false, attempts = 0, "
    "not_before = '-infinity'"
    " WHERE d.org_id = $1 AND d.record_id = ANY ($2) AND d.state IN ('parked', 'dead')"
    " AND d.reason IS DISTINCT FROM 'rejected'",
    {INT8OID, UUIDARRAYOID}};

constinit pg::Statement insert_former{
    "INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, state, read_at)"
    " SELECT $1, crm_bridge.new_id(), $2, e, 'gone', pg_catalog.clock_timestamp() FROM "
    "pg_catalog.unnest($3) AS e"
    " ON CONFLICT ON CONSTRAINT shadow_external_id_unique DO NOTHING",
    {INT8OID, TEXTOID, TEXTARRAYOID}};

// Each record a probe of the index, whatever the statistics of a young table say.
constinit pg::Statement select_questions{
    "SELECT q.record_id, q.field FROM pg_catalog.unnest($2) AS r (record_id)"
    " CROSS JOIN LATERAL (SELECT c.record_id, c.field FROM crm_bridge.conflict AS c"
    "   WHERE c.org_id = $1 AND c.record_id = r.record_id AND c.link_id IS NULL"
    "     AND c.winner = 'none' AND c.resolved_at IS NULL OFFSET 0) AS q",
    {INT8OID, UUIDARRAYOID}};

constinit pg::Statement insert_identify_requests{
    "INSERT INTO crm_bridge.reconcile_request (org_id, module, operation, record_id)"
    " SELECT $1, $2, 'identify', r FROM pg_catalog.unnest($3) AS r",
    {INT8OID, TEXTOID, UUIDARRAYOID}};

constinit pg::Statement note_survivor{"SELECT crm_bridge._note_survivor($2, $3, $4, $1)",
                                      {INT8OID, TEXTOID, UUIDOID, UUIDOID}};

Shadow shadow_of(const pg::Row &row) {
  return {row.uuid(0),    row.string(1),  row.string(2), row.string(3),  row.instant(4),
          row.instant(5), row.instant(6), row.jsonb(7),  row.boolean(8), row.jsonb(9)};
}

}  // namespace

std::map<std::string, Shadow> read_shadows(const Module &module, std::int64_t org_id,
                                           const std::vector<std::string> &external_ids) {
  pg::Rows const rows = select_shadows.execute(
      {pg::argument(org_id), pg::argument(module.name), pg::argument(external_ids)});
  std::map<std::string, Shadow> shadows;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    shadows.emplace(rows[i].string(2), shadow_of(rows[i]));
  return shadows;
}

std::unordered_map<core::Uuid, Shadow> lock_shadows(std::int64_t org_id,
                                                    const std::vector<core::Uuid> &ids) {
  std::unordered_map<core::Uuid, Shadow> shadows;
  if (ids.empty()) return shadows;
  pg::Rows const rows = lock_shadows_by_id.execute({pg::argument(org_id), pg::argument(ids)});
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    shadows.emplace(rows[i].uuid(0), shadow_of(rows[i]));
  return shadows;
}

std::unordered_map<core::Uuid, PendingDelivery> lock_deliveries(
    std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  std::unordered_map<core::Uuid, PendingDelivery> deliveries;
  if (ids.empty()) return deliveries;
  pg::Rows const rows = lock_deliveries_by_id.execute({pg::argument(org_id), pg::argument(ids)});
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    pg::Row const row = rows[i];
    deliveries.emplace(row.uuid(0),
                       PendingDelivery{row.uuid(0), row.string(1), row.boolean(2), row.boolean(3),
                                       pg::texts_of(row[4].value), row.jsonb(5)});
  }
  return deliveries;
}

void save_shadows(const Module &module, std::int64_t org_id, core::Instant read_at,
                  const std::vector<ShadowUpdate> &updates) {
  if (updates.empty()) return;
  std::vector<core::Uuid> ids;
  std::vector<std::optional<std::string>> external_ids;
  std::vector<std::string> states;
  std::vector<std::optional<core::Instant>> versions;
  std::vector<Jsonb *> fields;
  for (const ShadowUpdate &update : updates) {
    ids.push_back(update.id);
    external_ids.push_back(update.external_id);
    states.push_back(update.state);
    versions.push_back(update.version);
    fields.push_back(pg::to_jsonb(update.fields));
  }
  (void)upsert_shadows.execute({pg::argument(org_id), pg::argument(module.name),
                                pg::argument(std::optional<core::Instant>{read_at}),
                                pg::argument(ids), pg::argument(external_ids), pg::argument(states),
                                pg::argument(versions), pg::argument(fields)});
}

void note_survivors(const Module &module, std::int64_t org_id,
                    const std::vector<Survivor> &survivors) {
  for (const Survivor &merged : survivors) {
    (void)note_survivor.execute({pg::argument(org_id), pg::argument(module.name),
                                 pg::argument(merged.loser), pg::argument(merged.survivor)});
  }
}

void save_deliveries(const Module &module, std::int64_t org_id,
                     const std::vector<DeliveryUpdate> &updates) {
  if (updates.empty()) return;
  std::vector<core::Uuid> ids;
  std::vector<Jsonb *> dirty;
  for (const DeliveryUpdate &update : updates) {
    ids.push_back(update.id);
    dirty.push_back(pg::call([&] {
      JsonbParseState *state = nullptr;
      pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
      for (const std::string &field : update.dirty) {
        JsonbValue item;
        item.type = jbvString;
        item.val.string.val = const_cast<char *>(field.data());
        item.val.string.len = static_cast<int>(field.size());
        pushJsonbValue(&state, WJB_ELEM, &item);
      }
      return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, nullptr));
    }));
  }
  (void)upsert_deliveries.execute({pg::argument(org_id), pg::argument(module.name),
                                   pg::argument(module.service), pg::argument(ids),
                                   pg::argument(dirty)});
}

void make_due(std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  if (ids.empty()) return;
  (void)release_deliveries.execute({pg::argument(org_id), pg::argument(ids)});
}

void drop_deliveries(std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  if (ids.empty()) return;
  (void)delete_deliveries.execute({pg::argument(org_id), pg::argument(ids)});
}

void remember_former(const Module &module, std::int64_t org_id,
                     const std::unordered_map<core::Uuid, Shadow> &before,
                     const std::vector<ShadowUpdate> &updates) {
  std::vector<std::string> former;
  for (const ShadowUpdate &update : updates) {
    auto const shadow = before.find(update.id);
    if (shadow != before.end() && shadow->second.state == "gone" &&
        update.external_id != shadow->second.external_id)
      former.push_back(shadow->second.external_id);
  }
  if (former.empty()) return;
  (void)insert_former.execute(
      {pg::argument(org_id), pg::argument(module.name), pg::argument(former)});
}

std::unordered_map<core::Uuid, std::set<std::string>> open_questions(
    std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  std::unordered_map<core::Uuid, std::set<std::string>> questions;
  pg::Rows const rows = select_questions.execute({pg::argument(org_id), pg::argument(ids)});
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    questions[rows[i].uuid(0)].insert(rows[i].string(1));
  return questions;
}

void identify_records(const Module &module, std::int64_t org_id, const std::vector<core::Uuid> &ids,
                      const std::vector<std::optional<std::string>> &external_ids) {
  if (ids.empty()) return;
  (void)module.identify.execute(
      {pg::argument(org_id), pg::argument(ids), pg::argument(external_ids)});
}

void request_identification(const Module &module, std::int64_t org_id,
                            const std::vector<core::Uuid> &ids) {
  if (ids.empty()) return;
  (void)insert_identify_requests.execute(
      {pg::argument(org_id), pg::argument(module.name), pg::argument(ids)});
}

}  // namespace crm_bridge
