// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_crm/connector.hpp"

#include "services/field_value.hpp"
#include "services/zoho_crm/translation.hpp"

namespace crm_bridge::worker::zoho_crm {
std::vector<Capability> Connector::capabilities() const {
  const std::string safe =
      bridge_field_.empty() ? "not safe: no bridge_field" : "unique field " + bridge_field_;
  std::vector<Capability> table;
  for (const char *module : {"crm_account", "crm_contact", "crm_lead", "crm_deal", "crm_task"}) {
    table.push_back({module, "create", "POST, 100 a call; " + safe, "1 per 100", "documented"});
    table.push_back({module, "update", "PUT, 100 a call; one alone with If-Unmodified-Since",
                     "1 per 100", "documented"});
    table.push_back({module, "delete", "DELETE ?ids=, 100 a call", "1 per 100", "documented"});
    table.push_back({module, "find changes",
                     "If-Modified-Since by Modified_Time; notifications as a hint", "1 per 200",
                     "documented"});
    table.push_back({module, "find deletions", "/deleted", "1 per 200", "documented"});
  }
  table.push_back({"crm_user", "find changes", "If-Modified-Since", "1 per 200", "documented"});
  table.push_back({"crm_profile", "find changes", "whole list", "1", "documented"});
  return table;
}

Task<Json> Connector::read_fields(Session &session, std::string module) {
  const ModuleInfo *info = session.catalog().module(module);
  if (info == nullptr || !info->creatable) co_return Json();
  ApiCall call;
  call.path = "/crm/v8/settings/fields";
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
  return webhook;
}

Task<std::vector<Check>> Connector::examine(Session &session) {
  std::vector<Check> checks;
  ApiCall call;
  call.path = "/crm/v8/org";
  const HttpResult org = co_await session.send(std::move(call));
  Verdict verdict = judge(org);
  checks.push_back(
      {"zoho_crm credential", verdict.outcome == Outcome::done,
       verdict.outcome == Outcome::done ? "the CRM answers"
                                        : verdict.reason + ": " + verdict.detail,
       "make a new refresh token for this data centre and store it with crm-bridge seal"});
  if (verdict.outcome != Outcome::done) co_return checks;
  if (bridge_field_.empty()) {
    checks.push_back({"zoho_crm bridge_field", false,
                      "none is configured: a create whose answer is lost cannot be found",
                      "set bridge_field and make that field in the CRM"});
    co_return checks;
  }
  for (const auto &module : session.catalog().modules) {
    if (!module.creatable) continue;
    ApiCall fields;
    fields.path = "/crm/v8/settings/fields";
    fields.query = {{"module", module.api_name}};
    const HttpResult result = co_await session.send(std::move(fields));
    verdict = judge(result);
    Check check{"zoho_crm field " + module.api_name + "." + bridge_field_,
                false,
                {},
                "in the CRM: Setup, Modules and Fields, " + module.api_name +
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
