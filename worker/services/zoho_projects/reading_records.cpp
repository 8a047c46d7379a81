// SPDX-License-Identifier: PostgreSQL
// Reads again what a webhook named, what a list did not show any more, what was busy or stale.
#include <algorithm>

#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/paging.hpp"
#include "services/zoho_projects/place.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

Record deleted(const std::string &external_id) {
  Record record;
  record.external_id = external_id;
  record.deleted = true;
  return record;
}

bool needs_a_project(const std::string &module) {
  return module == "projects_task" || module == "projects_task_list";
}

}  // namespace

Task<Reading> Connector::read_records(Session &session, std::string module,
                                      std::vector<Notice> notices) {
  Reading reading;
  if (module == "projects_comment") {
    co_await read_comments_again(session, std::move(notices), reading);
    co_return reading;
  }
  const bool one_by_one = module == "projects_project" || module == "projects_user" ||
                          module == "projects_client_user" || needs_a_project(module) ||
                          (module == "projects_client" && assumed_calls_);
  if (!one_by_one) {
    reading.poll.push_back(module);
    co_return reading;
  }
  Page page;
  ModuleRecords records{module, {}};
  for (const auto &notice : notices) {
    if (notice.event == "delete") {
      // What lies in the trash may still answer, so there is nothing to read again.
      note_children(module, notice.external_id, reading.listings);
      records.records.push_back(deleted(notice.external_id));
      continue;
    }
    const Place place = place_of(session, notice.context);
    if (place.portal_id.empty()) continue;
    if (needs_a_project(module) && place.project_id.empty()) {
      // Neither the database nor the webhook knows where it lives.
      if (reading.poll.empty()) reading.poll.emplace_back("projects_task");
      continue;
    }
    ApiCall call;
    call.path = collection(module, place) + "/" + notice.external_id;
    const HttpResult result = co_await session.send(std::move(call));
    if (judge_answer(result).outcome == Outcome::gone) {
      if (notice.event != "missing") continue;
      note_children(module, notice.external_id, reading.listings);
      records.records.push_back(deleted(notice.external_id));
      continue;
    }
    const Json body = record_of(body_of(result), session.catalog().module(module)->api_name);
    if (scalar_text(body, "id").empty() && scalar_text(body, "zpuid").empty()) continue;
    if (module == "projects_project" && notice.event == "missing") {
      // In the trash: no list shows it, but it answers.  The bin tells, or a restore.
      continue;
    }
    if (module == "projects_task") {
      add_task(session, body, place, page);
    } else {
      records.records.push_back(from_service(session.catalog(), module, body, place));
    }
  }
  reading.records = std::move(page.records);
  reading.records.push_back(std::move(records));
  co_return reading;
}

// A comment has no address of its own for reading: its task's comments are listed.
Task<void> Connector::read_comments_again(Session &session, std::vector<Notice> notices,
                                          Reading &reading) {
  const std::string module = "projects_comment";
  ModuleRecords records{module, {}};
  std::map<std::string, std::vector<Notice>> by_task;
  for (auto &notice : notices) {
    if (notice.event == "delete") {
      records.records.push_back(deleted(notice.external_id));
      continue;
    }
    const Place place = place_of(session, notice.context);
    // Not known where: the round of comments comes by.
    if (place.project_id.empty() || place.task_id.empty()) continue;
    by_task[place.task_id].push_back(std::move(notice));
  }
  for (const auto &[task, wanted] : by_task) {
    const Place place = place_of(session, wanted.front().context);
    const Listed listed = co_await list_all(session, collection(module, place), "comments");
    // The whole task is gone, or closed to us: its own notice decides.
    if (listed.verdict.outcome == Outcome::gone || listed.verdict.outcome == Outcome::park)
      continue;
    if (listed.verdict.outcome != Outcome::done) throw ServiceFailure(listed.verdict);
    std::vector<std::string> there;
    for (const auto &comment : listed.records) {
      there.push_back(scalar_text(comment, "id"));
      records.records.push_back(from_service(session.catalog(), module, comment, place));
    }
    for (const auto &notice : wanted) {
      const bool listed_again =
          std::find(there.begin(), there.end(), notice.external_id) != there.end();
      if (notice.event == "missing" && listed.complete && !listed_again)
        records.records.push_back(deleted(notice.external_id));
    }
  }
  reading.records.push_back(std::move(records));
}

}  // namespace crm_bridge::worker::zoho_projects
