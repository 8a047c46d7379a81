// SPDX-License-Identifier: PostgreSQL
#include "pg/table_writer.hpp"

namespace crm_bridge::pg {

namespace {

// Signatures that differ between major versions.
void insert_index_entries(ResultRelInfo *result, TupleTableSlot *slot, EState *estate,
                          bool update) {
#if PG_VERSION_NUM >= 160000
  List *recheck = ExecInsertIndexTuples(result, slot, estate, update, false, nullptr, NIL, false);
#else
  List *recheck = ExecInsertIndexTuples(result, slot, estate, update, false, nullptr, NIL);
#endif
  list_free(recheck);
}

}  // namespace

TableWriter::TableWriter(Oid table, int columns) {
  call([&] {
    relation_ = table_open(table, RowExclusiveLock);
    if (descriptor()->natts != columns)
      ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                      errmsg("table \"%s\" has %d columns, the library knows %d",
                             RelationGetRelationName(relation_), descriptor()->natts, columns),
                      errdetail("Library and tables of crm_bridge are of two versions."),
                      errhint("ALTER EXTENSION crm_bridge UPDATE;")));
    estate_ = CreateExecutorState();
    result_ = makeNode(ResultRelInfo);
    InitResultRelInfo(result_, relation_, 0, nullptr, 0);
    ExecOpenIndices(result_, false);
  });
}

TableWriter::~TableWriter() {
  // Unguarded: gives back pins, references and memory; the lock stays until the transaction ends.
  for (TupleTableSlot *slot : slots_) {
    if (slot != nullptr) ExecDropSingleTupleTableSlot(slot);
  }
  ExecCloseIndices(result_);
  FreeExecutorState(estate_);
  table_close(relation_, NoLock);
}

void TableWriter::append(const Datum *values, const bool *nulls) {
  TupleTableSlot *&slot = slots_[filled_];
  if (slot == nullptr) {
    // The caller's context may be a scratch one.
    MemoryContext const context = MemoryContextSwitchTo(estate_->es_query_cxt);
    slot = MakeSingleTupleTableSlot(descriptor(), table_slot_callbacks(relation_));
    MemoryContextSwitchTo(context);
  }
  ExecClearTuple(slot);
  auto const width = static_cast<std::size_t>(descriptor()->natts);
  std::memcpy(slot->tts_values, values, width * sizeof(Datum));
  std::memcpy(slot->tts_isnull, nulls, width * sizeof(bool));
  ExecStoreVirtualTuple(slot);
  ExecMaterializeSlot(slot);
  if (++filled_ == batch) flush();
}

void TableWriter::flush() {
  if (filled_ == 0) return;
  CommandId const command = GetCurrentCommandId(true);
  if (filled_ == 1) {
    table_tuple_insert(relation_, slots_[0], command, 0, nullptr);
  } else {
    table_multi_insert(relation_, slots_, filled_, command, 0, nullptr);
  }
  for (int i = 0; i < filled_; ++i) {
    if (result_->ri_NumIndices > 0) insert_index_entries(result_, slots_[i], estate_, false);
    ExecClearTuple(slots_[i]);
    ResetPerTupleExprContext(estate_);
  }
  filled_ = 0;
}

void TableWriter::update(ItemPointer tid, TupleTableSlot *slot) {
  TM_FailureData failure;
  LockTupleMode lock_mode;
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes indexes = TU_None;
#else
  bool indexes = false;
#endif
  TM_Result const outcome =
      table_tuple_update(relation_, tid, slot, GetCurrentCommandId(true), GetLatestSnapshot(),
                         InvalidSnapshot, true, &failure, &lock_mode, &indexes);
  // The caller holds the row's lock, so nobody can have come in between.
  if (outcome != TM_Ok)
    elog(ERROR, "row of \"%s\" changed while it was locked", RelationGetRelationName(relation_));
#if PG_VERSION_NUM >= 160000
  if (indexes != TU_None) insert_index_entries(result_, slot, estate_, true);
#else
  if (indexes) insert_index_entries(result_, slot, estate_, true);
#endif
  ResetPerTupleExprContext(estate_);
}

}  // namespace crm_bridge::pg
