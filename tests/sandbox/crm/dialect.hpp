// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <string>

namespace crm_bridge::sandbox::crm {

// Where a service that runs on the CRM's engine differs from the CRM.
struct Dialect {
  std::string service = "crm";  // in the journal
  std::string path = "crm";     // /crm/v8
  std::string version = "v8";
  std::string callback_path = "crm/v2";  // what callbacks call it
  bool all_modules = true;               // false: companies, contacts and their notes
  bool has_queries = true;               // COQL
  bool lists_since = true;               // lists mind If-Modified-Since
  bool minds_unmodified_since = true;
  int partial_status = 207;  // some entries failed
  std::int64_t longest_channel = 7 * 86400;
  std::int64_t default_channel = 3600;
  std::int64_t concurrency = 0;  // calls in flight; 0 = no limit
  std::int64_t heavy_concurrency = 0;
  std::int64_t credits = 0;  // in 24 hours; 0 = no limit
};

}  // namespace crm_bridge::sandbox::crm
