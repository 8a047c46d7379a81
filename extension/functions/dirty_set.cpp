// SPDX-License-Identifier: PostgreSQL
#include "functions/dirty_set.hpp"

#include "pg/memory.hpp"
#include "settings.hpp"

namespace crm_bridge {

namespace {

// Columns of crm_bridge.delivery, in the order of its CREATE TABLE.
enum Attribute : std::size_t {
  a_org_id,
  a_record_id,
  a_module,
  a_service,
  a_operation,
  a_state,
  a_stopped,
  a_fields,
  a_generation,
  a_attempts,
  a_in_doubt,
  a_queued_at,
  a_not_before,
  a_lease,
  a_sent,
  a_sent_at,
  a_waits_for,
  a_reason,
  a_detail,
  attribute_count
};

constinit pg::Statement insert_request{
    "INSERT INTO crm_bridge.reconcile_request (org_id, record_id, module, operation, fields)"
    " VALUES ($1, $2, $3, 'deliver', $4)",
    {INT8OID, UUIDOID, TEXTOID, TEXTARRAYOID}};

constinit pg::Statement insert_deletion_requests{
    "INSERT INTO crm_bridge.reconcile_request (org_id, module, record_id, operation)"
    " SELECT $1, $2, r, 'delete' FROM pg_catalog.unnest($3) AS r",
    {INT8OID, TEXTOID, UUIDARRAYOID}};

constinit pg::Statement call_deliver_deletions{"SELECT crm_bridge._deliver_deletions($1, $2, $3)",
                                               {INT8OID, TEXTOID, UUIDARRAYOID}};

Oid delivery_table() {
  return pg::call(
      [] { return get_relname_relid("delivery", get_namespace_oid("crm_bridge", false)); });
}

// Runs below pg::call.
bool text_is(Datum datum, std::string_view expected) {
  const text *value = DatumGetTextPP(datum);
  return std::string_view{VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))} ==
         expected;
}

// Two arrays that were both made here; the stored one may have a short header.  Runs below
// pg::call.
bool same_bytes(Datum left, Datum right) {
  const struct varlena *a =
      pg_detoast_datum_packed(reinterpret_cast<struct varlena *>(DatumGetPointer(left)));
  const struct varlena *b = reinterpret_cast<struct varlena *>(DatumGetPointer(right));
  return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
         std::memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

// The doorbell's window is opened by a commit, never by a transaction that may still roll back.
constinit TimestampTz last_ring = 0;
constinit bool rung = false;
constinit bool callback_registered = false;

// What was rung in a savepoint that is rolled back is never heard: the window stays closed.
void on_savepoint_end(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
  if (event == SUBXACT_EVENT_ABORT_SUB) rung = false;
}

void on_transaction_end(XactEvent event, void *) {
  if (event == XACT_EVENT_COMMIT && rung) last_ring = GetCurrentTransactionStopTimestamp();
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
    rung = false;
}

}  // namespace

void DirtySet::open() {
  if (writer_ != nullptr) return;
  pg::ContextScope const scope{home_};
  writer_ = std::make_unique<pg::TableWriter>(delivery_table());
  lookup_ = std::make_unique<DeliveryLookup>(writer_->relation());
  module_name_ = pg::argument(module_.name).value;
  service_ = pg::argument(module_.service).value;
  operation_ = pg::argument(std::string{"write"}).value;
  state_ = pg::argument(std::string{"pending"}).value;
}

Datum DirtySet::array_of(const std::vector<std::string_view> &fields) {
  if (last_array_ == 0 ||
      !std::equal(fields.begin(), fields.end(), last_fields_.begin(), last_fields_.end())) {
    pg::ContextScope const scope{home_};
    last_fields_.assign(fields.begin(), fields.end());
    last_array_ = pg::argument(last_fields_).value;
  }
  return last_array_;
}

DirtySet::Found DirtySet::update_existing(std::int64_t org_id, const core::Uuid &record,
                                          const std::vector<std::string_view> &fields) {
  TM_Result const found = lookup_->find_and_lock(org_id, record);
  if (found == TM_Deleted) return Found::none;
  if (found == TM_WouldBlock) return Found::contended;
  if (found != TM_Ok)
    throw core::Error{{.sqlstate = "40001",
                       .message = "could not note the change for its service: the row moved"}};

  TupleTableSlot *row = lookup_->row();
  Datum const wanted = array_of(fields);
  bool in_flight = false;
  bool stopped = false;
  bool deletion = false;
  bool const same_fields = pg::call([&] {
    slot_getallattrs(row);
    in_flight = text_is(row->tts_values[a_state], "in_flight");
    // A held row waits for a person's approval; an edit does not release it.
    stopped =
        DatumGetBool(row->tts_values[a_stopped]) && !text_is(row->tts_values[a_state], "held");
    deletion = text_is(row->tts_values[a_operation], "delete");
    return same_bytes(row->tts_values[a_fields], wanted);
  });
  bool const undisturbed = !in_flight && !stopped && !deletion;
  if (same_fields && undisturbed) return Found::settled;

  std::vector<std::string> dirty = pg::texts_of(row->tts_values[a_fields]);
  std::size_t const before = dirty.size();
  for (std::string_view field : fields) {
    if (std::find(dirty.begin(), dirty.end(), field) == dirty.end()) dirty.emplace_back(field);
  }
  // Locked and complete already: claim skips the row until this transaction ends, so it will read
  // what we wrote.
  if (dirty.size() == before && undisturbed) return Found::settled;
  mark(row, in_flight, stopped, dirty);
  return Found::settled;
}

void DirtySet::mark(TupleTableSlot *row, bool in_flight, bool stopped,
                    const std::vector<std::string> &dirty) {
  pg::check_interrupts();
  Relation const table = writer_->relation();
  Datum const dirty_array = pg::argument(dirty).value;
  ItemPointerData tid = row->tts_tid;
  TupleTableSlot *changed = pg::call([&] {
    TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
    ExecClearTuple(slot);
    std::memcpy(slot->tts_values, row->tts_values, attribute_count * sizeof(Datum));
    std::memcpy(slot->tts_isnull, row->tts_isnull, attribute_count * sizeof(bool));
    slot->tts_values[a_fields] = dirty_array;
    slot->tts_values[a_operation] = operation_;
    if (in_flight) {
      slot->tts_values[a_generation] =
          Int64GetDatum(DatumGetInt64(row->tts_values[a_generation]) + 1);
    } else if (stopped) {
      // The record was edited: what a person had to mend may be mended, and what it waited for may
      // be gone.
      slot->tts_values[a_state] = state_;
      slot->tts_values[a_stopped] = BoolGetDatum(false);
      slot->tts_isnull[a_waits_for] = true;
      slot->tts_values[a_attempts] = Int32GetDatum(0);
      slot->tts_values[a_not_before] = TimestampTzGetDatum(DT_NOBEGIN);
      slot->tts_values[a_queued_at] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
    }
    ExecStoreVirtualTuple(slot);
    return slot;
  });
  writer_->update(&tid, changed);
  pg::call([&] { ExecDropSingleTupleTableSlot(changed); });
}

void DirtySet::add(std::int64_t org_id, const core::Uuid &record,
                   const std::vector<std::string_view> &fields) {
  open();
  written_ = true;
  switch (update_existing(org_id, record, fields)) {
    case Found::settled:
      return;
    case Found::contended:
      leave_request(org_id, record, fields);
      return;
    case Found::none:
      break;
  }
  std::array<Datum, attribute_count> values{};
  std::array<bool, attribute_count> nulls{};
  values[a_org_id] = Int64GetDatum(org_id);
  values[a_record_id] = PointerGetDatum(record.bytes.data());
  values[a_module] = module_name_;
  values[a_service] = service_;
  values[a_operation] = operation_;
  values[a_state] = state_;
  values[a_stopped] = BoolGetDatum(false);
  values[a_generation] = Int64GetDatum(1);
  values[a_attempts] = Int32GetDatum(0);
  values[a_in_doubt] = BoolGetDatum(false);
  values[a_queued_at] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
  values[a_not_before] = TimestampTzGetDatum(DT_NOBEGIN);
  values[a_fields] = array_of(fields);
  for (Attribute attribute : {a_lease, a_sent, a_sent_at, a_waits_for, a_reason, a_detail})
    nulls[attribute] = true;
  writer_->append(values.data(), nulls.data());
}

void DirtySet::leave_request(std::int64_t org_id, const core::Uuid &record,
                             const std::vector<std::string_view> &fields) {
  pg::AsOwner owner;
  pg::SpiSession spi;
  (void)insert_request.execute(
      {pg::argument(org_id), pg::argument(record), pg::argument(module_.name),
       pg::argument(std::vector<std::string>{fields.begin(), fields.end()})});
}

void DirtySet::flush() {
  if (writer_ == nullptr) return;
  writer_->flush();
}

void deliver_deletions(const Module &module, std::int64_t org_id,
                       const std::vector<core::Uuid> &records) {
  // The delivery row may be newer than the transaction's snapshot: to lock it would fail.
  pg::Statement &statement =
      IsolationUsesXactSnapshot() ? insert_deletion_requests : call_deliver_deletions;
  (void)statement.execute({pg::argument(org_id), pg::argument(module.name), pg::argument(records)});
}

void ring_doorbell(const Module &module, bool has_work) {
  pg::call([&] {
    if (settings::notify_changed) Async_Notify("crm_bridge_changed", module.name.c_str());
    if (!has_work || !settings::notify) return;
    if (!callback_registered) {
      RegisterXactCallback(on_transaction_end, nullptr);
      RegisterSubXactCallback(on_savepoint_end, nullptr);
      callback_registered = true;
    }
    TimestampTz const window = static_cast<TimestampTz>(settings::notify_interval) * 1000;
    if (GetCurrentStatementStartTimestamp() - last_ring < window) return;
    Async_Notify("crm_bridge", module.service.c_str());
    rung = true;
  });
}

}  // namespace crm_bridge
