// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"

namespace crm_bridge {

// Reads an organization's pairings, mappings and policies.  Throws core::Error 42704 if there is no
// such organization. A mapping whose conversion does not fit any more (the service's metadata
// changed) is left out: it must not stop an app's write; check_field_mapping reports it.
std::shared_ptr<const Organization> load_organization(std::int64_t org_id);

}  // namespace crm_bridge
