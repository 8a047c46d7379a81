// SPDX-License-Identifier: PostgreSQL
#include "portal.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {

void refuse_field(const std::string &field, const std::string &message) {
  throw Refusal{400, "INVALID_PARAMETER_VALUE", "FIELDS_VALIDATION_ERROR", message, field};
}

void refuse_missing_field(const std::string &field) {
  throw Refusal{400, "LESS_THAN_MIN_OCCURANCE", "FIELDS_VALIDATION_ERROR",
                "Input Parameter Missing", field};
}

void apply_text(Json &values, const Json &input, const std::string &field, std::size_t limit) {
  const auto sent = input.find(field);
  if (sent == input.end()) return;
  if (sent->is_null() || *sent == "") {
    values.erase(field);
    return;
  }
  if (!sent->is_string()) refuse_field(field, "Input format mismatch");
  if (sent->get_ref<const std::string &>().size() > limit)
    refuse_field(field, "Maximum length exceeded");
  values[field] = *sent;
}

bool is_custom(const std::string &key) {
  return key.compare(0, 3, "cf_") == 0 || key.find("_cf_") != std::string::npos;
}

Json Person::reference() const {
  return {{"zpuid", zpuid},           {"zuid", zuid},
          {"name", first_name},       {"email", email},
          {"first_name", first_name}, {"last_name", last_name},
          {"full_name", full_name()}};
}

Portal::Portal(const Options &options, Clock &clock, std::string id, std::string name,
               std::vector<std::pair<std::string, std::string>> people_in_it, std::int64_t number)
    : options_{options},
      clock_{clock},
      id_{std::move(id)},
      name_{std::move(name)},
      number_{number} {
  last_id_ += number_ * ids_of_a_portal;
  const std::string standard = "2063927000000016110";
  const std::string field_work = "2063927000000016120";
  task_layouts = {{{"id", standard}, {"name", "Standard Layout"}, {"is_default", true}},
                  {{"id", field_work}, {"name", "Field Work"}, {"is_default", false}}};
  task_statuses = {{"2063927000000016068", "Open", "#74cb80", false, standard},
                   {"2063927000000016071", "In Progress", "#08aeea", false, standard},
                   {"2063927000000016074", "In Review", "#f1a95f", false, standard},
                   {"2063927000000016077", "Closed", "#fd6461", true, standard},
                   {"2063927000000016081", "Scheduled", "#74cb80", false, field_work},
                   {"2063927000000016084", "Signed Off", "#fd6461", true, field_work}};
  project_statuses = {{"2063927000000018001", "Active", "#2cc8ba", false},
                      {"2063927000000018004", "In Progress", "#08aeea", false},
                      {"2063927000000018007", "On Hold", "#fbc11e", false},
                      {"2063927000000018010", "Completed", "#b3b3b3", true},
                      {"2063927000000018013", "Cancelled", "#f56b62", true}};
  roles = {{{"id", "2063927000000010001"}, {"name", "Administrator"}},
           {{"id", "2063927000000010004"}, {"name", "Manager"}},
           {{"id", "2063927000000010007"}, {"name", "Employee"}},
           {{"id", "2063927000000010010"}, {"name", "Contractor"}}};
  profiles = {
      {{"id", "2063927000000011001"}, {"name", "Portal Owner"}, {"type", 1}, {"is_default", false}},
      {{"id", "2063927000000011004"}, {"name", "Employee"}, {"type", 1}, {"is_default", true}},
      {{"id", "2063927000000011007"}, {"name", "Client"}, {"type", 2}, {"is_default", false}}};
  groups = {{{"id", "2063927000000018300"}, {"name", "Ungrouped Projects"}, {"type", "public"}}};
  for (const auto &[first, last] : people_in_it) {
    Person person;
    const std::int64_t place = people_made_++;
    person.zpuid = std::to_string(2063927000000060003 + number_ * ids_of_a_portal + place * 3);
    person.zuid = 700000001 + number_ * 1000 + place;
    person.first_name = first;
    person.last_name = last;
    person.email = std::string{first} + "." + last + "@example.com";
    std::transform(person.email.begin(), person.email.end(), person.email.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    person.administrator = place == 0;
    person.role_id = place == 0 ? "2063927000000010001" : "2063927000000010007";
    people.emplace(person.zpuid, person);
  }
}

std::string Portal::next_id() { return std::to_string(last_id_ += 2); }

void Portal::begin(Entity &entity, const std::string &actor) {
  entity.id = next_id();
  entity.created = entity.modified = clock_.milliseconds();
  entity.created_by = entity.modified_by = actor;
}

void Portal::touch(Entity &entity, const std::string &actor) {
  entity.modified = clock_.milliseconds();
  entity.modified_by = actor;
}

void Portal::refuse_unknown(const std::string &what) const {
  throw Refusal{options_.projects_missing_status, "RESOURCE_NOT_FOUND",
                "OPERATIONAL_VALIDATION_ERROR", "No such " + what, ""};
}

Project &Portal::project(const std::string &id) {
  const auto found = projects.find(id);
  if (found == projects.end()) refuse_unknown("project");
  return found->second;
}
TaskList &Portal::task_list(const std::string &id) {
  const auto found = task_lists.find(id);
  if (found == task_lists.end() || found->second.trashed) refuse_unknown("task list");
  return found->second;
}
Task &Portal::task(const std::string &id) {
  const auto found = tasks.find(id);
  if (found == tasks.end() || found->second.trashed) refuse_unknown("task");
  return found->second;
}
Comment &Portal::comment(const std::string &id) {
  const auto found = comments.find(id);
  if (found == comments.end()) refuse_unknown("comment");
  return found->second;
}
Client &Portal::client(const std::string &id) {
  const auto found = clients.find(id);
  if (found == clients.end()) refuse_unknown("client");
  return found->second;
}
Person &Portal::person(const std::string &zpuid_or_email) {
  for (auto &[zpuid, person] : people) {
    if (zpuid == zpuid_or_email || person.email == zpuid_or_email) return person;
  }
  refuse_unknown("user");
}

const Status &Portal::status(const std::vector<Status> &statuses, const std::string &id) const {
  const auto found =
      std::find_if(statuses.begin(), statuses.end(), [&](const Status &s) { return s.id == id; });
  if (found == statuses.end()) refuse_unknown("status");
  return *found;
}

const std::string &Portal::layout_of(const std::string &project_id) const {
  const auto found = projects.find(project_id);
  return found == projects.end() || found->second.task_layout_id.empty()
             ? task_statuses.front().layout_id
             : found->second.task_layout_id;
}

const Status &Portal::chosen_status(const std::vector<Status> &statuses, const Json &input,
                                    const std::string &layout_id) const {
  const std::string id = text_of(input, "id");
  const std::string name = text_of(input, "name");
  for (const auto &candidate : statuses) {
    if (!layout_id.empty() && candidate.layout_id != layout_id) continue;
    if ((!id.empty() && candidate.id == id) ||
        (id.empty() && !name.empty() && candidate.name == name))
      return candidate;
  }
  refuse_field("status", "Invalid status");
}

Json Portal::render_bin() const {
  Json trash = Json::array();
  const auto add = [&](const Entity &entity, const std::string &module) {
    if (!entity.trashed) return;
    Json entry = {{"id", entity.id},
                  {"name", entity.values.value("name", "")},
                  {"module", module},
                  {"deleted_time", iso_utc(entity.trashed_at)}};
    const auto by = people.find(entity.modified_by);
    if (by != people.end()) entry["deleted_by"] = by->second.reference();
    trash.push_back(std::move(entry));
  };
  for (const auto &[id, entity] : projects) add(entity, "projects");
  for (const auto &[id, entity] : task_lists) add(entity, "tasklists");
  for (const auto &[id, entity] : tasks) add(entity, "tasks");
  return trash;
}

}  // namespace crm_bridge::sandbox::projects
