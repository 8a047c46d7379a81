// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/paging.hpp"

#include <cstdlib>

#include "services/field_value.hpp"
#include "services/service.hpp"
#include "services/zoho_projects/translation.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

constexpr long long overlap_seconds = 5;

}  // namespace

ApiCall list_call(const std::string &path, int page) {
  ApiCall call;
  call.path = path;
  call.query = {{"page", std::to_string(page)}, {"per_page", std::to_string(records_a_page)}};
  return call;
}

int page_number(const Json &cursor) {
  const std::string text = scalar_text(cursor, "page");
  return text.empty() ? 1 : std::atoi(text.c_str());
}

Json body_of(const HttpResult &result) {
  const Verdict verdict = judge_answer(result);
  if (verdict.outcome != Outcome::done) throw ServiceFailure(verdict);
  return result.body.empty() ? Json() : parse_json(result.body);
}

bool older_than(const std::string &version, const std::string &since) {
  return !since.empty() && !version.empty() && seconds_between(since, version) > overlap_seconds;
}

void finish_read(Json &cursor) {
  cursor["since"] = later(scalar_text(cursor, "newest"), scalar_text(cursor, "since"));
  for (const char *name : {"page", "newest", "phase"}) cursor.erase(name);
}

}  // namespace crm_bridge::worker::zoho_projects
