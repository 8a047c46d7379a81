// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <set>

#include "functions/mirror.hpp"

// A request that timed out here may be done by the service long afterwards, over a newer write of
// ours that it has confirmed.  The older values then come back with a newer version, as if a person
// had entered them.  They are kept in the shadow (`doubted`) and taken for what they are, once:
// each attempt explains one appearance.
namespace crm_bridge {

class Doubts {
 public:
  // `stored` may be nullptr: nothing is doubted.
  Doubts(Jsonb *stored, const std::function<core::FieldType(std::string_view)> &type_of);

  // The fields of `incoming` that an old attempt of ours explains, all fields of that attempt being
  // there with its values and one of them new to what is known.  That attempt is spent.
  std::set<std::string> explain(const pg::Fields &incoming, const pg::Fields &known);

  // Writes down what is left, if an attempt was spent.  Needs AsOwner and an SpiSession.
  void save(std::int64_t org_id, const core::Uuid &id) const;

 private:
  std::vector<pg::Fields> attempts_;
  bool spent_ = false;
};

}  // namespace crm_bridge
