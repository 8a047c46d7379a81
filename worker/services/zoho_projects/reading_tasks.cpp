// SPDX-License-Identifier: PostgreSQL
#include <algorithm>

#include "services/field_value.hpp"
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/paging.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

// Whose comments are read with them: the comments of the others come with their round.
constexpr std::size_t most_changed_tasks = 25;

}  // namespace

void Connector::begin_round(Json &cursor, Page &page) const {
  Json &round = cursor["round"];
  // The first reading brings all tasks, so the round begins with its later, slower turns.
  if (!round.is_object()) round = {{"rounds", 0}, {"stepped_at", now_in_utc()}};
  if (!is_due(round)) return;
  cursor["phase"] = "round";
  page.more = true;
}

// A task brings its list along, which is read nowhere else.
void Connector::add_task(const Session &session, const Json &task, const Place &place,
                         Page &page) const {
  if (page.records.empty()) page.records = {{"projects_task_list", {}}, {"projects_task", {}}};
  Record record = from_service(session.catalog(), "projects_task", task, place);
  auto &lists = page.records[0].records;
  if (const Json *list = find(task, "tasklist");
      list != nullptr && !scalar_text(*list, "name").empty()) {
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
  if (result.transport == Transport::answered &&
      (result.status == 400 || result.status == 401 || result.status == 403)) {
    // The portal-wide list is refused on some portals although the documents have it.
    memory(session).tasks_by_project = true;
    page.cursor = std::move(cursor);
    page.more = true;
    co_return page;
  }
  const Json body = body_of(result);
  const std::vector<Json> list = list_of(body, "tasks");
  bool reached = false;
  std::vector<Place> changed;
  for (const auto &task : list) {
    const std::string version = version_of(task);
    cursor["newest"] = later(version, scalar_text(cursor, "newest"));
    if (older_than(version, since)) {
      reached = true;
    } else {
      add_task(session, task, place, page);
      // Everything there is comes with the round of comments.
      if (!since.empty() && version > since && changed.size() < most_changed_tasks)
        changed.push_back(
            {place.portal_id, scalar_text(task, "project.id"), scalar_text(task, "id")});
    }
  }
  co_await read_comments_of(session, std::move(changed), page);
  page.more = !reached && has_next_page(body, list.size(), records_a_page);
  if (page.more) {
    cursor["page"] = number + 1;
  } else {
    finish_read(cursor);
    begin_round(cursor, page);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

// One step reads one page of projects and the changed tasks of each.
Task<Page> Connector::read_tasks_by_project(Session &session, Json cursor) {
  const std::string portal_id = session.organization().portal_id;
  const std::string since = scalar_text(cursor, "since");
  const int number = page_number(cursor);
  const HttpResult result =
      co_await session.send(list_call(portal_path(portal_id) + "/projects", number));
  const Json body = body_of(result);
  const std::vector<Json> projects = list_of(body, "projects");
  Page page;
  for (const auto &project : projects) {
    const Place place{portal_id, scalar_text(project, "id")};
    bool more = true;
    for (int inner = 1; more; ++inner) {
      ApiCall call =
          list_call(portal_path(portal_id) + "/projects/" + place.project_id + "/tasks", inner);
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
    finish_read(cursor);
    begin_round(cursor, page);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

}  // namespace crm_bridge::worker::zoho_projects
