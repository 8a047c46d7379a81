// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "services/zoho_crm/connector.hpp"

namespace crm_bridge::worker::bigin {

// Bigin v2 runs on the CRM's engine: the same envelopes, batches and codes under another path, with
// fewer ways of asking.
class Connector final : public zoho_crm::Connector {
 public:
  explicit Connector(const ServiceSettings &settings);
  std::vector<Capability> capabilities() const override;
};

}  // namespace crm_bridge::worker::bigin
