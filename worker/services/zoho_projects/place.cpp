// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/place.hpp"

namespace crm_bridge::worker::zoho_projects {

std::string portal_path(const std::string &portal_id) { return "/api/v3/portal/" + portal_id; }

Place place_of(const Session &session, const Change &change) {
  Place place{scalar_text(change.context, "portal_id"), scalar_text(change.context, "project_id")};
  if (place.portal_id.empty()) place.portal_id = session.organization().portal_id;
  return place;
}

std::string collection(const std::string &module, const Place &place) {
  const std::string portal = portal_path(place.portal_id);
  if (module == "projects_client") return portal + "/clients";
  if (module == "projects_project") return portal + "/projects";
  if (module == "projects_task_list")
    return portal + "/projects/" + place.project_id + "/tasklists";
  return portal + "/projects/" + place.project_id + "/tasks";
}

}  // namespace crm_bridge::worker::zoho_projects
