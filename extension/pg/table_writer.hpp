// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// Writes rows of one of our own tables without a query: what an executor start would cost is most
// of what a single-row capture costs.  It keeps indexes; it checks no constraint, fires no trigger
// and asks for no privilege, so it is only for machinery tables whose rows are made right by
// construction.
class TableWriter {
 public:
  // `columns` is how many the caller knows.  Raises XX000 for a table of another width: library and
  // tables are of two versions, and a row written nevertheless would take the server down.
  TableWriter(Oid table, int columns);
  ~TableWriter();
  TableWriter(const TableWriter &) = delete;
  TableWriter &operator=(const TableWriter &) = delete;

  Relation relation() const { return relation_; }
  TupleDesc descriptor() const { return RelationGetDescr(relation_); }

  // These run below pg::call.
  // Appends a row; `values` are copied, so that a batch may be collected before flush() writes it.
  void append(const Datum *values, const bool *nulls);
  void flush();
  // Replaces the row at `tid`, which the caller has locked, by what `slot` holds.
  void update(ItemPointer tid, TupleTableSlot *slot);

 private:
  static constexpr int batch = 64;
  Relation relation_ = nullptr;
  EState *estate_ = nullptr;
  ResultRelInfo *result_ = nullptr;
  TupleTableSlot *slots_[batch] = {};
  int filled_ = 0;
};

}  // namespace crm_bridge::pg
