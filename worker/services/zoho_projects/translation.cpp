// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/translation.hpp"

#include <algorithm>

#include "services/field_value.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

Json value_to_service(const FieldInfo &field, const Json &value) {
  if (field.type == "html" || field.type == "text") return value.is_null() ? Json("") : value;
  if (value.is_null()) return {};
  if (field.type == "instant") return with_milliseconds(scalar_text(&value));
  return value;
}

// Empty by being absent: the record was read whole.
bool absent_means_empty(const FieldInfo &field) {
  for (const std::string_view name :
       {"description", "start_date", "end_date", "parental_info", "email", "phone", "website"}) {
    if (field.api_name == name) return true;
  }
  return field.custom;
}

const Json *first_of(const Json &record, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (const Json *value = find(record, name); value != nullptr && !value->is_null()) return value;
  }
  return nullptr;
}

// Where a field's value stands in an answer.
const Json *value_in(const Json &record, const FieldInfo &field) {
  if (field.api_name == "owners_and_work") return find(record, "owners_and_work.owners");
  if (field.api_name == "parental_info") return find(record, "parental_info.parent_task_id");
  if (field.api_name == "prefix") return first_of(record, {"prefix", "key"});
  if (field.api_name == "portal_name") return first_of(record, {"name", "portal_name"});
  if (field.api_name == "full_name") return first_of(record, {"full_name", "name"});
  if (field.api_name == "created_by.full_name")
    return first_of(record, {"created_by.full_name", "created_by.name"});
  if (field.api_name == "client")
    return first_of(record, {"client", "client_company_id", "client_id"});
  if (field.api_name == "time_zone") return first_of(record, {"time_zone", "settings.time_zone"});
  return find(record, field.api_name);
}

// Titles that speak of the request or of who asks, not of the values.
bool speaks_of_the_request(const std::string &title) {
  return title == "URL_RULE_NOT_CONFIGURED" || title == "INVALID_METHOD" ||
         title == "INVALID_INPUTSTREAM" ||
         title.find("THROTTLES_LIMIT_EXCEEDED") != std::string::npos;
}

// A final word about the values: the fields that it names, by the names of `to_service`.  A title
// that nobody knows is one if it names a field.
std::optional<std::vector<std::string>> refused_fields(const Json &error,
                                                       const std::string &title) {
  if (speaks_of_the_request(title)) return std::nullopt;
  std::vector<std::string> named;
  const Json *details = find(error, "details");
  if (details != nullptr) {
    const Json list = details->is_array() ? *details : Json::array({*details});
    for (const auto &detail : list) {
      std::string name = scalar_text(detail, "field_name");
      if (name == "status") name = "is_completed";
      if (name == "owners") name = "owners_and_work";
      if (!name.empty()) named.push_back(std::move(name));
    }
  }
  const bool about_values = title == "INVALID_PARAMETER_VALUE" ||
                            title == "LESS_THAN_MIN_OCCURANCE" ||
                            title.starts_with("CANNOT_MODIFY_");
  if (named.empty() && !about_values) return std::nullopt;
  return named;
}

bool needs_its_own_call(const std::string &module, const std::string &api_name) {
  if (api_name == "client") return module == "projects_project";
  return api_name == "is_completed" || api_name == "project_users" || api_name == "client_users" ||
         api_name == "invited_to";
}

std::string words_of(const Json &error) {
  std::string words = scalar_text(error, "title");
  const Json *details = find(error, "details");
  if (details == nullptr) return words;
  const Json list = details->is_array() ? *details : Json::array({*details});
  for (const auto &detail : list) {
    std::string message = scalar_text(detail, "message");
    if (message.empty()) message = scalar_text(detail, "message_key");
    if (message.empty()) continue;
    words += ": " + message;
    if (const std::string name = scalar_text(detail, "field_name"); !name.empty())
      words += " (" + name + ")";
  }
  return words;
}

}  // namespace

Json to_service(const Catalog &catalog, const Change &change) {
  const bool creating = change.operation == Operation::create;
  Json body = Json::object();
  for (const auto &[name, value] : change.fields.items()) {
    const FieldInfo *field = catalog.field(change.module, name);
    if (field == nullptr || field->addresses) continue;
    if (creating && value.is_null()) continue;
    const std::string &api_name = field->api_name;
    if (needs_its_own_call(change.module, api_name)) continue;
    if (api_name == "client") {
      if (!value.is_null()) body["client"] = {{"id", value}};
    } else if (api_name == "owner") {
      // A project always has an owner: an empty one is not sent.
      if (!value.is_null()) body["owner"] = {{"zpuid", value}};
    } else if (api_name == "owners_and_work") {
      Json owners = Json::array();
      if (value.is_array()) {
        for (const auto &zpuid : value) owners.push_back({{"zpuid", zpuid}});
      }
      body["owners_and_work"] = {{"owners", std::move(owners)}};
    } else if (api_name == "parental_info") {
      if (!value.is_null()) body["parental_info"] = {{"parent_task_id", value}};
    } else if (api_name == "tasklist") {
      if (creating) body["tasklist"] = {{"id", value}};
    } else if (api_name == "priority") {
      body["priority"] = value.is_null() ? Json("none") : value;
    } else {
      body[api_name] = value_to_service(*field, value);
    }
  }
  return body;
}

std::string version_of(const Json &record) {
  const Json *value = first_of(
      record, {"last_updated_time", "modified_time", "last_modified_time", "updated_time"});
  return instant_in_utc(scalar_text(value));
}

Record from_service(const Catalog &catalog, const std::string &module, const Json &record,
                    const Place &place) {
  Record result;
  // In lists of users `id` is the zpuid, where it is there at all.
  if (module == "projects_user" || module == "projects_client_user")
    result.external_id = scalar_text(record, "zpuid");
  if (result.external_id.empty()) result.external_id = scalar_text(record, "id");
  result.version = version_of(record);
  // A comment tells of a change only once it was changed.
  if (result.version.empty() && module == "projects_comment")
    result.version = instant_in_utc(scalar_text(record, "created_time"));
  result.modified_at = result.version;
  result.modified_by = scalar_text(record, "updated_by.zpuid");
  for (const auto &field : catalog.fields_of(module)) {
    if (field.api_name == "portal") {
      if (!place.portal_id.empty()) result.fields[field.field] = place.portal_id;
      continue;
    }
    if (field.api_name == "project") {
      const std::string inside = scalar_text(record, "project.id");
      const std::string &project_id = inside.empty() ? place.project_id : inside;
      if (!project_id.empty()) result.fields[field.field] = project_id;
      continue;
    }
    if (field.api_name == "task") {
      if (!place.task_id.empty()) result.fields[field.field] = place.task_id;
      continue;
    }
    const Json *value = value_in(record, field);
    if (value == nullptr) {
      if (absent_means_empty(field)) result.fields[field.field] = nullptr;
      continue;
    }
    const bool a_person = field.reference_module == "projects_user";
    result.fields[field.field] = worker::from_service(field, *value, a_person ? "zpuid" : "id");
  }
  return result;
}

std::vector<Json> list_of(const Json &body, const std::string &key) {
  const Json *list = body.is_array() ? &body : find(body, key);
  if (list == nullptr || !list->is_array()) return {};
  return {list->begin(), list->end()};
}

bool is_list(const Json &body, const std::string &key) {
  if (body.is_null() || body.is_array()) return true;
  const Json *list = find(body, key);
  return list != nullptr && list->is_array();
}

Json record_of(const Json &body, const std::string &key) {
  const std::vector<Json> list = list_of(body, key);
  if (!list.empty()) return list.front();
  return body.is_array() ? Json() : body;
}

bool is_id(const std::string &text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '_' || c == '-';
         });
}

bool has_next_page(const Json &body, std::size_t shown, std::size_t asked_for) {
  const Json *told = find(body, "page_info.has_next_page");
  return told != nullptr ? truthy(told) : shown >= asked_for;
}

Verdict judge_answer(const HttpResult &result) {
  Verdict verdict = judge(result);
  if (result.transport != Transport::answered || result.body.empty()) return verdict;
  Json body;
  try {
    body = parse_json(result.body);
  } catch (const MalformedJson &) {
    if (verdict.outcome == Outcome::done)
      return {Outcome::in_doubt, "unreadable_answer", "the answer is not JSON", {}};
    return verdict;
  }
  const Json *error = find(body, "error");
  if (error == nullptr || !error->is_object()) return verdict;
  const std::string title = scalar_text(*error, "title");
  const std::string words = words_of(*error);
  if (result.status == 429) return {Outcome::retry, "rate_limited", words, verdict.retry_after};
  if (title.find("NOT_FOUND") != std::string::npos || result.status == 404)
    return {Outcome::gone, "not_found", words, {}};
  if (title == "INVALID_OAUTHTOKEN") return {Outcome::retry, "unauthorized", words, {}};
  if (title == "INVALID_OAUTHSCOPE" || title == "FORBIDDEN")
    return {Outcome::park, "forbidden", words, {}};
  if (title.starts_with("INTERNAL_SERVER") || result.status >= 500)
    return {Outcome::in_doubt, "service_error", words, {}};
  return {Outcome::park, "refused", words, {}, refused_fields(*error, title)};
}

}  // namespace crm_bridge::worker::zoho_projects
