// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/connector.hpp"

#include "services/field_value.hpp"

namespace crm_bridge::worker::zoho_projects {

std::vector<Capability> Connector::capabilities() const {
  return {
      {"projects_portal", "find", "list of portals", "1", "observed"},
      {"projects_portal", "create", "by hand in Projects", "", "absent"},
      {"projects_user", "find changes", "whole list", "1 per 100", "observed"},
      {"projects_user", "find deletions", "missing in the whole list, then asked for alone",
       "1 for each", "observed"},
      {"projects_user", "create",
       "POST of a user whom the portal does not know by his e-mail yet; nobody's role is changed",
       "2", "assumed"},
      {"projects_client", "find changes", "whole list of clients", "1 per 100", "assumed"},
      {"projects_client", "find deletions", "missing in the whole list, then asked for alone",
       "1 for each", "assumed"},
      {"projects_client", "create, update", "POST and PATCH of clients", "1", "assumed"},
      {"projects_client", "delete", "DELETE of a client", "1", "assumed"},
      {"projects_client_user", "find changes", "round of the projects, a project a step",
       "2 a project; the first round 20 projects a poll", "documented"},
      {"projects_client_user", "find deletions",
       "in no project for a whole round, then asked for alone", "1 for each", "documented"},
      {"projects_client_user", "create",
       "clientuser of a project; a lost answer is looked up by "
       "e-mail",
       "1", "assumed"},
      {"projects_client_user", "update, delete", "PATCH, DELETE of a user", "1", "assumed"},
      {"projects_task_status", "find", "task layouts, or the tasks read so far", "1", "observed"},
      {"projects_project", "create", "POST; a lost answer is looked up by name and time", "1",
       "documented"},
      {"projects_project", "update", "PATCH, custom fields too; after a look at it", "2",
       "documented"},
      {"projects_project", "custom fields", "settings/fields when a module is read whole", "1",
       "observed"},
      {"projects_project", "client", "associate-client after the create", "1", "assumed"},
      {"projects_project", "read people", "round of the projects, a project a step", "2 a project",
       "documented"},
      {"projects_project", "change people", "list, then projectusers, clientuser or DELETE",
       "1, and 1 for each person", "assumed"},
      {"projects_project", "deals and contacts", "linked by the bridge, not at Projects", "",
       "absent"},
      {"projects_project", "strict flag", "by hand in Projects", "", "absent"},
      {"projects_project", "delete", "moved to the trash", "1", "observed"},
      {"projects_project", "find changes", "list by time of change, newest first", "1 per 100",
       "observed"},
      {"projects_project", "find deletions",
       "the portal's bin; beside it the whole list, a page a step, then asked for alone",
       "1 per 100", "observed"},
      {"projects_task_list", "create, update, delete", "POST, PATCH after a look at it, DELETE",
       "1, 2 for an update", "documented"},
      {"projects_task_list", "find changes",
       "with their tasks, by webhook, and in a round of the projects", "1 a project", "documented"},
      {"projects_task_list", "find deletions", "the bin, and the round", "1 for each", "observed"},
      {"projects_task", "create", "POST; a lost answer is looked up by name and time", "1",
       "documented"},
      {"projects_task", "update", "PATCH after a look at it; another list by /move", "2 or 3",
       "observed"},
      {"projects_task", "delete", "DELETE (to the trash)", "1", "observed"},
      {"projects_task", "find changes",
       "list by time of change, newest first; webhooks as a hint; beside it a round of the "
       "projects",
       "1 per 100", "observed"},
      {"projects_task", "find deletions", "the portal's bin, and the round", "1 per 100",
       "observed"},
      {"projects_comment", "create", "POST; a lost answer is looked up by text and time", "1",
       "observed"},
      {"projects_comment", "update, delete", "PATCH, DELETE", "1", "observed"},
      {"projects_comment", "find changes",
       "of tasks that changed at once (25 a page); beside it a round of all tasks, 10 a step",
       "1 a task; the first round 20 tasks a poll", "observed"},
      {"projects_comment", "find deletions", "missing in its task's list", "0", "observed"},
      {"*", "webhooks", "set up by hand (doctor --show-webhooks)", "", "documented"},
      {"*", "step of a round", "every sweep_interval at the earliest", "", "documented"},
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
    Json choices;
    for (const auto &choice : list_of(field, "pick_list_values")) {
      const std::string name =
          choice.is_object() ? scalar_text(choice, "name") : scalar_text(&choice);
      if (!name.empty()) choices.push_back(name);
    }
    if (type == "Double" || type == "Numeric") known = "number";
    if (type == "Date") known = "date";
    if (type == "dateandtime") known = "instant";
    if (type == "checkbox") known = "boolean";
    fields.push_back({{"field", api_name},
                      {"api_name", api_name},
                      {"type", known},
                      {"writable", true},
                      {"custom", true}});
    if (known == "picklist" && choices.is_array()) fields.back()["picklist"] = std::move(choices);
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
  // Ids become parts of URLs: what is none is not taken for one.
  if (webhook.api_module.empty() || !is_id(webhook.external_ids.front())) return std::nullopt;
  for (const char *name : {"project_id", "task_id"}) {
    const std::string id = scalar_text(body, name);
    if (is_id(id)) webhook.context[name] = id;
  }
  // As far as the administrator who wrote the webhook's body put values into it.
  if (const Json *values = find(body, "values"); values != nullptr && values->is_object()) {
    webhook.told = {{"at", instant_in_utc(scalar_text(body, "time"))},
                    {"values", {{webhook.external_ids.front(), *values}}}};
  }
  return webhook;
}

Record Connector::told_record(const Session &session, const Notice &notice,
                              const Json &values) const {
  Json json = values;
  json["id"] = notice.external_id;
  Record record = from_service(session.catalog(), notice.module, json, {});
  // What stands empty in a whole record was only not told here.
  const Record untold =
      from_service(session.catalog(), notice.module, {{"id", notice.external_id}}, {});
  for (const auto &[field, value] : untold.fields.items()) {
    if (record.fields.contains(field) && record.fields[field] == value) record.fields.erase(field);
  }
  return record;
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
