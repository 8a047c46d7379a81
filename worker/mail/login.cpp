// SPDX-License-Identifier: PostgreSQL
#include "mail/login.hpp"

#include "database.hpp"
#include "seal/credential.hpp"

namespace crm_bridge::worker {

SmtpLogin parse_login(const Json &secret) {
  SmtpLogin login{scalar_text(secret, "user"), scalar_text(secret, "password")};
  if (login.user.empty()) throw KeyError("the secret has no \"user\"");
  if (login.password.empty()) throw KeyError("the secret has no \"password\"");
  return login;
}

std::optional<SmtpLogin> load_login(Database &database, const Key &key, std::int64_t org_id) {
  const auto sealed = database.sealed_credential("smtp", org_id);
  if (!sealed) return std::nullopt;
  if (sealed->key_id != key.id()) {
    throw KeyError("the login is sealed for another key (" + sealed->key_id + ", ours is " +
                   key.id() + ")");
  }
  return parse_login(open_secret(key, {"smtp", org_id, sealed->kind}, sealed->sealed));
}

}  // namespace crm_bridge::worker
