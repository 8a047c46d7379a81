// SPDX-License-Identifier: PostgreSQL
// Clients, users, the bin and the settings of a portal.
#include "service.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {
namespace {

[[noreturn]] void refuse_method() {
  throw Refusal{400, "INVALID_METHOD", "OPERATIONAL_VALIDATION_ERROR", "Invalid method", ""};
}

// Bodies of associations are not documented: {"client": {"id"}}, {"clients": [{"id"}]} and {"id"}
// are understood.
std::vector<std::string> ids_in(const Json &body, const std::string &one, const std::string &many) {
  std::vector<std::string> ids;
  if (!body.is_object()) return ids;
  if (body.contains(one)) ids.push_back(text_of(body[one], "id"));
  if (body.contains(many) && body[many].is_array()) {
    for (const auto &item : body[many])
      ids.push_back(item.is_string() ? item.get<std::string>() : text_of(item, "id"));
  }
  if (body.contains("id")) ids.push_back(text_of(body, "id"));
  return ids;
}

Json field_description(const std::string &api_name, const std::string &type, bool custom) {
  return {{"api_name", api_name},
          {"display_name", api_name},
          {"field_type", type},
          {"is_custom", custom},
          {"is_mandatory", api_name == "name"}};
}

}  // namespace

Answer Service::route_clients(Portal &portal, const Request &request) {
  Answer answer;
  if (request.path.size() == 1) {
    if (request.method == "POST") {
      answer.status = 201;
      answer.body = portal.render(portal.create_client(request.body, request.actor));
      return answer;
    }
    if (request.method != "GET") refuse_method();
    Json all = Json::array();
    for (const auto &[id, client] : portal.clients) all.push_back(portal.render(client));
    return wrapped("clients", std::move(all), request.page(false));
  }
  Client &client = portal.client(request.segment(1));
  if (request.method == "DELETE") {
    portal.delete_client(client);
    return Answer::nothing(204);
  }
  if (request.method == "PATCH" || request.method == "PUT") {
    portal.update_client(client, request.body, request.actor);
  } else if (request.method != "GET") {
    refuse_method();
  }
  answer.body = portal.render(client);
  return answer;
}

Answer Service::route_project_clients(Portal &portal, Project &project, const Request &request) {
  auto &associated = project.clients;
  const auto forget = [&](const std::string &id) {
    associated.erase(std::remove(associated.begin(), associated.end(), id), associated.end());
  };
  const std::string &client_id = request.segment(3);
  if (request.method == "DELETE" && !client_id.empty()) {
    forget(portal.client(client_id).id);
    portal.effects.push_back(
        {"projects", "update", project.id, project.id, {{"clients", associated}}});
    return Answer::nothing(204);
  }
  if (request.method == "POST") {
    std::vector<std::string> ids = ids_in(request.body, "client", "clients");
    if (request.segment(2) == "primary-client") ids = {client_id};
    if (ids.empty() && request.segment(2) == "clients" && !text_of(request.body, "name").empty()) {
      ids.push_back(portal.create_client(request.body, request.actor).id);
    }
    if (ids.empty()) refuse_missing_field("client");
    for (const auto &id : ids) portal.client(id);
    for (const auto &id : ids) {
      forget(id);
      associated.insert(
          request.segment(2) == "primary-client" ? associated.begin() : associated.end(), id);
    }
    portal.effects.push_back(
        {"projects", "update", project.id, project.id, {{"clients", associated}}});
  } else if (request.method != "GET") {
    refuse_method();
  }
  Json all = Json::array();
  for (const auto &id : associated) {
    all.push_back(portal.render(portal.client(id)));
    all.back()["is_primary"] = id == associated.front();
  }
  return wrapped("clients", std::move(all), request.page(false));
}

Answer Service::route_users(Portal &portal, const Request &request) {
  Answer answer;
  const std::string &id = request.segment(1);
  if (id.empty()) {
    if (request.method == "POST") {
      Json input = request.body;
      // Some clients send a form with JSON in a field.
      if (input.is_null()) input = Json::parse(request.parameter("userdetails"), nullptr, false);
      if (input.is_object() && input.contains("userdetails")) input = input["userdetails"];
      if (input.is_array() && !input.empty()) input = Json(input[0]);
      if (!input.is_object()) refuse_missing_field("email");
      answer.status = 201;
      answer.body = portal.render(portal.create_person(input));
      return answer;
    }
    if (request.method != "GET") refuse_method();
    Json all = Json::array();
    for (const auto &[zpuid, person] : portal.people) {
      if (!person.is_guest()) all.push_back(portal.render(person));
    }
    return wrapped("users", std::move(all), request.page(true));
  }
  if (id == "license-details" && request.method == "GET") {
    const auto count = [&](std::size_t used) {
      return Json{{"used_count", used},
                  {"total_count", 50},
                  {"remaining_count", 50 - std::min<std::size_t>(used, 50)}};
    };
    answer.body = {{"portal_user", count(portal.people.size())},
                   {"client_user", count(0)},
                   {"lite_user", count(0)},
                   {"readonly_user", count(0)}};
    return answer;
  }
  Person &person = portal.person(id);
  const std::string &action = request.segment(2);
  if (request.method == "GET" && action == "projects") {
    Json all = Json::array();
    for (const auto &[project_id, project] : portal.projects) {
      if (!project.trashed && project.users.count(person.zpuid) != 0)
        all.push_back(portal.render(project));
    }
    return wrapped("projects", std::move(all), request.page(false));
  }
  if (request.method == "DELETE" && action.empty()) {
    portal.remove_person(person);
    return Answer::nothing(204);
  }
  if (request.method == "PATCH" && action.empty()) {
    portal.update_person(person, request.body);
    answer.body = portal.render(person);
    return answer;
  }
  const bool activate = request.method == "POST" && action == "activate";
  const bool deactivate = request.method == "POST" && action == "deactivate";
  if (activate || deactivate) {
    person.active = activate;
    portal.effects.push_back({"users", "update", person.zpuid, "", {{"is_active", activate}}});
    return Answer::nothing(204);
  }
  if (request.method != "GET" || !action.empty()) refuse_method();
  answer.body = portal.render(person);
  return answer;
}

Answer Service::route_project_users(Portal &portal, Project &project, const Request &request) {
  const std::string &id = request.segment(3);
  if (request.method == "DELETE" && !id.empty()) {
    const Person &person = portal.person(id);
    if (person.zpuid == project.owner) refuse_field("user", "The project owner stays in it");
    project.users.erase(person.zpuid);
    portal.effects.push_back(
        {"projects", "update", project.id, project.id, {{"users", project.users}}});
    return Answer::nothing(204);
  }
  if (request.method == "POST") {
    Json details = request.body;
    if (details.is_null()) details = Json::parse(request.parameter("userdetails"), nullptr, false);
    const bool quietly = details.is_object() && details.value("notify", Json()) == false;
    if (details.is_object() && details.contains("userdetails"))
      details = Json(details["userdetails"]);
    if (!details.is_array()) details = Json::array({details});
    for (const auto &item : details) {
      const std::string zpuid = text_of(item, "zpuid");
      const std::string email =
          text_of(item, "email_id").empty() ? text_of(item, "email") : text_of(item, "email_id");
      const std::string wanted = !id.empty() ? id : zpuid.empty() ? email : zpuid;
      const bool member = std::any_of(
          portal.people.begin(), portal.people.end(),
          [&](const auto &entry) { return entry.first == wanted || entry.second.email == wanted; });
      // Seen on a real portal: whoever is not in the portal yet gives a server error here.
      if (!member)
        throw Refusal{500, "INTERNAL_SERVER_ERROR", "SERVER_ERROR", "zp.general.error", ""};
      if (portal.person(wanted).is_guest()) refuse_field("userdetails", "A client user");
      if (project.users.insert(portal.person(wanted).zpuid).second && !quietly &&
          item.value("notify", Json()) != false)
        ++portal.mails;
    }
    portal.effects.push_back(
        {"projects", "update", project.id, project.id, {{"users", project.users}}});
  } else if (request.method != "GET") {
    refuse_method();
  }
  Json all = Json::array();
  for (const auto &zpuid : project.users) {
    const Person &person = portal.person(zpuid);
    if (!person.is_guest() && (id.empty() || id == zpuid)) all.push_back(portal.render(person));
  }
  return wrapped("users", std::move(all), request.page(false));
}

// GET and DELETE …/clients/users, POST …/clientuser: the paths are the service's, the bodies are
// the ones that users have.
Answer Service::route_guests(Portal &portal, Project &project, const Request &request) {
  Answer answer;
  if (request.segment(2) == "clientuser") {
    if (request.method != "POST") refuse_method();
    if (!request.body.is_object()) refuse_missing_field("email");
    const bool notify = request.body.value("notify", Json()) != false;
    if (!request.body.contains("userdetails")) {
      answer.status = 201;
      answer.body = portal.render(portal.create_guest(project, request.body));
      return answer;
    }
    Json all = Json::array();
    for (const auto &item : request.body["userdetails"]) {
      const Person &guest = portal.person(text_of(item, "zpuid"));
      portal.admit_guest(project, guest, notify);
      all.push_back(portal.render(guest));
    }
    answer.body = {{"users", std::move(all)}};
    return answer;
  }
  const std::string &id = request.segment(4);
  if (request.method == "DELETE" && !id.empty()) {
    const Person &guest = portal.person(id);
    if (!guest.is_guest() || project.users.erase(guest.zpuid) == 0)
      refuse_field("user", "The user is no client user of the project");
    portal.effects.push_back(
        {"projects", "update", project.id, project.id, {{"users", project.users}}});
    return Answer::nothing(204);
  }
  if (request.method != "GET" || !id.empty()) refuse_method();
  Json all = Json::array();
  for (const auto &zpuid : project.users) {
    const Person &person = portal.person(zpuid);
    if (person.is_guest()) all.push_back(portal.render(person));
  }
  return wrapped("users", std::move(all), request.page(false));
}

Answer Service::route_bin(Portal &portal, const Request &request) {
  if (request.segment(0) == "bin" && request.path.size() == 1 && request.method == "GET") {
    Json trash = portal.render_bin();
    const Page page = request.page(false);
    Answer answer;
    answer.body = {{"trash", cut(trash, page)},
                   {"page_info",
                    {{"page", page.number},
                     {"per_page", page.size},
                     {"has_next_page", page.number * page.size < trash.size()}}}};
    return answer;
  }
  std::vector<std::string> ids;
  if (request.segment(0) == "empty-bin" && request.method == "DELETE") {
    for (const auto &entry : portal.render_bin()) ids.push_back(entry["id"]);
  } else if (request.body.is_array()) {
    for (const auto &id : request.body)
      ids.push_back(id.is_string() ? id.get<std::string>() : id.dump());
  } else {
    refuse_method();
  }
  const bool restore = request.segment(1) == "restore" && request.method == "POST";
  if (!restore && request.method != "DELETE") refuse_method();
  for (const auto &id : ids) {
    if (const auto project = portal.projects.find(id);
        project != portal.projects.end() && project->second.trashed) {
      if (restore) {
        portal.restore_project(project->second, request.actor);
      } else {
        portal.delete_project(project->second);
      }
    } else if (const auto task = portal.tasks.find(id);
               task != portal.tasks.end() && task->second.trashed) {
      if (restore) {
        task->second.trashed = false;
        portal.effects.push_back(
            {"tasks", "create", id, task->second.project_id, portal.render(task->second)});
      } else {
        const auto home = portal.projects.find(task->second.project_id);
        if (home != portal.projects.end()) home->second.tasks.erase(id);
        portal.purge_task(id);
      }
    } else if (const auto list = portal.task_lists.find(id);
               list != portal.task_lists.end() && list->second.trashed) {
      if (!restore) {
        portal.task_lists.erase(list);
        continue;
      }
      list->second.trashed = false;
      portal.effects.push_back(
          {"tasklists", "create", id, list->second.project_id, portal.render(list->second)});
    }
  }
  return Answer::nothing(204);
}

Answer Service::route_settings(Portal &portal, const Request &request) {
  if (request.method != "GET") refuse_method();
  const std::string &what = request.segment(1);
  const std::string module = request.parameter("module");
  Answer answer;
  if (what == "modules") {
    answer.body = {{"modules",
                    {{{"id", "2063927000000019001"}, {"api_name", "projects"}},
                     {{"id", "2063927000000019004"}, {"api_name", "tasks"}},
                     {{"id", "2063927000000019007"}, {"api_name", "tasklists"}}}}};
    return answer;
  }
  if (module != "tasks" && module != "projects" && module != "tasklists")
    refuse_missing_field("module");
  Json statuses = Json::array();
  if (module != "tasklists") {
    for (const auto &status : module == "tasks" ? portal.task_statuses : portal.project_statuses)
      statuses.push_back(status.describe());
  }
  if (what == "layouts" && module == "tasks") {
    Json layouts = Json::array();
    for (Json layout : portal.task_layouts) {
      layout["module"] = module;
      layout["status_details"] = Json::array();
      for (const auto &status : portal.task_statuses) {
        if (status.layout_id == layout["id"]) layout["status_details"].push_back(status.describe());
      }
      layouts.push_back(std::move(layout));
    }
    answer.body = {{"layouts", std::move(layouts)}};
    return answer;
  }
  if (what == "layouts") {
    Json layout = {{"id", "2063927000000018110"},
                   {"name", "Standard Layout"},
                   {"is_default", true},
                   {"module", module},
                   {"status_details", statuses}};
    answer.body = {{"layouts", Json::array({layout})}};
    return answer;
  }
  if (what != "fields") refuse_url();
  Json fields = Json::array();
  const std::vector<std::pair<const char *, const char *>> standard =
      module == "tasks"
          ? std::vector<std::pair<const char *, const char *>>{{"name", "singleline"},
                                                               {"description", "multiline"},
                                                               {"priority", "picklist"},
                                                               {"start_date", "dateandtime"},
                                                               {"end_date", "dateandtime"},
                                                               {"completion_percentage", "Numeric"},
                                                               {"owners_and_work",
                                                                "multiuserpicklist"}}
          : std::vector<std::pair<const char *, const char *>>{{"name", "singleline"},
                                                               {"description", "multiline"},
                                                               {"start_date", "Date"},
                                                               {"end_date", "Date"},
                                                               {"owner", "userpicklist"}};
  for (const auto &[api_name, type] : standard)
    fields.push_back(field_description(api_name, type, false));
  Json status = field_description("status", "picklist", false);
  status["pick_list_values"] = statuses;
  fields.push_back(std::move(status));
  for (const auto &api_name :
       module == "tasks" ? portal.custom_task_fields : portal.custom_project_fields) {
    if (module != "tasklists") fields.push_back(field_description(api_name, "singleline", true));
  }
  answer.body = {{"fields", std::move(fields)}};
  return answer;
}

}  // namespace crm_bridge::sandbox::projects
