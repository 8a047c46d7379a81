// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/connector.hpp"

namespace crm_bridge::worker::zoho_projects {

std::vector<Capability> Connector::capabilities() const {
  return {
      {"projects_portal", "find", "list of portals", "1", "observed"},
      {"projects_portal", "create", "by hand in Projects", "", "absent"},
      {"projects_user", "find changes", "whole list", "1 per 100", "observed"},
      {"projects_client", "find changes", "whole list of clients", "1 per 100", "assumed"},
      {"projects_client", "create, update", "POST and PATCH of clients", "1", "assumed"},
      {"projects_task_status", "find", "task layouts, or the tasks read so far", "1", "observed"},
      {"projects_project", "create", "POST; a lost answer is looked up by name and time", "1",
       "documented"},
      {"projects_project", "update", "PATCH", "1", "documented"},
      {"projects_project", "client", "associate-client after the create", "1", "assumed"},
      {"projects_project", "delete", "moved to the trash", "1", "observed"},
      {"projects_project", "find changes", "list by time of change, newest first", "1 per 100",
       "observed"},
      {"projects_project", "find deletions", "the portal's bin", "1 per 100", "observed"},
      {"projects_task_list", "create, update, delete", "POST, PATCH, DELETE", "1", "documented"},
      {"projects_task_list", "find changes", "with their tasks, and by webhook", "0", "observed"},
      {"projects_task", "create", "POST; a lost answer is looked up by name and time", "1",
       "documented"},
      {"projects_task", "update", "PATCH; another list by /move", "1 or 2", "observed"},
      {"projects_task", "delete", "DELETE (to the trash)", "1", "observed"},
      {"projects_task", "find changes", "list by time of change, newest first; webhooks as a hint",
       "1 per 100", "observed"},
      {"projects_task", "find deletions", "the portal's bin", "1 per 100", "observed"},
      {"all", "webhooks", "set up by hand (doctor --show-webhooks)", "", "documented"},
  };
}

Task<Json> Connector::read_fields(Session &session, std::string module) {
  const ModuleInfo *info = session.catalog().module(module);
  if (info == nullptr || session.organization().portal_id.empty()) co_return Json();
  if (module != "projects_project" && module != "projects_task") co_return Json();
  ApiCall call;
  call.path = portal_path(session.organization().portal_id) + "/settings/fields";
  call.query = {{"module", info->api_name}};
  const HttpResult result = co_await session.send(std::move(call));
  // The scope that opens the settings is not known for certain.
  if (judge_answer(result).outcome != Outcome::done || result.body.empty()) co_return Json();
  const Json body = parse_json(result.body);
  Json fields = Json::array();
  for (const auto &field : list_of(body, "fields")) {
    const std::string api_name = scalar_text(field, "api_name");
    const bool custom = truthy(find(field, "is_custom")) || api_name.starts_with("cf_") ||
                        api_name.find("_cf_") != std::string::npos;
    if (!custom || api_name.empty()) continue;
    std::string type = scalar_text(field, "field_type");
    if (type.empty()) type = scalar_text(field, "type");
    std::string known = "json";
    if (type == "singleline" || type == "multiline") known = "text";
    if (type == "picklist") known = "picklist";
    if (type == "Double" || type == "Numeric") known = "number";
    if (type == "Date") known = "date";
    if (type == "dateandtime") known = "instant";
    if (type == "checkbox") known = "boolean";
    fields.push_back({{"field", api_name},
                      {"api_name", api_name},
                      {"type", known},
                      {"writable", true},
                      {"custom", true}});
  }
  co_return fields;
}

// No API for webhooks is known: an administrator sets them up in the portal.
Task<ChannelState> Connector::open_channel(Session &, ChannelAddress) {
  co_return ChannelState{.possible = false};
}

Task<ChannelState> Connector::find_channel(Session &, ChannelAddress) {
  co_return ChannelState{.possible = false};
}

std::optional<Webhook> Connector::parse_webhook(const Json &body) const {
  if (!body.is_object()) return std::nullopt;
  Webhook webhook{scalar_text(body, "module"),
                  {scalar_text(body, "id")},
                  scalar_text(body, "event"),
                  "webhook",
                  scalar_text(body, "token")};
  if (webhook.api_module.empty() || webhook.external_ids.front().empty()) return std::nullopt;
  return webhook;
}

Task<std::vector<Check>> Connector::examine(Session &session) {
  std::vector<Check> checks;
  ApiCall call;
  call.path = "/api/v3/portals";
  const HttpResult portals = co_await session.send(std::move(call));
  Verdict verdict = judge_answer(portals);
  const bool good = verdict.outcome == Outcome::done;
  checks.push_back(
      {"zoho_projects credential", good,
       good ? "Projects answers" : verdict.reason + ": " + verdict.detail,
       "make a new refresh token for this data centre and store it with crm-bridge seal"});
  if (!good) co_return checks;
  const std::string portal_id = session.organization().portal_id;
  if (portal_id.empty()) {
    checks.push_back({"zoho_projects portal", false, "no portal is chosen",
                      "SELECT crm_bridge.choose_portal(...)"});
    co_return checks;
  }
  ApiCall one;
  one.path = portal_path(portal_id) + "/projects";
  one.query = {{"page", "1"}, {"per_page", "1"}};
  const HttpResult projects = co_await session.send(std::move(one));
  verdict = judge_answer(projects);
  const bool open = verdict.outcome == Outcome::done;
  checks.push_back({"zoho_projects portal " + portal_id, open,
                    open ? "its projects can be read" : verdict.reason + ": " + verdict.detail,
                    "give the credential's user access to the portal, or choose another one"});
  co_return checks;
}

}  // namespace crm_bridge::worker::zoho_projects
