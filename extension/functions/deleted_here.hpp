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
  pg::Fields was;              // and what it was when it was deleted
  std::set<std::string> ours;  // fields that the service has not changed and we can
};

// What `incoming` says of a record that was deleted here.  Needs AsOwner and an SpiSession.
DeletedHere judge_deleted(const Module &module, const Organization &organization,
                          const Incoming &incoming, const Shadow &shadow,
                          const PendingDelivery &pending);

// Whether a link of a deleted record goes on: what becomes of it waits for reconcile.
bool still_linked(std::int64_t org_id, const core::Uuid &id);

// Of a linked record that comes back with what its service has: it is what it was when it was
// deleted.  What the service has changed follows as a change, which travels to the twin; what it
// was not told is due again.
void bring_back(const DeletedHere &deleted, Patch &made, std::vector<Patch> &changes,
                std::vector<DeliveryUpdate> &deliveries);

// Whether a deletion waits for reconcile: its service's delivery is not there yet.
bool deletion_requested(std::int64_t org_id, const core::Uuid &id);

// The deletions of these records are not to be sent any more, nor to be approved.
void call_off_deletions(std::int64_t org_id, const std::vector<core::Uuid> &ids);

}  // namespace crm_bridge
