// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/place.hpp"

namespace crm_bridge::worker::zoho_projects {

std::string portal_path(const std::string &portal_id) { return "/api/v3/portal/" + portal_id; }

Place place_of(const Session &session, const Json &context) {
  Place place{scalar_text(context, "portal_id"), scalar_text(context, "project_id"),
              scalar_text(context, "task_id")};
  if (place.portal_id.empty()) place.portal_id = session.organization().portal_id;
  return place;
}

std::string project_path(const Place &place) {
  return portal_path(place.portal_id) + "/projects/" + place.project_id;
}

std::string collection(const std::string &module, const Place &place) {
  const std::string portal = portal_path(place.portal_id);
  if (module == "projects_client") return portal + "/clients";
  // Once they are there, a customer's people are users like others.
  if (module == "projects_user" || module == "projects_client_user") return portal + "/users";
  if (module == "projects_project") return portal + "/projects";
  if (module == "projects_task_list")
    return portal + "/projects/" + place.project_id + "/tasklists";
  const std::string tasks = portal + "/projects/" + place.project_id + "/tasks";
  return module == "projects_comment" ? tasks + "/" + place.task_id + "/comments" : tasks;
}

}  // namespace crm_bridge::worker::zoho_projects
