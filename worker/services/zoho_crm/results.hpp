// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <vector>

#include "http/result.hpp"
#include "protocol.hpp"

namespace crm_bridge::worker::zoho_crm {

// What one element of a write's answer means.  Pure.
Verdict judge_element(const Json &element, Operation operation);

// A create that met its own earlier self: the id of the record that already carries our id, ""
// otherwise.
std::string created_before(const Json &element, const std::string &bridge_field);

// One answer for each change, in their order.  Elements are matched by position, and by id where
// both sides know one; where they do not fit, or the answer is unreadable, the change is in doubt.
// `duplicates` (same length) gets the ids of created_before.
std::vector<Settled> read_results(const std::vector<Change> &changes, const HttpResult &result,
                                  const std::string &bridge_field,
                                  std::vector<std::string> &duplicates);

// A change that was not attempted, or failed as a whole.
Settled settle(const Change &change, Verdict verdict);

}  // namespace crm_bridge::worker::zoho_crm
