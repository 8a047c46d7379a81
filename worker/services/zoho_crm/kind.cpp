// SPDX-License-Identifier: PostgreSQL
#include "services/credits.hpp"
#include "services/kinds.hpp"
#include "services/zoho_crm/connector.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

std::unique_ptr<Service> make(const ServiceSettings &settings) {
  return std::make_unique<Connector>(settings);
}

Demand demand(const ApiCall &call) {
  Demand demand = credits_of(call);
  if (is_costly(call)) demand.places.emplace_back("heavy");
  return demand;
}

}  // namespace

extern const ServiceKind kind;
const ServiceKind kind{.name = "zoho_crm",
                       .make = make,
                       .demand = demand,
                       .window = std::chrono::hours{24},
                       .has_bridge_field = true};

}  // namespace crm_bridge::worker::zoho_crm
