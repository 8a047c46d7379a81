// SPDX-License-Identifier: PostgreSQL
#include "functions/incoming.hpp"

#include <set>

namespace crm_bridge {

namespace {

constexpr std::size_t maximum_records = 1000;
constexpr std::size_t maximum_external_id = 255;

constinit pg::Statement select_ids{
    "SELECT s.external_id, s.record_id FROM crm_bridge.shadow AS s"
    " WHERE s.org_id = $1 AND s.module = $2 AND s.external_id = ANY ($3)",
    {INT8OID, TEXTOID, TEXTARRAYOID}};

constinit pg::Statement expect_records{
    "INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, state)"
    " SELECT $1, crm_bridge.new_id(), $2, e.external_id, 'expected' FROM pg_catalog.unnest($3) AS "
    "e (external_id)"
    " ON CONFLICT (org_id, module, external_id) DO NOTHING",
    {INT8OID, TEXTOID, TEXTARRAYOID}};

// A person is named by e-mail address where the service only gave an id of its own.
void name_people(const Module &module, std::int64_t org_id, std::vector<Incoming> &records) {
  std::set<std::string> ids;
  for (const Incoming &incoming : records)
    if (incoming.modified_by.has_value()) ids.insert(*incoming.modified_by);
  if (ids.empty() || module.people_text.empty()) return;
  pg::Rows const rows = module.people.execute(
      {pg::argument(org_id), pg::argument(std::vector<std::string>{ids.begin(), ids.end()})});
  std::map<std::string, std::string> names;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    names.emplace(rows[i].string(0), rows[i].string(1));
  for (Incoming &incoming : records) {
    if (!incoming.modified_by.has_value()) continue;
    auto const name = names.find(*incoming.modified_by);
    if (name != names.end()) incoming.modified_by = name->second;
  }
}

// external id → our id, by module.  Sorted, so that two calls that expect the same records take
// them in one order.
using References = std::map<std::string, std::map<std::string, std::optional<core::Uuid>>>;

void look_up(std::int64_t org_id, const std::string &module,
             std::map<std::string, std::optional<core::Uuid>> &wanted) {
  std::vector<std::string> missing;
  for (const auto &[external_id, id] : wanted)
    if (!id.has_value()) missing.push_back(external_id);
  if (missing.empty()) return;
  pg::Rows const rows =
      select_ids.execute({pg::argument(org_id), pg::argument(module), pg::argument(missing)});
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    wanted.insert_or_assign(rows[i].string(0), rows[i].uuid(1));
}

void resolve(std::int64_t org_id, References &references) {
  for (auto &[module, wanted] : references) {
    look_up(org_id, module, wanted);
    std::vector<std::string> unknown;
    for (const auto &[external_id, id] : wanted)
      if (!id.has_value()) unknown.push_back(external_id);
    if (unknown.empty()) continue;
    (void)expect_records.execute(
        {pg::argument(org_id), pg::argument(module), pg::argument(unknown)});
    look_up(org_id, module, wanted);
  }
}

class Parser {
 public:
  Parser(const Module &module, const Organization &organization)
      : module_(module), organization_(organization) {}

  Incoming parse(Jsonb *object) {
    Incoming incoming;
    if (object == nullptr) {
      incoming.settle("rejected", "The record is not a JSON object.");
      return incoming;
    }
    incoming.external_id = pg::text_member(object, "external_id").value_or("");
    if (incoming.external_id.empty() || incoming.external_id.size() > maximum_external_id) {
      incoming.settle("rejected", "The record has no external_id, or one of more than 255 bytes.");
      return incoming;
    }
    try {
      incoming.version = instant_member(object, "version");
      incoming.created_at = instant_member(object, "created_at");
      incoming.modified_at = instant_member(object, "modified_at");
      incoming.modified_by = pg::text_member(object, "modified_by");
      if (auto const own = pg::text_member(object, "record_id"))
        incoming.own_id = core::parse_uuid(*own);
      pg::for_each_member(object, [&](std::string_view key, const JsonbValue &value) {
        if (key == "deleted") {
          if (value.type != jbvBool && value.type != jbvNull)
            throw core::Unmappable{"wrong_type", "deleted is neither true nor false."};
          incoming.deleted = value.type == jbvBool && value.val.boolean;
        }
        if (key == "fields" && value.type != jbvNull) {
          if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
            throw core::Unmappable{"wrong_type", "fields is not an object."};
          parse_fields(incoming, value);
        }
      });
    } catch (const core::Unmappable &problem) {
      incoming.settle("rejected", problem.detail);
    }
    return incoming;
  }

  // Puts our ids where the external ones are noted.
  void resolve_references(std::vector<Incoming> &records) {
    resolve(organization_.org_id, wanted_);
    for (std::size_t i = 0; i < records.size() && i < outward_.size(); ++i) {
      for (const auto &[field, external_ids] : outward_[i]) {
        const Column *column = module_.find(field);
        auto const &known = wanted_.at(reference_module(field));
        if (column != nullptr && column->type == core::FieldType::reference) {
          records[i].fields.insert_or_assign(field, core::Value{*known.at(external_ids.front())});
          continue;
        }
        std::vector<core::Uuid> ids;
        for (const std::string &external_id : external_ids) ids.push_back(*known.at(external_id));
        records[i].fields.insert_or_assign(field, core::Value{std::move(ids)});
      }
    }
  }

  void next_record() { outward_.emplace_back(); }

 private:
  static std::optional<core::Instant> instant_member(Jsonb *object, const char *key) {
    auto const text = pg::text_member(object, key);
    if (!text.has_value() || text->empty()) return std::nullopt;
    auto instant = core::parse_instant(*text);
    if (!instant.has_value())
      throw core::Unmappable{
          "wrong_type", std::string{key} + " is not an instant such as 2026-03-01T09:15:00+00:00."};
    return instant;
  }

  const std::string &reference_module(const std::string &field) const {
    return module_.find(field)->reference_module;
  }

  void parse_fields(Incoming &incoming, const JsonbValue &document) {
    Jsonb *object =
        pg::call([&] { return JsonbValueToJsonb(const_cast<JsonbValue *>(&document)); });
    pg::for_each_member(object, [&](std::string_view name, const JsonbValue &value) {
      std::string const field{name};
      core::FieldType const type = type_of(module_, organization_, field);
      try {
        if ((type == core::FieldType::reference || type == core::FieldType::references) &&
            value.type != jbvNull && module_.find(field) != nullptr) {
          note_reference(field, value, type);
        } else {
          incoming.fields.insert_or_assign(field, pg::value_of(value, type));
        }
      } catch (const core::Unmappable &problem) {
        throw core::Unmappable{problem.reason, "Field \"" + field + "\": " + problem.detail};
      }
    });
  }

  void note_reference(const std::string &field, const JsonbValue &value, core::FieldType type) {
    std::vector<std::string> external_ids;
    if (type == core::FieldType::reference) {
      external_ids.push_back(std::get<std::string>(pg::value_of(value, core::FieldType::text)));
    } else {
      if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
        throw core::Unmappable{"wrong_type", "The value is not a list of ids."};
      JsonbIterator *iterator = pg::call([&] { return JsonbIteratorInit(value.val.binary.data); });
      JsonbValue element;
      while (pg::call([&] { return JsonbIteratorNext(&iterator, &element, true); }) != WJB_DONE) {
        if (element.type == jbvString || element.type == jbvNumeric)
          external_ids.push_back(
              std::get<std::string>(pg::value_of(element, core::FieldType::text)));
        element.type = jbvNull;  // the iterator's array tokens come by with what was there before
      }
    }
    for (const std::string &external_id : external_ids) {
      if (external_id.empty() || external_id.size() > maximum_external_id)
        throw core::Unmappable{"wrong_type", "An id is empty or longer than 255 bytes."};
    }
    auto &wanted = wanted_[reference_module(field)];
    for (const std::string &external_id : external_ids) wanted.try_emplace(external_id);
    outward_.back().insert_or_assign(field, std::move(external_ids));
  }

  const Module &module_;
  const Organization &organization_;
  References wanted_;
  std::vector<std::map<std::string, std::vector<std::string>>>
      outward_;  // by record: field → external ids
};

// Of several states of one record in a call only the newest counts.
void drop_superseded(std::vector<Incoming> &records) {
  std::map<std::string, Incoming *> newest;
  for (Incoming &incoming : records) {
    if (incoming.settled()) continue;
    auto const [known, fresh] = newest.try_emplace(incoming.external_id, &incoming);
    if (fresh) continue;
    Incoming *&kept = known->second;
    bool const replaces = incoming.version >= kept->version;
    (replaces ? kept : &incoming)
        ->settle("unchanged", "A newer state of the record came in the same call.");
    if (replaces) kept = &incoming;
  }
}

}  // namespace

std::vector<Incoming> parse_incoming(const Module &module, const Organization &organization,
                                     Jsonb *records, States states) {
  bool const is_array = JB_ROOT_IS_ARRAY(records) && !JB_ROOT_IS_SCALAR(records);
  if (!is_array || JB_ROOT_COUNT(records) > maximum_records) {
    throw core::Error{
        {.sqlstate = "22023",
         .message = "records must be a JSON array of at most 1000 elements",
         .hint = "Each element is an object with external_id and fields, or with deleted."}};
  }
  std::vector<Incoming> result;
  Parser parser{module, organization};
  pg::for_each_object(records, [&](Jsonb *object) {
    pg::check_interrupts();
    parser.next_record();
    result.push_back(parser.parse(object));
  });
  if (states == States::newest) drop_superseded(result);
  parser.resolve_references(result);
  name_people(module, organization.org_id, result);
  return result;
}

void return_outcomes(FunctionCallInfo fcinfo, const std::vector<Incoming> &records) {
  pg::call([&] { InitMaterializedSRF(fcinfo, 0); });
  auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  for (const Incoming &incoming : records) {
    std::array<NullableDatum, 4> const row{
        incoming.external_id.empty() ? pg::null_argument() : pg::argument(incoming.external_id),
        incoming.id == core::Uuid{} ? pg::null_argument() : pg::argument(incoming.id),
        pg::argument(incoming.outcome),
        incoming.detail.empty() ? pg::null_argument() : pg::argument(incoming.detail)};
    pg::call([&] {
      Datum values[4];
      bool nulls[4];
      for (std::size_t i = 0; i < row.size(); ++i) {
        values[i] = row[i].value;
        nulls[i] = row[i].isnull;
      }
      tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
  }
}

}  // namespace crm_bridge
