// SPDX-License-Identifier: PostgreSQL
#include "pg/trigger_call.hpp"

namespace crm_bridge::pg {

TriggerCall::TriggerCall(FunctionCallInfo fcinfo, When when, int arguments)
    : data_(reinterpret_cast<TriggerData *>(fcinfo->context)) {
  if (!CALLED_AS_TRIGGER(fcinfo)) {
    throw core::Error{
        {.sqlstate = "39P01",
         .message = "this function can only be called as a trigger of crm_bridge's own tables"}};
  }
  bool const right_time =
      when == When::before_row
          ? TRIGGER_FIRED_BEFORE(data_->tg_event) && TRIGGER_FIRED_FOR_ROW(data_->tg_event)
      : when == When::after_statement
          ? TRIGGER_FIRED_AFTER(data_->tg_event) && TRIGGER_FIRED_FOR_STATEMENT(data_->tg_event)
          : TRIGGER_FIRED_BEFORE(data_->tg_event) && TRIGGER_FIRED_FOR_STATEMENT(data_->tg_event);
  if (!right_time) refuse("must fire at another time or for another level");
  if (data_->tg_trigger->tgnargs != arguments)
    refuse("must have " + std::to_string(arguments) + " argument(s)");
}

void TriggerCall::refuse(const std::string &what) const {
  throw core::Error{
      {.sqlstate = "39P01",
       .message = std::string{"trigger \""} + data_->tg_trigger->tgname + "\" " + what}};
}

TransitionTable::TransitionTable(Tuplestorestate *store, TupleDesc descriptor) : store_(store) {
  if (store_ == nullptr) return;
  call([&] {
    // A read pointer of our own: the table is shared by all triggers of the statement.
    read_pointer_ = tuplestore_alloc_read_pointer(store_, EXEC_FLAG_REWIND);
    tuplestore_select_read_pointer(store_, read_pointer_);
    tuplestore_rescan(store_);
    slot_ = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
  });
}

TransitionTable::~TransitionTable() {
  // Unguarded: releases a pin and memory, nothing that raises.
  if (slot_ != nullptr) ExecDropSingleTupleTableSlot(slot_);
}

bool TransitionTable::fetch() {
  if (store_ == nullptr) return false;
  tuplestore_select_read_pointer(store_, read_pointer_);
  // A table that has spilled to disk reads the row into the current context, which may be a scratch
  // one that is emptied before the slot is.
  MemoryContext const previous = MemoryContextSwitchTo(slot_->tts_mcxt);
  bool const found = tuplestore_gettupleslot(store_, true, false, slot_);
  MemoryContextSwitchTo(previous);
  if (!found) return false;
  slot_getallattrs(slot_);
  return true;
}

bool same_value(Datum left, bool left_null, Datum right, bool right_null, bool by_value, int length,
                Oid type) {
  if (left_null || right_null) return left_null == right_null;
  if (by_value) return left == right;
  if (length == -1) {
    const auto *a = reinterpret_cast<const struct varlena *>(DatumGetPointer(left));
    const auto *b = reinterpret_cast<const struct varlena *>(DatumGetPointer(right));
    // The same bytes, toast pointers included: nothing needs to be fetched to see that nothing
    // changed.
    if (VARSIZE_ANY(a) == VARSIZE_ANY(b) && std::memcmp(a, b, VARSIZE_ANY(a)) == 0) return true;
  }
  if (datum_image_eq(left, right, by_value, length)) return true;
  if (type == JSONBOID) return DatumGetBool(DirectFunctionCall2(jsonb_eq, left, right));
  return type == NUMERICOID && DatumGetBool(DirectFunctionCall2(numeric_eq, left, right));
}

}  // namespace crm_bridge::pg
