// SPDX-License-Identifier: PostgreSQL
//
// Ids, the organization of the session, the calling role, and what a backend must forget when
// configuration changes.
#include "core/backoff.hpp"
#include "functions/acting.hpp"
#include "functions/arguments.hpp"
#include "functions/catalog.hpp"
#include "functions/history.hpp"
#include "pg/trigger_call.hpp"
#include "settings.hpp"

namespace crm_bridge {

namespace {

Datum new_id(FunctionCallInfo) {
  core::Uuid const uuid = new_uuid(GetCurrentTimestamp());
  return pg::argument(uuid).value;
}

Datum current_org(FunctionCallInfo fcinfo) {
  std::optional<std::int64_t> const own = session_organization();
  fcinfo->isnull = !own.has_value();
  return Int64GetDatum(own.value_or(0));
}

Datum calling_role(FunctionCallInfo) {
  return pg::call([] {
    auto *name = static_cast<Name>(palloc0(NAMEDATALEN));
    namestrcpy(name, GetUserNameFromId(GetOuterUserId(), false));
    return NameGetDatum(name);
  });
}

Datum configuration_changed(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_TRIGGER(fcinfo))
    throw core::Error{
        {.sqlstate = "39P01", .message = "this function can only be called as a trigger"}};
  catalog::changed();
  return PointerGetDatum(nullptr);
}

// Raises unless this server may send and receive for the database.
Datum demand_armed(FunctionCallInfo) {
  catalog::demand_armed();
  return static_cast<Datum>(0);
}

// The clock by which budgets and channels lapse.  In C, so that the setting is this module's and
// not a name that anybody may have set before the module was loaded.
Datum clock(FunctionCallInfo) {
  return TimestampTzGetDatum(GetCurrentTimestamp() + settings::clock_offset * USECS_PER_SEC);
}

// Milliseconds until the next attempt; arguments: attempt from 1, Retry-After in milliseconds.
Datum retry_delay(FunctionCallInfo fcinfo) {
  int const attempt = PG_GETARG_INT32(0);
  std::chrono::milliseconds const retry_after{PG_GETARG_INT64(1)};
  std::uint64_t random = 0;
  if (!pg_strong_random(&random, sizeof random))
    throw core::Error{
        {.sqlstate = "58000", .message = "could not get random data from the operating system"}};
  auto const delay = core::retry_delay(attempt, random, std::chrono::seconds{1},
                                       std::chrono::minutes{15}, retry_after);
  return pg::call([&] {
    auto *interval = static_cast<Interval *>(palloc0(sizeof(Interval)));
    interval->time = delay.count() * 1000;  // milliseconds to the backend's microseconds
    return IntervalPGetDatum(interval);
  });
}

// What the server is, for the installation row: system identifier and timeline.
Datum server_identity(FunctionCallInfo fcinfo) {
  return pg::call([&] {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
      elog(ERROR, "return type must be a row type");
    if (RecoveryInProgress())
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("the server is a standby"), errhint("Promote it first.")));
    Datum values[2] = {Int64GetDatum(static_cast<std::int64_t>(GetSystemIdentifier())),
                       Int64GetDatum(static_cast<std::int64_t>(GetWALInsertionTimeLine()))};
    bool nulls[2] = {false, false};
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
  });
}

}  // namespace

std::optional<std::int64_t> session_organization() { return acting::organization(); }

void demand_arguments(FunctionCallInfo fcinfo,
                      std::initializer_list<std::pair<int, const char *>> required) {
  for (const auto &[position, name] : required) {
    if (fcinfo->args[position].isnull)
      throw core::Error{
          {.sqlstate = "22004", .message = std::string{"argument "} + name + " must not be null"}};
  }
}

std::int64_t organization_argument(FunctionCallInfo fcinfo, int position) {
  if (!fcinfo->args[position].isnull) return DatumGetInt64(fcinfo->args[position].value);
  if (std::optional<std::int64_t> const own = session_organization()) return *own;
  throw core::Error{{.sqlstate = "55000",
                     .message = "it is not settled which organization is meant",
                     .hint = "Give org_id, or SET crm_bridge.organization."}};
}

CRM_BRIDGE_FUNCTION(crm_bridge_new_id, new_id);
CRM_BRIDGE_FUNCTION(crm_bridge_current_org, current_org);
CRM_BRIDGE_FUNCTION(crm_bridge_calling_role, calling_role);
CRM_BRIDGE_FUNCTION(crm_bridge_configuration_changed, configuration_changed);
CRM_BRIDGE_FUNCTION(crm_bridge_demand_armed, demand_armed);
CRM_BRIDGE_FUNCTION(crm_bridge_clock, clock);
CRM_BRIDGE_FUNCTION(crm_bridge_retry_delay, retry_delay);
CRM_BRIDGE_FUNCTION(crm_bridge_server_identity, server_identity);

}  // namespace crm_bridge
