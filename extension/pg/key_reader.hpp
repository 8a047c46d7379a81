// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <initializer_list>

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// Reads and locks single rows of a table by all columns of one of its indexes, without a query: for
// a handful of rows the executor's start costs many times what finding them costs.  It sees what a
// statement of the transaction would see that begins now.  It asks for no privilege and heeds no
// policy, so it is for what the extension itself may know.
class KeyReader {
 public:
  enum class Lock { locked, busy, gone };

  // Without an index: the primary key.  Its columns are bigint, uuid or text.
  explicit KeyReader(Oid table, Oid index = InvalidOid);
  ~KeyReader();
  KeyReader(const KeyReader &) = delete;
  KeyReader &operator=(const KeyReader &) = delete;

  // Moves to the row with these keys, one for each column of the index; false: there is none.
  bool find(std::initializer_list<Datum> keys);
  // Locks the row that was found, FOR NO KEY UPDATE, and moves to its latest version, which may
  // differ in everything that is no key.  Does not wait: busy means that somebody else holds it.
  // Raises 40001 where a transaction keeps to one snapshot and the row has changed since.
  Lock lock();

  // Of the row it is at; by reference they are valid until it moves on.
  Datum value(AttrNumber number) const { return slot_->tts_values[number - 1]; }
  bool is_null(AttrNumber number) const { return slot_->tts_isnull[number - 1]; }
  int width() const { return RelationGetDescr(relation_)->natts; }

 private:
  static constexpr int most_keys = 3;
  Relation relation_ = nullptr;
  Relation index_ = nullptr;
  Snapshot snapshot_ = nullptr;
  IndexScanDesc scan_ = nullptr;
  TupleTableSlot *slot_ = nullptr;
};

}  // namespace crm_bridge::pg
