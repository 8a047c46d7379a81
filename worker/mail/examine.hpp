// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <vector>

#include "services/service.hpp"

namespace crm_bridge::worker {

class Database;
struct Shared;

// For doctor: whether the mail server can be reached and takes each organization's login.  No mail
// is sent.
std::vector<Check> examine_mail(Shared &shared, Database &database);

}  // namespace crm_bridge::worker
