// SPDX-License-Identifier: PostgreSQL
//
// A service without conditional writes takes a write of ours over what somebody entered a moment
// before.  Its webhook still tells what that was: a value that is nowhere here, in a record that we
// have written since, was overwritten unread, and is recorded as a conflict that our write has won.
#include "functions/arguments.hpp"
#include "functions/known.hpp"
#include "functions/merge_faces.hpp"

namespace crm_bridge {

namespace {

// Microseconds.  The clocks of the services and ours differ a little.
constexpr std::int64_t clocks_differ_by = 10'000'000;
// A webhook that does not say when the value was entered may have been on its way for this long.
constexpr std::int64_t late = 15LL * 60 * 1'000'000;
// What was here this long before may be what it speaks of: a write of ours that was under way.
constexpr std::int64_t under_way = 15LL * 60 * 1'000'000;
constexpr const char *reason = "unread";

constinit pg::Statement select_known_values{
    "SELECT pg_catalog.jsonb_build_object($3, h.old -> $3) FROM crm_bridge.history AS h"
    " WHERE h.org_id = $1 AND h.record_id = $2 AND h.at >= $4 AND h.old ? $3"
    " UNION ALL "
    "SELECT pg_catalog.jsonb_build_object($3, c.right_value) FROM crm_bridge.conflict AS c"
    " WHERE c.org_id = $1 AND c.record_id = $2 AND c.field = $3 AND c.link_id IS NULL AND c.at >= "
    "$4"
    " UNION ALL "
    "SELECT pg_catalog.jsonb_build_object($3, d.sent -> $3) FROM crm_bridge.delivery AS d"
    " WHERE d.org_id = $1 AND d.record_id = $2 AND d.sent ? $3",
    {INT8OID, UUIDOID, TEXTOID, TIMESTAMPTZOID}};

constinit pg::Statement select_under_way{
    "SELECT 1 FROM crm_bridge.delivery AS d"
    " WHERE d.org_id = $1 AND d.record_id = $2 AND (d.state = 'in_flight' OR d.in_doubt)",
    {INT8OID, UUIDOID}};

class LostUpdates {
 public:
  LostUpdates(const Module &module, const Organization &organization)
      : module_(module), organization_(organization), org_id_(organization.org_id) {}

  std::size_t record(std::vector<Incoming> &told) {
    std::vector<core::Uuid> ids = recognise(told);
    // Two readers of the same notice must not both find it lost.
    std::unordered_map<core::Uuid, Shadow> const shadows = lock_shadows(org_id_, ids);
    std::unordered_map<core::Uuid, Record> mirrors;
    for (Record &mirror : read_records(module_, org_id_, ids)) {
      core::Uuid const id = mirror.id;
      mirrors.emplace(id, std::move(mirror));
    }
    for (const Incoming &incoming : told) {
      pg::check_interrupts();
      auto const shadow = shadows.find(incoming.id);
      auto const mirror = mirrors.find(incoming.id);
      if (!incoming.known || shadow == shadows.end() || mirror == mirrors.end()) continue;
      if (written_since(incoming, shadow->second)) judge(incoming, shadow->second, mirror->second);
    }
    record_findings(module_, org_id_, findings_);
    return findings_.size();
  }

 private:
  std::vector<core::Uuid> recognise(std::vector<Incoming> &told) const {
    std::vector<std::string> external_ids;
    for (const Incoming &incoming : told)
      if (!incoming.settled()) external_ids.push_back(incoming.external_id);
    std::map<std::string, Shadow> const known = read_shadows(module_, org_id_, external_ids);
    std::vector<core::Uuid> ids;
    for (Incoming &incoming : told) {
      auto const shadow = known.find(incoming.external_id);
      if (incoming.settled() || shadow == known.end() || shadow->second.state != "live") continue;
      incoming.id = shadow->second.id;
      incoming.known = true;
      ids.push_back(incoming.id);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  // When the value was entered, at the earliest.
  core::Instant earliest(const Incoming &incoming) const {
    if (incoming.modified_at.has_value())
      return {incoming.modified_at->microseconds - clocks_differ_by};
    return {now_.microseconds - late};
  }

  bool written_since(const Incoming &incoming, const Shadow &shadow) const {
    if (shadow.acknowledged_at.has_value() && *shadow.acknowledged_at >= earliest(incoming))
      return true;
    return !select_under_way.execute({pg::argument(org_id_), pg::argument(incoming.id)}).empty();
  }

  void judge(const Incoming &incoming, const Shadow &shadow, const Record &mirror) {
    pg::Fields const told_last = typed_fields(module_, organization_, shadow.fields);
    for (const auto &[field, value] : incoming.fields) {
      const ServiceField *known = organization_.find_field(module_.name, field);
      // What we never write we never overwrite.
      if (known == nullptr || !known->writable) continue;
      if (pg::holds(told_last, field, value) || pg::holds(mirror.fields, field, value)) continue;
      std::optional<Edit> const ours = last_edit(org_id_, incoming.id, field, EditsOf::here);
      if (!ours.has_value() || was_here(incoming, field, value)) continue;
      auto const local = mirror.fields.find(field);
      findings_.push_back({.record = incoming.id,
                           .field = field,
                           .other_field = field,
                           .outcome = core::Outcome::left_wins,
                           .left = local == mirror.fields.end() ? core::Value{} : local->second,
                           .right = value,
                           .left_at = ours->at,
                           .right_at = incoming.modified_at,
                           .left_by = ours->by,
                           .reason = reason});
    }
  }

  bool was_here(const Incoming &incoming, const std::string &field,
                const core::Value &value) const {
    for (const Finding &finding : findings_)
      if (finding.record == incoming.id && finding.field == field && finding.right == value)
        return true;
    core::Instant const since{earliest(incoming).microseconds - under_way};
    pg::Rows const rows = select_known_values.execute(
        {pg::argument(org_id_), pg::argument(incoming.id), pg::argument(field),
         pg::argument(std::optional<core::Instant>{since})});
    for (std::uint64_t i = 0; i < rows.size(); ++i)
      if (pg::holds(typed_fields(module_, organization_, rows[i].jsonb(0)), field, value))
        return true;
    return false;
  }

  const Module &module_;
  const Organization &organization_;
  std::int64_t org_id_;
  core::Instant now_ = pg::instant_of(GetCurrentTimestamp());
  std::vector<Finding> findings_;
};

// (module text, records jsonb, org_id bigint) → integer
Datum record_lost_updates(FunctionCallInfo fcinfo) {
  demand_arguments(fcinfo, {{0, "module"}, {1, "records"}});
  catalog::demand_armed();
  auto const module = catalog::module(pg::text_of(fcinfo->args[0].value));
  auto const organization = catalog::organization(organization_argument(fcinfo, 2));
  Jsonb *documents = pg::call([&] { return DatumGetJsonbP(fcinfo->args[1].value); });
  pg::AsOwner owner;
  pg::SpiSession spi;
  std::vector<Incoming> told = parse_incoming(*module, *organization, documents, States::all);
  return Int32GetDatum(static_cast<std::int32_t>(LostUpdates{*module, *organization}.record(told)));
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_record_lost_updates, record_lost_updates);

}  // namespace crm_bridge
