// SPDX-License-Identifier: PostgreSQL
//
// A record that we created was read by a poll before the answer to its creation came: it stands
// here twice, once as ours and once as a stranger that the service told of.  The stranger is folded
// into ours.
#include "functions/known.hpp"
#include "functions/write_scope.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_references{
    "SELECT f.module, f.field, f.type = 'references' FROM crm_bridge.service_field AS f"
    " WHERE f.org_id = $1 AND f.reference_module = $2 AND NOT f.custom ORDER BY 1, 2",
    {INT8OID, TEXTOID}};

constinit pg::Statement rewire_machinery{
    "WITH shadows AS (UPDATE crm_bridge.shadow AS s"
    "   SET fields = pg_catalog.replace(s.fields::text, $2::text, $3::text)::jsonb"
    " WHERE s.org_id = $1 AND s.fields::text LIKE '%' || $2::text || '%'),"
    " waiting AS (UPDATE crm_bridge.delivery AS d SET waits_for = $3 WHERE d.org_id = $1 AND "
    "d.waits_for = $2),"
    " own AS (DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = $1 AND d.record_id = $2)"
    " DELETE FROM crm_bridge.shadow AS s WHERE s.org_id = $1 AND s.record_id = $2",
    {INT8OID, UUIDOID, UUIDOID}};

// Makes every record that refers to `stranger` refer to `ours`.
void rewire(const Module &referring, const std::string &field, bool list, std::int64_t org_id,
            const core::Uuid &stranger, const core::Uuid &ours) {
  // Names come from the catalog and are quoted by the server.
  const char *text = pg::call([&] {
    const char *column = quote_identifier(field.c_str());
    return list
               ? psprintf(
                     "UPDATE crm_bridge.%s AS m SET %s = pg_catalog.array_replace(m.%s, $2, $3)"
                     " WHERE m.org_id = $1 AND $2 = ANY (m.%s)",
                     quote_identifier(referring.name.c_str()), column, column, column)
               : psprintf("UPDATE crm_bridge.%s AS m SET %s = $3 WHERE m.org_id = $1 AND m.%s = $2",
                          quote_identifier(referring.name.c_str()), column, column);
  });
  pg::Statement statement{text, {INT8OID, UUIDOID, UUIDOID}};
  WriteScope const scope{Origin::service, referring.name, referring.service};
  try {
    (void)statement.execute({pg::argument(org_id), pg::argument(stranger), pg::argument(ours)});
  } catch (...) {
    statement.forget();
    throw;
  }
  statement.forget();
}

// (org_id bigint, module text, ours uuid, stranger uuid)
Datum adopt(FunctionCallInfo fcinfo) {
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[0].value);
  auto const module = catalog::module(pg::text_of(fcinfo->args[1].value));
  core::Uuid const ours = pg::uuid_of(fcinfo->args[2].value);
  core::Uuid const stranger = pg::uuid_of(fcinfo->args[3].value);
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const references =
      select_references.execute({pg::argument(org_id), pg::argument(module->name)});
  for (std::uint64_t i = 0; i < references.size(); ++i) {
    auto const referring = catalog::module(references[i].string(0));
    rewire(*referring, references[i].string(1), references[i].boolean(2), org_id, stranger, ours);
  }
  {
    WriteScope const scope{Origin::service, module->name, module->service};
    delete_records(*module, org_id, {stranger});
  }
  (void)rewire_machinery.execute(
      {pg::argument(org_id), pg::argument(stranger), pg::argument(ours)});
  return static_cast<Datum>(0);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_adopt, adopt);

}  // namespace crm_bridge
