// SPDX-License-Identifier: PostgreSQL
// Task lists, and the comments on their tasks.
#include "portal.hpp"

namespace crm_bridge::sandbox::projects {

TaskList &Portal::create_task_list(Project &project, const Json &input, const std::string &actor) {
  if (text_of(input, "name").empty()) refuse_missing_field("name");
  TaskList list;
  begin(list, actor);
  list.project_id = project.id;
  list.values = {{"flag", "internal"}, {"status", "active"}};
  update_task_list(list, input, actor);
  effects.pop_back();  // of the update that filled it
  TaskList &stored = task_lists.emplace(list.id, std::move(list)).first->second;
  effects.push_back({"tasklists", "create", stored.id, stored.project_id, render(stored)});
  return stored;
}

void Portal::update_task_list(TaskList &list, const Json &input, const std::string &actor) {
  if (!input.is_object())
    throw Refusal{400, "INVALID_INPUTSTREAM", "FIELDS_VALIDATION_ERROR", "Invalid input stream",
                  ""};
  Json values = list.values;
  if (input.contains("name") && text_of(input, "name").empty())
    refuse_field("name", "Input format mismatch");
  apply_text(values, input, "name", 200);
  if (input.contains("flag")) {
    const std::string flag = text_of(input, "flag");
    if (flag != "internal" && flag != "external") refuse_field("flag", "Input format mismatch");
    values["flag"] = flag;
  }
  if (input.contains("status")) {
    const std::string status = text_of(input, "status");
    if (status != "active" && status != "completed" && status != "archived")
      refuse_field("status", "Input format mismatch");
    values["status"] = status;
  }
  list.values = std::move(values);
  touch(list, actor);
  effects.push_back({"tasklists", "update", list.id, list.project_id, input});
}

void Portal::delete_task_list(TaskList &list, const std::string &actor) {
  touch(list, actor);
  list.trashed = true;
  list.trashed_at = list.modified;
  effects.push_back({"tasklists", "delete", list.id, list.project_id, nullptr});
  for (const auto &id : projects.at(list.project_id).tasks) {
    Task &task = tasks.at(id);
    if (task.task_list_id == list.id && !task.trashed) trash_task(task, actor);
  }
}

Json Portal::render(const TaskList &list) const {
  Json answer = list.values;
  answer["id"] = list.id;
  answer["project"] = {{"id", list.project_id}};
  const auto project = projects.find(list.project_id);
  if (project != projects.end())
    answer["project"]["name"] = project->second.values.value("name", "");
  answer["created_via"] = "api";
  answer["created_by"] = {{"zpuid", list.created_by}};
  answer["created_time"] = iso_utc(list.created);
  answer["last_updated_time"] = iso_utc(list.modified);
  answer["meta_info"] = {{"is_completed", list.values.value("status", "") == "completed"},
                         {"is_rolled", false},
                         {"is_general", false},
                         {"has_comments", false},
                         {"is_none_milestone_tasklist", true}};
  return answer;
}

Comment &Portal::create_comment(const Task &task, const Json &input, const std::string &actor) {
  if (text_of(input, "comment").empty()) refuse_missing_field("comment");
  Comment comment;
  begin(comment, actor);
  comment.task_id = task.id;
  apply_text(comment.values, input, "comment", 80'000);
  Comment &stored = comments.emplace(comment.id, std::move(comment)).first->second;
  effects.push_back({"comments", "create", stored.id, task.project_id, render(stored)});
  return stored;
}

// What one person wrote, only an administrator changes for him.
void Portal::demand_author(const Comment &comment, const std::string &actor) const {
  const auto person = people.find(actor);
  if (comment.created_by == actor || (person != people.end() && person->second.administrator))
    return;
  throw Refusal{403, "FORBIDDEN", "OPERATIONAL_VALIDATION_ERROR",
                "You do not have permission to change this comment", ""};
}

void Portal::update_comment(Comment &comment, const Json &input, const std::string &actor) {
  demand_author(comment, actor);
  if (text_of(input, "comment").empty()) refuse_missing_field("comment");
  apply_text(comment.values, input, "comment", 80'000);
  touch(comment, actor);
  effects.push_back(
      {"comments", "update", comment.id, tasks.at(comment.task_id).project_id, input});
}

void Portal::delete_comment(Comment &comment, const std::string &actor) {
  demand_author(comment, actor);
  effects.push_back(
      {"comments", "delete", comment.id, tasks.at(comment.task_id).project_id, nullptr});
  comments.erase(comment.id);
}

Json Portal::render(const Comment &comment) const {
  Json answer = comment.values;
  answer["id"] = comment.id;
  answer["created_time"] = iso_utc(comment.created);
  if (comment.modified != comment.created) answer["updated_time"] = iso_utc(comment.modified);
  const auto author = people.find(comment.created_by);
  answer["created_by"] =
      author == people.end() ? Json{{"zpuid", comment.created_by}} : author->second.reference();
  answer["attachments"] = Json::array();
  return answer;
}

}  // namespace crm_bridge::sandbox::projects
