// SPDX-License-Identifier: PostgreSQL
#include "services/credits.hpp"
#include "services/kinds.hpp"
#include "services/zoho_projects/connector.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

std::unique_ptr<Service> make(const ServiceSettings &settings) {
  return std::make_unique<Connector>(settings);
}

}  // namespace

extern const ServiceKind kind;
const ServiceKind kind{
    .name = "zoho_projects", .make = make, .demand = request_of, .goes_round = true};

}  // namespace crm_bridge::worker::zoho_projects
