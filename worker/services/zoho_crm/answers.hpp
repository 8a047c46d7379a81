// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <vector>

#include "http/result.hpp"
#include "json.hpp"

// What the CRM's answers to reads have in common.
namespace crm_bridge::worker::zoho_crm {

inline std::vector<Json> list_of(const Json &body, const char *key) {
  const Json *list = find(body, key);
  if (list == nullptr || !list->is_array()) return {};
  return {list->begin(), list->end()};
}

// A page token belongs to the parameters it was made with, lives for a day and leads to the first
// 100,000 records; behind that, reading begins again from what was seen.
inline bool token_is_spent(const HttpResult &result) {
  if (result.status != 400) return false;
  for (const char *code :
       {"EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH", "PAGINATION_LIMIT_EXCEEDED"}) {
    if (result.body.find(code) != std::string::npos) return true;
  }
  return false;
}

}  // namespace crm_bridge::worker::zoho_crm
