// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "configuration.hpp"
#include "seal/key.hpp"

namespace crm_bridge::worker {

// Where a service's webhooks for one organization arrive and how they prove themselves.  All of it
// derives from the worker's key, so that any worker with that key answers for all, and none keeps
// state.
struct WebhookAddress {
  std::string path;  // /hooks/SERVICE/ORGANIZATION/SECRET
  std::string token;
  std::string channel_id;  // digits
};
WebhookAddress webhook_address(const Key &key, const ServiceSettings &settings,
                               std::int64_t org_id);

// The parts of a path of that form; the secret is not checked yet.
struct WebhookPath {
  std::string service;
  std::int64_t org_id = 0;
};
std::optional<WebhookPath> parse_webhook_path(std::string_view path);

}  // namespace crm_bridge::worker
