// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "protocol.hpp"
#include "services/catalog.hpp"

namespace crm_bridge::worker::zoho_projects {

// Whether a record that turned up under the name of a create whose answer was lost can be the one
// that was created: Projects keeps no id of ours, and a stranger's record may have the same name.
enum class Likeness {
  ours,      // all that was sent is in it
  other,     // it was born with other values: somebody else made it
  doubtful,  // it has other values, but was changed since it was made: a person must look
};

// `sent` is what an attempt sent, `there` the service's record, `record` the same in the mirror's
// terms.
Likeness likeness(const Catalog &catalog, const std::string &module, const Json &sent,
                  const Json &there, const Record &record);

}  // namespace crm_bridge::worker::zoho_projects
