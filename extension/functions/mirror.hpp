// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"
#include "pg/key_reader.hpp"
#include "pg/trigger_call.hpp"

// Reading and writing mirror rows as fields, the same way for every module.
namespace crm_bridge {

std::shared_ptr<const Module> load_module(const std::string &name);

// Raises 39P01 unless the trigger's table is the mirror, or a shard of it: another name, the same
// columns.
void demand_layout(const pg::TriggerCall &trigger, const Module &module);

// One row of a mirror as core values.
struct Record {
  core::Uuid id;
  std::optional<std::string> external_id;
  std::optional<core::Instant> modified_at;
  std::optional<std::string> modified_by;
  pg::Fields fields;  // columns by name, custom fields by their key
};

// What to write to one row.  Custom fields are among `fields`; they are merged into custom_fields.
struct Patch {
  core::Uuid id;
  pg::Fields fields{};
  std::optional<std::string> external_id{};
  std::optional<core::Instant> created_at{};
  std::optional<core::Instant> modified_at{};
  std::optional<std::string> modified_by{};
};

// Single rows of a mirror by their ids, without a query.
class MirrorReader {
 public:
  MirrorReader(std::shared_ptr<const Module> module, std::int64_t org_id);
  // Moves to the record; false: there is none.
  bool find(const core::Uuid &id);
  pg::KeyReader::Lock lock() { return reader_.lock(); }
  // A column's value of the record that it is at; null for a field without a column.
  core::Value value(std::string_view field) const;
  Record record(const Organization &organization) const;

 private:
  core::Value value_of(const Column &column) const;

  std::shared_ptr<const Module> module_;
  std::int64_t org_id_;
  pg::KeyReader reader_;
};

// All of these need an SpiSession and AsOwner.

// Locks what nobody else holds (as FOR NO KEY UPDATE SKIP LOCKED) and returns the rows in their
// latest version, in the order of `ids`.
std::vector<Record> lock_records(const Module &module, std::int64_t org_id,
                                 const std::vector<core::Uuid> &ids);
std::vector<Record> read_records(const Module &module, std::int64_t org_id,
                                 const std::vector<core::Uuid> &ids);
// external id → our id of those that are in the mirror.
std::map<std::string, core::Uuid> find_records(const Module &module, std::int64_t org_id,
                                               const std::vector<std::string> &external_ids);
void insert_records(const Module &module, std::int64_t org_id, const std::vector<Patch> &records);
void update_records(const Module &module, std::int64_t org_id, const std::vector<Patch> &patches);
void delete_records(const Module &module, std::int64_t org_id, const std::vector<core::Uuid> &ids);

// Type of a field of this organization, custom ones included.
core::FieldType type_of(const Module &module, const Organization &organization,
                        std::string_view field);
// A stored document of values of the module's fields; of nullptr nothing.
pg::Fields typed_fields(const Module &module, const Organization &organization, Jsonb *document);

}  // namespace crm_bridge
