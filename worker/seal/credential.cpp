// SPDX-License-Identifier: PostgreSQL
#include "seal/credential.hpp"

namespace crm_bridge::worker {

std::string seal_secret(const Key &key, const SealedFor &owner, const Json &secret) {
  const Json text = {{"service", owner.service},
                     {"org_id", owner.org_id},
                     {"kind", owner.kind},
                     {"secret", secret}};
  return key.seal(to_text(text));
}

Json open_secret(const Key &key, const SealedFor &owner, std::string_view sealed) {
  Json text;
  try {
    text = parse_json(key.open(sealed));
  } catch (const MalformedJson &) {
    throw KeyError("the sealed secret is not one of ours");
  }
  const SealedFor found{scalar_text(text, "service"), text.value("org_id", std::int64_t{0}),
                        scalar_text(text, "kind")};
  if (found != owner) {
    throw KeyError("the sealed secret belongs to another organization, service or kind");
  }
  return text.value("secret", Json());
}

Credential parse_credential(const Json &secret, TokenGrant grant) {
  Credential credential{scalar_text(secret, "client_id"), scalar_text(secret, "client_secret"),
                        scalar_text(secret, "refresh_token"), scalar_text(secret, "tenant")};
  const auto third = grant == TokenGrant::zoho_refresh
                         ? std::pair{"refresh_token", &credential.refresh_token}
                         : std::pair{"tenant", &credential.tenant};
  for (const auto &[name, value] : {std::pair{"client_id", &credential.client_id},
                                    std::pair{"client_secret", &credential.client_secret}, third}) {
    if (value->empty()) throw KeyError(std::string("the secret has no \"") + name + "\"");
  }
  return credential;
}

}  // namespace crm_bridge::worker
