// SPDX-License-Identifier: PostgreSQL
//
// Settles what a writer left behind because somebody else held what it needed.
#include "functions/dirty_set.hpp"
#include "functions/doorbell.hpp"
#include "functions/known.hpp"
#include "functions/propagate.hpp"
#include "functions/task_rules.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement select_request{
    "SELECT r.module, r.operation, r.record_id, r.link_id FROM crm_bridge.reconcile_request AS r"
    " WHERE r.org_id = $1 AND r.request_id = $2",
    {INT8OID, UUIDOID}};

// Earliest first: the oldest value is the one that both sides agreed on.  Locked, so that two
// reconcilers do not share them.
constinit pg::Statement lock_link_requests{
    "SELECT r.request_id, r.module, r.old FROM crm_bridge.reconcile_request AS r"
    " WHERE r.org_id = $1 AND r.link_id = $2 ORDER BY r.request_id FOR UPDATE SKIP LOCKED",
    {INT8OID, UUIDOID}};

constinit pg::Statement lock_record_requests{
    "SELECT r.request_id, r.operation, r.fields FROM crm_bridge.reconcile_request AS r"
    " WHERE r.org_id = $1 AND r.record_id = $2 AND r.link_id IS NULL ORDER BY r.request_id FOR "
    "UPDATE SKIP LOCKED",
    {INT8OID, UUIDOID}};

constinit pg::Statement delete_requests{
    "DELETE FROM crm_bridge.reconcile_request AS r WHERE r.org_id = $1 AND r.request_id = ANY ($2)",
    {INT8OID, UUIDARRAYOID}};

constinit pg::Statement select_pairing_of_link{
    "SELECT l.pairing FROM crm_bridge.link AS l WHERE l.org_id = $1 AND l.link_id = $2 AND l.state "
    "= 'active'",
    {INT8OID, UUIDOID}};

constinit pg::Statement select_external_id{
    "SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.org_id = $1 AND s.record_id = $2 AND "
    "s.state = 'live'",
    {INT8OID, UUIDOID}};

constexpr const char *reconciler = "crm_bridge reconcile";

// The two faces of one link, and every request that was left for it.
class LinkReconciliation {
 public:
  LinkReconciliation(const Organization &organization, core::Uuid link, const std::string &actor)
      : organization_(organization), link_id_(link), actor_(actor) {}

  bool run() {
    pg::Rows const named = select_pairing_of_link.execute(
        {pg::argument(organization_.org_id), pg::argument(link_id_)});
    const Pairing *pairing = named.empty() ? nullptr : find(named[0].string(0));
    if (pairing == nullptr) return finish();  // the link is over, or its pairing is switched off
    auto const left_module = catalog::module(pairing->left_module);
    auto const right_module = catalog::module(pairing->right_module);
    std::vector<Link> const locked = lock_links(organization_.org_id, {link_id_});
    if (locked.empty()) return false;
    const Link &link = locked.front();
    std::vector<Record> left = lock_records(*left_module, organization_.org_id, {link.left_id});
    std::vector<Record> right = lock_records(*right_module, organization_.org_id, {link.right_id});
    bool const left_gone =
        left.empty() && read_records(*left_module, organization_.org_id, {link.left_id}).empty();
    bool const right_gone =
        right.empty() && read_records(*right_module, organization_.org_id, {link.right_id}).empty();
    if (left_gone || right_gone) {
      core::Side const gone = left_gone ? core::Side::left : core::Side::right;
      const std::vector<Record> &survivor = left_gone ? right : left;
      bool const both_gone = left_gone && right_gone;
      if (pairing->on_delete != "unlink" && survivor.empty() && !both_gone) return false;
      // What the survivor was changed to meanwhile goes over to it at the next visit.
      if (!both_gone && restore(organization_, *pairing, gone, link, actor_)) return run();
      if (pairing->on_delete == "delete" && !both_gone &&
          changed_since(link, left_gone ? *right_module : *left_module)) {
        keep_survivor(*pairing, *left_module, link, gone, survivor.front());
      } else {
        end_links(organization_, *pairing, gone, locked, actor_);
      }
      return finish();
    }
    if (left.empty() || right.empty()) return false;
    merge(*pairing, *left_module, *right_module, link, std::move(left.front()),
          std::move(right.front()));
    return finish();
  }

 private:
  const Pairing *find(const std::string &name) const {
    auto const found = std::find_if(organization_.pairings.begin(), organization_.pairings.end(),
                                    [&](const Pairing &pairing) { return pairing.name == name; });
    return found == organization_.pairings.end() ? nullptr : &*found;
  }

  // Whether the face that is left was changed since both agreed.
  bool changed_since(const Link &link, const Module &survivor) {
    pg::Rows const requests =
        lock_link_requests.execute({pg::argument(organization_.org_id), pg::argument(link_id_)});
    bool changed = !link.in_step();
    for (std::uint64_t i = 0; i < requests.size(); ++i) {
      requests_.push_back(requests[i].uuid(0));
      changed = changed ||
                (requests[i].string(1) == survivor.name && JB_ROOT_COUNT(requests[i].jsonb(2)) > 0);
    }
    return changed;
  }

  // D2: a deletion against a change is a conflict, and the changed record is kept.
  void keep_survivor(const Pairing &pairing, const Module &left_module, const Link &link,
                     core::Side gone, const Record &survivor) const {
    bool const left_stays = gone == core::Side::right;
    archive(organization_, pairing, {link.link_id});
    Finding finding{.record = link.left_id,
                    .link = link.link_id,
                    .field = "*",
                    .other_field = "*",
                    .outcome = left_stays ? core::Outcome::left_wins : core::Outcome::right_wins,
                    .reason = "deleted"};
    (left_stays ? finding.left_at : finding.right_at) = survivor.modified_at;
    (left_stays ? finding.left_by : finding.right_by) = survivor.modified_by.value_or("");
    record_findings(left_module, organization_.org_id, {finding});
  }

  void merge(const Pairing &pairing, const Module &left_module, const Module &right_module,
             const Link &link, Record left, Record right) {
    Faces faces{link.link_id, std::move(left), std::move(right),
                typed_fields(left_module, organization_, link.left_base),
                typed_fields(right_module, organization_, link.right_base)};
    pg::Fields const stored_left = faces.left_base;
    pg::Fields const stored_right = faces.right_base;
    FieldNames left_changed;
    FieldNames right_changed;
    pg::Rows const requests =
        lock_link_requests.execute({pg::argument(organization_.org_id), pg::argument(link_id_)});
    for (std::uint64_t i = 0; i < requests.size(); ++i) {
      requests_.push_back(requests[i].uuid(0));
      bool const on_left = requests[i].string(1) == left_module.name;
      for (const auto &[field, old] : typed_fields(on_left ? left_module : right_module,
                                                   organization_, requests[i].jsonb(2))) {
        (on_left ? left_changed : right_changed).insert(field);
        (on_left ? faces.left_base : faces.right_base).emplace(field, old);
      }
    }
    MergedFaces merged =
        merge_faces(pairing, organization_.org_id, faces, left_changed, right_changed);
    refuse_by_task_rules(organization_, pairing, faces, merged);
    Travel const travel{pairing.name, {link.link_id}, {faces.left.id, faces.right.id}};
    write(left_module, faces.left.id, std::move(merged.new_left), travel);
    write(right_module, faces.right.id, std::move(merged.new_right), travel);
    if (merged.left_base != stored_left || merged.right_base != stored_right)
      save_bases(organization_.org_id, {{link.link_id, merged.left_base, merged.right_base}});
    // A refusal names the record that was changed, a conflict the left one.
    auto const of_right = std::stable_partition(
        merged.findings.begin(), merged.findings.end(),
        [&](const Finding &finding) { return finding.record != faces.right.id; });
    record_findings(right_module, organization_.org_id, {of_right, merged.findings.end()});
    merged.findings.erase(of_right, merged.findings.end());
    record_findings(left_module, organization_.org_id, merged.findings);
  }

  void write(const Module &module, const core::Uuid &record, pg::Fields fields,
             const Travel &travel) const {
    if (fields.empty()) return;
    WriteScope const scope{Origin::bridge, module.name, actor_, std::nullopt, &travel};
    update_records(module, organization_.org_id, {{.id = record, .fields = std::move(fields)}});
  }

  bool finish() {
    if (requests_.empty()) {
      pg::Rows const rows =
          lock_link_requests.execute({pg::argument(organization_.org_id), pg::argument(link_id_)});
      for (std::uint64_t i = 0; i < rows.size(); ++i) requests_.push_back(rows[i].uuid(0));
    }
    (void)delete_requests.execute({pg::argument(organization_.org_id), pg::argument(requests_)});
    return true;
  }

  const Organization &organization_;
  core::Uuid link_id_;
  const std::string &actor_;
  std::vector<core::Uuid> requests_;
};

// What a record's own service lacks, noted late.
bool reconcile_record(const Module &module, std::int64_t org_id, const core::Uuid &record) {
  bool const there = !read_records(module, org_id, {record}).empty();
  if (there && lock_records(module, org_id, {record}).empty()) return false;
  pg::Rows const requests =
      lock_record_requests.execute({pg::argument(org_id), pg::argument(record)});
  std::vector<core::Uuid> settled;
  std::set<std::string> dirty;
  bool deliver = false;
  bool erase = false;
  for (std::uint64_t i = 0; i < requests.size(); ++i) {
    settled.push_back(requests[i].uuid(0));
    std::string const operation = requests[i].string(1);
    deliver = deliver || operation == "deliver";
    erase = erase || operation == "delete";
    for (std::string &field : pg::texts_of(requests[i][2].value)) dirty.insert(std::move(field));
  }
  if (deliver && there) {
    DirtySet set{module};
    set.add(org_id, record, {dirty.begin(), dirty.end()});
    set.flush();
    pg::call([] { CommandCounterIncrement(); });
  }
  if (erase && !there) deliver_deletions(module, org_id, {record});
  pg::Rows const known = select_external_id.execute({pg::argument(org_id), pg::argument(record)});
  if (there && !known.empty()) {
    WriteScope const scope{Origin::service, module.name, module.service};
    identify_records(module, org_id, {record}, {known[0].optional_string(0)});
  }
  (void)delete_requests.execute({pg::argument(org_id), pg::argument(settled)});
  ring_doorbell(module, deliver || erase);
  return true;
}

// (request_id uuid, org_id bigint) → boolean
Datum reconcile_request(FunctionCallInfo fcinfo) {
  catalog::demand_armed();
  core::Uuid const request = pg::uuid_of(fcinfo->args[0].value);
  auto const organization = catalog::organization(DatumGetInt64(fcinfo->args[1].value));
  pg::AsOwner owner;
  pg::SpiSession spi;
  pg::Rows const found =
      select_request.execute({pg::argument(organization->org_id), pg::argument(request)});
  if (found.empty()) return BoolGetDatum(true);  // somebody else settled it
  auto const module = catalog::module(found[0].string(0));
  std::optional<core::Uuid> const link = found[0].optional_uuid(3);
  bool const settled = link.has_value()
                           ? reconcile_link(*organization, *link, reconciler)
                           : reconcile_record(*module, organization->org_id, found[0].uuid(2));
  return BoolGetDatum(settled);
}

}  // namespace

bool reconcile_link(const Organization &organization, const core::Uuid &link,
                    const std::string &actor) {
  return LinkReconciliation{organization, link, actor}.run();
}

CRM_BRIDGE_FUNCTION(crm_bridge_reconcile_request, reconcile_request);

}  // namespace crm_bridge
