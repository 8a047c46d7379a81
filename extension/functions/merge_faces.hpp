// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <set>

#include "functions/history.hpp"
#include "functions/mirror.hpp"

namespace crm_bridge {

// A link with both faces as they are, and each side's own values at the last agreement where they
// differ from them.
struct Faces {
  core::Uuid link;
  Record left, right;
  pg::Fields left_base, right_base;
};

// A row of crm_bridge.conflict or crm_bridge.refusal in the making.
struct Finding {
  core::Uuid record{};
  std::optional<core::Uuid> link{};
  std::string field{}, other_field{};
  core::Outcome outcome = core::Outcome::unchanged;
  core::Value base{}, left{}, right{};
  std::optional<core::Instant> left_at{}, right_at{};
  std::string left_by{}, right_by{};
  std::string reason{}, detail{};
  bool reverted = false;  // of a refusal: the record was put back
};

struct MergedFaces {
  pg::Fields new_left, new_right;    // only what has to be written
  pg::Fields left_base, right_base;  // what the link has to keep from now on
  bool base_changed = false;
  std::vector<Finding> findings;
};

using FieldNames = std::set<std::string, std::less<>>;

// The three-way merge of the two faces of a link, field by field (design §6), over the mapped
// fields of which either side was changed.  A field that is in neither base is in step.  Needs
// AsOwner and an SpiSession.
MergedFaces merge_faces(const Pairing &pairing, std::int64_t org_id, const Faces &faces,
                        const FieldNames &left_changed, const FieldNames &right_changed);

// Writes rows of conflict and refusal.  Needs AsOwner and an SpiSession.
void record_findings(const Module &module, std::int64_t org_id,
                     const std::vector<Finding> &findings);

}  // namespace crm_bridge
