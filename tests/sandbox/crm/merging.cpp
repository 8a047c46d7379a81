// SPDX-License-Identifier: PostgreSQL
// Two records that a person merges in the screens.  No call of the API does that, and none tells of
// it.
#include "records.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {

void Records::rewrite(const Module &module, Record &record, const Json &values,
                      const std::string &actor, Effects &effects) {
  auto before = std::make_shared<Record>(record);
  before->before = nullptr;
  index(module, record, false);
  record.before = before;
  record.modified = clock_.seconds();
  record.modified_by = actor;
  Change change{module.api_name, "update", record.id, Json::object()};
  for (const auto &[field, value] : values.items()) {
    record.values[field] = value;
    change.values[field] = render_field(module, record, field);
  }
  complete(module, record, values);
  index(module, record, true);
  effects.changes.push_back(std::move(change));
}

Json Records::merge(Module &module, const std::string &master_id, const std::string &loser_id,
                    const std::vector<std::string> &taken, const std::string &actor,
                    Effects &effects) {
  Record *master = find(module.api_name, master_id);
  Record *loser = find(module.api_name, loser_id);
  if (master == nullptr || loser == nullptr || master == loser) {
    return error_item("INVALID_DATA", {{"id", master == nullptr ? master_id : loser_id}},
                      "the id given seems to be invalid");
  }
  Json values = Json::object();
  for (const auto &field : module.fields) {
    const Json theirs = loser->value(field.api_name);
    const bool named = std::find(taken.begin(), taken.end(), field.api_name) != taken.end();
    if (!theirs.is_null() && (named || master->value(field.api_name).is_null()))
      values[field.api_name] = theirs;
  }
  // What referred to the loser, whatever module it is in.
  for (const auto &child : metadata_.modules()) {
    for (const auto &field : child.fields) {
      if (field.data_type != "lookup") continue;
      for (auto &[number, record] : shelf(child.api_name).records) {
        const std::string &target =
            field.lookup_module == "*" ? record.what_module : field.lookup_module;
        if (target != module.api_name || record.value(field.api_name) != loser_id) continue;
        rewrite(child, record, {{field.api_name, master_id}}, actor, effects);
      }
    }
  }
  // Unique values move: the loser must be out of the way first.
  const Json answer = remove(module, loser_id, actor, false, effects);
  rewrite(module, *find(module.api_name, master_id), values, actor, effects);
  return answer;
}

}  // namespace crm_bridge::sandbox::crm
