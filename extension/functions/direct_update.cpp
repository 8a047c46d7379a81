// SPDX-License-Identifier: PostgreSQL
#include "functions/direct_update.hpp"

#include "functions/capture.hpp"
#include "functions/write_scope.hpp"
#include "pg/memory.hpp"
#include "pg/table_writer.hpp"

namespace crm_bridge {

namespace {

// Columns that CHECK constraints of a table speak of.
struct Checked {
  Oid table = InvalidOid;
  Bitmapset *columns = nullptr;  // offset as the server's own sets of columns; in TopMemoryContext
  bool whole_row = false;
};
constinit Checked checked;
constinit bool registered = false;

void on_invalidation(Datum, Oid relation) {
  if (relation == InvalidOid || relation == checked.table) checked.table = InvalidOid;
}

// Runs below pg::call.  The stamp's own check is left out: what is written here is one of its
// words.
const Checked &checked_columns(Relation table) {
  Oid const id = RelationGetRelid(table);
  if (checked.table == id) return checked;
  if (!registered) CacheRegisterRelcacheCallback(on_invalidation, static_cast<Datum>(0));
  registered = true;
  const TupleConstr *constraints = RelationGetDescr(table)->constr;
  Bitmapset *columns = nullptr;
  for (int i = 0; constraints != nullptr && i < constraints->num_check; ++i) {
    const char *name = constraints->check[i].ccname;
    std::size_t const length = std::strlen(RelationGetRelationName(table));
    if (std::strncmp(name, RelationGetRelationName(table), length) == 0 &&
        std::strcmp(name + length, "_origin_known") == 0)
      continue;
    pull_varattnos(static_cast<Node *>(stringToNode(constraints->check[i].ccbin)), 1, &columns);
  }
  MemoryContext const context = MemoryContextSwitchTo(TopMemoryContext);
  Bitmapset *kept = bms_copy(columns);
  MemoryContextSwitchTo(context);
  bms_free(checked.columns);
  checked = {id, kept, bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, kept)};
  return checked;
}

bool is_ours(const Trigger &trigger, const Module &module) {
  return (trigger.tgfoid == module.guard || trigger.tgfoid == module.capture) &&
         trigger.tgenabled == TRIGGER_FIRES_ON_ORIGIN && trigger.tgqual == nullptr &&
         trigger.tgnargs == 1 && module.name == trigger.tgargs[0];
}

// Whether an UPDATE of this table would do what is done here and nothing else.
bool has_only_ours(Relation table, const Module &module) {
  if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rules != nullptr ||
      table->rd_rel->relforcerowsecurity || table->trigdesc == nullptr ||
      SessionReplicationRole != SESSION_REPLICATION_ROLE_ORIGIN)
    return false;
  const TupleConstr *constraints = RelationGetDescr(table)->constr;
  if (constraints != nullptr && constraints->has_generated_stored) return false;
  int ours = 0;
  for (int i = 0; i < table->trigdesc->numtriggers; ++i) {
    const Trigger &trigger = table->trigdesc->triggers[i];
    if (!TRIGGER_FOR_UPDATE(trigger.tgtype)) continue;
    if (!is_ours(trigger, module)) return false;
    ++ours;
  }
  return ours == 2;
}

class DirectUpdate {
 public:
  DirectUpdate(const Module &module, std::int64_t org_id, const WriteScope &scope,
               const std::vector<const Column *> &columns)
      : module_(module),
        org_id_(org_id),
        columns_(columns),
        reader_(module.relation),
        writer_(pg::TableWriter::open(module.relation, reader_.width())) {
    pg::call([&] {
      const Checked &constraints = checked_columns(table());
      checks_ = constraints.whole_row;
      for (const Column *column : columns_)
        checks_ = checks_ || bms_is_member(column->number - FirstLowInvalidHeapAttributeNumber,
                                           constraints.columns);
      CheckCmdReplicaIdentity(table(), CMD_UPDATE);
      old_rows_ = tuplestore_begin_heap(false, false, work_mem);
      new_rows_ = tuplestore_begin_heap(false, false, work_mem);
      slot_ = MakeSingleTupleTableSlot(descriptor(), &TTSOpsVirtual);
      origin_ = CStringGetTextDatum(to_text(scope.origin()));
      actor_ = CStringGetTextDatum(scope.actor().c_str());
    });
  }
  ~DirectUpdate() {
    // Unguarded: gives back memory and files.
    ExecDropSingleTupleTableSlot(slot_);
    tuplestore_end(new_rows_);
    tuplestore_end(old_rows_);
  }
  DirectUpdate(const DirectUpdate &) = delete;
  DirectUpdate &operator=(const DirectUpdate &) = delete;

  bool possible() const { return writer_->checks_at_once(); }

  // false: an UPDATE shall see to it.
  bool write(const Patch &patch) {
    // Its lock is ours: where it still lies there, nobody can have come in between.
    bool const held = reader_.at(patch.place) &&
                      DatumGetInt64(reader_.value(module_.org_id)) == org_id_ &&
                      pg::uuid_of(reader_.value(module_.id)) == patch.id;
    if (!held && (!reader_.find({Int64GetDatum(org_id_), PointerGetDatum(patch.id.bytes.data())}) ||
                  reader_.lock() != pg::KeyReader::Lock::locked))
      return false;
    pg::call([&] {
      ExecClearTuple(slot_);
      auto const width = static_cast<std::size_t>(descriptor()->natts);
      std::memcpy(slot_->tts_values, reader_.row()->tts_values, width * sizeof(Datum));
      std::memcpy(slot_->tts_isnull, reader_.row()->tts_isnull, width * sizeof(bool));
    });
    for (const Column *column : columns_) {
      NullableDatum const value = pg::argument(patch.fields.at(column->field));
      if (value.isnull && TupleDescAttr(descriptor(), column->number - 1)->attnotnull) return false;
      set(column->number, value.value, value.isnull);
    }
    if (!changes()) return true;
    set(module_.origin, origin_, false);
    set(module_.modified_at, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
    set(module_.modified_by, actor_, false);
    pg::call([&] {
      ExecStoreVirtualTuple(slot_);
      if (checks_) writer_->check(slot_);
      ItemPointerData tid = reader_.row()->tts_tid;
      writer_->update(&tid, slot_);
      tuplestore_puttupleslot(old_rows_, reader_.row());
      tuplestore_puttupleslot(new_rows_, slot_);
    });
    return true;
  }

  void capture() {
    capture_update(catalog::module(module_.name), old_rows_, new_rows_, descriptor());
    pg::call([] { CommandCounterIncrement(); });
  }

 private:
  Relation table() const { return writer_->relation(); }
  TupleDesc descriptor() const { return writer_->descriptor(); }

  void set(AttrNumber number, Datum value, bool is_null) {
    slot_->tts_values[number - 1] = value;
    slot_->tts_isnull[number - 1] = is_null;
  }

  // As the guard sees it.
  bool changes() const {
    const TupleTableSlot *old = reader_.row();
    return pg::call([&] {
      for (const Column *column : columns_) {
        int const at = column->number - 1;
        if (!pg::same_value(old->tts_values[at], old->tts_isnull[at], slot_->tts_values[at],
                            slot_->tts_isnull[at], column->by_value, column->length,
                            column->type_oid))
          return true;
      }
      return false;
    });
  }

  const Module &module_;
  std::int64_t org_id_;
  const std::vector<const Column *> &columns_;
  pg::KeyReader reader_;
  std::shared_ptr<pg::TableWriter> writer_;
  Tuplestorestate *old_rows_ = nullptr;
  Tuplestorestate *new_rows_ = nullptr;
  TupleTableSlot *slot_ = nullptr;
  Datum origin_ = 0, actor_ = 0;
  bool checks_ = false;
};

}  // namespace

std::vector<const Patch *> update_directly(const Module &module, std::int64_t org_id,
                                           const std::vector<const Column *> &columns,
                                           std::vector<const Patch *> patches) {
  // What is spared is the executor's start: among many rows it cannot be seen.
  constexpr std::size_t most_rows = 16;
  const WriteScope *scope = WriteScope::current(module.name);
  if (patches.size() > most_rows || scope == nullptr || scope->origin() != Origin::bridge ||
      IsolationUsesXactSnapshot())
    return patches;
  bool const only_ours = pg::call([&] {
    Relation const table = table_open(module.relation, RowExclusiveLock);
    bool const found = has_only_ours(table, module);
    table_close(table, NoLock);
    return found;
  });
  if (!only_ours) return patches;
  DirectUpdate update{module, org_id, *scope, columns};
  if (!update.possible()) return patches;
  {
    pg::Scratch scratch{"crm_bridge direct update"};
    std::erase_if(patches, [&](const Patch *patch) {
      pg::check_interrupts();
      bool const done = update.write(*patch);
      scratch.reset();
      return done;
    });
  }
  update.capture();
  return patches;
}

}  // namespace crm_bridge
