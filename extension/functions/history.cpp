// SPDX-License-Identifier: PostgreSQL
#include "functions/history.hpp"

namespace crm_bridge {

namespace {

enum Attribute : std::size_t {
  org_id,
  at,
  event_id,
  record_id,
  module_name,
  operation_name,
  origin_name,
  actor_name,
  transaction_id,
  run_id,
  old_values,
  attribute_count
};

constinit pg::Statement select_last_edit{
    "SELECT h.at, h.actor FROM crm_bridge.history AS h"
    " WHERE h.org_id = $1 AND h.record_id = $2 AND (h.operation = 'insert' OR h.old ? $3)"
    "   AND ($4 OR h.origin <> 'service')"
    " ORDER BY h.at DESC, h.event_id DESC LIMIT 1",
    {INT8OID, UUIDOID, TEXTOID, BOOLOID}};

// The partition that takes today's rows.  Looked up once a day and after every change of the
// partitions.
constinit Oid parent = InvalidOid;
constinit Oid leaf = InvalidOid;
constinit std::int64_t leaf_day = -1;
constinit bool registered = false;

void on_invalidation(Datum, Oid relation) {
  if (relation == InvalidOid || relation == parent || relation == leaf) leaf = InvalidOid;
}

// Asks the server's own routing where a row of this instant belongs.  Runs below pg::call.
Oid find_leaf(TimestampTz instant) {
  Relation const history = table_open(parent, RowExclusiveLock);
  EState *estate = CreateExecutorState();
  ResultRelInfo *root = makeNode(ResultRelInfo);
  InitResultRelInfo(root, history, 0, nullptr, 0);
  ModifyTableState *state = makeNode(ModifyTableState);
  state->ps.state = estate;
  state->operation = CMD_INSERT;
  state->resultRelInfo = root;
  PartitionTupleRouting *routing = ExecSetupPartitionTupleRouting(estate, history);
  TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(history), &TTSOpsVirtual);
  ExecClearTuple(slot);
  for (int i = 0; i < RelationGetDescr(history)->natts; ++i) slot->tts_isnull[i] = true;
  slot->tts_values[at] = TimestampTzGetDatum(instant);
  slot->tts_isnull[at] = false;
  ExecStoreVirtualTuple(slot);
  MemoryContext const context = MemoryContextSwitchTo(estate->es_query_cxt);
  ResultRelInfo *found = ExecFindPartition(state, root, routing, slot, estate);
  MemoryContextSwitchTo(context);
  Oid const partition = RelationGetRelid(found->ri_RelationDesc);
  if (found->ri_RootToPartitionMap != nullptr)
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("partition \"%s\" of history has another column order than history itself",
                RelationGetRelationName(found->ri_RelationDesc)),
         errhint("Make partitions with crm_bridge.maintain() or CREATE TABLE ... PARTITION OF.")));
  ExecDropSingleTupleTableSlot(slot);
  ExecCleanupTupleRouting(state, routing);
  FreeExecutorState(estate);
  table_close(history, NoLock);
  return partition;
}

Oid leaf_of(TimestampTz instant) {
  std::int64_t const day = instant / USECS_PER_DAY;
  if (leaf != InvalidOid && day == leaf_day) return leaf;
  if (!registered) {
    pg::call([] { CacheRegisterRelcacheCallback(on_invalidation, static_cast<Datum>(0)); });
    registered = true;
  }
  Oid const found = pg::call([&] {
    parent = get_relname_relid("history", get_namespace_oid("crm_bridge", false));
    return find_leaf(instant);
  });
  leaf = found;
  leaf_day = day;
  return found;
}

}  // namespace

core::Uuid new_uuid(TimestampTz now) {
  static core::UuidGenerator generator{[](std::uint8_t *bytes, std::size_t size) {
    if (!pg_strong_random(bytes, size))
      throw core::Error{
          {.sqlstate = "58000", .message = "could not get random data from the operating system"}};
  }};
  return generator.next(pg::instant_of(now).microseconds / 1000);
}

HistoryWriter::HistoryWriter(const Module &module, const char *operation, Origin origin,
                             const std::string &actor, const std::optional<core::Uuid> &run)
    : at_(GetCurrentTimestamp()),
      writer_(leaf_of(at_), attribute_count),
      actor_(pg::argument(actor).value) {
  values_[module_name] = pg::argument(module.name).value;
  values_[origin_name] = pg::argument(std::string{to_text(origin)}).value;
  values_[operation_name] = pg::argument(std::string{operation}).value;
  nulls_[run_id] = !run.has_value();
  if (run.has_value()) values_[run_id] = pg::argument(*run).value;
  values_[at] = TimestampTzGetDatum(at_);
  values_[transaction_id] =
      pg::call([] { return FullTransactionIdGetDatum(GetTopFullTransactionId()); });
}

void HistoryWriter::append(std::int64_t org, const core::Uuid &record, Jsonb *old, Datum person) {
  core::Uuid const event = new_uuid(at_);
  values_[org_id] = Int64GetDatum(org);
  values_[event_id] = PointerGetDatum(event.bytes.data());
  values_[record_id] = PointerGetDatum(record.bytes.data());
  values_[actor_name] = person != 0 ? person : actor_;
  nulls_[old_values] = old == nullptr;
  values_[old_values] = old == nullptr ? static_cast<Datum>(0) : JsonbPGetDatum(old);
  pg::call([&] { writer_.append(values_.data(), nulls_.data()); });
}

void HistoryWriter::flush() {
  pg::call([&] { writer_.flush(); });
}

std::optional<Edit> last_edit(std::int64_t org_id, const core::Uuid &record,
                              const std::string &field, EditsOf whose) {
  pg::Rows const rows =
      select_last_edit.execute({pg::argument(org_id), pg::argument(record), pg::argument(field),
                                pg::argument(whose == EditsOf::everybody)});
  if (rows.empty()) return std::nullopt;
  return Edit{rows[0].instant(0), rows[0].string(1)};
}

}  // namespace crm_bridge
