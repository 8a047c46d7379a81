// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <memory>

#include "functions/catalog.hpp"
#include "pg/table_writer.hpp"

namespace crm_bridge {

// Notes in crm_bridge.delivery that a service lacks something.
//
// Two transactions never insert the row of one record at once: whoever gets here holds the record's
// mirror row.  Against claim and acknowledge, which hold no mirror row, the delivery row is locked
// before it is judged; where somebody else holds it for the moment, a reconcile_request is left
// instead of waiting for him.
class DirtySet {
 public:
  explicit DirtySet(const Module &module) : module_(module), home_(CurrentMemoryContext) {}
  // The named fields were changed.  No fields: the record is new, all of it is to be sent.
  void add(std::int64_t org_id, const core::Uuid &record,
           const std::vector<std::string_view> &fields);
  void flush();
  bool empty() const { return !written_; }

 private:
  enum class Found { none, settled, contended };
  Found update_existing(std::int64_t org_id, const core::Uuid &record,
                        const std::vector<std::string_view> &fields);
  void leave_request(std::int64_t org_id, const core::Uuid &record,
                     const std::vector<std::string_view> &fields);
  void open();

  const Module &module_;
  MemoryContext home_;  // outlives the statement's rows
  std::unique_ptr<pg::TableWriter> writer_;
  Datum module_name_ = 0, service_ = 0, operation_ = 0, state_ = 0, no_fields_ = 0;
  bool written_ = false;
};

// The records were deleted here: their service is told, if it knows them.  Needs AsOwner and an
// SpiSession.
void deliver_deletions(const Module &module, std::int64_t org_id,
                       const std::vector<core::Uuid> &records);

}  // namespace crm_bridge
