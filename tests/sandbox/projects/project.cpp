// SPDX-License-Identifier: PostgreSQL
#include "portal.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {
namespace {

void apply_date(Json &values, const Json &input, const std::string &field) {
  const auto sent = input.find(field);
  if (sent == input.end()) return;
  if (sent->is_null() || *sent == "") {
    values.erase(field);
    return;
  }
  if (!sent->is_string() || !is_date(sent->get<std::string>()))
    refuse_field(field, "Input format mismatch");
  values[field] = *sent;
}

}  // namespace

Project &Portal::create_project(const Json &input, const std::string &actor) {
  if (text_of(input, "name").empty()) refuse_missing_field("name");
  Project project;
  begin(project, actor);
  project.owner = actor;
  project.status_id = project_statuses.front().id;
  project.group_id = groups.front()["id"];
  update_project(project, input, actor, false);
  project.before = nullptr;
  effects.pop_back();  // of the update that filled it
  project.number = ++last_project_;
  project.users = {actor, project.owner};
  Project &stored = projects.emplace(project.id, std::move(project)).first->second;
  effects.push_back({"projects", "create", stored.id, stored.id, render(stored)});
  return stored;
}

// Works on a copy, so that a refusal leaves nothing behind.
void Portal::update_project(Project &project, const Json &input, const std::string &actor,
                            bool in_person) {
  if (!input.is_object())
    throw Refusal{400, "INVALID_INPUTSTREAM", "FIELDS_VALIDATION_ERROR", "Invalid input stream",
                  ""};
  Project changed = project;
  if (input.contains("name") && text_of(input, "name").empty())
    refuse_field("name", "Input format mismatch");
  apply_text(changed.values, input, "name", 200);
  apply_text(changed.values, input, "description", 80'000);
  apply_date(changed.values, input, "start_date");
  apply_date(changed.values, input, "end_date");
  const std::string start = changed.values.value("start_date", "");
  const std::string end = changed.values.value("end_date", "");
  if (!start.empty() && !end.empty() && end < start)
    refuse_field("end_date", "End date cannot be before start date");
  if (input.contains("owner")) {
    const std::string zpuid = text_of(input["owner"], "zpuid");
    if (people.count(zpuid) == 0 || people.at(zpuid).is_guest())
      refuse_field("owner", "Invalid user");
    if (zpuid != changed.owner && zpuid != actor) ++mails;
    changed.owner = zpuid;
    changed.users.insert(zpuid);
  }
  if (input.contains("status"))
    changed.status_id = chosen_status(project_statuses, input["status"]).id;
  if (input.contains("project_group")) {
    const std::string id = text_of(input["project_group"], "id");
    const bool known = std::any_of(groups.begin(), groups.end(),
                                   [&](const Json &group) { return group["id"] == id; });
    if (!known) refuse_field("project_group", "Invalid project group");
    changed.group_id = id;
  }
  if (input.contains("project_type")) {
    changed.type = text_of(input, "project_type");
    if (changed.type != "active" && changed.type != "template" && changed.type != "archived")
      refuse_field("project_type", "Input format mismatch");
  }
  for (const char *flag : {"is_public_project", "is_rollup_project"}) {
    if (!input.contains(flag)) continue;
    if (!input[flag].is_boolean()) refuse_field(flag, "Input format mismatch");
    changed.values[flag] = input[flag];
  }
  // The API shows the strict flag and does not let it be written; in the screens it is a tick box.
  if (in_person && input.contains("is_strict_project"))
    changed.strict = input["is_strict_project"] == true;
  if (in_person && input.contains("task_layout")) {
    const std::string id = text_of(input["task_layout"], "id");
    const bool known = std::any_of(task_layouts.begin(), task_layouts.end(),
                                   [&](const Json &layout) { return layout["id"] == id; });
    if (!known) refuse_field("task_layout", "Invalid layout");
    changed.task_layout_id = id;
  }
  for (const auto &[key, value] : input.items()) {
    if (!is_custom(key)) continue;
    custom_project_fields.insert(key);
    if (value.is_null()) {
      changed.values.erase(key);
    } else {
      changed.values[key] = value;
    }
  }
  touch(changed, actor);
  auto before = std::make_shared<Project>(project);
  before->before = nullptr;
  changed.before = before;
  project = std::move(changed);
  effects.push_back({"projects", "update", project.id, project.id, input});
}

void Portal::trash_project(Project &project, const std::string &actor) {
  touch(project, actor);
  project.trashed = true;
  project.trashed_at = project.modified;
  effects.push_back({"projects", "delete", project.id, project.id, nullptr});
}

void Portal::restore_project(Project &project, const std::string &actor) {
  touch(project, actor);
  project.trashed = false;
  effects.push_back({"projects", "create", project.id, project.id, render(project)});
}

void Portal::delete_project(Project &project) {
  if (!project.trashed) {
    throw Refusal{400, "INVALID_PARAMETER_VALUE", "OPERATIONAL_VALIDATION_ERROR",
                  "Move the project to trash first", "id"};
  }
  for (const auto &id : project.tasks) purge_task(id);
  for (auto list = task_lists.begin(); list != task_lists.end();) {
    list = list->second.project_id == project.id ? task_lists.erase(list) : std::next(list);
  }
  effects.push_back({"projects", "purge", project.id, project.id, nullptr});
  projects.erase(project.id);
}

Json Portal::render(const Project &project) const {
  Json answer = project.values;
  std::int64_t open = 0;
  std::int64_t closed = 0;
  for (const auto &id : project.tasks) {
    const auto task = tasks.find(id);
    if (task == tasks.end() || task->second.trashed) continue;
    ++(status(task_statuses, task->second.status_id).closed ? closed : open);
  }
  const auto reference = [&](const std::string &zpuid) {
    const auto person = people.find(zpuid);
    return person == people.end() ? Json{{"zpuid", zpuid}} : person->second.reference();
  };
  const Status &state = status(project_statuses, project.status_id);
  answer["id"] = project.id;
  answer["key"] = "ZY-" + std::to_string(project.number);
  answer["project_type"] = project.type;
  answer["owner"] = reference(project.owner);
  answer["created_by"] = {{"zpuid", project.created_by}};
  answer["updated_by"] = {{"zpuid", project.modified_by}};
  for (const char *flag : {"is_public_project", "is_rollup_project"}) {
    if (!answer.contains(flag)) answer[flag] = false;
  }
  answer["is_strict_project"] = project.strict;
  answer["is_completed"] = state.closed;
  answer["created_time"] = iso_utc(project.created);
  answer["modified_time"] = iso_utc(project.modified);
  answer["status"] = state.describe();
  answer["layout"] = {{"id", "2063927000000018110"},
                      {"name", "Standard Layout"},
                      {"is_default", true},
                      {"type", "standard"}};
  answer["business_hours_id"] = "2063927000000018200";
  answer["budget_info"] = {{"currency", "USD"}};
  for (const auto &group : groups) {
    if (group["id"] == project.group_id) answer["project_group"] = group;
  }
  answer["percent_complete"] = open + closed == 0 ? 0 : closed * 100 / (open + closed);
  answer["tasks"] = {{"open_count", open}, {"closed_count", closed}};
  answer["issues"] = {{"open_count", 0}, {"closed_count", 0}};
  answer["milestones"] = {{"open_count", 0}, {"closed_count", 0}};
  return answer;
}

}  // namespace crm_bridge::sandbox::projects
