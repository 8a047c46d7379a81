// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>

#include "services/service.hpp"
#include "services/zoho_projects/translation.hpp"

namespace crm_bridge::worker::zoho_projects {

// What became of a change.
Settled settle(const Change &change, Verdict verdict);
Delivered only(Settled settled);
// The answer of a write as far as it is needed: id and version.
void take_answer(const Session &session, const Change &change, const HttpResult &result,
                 const Place &place, Settled &settled);
// A call that rests on no document, and is not to be made yet.
Verdict switched_off(const char *what);

}  // namespace crm_bridge::worker::zoho_projects
