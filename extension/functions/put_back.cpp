// SPDX-License-Identifier: PostgreSQL
//
// A change that the record's service refused for good is put back to what the service has: nothing
// of it is to be sent there, but it travels on to the record's twins like anything the service
// says.
#include "functions/arguments.hpp"
#include "functions/mirror.hpp"
#include "functions/write_scope.hpp"

namespace crm_bridge {

namespace {

// (org_id bigint, module text, record_id uuid, fields jsonb, actor text)
Datum put_back(FunctionCallInfo fcinfo) {
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[0].value);
  auto const module = catalog::module(pg::text_of(fcinfo->args[1].value));
  auto const organization = catalog::organization(org_id);
  Jsonb *document = pg::call([&] { return DatumGetJsonbP(fcinfo->args[3].value); });
  std::string const actor = pg::text_of(fcinfo->args[4].value);
  Patch const patch{.id = pg::uuid_of(fcinfo->args[2].value),
                    .fields = typed_fields(*module, *organization, document),
                    .modified_at = pg::instant_of(GetCurrentTimestamp()),
                    .modified_by = actor};
  pg::AsOwner owner;
  pg::SpiSession spi;
  WriteScope const scope{Origin::service, module->name, actor};
  update_records(*module, org_id, {patch});
  return static_cast<Datum>(0);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_put_back, put_back);

}  // namespace crm_bridge
