// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <optional>

#include "json.hpp"
#include "mail/smtp.hpp"

namespace crm_bridge::worker {

class Database;
class Key;

// {"user": "…", "password": "…"}.  Throws KeyError that names what is missing; the values never
// appear in it.
SmtpLogin parse_login(const Json &secret);

// The organization's login at the mail server, if one was sealed.  Throws KeyError.
std::optional<SmtpLogin> load_login(Database &database, const Key &key, std::int64_t org_id);

}  // namespace crm_bridge::worker
