// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>

#include "services/session.hpp"
#include "services/zoho_projects/translation.hpp"

namespace crm_bridge::worker::zoho_projects {

// "/api/v3/portal/{portal}".
std::string portal_path(const std::string &portal_id);
// ".../projects/{project}".
std::string project_path(const Place &place);
// Where a record lives, by the context of its change or notice: the portal it names, else the
// chosen one.
Place place_of(const Session &session, const Json &context);
// Where records of a module are listed and made.
std::string collection(const std::string &module, const Place &place);

}  // namespace crm_bridge::worker::zoho_projects
