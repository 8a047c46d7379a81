// SPDX-License-Identifier: PostgreSQL
#include "pg/key_reader.hpp"

namespace crm_bridge::pg {

namespace {

// Runs below pg::call.
RegProcedure equality_of(Oid type) {
  switch (type) {
    case INT8OID:
      return F_INT8EQ;
    case UUIDOID:
      return F_UUID_EQ;
    case TEXTOID:
      return F_TEXTEQ;
    default:
      elog(ERROR, "cannot look up keys of type %u", type);
  }
}

}  // namespace

KeyReader::KeyReader(Oid table, Oid index) {
  call([&] {
    relation_ = table_open(table, RowShareLock);
    index_ = index_open(index != InvalidOid ? index : RelationGetPrimaryKeyIndex(relation_),
                        AccessShareLock);
    if (IndexRelationGetNumberOfKeyAttributes(index_) > most_keys)
      elog(ERROR, "index \"%s\" has too many columns", RelationGetRelationName(index_));
    snapshot_ = RegisterSnapshot(GetTransactionSnapshot());
    scan_ = index_beginscan(relation_, index_, snapshot_,
                            IndexRelationGetNumberOfKeyAttributes(index_), 0);
    slot_ = MakeSingleTupleTableSlot(RelationGetDescr(relation_), table_slot_callbacks(relation_));
  });
}

KeyReader::~KeyReader() {
  // Unguarded: gives back pins, references and memory; the table's lock stays until the transaction
  // ends.
  ExecDropSingleTupleTableSlot(slot_);
  index_endscan(scan_);
  UnregisterSnapshot(snapshot_);
  index_close(index_, NoLock);
  table_close(relation_, NoLock);
}

bool KeyReader::find(std::initializer_list<Datum> keys) {
  return call([&] {
    CHECK_FOR_INTERRUPTS();
    ScanKeyData scan_keys[most_keys];
    AttrNumber number = 0;
    for (Datum key : keys) {
      Oid const type = TupleDescAttr(RelationGetDescr(index_), number)->atttypid;
      ScanKeyEntryInitialize(&scan_keys[number], 0, static_cast<AttrNumber>(number + 1),
                             BTEqualStrategyNumber, InvalidOid, index_->rd_indcollation[number],
                             equality_of(type), key);
      ++number;
    }
    index_rescan(scan_, scan_keys, number, nullptr, 0);
    if (!index_getnext_slot(scan_, ForwardScanDirection, slot_)) return false;
    slot_getallattrs(slot_);
    return true;
  });
}

KeyReader::Lock KeyReader::lock() {
  return call([&] {
    bool const one_snapshot = IsolationUsesXactSnapshot();
    ItemPointerData tid = slot_->tts_tid;
    TM_FailureData failure;
    TM_Result const outcome = table_tuple_lock(
        relation_, &tid, snapshot_, slot_, GetCurrentCommandId(true), LockTupleNoKeyExclusive,
        LockWaitSkip, one_snapshot ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    if (outcome == TM_WouldBlock) return Lock::busy;
    if (one_snapshot && (outcome == TM_Updated || outcome == TM_Deleted))
      ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                      errmsg("could not serialize access due to concurrent update")));
    if (outcome != TM_Ok) return Lock::gone;
    slot_getallattrs(slot_);
    return Lock::locked;
  });
}

}  // namespace crm_bridge::pg
