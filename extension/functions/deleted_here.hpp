// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/incoming.hpp"
#include "functions/known.hpp"

namespace crm_bridge {

// A deletion of ours that its service is still to be told, and who made it.
struct DeletedHere {
  std::optional<core::Instant> at;
  std::string by;
  bool changed_there = false;  // the service tells of a value that is new to us, and not our own
  pg::Fields unsaid;           // then: what the record had besides
};

// What `incoming` says of a record that was deleted here.  Needs AsOwner and an SpiSession.
DeletedHere judge_deleted(const Module &module, const Organization &organization,
                          const Incoming &incoming, const Shadow &shadow,
                          const PendingDelivery &pending);

// Whether a deletion waits for reconcile: its service's delivery is not there yet.
bool deletion_requested(std::int64_t org_id, const core::Uuid &id);

// Whether a field was changed here that a person is to decide on: it is not due, but changed.
bool question_open(std::int64_t org_id, const core::Uuid &id);

// The deletions of these records are not to be sent any more, nor to be approved.
void call_off_deletions(std::int64_t org_id, const std::vector<core::Uuid> &ids);

}  // namespace crm_bridge
