// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "services/session.hpp"

namespace crm_bridge::worker {

// Zoho's credits of the whole organization (CRM, Bigin): one for ten records written, one for any
// other call.
Demand credits_of(const ApiCall &call);

// Whether a call is one of those of which the CRM takes only ten at once.
bool is_costly(const ApiCall &call);

// One request of the call's URL pattern.
Demand request_of(const ApiCall &call);

}  // namespace crm_bridge::worker
