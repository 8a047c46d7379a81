// SPDX-License-Identifier: PostgreSQL
//
// What a service told is merged into the mirror: three ways, field by field, against the shadow.
// Whole batches at a time; a record that a writer holds is reported as busy, never waited for.
#include "functions/arguments.hpp"
#include "functions/deleted_here.hpp"
#include "functions/excess.hpp"
#include "functions/known.hpp"
#include "functions/late_echo.hpp"
#include "functions/merge_incoming.hpp"
#include "functions/recognise.hpp"
#include "functions/write_scope.hpp"
#include "pg/subtransaction.hpp"

namespace crm_bridge {

namespace {

class Receive {
 public:
  Receive(const Module &module, const Organization &organization, core::Instant read_started_at,
          std::optional<core::Uuid> run)
      : module_(module),
        organization_(organization),
        org_id_(organization.org_id),
        read_at_(read_started_at),
        run_(run) {}

  void run(std::vector<Incoming> &records) {
    for (Incoming &incoming : records) complete(incoming);
    recognise(records);
    lock(records);
    hold_excess(module_, org_id_, run_, records,
                [&](const core::Uuid &id) { return mirrors_.contains(id); });
    for (Incoming &incoming : records) {
      pg::check_interrupts();
      if (!incoming.settled()) judge(incoming);
    }
    write();
  }

 private:
  core::FieldType type(std::string_view field) const {
    return type_of(module_, organization_, field);
  }

  pg::Fields typed(Jsonb *document) const { return typed_fields(module_, organization_, document); }

  // A service that does not say when and by whom: its version is an instant too, and the person is
  // nobody that we know.
  void complete(Incoming &incoming) const {
    if (!incoming.modified_at.has_value())
      incoming.modified_at = incoming.version.has_value() ? incoming.version : read_at_;
    if (!incoming.modified_by.has_value()) incoming.modified_by = module_.service;
  }

  // Settles what needs no lock: nothing new, or older than what is known.
  void recognise(std::vector<Incoming> &records) {
    std::vector<std::string> external_ids;
    for (const Incoming &incoming : records)
      if (!incoming.settled()) external_ids.push_back(incoming.external_id);
    if (external_ids.empty()) return;
    std::map<std::string, Shadow> const shadows = read_shadows(module_, org_id_, external_ids);
    std::erase_if(external_ids,
                  [&](const std::string &external_id) { return shadows.contains(external_id); });
    // An app may insert what the service has under its external id.
    std::map<std::string, core::Uuid> const inserted = find_records(module_, org_id_, external_ids);
    for (Incoming &incoming : records) {
      if (incoming.settled()) continue;
      auto const known = shadows.find(incoming.external_id);
      if (known == shadows.end()) {
        if (incoming.deleted) incoming.settle("unchanged");
        auto const mirror = inserted.find(incoming.external_id);
        incoming.id =
            mirror != inserted.end() ? mirror->second : incoming.own_id.value_or(core::Uuid{});
        continue;
      }
      incoming.id = known->second.id;
      incoming.known = true;
      bool const gone = known->second.state == "gone";  // what is gone took nobody's place
      if (!gone && incoming.own_id.has_value() && *incoming.own_id != incoming.id)
        survivors_.push_back({*incoming.own_id, incoming.id});
      settle_known(module_, organization_, read_at_, known->second, incoming);
    }
  }

  // Order: mirror rows, then delivery, then shadow.
  void lock(std::vector<Incoming> &records) {
    std::vector<core::Uuid> ids;
    for (const Incoming &incoming : records)
      if (!incoming.settled() && incoming.id != core::Uuid{}) ids.push_back(incoming.id);
    std::sort(ids.begin(), ids.end());
    for (Record &record : lock_records(module_, org_id_, ids)) {
      core::Uuid const id = record.id;
      mirrors_.emplace(id, std::move(record));
    }
    std::unordered_map<core::Uuid, bool> held_by_others;
    if (mirrors_.size() < ids.size()) {
      for (const Record &record : read_records(module_, org_id_, ids))
        if (!mirrors_.contains(record.id)) held_by_others.emplace(record.id, true);
    }
    // A writer of the mirror row holds its delivery too, and that one is waited for.
    std::erase_if(ids, [&](const core::Uuid &id) { return held_by_others.contains(id); });
    deliveries_ = lock_deliveries(org_id_, ids);
    shadows_ = lock_shadows(org_id_, ids);
    // An id that the service keeps for us is a claim, not a proof: it must be one of this module's.
    std::erase_if(deliveries_,
                  [&](const auto &entry) { return entry.second.module != module_.name; });
    for (Incoming &incoming : records) {
      if (incoming.settled() || incoming.id == core::Uuid{}) continue;
      if (held_by_others.contains(incoming.id)) {
        incoming.settle("busy", "Somebody is writing the record.");
        continue;
      }
      auto const shadow = shadows_.find(incoming.id);
      bool const ours = incoming.known || mirrors_.contains(incoming.id) ||
                        deliveries_.contains(incoming.id) ||
                        (shadow != shadows_.end() && shadow->second.module == module_.name);
      if (!ours) incoming.id = core::Uuid{};
      // What was read without a lock may have moved meanwhile.
      if (ours && shadow != shadows_.end() && shadow->second.external_id == incoming.external_id)
        settle_known(module_, organization_, read_at_, shadow->second, incoming);
    }
  }

  void judge(Incoming &incoming) {
    auto const shadow = shadows_.find(incoming.id);
    auto const mirror = mirrors_.find(incoming.id);
    auto const delivery = deliveries_.find(incoming.id);
    PendingDelivery *const pending = delivery == deliveries_.end() ? nullptr : &delivery->second;
    if (shadow != shadows_.end() && !shadow->second.external_id.empty() &&
        shadow->second.state != "gone" && shadow->second.external_id != incoming.external_id) {
      // Our id is taken by another remote record: a copy that somebody made there, and a stranger
      // here.
      incoming.known = false;
      insert(incoming);
    } else if (incoming.deleted) {
      bool const merged = shadow != shadows_.end() && shadow->second.merged;
      erase(incoming, mirror == mirrors_.end() ? nullptr : &mirror->second, pending, merged);
    } else if (mirror != mirrors_.end()) {
      merge(incoming, mirror->second, shadow == shadows_.end() ? nullptr : &shadow->second,
            pending);
    } else if (pending != nullptr && pending->deletion && shadow != shadows_.end()) {
      meet_deletion(incoming, shadow->second, *pending);
    } else if (incoming.known && deletion_requested(org_id_, incoming.id)) {
      incoming.settle("busy", "The record was deleted here just now.");
    } else {
      insert(incoming);
    }
  }

  void remember(const Incoming &incoming, const char *state) {
    shadow_updates_.push_back(
        {incoming.id, incoming.external_id, state, incoming.version, incoming.fields});
  }

  void insert(Incoming &incoming) {
    if (!incoming.known) incoming.id = new_uuid(GetCurrentTimestamp());
    if (incoming.own_id.has_value() && *incoming.own_id != incoming.id)
      survivors_.push_back({*incoming.own_id, incoming.id});
    inserts_.push_back(
        {.id = incoming.id,
         .fields = incoming.fields,
         .external_id = incoming.external_id,
         .created_at = incoming.created_at.has_value() ? incoming.created_at : incoming.modified_at,
         .modified_at = incoming.modified_at,
         .modified_by = incoming.modified_by});
    // Moved, not copied: of a first reading this is every record.
    shadow_updates_.push_back(
        {incoming.id, incoming.external_id, "live", incoming.version, std::move(incoming.fields)});
    incoming.settle("inserted");
  }

  // Deleted here, and the service is still to be told.
  void meet_deletion(Incoming &incoming, const Shadow &shadow, const PendingDelivery &pending) {
    DeletedHere deleted = judge_deleted(module_, organization_, incoming, shadow, pending);
    if (!deleted.changed_there) {
      // What the deletion deletes is known from now on.
      remember(incoming, "live");
      incoming.settle("unchanged",
                      "The record was deleted here and is to be deleted at the service.");
    } else if (pending.in_flight) {
      incoming.settle("stale", "The record is just being deleted at the service.");
    } else {
      // D2: the changed record is kept, by itself where its links ended with the deletion.
      findings_.push_back({.record = incoming.id,
                           .field = "*",
                           .other_field = "*",
                           .outcome = core::Outcome::right_wins,
                           .left_at = deleted.at,
                           .right_at = incoming.modified_at,
                           .left_by = deleted.by,
                           .right_by = incoming.modified_by.value_or(""),
                           .reason = "deleted"});
      called_off_.push_back(incoming.id);
      incoming.fields.merge(deleted.unsaid);
      incoming.known = true;
      insert(incoming);
      if (still_linked(org_id_, incoming.id))
        bring_back(deleted, inserts_.back(), patches_, delivery_updates_);
      incoming.settle("conflict", "Deleted here, but changed at the service: it is kept.");
    }
  }

  void erase(Incoming &incoming, const Record *mirror, const PendingDelivery *pending,
             bool merged) {
    bool const lacking =
        pending != nullptr && !pending->deletion && (!pending->dirty.empty() || pending->in_flight);
    bool const changed_here =
        mirror != nullptr && (lacking || !open_questions(org_id_, {incoming.id}).empty());
    if (changed_here) {
      // D2: a deletion against a change is a conflict, and the changed record is kept: it is
      // created anew.  One that lives on in another is not: created anew it would be the other.
      findings_.push_back({.record = incoming.id,
                           .field = "*",
                           .other_field = "*",
                           .outcome = merged ? core::Outcome::right_wins : core::Outcome::left_wins,
                           .left_at = mirror->modified_at,
                           .right_at = read_at_,
                           .left_by = mirror->modified_by.value_or(""),
                           .right_by = incoming.modified_by.value_or(""),
                           .reason = merged ? "merged" : "deleted"});
    }
    if (changed_here && !merged) {
      if (pending == nullptr) delivery_updates_.push_back({incoming.id, {}});
      remember(incoming, "gone");
      identities_.push_back(incoming.id);
      incoming.settle("conflict",
                      "Deleted at the service, but changed here: it will be created anew.");
      return;
    }
    if (mirror != nullptr) erased_.push_back(incoming.id);
    dropped_.push_back(incoming.id);
    remember(incoming, "gone");
    incoming.settle("deleted");
  }

  void merge(Incoming &incoming, const Record &mirror, const Shadow *shadow,
             PendingDelivery *pending) {
    pg::Fields const known = shadow == nullptr ? pg::Fields{} : typed(shadow->fields);
    pg::Fields const sent = pending == nullptr ? pg::Fields{} : typed(pending->sent);
    bool const created_here =
        pending != nullptr &&
        (shadow == nullptr || shadow->external_id.empty() || shadow->state == "gone");
    Doubts doubts{shadow == nullptr ? nullptr : shadow->doubted,
                  [&](std::string_view field) { return type(field); }};
    MergedRecord merged = merge_incoming(
        module_, organization_, incoming,
        {mirror, known, sent, pending == nullptr ? std::vector<std::string>{} : pending->dirty,
         created_here, doubts.explain(incoming.fields, known)});
    doubts.save(org_id_, incoming.id);
    settle_delivery(incoming, pending, merged.dirty, created_here);
    shadow_updates_.push_back(
        {incoming.id, incoming.external_id, "live", incoming.version, std::move(merged.confirmed)});
    std::move(merged.conflicts.begin(), merged.conflicts.end(), std::back_inserter(findings_));
    bool const changed = !merged.take.empty();
    if (changed)
      patches_.push_back({.id = incoming.id,
                          .fields = std::move(merged.take),
                          .external_id = incoming.external_id,
                          .modified_at = incoming.modified_at,
                          .modified_by = incoming.modified_by});
    else if (mirror.external_id != incoming.external_id)
      identified_.push_back({incoming.id, incoming.external_id});
    incoming.settle(!merged.conflicts.empty() ? "conflict" : changed ? "updated" : "unchanged");
  }

  void settle_delivery(const Incoming &incoming, const PendingDelivery *pending,
                       const std::set<std::string> &dirty, bool created_here) {
    if (pending != nullptr && pending->deletion) return;
    std::set<std::string> const before =
        pending == nullptr ? std::set<std::string>{}
                           : std::set<std::string>{pending->dirty.begin(), pending->dirty.end()};
    std::set<std::string> after = dirty;
    // A create found at the service becomes an update of what it still lacks.
    if (created_here && pending != nullptr && !pending->in_flight) {
      for (const auto &[field, value] : mirrors_.at(incoming.id).fields) {
        const Column *column = module_.find(field);
        bool const lacking = column != nullptr && column->writable && !core::is_null(value) &&
                             !incoming.fields.contains(field);
        if (lacking) after.insert(field);
      }
    }
    if (after.empty() && pending != nullptr && !pending->in_flight)
      dropped_.push_back(incoming.id);
    else if (after != before)
      delivery_updates_.push_back({incoming.id, {after.begin(), after.end()}});
  }

  void write() {
    WriteScope const scope{Origin::service, module_.name, module_.service, run_};
    // Before the rows: what they set off may write this record's delivery anew (a refused change is
    // put back).
    drop_deliveries(org_id_, dropped_);
    call_off_deletions(org_id_, called_off_);
    save_deliveries(module_, org_id_, delivery_updates_);
    make_due(org_id_, identities_);
    insert_records(module_, org_id_, inserts_);
    update_records(module_, org_id_, patches_);
    std::vector<core::Uuid> ids = identities_;
    std::vector<std::optional<std::string>> external_ids(identities_.size());
    for (const auto &[id, external_id] : identified_) {
      ids.push_back(id);
      external_ids.emplace_back(external_id);
    }
    identify_records(module_, org_id_, ids, external_ids);
    delete_records(module_, org_id_, erased_);
    save_shadows(module_, org_id_, read_at_, shadow_updates_);
    remember_former(module_, org_id_, shadows_, shadow_updates_);
    note_survivors(module_, org_id_, survivors_);
    record_findings(module_, org_id_, findings_);
  }

  const Module &module_;
  const Organization &organization_;
  std::int64_t org_id_;
  core::Instant read_at_;
  std::optional<core::Uuid> run_;
  std::unordered_map<core::Uuid, Record> mirrors_;
  std::unordered_map<core::Uuid, PendingDelivery> deliveries_;
  std::unordered_map<core::Uuid, Shadow> shadows_;
  std::vector<Patch> inserts_, patches_;
  std::vector<core::Uuid> erased_, dropped_, called_off_, identities_;
  std::vector<std::pair<core::Uuid, std::string>> identified_;
  std::vector<ShadowUpdate> shadow_updates_;
  std::vector<DeliveryUpdate> delivery_updates_;
  std::vector<Finding> findings_;
  std::vector<Survivor> survivors_;
};

// All records at once; if the database itself refuses one (a constraint, a trigger of the app), one
// by one, so that the others are not held back by it.
void receive_all(const Module &module, const Organization &organization, core::Instant read_at,
                 const std::optional<core::Uuid> &run, std::vector<Incoming> &records) {
  auto const attempt = [&](std::vector<Incoming> &batch) {
    return pg::in_subtransaction([&] {
      pg::AsOwner owner;
      pg::SpiSession spi;
      Receive{module, organization, read_at, run}.run(batch);
    });
  };
  std::vector<Incoming> together = records;
  if (!attempt(together).has_value()) {
    records = std::move(together);
    return;
  }
  for (Incoming &incoming : records) {
    if (incoming.settled()) continue;
    std::vector<Incoming> alone{incoming};
    if (auto const error = attempt(alone)) {
      incoming.settle("rejected", error->message);
    } else {
      incoming = std::move(alone.front());
    }
  }
}

// (module text, records jsonb, read_started_at timestamptz, run uuid, org_id bigint)
Datum receive(FunctionCallInfo fcinfo) {
  demand_arguments(fcinfo, {{0, "module"}, {1, "records"}, {2, "read_started_at"}});
  catalog::demand_armed();
  auto const module = catalog::module(pg::text_of(fcinfo->args[0].value));
  auto const organization = catalog::organization(organization_argument(fcinfo, 4));
  if (organization->closed_services.contains(module->service))
    throw core::Error{{.sqlstate = "55000",
                       .message = "service \"" + module->service + "\" is not active",
                       .detail = "It is switched off or its trial is over: nothing is received.",
                       .hint = "See crm_bridge.integration_overview."}};
  core::Instant const read_at = pg::instant_of(DatumGetTimestampTz(fcinfo->args[2].value));
  std::optional<core::Uuid> run;
  if (!fcinfo->args[3].isnull) run = pg::uuid_of(fcinfo->args[3].value);
  Jsonb *documents = pg::call([&] { return DatumGetJsonbP(fcinfo->args[1].value); });
  std::vector<Incoming> records;
  {
    pg::AsOwner owner;
    pg::SpiSession spi;
    records = parse_incoming(*module, *organization, documents);
  }
  receive_all(*module, *organization, read_at, run, records);
  return_outcomes(fcinfo, records);
  return static_cast<Datum>(0);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_receive, receive);

}  // namespace crm_bridge
