// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"
#include "functions/links.hpp"
#include "functions/mirror.hpp"
#include "functions/write_scope.hpp"

namespace crm_bridge {

// A record that a statement changed: its mapped fields before and after.
struct ChangedRecord {
  core::Uuid id;
  pg::Fields old;
  pg::Fields now;
  std::string person{};  // whom the service names; empty: the statement's own writer
};

// The fields of a module whose changes travel over some pairing of the organization; empty where
// none does.
std::vector<std::string_view> travelling_fields(const Organization &organization,
                                                std::string_view module);

// Carries changes to the twins, in the writer's own transaction.  What cannot be had without
// waiting (a link or a twin that somebody else holds), what is too much
// (crm_bridge.propagate_limit), and whatever a transaction at REPEATABLE READ or above changes is
// left to reconcile as requests.
void propagate(const Module &module, const Organization &organization,
               const std::vector<ChangedRecord> &changed, const std::string &actor,
               const std::optional<core::Uuid> &run);

// Merges the two faces of a link as they are now, with every request that was left for it; the
// writes name `actor`.  False if somebody else holds what is needed.  Needs AsOwner and an
// SpiSession.
bool reconcile_link(const Organization &organization, const core::Uuid &link,
                    const std::string &actor);

// The records were deleted: what becomes of their links and twins (D2).  Needs AsOwner and an
// SpiSession.
void unlink_deleted(const Module &module, const Organization &organization,
                    const std::vector<core::Uuid> &records, const std::string &actor);

// The links stay for the record only.
void archive(const Organization &organization, const Pairing &pairing,
             const std::vector<core::Uuid> &links);

// D2: brings the deleted face of a link back as it was, where its pairing says so; the link goes
// on.  False: it does not say so, the other face is gone too, or the record cannot be made any
// more.
bool restore(const Organization &organization, const Pairing &pairing, core::Side deleted,
             const Link &link, const std::string &actor);

// Archives locked links of which one face is gone and, where the pairing says so, deletes the
// twins.
void end_links(const Organization &organization, const Pairing &pairing, core::Side deleted,
               const std::vector<Link> &links, const std::string &actor);

}  // namespace crm_bridge
