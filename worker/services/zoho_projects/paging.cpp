// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/paging.hpp"

#include <cstdlib>

#include "services/field_value.hpp"
#include "services/service.hpp"
#include "services/zoho_projects/translation.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

constexpr long long overlap_seconds = 5;
// Ten thousand records of one place are held in memory at most.
constexpr int most_pages = 100;

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

Task<Listed> list_all(Session &session, std::string path, std::string key) {
  Listed listed;
  while (listed.pages < most_pages) {
    const HttpResult result = co_await session.send(list_call(path, ++listed.pages));
    listed.verdict = judge_answer(result);
    if (listed.verdict.outcome != Outcome::done) co_return listed;
    const Json body = result.body.empty() ? Json() : parse_json(result.body);
    if (!is_list(body, key)) co_return listed;
    std::vector<Json> page = list_of(body, key);
    const bool more = has_next_page(body, page.size(), records_a_page);
    for (auto &record : page) listed.records.push_back(std::move(record));
    if (more) continue;
    listed.complete = true;
    break;
  }
  co_return listed;
}

void note_children(const std::string &module, const std::string &external_id,
                   std::vector<Listing> &listings) {
  const auto none_left = [&](const char *child, const char *place) {
    Listing listing{child, {{place, external_id}}};
    listing.gone = true;
    listings.push_back(std::move(listing));
  };
  if (module == "projects_task") none_left("projects_comment", "task_id");
  if (module != "projects_project") return;
  for (const char *child : {"projects_comment", "projects_task", "projects_task_list"})
    none_left(child, "project_id");
}

void finish_read(Json &cursor) {
  cursor["since"] = later(scalar_text(cursor, "newest"), scalar_text(cursor, "since"));
  for (const char *name : {"page", "newest", "phase"}) cursor.erase(name);
}

}  // namespace crm_bridge::worker::zoho_projects
