// SPDX-License-Identifier: PostgreSQL
//
// Gives mirror rows the external ids under which the service has them now.
#include "functions/known.hpp"
#include "functions/write_scope.hpp"

namespace crm_bridge {

namespace {

// (org_id bigint, module text, records uuid[], external_ids text[])
Datum identify(FunctionCallInfo fcinfo) {
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[0].value);
  auto const module = catalog::module(pg::text_of(fcinfo->args[1].value));
  std::vector<core::Uuid> const ids = pg::uuids_of(fcinfo->args[2].value);
  std::vector<std::string> const given = pg::texts_of(fcinfo->args[3].value);
  if (ids.size() != given.size())
    throw core::Error{
        {.sqlstate = "22023", .message = "records and external_ids must be of one length"}};
  std::unordered_map<core::Uuid, std::string> by_id;
  for (std::size_t i = 0; i < ids.size(); ++i) by_id.emplace(ids[i], given[i]);
  pg::AsOwner owner;
  pg::SpiSession spi;
  std::vector<core::Uuid> held;
  std::vector<std::optional<std::string>> external_ids;
  for (const Record &record : lock_records(*module, org_id, ids)) {
    held.push_back(record.id);
    external_ids.emplace_back(by_id.at(record.id));
    by_id.erase(record.id);
  }
  WriteScope const scope{Origin::service, module->name, module->service};
  identify_records(*module, org_id, held, external_ids);
  // What was not locked is held by somebody, or was deleted meanwhile.
  std::vector<core::Uuid> missed;
  for (const auto &[id, external_id] : by_id) missed.push_back(id);
  std::vector<core::Uuid> busy;
  for (const Record &record : read_records(*module, org_id, missed)) busy.push_back(record.id);
  request_identification(*module, org_id, busy);
  return static_cast<Datum>(0);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_identify, identify);

}  // namespace crm_bridge
