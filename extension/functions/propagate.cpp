// SPDX-License-Identifier: PostgreSQL
#include "functions/propagate.hpp"

#include <set>
#include <unordered_set>

#include "functions/links.hpp"
#include "functions/task_rules.hpp"
#include "settings.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement archive_links{
    "UPDATE crm_bridge.link AS l SET state = 'archived', reason = 'deleted'"
    " WHERE l.org_id = $1 AND l.pairing = $2 AND l.link_id = ANY ($3)",
    {INT8OID, TEXTOID, UUIDARRAYOID}};

constinit pg::Statement restore_one{"SELECT crm_bridge._restore_record($1, $2, $3, $4)",
                                    {INT8OID, TEXTOID, UUIDOID, BOOLOID}};

constinit pg::Statement follow_survivors{
    "SELECT f FROM crm_bridge._follow_survivors($2, $3, $1) AS f",
    {INT8OID, UUIDARRAYOID, TEXTOID}};

// Links whose faces were written once more while a change was travelling over them: where a record
// has several links, the merge over one of them may answer what another has just brought.  Each is
// visited again when the way out is over, once for each state of its faces, so that the whole chain
// agrees at the end of the statement.
class Revisits {
 public:
  // Only the outermost of nested propagations collects.
  Revisits() : outermost_(collecting == nullptr && !WriteScope::travels()) {
    if (outermost_) collecting = this;
  }
  ~Revisits() {
    if (outermost_) collecting = nullptr;
  }
  Revisits(const Revisits &) = delete;
  Revisits &operator=(const Revisits &) = delete;

  static void add(const core::Uuid &link) {
    if (collecting != nullptr) collecting->links_.insert(link);
  }

  // Each of them has its request, so that one that cannot be had now is left to reconcile.
  void settle(const Organization &organization, const std::string &actor) {
    if (!outermost_ || links_.empty()) return;
    pg::AsOwner owner;
    pg::SpiSession spi;
    for (int visits = 0; !links_.empty() && visits < most_visits; ++visits) {
      pg::check_interrupts();
      core::Uuid const link = *links_.begin();
      links_.erase(links_.begin());
      (void)reconcile_link(organization, link, actor);
    }
  }

 private:
  // Mappings that contradict each other must not keep a writer busy for ever.
  static constexpr int most_visits = 1000;
  static constinit Revisits *collecting;

  bool outermost_;
  std::set<core::Uuid> links_;
};
constinit Revisits *Revisits::collecting = nullptr;

// What one pairing does for the changed records of one statement.
class Propagation {
 public:
  Propagation(const Module &module, const Organization &organization, const Pairing &pairing,
              core::Side side, const std::string &actor, const std::optional<core::Uuid> &run)
      : module_(module),
        organization_(organization),
        pairing_(pairing),
        side_(side),
        actor_(actor),
        run_(run),
        by_app_(WriteScope::current(module.name) == nullptr) {}

  void carry(const std::vector<ChangedRecord> &changed) {
    std::vector<core::Uuid> ids;
    for (const ChangedRecord &record : changed)
      if (changed_.emplace(record.id, &record).second) ids.push_back(record.id);
    std::vector<Link> links = links_of(pairing_.name, organization_.org_id, side_, ids);
    visit_again_later(links);
    if (links.empty()) return;
    if (by_app_ && side_ == core::Side::left) demand_rules(links);
    bool const at_once = !IsolationUsesXactSnapshot() &&
                         changed.size() <= static_cast<std::size_t>(settings::propagate_limit);
    leave_the_rest(links, at_once ? merge(links) : std::unordered_set<core::Uuid>{});
  }

 private:
  // Before anything is left for later: also of a transaction that propagates nothing itself.
  void demand_rules(const std::vector<Link> &links) {
    if (organization_.rule_mode == core::RuleMode::send) return;
    TaskWrites writes{pairing_};
    if (!writes.any()) return;
    for (const Link &link : links) {
      const ChangedRecord &changed = *changed_.at(link.face(side_));
      writes.add(link.face(other(side_)), changed.old, changed.now);
    }
    demand_task_rules(organization_, writes.writes());
  }

  void visit_again_later(std::vector<Link> &links) {
    std::vector<PropagationRequest> requests;
    std::erase_if(links, [&](const Link &link) {
      if (!WriteScope::travels_over(link.link_id)) return false;
      requests.push_back({link.face(side_), link.link_id, changed_.at(link.face(side_))->old});
      Revisits::add(link.link_id);
      return true;
    });
    leave_requests(module_, organization_.org_id, requests);
  }

  // Returns the links that are done.
  std::unordered_set<core::Uuid> merge(const std::vector<Link> &links) {
    std::int64_t const org_id = organization_.org_id;
    std::vector<core::Uuid> ids;
    for (const Link &link : links) ids.push_back(link.link_id);
    std::unordered_set<core::Uuid> const contended = contended_links(org_id, ids);
    std::erase_if(ids, [&](const core::Uuid &id) { return contended.contains(id); });
    std::vector<Link> locked = lock_links(org_id, ids);
    std::shared_ptr<const Module> const twin_module =
        catalog::module(side_ == core::Side::left ? pairing_.right_module : pairing_.left_module);
    std::vector<core::Uuid> twin_ids;
    for (const Link &link : locked) twin_ids.push_back(link.face(other(side_)));
    std::unordered_map<core::Uuid, Record> twins;
    for (Record &twin : lock_records(*twin_module, org_id, twin_ids)) {
      core::Uuid const id = twin.id;
      twins.emplace(id, std::move(twin));
    }
    // A link whose faces were exchanged meanwhile (their service merged records) is left too.
    std::erase_if(locked, [&](const Link &link) {
      return !twins.contains(link.face(other(side_))) || !changed_.contains(link.face(side_));
    });

    std::vector<Patch> own_patches;
    std::vector<Patch> twin_patches;
    std::vector<NewBase> bases;
    std::vector<Finding> findings;
    Travel travel{pairing_.name, {}};
    for (const Link &link : locked) {
      pg::check_interrupts();
      travel.links.insert(link.link_id);
      travel.records.insert({link.left_id, link.right_id});
      MergedFaces result = merge_one(link, *twin_module, twins.at(link.face(other(side_))));
      pg::Fields &own = side_ == core::Side::left ? result.new_left : result.new_right;
      pg::Fields &far = side_ == core::Side::left ? result.new_right : result.new_left;
      if (!own.empty()) own_patches.push_back({.id = link.face(side_), .fields = std::move(own)});
      if (!far.empty())
        twin_patches.push_back({.id = link.face(other(side_)), .fields = std::move(far)});
      if (result.base_changed)
        bases.push_back({link.link_id, std::move(result.left_base), std::move(result.right_base)});
      std::move(result.findings.begin(), result.findings.end(), std::back_inserter(findings));
    }
    if (by_app_) demand_expressible(organization_, module_, findings);
    {
      WriteScope const scope{Origin::bridge, twin_module->name, actor_, run_, &travel};
      update_records(*twin_module, org_id, twin_patches);
    }
    {
      WriteScope const scope{Origin::bridge, module_.name, actor_, run_, &travel};
      update_records(module_, org_id, own_patches);
    }
    save_bases(org_id, bases);
    record_findings(module_, org_id, findings);
    return std::move(travel.links);
  }

  MergedFaces merge_one(const Link &link, const Module &twin_module, Record twin) {
    const ChangedRecord &changed = *changed_.at(link.face(side_));
    bool const left = side_ == core::Side::left;
    Faces faces;
    faces.link = link.link_id;
    faces.left_base = typed_fields(left ? module_ : twin_module, organization_, link.left_base);
    faces.right_base = typed_fields(left ? twin_module : module_, organization_, link.right_base);
    Record own{changed.id, std::nullopt, pg::instant_of(GetCurrentTimestamp()),
               changed.person.empty() ? actor_ : changed.person, changed.now};
    pg::Fields &own_base = left ? faces.left_base : faces.right_base;
    FieldNames names;
    for (const auto &[name, old] : changed.old) {
      names.insert(name);
      own_base.emplace(
          name, old);  // keeps what is there: the field has been apart since an earlier change
    }
    faces.left = left ? std::move(own) : std::move(twin);
    faces.right = left ? std::move(twin) : std::move(own);
    MergedFaces result = left ? merge_faces(pairing_, organization_.org_id, faces, names, {})
                              : merge_faces(pairing_, organization_.org_id, faces, {}, names);
    if (!by_app_) refuse_by_task_rules(organization_, pairing_, faces, result);
    // What was put into the base only for this merge does not count as a change of the link.
    own_base = typed_fields(module_, organization_, left ? link.left_base : link.right_base);
    result.base_changed =
        result.left_base != faces.left_base || result.right_base != faces.right_base;
    return result;
  }

  void leave_the_rest(const std::vector<Link> &links,
                      const std::unordered_set<core::Uuid> &merged) {
    std::vector<PropagationRequest> requests;
    for (const Link &link : links) {
      if (!merged.contains(link.link_id))
        requests.push_back({link.face(side_), link.link_id, changed_.at(link.face(side_))->old});
    }
    leave_requests(module_, organization_.org_id, requests);
  }

  const Module &module_;
  const Organization &organization_;
  const Pairing &pairing_;
  core::Side side_;
  const std::string &actor_;
  const std::optional<core::Uuid> &run_;
  bool by_app_;
  std::unordered_map<core::Uuid, const ChangedRecord *> changed_;
};

// The changed records cut down to the fields that this pairing carries, without those whose changes
// it has just brought.
std::vector<ChangedRecord> cut_down(const Module &module, const std::vector<ChangedRecord> &changed,
                                    const Pairing &pairing, core::Side side) {
  std::vector<ChangedRecord> result;
  for (const ChangedRecord &record : changed) {
    if (WriteScope::brought(module.name, pairing.name, record.id)) continue;
    ChangedRecord part{record.id, {}, {}, record.person};
    for (const MappedField &field : pairing.fields) {
      const std::string &name = side == core::Side::left ? field.left.name : field.right.name;
      auto const old = record.old.find(name);
      if (!field.keep_in_step || old == record.old.end()) continue;
      part.old.insert_or_assign(name, old->second);
      part.now.insert_or_assign(name, record.now.at(name));
    }
    if (!part.old.empty()) result.push_back(std::move(part));
  }
  return result;
}

// Takes out the links whose twins somebody else is writing or has changed: whether they are deleted
// too is for reconcile.
void spare_busy_twins(const Organization &organization, const Pairing &pairing, core::Side deleted,
                      std::vector<Link> &links) {
  std::vector<core::Uuid> ids;
  std::vector<core::Uuid> twins;
  for (const Link &link : links) {
    ids.push_back(link.link_id);
    twins.push_back(link.face(other(deleted)));
  }
  auto const twin_module =
      catalog::module(deleted == core::Side::left ? pairing.right_module : pairing.left_module);
  std::set<core::Uuid> busy;
  for (const Record &twin : read_records(*twin_module, organization.org_id, twins))
    busy.insert(twin.id);
  for (const Record &twin : lock_records(*twin_module, organization.org_id, twins))
    busy.erase(twin.id);
  std::unordered_set<core::Uuid> const requested = contended_links(organization.org_id, ids);
  std::erase_if(links, [&](const Link &link) {
    return busy.contains(link.face(other(deleted))) || !link.in_step() ||
           requested.contains(link.link_id);
  });
}

}  // namespace

std::vector<std::string_view> travelling_fields(const Organization &organization,
                                                std::string_view module) {
  std::vector<std::string_view> names;
  for (const Pairing &pairing : organization.pairings) {
    for (const MappedField &field : pairing.fields) {
      if (!field.keep_in_step) continue;
      if (pairing.left_module == module) names.push_back(field.left.name);
      if (pairing.right_module == module) names.push_back(field.right.name);
    }
  }
  return names;
}

void propagate(const Module &module, const Organization &organization,
               const std::vector<ChangedRecord> &changed, const std::string &actor,
               const std::optional<core::Uuid> &run) {
  Revisits revisits;
  for (const Pairing &pairing : organization.pairings) {
    for (core::Side const side : {core::Side::left, core::Side::right}) {
      if ((side == core::Side::left ? pairing.left_module : pairing.right_module) != module.name)
        continue;
      std::vector<ChangedRecord> const part = cut_down(module, changed, pairing, side);
      if (part.empty()) continue;
      pg::AsOwner owner;
      pg::SpiSession spi;
      Propagation{module, organization, pairing, side, actor, run}.carry(part);
    }
  }
  revisits.settle(organization, actor);
}

void unlink_deleted(const Module &module, const Organization &organization,
                    const std::vector<core::Uuid> &records, const std::string &actor) {
  for (const Pairing &pairing : organization.pairings) {
    for (core::Side const side : {core::Side::left, core::Side::right}) {
      if ((side == core::Side::left ? pairing.left_module : pairing.right_module) != module.name)
        continue;
      std::vector<Link> const links = links_of(pairing.name, organization.org_id, side, records);
      std::vector<core::Uuid> ids;
      for (const Link &link : links) {
        if (!WriteScope::travels_over(link.link_id)) ids.push_back(link.link_id);
      }
      // At REPEATABLE READ a link may be newer than the transaction's snapshot: to lock it would
      // fail.
      std::vector<Link> locked =
          IsolationUsesXactSnapshot() ? std::vector<Link>{} : lock_links(organization.org_id, ids);
      if (pairing.on_delete != "unlink") spare_busy_twins(organization, pairing, side, locked);
      std::vector<PropagationRequest> requests;
      for (const Link &link : links) {
        bool const held = std::none_of(locked.begin(), locked.end(), [&](const Link &got) {
          return got.link_id == link.link_id;
        });
        if (held) requests.push_back({link.face(side), link.link_id, {}});
      }
      leave_requests(module, organization.org_id, requests);
      end_links(organization, pairing, side, locked, actor);
    }
  }
}

void archive(const Organization &organization, const Pairing &pairing,
             const std::vector<core::Uuid> &links) {
  (void)archive_links.execute(
      {pg::argument(organization.org_id), pg::argument(pairing.name), pg::argument(links)});
}

bool restore(const Organization &organization, const Pairing &pairing, core::Side deleted,
             const Link &link, const std::string &actor) {
  if (pairing.on_delete != "restore") return false;
  bool const left_gone = deleted == core::Side::left;
  auto const module = catalog::module(left_gone ? pairing.left_module : pairing.right_module);
  auto const twin_module = catalog::module(left_gone ? pairing.right_module : pairing.left_module);
  std::int64_t const org_id = organization.org_id;
  if (read_records(*twin_module, org_id, {link.face(other(deleted))}).empty()) return false;
  const WriteScope *deleting = WriteScope::current(module->name);
  bool const gone_at_service = deleting != nullptr && deleting->origin() == Origin::service;
  Travel const over{pairing.name, {link.link_id}};
  WriteScope const scope{Origin::bridge, module->name, actor, std::nullopt, &over};
  pg::Rows const rows =
      restore_one.execute({pg::argument(org_id), pg::argument(module->name),
                           pg::argument(link.face(deleted)), pg::argument(gone_at_service)});
  return rows[0].boolean(0);
}

void end_links(const Organization &organization, const Pairing &pairing, core::Side deleted,
               const std::vector<Link> &links, const std::string &actor) {
  if (links.empty()) return;
  std::vector<core::Uuid> ended;
  for (const Link &link : links) ended.push_back(link.link_id);
  // What a service merged is deleted there on one side only in name: nothing happens to the twin.
  pg::Rows const followed = follow_survivors.execute(
      {pg::argument(organization.org_id), pg::argument(ended),
       pg::argument(std::string{deleted == core::Side::left ? "left" : "right"})});
  std::set<core::Uuid> elsewhere;
  for (std::uint64_t i = 0; i < followed.size(); ++i) elsewhere.insert(followed[i].uuid(0));
  std::vector<core::Uuid> ids;
  std::vector<core::Uuid> twins;
  for (const Link &link : links) {
    if (elsewhere.contains(link.link_id) || restore(organization, pairing, deleted, link, actor))
      continue;
    ids.push_back(link.link_id);
    twins.push_back(link.face(other(deleted)));
  }
  if (ids.empty()) return;
  archive(organization, pairing, ids);
  if (pairing.on_delete != "delete") return;
  std::shared_ptr<const Module> const twin_module =
      catalog::module(deleted == core::Side::left ? pairing.right_module : pairing.left_module);
  Travel const travel{pairing.name, {ids.begin(), ids.end()}};
  WriteScope const scope{Origin::bridge, twin_module->name, actor, std::nullopt, &travel};
  delete_records(*twin_module, organization.org_id, twins);
}

}  // namespace crm_bridge
