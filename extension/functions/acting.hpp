// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "core/permission.hpp"
#include "pg/postgres.hpp"

// Who stands behind the session: the role that is asking (outside of any SECURITY DEFINER function)
// and the person that it acts for.  Cached in the backend; what another session changes counts from
// the next statement on, at every isolation level.
namespace crm_bridge::acting {

struct Actor {
  core::Holder holder;
  std::optional<core::Uuid> person;  // a crm_user
  std::string name;                  // the person's e-mail; without a person the role's name
  std::string profile;
};

// The calling role in this organization.  The reference holds until the next call.
const Actor &in(std::int64_t org_id);

// The organizations that the calling role may work for; while it acts for somebody, that person's
// only.
const std::vector<std::int64_t> &organizations();

// What current_org() gives; nullopt where it is not settled.
std::optional<std::int64_t> organization();

// The same for the data of Projects: nullopt also for whoever may not see it (tab and View, R31).
std::optional<std::int64_t> visible_organization();

// Superusers, and whoever has the owner's rights on the extension's tables, pass every check, as
// they do with the server's own row security.  `current` asks of the role whose privileges count at
// the moment, which inside a SECURITY DEFINER function is the function's owner.
enum class Whose { calling, current };
bool is_owner(Whose whose);

// Throw core::Error 42501, saying what is missing and who can give it.
[[noreturn]] void refuse(const Actor &actor, std::int64_t org_id, core::Verdict verdict,
                         core::Action action, const std::string &what);
void demand_administrator(std::int64_t org_id);

// Makes all backends ask anew who the persons are; the configuration's own changes do so anyway.
void people_changed();

}  // namespace crm_bridge::acting
