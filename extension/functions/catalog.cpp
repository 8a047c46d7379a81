// SPDX-License-Identifier: PostgreSQL
#include "functions/catalog.hpp"

#include "functions/mirror.hpp"
#include "functions/organization.hpp"

namespace crm_bridge {

Module::~Module() {
  for (pg::Statement *statement :
       {&insert, &patch, &erase, &identify, &find_by_external_id, &people})
    statement->forget();
  for (auto &[text, statement] : updates) statement.forget();
}

const Column *Module::find(std::string_view field) const {
  auto const column = std::find_if(columns.begin(), columns.end(),
                                   [&](const Column &c) { return c.field == field; });
  return column == columns.end() ? nullptr : &*column;
}

core::FieldType Module::type_of(std::string_view field) const {
  const Column *column = find(field);
  return column == nullptr ? core::FieldType::json : column->type;
}

namespace catalog {

namespace {

struct Cache {
  std::optional<Installation> installation;
  std::unordered_map<std::string, std::shared_ptr<const Module>> modules;
  std::unordered_map<std::int64_t, std::shared_ptr<const Organization>> organizations;
};

// Set by the invalidation callback, which may come at any time and must not free what somebody is
// using.
constinit bool stale = false;
constinit bool registered = false;
// Everything here is read as it is committed now, because it outlives the transaction; in parallel
// mode it cannot be, and is read again afterwards.
constinit bool provisional = false;
constinit Oid marker = InvalidOid;

void on_invalidation(Datum, Oid relation) {
  if (relation == InvalidOid || relation == marker) stale = true;
}

// The table whose relcache entry stands for "the configuration changed".
Oid marker_relation() {
  return pg::call(
      [] { return get_relname_relid("installation", get_namespace_oid("crm_bridge", false)); });
}

Cache &cache() {
  static Cache *const instance = new Cache;
  if (!registered) {
    pg::call([] { CacheRegisterRelcacheCallback(on_invalidation, static_cast<Datum>(0)); });
    registered = true;
    stale = true;
  }
  // Deliver what other backends did before this statement; a lock on the marker is not needed for
  // that.
  if (provisional && !IsInParallelMode()) stale = true;
  if (stale) {
    stale = false;
    provisional = false;
    *instance = Cache{};
    marker = marker_relation();
  }
  return *instance;
}

constinit pg::Statement select_installation{
    "SELECT i.system_identifier, i.database_oid, i.timeline FROM crm_bridge.installation AS i", {}};

Installation look_up_installation() {
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const rows = select_installation.read_latest({});
  if (rows.empty()) return Installation::none;
  std::int64_t const system_identifier = rows[0].bigint(0);
  Oid const database = DatumGetObjectId(rows[0][1].value);
  std::int64_t const timeline = rows[0].bigint(2);
  if (RecoveryInProgress()) return Installation::elsewhere;
  return pg::call([&] {
    bool const here = static_cast<std::uint64_t>(system_identifier) == GetSystemIdentifier() &&
                      database == MyDatabaseId &&
                      timeline == static_cast<std::int64_t>(GetWALInsertionTimeLine());
    return here ? Installation::here : Installation::elsewhere;
  });
}

}  // namespace

Installation installation(bool fresh) {
  Cache &known = cache();
  if (fresh || !known.installation.has_value()) {
    known.installation = look_up_installation();
    provisional = provisional || IsInParallelMode();
  }
  return *known.installation;
}

void demand_armed() {
  switch (installation(true)) {
    case Installation::here:
      return;
    case Installation::none:
      throw core::Error{
          {.sqlstate = "55000",
           .message = "crm_bridge is not armed on this server",
           .detail = "There is no organization yet, or the database was restored from a dump.",
           .hint = "Call crm_bridge.create_organization(), or after a restore "
                   "crm_bridge.start_here('restored')."}};
    case Installation::elsewhere:
      throw core::Error{
          {.sqlstate = "55000",
           .message = "crm_bridge was set up on another server and does not send or receive here",
           .detail =
               "This server is a promoted standby, a clone or an upgraded copy; the other one may "
               "still be at work.",
           .hint =
               "When the other server is gone for good, call crm_bridge.start_here('promoted') or "
               "crm_bridge.start_here('upgraded')."}};
  }
}

std::shared_ptr<const Module> module(std::string_view name) {
  auto &modules = cache().modules;
  auto const known = modules.find(std::string{name});
  if (known != modules.end()) return known->second;
  std::shared_ptr<const Module> loaded = load_module(std::string{name});
  provisional = provisional || IsInParallelMode();
  cache().modules.insert_or_assign(loaded->name, loaded);
  return loaded;
}

std::shared_ptr<const Organization> organization(std::int64_t org_id) {
  auto &organizations = cache().organizations;
  auto const known = organizations.find(org_id);
  if (known != organizations.end()) return known->second;
  std::shared_ptr<const Organization> loaded = load_organization(org_id);
  provisional = provisional || IsInParallelMode();
  cache().organizations.insert_or_assign(org_id, loaded);
  return loaded;
}

void changed() {
  pg::call([] {
    CacheInvalidateRelcacheByRelid(
        get_relname_relid("installation", get_namespace_oid("crm_bridge", false)));
  });
}

}  // namespace catalog
}  // namespace crm_bridge
