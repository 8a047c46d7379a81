// SPDX-License-Identifier: PostgreSQL
// What a record must look like before the CRM takes it.
#include "records.hpp"

#include <algorithm>
#include <cmath>

namespace crm_bridge::sandbox::crm {
namespace {

Json wrong_type(const Field &field, const std::string &path, const std::string &expected) {
  return error_item("INVALID_DATA",
                    {{"expected_data_type", expected},
                     {"api_name", field.api_name},
                     {"json_path", path + "." + field.api_name}},
                    "invalid data");
}

Json too_long(const Field &field, const std::string &path) {
  return error_item("INVALID_DATA",
                    {{"maximum_length", field.length},
                     {"api_name", field.api_name},
                     {"json_path", path + "." + field.api_name}},
                    "invalid data");
}

// Limits count characters, not bytes.
std::int64_t characters(const std::string &text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

bool is_text(const std::string &data_type) {
  return data_type == "text" || data_type == "textarea" || data_type == "phone" ||
         data_type == "website" || data_type == "email" || data_type == "picklist";
}

}  // namespace

Records::Draft Records::check(Module &module, const Json &input, const Record *existing,
                              const std::string &path) {
  Draft draft;
  if (existing != nullptr) draft.what_module = existing->what_module;
  if (!input.is_object()) {
    draft.errors.push_back(error_item("INVALID_DATA",
                                      {{"expected_data_type", "jsonobject"}, {"json_path", path}},
                                      "invalid data"));
    return draft;
  }
  if (const std::string sent = text_of(input, "$se_module"); !sent.empty()) {
    draft.what_module = sent;
    draft.what_module_sent = true;
  }
  const auto what = input.find("What_Id");
  if (existing == nullptr && what != input.end() && !what->is_null() && draft.what_module.empty() &&
      module.find("What_Id") != nullptr) {
    draft.errors.push_back(
        error_item("DEPENDENT_FIELD_MISSING",
                   {{"dependee", {{"api_name", "What_Id"}, {"json_path", path + ".What_Id"}}},
                    {"api_name", "$se_module"},
                    {"json_path", path + ".$se_module"}},
                   "Required field not found"));
  }
  for (auto &field : module.fields) {
    const auto sent = input.find(field.api_name);
    const bool empty = sent == input.end() || sent->is_null() ||
                       (sent->is_string() && sent->get_ref<const std::string &>().empty());
    if (field.mandatory && empty && (existing == nullptr || sent != input.end())) {
      draft.errors.push_back(
          error_item("MANDATORY_NOT_FOUND",
                     {{"api_name", field.api_name}, {"json_path", path + "." + field.api_name}},
                     "required field not found"));
      continue;
    }
    // What only the service sets is ignored, not refused.
    if (sent == input.end() || field.read_only) continue;
    // A note stays with its record.
    if (field.api_name == "Parent_Id" && existing != nullptr) continue;
    if (empty) {
      draft.values[field.api_name] = nullptr;
      continue;
    }
    if (auto error = check_value(field, *sent, draft, path))
      draft.errors.push_back(std::move(*error));
  }
  if (module.api_name == "Notes" && existing == nullptr) {
    if (!draft.values.contains("Parent_Id") && draft.errors.empty()) {
      draft.errors.push_back(error_item(
          "MANDATORY_NOT_FOUND", {{"api_name", "Parent_Id"}, {"json_path", path + ".Parent_Id"}},
          "required field not found"));
    }
    if (draft.values.value("Note_Title", Json()).is_null() &&
        draft.values.value("Note_Content", Json()).is_null()) {
      Json expected = Json::array();
      for (const char *name : {"Note_Content", "Note_Title"}) {
        expected.push_back({{"api_name", name}, {"json_path", path + "." + name}});
      }
      draft.errors.push_back(error_item("EXPECTED_FIELD_MISSING", {{"expected_fields", expected}},
                                        "should contain either content or title"));
    }
  }
  return draft;
}

std::optional<Json> Records::check_value(Field &field, const Json &input, Draft &draft,
                                         const std::string &path) {
  const std::string &type = field.data_type;
  Json &value = draft.values[field.api_name];
  value = input;
  if (is_text(type)) {
    if (!input.is_string()) return wrong_type(field, path, type == "email" ? "email" : "string");
    const auto &text = input.get_ref<const std::string &>();
    if (characters(text) > field.length) return too_long(field, path);
    if (type == "email") {
      const std::size_t at = text.find('@');
      if (at == 0 || at == std::string::npos || text.find('.', at) == std::string::npos) {
        return wrong_type(field, path, "email");
      }
    }
    if (type == "picklist") {
      if (text == "-None-") {
        value = nullptr;
      } else if (std::find(field.picklist.begin(), field.picklist.end(), text) ==
                 field.picklist.end()) {
        field.picklist.push_back(text);
      }
    }
  } else if (type == "multiselectpicklist") {
    if (!input.is_array() || !std::all_of(input.begin(), input.end(),
                                          [](const Json &item) { return item.is_string(); })) {
      return wrong_type(field, path, "jsonarray");
    }
  } else if (type == "integer") {
    if (!input.is_number_integer()) return wrong_type(field, path, "integer");
    if (std::abs(input.get<double>()) > 999'999'999) return too_long(field, path);
  } else if (type == "bigint") {
    if (!input.is_string() || input.get_ref<const std::string &>().find_first_not_of(
                                  "-0123456789") != std::string::npos) {
      return wrong_type(field, path, "bigint");
    }
    if (characters(input.get<std::string>()) > 18) return too_long(field, path);
  } else if (type == "currency" || type == "double" || type == "percent") {
    if (!input.is_number()) return wrong_type(field, path, "double");
    const double number = input.get<double>();
    if (std::abs(number) >= 1e16) return too_long(field, path);
    if (number == std::floor(number)) value = static_cast<std::int64_t>(number);
  } else if (type == "boolean") {
    if (!input.is_boolean()) return wrong_type(field, path, "boolean");
  } else if (type == "date") {
    if (!input.is_string() || !is_date(input.get<std::string>()))
      return wrong_type(field, path, "date");
  } else if (type == "datetime") {
    const auto instant = input.is_string() ? parse_instant(input.get<std::string>()) : std::nullopt;
    if (!instant || *instant % 1000 != 0) return wrong_type(field, path, "datetime");
    value = time(*instant / 1000);
  } else if (type == "ownerlookup" || type == "lookup") {
    return check_lookup(field, input, draft, path);
  } else if (!input.is_object()) {  // ALARM, RRULE
    return wrong_type(field, path, "jsonobject");
  }
  return std::nullopt;
}

std::optional<Json> Records::check_lookup(const Field &field, const Json &input, Draft &draft,
                                          const std::string &path) {
  const Json id = input.is_object() ? input.value("id", Json()) : input;
  if (!id.is_string()) return wrong_type(field, path, "jsonobject");
  const std::string text = id.get<std::string>();
  const Json unknown = error_item("INVALID_DATA",
                                  {{"api_name", field.api_name},
                                   {"json_path", path + "." + field.api_name + ".id"},
                                   {"id", text}},
                                  "the related id given seems to be invalid");
  draft.values[field.api_name] = text;
  if (field.data_type == "ownerlookup") {
    const User *user = people_.by_id(text);
    if (user == nullptr || user->status != "active") return unknown;
    return std::nullopt;
  }
  std::string module = field.lookup_module;
  if (module == "*") {
    if (field.api_name == "Parent_Id" && input.is_object() && input.contains("module")) {
      draft.what_module = text_of(input["module"], "api_name");
      draft.what_module_sent = true;
    }
    // Without "$se_module" an update may still name a record of any module.
    if (!draft.what_module_sent && find(draft.what_module, text) == nullptr) {
      for (const auto &candidate : metadata_.modules()) {
        if (find(candidate.api_name, text) != nullptr) draft.what_module = candidate.api_name;
      }
    }
    module = draft.what_module;
  }
  if (metadata_.find(module) == nullptr || find(module, text) == nullptr) return unknown;
  return std::nullopt;
}

}  // namespace crm_bridge::sandbox::crm
