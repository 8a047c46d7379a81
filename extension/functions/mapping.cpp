// SPDX-License-Identifier: PostgreSQL
//
// Mappings when they are defined and when a twin is made.
#include "functions/arguments.hpp"
#include "functions/catalog.hpp"
#include "functions/mirror.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_pairing{
    "SELECT p.left_module, p.right_module FROM crm_bridge.pairing AS p WHERE p.org_id = $1 AND "
    "p.pairing = $2",
    {INT8OID, TEXTOID}};

constinit pg::Statement select_field{
    "SELECT f.type, f.maximum_length::bigint, f.picklist, f.reference_module FROM "
    "crm_bridge.service_field AS f"
    " WHERE f.org_id = $1 AND f.module = $2 AND f.field = $3",
    {INT8OID, TEXTOID, TEXTOID}};

core::Field field_in_catalog(std::int64_t org_id, const std::string &module,
                             const std::string &name) {
  pg::Rows const rows =
      select_field.execute({pg::argument(org_id), pg::argument(module), pg::argument(name)});
  if (rows.empty()) {
    throw core::Error{{.sqlstate = "42704",
                       .message = "field \"" + name + "\" of \"" + module + "\" does not exist",
                       .hint = "The fields are listed in crm_bridge.service_field; custom fields "
                               "by their API name."}};
  }
  pg::Row const row = rows[0];
  core::Field field{module, name,
                    core::parse_field_type(row.string(0)).value_or(core::FieldType::json)};
  field.maximum_length = row.is_null(1) ? 0 : static_cast<int>(row.bigint(1));
  if (!row.is_null(2)) field.picklist = pg::texts_of(row[2].value);
  field.reference_module = row.string(3);
  return field;
}

// (pairing, left_field, right_field, conversion, parameters, org_id) → the conversion's name
Datum check_conversion(FunctionCallInfo fcinfo) {
  demand_arguments(
      fcinfo,
      {{0, "pairing"}, {1, "left_field"}, {2, "right_field"}, {4, "parameters"}, {5, "org_id"}});
  std::string const pairing = pg::text_of(fcinfo->args[0].value);
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[5].value);
  core::ConversionRequest request;
  {
    pg::AsOwner owner;
    pg::SpiSession spi;
    pg::Rows const found = select_pairing.execute({pg::argument(org_id), pg::argument(pairing)});
    if (found.empty()) {
      throw core::Error{{.sqlstate = "42704",
                         .message = "pairing \"" + pairing + "\" does not exist",
                         .hint = "The pairings are listed in crm_bridge.pairing."}};
    }
    request.left = field_in_catalog(org_id, found[0].string(0), pg::text_of(fcinfo->args[1].value));
    request.right =
        field_in_catalog(org_id, found[0].string(1), pg::text_of(fcinfo->args[2].value));
  }
  request.name = fcinfo->args[3].isnull ? core::default_conversion(request.left, request.right)
                                        : pg::text_of(fcinfo->args[3].value);
  Jsonb *parameters = pg::call([&] { return DatumGetJsonbP(fcinfo->args[4].value); });
  if (!JB_ROOT_IS_OBJECT(parameters)) {
    throw core::Error{{.sqlstate = "22023",
                       .message = "parameters must be a JSON object",
                       .hint = "parameters is an object of texts."}};
  }
  pg::for_each_member(parameters, [&](std::string_view key, const JsonbValue &value) {
    try {
      core::Value const text = pg::value_of(value, core::FieldType::text);
      request.parameters.insert_or_assign(std::string{key},
                                          core::is_null(text) ? "" : std::get<std::string>(text));
    } catch (const core::Unmappable &) {
      throw core::Error{{.sqlstate = "22023",
                         .message = "parameter \"" + std::string{key} + "\" is not a text",
                         .hint = "parameters is an object of texts."}};
    }
  });
  (void)core::make_conversion(request, nullptr);
  return pg::argument(request.name).value;
}

const Pairing &pairing_of(const Organization &organization, const std::string &name) {
  for (const Pairing &pairing : organization.pairings)
    if (pairing.name == name) return pairing;
  throw core::Error{{.sqlstate = "42704",
                     .message = "pairing \"" + name + "\" does not exist or is not enabled",
                     .hint = "The pairings are listed in crm_bridge.pairing."}};
}

// (pairing, side, record_id, org_id) → jsonb
Datum mapped_fields(FunctionCallInfo fcinfo) {
  auto const organization = catalog::organization(DatumGetInt64(fcinfo->args[3].value));
  const Pairing &pairing = pairing_of(*organization, pg::text_of(fcinfo->args[0].value));
  bool const from_left = pg::text_of(fcinfo->args[1].value) == "left";
  core::Uuid const id = pg::uuid_of(fcinfo->args[2].value);
  auto const module = catalog::module(from_left ? pairing.left_module : pairing.right_module);
  MemoryContext const home = CurrentMemoryContext;
  pg::Fields fields;
  {
    pg::AsOwner owner;
    pg::SpiSession spi;
    std::vector<Record> const records = read_records(*module, organization->org_id, {id});
    if (records.empty()) {
      throw core::Error{
          {.sqlstate = "42704",
           .message = module->label + " " + core::to_text(id) + " does not exist",
           .detail = "There is no such row in \"" + module->name + "\" for this organization."}};
    }
    for (const MappedField &field : pairing.fields) {
      bool const may = field.direction == core::Direction::both ||
                       (field.direction == core::Direction::left_to_right) == from_left;
      auto const value =
          records.front().fields.find(from_left ? field.left.name : field.right.name);
      if (!may || value == records.front().fields.end()) continue;
      try {
        const core::Lens &source = from_left ? *field.conversion.left : *field.conversion.right;
        const core::Lens &target = from_left ? *field.conversion.right : *field.conversion.left;
        core::Value const made = target.put(source.get(value->second), core::Value{});
        if (!core::is_null(made))
          fields.insert_or_assign(from_left ? field.right.name : field.left.name, made);
      } catch (const core::Unmappable &) {
        // The twin is made without what cannot be said on its side; the mapping report names it.
        continue;
      }
    }
  }
  MemoryContextSwitchTo(home);
  Jsonb *document = pg::to_jsonb(fields);
  return JsonbPGetDatum(document);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_check_conversion, check_conversion);
CRM_BRIDGE_FUNCTION(crm_bridge_mapped_fields, mapped_fields);

}  // namespace crm_bridge
