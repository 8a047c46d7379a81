// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_crm/connector.hpp"

#include "services/field_value.hpp"
#include "services/zoho_crm/translation.hpp"

namespace crm_bridge::worker::zoho_crm {

Task<Json> Connector::read_fields(Session &session, std::string module) {
  const ModuleInfo *info = session.catalog().module(module);
  if (info == nullptr || !info->creatable || is_note(module)) co_return Json();
  ApiCall call;
  call.path = dialect_.root + "/settings/fields";
  call.query = {{"module", info->api_name}};
  const HttpResult result = co_await session.send(std::move(call));
  const Json body = body_or_failure(result);
  Json fields = Json::array();
  if (const Json *list = find(body, "fields"); list != nullptr && list->is_array()) {
    for (const auto &field : *list) {
      // Our own field is the bridge's business, not a field of the record.
      if (!truthy(find(field, "custom_field")) || scalar_text(field, "api_name") == bridge_field_)
        continue;
      fields.push_back(describe_field(session.catalog(), field));
    }
  }
  co_return fields;
}

std::optional<Webhook> Connector::parse_webhook(const Json &body) const {
  if (!body.is_object()) return std::nullopt;
  Webhook webhook{scalar_text(body, "module"),
                  {},
                  scalar_text(body, "operation"),
                  scalar_text(body, "channel_id"),
                  scalar_text(body, "token")};
  const Json *ids = find(body, "ids");
  if (webhook.api_module.empty() || ids == nullptr || !ids->is_array()) return std::nullopt;
  for (const auto &id : *ids) {
    if (const std::string text = scalar_text(&id); !text.empty())
      webhook.external_ids.push_back(text);
  }
  if (const Json *given = find(body, "affected_values"); given != nullptr && given->is_array()) {
    webhook.told = {{"at", instant_of_milliseconds(find(body, "server_time"))},
                    {"values", Json::object()}};
    for (const auto &one : *given) {
      const Json *values = find(one, "values");
      if (const std::string id = scalar_text(one, "record_id"); values != nullptr && !id.empty())
        webhook.told["values"][id] = *values;
    }
  }
  return webhook;
}

Record Connector::told_record(const Session &session, const Notice &notice,
                              const Json &values) const {
  Json record = values;
  record["id"] = notice.external_id;
  return from_service(session.catalog(), notice.module, record, {});
}

Task<std::vector<Check>> Connector::examine(Session &session) {
  std::vector<Check> checks;
  ApiCall call;
  call.path = dialect_.root + "/org";
  const HttpResult org = co_await session.send(std::move(call));
  Verdict verdict = judge(org);
  checks.push_back(
      {dialect_.kind + " credential", verdict.outcome == Outcome::done,
       verdict.outcome == Outcome::done ? dialect_.label + " answers"
                                        : verdict.reason + ": " + verdict.detail,
       "make a new refresh token for this data centre and store it with crm-bridge seal"});
  if (verdict.outcome != Outcome::done) co_return checks;
  if (session.catalog().by_api_name("Notes") != nullptr) {
    ApiCall notes;
    notes.path = dialect_.root + "/Notes";
    notes.query = {{"fields", "Modified_Time"}, {"per_page", "1"}};
    const HttpResult listed = co_await session.send(std::move(notes));
    verdict = judge(listed);
    checks.push_back({dialect_.kind + " notes", verdict.outcome == Outcome::done,
                      verdict.outcome == Outcome::done ? "the user may list notes"
                                                       : verdict.reason + ": " + verdict.detail,
                      "the CRM lists notes to administrators only: make the refresh token as one"});
  }
  if (bridge_field_.empty()) {
    checks.push_back({dialect_.kind + " bridge_field", false,
                      "none is configured: a create whose answer is lost cannot be found",
                      "set bridge_field and make that field in " + dialect_.label});
    co_return checks;
  }
  for (const auto &module : session.catalog().modules) {
    if (!module.creatable || is_note(module.module)) continue;
    ApiCall fields;
    fields.path = dialect_.root + "/settings/fields";
    fields.query = {{"module", module.api_name}};
    const HttpResult result = co_await session.send(std::move(fields));
    verdict = judge(result);
    Check check{dialect_.kind + " field " + module.api_name + "." + bridge_field_,
                false,
                {},
                "in " + dialect_.label + ": Setup, Modules and Fields, " + module.api_name +
                    ": add a single-line field named " + bridge_field_ +
                    ", tick \"Do not allow duplicate values\", hide it from the layouts"};
    if (verdict.outcome != Outcome::done) {
      check.finding = verdict.reason + ": " + verdict.detail;
      checks.push_back(std::move(check));
      continue;
    }
    const Json body = body_or_failure(result);
    check.finding = "the field is missing";
    if (const Json *list = find(body, "fields"); list != nullptr && list->is_array()) {
      for (const auto &field : *list) {
        if (scalar_text(field, "api_name") != bridge_field_) continue;
        const Json *unique = find(field, "unique");
        check.good = unique != nullptr && unique->is_object() && !unique->empty();
        check.finding = check.good ? "there and unique" : "there, but it allows duplicate values";
      }
    }
    checks.push_back(std::move(check));
  }
  co_return checks;
}

}  // namespace crm_bridge::worker::zoho_crm
