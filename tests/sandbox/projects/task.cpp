// SPDX-License-Identifier: PostgreSQL
#include "portal.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {
namespace {

Json reference_of(const std::map<std::string, Person> &people, const std::string &zpuid) {
  const auto person = people.find(zpuid);
  return person == people.end() ? Json{{"zpuid", zpuid}} : person->second.reference();
}

}  // namespace

Task &Portal::create_task(Project &project, const Json &input, const std::string &actor) {
  if (text_of(input, "name").empty()) refuse_missing_field("name");
  Task task;
  task.project_id = project.id;
  const std::string &layout = layout_of(project.id);
  task.status_id = std::find_if(task_statuses.begin(), task_statuses.end(), [&](const Status &one) {
                     return one.layout_id == layout;
                   })->id;
  if (input.contains("tasklist")) {
    task.task_list_id = text_of(input["tasklist"], "id");
    const auto list = task_lists.find(task.task_list_id);
    if (list == task_lists.end() || list->second.trashed || list->second.project_id != project.id) {
      refuse_field("tasklist", "Invalid task list");
    }
  } else {
    const auto list = std::find_if(task_lists.begin(), task_lists.end(), [&](const auto &entry) {
      return entry.second.project_id == project.id && !entry.second.trashed;
    });
    if (list == task_lists.end())
      refuse_field("tasklist", "Create a default task list or enter a task list ID");
    task.task_list_id = list->first;
  }
  if (input.contains("parental_info")) {
    task.parent_id = text_of(input["parental_info"], "parent_task_id");
    const auto parent = tasks.find(task.parent_id);
    if (parent == tasks.end() || parent->second.trashed ||
        parent->second.project_id != project.id) {
      refuse_field("parental_info", "Invalid parent task");
    }
  }
  apply_task(task, input, actor);
  begin(task, actor);
  task.sequence = ++project.last_task;
  Task &stored = tasks.emplace(task.id, std::move(task)).first->second;
  project.tasks.insert(stored.id);
  effects.push_back({"tasks", "create", stored.id, stored.project_id, render(stored)});
  return stored;
}

// Works on a copy, so that a refusal leaves nothing behind.
void Portal::update_task(Task &task, const Json &input, const std::string &actor) {
  if (!input.is_object())
    throw Refusal{400, "INVALID_INPUTSTREAM", "FIELDS_VALIDATION_ERROR", "Invalid input stream",
                  ""};
  Task changed = task;
  if (input.contains("name") && text_of(input, "name").empty())
    refuse_field("name", "Input format mismatch");
  apply_task(changed, input, actor);
  touch(changed, actor);
  auto before = std::make_shared<Task>(task);
  before->before = nullptr;
  changed.before = before;
  task = std::move(changed);
  effects.push_back({"tasks", "update", task.id, task.project_id, input});
}

void Portal::apply_task(Task &task, const Json &input, const std::string &actor) {
  apply_text(task.values, input, "name", 250);
  apply_text(task.values, input, "description", 80'000);
  if (input.contains("priority")) {
    const std::string priority = text_of(input, "priority");
    if (priority != "none" && priority != "low" && priority != "medium" && priority != "high") {
      refuse_field("priority", "Input format mismatch");
    }
    task.values["priority"] = priority;
  }
  if (input.contains("completion_percentage")) {
    const Json &percentage = input["completion_percentage"];
    if (!percentage.is_number_integer() || percentage < 0 || percentage > 100)
      refuse_field("completion_percentage", "Input format mismatch");
    task.values["completion_percentage"] = percentage;
  }
  for (const char *key : {"duration", "milestone"}) {
    if (!input.contains(key)) continue;
    if (!input[key].is_object()) refuse_field(key, "Input format mismatch");
    task.values[key] = input[key];
  }
  apply_text(task.values, input, "billing_type", 20);
  for (const auto &[key, value] : input.items()) {
    if (!is_custom(key)) continue;
    custom_task_fields.insert(key);
    if (value.is_null()) {
      task.values.erase(key);
    } else {
      task.values[key] = value;
    }
  }
  if (input.contains("start_date") || input.contains("end_date")) {
    apply_task_dates(task, input);
    check_schedule(task);
  }
  if (input.contains("status")) {
    const Status &wanted =
        chosen_status(task_statuses, input["status"], layout_of(task.project_id));
    const bool was_closed = status(task_statuses, task.status_id).closed;
    const auto parent = tasks.find(task.parent_id);
    if (was_closed && !wanted.closed && parent != tasks.end() && !parent->second.trashed &&
        status(task_statuses, parent->second.status_id).closed) {
      throw Refusal{400, "INVALID_PARAMETER_VALUE", "OPERATIONAL_VALIDATION_ERROR",
                    "Subtask cannot be reopened as its parent task is closed", "status"};
    }
    task.status_id = wanted.id;
    if (wanted.closed) {
      task.values["completion_percentage"] = 100;
    } else if (was_closed && !input.contains("completion_percentage")) {
      task.values["completion_percentage"] = 0;
    }
  }
  if (input.contains("owners_and_work") && input["owners_and_work"].is_object() &&
      input["owners_and_work"].contains("owners")) {
    apply_owners(task, input["owners_and_work"]["owners"], actor);
  }
}

void Portal::apply_task_dates(Task &task, const Json &input) {
  for (const char *field : {"start_date", "end_date"}) {
    const auto sent = input.find(field);
    if (sent == input.end()) continue;
    if (sent->is_null() || *sent == "") {
      task.values.erase(field);
      continue;
    }
    // A bare date is refused: the full timestamp is what all sources agree works.
    const auto instant = sent->is_string() ? parse_instant(sent->get<std::string>()) : std::nullopt;
    if (!instant) refuse_field(field, "Input format mismatch");
    task.values[field] = iso_utc(*instant);
  }
  const std::string start = task.values.value("start_date", "");
  const std::string end = task.values.value("end_date", "");
  if (!start.empty() && !end.empty() && end < start)
    refuse_field("end_date", "End date cannot be before start date");
}

void Portal::check_schedule(const Task &task) const {
  const auto project = projects.find(task.project_id);
  if (project == projects.end() || !project->second.strict) return;
  const std::string first = project->second.values.value("start_date", "");
  const std::string last = project->second.values.value("end_date", "");
  for (const char *field : {"start_date", "end_date"}) {
    const std::string day = task.values.value(field, "").substr(0, 10);
    if (day.empty()) continue;
    if ((!first.empty() && day < first) || (!last.empty() && day > last)) {
      throw Refusal{400, "INVALID_PARAMETER_VALUE", "OPERATIONAL_VALIDATION_ERROR",
                    "Task dates should be within the project's start and end dates", field};
    }
  }
}

// A list replaces; {"add": [...]}, {"remove": [...]} change, alone or as elements of the list:
// sources disagree about the shape, so all of them are understood.
void Portal::apply_owners(Task &task, const Json &owners, const std::string &actor) {
  std::vector<std::string> result;
  const auto read = [&](const Json &list) {
    std::vector<std::string> zpuids;
    for (const auto &item : list) {
      const std::string zpuid = text_of(item, "zpuid");
      const auto person = people.find(zpuid);
      if (person == people.end() || !person->second.active) refuse_field("owners", "Invalid user");
      zpuids.push_back(zpuid);
    }
    return zpuids;
  };
  const auto change = [&](const Json &step) {
    if (step.contains("add")) {
      for (auto &zpuid : read(step["add"])) {
        if (std::find(result.begin(), result.end(), zpuid) == result.end()) result.push_back(zpuid);
      }
    }
    if (step.contains("remove")) {
      for (auto &zpuid : read(step["remove"]))
        result.erase(std::remove(result.begin(), result.end(), zpuid), result.end());
    }
  };
  const bool stepwise =
      owners.is_object() || (owners.is_array() && !owners.empty() && owners[0].is_object() &&
                             !owners[0].contains("zpuid"));
  if (!stepwise) {
    if (!owners.is_array()) refuse_field("owners", "Input format mismatch");
    result = read(owners);
  } else {
    result = task.owners;
    if (owners.is_object()) {
      change(owners);
    } else {
      for (const auto &step : owners) change(step);
    }
  }
  for (const auto &zpuid : result) {
    const bool assigned_before =
        std::find(task.owners.begin(), task.owners.end(), zpuid) != task.owners.end();
    if (!assigned_before && zpuid != actor) ++mails;  // "a task has been assigned to you"
  }
  task.owners = std::move(result);
}

void Portal::move_task(Task &task, const std::string &task_list_id, const std::string &actor) {
  const TaskList &list = task_list(task_list_id);
  if (list.project_id != task.project_id) {
    projects.at(task.project_id).tasks.erase(task.id);
    projects.at(list.project_id).tasks.insert(task.id);
    task.project_id = list.project_id;
  }
  task.task_list_id = list.id;
  touch(task, actor);
  effects.push_back(
      {"tasks", "update", task.id, task.project_id, {{"tasklist", {{"id", list.id}}}}});
}

void Portal::trash_task(Task &task, const std::string &actor) {
  touch(task, actor);
  task.trashed = true;
  task.trashed_at = task.modified;
  effects.push_back({"tasks", "delete", task.id, task.project_id, nullptr});
  for (const auto &id : projects.at(task.project_id).tasks) {
    Task &other = tasks.at(id);
    if (other.parent_id == task.id && !other.trashed) trash_task(other, actor);
  }
}

void Portal::purge_task(const std::string &id) {
  for (auto comment = comments.begin(); comment != comments.end();) {
    comment = comment->second.task_id == id ? comments.erase(comment) : std::next(comment);
  }
  tasks.erase(id);
}

Json Portal::render(const Task &task) const {
  Json answer = task.values;
  const Status &state = status(task_statuses, task.status_id);
  const auto project = projects.find(task.project_id);
  const auto list = task_lists.find(task.task_list_id);
  answer["id"] = task.id;
  answer["prefix"] = "ZY" + std::to_string(project == projects.end() ? 0 : project->second.number) +
                     "-T" + std::to_string(task.sequence);
  answer["project"] = {{"id", task.project_id}};
  if (project != projects.end())
    answer["project"]["name"] = project->second.values.value("name", "");
  answer["tasklist"] = {{"id", task.task_list_id}};
  if (list != task_lists.end()) answer["tasklist"]["name"] = list->second.values.value("name", "");
  answer["status"] = state.describe();
  answer["is_completed"] = state.closed;
  if (!answer.contains("completion_percentage")) answer["completion_percentage"] = 0;
  if (!answer.contains("priority")) answer["priority"] = "none";
  if (!answer.contains("billing_type")) answer["billing_type"] = "Billable";
  Json owners = Json::array();
  for (const auto &zpuid : task.owners) owners.push_back(reference_of(people, zpuid));
  answer["owners_and_work"] = {{"owners", std::move(owners)}};
  answer["teams"] = Json::array();
  answer["tags"] = Json::array();
  answer["log_hours"] = {{"total_hours", "0:00"}};
  answer["sequence"] = {{"sequence", task.sequence}};
  std::int64_t depth = 0;
  std::string root = task.id;
  for (auto parent = tasks.find(task.parent_id); parent != tasks.end();
       parent = tasks.find(parent->second.parent_id)) {
    ++depth;
    root = parent->first;
  }
  answer["depth"] = depth;
  if (!task.parent_id.empty())
    answer["parental_info"] = {{"parent_task_id", task.parent_id}, {"root_task_id", root}};
  answer["created_by"] = reference_of(people, task.created_by);
  answer["created_time"] = iso_utc(task.created);
  answer["last_updated_time"] = iso_utc(task.modified);
  return answer;
}

}  // namespace crm_bridge::sandbox::projects
