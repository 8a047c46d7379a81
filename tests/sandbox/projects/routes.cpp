// SPDX-License-Identifier: PostgreSQL
// Projects, task lists, tasks and comments: which request does what.
#include "service.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {
namespace {

[[noreturn]] void refuse_method() {
  throw Refusal{400, "INVALID_METHOD", "OPERATIONAL_VALIDATION_ERROR", "Invalid method", ""};
}

template <typename Entity>
void sort_as_asked(std::vector<const Entity *> &entities, const std::string &sort_by) {
  if (sort_by.empty()) return;
  const std::size_t open = sort_by.find('(');
  const bool descending = sort_by.compare(0, 4, "DESC") == 0;
  if (open == std::string::npos || sort_by.back() != ')' ||
      (!descending && sort_by.compare(0, 3, "ASC") != 0)) {
    refuse_field("sort_by", "Input format mismatch");
  }
  const std::string field = sort_by.substr(open + 1, sort_by.size() - open - 2);
  if (field != "last_modified_time" && field != "last_updated_time" && field != "modified_time" &&
      field != "created_time") {
    refuse_field("sort_by", "Input format mismatch");
  }
  const auto key = [&](const Entity *entity) {
    return std::pair{field == "created_time" ? entity->created : entity->modified, entity->id};
  };
  std::sort(entities.begin(), entities.end(), [&](const Entity *left, const Entity *right) {
    return descending ? key(left) > key(right) : key(left) < key(right);
  });
}

// One page of entities; only what is shown is rendered.
template <typename Entity>
Json page_of_entities(const Portal &portal, const std::vector<const Entity *> &entities,
                      const Page &page) {
  Json shown = Json::array();
  const std::size_t start = (page.number - 1) * page.size;
  for (std::size_t i = start; i < std::min(start + page.size, entities.size()); ++i)
    shown.push_back(portal.render(*entities[i]));
  return shown;
}

template <typename Entity>
Answer list_of(const Portal &portal, const std::string &key,
               const std::vector<const Entity *> &entities, const Page &page) {
  Json shown = page_of_entities(portal, entities, page);
  if (shown.empty()) return Answer::nothing(204);
  Answer answer;
  const std::size_t count = shown.size();
  answer.body = {{key, std::move(shown)},
                 {"page_info",
                  {{"page", page.number},
                   {"per_page", page.size},
                   {"page_count", count},
                   {"has_next_page", page.number * page.size < entities.size()}}}};
  return answer;
}

template <typename Entity>
Answer one(const Portal &portal, const Entity &entity, int status = 200) {
  Answer answer;
  answer.status = status;
  answer.body = portal.render(entity);
  return answer;
}

template <typename Entity>
const Entity &seen(const Entity &entity, bool stale) {
  return stale && entity.before != nullptr ? *entity.before : entity;
}

}  // namespace

Answer Service::route(Portal &portal, const Request &request) {
  const std::string &what = request.segment(0);
  if (what.empty() && request.method == "GET") {
    Answer answer;
    answer.body = {{"id", portal.id()},
                   {"name", portal.name()},
                   {"portal_name", "zylker"},
                   {"org_name", "Zylker"}};
    return answer;
  }
  if (what == "projects") return route_projects(portal, request);
  if (what == "clients") return route_clients(portal, request);
  if (what == "users") return route_users(portal, request);
  if (what == "settings") return route_settings(portal, request);
  if (what == "bin" || what == "empty-bin") return route_bin(portal, request);
  if (what == "tasklists" &&
      request.call == nullptr) {  // a person names a list without its project
    TaskList &list = portal.task_list(request.segment(1).empty() ? text_of(request.body, "id")
                                                                 : request.segment(1));
    Request below = request;
    below.path = {"projects", list.project_id, "tasklists", list.id};
    return route_task_lists(portal, portal.project(list.project_id), below);
  }
  if (what == "tasks" && request.call == nullptr && !request.segment(1).empty()) {
    const Task &task = portal.task(request.segment(1));
    Request below = request;
    below.path = {"projects", task.project_id, "tasks", task.id};
    return route_tasks(portal, portal.project(task.project_id), below);
  }
  if (what == "tasks" && request.path.size() == 1 && request.method == "GET") {
    std::vector<const Task *> found;
    for (const auto &[id, task] : portal.tasks) {
      const auto project = portal.projects.find(task.project_id);
      if (!task.trashed && project != portal.projects.end() && !project->second.trashed)
        found.push_back(&seen(task, request.stale()));
    }
    sort_as_asked(found, request.parameter("sort_by"));
    return list_of(portal, "tasks", found, request.page(true));
  }
  if (request.method == "GET" &&
      (what == "roles" || what == "profiles" || what == "project-groups")) {
    Answer answer;
    answer.body = {{what, what == "roles"      ? portal.roles
                          : what == "profiles" ? portal.profiles
                                               : portal.groups}};
    return answer;
  }
  if (what == "project-groups" && request.method == "POST") {
    if (text_of(request.body, "name").empty()) refuse_missing_field("name");
    Answer answer;
    answer.status = 201;
    answer.body = {{"id", portal.next_id()},
                   {"name", text_of(request.body, "name")},
                   {"type", text_of(request.body, "type") == "private" ? "private" : "public"}};
    portal.groups.push_back(answer.body);
    return answer;
  }
  refuse_url();
}

Answer Service::route_projects(Portal &portal, const Request &request) {
  if (request.path.size() > 1)
    return route_project(portal, portal.project(request.segment(1)), request);
  if (request.method == "POST")
    return one(portal, portal.create_project(request.body, request.actor), 201);
  if (request.method != "GET") refuse_method();
  const Page page = request.page(true);
  const std::string status = request.parameter("status");
  std::vector<const Project *> found;
  for (const auto &[id, project] : portal.projects) {
    if (project.trashed) continue;
    const bool completed = project.status_id == "2063927000000018010";
    if (!status.empty() &&
        status != (project.type == "active" && completed ? "completed" : project.type))
      continue;
    found.push_back(&seen(project, request.stale()));
  }
  sort_as_asked(found, request.parameter("sort_by"));
  Answer answer;
  answer.body = page_of_entities(portal, found, page);  // a bare array without page_info
  return answer;
}

Answer Service::route_project(Portal &portal, Project &project, const Request &request) {
  const std::string &method = request.method;
  const std::string &what = request.segment(2);
  if (what.empty()) {
    // A project in the trash still answers; its tasks do not.
    if (method == "GET") return one(portal, seen(project, request.stale()));
    if (method == "PATCH") {
      portal.update_project(project, request.body, request.actor, request.call == nullptr);
      return one(portal, project);
    }
    if (method == "DELETE") {
      if (request.call == nullptr) {
        portal.trash_project(project, request.actor);
      } else {
        portal.delete_project(project);
      }
      return Answer::nothing(204);
    }
    refuse_method();
  }
  if (method == "POST" && (what == "trash" || what == "restore")) {
    if (what == "trash") portal.trash_project(project, request.actor);
    if (what == "restore") portal.restore_project(project, request.actor);
    return Answer::nothing(204);
  }
  if (what == "tasklists") return route_task_lists(portal, project, request);
  if (what == "tasks") return route_tasks(portal, project, request);
  if (what == "clients" && request.segment(3) == "users")
    return route_guests(portal, project, request);
  if (what == "clients" || what == "associate-client" || what == "primary-client")
    return route_project_clients(portal, project, request);
  if (what == "clientuser") return route_guests(portal, project, request);
  if (what == "users" || what == "projectusers")
    return route_project_users(portal, project, request);
  refuse_url();
}

Answer Service::route_task_lists(Portal &portal, Project &project, const Request &request) {
  const std::string &method = request.method;
  if (request.path.size() == 3) {
    if (method == "POST")
      return one(portal, portal.create_task_list(project, request.body, request.actor), 201);
    if (method != "GET") refuse_method();
    std::vector<const TaskList *> found;
    for (const auto &[id, list] : portal.task_lists) {
      if (list.project_id == project.id && !list.trashed) found.push_back(&list);
    }
    sort_as_asked(found, request.parameter("sort_by"));
    return list_of(portal, "tasklists", found, request.page(true));
  }
  TaskList &list = portal.task_list(request.segment(3));
  if (request.path.size() != 4) refuse_url();
  if (method == "GET") return one(portal, list);
  if (method == "PATCH") {
    portal.update_task_list(list, request.body, request.actor);
    return one(portal, list);
  }
  if (method != "DELETE") refuse_method();
  portal.delete_task_list(list, request.actor);
  return Answer::nothing(204);
}

Answer Service::route_tasks(Portal &portal, Project &project, const Request &request) {
  const std::string &method = request.method;
  if (request.path.size() == 3) {
    if (method == "POST")
      return one(portal, portal.create_task(project, request.body, request.actor), 201);
    if (method != "GET") refuse_method();
    const Page page = request.page(true);
    std::vector<const Task *> found;
    for (const auto &id : project.tasks) {
      const Task &task = portal.tasks.at(id);
      if (!task.trashed) found.push_back(&seen(task, request.stale()));
    }
    sort_as_asked(found, request.parameter("sort_by"));
    return list_of(portal, "tasks", found, page);
  }
  Task &task = portal.task(request.segment(3));
  if (task.project_id != project.id)
    refuse_field("project_id", "The task belongs to another project");
  const std::string &action = request.segment(4);
  if (action == "comments") return route_comments(portal, task, request);
  if (action == "move" && method == "POST") {
    portal.move_task(task, text_of(request.body, "target_tasklist_id"), request.actor);
    return Answer::nothing(204);
  }
  if (!action.empty()) refuse_url();
  if (method == "GET") return one(portal, seen(task, request.stale()));
  if (method == "PATCH") {
    portal.update_task(task, request.body, request.actor);
    return one(portal, task);
  }
  if (method != "DELETE") refuse_method();
  portal.trash_task(task, request.actor);
  return Answer::nothing(204);
}

Answer Service::route_comments(Portal &portal, const Task &task, const Request &request) {
  const std::string &method = request.method;
  Answer answer;
  if (request.path.size() == 5) {
    if (method == "POST") {
      answer.status = 201;
      answer.body =
          Json::array({portal.render(portal.create_comment(task, request.body, request.actor))});
      return answer;
    }
    if (method != "GET") refuse_method();
    std::vector<const Comment *> found;
    for (const auto &[id, comment] : portal.comments) {
      if (comment.task_id == task.id) found.push_back(&comment);
    }
    return list_of(portal, "comments", found, request.page(true));
  }
  Comment &comment = portal.comment(request.segment(5));
  if (comment.task_id != task.id) refuse_field("comment_id", "The comment belongs to another task");
  if (method == "PATCH") {
    portal.update_comment(comment, request.body, request.actor);
    answer.body = Json::array({portal.render(comment)});
    return answer;
  }
  if (method != "DELETE") refuse_method();
  portal.delete_comment(comment, request.actor);
  return Answer::nothing(204);
}

}  // namespace crm_bridge::sandbox::projects
