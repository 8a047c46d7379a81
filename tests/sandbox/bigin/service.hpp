// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../crm/dialect.hpp"
#include "../options.hpp"

namespace crm_bridge::sandbox::bigin {

// Bigin v2 under /bigin/v2: the CRM's engine with companies (Accounts) and contacts.  Where its own
// pages leave open whether it takes what the CRM takes, it does not.
inline crm::Dialect dialect(const Options &options) {
  crm::Dialect dialect;
  dialect.service = "bigin";
  dialect.path = "bigin";
  dialect.version = "v2";
  dialect.callback_path = "bigin/v1";
  dialect.all_modules = false;
  dialect.has_queries = false;
  dialect.lists_since = false;
  dialect.minds_unmodified_since = false;
  dialect.partial_status = 202;
  dialect.longest_channel = 86400;
  dialect.default_channel = 7200;
  dialect.credits = options.bigin_credits;
  return dialect;
}

}  // namespace crm_bridge::sandbox::bigin
