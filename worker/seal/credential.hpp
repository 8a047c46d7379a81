// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json.hpp"
#include "seal/key.hpp"

namespace crm_bridge::worker {

// What a sealed text says about itself, so that a row copied to another organization or service
// does not open there.
struct SealedFor {
  std::string service;
  std::int64_t org_id = 0;
  std::string kind;
  bool operator==(const SealedFor &) const = default;
};

// How a service gives access tokens.
enum class TokenGrant {
  zoho_refresh,        // a refresh token of a person
  client_credentials,  // the application's own right in a tenant (Microsoft)
};

// What asking for an access token needs.
struct Credential {
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;  // zoho_refresh
  std::string tenant{};       // client_credentials: the tenant's domain or id
  std::string stored_at{};    // tells it from the one that replaces it
};

std::string seal_secret(const Key &key, const SealedFor &owner, const Json &secret);
// Throws KeyError if the text does not open, or was sealed for somebody else.
Json open_secret(const Key &key, const SealedFor &owner, std::string_view sealed);

// Throws KeyError that names what is missing; the values never appear in it.
Credential parse_credential(const Json &secret, TokenGrant grant = TokenGrant::zoho_refresh);

}  // namespace crm_bridge::worker
