// SPDX-License-Identifier: PostgreSQL
#include "functions/late_echo.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement update_doubts{
    "UPDATE crm_bridge.shadow AS s SET doubted = NULLIF(pg_catalog.to_jsonb($3), '[]'),"
    "       doubted_until = CASE WHEN $3 <> '{}' THEN s.doubted_until END"
    " WHERE s.org_id = $1 AND s.record_id = $2",
    {INT8OID, UUIDOID, JSONBARRAYOID}};

}  // namespace

Doubts::Doubts(Jsonb *stored, const std::function<core::FieldType(std::string_view)> &type_of) {
  if (stored == nullptr) return;
  pg::for_each_object(stored, [&](Jsonb *attempt) {
    if (attempt != nullptr) attempts_.push_back(pg::read_fields(attempt, type_of));
  });
}

std::set<std::string> Doubts::explain(const pg::Fields &incoming, const pg::Fields &known) {
  std::set<std::string> explained;
  auto const explains = [&](const pg::Fields &attempt) {
    bool new_to_us = false;
    for (const auto &[field, value] : attempt) {
      if (!pg::holds(incoming, field, value)) return false;
      new_to_us = new_to_us || !pg::holds(known, field, value);
    }
    return new_to_us;
  };
  std::erase_if(attempts_, [&](const pg::Fields &attempt) {
    if (!explains(attempt)) return false;
    for (const auto &[field, value] : attempt)
      if (!pg::holds(known, field, value)) explained.insert(field);
    return true;
  });
  spent_ = spent_ || !explained.empty();
  return explained;
}

void Doubts::save(std::int64_t org_id, const core::Uuid &id) const {
  if (!spent_) return;
  std::vector<Jsonb *> attempts;
  for (const pg::Fields &attempt : attempts_) attempts.push_back(pg::to_jsonb(attempt));
  (void)update_doubts.execute({pg::argument(org_id), pg::argument(id), pg::argument(attempts)});
}

}  // namespace crm_bridge
