// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// How a trigger function was called, checked before anything is read.  Misuse is reported as 39P01
// with the trigger's name.
class TriggerCall {
 public:
  enum class When { before_row, after_statement, before_statement };
  TriggerCall(FunctionCallInfo fcinfo, When when, int arguments);

  TriggerData *data() const { return data_; }
  // The module is a trigger argument: on a shard the table has another name (scale-out rule 9).
  std::string_view argument(int position) const { return data_->tg_trigger->tgargs[position]; }
  bool is_insert() const { return TRIGGER_FIRED_BY_INSERT(data_->tg_event); }
  bool is_update() const { return TRIGGER_FIRED_BY_UPDATE(data_->tg_event); }
  bool is_delete() const { return TRIGGER_FIRED_BY_DELETE(data_->tg_event); }
  Relation relation() const { return data_->tg_relation; }
  // Raises 39P01: "trigger "name" " and what is wrong with how it was made.
  [[noreturn]] void refuse(const std::string &what) const;

 private:
  TriggerData *data_;
};

// Reads one transition table row by row, straight from its tuplestore.
class TransitionTable {
 public:
  // nullptr stands for a table that the trigger does not have: it has no rows.
  TransitionTable(Tuplestorestate *store, TupleDesc descriptor);
  ~TransitionTable();
  TransitionTable(const TransitionTable &) = delete;
  TransitionTable &operator=(const TransitionTable &) = delete;
  // Moves to the next row, deformed; false at the end.  Runs below pg::call.
  bool fetch();
  Datum value(AttrNumber number) const { return slot_->tts_values[number - 1]; }
  bool is_null(AttrNumber number) const { return slot_->tts_isnull[number - 1]; }

 private:
  Tuplestorestate *store_;
  TupleTableSlot *slot_ = nullptr;
  int read_pointer_ = 0;
};

// Whether two values of a column are the same to a person: the same bytes, or equal numbers of
// another scale, also inside a document.  Runs below pg::call.
bool same_value(Datum left, bool left_null, Datum right, bool right_null, bool by_value, int length,
                Oid type);

}  // namespace crm_bridge::pg
