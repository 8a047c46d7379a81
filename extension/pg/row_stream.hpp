// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// One row on its way: values by the position in the select list, valid until the next row.
class StreamedRow {
 public:
  explicit StreamedRow(const NullableDatum *columns) : columns_(columns) {}
  core::Uuid uuid(int position) const {  // not of NULL
    core::Uuid uuid;
    std::memcpy(uuid.bytes.data(), DatumGetPointer(columns_[position].value), UUID_LEN);
    return uuid;
  }
  std::string_view text(int position) const {  // empty for NULL
    const NullableDatum &column = columns_[position];
    if (column.isnull) return {};
    const Pointer value = DatumGetPointer(column.value);
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
  }

 private:
  const NullableDatum *columns_;
};

// Runs a query that only reads and hands over each row as the executor makes it: nothing is
// collected, so that a million rows cost a scan.  The plan is made for these arguments and not
// kept.  What the statement around it sees is what the query sees.  `take` calls nothing of the
// backend; what it throws ends the query.  Needs an SpiSession.
class RowStream {
 public:
  static constexpr int maximum_columns = 8;
  static constexpr int maximum_parameters = 4;
  constexpr RowStream(const char *sql, std::initializer_list<Oid> types) : text_(sql) {
    for (Oid type : types) types_[static_cast<std::size_t>(count_++)] = type;
  }
  template <typename Take>
  void read(std::initializer_list<NullableDatum> arguments, Take &&take) const {
    run(
        arguments,
        [](void *taker, const StreamedRow &row) {
          (*static_cast<std::remove_reference_t<Take> *>(taker))(row);
        },
        &take);
  }

 private:
  using Hand = void (*)(void *taker, const StreamedRow &row);
  void run(std::initializer_list<NullableDatum> arguments, Hand hand, void *taker) const;

  const char *text_;
  std::array<Oid, maximum_parameters> types_{};
  int count_ = 0;
};

}  // namespace crm_bridge::pg
