// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <memory>

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// Writes rows of one of our own tables without a query: what an executor start would cost is most
// of what a single-row capture costs.  It keeps indexes; it checks constraints only when told to,
// fires no trigger and asks for no privilege, so it is for machinery tables whose rows are made
// right by construction, and for callers who see to these themselves.
class TableWriter {
 public:
  // `columns` is how many the caller knows.  Raises XX000 for a table of another width: library and
  // tables are of two versions, and a row written nevertheless would take the server down.
  //
  // A statement that runs within another one gets the writer which that one has open for the table:
  // to open a table with its indexes costs more than a row.  It must have flushed; what it leaves
  // unflushed (it failed) is forgotten with release().
  static std::shared_ptr<TableWriter> open(Oid table, int columns);
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
  // Forgets what was appended and not flushed.  Cannot raise.
  void release() noexcept;
  // Replaces the row at `tid`, which the caller has locked, by what `slot` holds.
  void update(ItemPointer tid, TupleTableSlot *slot);
  // Raises what an UPDATE would raise for NOT NULL and CHECK.
  void check(TupleTableSlot *slot);
  // Whether all that the indexes demand is demanded of each row as it is written.
  bool checks_at_once() const;

 private:
  static constexpr int batch = 64;
  static constinit TableWriter *innermost;

  TableWriter *outer_;
  std::weak_ptr<TableWriter> self_;
  Relation relation_ = nullptr;
  EState *estate_ = nullptr;
  ResultRelInfo *result_ = nullptr;
  TupleTableSlot *slots_[batch] = {};
  int filled_ = 0;
};

}  // namespace crm_bridge::pg
