// SPDX-License-Identifier: PostgreSQL
#include <algorithm>

#include "services/field_value.hpp"
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/paging.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

// Whoever is in no page of the list may be gone.
void note_people(const std::vector<Record> &people, const std::string &portal_id, bool is_list,
                 const std::string &module, Page &page, Json &cursor) {
  Json seen = cursor.value("seen", Json::array());
  for (const auto &person : people) seen.push_back(person.external_id);
  if (!cursor.contains("seen")) cursor["began_at"] = now_in_utc();
  cursor["seen"] = seen;
  if (page.more) return;
  if (is_list) {
    Listing listing{module, {{"portal_id", portal_id}}};
    for (const auto &id : seen) listing.external_ids.push_back(scalar_text(&id));
    listing.began_at = scalar_text(cursor, "began_at");
    page.listings.push_back(std::move(listing));
  }
  cursor.erase("seen");
  cursor.erase("began_at");
}

}  // namespace

std::vector<std::string> Connector::portal_modules() const {
  return {"projects_portal", "projects_user", "projects_client", "projects_task_status"};
}

Task<Page> Connector::read_page(Session &session, std::string module, Json cursor) {
  if (module == "projects_portal") co_return co_await read_portals(session);
  const bool no_portal = session.organization().portal_id.empty();
  if (no_portal && (module == "projects_user" || module == "projects_task_status" ||
                    module == "projects_client")) {
    co_return co_await read_all_portals(session, std::move(module));
  }
  if (no_portal || (module == "projects_client" && !assumed_calls_)) {
    Page nothing;
    nothing.cursor = std::move(cursor);
    co_return nothing;
  }
  if (!cursor.is_object()) cursor = Json::object();
  if (module == "projects_task_status") co_return co_await read_statuses(session);
  if (module == "projects_project") {
    const std::string phase = scalar_text(cursor, "phase");
    if (phase == "bin") co_return co_await read_bin(session, std::move(cursor));
    if (phase == "round") co_return co_await list_projects(session, std::move(cursor));
    co_return co_await read_projects(session, std::move(cursor));
  }
  // Members, lists and comments are listed for one project or task at a time.
  if (module == "projects_client_user" || module == "projects_task_list" ||
      module == "projects_comment") {
    co_return co_await go_round(session, std::move(module), std::move(cursor));
  }
  if (module == "projects_task") {
    if (scalar_text(cursor, "phase") == "round") {
      Page page = co_await go_round(session, module, cursor["round"]);
      cursor.erase("phase");
      cursor["round"] = std::move(page.cursor);
      page.cursor = std::move(cursor);
      co_return page;
    }
    if (memory(session).tasks_by_project)
      co_return co_await read_tasks_by_project(session, std::move(cursor));
    co_return co_await read_tasks(session, std::move(cursor));
  }
  co_return co_await read_people(session, std::move(module), std::move(cursor));
}

// Before a portal is chosen: what a person needs to know of each to choose.
Task<Page> Connector::read_all_portals(Session &session, std::string module) {
  Page page;
  page.cursor = Json::object();
  const Portals portals = co_await list_portals(session);
  const ModuleInfo *info = session.catalog().module(module);
  ModuleRecords records{module, {}};
  for (const auto &portal : portals.list) {
    const Place place{scalar_text(portal, "id"), {}};
    if (module == "projects_task_status") {
      const std::vector<Status> found = co_await statuses(session, place.portal_id);
      for (const auto &status : found)
        records.records.push_back(status_record(session, status, place.portal_id));
      continue;
    }
    if (module == "projects_client" && !assumed_calls_) break;
    bool more = true;
    for (int number = 1; more; ++number) {
      const HttpResult listed = co_await session.send(
          list_call(portal_path(place.portal_id) + "/" + info->api_name, number));
      const Json body = body_of(listed);
      const std::vector<Json> list = list_of(body, info->api_name);
      more = has_next_page(body, list.size(), records_a_page);
      for (const auto &one : list)
        records.records.push_back(from_service(session.catalog(), module, one, place));
    }
  }
  page.records.push_back(std::move(records));
  co_return page;
}

// Users and clients: short lists without a time of change, read whole.
Task<Page> Connector::read_people(Session &session, std::string module, Json cursor) {
  const std::string &portal_id = session.organization().portal_id;
  Page page;
  const ModuleInfo *info = session.catalog().module(module);
  const std::string key = info == nullptr ? std::string{} : info->api_name;
  const int number = page_number(cursor);
  const HttpResult result =
      co_await session.send(list_call(portal_path(portal_id) + "/" + key, number));
  const Json body = body_of(result);
  const std::vector<Json> list = list_of(body, key);
  page.more = has_next_page(body, list.size(), records_a_page);
  ModuleRecords records{module, {}};
  for (const auto &record : list) {
    records.records.push_back(
        from_service(session.catalog(), module, record, Place{portal_id, {}}));
  }
  note_people(records.records, portal_id, is_list(body, key), module, page, cursor);
  page.records.push_back(std::move(records));
  cursor["page"] = number + 1;
  if (!page.more) cursor.erase("page");
  page.cursor = std::move(cursor);
  co_return page;
}

Task<std::vector<Connector::Status>> Connector::statuses(Session &session, std::string portal_id) {
  std::vector<Status> found;
  const auto add = [&found](const Json &status) {
    const Status one{scalar_text(status, "id"), scalar_text(status, "name"),
                     truthy(find(status, "is_closed_type"))};
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const Status &other) { return other.id == one.id; });
    if (!one.id.empty() && !known) found.push_back(one);
  };
  ApiCall call;
  call.path = portal_path(portal_id) + "/settings/layouts";
  call.query = {{"module", "tasks"}};
  const HttpResult layouts = co_await session.send(std::move(call));
  if (judge_answer(layouts).outcome == Outcome::done && !layouts.body.empty()) {
    const Json body = parse_json(layouts.body);
    for (const auto &layout : list_of(body, "layouts")) {
      for (const auto &status : list_of(layout, "status_details")) add(status);
    }
  }
  if (!found.empty()) co_return found;
  // Without the scope for settings: those that tasks have.
  ApiCall tasks = list_call(portal_path(portal_id) + "/tasks", 1);
  const HttpResult listed = co_await session.send(std::move(tasks));
  if (judge_answer(listed).outcome == Outcome::done && !listed.body.empty()) {
    const Json body = parse_json(listed.body);
    for (const auto &task : list_of(body, "tasks")) {
      if (const Json *status = find(task, "status"); status != nullptr) add(*status);
    }
  }
  co_return found;
}

Record Connector::status_record(const Session &session, const Status &status,
                                const std::string &portal_id) const {
  const Json json = {{"id", status.id}, {"name", status.name}, {"is_closed_type", status.closed}};
  return from_service(session.catalog(), "projects_task_status", json, Place{portal_id, {}});
}

Task<Page> Connector::read_statuses(Session &session) {
  const std::string portal_id = session.organization().portal_id;
  const std::vector<Status> found = co_await statuses(session, portal_id);
  memory(session).statuses = found;
  Page page;
  ModuleRecords records{"projects_task_status", {}};
  for (const auto &status : found)
    records.records.push_back(status_record(session, status, portal_id));
  page.records.push_back(std::move(records));
  page.cursor = Json::object();
  co_return page;
}

Task<Page> Connector::read_projects(Session &session, Json cursor) {
  const Place place{session.organization().portal_id, {}};
  const std::string since = scalar_text(cursor, "since");
  const int number = page_number(cursor);
  ApiCall call = list_call(portal_path(place.portal_id) + "/projects", number);
  call.query.emplace_back("sort_by", "DESC(last_modified_time)");
  const HttpResult result = co_await session.send(std::move(call));
  const Json body = body_of(result);
  const std::vector<Json> list = list_of(body, "projects");
  Page page;
  ModuleRecords records{"projects_project", {}};
  bool reached = false;
  for (const auto &project : list) {
    Record record = from_service(session.catalog(), "projects_project", project, place);
    cursor["newest"] = later(record.version, scalar_text(cursor, "newest"));
    if (older_than(record.version, since)) {
      reached = true;
      continue;
    }
    records.records.push_back(std::move(record));
  }
  page.records.push_back(std::move(records));
  page.more = true;  // the bin follows
  if (!reached && has_next_page(body, list.size(), records_a_page)) {
    cursor["page"] = number + 1;
  } else {
    finish_read(cursor);
    cursor["phase"] = "bin";
  }
  page.cursor = std::move(cursor);
  co_return page;
}

// What was thrown away in the portal: the only list of deletions that there is.
Task<Page> Connector::read_bin(Session &session, Json cursor) {
  const std::string since = scalar_text(cursor, "bin_since");
  const int number = page_number(cursor);
  const HttpResult result = co_await session.send(
      list_call(portal_path(session.organization().portal_id) + "/bin", number));
  Page page;
  std::vector<Json> trash;
  // A portal without access to its bin learns of deletions from webhooks alone.
  if (judge_answer(result).outcome == Outcome::done) {
    const Json body = body_of(result);
    trash = list_of(body, "trash");
    page.more = has_next_page(body, trash.size(), records_a_page);
  } else if (result.transport != Transport::answered || result.status >= 500 ||
             result.status == 429) {
    body_of(result);
  }
  std::map<std::string, ModuleRecords> by_module;
  for (const auto &entry : trash) {
    const std::string deleted = instant_in_utc(scalar_text(entry, "deleted_time"));
    if (older_than(deleted, since)) continue;
    cursor["bin_newest"] = later(deleted, scalar_text(cursor, "bin_newest"));
    const ModuleInfo *module = session.catalog().by_api_name(scalar_text(entry, "module"));
    if (module == nullptr) continue;
    Record record;
    record.external_id = scalar_text(entry, "id");
    record.deleted = true;
    note_children(module->module, record.external_id, page.listings);
    auto &records = by_module[module->module];
    records.module = module->module;
    records.records.push_back(std::move(record));
  }
  for (auto &[module, records] : by_module) page.records.push_back(std::move(records));
  if (page.more) {
    cursor["page"] = number + 1;
  } else {
    cursor["bin_since"] = later(scalar_text(cursor, "bin_newest"), since);
    for (const char *name : {"page", "phase", "bin_newest"}) cursor.erase(name);
    Json &round = cursor["round"];
    // The first reading has just seen all projects.
    if (!round.is_object()) round = {{"stepped_at", now_in_utc()}};
    if (is_due(round)) {
      cursor["phase"] = "round";
      page.more = true;
    }
  }
  page.cursor = std::move(cursor);
  co_return page;
}

}  // namespace crm_bridge::worker::zoho_projects
