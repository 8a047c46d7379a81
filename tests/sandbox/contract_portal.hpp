// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "contract_fixture.hpp"

namespace crm_bridge::sandbox {

inline const std::string portal = "/api/v3/portal/20639270";
inline const std::string open_status = "2063927000000016068";
inline const std::string closed_status = "2063927000000016077";
inline const std::string alicia = "2063927000000060006";

// A portal with a project that has a task list.
struct Portal : Contract {
  explicit Portal(Options options = {}) : Contract{options} {
    project =
        post(projects, portal + "/projects",
             {{"name", "Zylker routers"}, {"start_date", "2026-03-01"}, {"end_date", "2026-03-31"}})
            .body["id"];
    tasks = portal + "/projects/" + project + "/tasks";
    list = post(projects, portal + "/projects/" + project + "/tasklists", {{"name", "General"}})
               .body["id"];
  }
  std::string task(Json fields) {
    fields["tasklist"] = {{"id", list}};
    const Reply reply = post(projects, tasks, fields);
    if (reply.status != 201) throw std::runtime_error{"task refused: " + reply.body.dump()};
    return reply.body["id"];
  }
  Json read_task(const std::string &id) { return get(projects, tasks + "/" + id).body; }
  Json read_project() { return get(projects, portal + "/projects/" + project).body; }
  Reply set_status(const std::string &id, const std::string &status) {
    return patch(projects, tasks + "/" + id, {{"status", {{"id", status}}}});
  }

  std::string project;
  std::string tasks;
  std::string list;
};

}  // namespace crm_bridge::sandbox
