// SPDX-License-Identifier: PostgreSQL
#include "service.hpp"

namespace crm_bridge::sandbox::control {
namespace {

Answer good(Json body = {{"ok", true}}) {
  Answer answer;
  answer.body = std::move(body);
  return answer;
}

Answer bad(const std::string &reason, int status = 400) {
  Answer answer;
  answer.status = status;
  answer.body = {{"error", reason}};
  return answer;
}

}  // namespace

Answer Service::handle(const Call &call) {
  if (call.segment(0) != "control") return bad("no such path", 404);
  Json body;
  if (!call.body.empty()) {
    body = Json::parse(call.body, nullptr, false);
    if (body.is_discarded()) return bad("the body is not JSON");
  }
  const std::string &what = call.segment(1);
  const std::string route = call.method + " " + what;
  if (route == "GET health") return good({{"ok", true}, {"time", iso_utc(clock_.milliseconds())}});
  if (route == "GET requests") return requests(call);
  if (route == "GET counters") return good(log_.counters());
  if (what == "faults") return faults(call, body);
  if (what == "crm") return crm(crm_, call, body);
  if (what == "bigin") return crm(bigin_, call, body);
  if (what == "office-users") return graph_.edit(call.method, call.segment(2), body);
  if (what == "projects") return projects(call, body);
  if (route == "POST webhooks") {
    const auto error = webhooks_.configure(body);
    return error ? bad(*error) : good();
  }
  if (route == "POST projects-webhook") {
    const bool known = projects_.set_webhook(text_of(body, "portal"), text_of(body, "url"),
                                             text_of(body, "token"), body.value("values", false));
    return known ? good() : bad("no such portal", 404);
  }
  if (route == "POST tokens" && call.segment(2) == "expire") {
    accounts_.expire_all();
    graph_.expire_all();
    return good();
  }
  if (route == "POST consents") {
    accounts_.consent(text_of(body, "refresh_token"), text_of(body, "email"));
    return good();
  }
  if (route == "DELETE consents") {
    accounts_.end_consent(text_of(body, "refresh_token"));
    return good();
  }
  if (route == "POST portals") {
    const bool made = projects_.add_portal(text_of(body, "id"), text_of(body, "name"),
                                           text_of(body, "first_name"), text_of(body, "last_name"));
    return made ? good() : bad("id, name and first_name are needed, and the id must be new");
  }
  if (route == "POST clock") {
    if (!body.is_object() || !body.contains("advance_seconds") ||
        !body["advance_seconds"].is_number_integer()) {
      return bad("expected {\"advance_seconds\": N}");
    }
    clock_.advance(body["advance_seconds"].get<std::int64_t>());
    return good({{"time", iso_utc(clock_.milliseconds())}});
  }
  if (route == "POST import" && call.segment(2) == "crm-sales") {
    Json counts = import_crm_sales(text_of(body, "directory"), crm_);
    return counts.contains("error") ? bad(counts["error"]) : good(std::move(counts));
  }
  if (route == "POST crm-users") {
    return good({{"id", crm_.add_user(text_of(body, "first_name"), text_of(body, "last_name"),
                                      text_of(body, "email"))}});
  }
  if (route == "POST bigin-users") {
    return good({{"id", bigin_.add_user(text_of(body, "first_name"), text_of(body, "last_name"),
                                        text_of(body, "email"))}});
  }
  if (route == "POST crm-merge") {
    std::vector<std::string> taken;
    if (const Json names = body.value("take", Json()); names.is_array()) {
      for (const auto &name : names)
        if (name.is_string()) taken.push_back(name.get<std::string>());
    }
    const Json result = crm_.person_merge(call.segment(2), text_of(body, "master"),
                                          text_of(body, "loser"), taken, person(call));
    Answer answer = good(result);
    if (result.value("status", "") == "error") answer.status = 400;
    return answer;
  }
  if (route == "POST crm-fields" || route == "POST bigin-fields") {
    return (what == "crm-fields" ? crm_ : bigin_).add_field(call.segment(2), body)
               ? good()
               : bad("no such module, or the field exists already");
  }
  return bad("no such path", 404);
}

Answer Service::requests(const Call &call) {
  std::uint64_t since = 0;
  std::size_t limit = 20'000;
  try {
    if (call.has("since")) since = std::stoull(call.parameter("since"));
    if (call.has("limit")) limit = std::stoull(call.parameter("limit"));
  } catch (const std::exception &) {
    return bad("since and limit are numbers");
  }
  return good(log_.since(since, call.parameter("service"), limit));
}

Answer Service::faults(const Call &call, const Json &body) {
  if (call.method == "GET") return good(faults_.list());
  if (call.method == "DELETE") {
    faults_.clear();
    return good();
  }
  if (call.method != "POST") return bad("GET, POST or DELETE", 405);
  // One fault, or several in order.
  for (const auto &fault : body.is_array() ? body : Json::array({body})) {
    if (const auto error = faults_.add(fault)) return bad(*error);
  }
  return good();
}

Answer Service::crm(crm::Service &crm, const Call &call, const Json &body) {
  const std::string &module = call.segment(2);
  const std::string &id = call.segment(3);
  Json result;
  if (call.method == "GET") {
    result = crm.person_read(module, id);
    if (result.is_null()) return bad("no such module or record", 404);
    return good(std::move(result));
  }
  if (call.method == "POST") {
    result = crm.person_create(module, body, person(call));
  } else if (call.method == "PATCH") {
    result = crm.person_update(module, id, body, person(call));
  } else if (call.method == "DELETE") {
    result = crm.person_delete(module, id, call.parameter("permanent") == "true", person(call));
  } else {
    return bad("GET, POST, PATCH or DELETE", 405);
  }
  Answer answer = good(std::move(result));
  if (answer.body["status"] == "error") answer.status = 400;
  return answer;
}

Answer Service::projects(const Call &call, const Json &body) {
  std::vector<std::string> resource;
  if (call.path.size() > 3) resource.assign(call.path.begin() + 3, call.path.end());
  if (resource.empty()) return bad("expected a resource below the portal", 404);
  // A task or a list is made in a project, which the body names.
  if (call.method == "POST" && resource.size() == 1 &&
      (resource[0] == "tasks" || resource[0] == "tasklists")) {
    std::string project = text_of(body, "project_id");
    if (project.empty() && body.is_object() && body.contains("project"))
      project = text_of(body["project"], "id");
    resource.insert(resource.begin(), {"projects", project});
  }
  Answer answer = projects_.person_edit(call.segment(2), call.method, resource, body, person(call));
  if (call.method == "GET" && resource.size() % 2 == 1) {  // a list, however the service wraps it
    if (answer.status == 204) {
      answer.status = 200;
      answer.body = Json::array();
    } else if (answer.body.is_object() && answer.body.contains(resource.back())) {
      answer.body = Json(answer.body[resource.back()]);
    }
  } else if (answer.status == 204) {
    answer = good();
  }
  if (answer.content_type.empty()) answer.content_type = "application/json;charset=UTF-8";
  return answer;
}

}  // namespace crm_bridge::sandbox::control
