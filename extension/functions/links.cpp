// SPDX-License-Identifier: PostgreSQL
#include "functions/links.hpp"

#include "functions/doorbell.hpp"

namespace crm_bridge {

namespace {

// Columns of crm_bridge.link as far as they are read here, in the order of its CREATE TABLE.
enum Attribute : AttrNumber {
  a_org_id = 1,
  a_link_id,
  a_pairing,
  a_left_id,
  a_right_id,
  a_state,
  a_left_base,
  a_right_base
};

constinit pg::Statement update_bases{
    "UPDATE crm_bridge.link AS l SET left_base = b.left_base, right_base = b.right_base"
    " FROM unnest($2, $3, $4) AS b (link_id, left_base, right_base)"
    " WHERE l.org_id = $1 AND l.link_id = b.link_id",
    {INT8OID, UUIDARRAYOID, JSONBARRAYOID, JSONBARRAYOID}};
constinit pg::Statement insert_requests{
    "INSERT INTO crm_bridge.reconcile_request (org_id, module, operation, record_id, link_id, old, "
    "fields)"
    " SELECT $1, $2, 'propagate', r.record_id, r.link_id, r.old,"
    "        ARRAY(SELECT pg_catalog.jsonb_object_keys(r.old))"
    "   FROM unnest($3, $4, $5) AS r (record_id, link_id, old)",
    {INT8OID, TEXTOID, UUIDARRAYOID, UUIDARRAYOID, JSONBARRAYOID}};

Oid oid_of(const char *relation) {
  return pg::call(
      [&] { return get_relname_relid(relation, get_namespace_oid("crm_bridge", false)); });
}

Jsonb *copied_document(const pg::KeyReader &row, AttrNumber number) {
  return pg::call([&] { return DatumGetJsonbPCopy(row.value(number)); });
}

// The link that the reader is at, if it is active.
std::optional<Link> active_link(const pg::KeyReader &row) {
  if (row.width() < a_right_base)
    throw core::Error{{.sqlstate = "XX000",
                       .message = "table \"link\" has fewer columns than the library knows",
                       .detail = "Library and tables of crm_bridge are of two versions.",
                       .hint = "ALTER EXTENSION crm_bridge UPDATE;"}};
  if (pg::text_of(row.value(a_state)) != "active") return std::nullopt;
  return Link{pg::uuid_of(row.value(a_link_id)), pg::uuid_of(row.value(a_left_id)),
              pg::uuid_of(row.value(a_right_id)), copied_document(row, a_left_base),
              copied_document(row, a_right_base)};
}

}  // namespace

std::vector<Link> links_of(const std::string &pairing, std::int64_t org_id, core::Side side,
                           const std::vector<core::Uuid> &records) {
  std::vector<Link> links;
  Oid const table = oid_of("link");
  pg::KeyReader reader{table,
                       oid_of(side == core::Side::left ? "link_left_unique" : "link_right_unique")};
  Datum const name = pg::argument(pairing).value;
  for (const core::Uuid &record : records) {
    if (!reader.find({Int64GetDatum(org_id), PointerGetDatum(record.bytes.data()), name})) continue;
    if (std::optional<Link> link = active_link(reader)) links.push_back(*link);
  }
  return links;
}

std::vector<Link> lock_links(std::int64_t org_id, const std::vector<core::Uuid> &links) {
  std::vector<Link> locked;
  if (links.empty()) return locked;
  pg::KeyReader reader{oid_of("link")};
  for (const core::Uuid &id : links) {
    if (!reader.find({Int64GetDatum(org_id), PointerGetDatum(id.bytes.data())})) continue;
    if (reader.lock() != pg::KeyReader::Lock::locked) continue;
    if (std::optional<Link> link = active_link(reader)) locked.push_back(*link);
  }
  return locked;
}

std::unordered_set<core::Uuid> contended_links(std::int64_t org_id,
                                               const std::vector<core::Uuid> &links) {
  pg::KeyReader requests{oid_of("reconcile_request"), oid_of("reconcile_request_by_link")};
  std::unordered_set<core::Uuid> contended;
  for (const core::Uuid &link : links) {
    if (requests.find({Int64GetDatum(org_id), PointerGetDatum(link.bytes.data())}))
      contended.insert(link);
  }
  return contended;
}

void save_bases(std::int64_t org_id, const std::vector<NewBase> &bases) {
  if (bases.empty()) return;
  std::vector<core::Uuid> links;
  std::vector<Jsonb *> left;
  std::vector<Jsonb *> right;
  for (const NewBase &base : bases) {
    links.push_back(base.link);
    left.push_back(pg::to_jsonb(base.left));
    right.push_back(pg::to_jsonb(base.right));
  }
  (void)update_bases.execute(
      {pg::argument(org_id), pg::argument(links), pg::argument(left), pg::argument(right)});
}

void leave_requests(const Module &module, std::int64_t org_id,
                    const std::vector<PropagationRequest> &requests) {
  if (requests.empty()) return;
  std::vector<core::Uuid> records;
  std::vector<core::Uuid> links;
  std::vector<Jsonb *> old;
  for (const PropagationRequest &request : requests) {
    records.push_back(request.record);
    links.push_back(request.link);
    old.push_back(pg::to_jsonb(request.old));
  }
  (void)insert_requests.execute({pg::argument(org_id), pg::argument(module.name),
                                 pg::argument(records), pg::argument(links), pg::argument(old)});
  note_request_left();
}

}  // namespace crm_bridge
