// SPDX-License-Identifier: PostgreSQL
#include "functions/links.hpp"

#include "functions/doorbell.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_by_left{
    "SELECT l.link_id, l.left_id, l.right_id, l.left_base, l.right_base FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.pairing = $2 AND l.left_id = ANY ($3) AND l.state = 'active'",
    {INT8OID, TEXTOID, UUIDARRAYOID}};
constinit pg::Statement select_by_right{
    "SELECT l.link_id, l.left_id, l.right_id, l.left_base, l.right_base FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.pairing = $2 AND l.right_id = ANY ($3) AND l.state = 'active'",
    {INT8OID, TEXTOID, UUIDARRAYOID}};
constinit pg::Statement lock_by_id{
    "SELECT l.link_id, l.left_id, l.right_id, l.left_base, l.right_base FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.link_id = ANY ($2) AND l.state = 'active' FOR NO KEY UPDATE SKIP "
    "LOCKED",
    {INT8OID, UUIDARRAYOID}};
constinit pg::Statement select_contended{
    "SELECT DISTINCT r.link_id FROM crm_bridge.reconcile_request AS r WHERE r.org_id = $1 AND "
    "r.link_id = ANY ($2)",
    {INT8OID, UUIDARRAYOID}};
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

std::vector<Link> links_in(const pg::Rows &rows) {
  std::vector<Link> links;
  links.reserve(rows.size());
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    links.push_back(
        {rows[i].uuid(0), rows[i].uuid(1), rows[i].uuid(2), rows[i].jsonb(3), rows[i].jsonb(4)});
  return links;
}

}  // namespace

std::vector<Link> links_of(const std::string &pairing, std::int64_t org_id, core::Side side,
                           const std::vector<core::Uuid> &records) {
  pg::Statement &statement = side == core::Side::left ? select_by_left : select_by_right;
  return links_in(
      statement.execute({pg::argument(org_id), pg::argument(pairing), pg::argument(records)}));
}

std::vector<Link> lock_links(std::int64_t org_id, const std::vector<core::Uuid> &links) {
  if (links.empty()) return {};
  return links_in(lock_by_id.execute({pg::argument(org_id), pg::argument(links)}));
}

std::vector<core::Uuid> contended_links(std::int64_t org_id, const std::vector<core::Uuid> &links) {
  pg::Rows const rows = select_contended.execute({pg::argument(org_id), pg::argument(links)});
  std::vector<core::Uuid> contended;
  for (std::uint64_t i = 0; i < rows.size(); ++i) contended.push_back(rows[i].uuid(0));
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
