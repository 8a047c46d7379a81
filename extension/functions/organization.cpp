// SPDX-License-Identifier: PostgreSQL
#include "functions/organization.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_organization{
    "SELECT o.name, o.time_zone, p.time_zone"
    "  FROM crm_bridge.organization AS o"
    "  LEFT JOIN crm_bridge.integration AS i ON i.org_id = o.org_id AND i.service = 'zoho_projects'"
    "  LEFT JOIN crm_bridge.projects_portal AS p ON p.org_id = o.org_id AND p.id = i.portal_id"
    " WHERE o.org_id = $1",
    {INT8OID}};

constinit pg::Statement select_mappings{
    "SELECT p.pairing, p.left_module, p.right_module, p.on_delete, lm.service, rm.service,"
    "       f.left_field, f.right_field, f.direction, f.keep_in_step, f.conversion, f.parameters,"
    "       l.type, l.maximum_length::bigint, l.picklist, l.reference_module,"
    "       r.type, r.maximum_length::bigint, r.picklist, r.reference_module,"
    "       COALESCE(o.policy, a.policy, 'newest'), l.writable AND l.gone_at IS NULL, "
    "       r.writable AND r.gone_at IS NULL"
    "  FROM crm_bridge.pairing AS p"
    "  JOIN crm_bridge.module AS lm ON lm.module = p.left_module"
    "  JOIN crm_bridge.module AS rm ON rm.module = p.right_module"
    "  LEFT JOIN crm_bridge.field_mapping AS f ON f.org_id = p.org_id AND f.pairing = p.pairing "
    "   AND f.in_force"
    "  LEFT JOIN crm_bridge.service_field AS l"
    "    ON l.org_id = p.org_id AND l.module = p.left_module AND l.field = f.left_field"
    "  LEFT JOIN crm_bridge.service_field AS r"
    "    ON r.org_id = p.org_id AND r.module = p.right_module AND r.field = f.right_field"
    "  LEFT JOIN crm_bridge.merge_policy AS o ON o.org_id = p.org_id AND o.scope = p.pairing AND "
    "o.field = f.left_field"
    "  LEFT JOIN crm_bridge.merge_policy AS a ON a.org_id = p.org_id AND a.scope = p.pairing AND "
    "a.field = '*'"
    " WHERE p.org_id = $1 AND p.enabled"
    " ORDER BY p.position, p.pairing, f.left_field, f.right_field",
    {INT8OID}};

constinit pg::Statement select_policies{
    "SELECT p.scope || '.' || p.field, p.policy FROM crm_bridge.merge_policy AS p"
    " WHERE p.org_id = $1 AND EXISTS (SELECT 1 FROM crm_bridge.module AS m WHERE m.module = "
    "p.scope)",
    {INT8OID}};

constinit pg::Statement select_fields{
    // A custom field that refers to a record keeps the service's own words: only columns hold our
    // ids.
    "SELECT f.module, f.field, CASE WHEN f.custom AND f.reference_module IS NOT NULL THEN 'json' "
    "ELSE f.type END, f.writable, f.addresses, COALESCE(f.maximum_length, 0)::bigint,"
    // Of a standard field the catalog has the usual choices only.
    "       CASE WHEN f.custom AND f.type = 'picklist' THEN f.picklist END"
    "  FROM crm_bridge.service_field AS f WHERE f.org_id = $1",
    {INT8OID}};

// Only while the rule is switched on and there is a portal to make projects in.
constinit pg::Statement select_automated_stages{
    "SELECT w.stage FROM crm_bridge.automation AS a"
    "  JOIN crm_bridge.integration AS i ON i.org_id = a.org_id AND i.service = 'zoho_projects'"
    "                                  AND i.state IN ('active', 'stopped')"
    "  LEFT JOIN crm_bridge.setting AS s ON s.org_id = a.org_id AND s.name = 'won_stages'"
    " CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(COALESCE(s.value, '[\"Closed "
    "Won\"]')) AS w (stage)"
    " WHERE a.org_id = $1 AND a.rule = 'won_deal_becomes_project' AND a.enabled",
    {INT8OID}};

constinit pg::Statement select_closed_services{
    "SELECT i.service FROM crm_bridge.integration AS i"
    " WHERE i.org_id = $1 AND i.state IN ('off', 'trial_expired')",
    {INT8OID}};

constinit pg::Statement select_rules{
    "SELECT a.rule FROM crm_bridge.automation AS a WHERE a.org_id = $1 AND a.enabled", {INT8OID}};

constinit pg::Statement select_rule_settings{
    "SELECT s.name, s.value #>> '{}' FROM crm_bridge.setting AS s"
    " WHERE s.org_id = $1 AND s.name IN ('rule_mode', 'refusal')",
    {INT8OID}};

constinit pg::Statement select_crm_email{
    "SELECT pg_catalog.lower(u.email) FROM crm_bridge.crm_user AS u WHERE u.org_id = $1 AND u.id = "
    "$2",
    {INT8OID, UUIDOID}};
constinit pg::Statement select_projects_email{
    "SELECT pg_catalog.lower(u.email) FROM crm_bridge.projects_user AS u WHERE u.org_id = $1 AND "
    "u.id = $2",
    {INT8OID, UUIDOID}};
constinit pg::Statement select_crm_user{
    "SELECT u.id FROM crm_bridge.crm_user AS u WHERE u.org_id = $1 AND pg_catalog.lower(u.email) = "
    "$2"
    " AND COALESCE(u.status, 'active') = 'active' ORDER BY u.id LIMIT 1",
    {INT8OID, TEXTOID}};
constinit pg::Statement select_projects_user{
    "SELECT u.id FROM crm_bridge.projects_user AS u WHERE u.org_id = $1 AND "
    "pg_catalog.lower(u.email) = $2"
    " AND u.is_active IS NOT FALSE ORDER BY u.id LIMIT 1",
    {INT8OID, TEXTOID}};
constinit pg::Statement select_linked_right{
    "SELECT l.right_id FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.left_id = $2 AND l.pairing = $3 AND l.state <> 'archived'",
    {INT8OID, UUIDOID, TEXTOID}};
constinit pg::Statement select_linked_left{
    "SELECT l.left_id FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.right_id = $2 AND l.pairing = $3 AND l.state <> 'archived'",
    {INT8OID, UUIDOID, TEXTOID}};

// Answers the lenses' questions from the mirrors.  Each call needs AsOwner and an SpiSession around
// it.
class MirrorResolver : public core::Resolver {
 public:
  explicit MirrorResolver(std::int64_t org_id) : org_id_(org_id) {}

  std::optional<std::string> email_of(const std::string &module, const core::Uuid &user) override {
    pg::Statement &statement = module == "crm_user" ? select_crm_email : select_projects_email;
    pg::Rows const rows = statement.execute({pg::argument(org_id_), pg::argument(user)});
    return rows.empty() ? std::nullopt : rows[0].optional_string(0);
  }

  std::optional<core::Uuid> user_with_email(const std::string &module,
                                            const std::string &email) override {
    pg::Statement &statement = module == "crm_user" ? select_crm_user : select_projects_user;
    pg::Rows const rows = statement.execute({pg::argument(org_id_), pg::argument(email)});
    return rows.empty() ? std::nullopt : rows[0].optional_uuid(0);
  }

  std::optional<core::Uuid> linked(const std::string &pairing, core::Side side,
                                   const core::Uuid &record) override {
    pg::Statement &statement = side == core::Side::left ? select_linked_right : select_linked_left;
    pg::Rows const rows =
        statement.execute({pg::argument(org_id_), pg::argument(record), pg::argument(pairing)});
    return rows.empty() ? std::nullopt : rows[0].optional_uuid(0);
  }

 private:
  std::int64_t org_id_;
};

core::Field field_at(const pg::Row &row, const std::string &module, const std::string &name,
                     int position) {
  core::Field field{module, name,
                    core::parse_field_type(row.string(position)).value_or(core::FieldType::json)};
  field.maximum_length = row.is_null(position + 1) ? 0 : static_cast<int>(row.bigint(position + 1));
  if (!row.is_null(position + 2)) field.picklist = pg::texts_of(row[position + 2].value);
  field.reference_module = row.string(position + 3);
  return field;
}

std::optional<MappedField> mapped_field(const pg::Row &row, const Pairing &pairing,
                                        const core::TimeZone &left_zone,
                                        const core::TimeZone &right_zone,
                                        core::Resolver *resolver) {
  auto const direction = core::parse_direction(row.string(8));
  auto const policy = core::parse_policy(row.string(20));
  if (!direction.has_value() || !policy.has_value() || row.is_null(12) || row.is_null(16))
    return std::nullopt;
  core::ConversionRequest request{.name = row.string(10),
                                  .left = field_at(row, pairing.left_module, row.string(6), 12),
                                  .right = field_at(row, pairing.right_module, row.string(7), 16),
                                  .left_zone = left_zone,
                                  .right_zone = right_zone};
  if (Jsonb *parameters = row.jsonb(11)) {
    pg::for_each_member(parameters, [&](std::string_view key, const JsonbValue &value) {
      auto text = pg::value_of(value, core::FieldType::text);
      request.parameters.insert_or_assign(
          std::string{key}, core::is_null(text) ? std::string{} : std::get<std::string>(text));
    });
  }
  try {
    core::Conversion conversion = core::make_conversion(request, resolver);
    // The metadata may have changed since the mapping was confirmed.
    bool const keep_in_step = row.boolean(9);
    if (keep_in_step && !row.boolean(21))
      conversion.left = core::read_only_lens(conversion.left, request.left);
    if (keep_in_step && !row.boolean(22))
      conversion.right = core::read_only_lens(conversion.right, request.right);
    return MappedField{request.left, request.right, *direction,
                       *policy,      keep_in_step,  std::move(conversion)};
  } catch (const core::Error &) {
    return std::nullopt;
  }
}

core::TimeZone zone_or_utc(const std::string &name) {
  try {
    return core::TimeZone{name.empty() ? "UTC" : name};
  } catch (const core::Error &) {
    return core::TimeZone{"UTC"};
  }
}

}  // namespace

core::Policy Organization::policy(std::string_view module, std::string_view field) const {
  std::string const scope{module};
  auto own = policies.find(scope + "." + std::string{field});
  if (own == policies.end()) own = policies.find(scope + ".*");
  return own == policies.end() ? core::Policy::newest : own->second;
}

const ServiceFields &Organization::fields_of(std::string_view module) const {
  static const ServiceFields none;
  auto const fields = service_fields.find(module);
  return fields == service_fields.end() ? none : fields->second;
}

const ServiceField *Organization::find_field(std::string_view module,
                                             std::string_view field) const {
  const ServiceFields &fields = fields_of(module);
  auto const known = fields.find(field);
  return known == fields.end() ? nullptr : &known->second;
}

std::shared_ptr<const Organization> load_organization(std::int64_t org_id) {
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const found = select_organization.read_latest({pg::argument(org_id)});
  if (found.empty()) {
    throw core::Error{{.sqlstate = "42704",
                       .message = "organization " + std::to_string(org_id) + " does not exist",
                       .hint = "Make it with crm_bridge.create_organization()."}};
  }
  auto organization = std::make_shared<Organization>();
  organization->org_id = org_id;
  organization->name = found[0].string(0);
  organization->resolver = std::make_unique<MirrorResolver>(org_id);
  // D18: a date of the CRM belongs to the organization's zone, one of Projects to the portal's.
  core::TimeZone const crm_zone = zone_or_utc(found[0].string(1));
  core::TimeZone const projects_zone =
      found[0].is_null(2) ? crm_zone : zone_or_utc(found[0].string(2));
  organization->portal_zone = projects_zone;
  auto const zone_of = [&](const std::string &service) {
    return service == "zoho_projects" ? projects_zone : crm_zone;
  };

  pg::Rows const mappings = select_mappings.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < mappings.size(); ++i) {
    pg::Row const row = mappings[i];
    if (organization->pairings.empty() || organization->pairings.back().name != row.string(0)) {
      core::Side const tie_winner =
          row.string(5) == "zoho_crm" ? core::Side::left : core::Side::right;
      organization->pairings.push_back(
          Pairing{row.string(0), row.string(1), row.string(2), row.string(3), {}, tie_winner});
    }
    if (row.is_null(6)) continue;
    Pairing &pairing = organization->pairings.back();
    if (auto field = mapped_field(row, pairing, zone_of(row.string(4)), zone_of(row.string(5)),
                                  organization->resolver.get()))
      pairing.fields.push_back(std::move(*field));
  }
  pg::Rows const policies = select_policies.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < policies.size(); ++i) {
    if (auto const policy = core::parse_policy(policies[i].string(1)))
      organization->policies.insert_or_assign(policies[i].string(0), *policy);
  }
  pg::Rows const fields = select_fields.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < fields.size(); ++i) {
    pg::Row const row = fields[i];
    if (auto const type = core::parse_field_type(row.string(2)))
      organization->service_fields[row.string(0)].insert_or_assign(
          row.string(1), ServiceField{.type = *type,
                                      .writable = row.boolean(3),
                                      .addresses = row.boolean(4),
                                      .maximum_length = static_cast<int>(row.bigint(5)),
                                      .choices = row.is_null(6) ? std::vector<std::string>{}
                                                                : pg::texts_of(row[6].value)});
  }
  pg::Rows const stages = select_automated_stages.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < stages.size(); ++i)
    organization->automated_stages.push_back(stages[i].string(0));
  pg::Rows const closed = select_closed_services.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < closed.size(); ++i)
    organization->closed_services.insert(closed[i].string(0));
  pg::Rows const rules = select_rules.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < rules.size(); ++i)
    organization->rules.push_back(rules[i].string(0));
  pg::Rows const settings = select_rule_settings.read_latest({pg::argument(org_id)});
  for (std::uint64_t i = 0; i < settings.size(); ++i) {
    if (settings[i].string(0) == "refusal")
      organization->reverts_refused = settings[i].string(1) != "keep";
    else
      organization->rule_mode =
          core::parse_rule_mode(settings[i].string(1)).value_or(core::RuleMode::reject);
  }
  return organization;
}

namespace {

// (stage text, org_id bigint) → boolean
Datum gets_project(FunctionCallInfo fcinfo) {
  // A restore is loading deals that were won long ago.
  if (catalog::installation() == catalog::Installation::none) return BoolGetDatum(false);
  auto const organization = catalog::organization(DatumGetInt64(fcinfo->args[1].value));
  if (organization->automated_stages.empty()) return BoolGetDatum(false);
  std::string const stage = pg::text_of(fcinfo->args[0].value);
  const auto &stages = organization->automated_stages;
  return BoolGetDatum(std::find(stages.begin(), stages.end(), stage) != stages.end());
}

// (rule text, org_id bigint) → boolean
Datum rule_is_on(FunctionCallInfo fcinfo) {
  // A restore is loading what the rule has done already.
  if (catalog::installation() == catalog::Installation::none) return BoolGetDatum(false);
  auto const organization = catalog::organization(DatumGetInt64(fcinfo->args[1].value));
  const auto &rules = organization->rules;
  if (rules.empty()) return BoolGetDatum(false);
  return BoolGetDatum(std::find(rules.begin(), rules.end(), pg::text_of(fcinfo->args[0].value)) !=
                      rules.end());
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_gets_project, gets_project);
CRM_BRIDGE_FUNCTION(crm_bridge_rule_is_on, rule_is_on);

}  // namespace crm_bridge
