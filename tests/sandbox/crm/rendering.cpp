// SPDX-License-Identifier: PostgreSQL
// A record as the API shows it.
#include "records.hpp"

namespace crm_bridge::sandbox::crm {

std::string Records::display_name(const Module &module, const Record &record) const {
  const Json name = record.value(module.name_field);
  if (name.is_string()) return name.get<std::string>();
  return name.is_null() ? std::string{} : name.dump();
}

Json Records::render_field(const Module &module, const Record &record, const std::string &name) {
  if (name == "id") return std::to_string(record.id);
  if (name == "Created_Time") return time(record.created);
  if (name == "Modified_Time" || name == "Last_Activity_Time") return time(record.modified);
  if (name == "Locked__s") return false;
  if (name == "Record_Status__s") return "Available";
  const Field *field = module.find(name);
  if (field == nullptr) return nullptr;
  if (field->data_type == "ownerlookup") {
    const std::string id = name == "Created_By"    ? record.created_by
                           : name == "Modified_By" ? record.modified_by
                                                   : record.values.value(name, "");
    const User *user = people_.by_id(id);
    return user != nullptr ? user->reference_with_email() : Json();
  }
  Json value = record.value(name);
  if (value.is_null() || field->data_type != "lookup") return value;
  const std::string target_module =
      field->lookup_module == "*" ? record.what_module : field->lookup_module;
  const Module *target = metadata_.find(target_module);
  const Record *other = target == nullptr ? nullptr : find(target_module, value.get<std::string>());
  if (other == nullptr) return nullptr;  // deleted meanwhile
  Json reference = {{"name", display_name(*target, *other)}, {"id", value}};
  if (name == "Parent_Id") reference["module"] = {{"api_name", target_module}, {"id", target->id}};
  return reference;
}

Json Records::render(const Module &module, const Record &record,
                     const std::vector<std::string> &fields) {
  Json answer = {{"id", std::to_string(record.id)}};
  if (!fields.empty()) {
    for (const auto &field : fields) {
      if (field == "$se_module" || field == "What_Id") {
        answer["$se_module"] = record.what_module.empty() ? Json() : Json(record.what_module);
      }
      if (module.find(field) != nullptr) answer[field] = render_field(module, record, field);
    }
    return answer;
  }
  for (const auto &field : module.fields) {
    answer[field.api_name] = render_field(module, record, field.api_name);
  }
  if (module.find("What_Id") != nullptr) {
    answer["$se_module"] = record.what_module.empty() ? Json() : Json(record.what_module);
  }
  answer["Tag"] = Json::array();
  answer["$approval_state"] = "approved";
  answer["$editable"] = true;
  answer["$currency_symbol"] = "$";
  answer["$state"] = "save";
  answer["$in_merge"] = false;
  answer["$has_more"] = Json::object();
  return answer;
}

}  // namespace crm_bridge::sandbox::crm
