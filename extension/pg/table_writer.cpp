// SPDX-License-Identifier: PostgreSQL
#include "pg/table_writer.hpp"

#include <map>

namespace crm_bridge::pg {

// What inserting into a table's indexes needs to know, kept for the session: building it anew,
// predicates of partial indexes included, would cost a single-row statement as much as the entries
// themselves.
class IndexPlan {
 public:
  explicit IndexPlan(Relation table) {
    call([&] { build(table); });
  }
  IndexPlan(const IndexPlan &) = delete;
  IndexPlan &operator=(const IndexPlan &) = delete;

  // The table's plan, made anew where its indexes have become others.  An index of the same oid has
  // the same columns and the same predicate for life.
  static std::shared_ptr<const IndexPlan> of(Relation table) {
    // Never destroyed: a session that ends has no server left to give memory back to.
    static auto &plans = *new std::map<Oid, std::shared_ptr<const IndexPlan>>;
    std::shared_ptr<const IndexPlan> &plan = plans[RelationGetRelid(table)];
    bool const fits = plan != nullptr && call([&] {
                        List *indexes = RelationGetIndexList(table);
                        bool const same = equal(indexes, plan->indexes_);
                        list_free(indexes);
                        return same;
                      });
    if (!fits) plan = std::make_shared<const IndexPlan>(table);
    return plan;
  }

  const List *indexes() const { return indexes_; }
  IndexInfo **infos() const { return infos_; }
  // Holds the predicates' compiled form; shared by the writers of one table, none of which keeps
  // anything in it between two rows.
  EState *estate() const { return estate_; }

 private:
  // Runs below pg::call.
  void build(Relation table) {
    MemoryContext const previous = MemoryContextSwitchTo(home_.context);
    indexes_ = RelationGetIndexList(table);
    estate_ = CreateExecutorState();
    infos_ = palloc_array(IndexInfo *, static_cast<std::size_t>(list_length(indexes_)) + 1);
    for (int i = 0; i < list_length(indexes_); ++i) {
      Relation const index = index_open(list_nth_oid(indexes_, i), RowExclusiveLock);
      infos_[i] = BuildIndexInfo(index);
      index_close(index, NoLock);
    }
    MemoryContextSwitchTo(previous);
  }

  struct Home {
    Home()
        : context(call([] {
            return AllocSetContextCreateInternal(TopMemoryContext, "crm_bridge index plan",
                                                 ALLOCSET_SMALL_SIZES);
          })) {}
    ~Home() { MemoryContextDelete(context); }  // unguarded: frees memory
    Home(const Home &) = delete;
    Home &operator=(const Home &) = delete;
    MemoryContext context;
  };

  Home home_;
  List *indexes_ = nullptr;
  IndexInfo **infos_ = nullptr;
  EState *estate_ = nullptr;
};

TableWriter::TableWriter(Oid table) : home_(CurrentMemoryContext) {
  relation_ = call([&] { return table_open(table, RowExclusiveLock); });
}

TableWriter::~TableWriter() {
  // Unguarded: gives back pins, references and memory; the locks stay until the transaction ends.
  for (TupleTableSlot *slot : slots_) {
    if (slot != nullptr) ExecDropSingleTupleTableSlot(slot);
  }
  if (result_ != nullptr) {
    for (int i = 0; i < result_->ri_NumIndices; ++i)
      index_close(result_->ri_IndexRelationDescs[i], NoLock);
  }
  table_close(relation_, NoLock);
}

void TableWriter::append(const Datum *values, const bool *nulls) {
  call([&] {
    TupleTableSlot *&slot = slots_[filled_];
    if (slot == nullptr) {
      // The caller's context may be a scratch one.
      MemoryContext const context = MemoryContextSwitchTo(home_);
      slot = MakeSingleTupleTableSlot(descriptor(), table_slot_callbacks(relation_));
      MemoryContextSwitchTo(context);
    }
    ExecClearTuple(slot);
    auto const width = static_cast<std::size_t>(descriptor()->natts);
    std::memcpy(slot->tts_values, values, width * sizeof(Datum));
    std::memcpy(slot->tts_isnull, nulls, width * sizeof(bool));
    ExecStoreVirtualTuple(slot);
    ExecMaterializeSlot(slot);
  });
  if (++filled_ == batch) flush();
}

void TableWriter::flush() {
  if (filled_ == 0) return;
  open_indexes();
  call([&] {
    CommandId const command = GetCurrentCommandId(true);
    if (filled_ == 1) {
      table_tuple_insert(relation_, slots_[0], command, 0, nullptr);
    } else {
      table_multi_insert(relation_, slots_, filled_, command, 0, nullptr);
    }
    for (int i = 0; i < filled_; ++i) {
      insert_index_entries(slots_[i], false);
      ExecClearTuple(slots_[i]);
    }
    filled_ = 0;
  });
}

void TableWriter::update(ItemPointer tid, TupleTableSlot *slot) {
  bool const needs_entries = call([&] {
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
    return indexes != TU_None;
#else
    return indexes;
#endif
  });
  if (!needs_entries) return;
  open_indexes();
  call([&] { insert_index_entries(slot, true); });
}

void TableWriter::open_indexes() {
  if (result_ != nullptr) return;
  plan_ = IndexPlan::of(relation_);
  call([&] {
    MemoryContext const context = MemoryContextSwitchTo(home_);
    int const count = list_length(plan_->indexes());
    ResultRelInfo *result = makeNode(ResultRelInfo);
    result->ri_RelationDesc = relation_;
    result->ri_IndexRelationInfo = plan_->infos();
    result->ri_IndexRelationDescs = palloc0_array(Relation, static_cast<std::size_t>(count) + 1);
    for (int i = 0; i < count; ++i) {
      Relation const index = index_open(list_nth_oid(plan_->indexes(), i), RowExclusiveLock);
      result->ri_IndexRelationDescs[i] = index;
      // CREATE INDEX CONCURRENTLY makes an index ready some time after it appears.
      plan_->infos()[i]->ii_ReadyForInserts = index->rd_index->indisready;
    }
    result->ri_NumIndices = count;
    result_ = result;
    MemoryContextSwitchTo(context);
  });
}

// Runs below pg::call.
void TableWriter::insert_index_entries(TupleTableSlot *slot, bool update) {
  if (result_->ri_NumIndices == 0) return;
  EState *estate = plan_->estate();
  // Signatures that differ between major versions.
#if PG_VERSION_NUM >= 160000
  List *recheck = ExecInsertIndexTuples(result_, slot, estate, update, false, nullptr, NIL, false);
#else
  List *recheck = ExecInsertIndexTuples(result_, slot, estate, update, false, nullptr, NIL);
#endif
  list_free(recheck);
  ResetPerTupleExprContext(estate);
}

}  // namespace crm_bridge::pg
