// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_crm/translation.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "services/field_value.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

constexpr std::size_t fields_a_request = 50;

// What a task is about, and what a note hangs on: one lookup into any module there, one typed
// reference a module here.  The module is told beside the lookup or inside it.
constexpr std::string_view about_module = "$se_module";

struct AnyModule {
  std::string_view api_name;
  bool module_inside;
};
constexpr std::array any_module{AnyModule{"What_Id", false}, AnyModule{"Parent_Id", true}};

const AnyModule *into_any_module(const FieldInfo &field) {
  const auto found = std::find_if(any_module.begin(), any_module.end(), [&](const AnyModule &one) {
    return one.api_name == field.api_name;
  });
  return found == any_module.end() ? nullptr : &*found;
}

Json value_to_service(const FieldInfo &field, const Json &value) {
  if (value.is_null()) return {};
  if (field.type == "reference") return {{"id", value}};
  if (field.type == "references") {
    Json list = Json::array();
    for (const auto &id : value) list.push_back({{"id", id}});
    return list;
  }
  if (field.type == "instant") return whole_seconds(scalar_text(&value));
  return value;
}

std::string api_name_of(const Catalog &catalog, const std::string &module) {
  const ModuleInfo *info = catalog.module(module);
  return info == nullptr ? std::string{} : info->api_name;
}

}  // namespace

Json to_service(const Catalog &catalog, const Change &change, const std::string &bridge_field) {
  Json record = Json::object();
  const AnyModule *emptied = nullptr;
  for (const auto &[name, value] : change.fields.items()) {
    const FieldInfo *field = catalog.field(change.module, name);
    if (field == nullptr) continue;
    if (const AnyModule *about = into_any_module(*field)) {
      if (value.is_null()) {
        emptied = about;
        continue;
      }
      const std::string module = api_name_of(catalog, field->reference_module);
      record[field->api_name] = {{"id", value}};
      if (about->module_inside) {
        record[field->api_name]["module"] = {{"api_name", module}};
      } else {
        record[std::string(about_module)] = module;
      }
      continue;
    }
    record[field->api_name] = value_to_service(*field, value);
  }
  // All that were named are empty: the record is about nothing any more.
  if (emptied != nullptr && !record.contains(std::string(emptied->api_name)))
    record[std::string(emptied->api_name)] = nullptr;
  if (change.operation == Operation::create) {
    // Empty is what a new record is anyway; naming a field only invites a refusal.
    for (auto field = record.begin(); field != record.end();) {
      field = field->is_null() ? record.erase(field) : std::next(field);
    }
    if (!bridge_field.empty()) record[bridge_field] = change.record_id;
  } else {
    record["id"] = change.external_id;
  }
  return record;
}

Record from_service(const Catalog &catalog, const std::string &module, const Json &record,
                    const std::string &bridge_field) {
  Record result;
  result.external_id = scalar_text(record, "id");
  for (const std::string_view name : {"Modified_Time", "modified_time", "modified_time__s"}) {
    if (result.version.empty()) result.version = instant_in_utc(scalar_text(record, name));
  }
  result.modified_at = result.version;
  for (const std::string_view name : {"Created_Time", "created_time"}) {
    if (result.created_at.empty()) result.created_at = instant_in_utc(scalar_text(record, name));
  }
  result.modified_by = scalar_text(record, "Modified_By.id");
  if (result.modified_by.empty()) result.modified_by = scalar_text(record, "modified_by.id");
  if (!bridge_field.empty()) result.record_id = scalar_text(record, bridge_field);
  for (const auto &field : catalog.fields_of(module)) {
    const Json *value = find(record, field.api_name);
    if (value == nullptr) continue;
    if (const AnyModule *about = into_any_module(field)) {
      std::string about_what =
          about->module_inside ? scalar_text(*value, "module.api_name") : std::string{};
      if (about_what.empty()) about_what = scalar_text(record, about_module);
      if (value->is_null()) {
        result.fields[field.field] = nullptr;
      } else if (!about_what.empty()) {
        const bool this_one = api_name_of(catalog, field.reference_module) == about_what;
        result.fields[field.field] = this_one ? worker::from_service(field, *value) : Json();
      }
      continue;
    }
    result.fields[field.field] = worker::from_service(field, *value);
  }
  return result;
}

std::vector<std::string> field_lists(const Catalog &catalog, const std::string &module,
                                     const std::string &bridge_field) {
  std::vector<std::string> names{"Created_Time", "Modified_Time", "Modified_By"};
  if (!bridge_field.empty()) names.push_back(bridge_field);
  std::set<std::string> seen(names.begin(), names.end());
  for (const auto &field : catalog.fields_of(module)) {
    if (seen.insert(field.api_name).second) names.push_back(field.api_name);
    const AnyModule *about = into_any_module(field);
    if (about != nullptr && !about->module_inside && seen.insert(std::string(about_module)).second)
      names.emplace_back(about_module);
  }
  std::vector<std::string> lists;
  for (std::size_t at = 0; at < names.size(); at += fields_a_request) {
    std::string &list = lists.emplace_back();
    for (std::size_t i = at; i < std::min(names.size(), at + fields_a_request); ++i) {
      if (!list.empty()) list += ',';
      list += names[i];
    }
  }
  return lists;
}

Json describe_field(const Catalog &catalog, const Json &field) {
  static const std::vector<std::pair<std::string_view, std::string_view>> types{
      {"picklist", "picklist"},
      {"integer", "number"},
      {"bigint", "text"},
      {"double", "number"},
      {"currency", "money"},
      {"percent", "number"},
      {"boolean", "boolean"},
      {"date", "date"},
      {"datetime", "instant"},
      {"lookup", "reference"},
      {"ownerlookup", "reference"},
      {"userlookup", "reference"},
      {"text", "text"},
      {"textarea", "text"},
      {"email", "text"},
      {"phone", "text"},
      {"website", "text"},
      {"autonumber", "text"}};
  const std::string data_type = scalar_text(field, "data_type");
  // Bigin says it of the form, not of the interface.
  const Json *writable = find(field, "operation_type.api_update");
  if (writable == nullptr) writable = find(field, "view_type.edit");
  const auto known = std::find_if(types.begin(), types.end(),
                                  [&](const auto &pair) { return pair.first == data_type; });
  Json answer = {{"field", scalar_text(field, "api_name")},
                 {"api_name", scalar_text(field, "api_name")},
                 {"type", known == types.end() ? std::string("json") : std::string(known->second)},
                 {"writable", truthy(writable) && !truthy(find(field, "read_only"))},
                 {"custom", truthy(find(field, "custom_field"))}};
  if (answer["type"] == "reference") {
    const std::string target =
        data_type == "lookup" ? scalar_text(field, "lookup.module.api_name") : "users";
    const ModuleInfo *module = catalog.by_api_name(target);
    if (module != nullptr) {
      answer["reference_module"] = module->module;
    } else {
      answer["type"] = "json";
    }
  }
  if (answer["type"] == "text") {
    if (const Json *length = find(field, "length");
        length != nullptr && length->is_number_integer()) {
      answer["maximum_length"] = *length;
    }
  }
  if (answer["type"] == "picklist") {
    Json choices = Json::array();
    if (const Json *values = find(field, "pick_list_values");
        values != nullptr && values->is_array()) {
      for (const auto &value : *values) {
        const std::string choice = scalar_text(value, "actual_value");
        if (!choice.empty() && choice != "-None-") choices.push_back(choice);
      }
    }
    answer["picklist"] = choices;
  }
  return answer;
}

}  // namespace crm_bridge::worker::zoho_crm
