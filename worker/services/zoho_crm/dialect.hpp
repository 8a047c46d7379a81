// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>

namespace crm_bridge::worker::zoho_crm {

// Where the services that run on the CRM's engine differ in how they are spoken to.
struct Dialect {
  std::string kind = "zoho_crm";
  std::string label = "the CRM";  // for people
  std::string root = "/crm/v8";
  // Lists are read newest first back to the last poll, because it is not sure that they can be
  // asked for what changed since then.
  bool newest_first = false;
  // Where the list of deleted records is refused, known ones are asked for by id.
  bool may_not_list_deleted = false;
  bool has_queries = true;     // COQL, with which a create whose answer was lost is looked up
  bool guards_updates = true;  // If-Unmodified-Since
  // A week is the most that the CRM gives; more than that becomes an hour.
  int channel_life_seconds = 6 * 86400;
};

}  // namespace crm_bridge::worker::zoho_crm
