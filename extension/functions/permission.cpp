// SPDX-License-Identifier: PostgreSQL
//
// Who acts, and what he may: the functions that SQL calls (R30-R36, D8, D16, B13).
#include "functions/acting.hpp"
#include "functions/arguments.hpp"
#include "functions/catalog.hpp"
#include "pg/datum.hpp"
#include "pg/spi.hpp"
#include "pg/trigger_call.hpp"
#include "settings.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_user_by_id{
    "SELECT u.id, COALESCE(u.status, 'active') FROM crm_bridge.crm_user AS u"
    " WHERE u.org_id = $1 AND u.id = $2",
    {INT8OID, UUIDOID}};
constinit pg::Statement select_users_by_email{
    "SELECT u.id, COALESCE(u.status, 'active') FROM crm_bridge.crm_user AS u"
    " WHERE u.org_id = $1 AND pg_catalog.lower(u.email) = pg_catalog.lower($2)"
    " ORDER BY COALESCE(u.status, 'active') <> 'active', u.id",
    {INT8OID, TEXTOID}};

bool is_projects(std::string_view name) { return name.starts_with("projects_"); }

// An active user of the organization, by id or e-mail address.
core::Uuid find_user(const std::string &user, std::int64_t org_id) {
  auto const id = core::parse_uuid(user);
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const rows =
      id.has_value() ? select_user_by_id.execute({pg::argument(org_id), pg::argument(*id)})
                     : select_users_by_email.execute({pg::argument(org_id), pg::argument(user)});
  if (rows.empty())
    throw core::Error{
        {.sqlstate = "42704",
         .message = "user \"" + user + "\" does not exist",
         .hint = "Give the id or the e-mail address of a row of crm_bridge.crm_user."}};
  if (rows[0].string(1) != "active")
    throw core::Error{{.sqlstate = "55000",
                       .message = "user \"" + user + "\" is not active",
                       .detail = "The CRM says that the user is " + rows[0].string(1) + "."}};
  if (rows.size() > 1 && rows[1].string(1) == "active")
    throw core::Error{{.sqlstate = "21000",
                       .message = "several users have the address \"" + user + "\"",
                       .hint = "Give the user's id."}};
  return rows[0].uuid(0);
}

void demand_may_act(const acting::Actor &actor, const core::Uuid &user, std::int64_t org_id) {
  // In a role that is bound to a person the actor's own person is not the one that act_as set.
  auto const set = settings::acting_user;
  bool const set_by_act_as = set.org_id == org_id && actor.person == set.id;
  if (actor.person.has_value() && !set_by_act_as && *actor.person != user)
    throw core::Error{{.sqlstate = "42501",
                       .message = "the role cannot act for another user",
                       .detail = "It stands for \"" + actor.name + "\" alone."}};
  if (actor.holder.kind < core::RoleKind::app)
    throw core::Error{
        {.sqlstate = "42501",
         .message = "the role may not act for users of organization " + std::to_string(org_id),
         .detail = "Only an app or an administrator may, by role_binding.",
         .hint = "The owner of the database binds roles with crm_bridge.grant_app()."}};
}

// For whom the rest of the transaction acts; arguments: user, org_id.
Datum act_as(FunctionCallInfo fcinfo) {
  demand_arguments(fcinfo, {{0, "user"}});
  std::int64_t const org_id = organization_argument(fcinfo, 1);
  std::string const user = pg::text_of(PG_GETARG_DATUM(0));
  // Before anything is looked up: what a stranger learns must not depend on whom he names.
  const acting::Actor &asking = acting::in(org_id);
  if (asking.holder.kind < core::RoleKind::app) demand_may_act(asking, core::Uuid{}, org_id);
  if (!IsTransactionBlock())
    throw core::Error{{.sqlstate = "25P01",
                       .message = "act_as() can only be used in a transaction block",
                       .detail = "Whom one acts for ends with the transaction.",
                       .hint = "BEGIN; SELECT crm_bridge.act_as(…); …; COMMIT;"}};
  core::Uuid const found = find_user(user, org_id);
  demand_may_act(acting::in(org_id), found, org_id);
  settings::act_as({org_id, found});
  return pg::argument(found).value;
}

Datum acting_user(FunctionCallInfo fcinfo) {
  std::optional<std::int64_t> const org_id = acting::organization();
  std::optional<core::Uuid> person;
  if (org_id.has_value())
    person = acting::in(*org_id).person;
  else if (settings::acting_user.org_id != 0)
    person = settings::acting_user.id;
  fcinfo->isnull = !person.has_value();
  return person.has_value() ? pg::argument(*person).value : static_cast<Datum>(0);
}

// The organization of the person who is acting, NULL where nobody is.
Datum acting_organization(FunctionCallInfo fcinfo) {
  fcinfo->isnull = settings::acting_user.org_id == 0;
  return Int64GetDatum(settings::acting_user.org_id);
}

// Row security of the mirrors of Projects compares a row's organization with this.
Datum visible_org(FunctionCallInfo fcinfo) {
  std::optional<std::int64_t> const org_id = acting::visible_organization();
  fcinfo->isnull = !org_id.has_value();
  return Int64GetDatum(org_id.value_or(0));
}

// Whether rows that speak of this module or pairing may be seen: what Projects holds is also in
// history, conflicts, shadows, deliveries and links.
Datum may_see(FunctionCallInfo fcinfo) {
  if (acting::visible_organization().has_value()) return BoolGetDatum(true);
  std::optional<std::int64_t> const org_id = acting::organization();
  // Several organizations and none chosen: only who may see all of them.
  if (!org_id.has_value()) return BoolGetDatum(acting::is_owner(acting::Whose::calling));
  std::string const subject = pg::text_of(PG_GETARG_DATUM(0));
  if (is_projects(subject)) return BoolGetDatum(false);
  auto const organization = catalog::organization(*org_id);
  for (const Pairing &pairing : organization->pairings)
    if (pairing.name == subject)
      return BoolGetDatum(!is_projects(pairing.left_module) && !is_projects(pairing.right_module));
  // A module of another service; a pairing that is switched off is not known to be one.
  return BoolGetDatum(subject.starts_with("crm_") || subject.starts_with("bigin_") ||
                      subject.starts_with("office_"));
}

// R144: the organization whose CRM details the person may see beside the projects, NULL where none.
Datum crm_details_org(FunctionCallInfo fcinfo) {
  std::optional<std::int64_t> const org_id = acting::organization();
  bool visible = false;
  if (org_id.has_value()) {
    const core::Holder &holder = acting::in(*org_id).holder;
    visible = holder.is_person ? holder.is_active && holder.administers_portal
                               : acting::is_owner(acting::Whose::calling);
  }
  fcinfo->isnull = !visible;
  return Int64GetDatum(org_id.value_or(0));
}

// For functions that write for a person with their owner's rights; arguments: action, org_id.
Datum demand_permission(FunctionCallInfo fcinfo) {
  std::string const word = pg::text_of(PG_GETARG_DATUM(0));
  std::int64_t const org_id = PG_GETARG_INT64(1);
  auto const action = core::parse_action(word);
  if (!action.has_value())
    throw core::Error{{.sqlstate = "22023",
                       .message = "action \"" + word + "\" is not known",
                       .hint = "Actions are tab, view, create, edit and delete."}};
  const acting::Actor &actor = acting::in(org_id);
  core::Verdict const verdict = core::judge(actor.holder, *action);
  if (verdict != core::Verdict::allowed && !acting::is_owner(acting::Whose::calling))
    acting::refuse(actor, org_id, verdict, *action, "records of Projects");
  return static_cast<Datum>(0);
}

Datum demand_administrator(FunctionCallInfo fcinfo) {
  acting::demand_administrator(PG_GETARG_INT64(0));
  return static_cast<Datum>(0);
}

// BEFORE each row of a table that administrators write directly.
Datum administrators_only(FunctionCallInfo fcinfo) {
  pg::TriggerCall const trigger{fcinfo, pg::TriggerCall::When::before_row, 0};
  HeapTuple tuple =
      trigger.is_update() ? trigger.data()->tg_newtuple : trigger.data()->tg_trigtuple;
  if (acting::is_owner(acting::Whose::current)) return PointerGetDatum(tuple);
  bool missing = false;
  Datum const org_id = pg::call([&] {
    TupleDesc const descriptor = RelationGetDescr(trigger.relation());
    return heap_getattr(trigger.data()->tg_trigtuple,
                        static_cast<int>(SPI_fnumber(descriptor, "org_id")), descriptor, &missing);
  });
  if (!missing) acting::demand_administrator(DatumGetInt64(org_id));
  return PointerGetDatum(tuple);
}

Datum people_changed(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_TRIGGER(fcinfo))
    throw core::Error{
        {.sqlstate = "39P01", .message = "this function can only be called as a trigger"}};
  acting::people_changed();
  return PointerGetDatum(nullptr);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_act_as, act_as);
CRM_BRIDGE_FUNCTION(crm_bridge_acting_user, acting_user);
CRM_BRIDGE_FUNCTION(crm_bridge_acting_organization, acting_organization);
CRM_BRIDGE_FUNCTION(crm_bridge_visible_org, visible_org);
CRM_BRIDGE_FUNCTION(crm_bridge_may_see, may_see);
CRM_BRIDGE_FUNCTION(crm_bridge_crm_details_org, crm_details_org);
CRM_BRIDGE_FUNCTION(crm_bridge_demand_permission, demand_permission);
CRM_BRIDGE_FUNCTION(crm_bridge_demand_administrator, demand_administrator);
CRM_BRIDGE_FUNCTION(crm_bridge_administrators_only, administrators_only);
CRM_BRIDGE_FUNCTION(crm_bridge_people_changed, people_changed);

}  // namespace crm_bridge
