// SPDX-License-Identifier: PostgreSQL
#include "functions/mirror.hpp"

#include "functions/typed_update.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_module{
    "SELECT m.service, m.label, m.creatable, m.updatable, m.deletable,"
    "       (SELECT f.module FROM crm_bridge.module AS u"
    "          JOIN crm_bridge.standard_field AS f ON f.module = u.module AND f.field = 'email'"
    "         WHERE u.service = m.service AND u.api_name = 'users')"
    "  FROM crm_bridge.module AS m WHERE m.module = $1",
    {TEXTOID}};

constinit pg::Statement select_columns{
    "SELECT a.attname::text, a.attnum::bigint, a.atttypid::bigint, f.type, f.writable AND "
    "(m.updatable OR m.creatable),"
    "       f.reference_module"
    "  FROM pg_catalog.pg_attribute AS a"
    "  JOIN crm_bridge.module AS m ON m.module = $1"
    "  LEFT JOIN crm_bridge.standard_field AS f ON f.module = $1 AND f.field = a.attname"
    " WHERE a.attrelid = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    {TEXTOID, OIDOID}};

void make_statements(Module &module) {
  std::string const table = "crm_bridge." + pg::quoted(module.name);
  std::string names;
  std::string populated;
  for (const Column &column : module.columns) {
    std::string const name = pg::quoted(column.field);
    names += ", " + name;
    populated += ", p." + name;
  }
  module.insert_text =
      "INSERT INTO " + table +
      " (org_id, id, external_id, custom_fields, created_at, modified_at, modified_by" + names +
      ") SELECT $1, p.id, p.external_id, COALESCE(p.custom_fields, '{}'), COALESCE(p.created_at, "
      "pg_catalog.now()),"
      " COALESCE(p.modified_at, pg_catalog.now()), p.modified_by" +
      populated +
      " FROM pg_catalog.unnest($2) AS i (document)"
      " CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::" +
      table + ", i.document) AS p";
  module.patch_text =
      "UPDATE " + table + " AS m SET (external_id, custom_fields, modified_at, modified_by" +
      names +
      ") ="
      " (SELECT p.external_id, CASE WHEN i.document ? 'custom_fields'"
      " THEN m.custom_fields || (i.document -> 'custom_fields') ELSE m.custom_fields END, "
      "p.modified_at, p.modified_by" +
      populated +
      " FROM pg_catalog.jsonb_populate_record(m, i.document) AS p)"
      " FROM unnest($2, $3) AS i (id, document) WHERE m.org_id = $1 AND m.id = i.id";
  module.find_text = "SELECT m.external_id, m.id FROM " + table +
                     " AS m WHERE m.org_id = $1 AND m.external_id = ANY ($2)";
  module.erase_text = "DELETE FROM " + table + " AS m WHERE m.org_id = $1 AND m.id = ANY ($2)";
  module.identify_text =
      "UPDATE " + table +
      " AS m SET external_id = i.external_id"
      " FROM unnest($2, $3) AS i (id, external_id)"
      " WHERE m.org_id = $1 AND m.id = i.id AND m.external_id IS DISTINCT FROM i.external_id";
  module.identify =
      pg::Statement{module.identify_text.c_str(), {INT8OID, UUIDARRAYOID, TEXTARRAYOID}};
  module.erase = pg::Statement{module.erase_text.c_str(), {INT8OID, UUIDARRAYOID}};
  module.insert = pg::Statement{module.insert_text.c_str(), {INT8OID, JSONBARRAYOID}};
  module.patch = pg::Statement{module.patch_text.c_str(), {INT8OID, UUIDARRAYOID, JSONBARRAYOID}};
  module.find_by_external_id = pg::Statement{module.find_text.c_str(), {INT8OID, TEXTARRAYOID}};
}

Jsonb *document_of(const Module &module, const Patch &patch, bool with_id) {
  pg::Members document;
  pg::Fields custom;
  document.reserve(patch.fields.size() + 6);
  for (const auto &[name, value] : patch.fields) {
    if (module.find(name) != nullptr)
      document.emplace_back(name, &value);
    else
      custom.insert_or_assign(name, value);
  }
  std::array<core::Value, 6> own;
  std::size_t count = 0;
  auto const add = [&](const char *name, core::Value value) {
    own[count] = std::move(value);
    document.emplace_back(name, &own[count++]);
  };
  if (with_id) add("id", patch.id);
  if (patch.external_id.has_value()) add("external_id", *patch.external_id);
  if (patch.created_at.has_value()) add("created_at", *patch.created_at);
  if (patch.modified_at.has_value()) add("modified_at", *patch.modified_at);
  if (patch.modified_by.has_value()) add("modified_by", *patch.modified_by);
  if (!custom.empty()) {
    Jsonb *object = pg::to_jsonb(custom);
    const char *text = pg::call(
        [&] { return JsonbToCString(nullptr, &object->root, static_cast<int>(VARSIZE(object))); });
    add("custom_fields", core::Json{text});
  }
  return pg::to_jsonb(document);
}

}  // namespace

std::shared_ptr<const Module> load_module(const std::string &name) {
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const found = select_module.read_latest({pg::argument(name)});
  if (found.empty()) {
    throw core::Error{{.sqlstate = "42704",
                       .message = "module \"" + name + "\" does not exist",
                       .hint = "The modules are listed in crm_bridge.module."}};
  }
  auto module = std::make_shared<Module>();
  module->name = name;
  module->service = found[0].string(0);
  module->label = found[0].string(1);
  module->creatable = found[0].boolean(2);
  module->updatable = found[0].boolean(3);
  module->deletable = found[0].boolean(4);
  if (!found[0].is_null(5)) {
    module->people_text = "SELECT u.external_id, u.email FROM crm_bridge." +
                          pg::quoted(found[0].string(5)) +
                          " AS u WHERE u.org_id = $1 AND u.external_id = ANY ($2) AND u.email IS "
                          "NOT NULL";
    module->people = pg::Statement{module->people_text.c_str(), {INT8OID, TEXTARRAYOID}};
  }
  module->relation = pg::call(
      [&] { return get_relname_relid(name.c_str(), get_namespace_oid("crm_bridge", false)); });
  pg::Rows const columns = select_columns.read_latest(
      {pg::argument(name), pg::argument(ObjectIdGetDatum(module->relation))});
  struct Shared {
    std::string_view name;
    AttrNumber Module::*number;
  };
  constexpr std::array<Shared, 8> shared_columns{{{"org_id", &Module::org_id},
                                                  {"id", &Module::id},
                                                  {"external_id", &Module::external_id},
                                                  {"custom_fields", &Module::custom_fields},
                                                  {"origin", &Module::origin},
                                                  {"created_at", &Module::created_at},
                                                  {"modified_at", &Module::modified_at},
                                                  {"modified_by", &Module::modified_by}}};
  for (std::uint64_t i = 0; i < columns.size(); ++i) {
    pg::Row const row = columns[i];
    std::string const field = row.string(0);
    auto const number = static_cast<AttrNumber>(row.bigint(1));
    auto const shared = std::find_if(shared_columns.begin(), shared_columns.end(),
                                     [&](const Shared &column) { return column.name == field; });
    if (shared != shared_columns.end()) {
      (*module).*(shared->number) = number;
      continue;
    }
    // A column that somebody added to the mirror by hand is no field of the service: it is left
    // alone.
    auto const type = core::parse_field_type(row.string(3));
    if (!type.has_value()) continue;
    auto const type_oid = static_cast<Oid>(row.bigint(2));
    Column column{number, field, *type, type_oid, 0, false, row.boolean(4), row.string(5)};
    pg::call([&] { get_typlenbyval(type_oid, &column.length, &column.by_value); });
    module->columns.push_back(std::move(column));
  }
  make_statements(*module);
  return module;
}

void demand_layout(const pg::TriggerCall &trigger, const Module &module) {
  if (RelationGetRelid(trigger.relation()) == module.relation) return;
  TupleDesc const descriptor = RelationGetDescr(trigger.relation());
  auto const has = [&](AttrNumber number, std::string_view name, Oid type) {
    if (number > descriptor->natts) return false;
    const FormData_pg_attribute &attribute = *TupleDescAttr(descriptor, number - 1);
    return !attribute.attisdropped && name == NameStr(attribute.attname) &&
           attribute.atttypid == type;
  };
  bool const fits =
      has(module.org_id, "org_id", INT8OID) && has(module.id, "id", UUIDOID) &&
      has(module.external_id, "external_id", TEXTOID) &&
      has(module.custom_fields, "custom_fields", JSONBOID) &&
      has(module.origin, "origin", TEXTOID) &&
      has(module.modified_at, "modified_at", TIMESTAMPTZOID) &&
      has(module.modified_by, "modified_by", TEXTOID) &&
      std::all_of(module.columns.begin(), module.columns.end(), [&](const Column &column) {
        return has(column.number, column.field, column.type_oid);
      });
  if (!fits) trigger.refuse("must be on a table with the columns of \"" + module.name + "\"");
}

MirrorReader::MirrorReader(std::shared_ptr<const Module> module, std::int64_t org_id)
    : module_(std::move(module)), org_id_(org_id), reader_(module_->relation) {}

bool MirrorReader::find(const core::Uuid &id) {
  return reader_.find({Int64GetDatum(org_id_), PointerGetDatum(id.bytes.data())});
}

core::Value MirrorReader::value_of(const Column &column) const {
  return pg::value_of(reader_.value(column.number), reader_.is_null(column.number), column.type,
                      column.type_oid);
}

core::Value MirrorReader::value(std::string_view field) const {
  const Column *column = module_->find(field);
  return column == nullptr ? core::Value{} : value_of(*column);
}

Record MirrorReader::record(const Organization &organization) const {
  auto const text = [&](AttrNumber number) {
    return reader_.is_null(number) ? std::nullopt
                                   : std::optional{pg::text_of(reader_.value(number))};
  };
  Record record{pg::uuid_of(reader_.value(module_->id)),
                text(module_->external_id),
                std::nullopt,
                text(module_->modified_by),
                {}};
  if (!reader_.is_null(module_->modified_at))
    record.modified_at = pg::instant_of(DatumGetTimestampTz(reader_.value(module_->modified_at)));
  Jsonb *custom = pg::call([&] { return DatumGetJsonbP(reader_.value(module_->custom_fields)); });
  record.fields = typed_fields(*module_, organization, custom);
  for (const Column &column : module_->columns)
    record.fields.insert_or_assign(column.field, value_of(column));
  return record;
}

namespace {

// The records that are there, in the order of `ids`; with `locking` those that nobody else holds.
std::vector<Record> records_of(const Module &module, std::int64_t org_id,
                               const std::vector<core::Uuid> &ids, bool locking) {
  if (ids.empty()) return {};
  auto const organization = catalog::organization(org_id);
  MirrorReader reader{catalog::module(module.name), org_id};
  std::vector<Record> records;
  for (const core::Uuid &id : ids) {
    if (!reader.find(id)) continue;
    if (locking && reader.lock() != pg::KeyReader::Lock::locked) continue;
    records.push_back(reader.record(*organization));
  }
  return records;
}

}  // namespace

std::vector<Record> lock_records(const Module &module, std::int64_t org_id,
                                 const std::vector<core::Uuid> &ids) {
  return records_of(module, org_id, ids, true);
}

std::vector<Record> read_records(const Module &module, std::int64_t org_id,
                                 const std::vector<core::Uuid> &ids) {
  return records_of(module, org_id, ids, false);
}

std::map<std::string, core::Uuid> find_records(const Module &module, std::int64_t org_id,
                                               const std::vector<std::string> &external_ids) {
  std::map<std::string, core::Uuid> found;
  if (external_ids.empty()) return found;
  pg::Rows const rows =
      module.find_by_external_id.execute({pg::argument(org_id), pg::argument(external_ids)});
  for (std::uint64_t i = 0; i < rows.size(); ++i) found.emplace(rows[i].string(0), rows[i].uuid(1));
  return found;
}

void insert_records(const Module &module, std::int64_t org_id, const std::vector<Patch> &records) {
  if (records.empty()) return;
  std::vector<Jsonb *> documents;
  documents.reserve(records.size());
  for (const Patch &record : records) documents.push_back(document_of(module, record, true));
  (void)module.insert.execute({pg::argument(org_id), pg::argument(documents)});
}

void update_records(const Module &module, std::int64_t org_id, const std::vector<Patch> &patches) {
  std::vector<core::Uuid> ids;
  std::vector<Jsonb *> documents;
  for (const Patch *patch : update_by_columns(module, org_id, patches)) {
    ids.push_back(patch->id);
    documents.push_back(document_of(module, *patch, false));
  }
  if (ids.empty()) return;
  (void)module.patch.execute({pg::argument(org_id), pg::argument(ids), pg::argument(documents)});
}

void delete_records(const Module &module, std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  if (ids.empty()) return;
  (void)module.erase.execute({pg::argument(org_id), pg::argument(ids)});
}

core::FieldType type_of(const Module &module, const Organization &organization,
                        std::string_view field) {
  if (const Column *column = module.find(field)) return column->type;
  const ServiceField *custom = organization.find_field(module.name, field);
  return custom == nullptr ? core::FieldType::json : custom->type;
}

pg::Fields typed_fields(const Module &module, const Organization &organization, Jsonb *document) {
  if (document == nullptr) return {};
  return pg::read_fields(
      document, [&](std::string_view field) { return type_of(module, organization, field); });
}

}  // namespace crm_bridge
