// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../call.hpp"
#include "../clock.hpp"
#include "../options.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace crm_bridge::sandbox::projects {

// Why a request was turned down, in the terms of the service's error object.
struct Refusal {
  int status = 400;
  std::string title;
  std::string error_type;
  std::string message;
  std::string field;  // "" = none
};
[[noreturn]] void refuse_field(const std::string &field, const std::string &message);
[[noreturn]] void refuse_missing_field(const std::string &field);

struct Person {
  std::string zpuid;
  std::int64_t zuid = 0;
  std::string first_name;
  std::string last_name;
  std::string email;
  std::string role_id;
  std::string client_id;  // of a customer's person; "" = one of ours
  bool administrator = false;
  bool active = true;

  bool is_guest() const { return !client_id.empty(); }
  std::string full_name() const { return first_name + " " + last_name; }
  Json reference() const;
};

struct Status {
  std::string id;
  std::string name;
  std::string color;
  bool closed = false;
  std::string layout_id{};  // of a task status: the layout that offers it

  Json describe() const {
    return {{"id", id}, {"name", name}, {"color_hexcode", color}, {"is_closed_type", closed}};
  }
};

// What every record has.  Times are milliseconds since 1970.
struct Entity {
  std::string id;
  Json values = Json::object();  // plain and custom values as written; unset = absent
  std::int64_t created = 0;
  std::int64_t modified = 0;
  std::string created_by;  // zpuid
  std::string modified_by;
  bool trashed = false;
  std::int64_t trashed_at = 0;
};

struct Client : Entity {};

struct TaskList : Entity {
  std::string project_id;
};

struct Task : Entity {
  std::string project_id;
  std::string task_list_id;
  std::string parent_id;
  std::string status_id;
  std::vector<std::string> owners;
  std::int64_t sequence = 0;
  std::shared_ptr<const Task> before;
};

struct Comment : Entity {
  std::string task_id;
};

struct Project : Entity {
  std::string owner;
  std::string status_id;
  std::string group_id;
  std::string type = "active";
  std::string task_layout_id;
  bool strict = false;
  std::int64_t number = 0;
  std::int64_t last_task = 0;
  std::set<std::string> tasks;
  std::set<std::string> users;
  std::vector<std::string> clients;  // the first is the primary one
  std::shared_ptr<const Project> before;
};

// An accepted effect: for the webhook and the journal.
struct Effect {
  std::string module;  // tasks, projects, tasklists, clients, users, comments
  std::string event;   // create, update, delete
  std::string id;
  std::string project_id;
  Json values;
};

// The state of one portal and its business rules; the same for programs and for people.  Methods
// that refuse throw Refusal.  The caller holds the service's lock.
class Portal {
 public:
  // `number` tells the portals of one service apart: no id stands in two of them.
  Portal(const Options &options, Clock &clock, std::string id, std::string name,
         std::vector<std::pair<std::string, std::string>> people, std::int64_t number = 0);

  const std::string &id() const { return id_; }
  const std::string &name() const { return name_; }

  Project &create_project(const Json &input, const std::string &actor);
  void update_project(Project &project, const Json &input, const std::string &actor,
                      bool in_person);
  void trash_project(Project &project, const std::string &actor);
  void restore_project(Project &project, const std::string &actor);
  void delete_project(Project &project);
  Json render(const Project &project) const;

  TaskList &create_task_list(Project &project, const Json &input, const std::string &actor);
  void update_task_list(TaskList &list, const Json &input, const std::string &actor);
  void delete_task_list(TaskList &list, const std::string &actor);
  Json render(const TaskList &list) const;

  Task &create_task(Project &project, const Json &input, const std::string &actor);
  void update_task(Task &task, const Json &input, const std::string &actor);
  void move_task(Task &task, const std::string &task_list_id, const std::string &actor);
  void trash_task(Task &task, const std::string &actor);
  Json render(const Task &task) const;

  Comment &create_comment(const Task &task, const Json &input, const std::string &actor);
  void update_comment(Comment &comment, const Json &input, const std::string &actor);
  void delete_comment(Comment &comment, const std::string &actor);
  Json render(const Comment &comment) const;

  Client &create_client(const Json &input, const std::string &actor);
  void update_client(Client &client, const Json &input, const std::string &actor);
  void delete_client(Client &client);
  Json render(const Client &client) const;

  Person &create_person(const Json &input);
  // A customer's person, who is admitted to a project of that customer.
  Person &create_guest(Project &project, const Json &input);
  void admit_guest(Project &project, const Person &guest, bool notify);
  void update_person(Person &person, const Json &input);
  void remove_person(Person &person);
  Json render(const Person &person) const;
  Json render_bin() const;

  // Each refuses what does not exist.
  Project &project(const std::string &id);
  TaskList &task_list(const std::string &id);
  Task &task(const std::string &id);
  Comment &comment(const std::string &id);
  Client &client(const std::string &id);
  Person &person(const std::string &zpuid_or_email);
  const Person &administrator() const { return people.begin()->second; }

  std::map<std::string, Project> projects;
  std::map<std::string, TaskList> task_lists;
  std::map<std::string, Task> tasks;
  std::map<std::string, Comment> comments;
  std::map<std::string, Client> clients;
  std::map<std::string, Person> people;  // by zpuid
  Json task_layouts = Json::array();
  std::vector<Status> task_statuses;  // of all layouts
  std::vector<Status> project_statuses;
  Json roles = Json::array();
  Json profiles = Json::array();
  Json groups = Json::array();
  std::set<std::string> custom_task_fields;
  std::set<std::string> custom_project_fields;

  // Filled by every change, emptied by the service.
  std::vector<Effect> effects;
  std::int64_t mails = 0;

  std::string next_id();
  // For good: the task with its comments.
  void purge_task(const std::string &id);

 private:
  void demand_author(const Comment &comment, const std::string &actor) const;
  void begin(Entity &entity, const std::string &actor);
  void touch(Entity &entity, const std::string &actor);
  void apply_task(Task &task, const Json &input, const std::string &actor);
  void apply_task_dates(Task &task, const Json &input);
  void apply_owners(Task &task, const Json &owners, const std::string &actor);
  void check_schedule(const Task &task) const;
  const Status &status(const std::vector<Status> &statuses, const std::string &id) const;
  const Status &chosen_status(const std::vector<Status> &statuses, const Json &input,
                              const std::string &layout_id = {}) const;
  const std::string &layout_of(const std::string &project_id) const;
  [[noreturn]] void refuse_unknown(const std::string &what) const;

  const Options &options_;
  Clock &clock_;
  const std::string id_;
  const std::string name_;
  std::int64_t last_id_ = 2063927000000085000;
  std::int64_t last_project_ = 0;
  static constexpr std::int64_t ids_of_a_portal = 100'000'000;
  std::int64_t number_;
  std::int64_t people_made_ = 0;
};

// Copies text of `limit` characters at most; null and "" unset it.
void apply_text(Json &values, const Json &input, const std::string &field, std::size_t limit);
// Keys of custom fields: cf_..., projects_cf_...
bool is_custom(const std::string &key);

}  // namespace crm_bridge::sandbox::projects
