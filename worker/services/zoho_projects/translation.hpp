// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <vector>

#include "http/result.hpp"
#include "protocol.hpp"
#include "services/catalog.hpp"

namespace crm_bridge::worker::zoho_projects {

// Where a record lives.
struct Place {
  std::string portal_id;
  std::string project_id;
  std::string task_id{};
};

// The body of a create or an update.  Left out, because they need calls of their own: a project's
// client and people, a task's completion (a status of the right kind) and, on an update, its list.
Json to_service(const Catalog &catalog, const Change &change);

// The reverse, for a whole record: what the service leaves out because it is empty becomes null.
Record from_service(const Catalog &catalog, const std::string &module, const Json &record,
                    const Place &place);

// Lists arrive bare or under a key, and records bare or wrapped in one.
std::vector<Json> list_of(const Json &body, const std::string &key);
// Whether an answer is such a list at all, so that what it does not show is not there.
bool is_list(const Json &body, const std::string &key);
// The one record of an answer.
Json record_of(const Json &body, const std::string &key);
// Ids become parts of URLs, and webhooks bring them from outside.
bool is_id(const std::string &text);
// Whether another page follows; bare lists end with a short page.
bool has_next_page(const Json &body, std::size_t shown, std::size_t asked_for);

// What an answer means.  Errors come with 400 whatever they are, at times inside a 200: the title
// decides.
Verdict judge_answer(const HttpResult &result);

// The time of a record's last change, under whichever of its names.
std::string version_of(const Json &record);

}  // namespace crm_bridge::worker::zoho_projects
