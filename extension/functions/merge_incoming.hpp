// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/incoming.hpp"
#include "functions/merge_faces.hpp"

namespace crm_bridge {

// A record as it stands here when its service tells of it.
struct OurSide {
  const Record &mirror;
  const pg::Fields &known;            // what the service told or confirmed last: the base
  const pg::Fields &sent;             // handed out and not settled yet
  std::vector<std::string> dirty;     // changed here and not handed out yet
  bool created_here;                  // its creation is not confirmed yet
  std::set<std::string> late_echoes;  // fields that an old attempt of ours explains
};

struct MergedRecord {
  pg::Fields take;              // to be written to the mirror
  pg::Fields confirmed;         // to be folded into the shadow
  std::set<std::string> dirty;  // what the service lacks from now on
  std::vector<Finding> conflicts;
};

// The three-way merge of a record against its service, field by field (design §6).  Needs AsOwner
// and an SpiSession.
MergedRecord merge_incoming(const Module &module, const Organization &organization,
                            const Incoming &incoming, const OurSide &ours);

}  // namespace crm_bridge
