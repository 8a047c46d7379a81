// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <optional>

#include "pg/boundary.hpp"

namespace crm_bridge {

// Finds rows of crm_bridge.delivery by their key, one after the other, with one index scan for all
// rows of a statement.
class DeliveryLookup {
 public:
  explicit DeliveryLookup(Relation delivery);
  ~DeliveryLookup();
  DeliveryLookup(const DeliveryLookup &) = delete;
  DeliveryLookup &operator=(const DeliveryLookup &) = delete;

  // Locks the latest version of the record's row without waiting.  The caller holds the record's
  // mirror row. TM_Ok: locked, row() holds it; TM_Deleted: there is none; TM_WouldBlock: somebody
  // else holds it.
  TM_Result find_and_lock(std::int64_t org_id, const core::Uuid &record);
  TupleTableSlot *row() const { return slot_; }

 private:
  void scan(StrategyNumber strategy, std::int64_t org_id, const core::Uuid &record,
            Snapshot snapshot);
  bool is_in_gap(std::int64_t org_id, const core::Uuid &record) const;
  bool look_for_gap(std::int64_t org_id, const core::Uuid &record);

  // Between two neighbouring keys of the index there is no row, not even a dead one.
  struct Gap {
    std::int64_t org_id = 0;
    core::Uuid after;
    std::optional<core::Uuid> before;  // none: up to the organization's last key
  };

  MemoryContext home_;  // the caller's context at each row may be a scratch one
  Relation delivery_;
  Relation index_ = nullptr;
  IndexScanDesc scan_ = nullptr;
  TupleTableSlot *slot_ = nullptr;
  int exceptions_;
  std::optional<Gap> gap_;
  std::optional<core::Uuid> missed_;  // the record before, where it had no row
  int gaps_sought_ = 0;
  int gaps_used_ = 0;
};

}  // namespace crm_bridge
