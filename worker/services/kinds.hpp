// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/oauth.hpp"
#include "services/service.hpp"

namespace crm_bridge::worker {

// What the worker has to know of a service before it speaks to it.  Each folder below services/
// defines one; kinds.cpp lists them.
struct ServiceKind {
  std::string_view name;
  std::unique_ptr<Service> (*make)(const ServiceSettings &settings);
  // What a call costs, in the terms by which the service counts.
  Demand (*demand)(const ApiCall &call);
  TokenGrant grant = TokenGrant::zoho_refresh;
  // The period that a configured number of requests is for, where the file does not say.
  std::chrono::milliseconds window{std::chrono::minutes{2}};
  bool has_bridge_field = false;  // takes the setting bridge_field
  bool goes_round = false;        // takes sweep_interval, webhook_path and webhook_token
};

// nullptr for a name that is no service.
const ServiceKind *find_kind(std::string_view name);
// "zoho_crm, zoho_projects, …"
std::string kind_names();

}  // namespace crm_bridge::worker
