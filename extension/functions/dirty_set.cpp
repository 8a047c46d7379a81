// SPDX-License-Identifier: PostgreSQL
#include "functions/dirty_set.hpp"

#include "functions/doorbell.hpp"
#include "pg/memory.hpp"

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
  a_doubted,
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

// Finds the row by its key and locks its latest version without waiting.  Runs below pg::call.
// TM_Ok: locked, `slot` holds it; TM_Deleted: there is none; TM_WouldBlock: somebody else holds it.
TM_Result find_and_lock(Relation table, std::int64_t org_id, const core::Uuid &record,
                        TupleTableSlot *slot) {
  Relation const index = index_open(RelationGetPrimaryKeyIndex(table), RowExclusiveLock);
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(org_id));
  ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, PointerGetDatum(record.bytes.data()));
  Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
  IndexScanDesc const scan = index_beginscan(table, index, snapshot, 2, 0);
  index_rescan(scan, keys, 2, nullptr, 0);
  TM_Result outcome = TM_Deleted;
  if (index_getnext_slot(scan, ForwardScanDirection, slot)) {
    ItemPointerData tid = slot->tts_tid;
    TM_FailureData failure;
    outcome = table_tuple_lock(table, &tid, snapshot, slot, GetCurrentCommandId(true),
                               LockTupleNoKeyExclusive, LockWaitSkip,
                               TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
  }
  index_endscan(scan);
  UnregisterSnapshot(snapshot);
  index_close(index, NoLock);
  return outcome;
}

}  // namespace

void DirtySet::open() {
  if (writer_ != nullptr) return;
  pg::ContextScope const scope{home_};
  writer_ = std::make_unique<pg::TableWriter>(delivery_table(), attribute_count);
  module_name_ = pg::argument(module_.name).value;
  service_ = pg::argument(module_.service).value;
  operation_ = pg::argument(std::string{"write"}).value;
  state_ = pg::argument(std::string{"pending"}).value;
  no_fields_ = pg::argument(std::vector<std::string>{}).value;
}

DirtySet::Found DirtySet::update_existing(std::int64_t org_id, const core::Uuid &record,
                                          const std::vector<std::string_view> &fields) {
  Relation const table = writer_->relation();
  TupleTableSlot *slot = pg::call([&] {
    return MakeSingleTupleTableSlot(RelationGetDescr(table), table_slot_callbacks(table));
  });
  struct Drop {
    TupleTableSlot *slot;
    ~Drop() { ExecDropSingleTupleTableSlot(slot); }  // unguarded: releases a pin and memory
  } const drop{slot};
  TM_Result const found = pg::call([&] { return find_and_lock(table, org_id, record, slot); });
  if (found == TM_Deleted) return Found::none;
  if (found == TM_WouldBlock) return Found::contended;
  if (found != TM_Ok)
    throw core::Error{{.sqlstate = "40001",
                       .message = "could not note the change for its service: the row moved"}};

  bool in_flight = false;
  bool stopped = false;
  bool deletion = false;
  pg::call([&] {
    slot_getallattrs(slot);
    in_flight = text_is(slot->tts_values[a_state], "in_flight");
    // A held row waits for a person's approval; an edit does not release it.
    stopped =
        DatumGetBool(slot->tts_values[a_stopped]) && !text_is(slot->tts_values[a_state], "held");
    deletion = text_is(slot->tts_values[a_operation], "delete");
  });
  std::vector<std::string> dirty = pg::texts_of(slot->tts_values[a_fields]);
  std::size_t const before = dirty.size();
  for (std::string_view field : fields) {
    if (std::find(dirty.begin(), dirty.end(), field) == dirty.end()) dirty.emplace_back(field);
  }
  // Locked and complete already: claim skips the row until this transaction ends, so it will read
  // what we wrote.
  if (dirty.size() == before && !in_flight && !stopped && !deletion) return Found::settled;

  pg::check_interrupts();
  Datum const dirty_array = pg::argument(dirty).value;
  pg::call([&] {
    ItemPointerData tid = slot->tts_tid;
    TupleTableSlot *changed = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
    ExecClearTuple(changed);
    std::memcpy(changed->tts_values, slot->tts_values, attribute_count * sizeof(Datum));
    std::memcpy(changed->tts_isnull, slot->tts_isnull, attribute_count * sizeof(bool));
    changed->tts_values[a_fields] = dirty_array;
    changed->tts_values[a_operation] = operation_;
    if (in_flight) {
      changed->tts_values[a_generation] =
          Int64GetDatum(DatumGetInt64(slot->tts_values[a_generation]) + 1);
    } else if (stopped) {
      // The record was edited: what a person had to mend may be mended, and what it waited for may
      // be gone.
      changed->tts_values[a_state] = state_;
      changed->tts_values[a_stopped] = BoolGetDatum(false);
      changed->tts_isnull[a_waits_for] = true;
      changed->tts_values[a_attempts] = Int32GetDatum(0);
      changed->tts_values[a_not_before] = TimestampTzGetDatum(DT_NOBEGIN);
      changed->tts_values[a_queued_at] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
    }
    ExecStoreVirtualTuple(changed);
    writer_->update(&tid, changed);
    ExecDropSingleTupleTableSlot(changed);
  });
  return Found::settled;
}

void DirtySet::add(std::int64_t org_id, const core::Uuid &record,
                   const std::vector<std::string_view> &fields) {
  written_ = true;
  // Looking for the row would count as reading what others write, and fail transactions that have
  // nothing in common.
  if (IsolationIsSerializable()) {
    leave_request(org_id, record, fields);
    return;
  }
  open();
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
  values[a_fields] =
      fields.empty() ? no_fields_
                     : pg::argument(std::vector<std::string>{fields.begin(), fields.end()}).value;
  for (Attribute attribute :
       {a_lease, a_sent, a_sent_at, a_waits_for, a_reason, a_detail, a_doubted})
    nulls[attribute] = true;
  pg::call([&] { writer_->append(values.data(), nulls.data()); });
}

void DirtySet::leave_request(std::int64_t org_id, const core::Uuid &record,
                             const std::vector<std::string_view> &fields) {
  pg::AsOwner owner;
  pg::SpiSession spi;
  (void)insert_request.execute(
      {pg::argument(org_id), pg::argument(record), pg::argument(module_.name),
       pg::argument(std::vector<std::string>{fields.begin(), fields.end()})});
  note_request_left();
}

void DirtySet::flush() {
  if (writer_ == nullptr) return;
  pg::call([&] { writer_->flush(); });
}

void deliver_deletions(const Module &module, std::int64_t org_id,
                       const std::vector<core::Uuid> &records) {
  // The delivery row may be newer than the transaction's snapshot: to lock it would fail.
  bool const leaves_request = IsolationUsesXactSnapshot();
  pg::Statement &statement = leaves_request ? insert_deletion_requests : call_deliver_deletions;
  (void)statement.execute({pg::argument(org_id), pg::argument(module.name), pg::argument(records)});
  if (leaves_request) note_request_left();
}

}  // namespace crm_bridge
