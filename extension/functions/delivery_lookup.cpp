// SPDX-License-Identifier: PostgreSQL
#include "functions/delivery_lookup.hpp"

#include <exception>

#include "pg/memory.hpp"

namespace crm_bridge {

namespace {

constexpr int key_columns = 2;

}  // namespace

DeliveryLookup::DeliveryLookup(Relation delivery)
    : home_(CurrentMemoryContext), delivery_(delivery), exceptions_(std::uncaught_exceptions()) {
  pg::call([&] {
    index_ = index_open(RelationGetPrimaryKeyIndex(delivery_), RowExclusiveLock);
    slot_ = MakeSingleTupleTableSlot(RelationGetDescr(delivery_), table_slot_callbacks(delivery_));
    scan_ = index_beginscan(delivery_, index_, SnapshotAny, key_columns, 0);
  });
}

DeliveryLookup::~DeliveryLookup() {
  // Unguarded: gives back pins, references and memory.  After an ERROR the scan may have stopped
  // anywhere; then the end of the (sub)transaction gives back what it held.
  if (std::uncaught_exceptions() == exceptions_) index_endscan(scan_);
  ExecDropSingleTupleTableSlot(slot_);
  index_close(index_, NoLock);
}

// Runs below pg::call.
void DeliveryLookup::scan(StrategyNumber strategy, std::int64_t org_id, const core::Uuid &record,
                          Snapshot snapshot) {
  ScanKeyData keys[key_columns];
  ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(org_id));
  ScanKeyInit(&keys[1], 2, strategy, strategy == BTEqualStrategyNumber ? F_UUID_EQ : F_UUID_GE,
              PointerGetDatum(record.bytes.data()));
  scan_->xs_snapshot = snapshot;
  index_rescan(scan_, keys, key_columns, nullptr, 0);
}

TM_Result DeliveryLookup::find_and_lock(std::int64_t org_id, const core::Uuid &record) {
  if (is_in_gap(org_id, record)) {
    ++gaps_used_;
    return TM_Deleted;
  }
  // A scan allocates as it goes.
  pg::ContextScope const scope{home_};
  // New records come with ascending ids: where one was missing, the next is probably missing too.
  if (missed_.has_value() && record > *missed_ && gaps_sought_ <= gaps_used_) {
    if (look_for_gap(org_id, record)) return TM_Deleted;
  }
  TM_Result const outcome = pg::call([&] {
    Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
    scan(BTEqualStrategyNumber, org_id, record, snapshot);
    TM_Result result = TM_Deleted;
    if (index_getnext_slot(scan_, ForwardScanDirection, slot_)) {
      ItemPointerData tid = slot_->tts_tid;
      TM_FailureData failure;
      result = table_tuple_lock(delivery_, &tid, snapshot, slot_, GetCurrentCommandId(true),
                                LockTupleNoKeyExclusive, LockWaitSkip,
                                TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    }
    scan_->xs_snapshot = SnapshotAny;
    UnregisterSnapshot(snapshot);
    return result;
  });
  missed_ = outcome == TM_Deleted ? std::optional{record} : std::nullopt;
  return outcome;
}

bool DeliveryLookup::is_in_gap(std::int64_t org_id, const core::Uuid &record) const {
  return gap_.has_value() && gap_->org_id == org_id && record > gap_->after &&
         (!gap_->before.has_value() || record < *gap_->before);
}

// Tells whether the record has no row.  Reads keys only, whatever their rows have become: what has
// no key in the index has no row that anybody could see, and nobody adds one meanwhile, because
// only the holder of the mirror row would.
bool DeliveryLookup::look_for_gap(std::int64_t org_id, const core::Uuid &record) {
  ++gaps_sought_;
  gap_.reset();
  Gap gap{org_id, record, std::nullopt};
  bool const found = pg::call([&] {
    scan_->xs_want_itup = true;
    scan(BTGreaterEqualStrategyNumber, org_id, record, SnapshotAny);
    bool const any = index_getnext_tid(scan_, ForwardScanDirection) != nullptr;
    if (any) {
      bool is_null = false;
      Datum const key = index_getattr(scan_->xs_itup, 2, scan_->xs_itupdesc, &is_null);
      core::Uuid next;
      std::memcpy(next.bytes.data(), DatumGetUUIDP(key)->data, UUID_LEN);
      gap.before = next;
    }
    scan_->xs_want_itup = false;
    return any;
  });
  if (found && *gap.before == record) return false;
  gap_ = gap;
  return true;
}

}  // namespace crm_bridge
