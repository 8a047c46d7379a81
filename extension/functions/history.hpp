// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"
#include "functions/write_scope.hpp"
#include "pg/spi.hpp"
#include "pg/table_writer.hpp"

namespace crm_bridge {

// A new record or event id; the clock is read once a statement, not once an id.
core::Uuid new_uuid(TimestampTz now);

// Appends to crm_bridge.history, in the partition of the present.
class HistoryWriter {
 public:
  HistoryWriter(const Module &module, const char *operation, Origin origin,
                const std::string &actor, const std::optional<core::Uuid> &run);
  // `old` may be nullptr (an insert).
  // `person` (a text datum, 0: none) stands for the actor given above: the service says who did it.
  void append(std::int64_t org_id, const core::Uuid &record, Jsonb *old, Datum person = 0);
  void flush();

 private:
  TimestampTz at_;
  pg::TableWriter writer_;
  Datum actor_;
  std::array<Datum, 11> values_{};
  std::array<bool, 11> nulls_{};
};

// Who changed a field last, and when.
struct Edit {
  std::optional<core::Instant> at;
  std::string by;
};

enum class EditsOf { here, everybody };

// The last change of one field, as history has it: the record's own instant may be another field's.
// `here` leaves out what the service brought.  Needs AsOwner and an SpiSession.
std::optional<Edit> last_edit(std::int64_t org_id, const core::Uuid &record,
                              const std::string &field, EditsOf whose);

}  // namespace crm_bridge
