// SPDX-License-Identifier: PostgreSQL
#include <algorithm>

#include "services/field_value.hpp"
#include "services/zoho_projects/connector.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

constexpr int records_a_page = 100;
// Lists say when a record changed to the millisecond; what became visible late is found by reading a little further.
constexpr long long overlap_seconds = 5;

int page_number(const Json &cursor) {
  const std::string text = scalar_text(cursor, "page");
  return text.empty() ? 1 : std::atoi(text.c_str());
}

Json body_of(const HttpResult &result) {
  const Verdict verdict = judge_answer(result);
  if (verdict.outcome != Outcome::done) throw ServiceFailure(verdict);
  return result.body.empty() ? Json() : parse_json(result.body);
}

bool older_than(const std::string &version, const std::string &since) {
  return !since.empty() && !version.empty() && seconds_between(since, version) > overlap_seconds;
}

ApiCall list_call(const std::string &path, int page) {
  ApiCall call;
  call.path = path;
  call.query = {{"page", std::to_string(page)}, {"per_page", std::to_string(records_a_page)}};
  return call;
}

// Closes a read that went from the newest to the oldest: the next one stops where this one began.
void finish(Json &cursor) {
  cursor["since"] = later(scalar_text(cursor, "newest"), scalar_text(cursor, "since"));
  for (const char *name : {"page", "newest", "phase"}) cursor.erase(name);
}

}  // namespace

std::vector<std::string> Connector::portal_modules() const {
  return {"projects_portal", "projects_user", "projects_client", "projects_task_status"};
}

Task<Page> Connector::read_page(Session &session, std::string module, Json cursor) {
  const bool no_portal = module != "projects_portal" && session.organization().portal_id.empty();
  // Task lists come with the tasks: a list of lists would cost a request for each project.
  if (no_portal || module == "projects_task_list" || (module == "projects_client" && !assumed_calls_)) {
    Page nothing;
    nothing.cursor = std::move(cursor);
    co_return nothing;
  }
  if (!cursor.is_object()) cursor = Json::object();
  if (module == "projects_task_status") co_return co_await read_statuses(session);
  if (module == "projects_project") {
    if (scalar_text(cursor, "phase") == "bin") co_return co_await read_bin(session, std::move(cursor));
    co_return co_await read_projects(session, std::move(cursor));
  }
  if (module == "projects_task") {
    if (memory(session).tasks_by_project) co_return co_await read_tasks_by_project(session, std::move(cursor));
    co_return co_await read_tasks(session, std::move(cursor));
  }
  co_return co_await read_people(session, std::move(module), std::move(cursor));
}

// Portals, users and clients: short lists without a time of change, read whole.
Task<Page> Connector::read_people(Session &session, std::string module, Json cursor) {
  const std::string &portal_id = session.organization().portal_id;
  Page page;
  const ModuleInfo *info = session.catalog().module(module);
  const std::string key = info == nullptr ? std::string{} : info->api_name;
  const bool portals = module == "projects_portal";
  const int number = page_number(cursor);
  ApiCall call = list_call(portals ? "/api/v3/portals" : portal_path(portal_id) + "/" + key, number);
  if (portals) call.query.clear();
  const HttpResult result = co_await session.send(std::move(call));
  std::vector<Json> list;
  if (portals && !result.ok() && result.status == 400 && !portal_id.empty()) {
    // Some portals refuse the list and answer for one.
    ApiCall one;
    one.path = portal_path(portal_id);
    const HttpResult single = co_await session.send(std::move(one));
    const Json body = body_of(single);
    const Json *details = find(body, "portal_details");
    list.push_back(details == nullptr ? body : *details);
  } else {
    const Json body = body_of(result);
    list = list_of(body, key);
    page.more = !portals && has_next_page(body, list.size(), records_a_page);
  }
  ModuleRecords records{module, {}};
  for (const auto &record : list) {
    const Place place{portals ? std::string{} : portal_id, {}};
    records.records.push_back(from_service(session.catalog(), module, record, place));
  }
  page.records.push_back(std::move(records));
  cursor["page"] = number + 1;
  if (!page.more) cursor.erase("page");
  page.cursor = std::move(cursor);
  co_return page;
}

Task<std::vector<Connector::Status>> Connector::statuses(Session &session, std::string portal_id) {
  std::vector<Status> found;
  const auto add = [&found](const Json &status) {
    const Status one{scalar_text(status, "id"), scalar_text(status, "name"), truthy(find(status, "is_closed_type"))};
    const bool known = std::any_of(found.begin(), found.end(), [&](const Status &other) { return other.id == one.id; });
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

Task<Page> Connector::read_statuses(Session &session) {
  const std::string portal_id = session.organization().portal_id;
  const std::vector<Status> found = co_await statuses(session, portal_id);
  memory(session).statuses = found;
  Page page;
  ModuleRecords records{"projects_task_status", {}};
  for (const auto &status : found) {
    const Json json = {{"id", status.id}, {"name", status.name}, {"is_closed_type", status.closed}};
    records.records.push_back(
        from_service(session.catalog(), "projects_task_status", json, Place{portal_id, {}}));
  }
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
    finish(cursor);
    cursor["phase"] = "bin";
  }
  page.cursor = std::move(cursor);
  co_return page;
}

// What was thrown away in the portal: the only list of deletions that there is.
Task<Page> Connector::read_bin(Session &session, Json cursor) {
  const std::string since = scalar_text(cursor, "bin_since");
  const int number = page_number(cursor);
  const HttpResult result =
      co_await session.send(list_call(portal_path(session.organization().portal_id) + "/bin", number));
  Page page;
  std::vector<Json> trash;
  // A portal without access to its bin learns of deletions from webhooks alone.
  if (judge_answer(result).outcome == Outcome::done) {
    const Json body = body_of(result);
    trash = list_of(body, "trash");
    page.more = has_next_page(body, trash.size(), records_a_page);
  } else if (result.transport != Transport::answered || result.status >= 500 || result.status == 429) {
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
  }
  page.cursor = std::move(cursor);
  co_return page;
}

// A task brings its list along, which is read nowhere else.
void Connector::add_task(const Session &session, const Json &task, const Place &place, Page &page) const {
  if (page.records.empty()) page.records = {{"projects_task_list", {}}, {"projects_task", {}}};
  Record record = from_service(session.catalog(), "projects_task", task, place);
  auto &lists = page.records[0].records;
  if (const Json *list = find(task, "tasklist"); list != nullptr && !scalar_text(*list, "name").empty()) {
    const Place home{place.portal_id, scalar_text(record.fields, "project_id")};
    Record list_record = from_service(session.catalog(), "projects_task_list", *list, home);
    const bool known = std::any_of(lists.begin(), lists.end(), [&](const Record &other) {
      return other.external_id == list_record.external_id;
    });
    if (!known) lists.push_back(std::move(list_record));
  }
  page.records[1].records.push_back(std::move(record));
}

Task<Page> Connector::read_tasks(Session &session, Json cursor) {
  const Place place{session.organization().portal_id, {}};
  const std::string since = scalar_text(cursor, "since");
  const int number = page_number(cursor);
  ApiCall call = list_call(portal_path(place.portal_id) + "/tasks", number);
  call.query.emplace_back("sort_by", "DESC(last_modified_time)");
  const HttpResult result = co_await session.send(std::move(call));
  Page page;
  if (result.transport == Transport::answered && (result.status == 400 || result.status == 401 || result.status == 403)) {
    // The portal-wide list is refused on some portals although the documents have it.
    memory(session).tasks_by_project = true;
    page.cursor = std::move(cursor);
    page.more = true;
    co_return page;
  }
  const Json body = body_of(result);
  const std::vector<Json> list = list_of(body, "tasks");
  bool reached = false;
  for (const auto &task : list) {
    const std::string version = version_of(task);
    cursor["newest"] = later(version, scalar_text(cursor, "newest"));
    if (older_than(version, since)) {
      reached = true;
    } else {
      add_task(session, task, place, page);
    }
  }
  page.more = !reached && has_next_page(body, list.size(), records_a_page);
  if (page.more) {
    cursor["page"] = number + 1;
  } else {
    finish(cursor);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

// One step reads one page of projects and the changed tasks of each.
Task<Page> Connector::read_tasks_by_project(Session &session, Json cursor) {
  const std::string portal_id = session.organization().portal_id;
  const std::string since = scalar_text(cursor, "since");
  const int number = page_number(cursor);
  const HttpResult result = co_await session.send(list_call(portal_path(portal_id) + "/projects", number));
  const Json body = body_of(result);
  const std::vector<Json> projects = list_of(body, "projects");
  Page page;
  for (const auto &project : projects) {
    const Place place{portal_id, scalar_text(project, "id")};
    bool more = true;
    for (int inner = 1; more; ++inner) {
      ApiCall call = list_call(portal_path(portal_id) + "/projects/" + place.project_id + "/tasks", inner);
      call.query.emplace_back("sort_by", "DESC(last_modified_time)");
      const HttpResult listed = co_await session.send(std::move(call));
      const Json tasks = body_of(listed);
      const std::vector<Json> list = list_of(tasks, "tasks");
      more = has_next_page(tasks, list.size(), records_a_page);
      for (const auto &task : list) {
        const std::string version = version_of(task);
        cursor["newest"] = later(version, scalar_text(cursor, "newest"));
        if (older_than(version, since)) {
          more = false;
        } else {
          add_task(session, task, place, page);
        }
      }
    }
  }
  page.more = has_next_page(body, projects.size(), records_a_page);
  if (page.more) {
    cursor["page"] = number + 1;
  } else {
    finish(cursor);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

Task<Reading> Connector::read_records(Session &session, std::string module, std::vector<Notice> notices) {
  Reading reading;
  const bool in_project = module == "projects_task" || module == "projects_task_list";
  if (module != "projects_project" && !in_project) {
    reading.poll.push_back(module);
    co_return reading;
  }
  Page page;
  ModuleRecords records{module, {}};
  for (const auto &notice : notices) {
    Record deleted;
    deleted.external_id = notice.external_id;
    deleted.deleted = true;
    if (notice.event == "delete") {
      // What lies in the trash may still answer, so there is nothing to read again.
      records.records.push_back(std::move(deleted));
      continue;
    }
    Place place{scalar_text(notice.context, "portal_id"), scalar_text(notice.context, "project_id")};
    if (place.portal_id.empty()) place.portal_id = session.organization().portal_id;
    if (place.portal_id.empty()) continue;
    if (in_project && place.project_id.empty()) {
      if (reading.poll.empty()) reading.poll.emplace_back("projects_task");
      continue;
    }
    std::string path = portal_path(place.portal_id) + "/projects/";
    if (module == "projects_task") path += place.project_id + "/tasks/";
    if (module == "projects_task_list") path += place.project_id + "/tasklists/";
    ApiCall call;
    call.path = path + notice.external_id;
    const HttpResult result = co_await session.send(std::move(call));
    if (judge_answer(result).outcome == Outcome::gone) continue;
    const Json body = body_of(result);
    if (body.is_null()) continue;
    if (module == "projects_task") {
      add_task(session, body, place, page);
    } else {
      records.records.push_back(from_service(session.catalog(), module, body, place));
    }
  }
  reading.records = std::move(page.records);
  reading.records.push_back(std::move(records));
  co_return reading;
}

}  // namespace crm_bridge::worker::zoho_projects
