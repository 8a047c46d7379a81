// SPDX-License-Identifier: PostgreSQL
//
// What is to be sent of records: all writable fields that are not empty of one that its service
// does not have yet, the changed ones of the others.  Only reads: claim notes the outcome and hands
// it out, pending_changes shows it.
#include "functions/arguments.hpp"
#include "functions/known.hpp"
#include "functions/mirror.hpp"

namespace crm_bridge {

namespace {

// Statements of their own, each row a probe of a whole key (LIMIT keeps the planner from making a
// join of it): with the statistics of a young table it would read all of the organization's rows.
constinit pg::Statement select_deliveries{
    "SELECT d.record_id, d.module, d.operation = 'delete', d.fields, d.attempts, d.in_doubt"
    "  FROM unnest($2) AS r (record_id)"
    " CROSS JOIN LATERAL (SELECT * FROM crm_bridge.delivery AS e"
    "                      WHERE e.org_id = $1 AND e.record_id = r.record_id LIMIT 1) AS d"
    " ORDER BY d.queued_at, d.record_id",
    {INT8OID, UUIDARRAYOID}};

constinit pg::Statement select_known{
    "SELECT s.record_id, s.external_id, s.version, s.fields"
    "  FROM unnest($2) AS r (record_id)"
    " CROSS JOIN LATERAL (SELECT * FROM crm_bridge.shadow AS e"
    "                      WHERE e.org_id = $1 AND e.record_id = r.record_id LIMIT 1) AS s"
    " WHERE s.state <> 'gone'",
    {INT8OID, UUIDARRAYOID}};

struct Known {
  std::string external_id;
  NullableDatum version;
  Jsonb *fields = nullptr;
};
using KnownRecords = std::unordered_map<core::Uuid, Known>;

KnownRecords read_known(std::int64_t org_id, const std::vector<core::Uuid> &ids) {
  KnownRecords known;
  if (ids.empty()) return known;
  pg::Rows const rows = select_known.execute({pg::argument(org_id), pg::argument(ids)});
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(1))
      known.emplace(rows[i].uuid(0), Known{rows[i].string(1), rows[i][2], rows[i].jsonb(3)});
  }
  return known;
}

enum class Operation { create, update, remove };

std::string to_text(Operation operation) {
  switch (operation) {
    case Operation::create:
      return "create";
    case Operation::update:
      return "update";
    case Operation::remove:
      break;
  }
  return "delete";
}

struct Request {
  core::Uuid record;
  std::shared_ptr<const Module> module;
  Operation operation = Operation::remove;
  bool deletion = false;
  std::vector<std::string> dirty{};
  NullableDatum attempts{}, in_doubt{}, version = pg::null_argument();
  std::optional<std::string> external_id{};
  pg::Fields own{};       // what is sent, in the mirror's terms
  pg::Fields outward{};   // likewise, with external ids for references to records
  pg::Fields base{};      // what the service last told of these fields, likewise
  pg::Fields address{};   // external ids that are part of the record's URL
  pg::Fields left_out{};  // custom fields that the service does not know, or does not let us write
  std::vector<core::Uuid> references{};  // records that must have an external id first
  std::optional<core::Uuid> waits_for{};
};

class Composition {
 public:
  explicit Composition(std::int64_t org_id)
      : organization_(catalog::organization(org_id)), org_id_(org_id) {}

  std::vector<Request> of(const std::vector<core::Uuid> &records) {
    read_deliveries(records);
    KnownRecords const known = read_known(org_id_, records);
    for (auto &[module, requests] : by_module_) compose(*module, requests, known);
    resolve_references();
    return std::move(requests_);
  }

 private:
  void read_deliveries(const std::vector<core::Uuid> &records) {
    pg::Rows const rows = select_deliveries.execute({pg::argument(org_id_), pg::argument(records)});
    requests_.reserve(rows.size());
    for (std::uint64_t i = 0; i < rows.size(); ++i) {
      pg::Row const row = rows[i];
      requests_.push_back({.record = row.uuid(0),
                           .module = catalog::module(row.string(1)),
                           .deletion = row.boolean(2),
                           .dirty = pg::texts_of(row[3].value),
                           .attempts = row[4],
                           .in_doubt = row[5]});
      by_module_[requests_.back().module.get()].push_back(&requests_.back());
    }
  }

  void compose(const Module &module, const std::vector<Request *> &requests,
               const KnownRecords &known) {
    std::vector<core::Uuid> ids;
    for (const Request *request : requests) ids.push_back(request->record);
    std::unordered_map<core::Uuid, Record> mirror;
    for (Record &record : read_records(module, org_id_, ids)) {
      core::Uuid const id = record.id;
      mirror.emplace(id, std::move(record));
    }
    auto const questions = open_questions(org_id_, ids);
    for (Request *request : requests) {
      pg::check_interrupts();
      if (auto const question = questions.find(request->record); question != questions.end())
        std::erase_if(request->dirty,
                      [&](const std::string &field) { return question->second.contains(field); });
      if (auto const here = known.find(request->record); here != known.end()) {
        request->external_id = here->second.external_id;
        request->version = here->second.version;
      }
      auto const record = mirror.find(request->record);
      if (record != mirror.end()) compose(module, record->second, *request);
      if (request->operation == Operation::update && request->external_id.has_value())
        note_base(module, known, *request);
    }
  }

  void compose(const Module &module, Record &record, Request &request) {
    if (!request.external_id.has_value()) request.external_id = record.external_id;
    if (!request.deletion)
      request.operation = request.external_id.has_value() ? Operation::update : Operation::create;
    if (request.operation == Operation::create) {
      for (auto &[field, value] : record.fields) {
        if (!core::is_null(value)) send(module, request, field, std::move(value));
      }
    } else if (request.operation == Operation::update) {
      for (const std::string &field : request.dirty) {
        auto const value = record.fields.find(field);
        send(module, request, field, value == record.fields.end() ? core::Value{} : value->second);
      }
    }
    for (const auto &[name, field] : organization_->fields_of(module.name)) {
      if (!field.addresses) continue;
      auto const value = record.fields.find(name);
      if (value == record.fields.end()) continue;
      request.address.insert_or_assign(name, value->second);
      note_references(request.references, module.find(name), value->second);
    }
  }

  void send(const Module &module, Request &request, const std::string &field, core::Value value) {
    const Column *column = module.find(field);
    const ServiceField *known = organization_->find_field(module.name, field);
    if (known == nullptr || !known->writable) {
      if (column == nullptr) request.left_out.insert_or_assign(field, std::move(value));
      return;
    }
    note_references(request.references, column, value);
    request.own.insert_or_assign(field, std::move(value));
  }

  void note_base(const Module &module, const KnownRecords &known, Request &request) const {
    auto const here = known.find(request.record);
    if (here == known.end() || here->second.fields == nullptr) return;
    pg::for_each_member(here->second.fields, [&](std::string_view name, const JsonbValue &value) {
      std::string const field{name};
      if (request.own.contains(field))
        request.base.insert_or_assign(
            field, pg::stored_value_of(value, type_of(module, *organization_, field)));
    });
  }

  // Only columns hold our ids; a custom field that refers to a record keeps the service's own
  // words.
  static void note_references(std::vector<core::Uuid> &references, const Column *column,
                              const core::Value &value) {
    if (column == nullptr) return;
    if (const auto *one = std::get_if<core::Uuid>(&value)) references.push_back(*one);
    if (const auto *many = std::get_if<std::vector<core::Uuid>>(&value))
      references.insert(references.end(), many->begin(), many->end());
  }

  void resolve_references() {
    std::vector<core::Uuid> ids;
    for (const Request &request : requests_)
      ids.insert(ids.end(), request.references.begin(), request.references.end());
    for (const Request &request : requests_) {
      for (const auto &[field, value] : request.base)
        note_references(ids, request.module->find(field), value);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    KnownRecords const known = read_known(org_id_, ids);
    for (Request &request : requests_) {
      for (const core::Uuid &id : request.references) {
        if (!known.contains(id) && (!request.waits_for.has_value() || id < *request.waits_for))
          request.waits_for = id;
      }
      if (request.waits_for.has_value()) continue;
      request.outward = outward(*request.module, request.own, known);
      request.base = outward(*request.module, request.base, known);
      request.address = outward(*request.module, request.address, known);
      std::erase_if(request.address, [](const auto &field) { return core::is_null(field.second); });
    }
  }

  // "" of a record that is gone: what was told of it once is still told of.
  static std::string external_id(const KnownRecords &known, const core::Uuid &id) {
    auto const found = known.find(id);
    return found == known.end() ? std::string{} : found->second.external_id;
  }

  static pg::Fields outward(const Module &module, const pg::Fields &own,
                            const KnownRecords &known) {
    pg::Fields fields;
    for (const auto &[field, value] : own) {
      bool const is_column = module.find(field) != nullptr;
      if (const auto *one = std::get_if<core::Uuid>(&value); is_column && one != nullptr) {
        fields.insert_or_assign(field, external_id(known, *one));
      } else if (const auto *many = std::get_if<std::vector<core::Uuid>>(&value);
                 is_column && many != nullptr) {
        std::vector<std::string> external_ids;
        for (const core::Uuid &id : *many) external_ids.push_back(external_id(known, id));
        fields.insert_or_assign(field, pg::json_of(external_ids));
      } else {
        fields.insert_or_assign(field, value);
      }
    }
    return fields;
  }

  std::shared_ptr<const Organization> organization_;
  std::int64_t org_id_;
  std::vector<Request> requests_;
  std::map<const Module *, std::vector<Request *>> by_module_;
};

void put(ReturnSetInfo *result, const Request &request) {
  std::array<NullableDatum, 13> const row{
      pg::argument(request.module->name),
      pg::argument(request.record),
      pg::argument(to_text(request.operation)),
      pg::argument(request.external_id),
      request.version,
      pg::argument(pg::to_jsonb(request.own)),
      pg::argument(pg::to_jsonb(request.outward)),
      pg::argument(pg::to_jsonb(request.address)),
      request.attempts,
      request.in_doubt,
      pg::argument(request.waits_for),
      request.left_out.empty() ? pg::null_argument() : pg::argument(pg::to_jsonb(request.left_out)),
      pg::argument(pg::to_jsonb(request.base))};
  pg::call([&] {
    Datum values[row.size()];
    bool nulls[row.size()];
    for (std::size_t i = 0; i < row.size(); ++i) {
      values[i] = row[i].value;
      nulls[i] = row[i].isnull;
    }
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  });
}

// (org_id bigint, records uuid[]) → one row a record that waits to be sent, longest waiting first
Datum compose(FunctionCallInfo fcinfo) {
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[0].value);
  std::vector<core::Uuid> const records = pg::uuids_of(fcinfo->args[1].value);
  pg::call([&] { InitMaterializedSRF(fcinfo, 0); });
  auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  pg::AsOwner owner;
  pg::SpiSession spi;
  for (const Request &request : Composition{org_id}.of(records)) put(result, request);
  return static_cast<Datum>(0);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_compose, compose);

}  // namespace crm_bridge
