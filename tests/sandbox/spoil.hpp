// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"

#include <string>
#include <vector>

namespace crm_bridge::sandbox {

// The ways in which an answer can be spoilt after the work was done.
const std::vector<std::string> &ways_to_spoil();

// Makes of a service's answer what a broken service, or something between it and the client, would
// make of it.  The request's effect stays.
void spoil(Answer &answer, const std::string &how);

}  // namespace crm_bridge::sandbox
