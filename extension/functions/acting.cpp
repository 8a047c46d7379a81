// SPDX-License-Identifier: PostgreSQL
#include "functions/acting.hpp"

#include "functions/catalog.hpp"
#include "pg/datum.hpp"
#include "pg/spi.hpp"
#include "settings.hpp"

namespace crm_bridge::acting {

namespace {

// An own binding says what a role is; without one, those of the roles that it is a member of do.
constinit pg::Statement select_bindings{
    "SELECT b.kind, b.user_id, r.oid = $2"
    "  FROM crm_bridge.role_binding AS b JOIN pg_catalog.pg_roles AS r ON r.rolname = b.role"
    " WHERE b.org_id = $1 AND pg_catalog.pg_has_role($2, r.oid, 'MEMBER')",
    {INT8OID, OIDOID}};

constinit pg::Statement select_person{
    "SELECT COALESCE(u.email, u.full_name), COALESCE(u.status, 'active') = 'active', p.name, "
    "f.org_id IS NOT NULL,"
    "       f.tab_visible, f.can_view, f.can_create, f.can_edit, f.can_delete,"
    "       EXISTS (SELECT 1 FROM pg_catalog.jsonb_array_elements_text(COALESCE("
    "                (SELECT s.value FROM crm_bridge.setting AS s"
    "                  WHERE s.org_id = u.org_id AND s.name = 'administrator_profiles'), "
    "'[\"Administrator\"]')) AS a (name)"
    "                WHERE pg_catalog.lower(a.name) = pg_catalog.lower(p.name)),"
    "       EXISTS (SELECT 1 FROM crm_bridge.integration AS i"
    "                 LEFT JOIN crm_bridge.projects_portal AS o ON o.org_id = i.org_id AND o.id = "
    "i.portal_id"
    "                 LEFT JOIN crm_bridge.projects_user AS m"
    "                   ON m.org_id = i.org_id AND m.portal_id = i.portal_id"
    "                  AND pg_catalog.lower(m.email) = pg_catalog.lower(u.email) AND m.is_active "
    "IS NOT FALSE"
    "                WHERE i.org_id = u.org_id AND i.service = 'zoho_projects' AND i.state IN "
    "('active', 'stopped')"
    "                  AND (pg_catalog.lower(o.owner_email) = pg_catalog.lower(u.email)"
    "                       OR pg_catalog.lower(COALESCE(m.profile, m.role)) IN ('portal owner', "
    "'administrator', 'admin')))"
    "  FROM crm_bridge.crm_user AS u"
    "  LEFT JOIN crm_bridge.crm_profile AS p ON p.org_id = u.org_id AND p.id = u.profile_id"
    "  LEFT JOIN crm_bridge.profile_permission AS f ON f.org_id = u.org_id AND f.profile_id = "
    "u.profile_id"
    " WHERE u.org_id = $1 AND u.id = $2",
    {INT8OID, UUIDOID}};

constinit pg::Statement select_person_demanded{
    "SELECT 1 FROM crm_bridge.setting AS s"
    " WHERE s.org_id = $1 AND s.name = 'require_acting_user' AND s.value = 'true'",
    {INT8OID}};

constinit pg::Statement select_organizations{
    "SELECT o.org_id FROM crm_bridge.organization AS o ORDER BY 1", {}};

constinit pg::Statement select_organizations_of_role{
    "SELECT b.org_id FROM crm_bridge.role_binding AS b JOIN pg_catalog.pg_roles AS r ON r.rolname "
    "= b.role"
    " WHERE pg_catalog.pg_has_role($1, r.oid, 'MEMBER') GROUP BY 1 ORDER BY 1",
    {OIDOID}};

struct Known {
  std::int64_t org_id;
  Actor actor;
};

// All that is known of one role in one state of the settings.
struct Identity {
  Oid role = InvalidOid;
  std::uint64_t settings = 0;
  std::optional<std::vector<std::int64_t>> organizations;
  std::vector<std::unique_ptr<Known>> actors;
};

// Set by the invalidation callbacks, which may come at any time.
constinit bool stale = true;
constinit bool registered = false;
constinit Oid configuration_marker = InvalidOid;
constinit Oid people_marker = InvalidOid;
constinit bool provisional = false;    // something was read with the snapshot of parallel mode
constinit std::uint64_t asked_at = 0;  // the statement that accepted invalidations last

void on_relation(Datum, Oid relation) {
  if (relation == InvalidOid || relation == configuration_marker || relation == people_marker)
    stale = true;
}

void on_role(Datum, int, uint32) { stale = true; }

Oid table(const char *name) {
  return pg::call([&] { return get_relname_relid(name, get_namespace_oid("crm_bridge", false)); });
}

Identity &identity() {
  static Identity *const instance = new Identity;
  // A statement that has its plan and its locks already would not hear of a right that was taken
  // away while its transaction was open.
  auto const statement = static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp());
  if (asked_at != statement && !IsInParallelMode()) {
    pg::call([] { AcceptInvalidationMessages(); });
    asked_at = statement;
  }
  if (provisional && !IsInParallelMode()) stale = true;
  if (!registered) {
    pg::call([] {
      CacheRegisterRelcacheCallback(on_relation, static_cast<Datum>(0));
      CacheRegisterSyscacheCallback(AUTHOID, on_role, static_cast<Datum>(0));
      CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, on_role, static_cast<Datum>(0));
    });
    registered = true;
  }
  Oid const role = GetOuterUserId();
  if (stale || instance->role != role || instance->settings != settings::identity_changes) {
    bool const forgotten = stale;
    stale = false;
    provisional = false;
    *instance = Identity{role, settings::identity_changes, std::nullopt, {}};
    if (forgotten) {
      configuration_marker = table("installation");
      people_marker = table("profile_permission");
    }
  }
  return *instance;
}

core::Flags flags_of(const pg::Row &row, bool administers) {
  // A profile without a row: its members may do nothing, administrators everything.
  if (!row.boolean(3)) return administers ? core::Flags::all() : core::Flags{};
  using enum core::Action;
  core::Flags flags;
  int column = 4;
  for (core::Action const action : {see_tab, view, create, edit, erase})
    flags.set(action, row.boolean(column++));
  return flags;
}

// What role_binding says of the role: its kind, and the person that it stands for.
void read_bindings(Actor &actor, std::int64_t org_id, Oid role) {
  pg::Rows const rows =
      select_bindings.read_latest({pg::argument(org_id), pg::argument(ObjectIdGetDatum(role))});
  bool own = false;
  for (std::uint64_t i = 0; i < rows.size(); ++i) own = own || rows[i].boolean(2);
  bool several = false;
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    if (own && !rows[i].boolean(2)) continue;
    actor.holder.kind = std::max(actor.holder.kind, core::parse_role_kind(rows[i].string(0)));
    std::optional<core::Uuid> const user = rows[i].optional_uuid(1);
    if (!user.has_value()) continue;
    several = several || (actor.person.has_value() && actor.person != user);
    actor.person = user;
  }
  // Whoever is a member of two persons is neither.
  if (several) actor.person = core::Uuid{};
}

void read_person(Actor &actor, std::int64_t org_id) {
  actor.holder.is_person = true;
  if (actor.person != core::Uuid{}) actor.name = core::to_text(*actor.person);
  pg::Rows const rows =
      select_person.read_latest({pg::argument(org_id), pg::argument(*actor.person)});
  if (rows.empty()) return;
  actor.name = rows[0].optional_string(0).value_or(actor.name);
  actor.holder.is_active = rows[0].boolean(1);
  actor.profile = rows[0].string(2);
  actor.holder.administers_crm = rows[0].boolean(9);
  actor.holder.administers_portal = rows[0].boolean(10);
  actor.holder.flags = flags_of(rows[0], actor.holder.administers_crm);
}

Actor look_up(std::int64_t org_id, Oid role) {
  Actor actor;
  actor.name = pg::call([&] { return GetUserNameFromId(role, false); });
  pg::AsOwner owner;
  pg::SpiSession spi;
  // A superuser is a member of every role, and none of them.
  if (superuser_arg(role))
    actor.holder.kind = core::RoleKind::administrator;
  else
    read_bindings(actor, org_id, role);
  if (!actor.person.has_value() && settings::acting_user.org_id == org_id)
    actor.person = settings::acting_user.id;
  if (actor.person.has_value()) read_person(actor, org_id);
  actor.holder.person_demanded =
      !select_person_demanded.read_latest({pg::argument(org_id)}).empty();
  return actor;
}

std::vector<std::int64_t> look_up_organizations(Oid role) {
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const rows =
      superuser_arg(role)
          ? select_organizations.read_latest({})
          : select_organizations_of_role.read_latest({pg::argument(ObjectIdGetDatum(role))});
  std::vector<std::int64_t> ids;
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    std::int64_t const org_id = rows[i].bigint(0);
    bool const others = settings::acting_user.org_id != 0 && settings::acting_user.org_id != org_id;
    if (!others) ids.push_back(org_id);
  }
  return ids;
}

const char *verb_of(core::Action action) {
  switch (action) {
    case core::Action::see_tab:
      return "see";
    case core::Action::view:
      return "view";
    case core::Action::create:
      return "create";
    case core::Action::edit:
      return "edit";
    case core::Action::erase:
      return "delete";
  }
  return "view";
}

}  // namespace

const Actor &in(std::int64_t org_id) {
  Identity &known = identity();
  for (const auto &entry : known.actors)
    if (entry->org_id == org_id) return entry->actor;
  Oid const role = known.role;
  auto made = std::make_unique<Known>(org_id, look_up(org_id, role));
  // In parallel mode the look-up had the leader's snapshot, which may be an old one.
  provisional = provisional || IsInParallelMode();
  known.actors.push_back(std::move(made));
  return known.actors.back()->actor;
}

const std::vector<std::int64_t> &organizations() {
  Identity &known = identity();
  if (!known.organizations.has_value()) {
    std::vector<std::int64_t> found = look_up_organizations(known.role);
    known.organizations = std::move(found);
  }
  return *known.organizations;
}

std::optional<std::int64_t> organization() {
  const std::vector<std::int64_t> &allowed = organizations();
  if (settings::organization != 0) {
    bool const may =
        std::find(allowed.begin(), allowed.end(), settings::organization) != allowed.end();
    return may ? std::optional<std::int64_t>{settings::organization} : std::nullopt;
  }
  return allowed.size() == 1 ? std::optional<std::int64_t>{allowed.front()} : std::nullopt;
}

std::optional<std::int64_t> visible_organization() {
  // Row security asks this for every row of a scan: the last answer holds while nothing moved.
  struct Answer {
    std::uint64_t statement = 0, settings = 0;
    Oid role = InvalidOid;
    std::optional<std::int64_t> org_id;
  };
  static Answer last;
  auto const statement = static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp());
  if (!stale && last.statement == statement && last.settings == settings::identity_changes &&
      last.role == GetOuterUserId())
    return last.org_id;
  std::optional<std::int64_t> org_id = organization();
  if (org_id.has_value()) {
    const core::Holder &holder = in(*org_id).holder;
    if (core::judge(holder, core::Action::see_tab) != core::Verdict::allowed ||
        core::judge(holder, core::Action::view) != core::Verdict::allowed)
      org_id.reset();
  }
  last = {statement, settings::identity_changes, GetOuterUserId(), org_id};
  return org_id;
}

bool is_owner(Whose whose) {
  Oid const role = whose == Whose::calling ? GetOuterUserId() : GetUserId();
  return pg::call([&] {
    return pg_class_ownercheck(
        get_relname_relid("installation", get_namespace_oid("crm_bridge", false)), role);
  });
}

void refuse(const Actor &actor, std::int64_t org_id, core::Verdict verdict, core::Action action,
            const std::string &what) {
  std::string const quoted = "\"" + actor.name + "\"";
  core::Fault fault{.sqlstate = "42501",
                    .message = quoted + " may not " + verb_of(action) + " " + what};
  switch (verdict) {
    case core::Verdict::allowed:
    case core::Verdict::flag_missing:
      fault.detail = actor.profile.empty() ? "The user has no profile."
                                           : "Profile \"" + actor.profile + "\" lacks the flag " +
                                                 core::flag_of(action) + ".";
      fault.hint = "An administrator sets it with crm_bridge.set_profile_permission().";
      break;
    case core::Verdict::inactive:
      fault.detail = "No active user of organization " + std::to_string(org_id) + " is known as " +
                     quoted + ".";
      fault.hint =
          "Users come from the CRM; a role is bound to one of them with "
          "crm_bridge.grant_app() and its like.";
      break;
    case core::Verdict::nobody_acts:
      fault.detail = "Setting require_acting_user of organization " + std::to_string(org_id) +
                     " demands that an app says for whom it acts.";
      fault.hint = "Call crm_bridge.act_as() in the transaction.";
      break;
    case core::Verdict::reads_only:
      fault.detail =
          "The role is bound to organization " + std::to_string(org_id) + " as analyst, to read.";
      fault.hint =
          "An administrator of the database makes an app of it with "
          "crm_bridge.grant_app().";
      break;
  }
  throw core::Error{std::move(fault)};
}

void demand_administrator(std::int64_t org_id) {
  if (is_owner(Whose::calling)) return;
  const Actor &actor = in(org_id);
  if (core::administers(actor.holder)) return;
  bool const role_is = actor.holder.kind == core::RoleKind::administrator;
  core::Fault fault{.sqlstate = "42501",
                    .message = "\"" + actor.name + "\" is not an administrator of organization " +
                               std::to_string(org_id)};
  if (!role_is) {
    fault.detail = "The role is not bound to the organization as administrator.";
    fault.hint = "The owner of the database binds roles with crm_bridge.grant_administrator().";
  } else if (!actor.holder.is_active) {
    fault.detail = "No active user of the organization is known by that name.";
  } else {
    fault.detail = "The user's profile is \"" + actor.profile + "\".";
    fault.hint = "Which profiles are administrators' says the setting administrator_profiles.";
  }
  throw core::Error{std::move(fault)};
}

void people_changed() {
  pg::call([] {
    CacheInvalidateRelcacheByRelid(
        get_relname_relid("profile_permission", get_namespace_oid("crm_bridge", false)));
  });
}

}  // namespace crm_bridge::acting
