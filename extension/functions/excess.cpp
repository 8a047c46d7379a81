// SPDX-License-Identifier: PostgreSQL
#include "functions/excess.hpp"

#include <set>

#include "pg/spi.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_excess{
    "SELECT pg_catalog.unnest(crm_bridge._hold_excess($1, $2, 'in', $3, $4, $5, $6))",
    {INT8OID, TEXTOID, TEXTOID, UUIDOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID}};

}  // namespace

void hold_excess(const Module &module, std::int64_t org_id, const std::optional<core::Uuid> &run,
                 std::vector<Incoming> &records,
                 const std::function<bool(const core::Uuid &)> &is_here) {
  struct Judged {
    std::vector<core::Uuid> ids;
    std::vector<std::optional<core::Instant>> versions;
  } deletions, overwrites;
  for (const Incoming &incoming : records) {
    if (incoming.settled() || (!incoming.deleted && !run.has_value()) || !is_here(incoming.id))
      continue;
    Judged &judged = incoming.deleted ? deletions : overwrites;
    judged.ids.push_back(incoming.id);
    // A deletion has no version: a no to it holds whatever the service says next.
    judged.versions.push_back(incoming.deleted ? std::nullopt : incoming.version);
  }
  std::set<core::Uuid> held;
  auto const ask = [&](const char *operation, const Judged &judged) {
    if (judged.ids.empty()) return;
    pg::Rows const rows = select_excess.execute(
        {pg::argument(org_id), pg::argument(module.name), pg::argument(std::string{operation}),
         pg::argument(run), pg::argument(judged.ids), pg::argument(judged.versions)});
    for (std::uint64_t i = 0; i < rows.size(); ++i) held.insert(rows[i].uuid(0));
  };
  ask("delete", deletions);
  ask("overwrite", overwrites);
  if (held.empty()) return;
  for (Incoming &incoming : records)
    if (!incoming.settled() && held.contains(incoming.id))
      incoming.settle("held", "Too many records at once: approve_run() or reject_run() decides.");
}

}  // namespace crm_bridge
