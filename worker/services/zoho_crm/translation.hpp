// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <vector>

#include "protocol.hpp"
#include "services/catalog.hpp"

namespace crm_bridge::worker::zoho_crm {

// A record as the API takes it.  A task's account, deal or lead becomes What_Id with $se_module.
Json to_service(const Catalog &catalog, const Change &change, const std::string &bridge_field);

// The reverse.  `bridge_field` names the custom field that holds our own id ("" = none).
Record from_service(const Catalog &catalog, const std::string &module, const Json &record,
                    const std::string &bridge_field);

// The API names to ask for, in groups that one request takes.
std::vector<std::string> field_lists(const Catalog &catalog, const std::string &module,
                                     const std::string &bridge_field);

// One field of /settings/fields as store_fields takes it.
Json describe_field(const Catalog &catalog, const Json &field);

}  // namespace crm_bridge::worker::zoho_crm
