// SPDX-License-Identifier: PostgreSQL
// Insert, update, upsert, delete: by programs through the API and by people in the screens.
#include "service.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {
namespace {

constexpr std::size_t batch_limit = 100;

// 201 or 200 when all went well, 207 (Bigin: 202) when some did, 400 (or 412) when none did.
int status_of(const Json &results, int success, int partial) {
  std::size_t failures = 0;
  bool only_modified = true;
  for (const auto &result : results) {
    if (result["status"] != "error") continue;
    ++failures;
    if (result["code"] != "ALREADY_MODIFIED") only_modified = false;
  }
  if (failures == 0) return success;
  if (failures < results.size()) return partial;
  return only_modified ? 412 : 400;
}

}  // namespace

Answer Service::write(const Call &call, Module &module, Writing kind, const std::string &id,
                      const Record *parent) {
  Json body = Json::parse(call.body, nullptr, false);
  if (!body.is_object()) {
    return refuse(400, "UNABLE_TO_PARSE_DATA_TYPE", Json::object(),
                  "either the request body or parameters is in wrong format");
  }
  if (!body.contains("data")) {
    return refuse(400, "MANDATORY_NOT_FOUND", {{"api_name", "data"}, {"json_path", "$.data"}},
                  "required field not found");
  }
  Json &data = body["data"];
  if (!data.is_array() || data.empty()) {
    return refuse(
        400, "INVALID_DATA",
        {{"expected_data_type", "jsonarray"}, {"api_name", "data"}, {"json_path", "$.data"}},
        "invalid data");
  }
  if (data.size() > batch_limit) {
    // Notes have their own word for it.
    return refuse(400, module.api_name == "Notes" ? "INVALID_DATA" : "LIMIT_EXCEEDED",
                  {{"maximum_length", batch_limit}, {"api_name", "data"}},
                  "count of records in your request exceeds the limit");
  }
  const Json trigger = body.value("trigger", Json());
  const WriteContext context{people_.token_user().id, !(trigger.is_array() && trigger.empty())};
  const Json duplicate_fields = body.value("duplicate_check_fields", Json());
  Effects effects;
  Json results = Json::array();
  for (std::size_t i = 0; i < data.size(); ++i) {
    Json &input = data[i];
    const std::string path = "$.data[" + std::to_string(i) + "]";
    if (input.is_object() && !id.empty()) input["id"] = id;
    if (input.is_object() && parent != nullptr) {
      input["Parent_Id"] = {{"id", std::to_string(parent->id)},
                            {"module", {{"api_name", call.segment(2)}}}};
    }
    results.push_back(
        write_one(call, module, kind, input, context, path, duplicate_fields, effects));
  }
  settle(effects, context);
  Answer answer;
  answer.status = status_of(results, kind == Writing::insert ? 201 : 200, dialect_.partial_status);
  answer.body = {{"data", std::move(results)}};
  return answer;
}

Json Service::write_one(const Call &call, Module &module, Writing kind, Json input,
                        const WriteContext &context, const std::string &path,
                        const Json &duplicate_fields, Effects &effects) {
  if (kind == Writing::insert) return records_.insert(module, input, context.actor, path, effects);
  const std::string id = text_of(input, "id");
  if (kind == Writing::upsert && id.empty()) {
    return upsert_one(module, input, context, path, duplicate_fields, effects);
  }
  if (id.empty()) {
    return error_item("MANDATORY_NOT_FOUND", {{"api_name", "id"}, {"json_path", path + ".id"}},
                      "required field not found");
  }
  Record *record = records_.find(module.api_name, id);
  if (record == nullptr) {
    return error_item("INVALID_DATA", {{"id", id}, {"api_name", "id"}, {"json_path", path + ".id"}},
                      "the id given seems to be invalid");
  }
  if (const auto unless = parse_instant(call.header("if-unmodified-since"));
      dialect_.minds_unmodified_since && unless && record->modified > *unless / 1000) {
    const auto reference = [&](const std::string &user) {
      const User *found = people_.by_id(user);
      return found != nullptr ? found->reference() : Json{{"id", user}};
    };
    return error_item("ALREADY_MODIFIED",
                      {{"id", id},
                       {"Modified_Time", records_.time(record->modified)},
                       {"Created_Time", records_.time(record->created)},
                       {"Modified_By", reference(record->modified_by)},
                       {"Created_By", reference(record->created_by)}},
                      "record updated time has already passed if-unmodified-since time");
  }
  Json result = records_.update(module, *record, input, context.actor, path, effects);
  if (kind == Writing::upsert && result["status"] == "success") {
    result["action"] = "update";
    result["duplicate_field"] = nullptr;
  }
  return result;
}

Json Service::upsert_one(Module &module, const Json &input, const WriteContext &context,
                         const std::string &path, const Json &duplicate_fields, Effects &effects) {
  std::vector<std::string> order;
  if (duplicate_fields.is_array() && !duplicate_fields.empty()) {
    for (const auto &field : duplicate_fields) {
      if (field.is_string()) order.push_back(field.get<std::string>());
    }
  } else {
    order.push_back(module.duplicate_field);
  }
  // Unique fields are always checked, after the ones asked for.
  for (const auto &field : module.fields) {
    if (field.unique && std::find(order.begin(), order.end(), field.api_name) == order.end())
      order.push_back(field.api_name);
  }
  for (const auto &name : order) {
    const std::string value = text_of(input, name);
    if (value.empty()) continue;
    const auto matches = records_.find_equal(module.api_name, name, value);
    if (matches.empty()) continue;
    Record &record = records_.shelf(module.api_name).records.at(matches.front());
    Json result = records_.update(module, record, input, context.actor, path, effects);
    if (result["status"] == "success") {
      result["action"] = "update";
      result["duplicate_field"] = name;
    }
    return result;
  }
  Json result = records_.insert(module, input, context.actor, path, effects);
  if (result["status"] == "success") {
    result["action"] = "insert";
    result["duplicate_field"] = nullptr;
  }
  return result;
}

Answer Service::remove(const Call &call, Module &module, const std::string &ids) {
  const auto list = split_list(ids);
  if (list.empty()) {
    return refuse(400, "REQUIRED_PARAM_MISSING", {{"param_name", "ids"}},
                  "One of the expected parameter is missing");
  }
  if (list.size() > batch_limit) {
    return refuse(400, "LIMIT_EXCEEDED", {{"limit", batch_limit}, {"param_name", "ids"}},
                  "count of records in your request exceeds the limit");
  }
  const WriteContext context{people_.token_user().id, call.parameter("wf_trigger") != "false"};
  Effects effects;
  Json results = Json::array();
  for (const auto &id : list)
    results.push_back(records_.remove(module, id, context.actor, false, effects));
  settle(effects, context);
  Answer answer;
  answer.status = status_of(results, 200, dialect_.partial_status);
  answer.body = {{"data", std::move(results)}};
  return answer;
}

Json Service::person_create(const std::string &module_name, const Json &fields,
                            const std::string &email) {
  const std::lock_guard lock{mutex_};
  Module *module = metadata_.find(module_name);
  const User *person = people_.by_email(email);
  if (module == nullptr || person == nullptr)
    return error_item("INVALID_DATA", Json::object(), "unknown module or person");
  Effects effects;
  Json result = records_.insert(*module, fields, person->id, "$", effects);
  settle(effects, {person->id, true});
  journal_.sync();
  return result;
}

Json Service::person_update(const std::string &module_name, const std::string &id,
                            const Json &fields, const std::string &email) {
  const std::lock_guard lock{mutex_};
  Module *module = metadata_.find(module_name);
  const User *person = people_.by_email(email);
  Record *record = module == nullptr ? nullptr : records_.find(module_name, id);
  if (record == nullptr || person == nullptr)
    return error_item("INVALID_DATA", {{"id", id}}, "unknown module, record or person");
  Effects effects;
  Json result = records_.update(*module, *record, fields, person->id, "$", effects);
  settle(effects, {person->id, true});
  journal_.sync();
  return result;
}

Json Service::person_delete(const std::string &module_name, const std::string &id, bool permanent,
                            const std::string &email) {
  const std::lock_guard lock{mutex_};
  Module *module = metadata_.find(module_name);
  const User *person = people_.by_email(email);
  if (module == nullptr || person == nullptr)
    return error_item("INVALID_DATA", Json::object(), "unknown module or person");
  Effects effects;
  Json result = records_.remove(*module, id, person->id, permanent, effects);
  settle(effects, {person->id, true});
  journal_.sync();
  return result;
}

Json Service::person_merge(const std::string &module_name, const std::string &master,
                           const std::string &loser, const std::vector<std::string> &taken,
                           const std::string &email) {
  const std::lock_guard lock{mutex_};
  Module *module = metadata_.find(module_name);
  const User *person = people_.by_email(email);
  if (module == nullptr || person == nullptr)
    return error_item("INVALID_DATA", Json::object(), "unknown module or person");
  Effects effects;
  Json result = records_.merge(*module, master, loser, taken, person->id, effects);
  settle(effects, {person->id, true});
  journal_.sync();
  return result;
}

Json Service::person_read(const std::string &module_name, const std::string &id) {
  const std::lock_guard lock{mutex_};
  const Module *module = metadata_.find(module_name);
  if (module == nullptr) return nullptr;
  if (!id.empty()) {
    const Record *record = records_.find(module_name, id);
    return record == nullptr ? Json() : records_.render(*module, *record, {});
  }
  Json all = Json::array();
  for (const auto &[number, record] : records_.shelf(module_name).records)
    all.push_back(records_.render(*module, record, {}));
  return all;
}

Json Service::import(const std::string &module_name, const std::vector<Json> &records) {
  const std::lock_guard lock{mutex_};
  Module *module = metadata_.find(module_name);
  Json results = Json::array();
  for (const auto &input : records) {
    Effects effects;
    const std::string owner = text_of(input.value("Owner", Json()), "id");
    results.push_back(records_.insert(
        *module, input, owner.empty() ? people_.token_user().id : owner, "$", effects));
    for (const auto &change : effects.changes) {
      journal_.append({{"at", clock_.milliseconds()},
                       {"service", dialect_.service},
                       {"module", change.module},
                       {"operation", "import"},
                       {"id", std::to_string(change.id)}});
    }
  }
  return results;
}

std::string Service::add_user(const std::string &first_name, const std::string &last_name,
                              const std::string &email) {
  const std::lock_guard lock{mutex_};
  if (const User *existing = people_.by_email(email)) return existing->id;
  return people_.add(first_name, last_name, email, false).id;
}

bool Service::add_field(const std::string &module_name, const Json &description) {
  const std::lock_guard lock{mutex_};
  Module *module = metadata_.find(module_name);
  Field field;
  field.api_name = text_of(description, "api_name");
  field.label = text_of(description, "field_label");
  field.data_type = text_of(description, "data_type");
  if (module == nullptr || field.api_name.empty() || field.data_type.empty()) return false;
  field.length = description.value("length", Json()).is_number_integer()
                     ? description["length"].get<std::int64_t>()
                     : 255;
  field.unique = description.value("unique", Json()) == true;
  field.lookup_module = text_of(description, "lookup_module");
  if (const Json values = description.value("pick_list_values", Json()); values.is_array()) {
    for (const auto &value : values) {
      if (value.is_string()) field.picklist.push_back(value.get<std::string>());
    }
  }
  return metadata_.add_custom_field(*module, std::move(field)) != nullptr;
}

}  // namespace crm_bridge::sandbox::crm
