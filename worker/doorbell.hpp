// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "shared.hpp"

namespace crm_bridge::worker {

// Hears the database's doorbell for all loops of the process, so that a commit wakes one session of
// the server and the one loop that it concerns.
void run_doorbell(Shared &shared);

}  // namespace crm_bridge::worker
