// SPDX-License-Identifier: PostgreSQL
#include "functions/typed_update.hpp"

namespace crm_bridge {

namespace {

// The type of the array whose elements unnest gives to the columns of many rows; InvalidOid: none,
// an array of arrays comes apart altogether.
Oid array_type_of(Oid type) {
  switch (type) {
    case TEXTOID:
      return TEXTARRAYOID;
    case NUMERICOID:
      return NUMERICARRAYOID;
    case BOOLOID:
      return BOOLARRAYOID;
    case DATEOID:
      return DATEARRAYOID;
    case TIMESTAMPTZOID:
      return TIMESTAMPTZARRAYOID;
    case UUIDOID:
      return UUIDARRAYOID;
    default:
      return InvalidOid;
  }
}

bool fits(const core::Value &value, Oid type) {
  bool const by_column = type == UUIDARRAYOID || array_type_of(type) != InvalidOid;
  return by_column && (core::is_null(value) || pg::column_type_of(value) == type);
}

// The columns of a patch in their order in the table; empty: it cannot be written by columns.
std::vector<const Column *> columns_of(const Module &module, const Patch &patch) {
  if (patch.external_id.has_value() || patch.created_at.has_value() ||
      patch.modified_at.has_value() || patch.modified_by.has_value())
    return {};
  std::vector<const Column *> columns;
  for (const auto &[name, value] : patch.fields) {
    const Column *column = module.find(name);
    if (column == nullptr || !fits(value, column->type_oid)) return {};
    columns.push_back(column);
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

std::string text_of_update(const Module &module, const std::vector<const Column *> &columns,
                           bool single) {
  std::string text = "UPDATE crm_bridge." + pg::quoted(module.name) + " AS m SET ";
  std::string arrays;
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string const name = pg::quoted(columns[i]->field);
    std::string const parameter = "$" + std::to_string(i + 3);
    text += (i == 0 ? "" : ", ") + name + " = " + (single ? parameter : "i." + name);
    arrays += ", " + parameter;
    names += ", " + name;
  }
  if (single) return text + " WHERE m.org_id = $1 AND m.id = $2";
  return text + " FROM unnest($2" + arrays + ") AS i (id" + names +
         ") WHERE m.org_id = $1 AND m.id = i.id";
}

// nullptr: there are many already.  None is forgotten for another: it may be running further out.
pg::Statement *statement_for(const Module &module, const std::vector<const Column *> &columns,
                             bool single) {
  constexpr std::size_t most_statements = 64;
  std::string text = text_of_update(module, columns, single);
  auto const found = module.updates.find(text);
  if (found != module.updates.end()) return &found->second;
  if (module.updates.size() >= most_statements) return nullptr;
  std::vector<Oid> types{INT8OID, single ? Oid{UUIDOID} : Oid{UUIDARRAYOID}};
  for (const Column *column : columns)
    types.push_back(single ? column->type_oid : array_type_of(column->type_oid));
  auto const entry =
      module.updates.try_emplace(std::move(text), nullptr, std::span<const Oid>{}).first;
  entry->second = pg::Statement{entry->first.c_str(), types};
  return &entry->second;
}

bool run_update(const Module &module, std::int64_t org_id,
                const std::vector<const Column *> &columns,
                const std::vector<const Patch *> &patches) {
  bool const single = patches.size() == 1;
  pg::Statement *statement = statement_for(module, columns, single);
  if (statement == nullptr) return false;
  std::vector<NullableDatum> arguments{pg::argument(org_id)};
  if (single) {
    arguments.push_back(pg::argument(patches.front()->id));
    for (const Column *column : columns)
      arguments.push_back(pg::argument(patches.front()->fields.at(column->field)));
  } else {
    std::vector<core::Uuid> ids;
    for (const Patch *patch : patches) ids.push_back(patch->id);
    arguments.push_back(pg::argument(ids));
    std::vector<const core::Value *> values(patches.size());
    for (const Column *column : columns) {
      for (std::size_t i = 0; i < patches.size(); ++i)
        values[i] = &patches[i]->fields.at(column->field);
      arguments.push_back(pg::argument(values, column->type_oid));
    }
  }
  (void)statement->execute(arguments);
  return true;
}

}  // namespace

std::vector<const Patch *> update_by_columns(const Module &module, std::int64_t org_id,
                                             const std::vector<Patch> &patches) {
  constexpr std::size_t most_columns = pg::Statement::maximum_parameters - 2;
  std::vector<const Patch *> others;
  std::map<std::vector<const Column *>, std::vector<const Patch *>> groups;
  for (const Patch &patch : patches) {
    std::vector<const Column *> columns = columns_of(module, patch);
    if (columns.empty() || columns.size() > most_columns)
      others.push_back(&patch);
    else
      groups[std::move(columns)].push_back(&patch);
  }
  for (const auto &[columns, group] : groups) {
    bool const together = std::none_of(columns.begin(), columns.end(), [](const Column *column) {
      return array_type_of(column->type_oid) == InvalidOid;
    });
    if (together) {
      if (!run_update(module, org_id, columns, group))
        others.insert(others.end(), group.begin(), group.end());
    } else {
      for (const Patch *patch : group)
        if (!run_update(module, org_id, columns, {patch})) others.push_back(patch);
    }
  }
  return others;
}

}  // namespace crm_bridge
