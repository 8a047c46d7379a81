// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <initializer_list>
#include <span>

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// Runs a block as the owner of the extension, with search_path pinned, the way the server's own
// referential integrity triggers switch identity.  Cheaper than SECURITY DEFINER on a trigger,
// because only the paths that need a query pay for it.  Everything below it writes machinery tables
// that apps have no grants on.
class AsOwner {
 public:
  AsOwner();
  ~AsOwner();
  AsOwner(const AsOwner &) = delete;
  AsOwner &operator=(const AsOwner &) = delete;

 private:
  Oid user_ = InvalidOid;
  int security_context_ = 0;
  int guc_nest_level_ = 0;
};

// SPI for one block.  Results of Statement::execute live until the block ends.
class SpiSession {
 public:
  SpiSession();
  ~SpiSession();
  SpiSession(const SpiSession &) = delete;
  SpiSession &operator=(const SpiSession &) = delete;
};

// One row of a result: values by the position in the select list, counted from 0.
class Row {
 public:
  Row(HeapTuple tuple, TupleDesc descriptor) : tuple_(tuple), descriptor_(descriptor) {}
  // Values by reference point into the result.
  NullableDatum operator[](int position) const;
  bool is_null(int position) const { return (*this)[position].isnull; }
  std::string string(int position) const;  // of text and name; empty for NULL
  std::optional<std::string> optional_string(int position) const;
  std::int64_t bigint(int position) const;
  bool boolean(int position) const;
  core::Uuid uuid(int position) const;
  std::optional<core::Uuid> optional_uuid(int position) const;
  Jsonb *jsonb(int position) const;  // detoasted; nullptr for NULL
  std::optional<core::Instant> instant(int position) const;

 private:
  HeapTuple tuple_;
  TupleDesc descriptor_;
};

// All rows that a statement returned.
class Rows {
 public:
  Rows(SPITupleTable *table, std::uint64_t count) : table_(table), count_(count) {}
  std::uint64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  Row operator[](std::uint64_t index) const { return {table_->vals[index], table_->tupdesc}; }

 private:
  SPITupleTable *table_;
  std::uint64_t count_;
};

// An identifier as the text of a statement has it.  Names come from the system catalog, never from
// a user's text.
std::string quoted(const std::string &name);

// A statement: its text with every name qualified, the types of its parameters, and the plan, which
// is prepared on first use and kept for the session.  At namespace scope it is constinit; one whose
// text is made at run time belongs to the cache entry that made it, which calls forget().
class Statement {
 public:
  static constexpr int maximum_parameters = 16;
  constexpr Statement(const char *sql, std::initializer_list<Oid> types)
      : Statement(sql, std::span<const Oid>{types.begin(), types.size()}) {}
  constexpr Statement(const char *sql, std::span<const Oid> types) : text_(sql), count_(0) {
    for (Oid type : types) types_[static_cast<std::size_t>(count_++)] = type;
  }
  // Needs an SpiSession; one argument for each parameter.  Raises what the statement raises.
  Rows execute(std::initializer_list<NullableDatum> arguments) {
    return execute(std::span<const NullableDatum>{arguments.begin(), arguments.size()});
  }
  Rows execute(std::span<const NullableDatum> arguments);
  // Reads what is committed now, whatever the transaction's isolation level: for what a backend
  // caches beyond the transaction.  `arguments` as for execute; the statement only reads.
  Rows read_latest(std::initializer_list<NullableDatum> arguments);
  // Frees the plan.  Cannot raise: a plan that is in use is freed when its use ends.
  void forget() noexcept;

 private:
  void run(std::span<const NullableDatum> arguments, bool latest);

  const char *text_;
  std::array<Oid, maximum_parameters> types_{};
  int count_;
  SPIPlanPtr plan_ = nullptr;
};

}  // namespace crm_bridge::pg
