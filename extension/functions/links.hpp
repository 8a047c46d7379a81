// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <unordered_set>

#include "functions/merge_faces.hpp"

namespace crm_bridge {

// A row of crm_bridge.link as the merge needs it.
struct Link {
  core::Uuid link_id, left_id, right_id;
  Jsonb *left_base;
  Jsonb *right_base;
  // No field is apart: both sides still have what they last agreed on, or what was carried over
  // since.
  bool in_step() const { return JB_ROOT_COUNT(left_base) == 0 && JB_ROOT_COUNT(right_base) == 0; }
  const core::Uuid &face(core::Side side) const {
    return side == core::Side::left ? left_id : right_id;
  }
};

inline core::Side other(core::Side side) {
  return side == core::Side::left ? core::Side::right : core::Side::left;
}

// All of these need AsOwner and an SpiSession.

// Active links of the pairing in which one of `records` stands on `side`.
std::vector<Link> links_of(const std::string &pairing, std::int64_t org_id, core::Side side,
                           const std::vector<core::Uuid> &records);
// Those that nobody else holds, locked, in their latest version.
std::vector<Link> lock_links(std::int64_t org_id, const std::vector<core::Uuid> &links);
// Those for which somebody has left a request.
std::unordered_set<core::Uuid> contended_links(std::int64_t org_id,
                                               const std::vector<core::Uuid> &links);

// What a link keeps from now on.
struct NewBase {
  core::Uuid link;
  pg::Fields left, right;
};
void save_bases(std::int64_t org_id, const std::vector<NewBase> &bases);

// A change that has to travel later.
struct PropagationRequest {
  core::Uuid record;
  core::Uuid link;
  pg::Fields old;  // the changed fields as they were before
};
void leave_requests(const Module &module, std::int64_t org_id,
                    const std::vector<PropagationRequest> &requests);

}  // namespace crm_bridge
