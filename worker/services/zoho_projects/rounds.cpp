// SPDX-License-Identifier: PostgreSQL
// What no list tells by time of change is found by going round: a few projects or tasks at a time,
// for ever.  The first round is the initial reading and goes on at every poll; later ones are the
// slow sweep that also finds what was deleted without a trace.
#include <algorithm>

#include "services/field_value.hpp"
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/paging.hpp"
#include "services/zoho_projects/place.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

// Requests of one URL pattern are few (100 in two minutes), and polls a minute apart.
constexpr int places_a_first_step = 20;
constexpr int tasks_a_step = 10;
constexpr int projects_a_step = 1;
// Longer lists of ids are not kept with a cursor; what they would show stays undecided.
constexpr std::size_t most_ids = 10000;

std::vector<std::string> texts(const Json &list) {
  std::vector<std::string> answer;
  if (list.is_array()) {
    for (const auto &element : list) answer.push_back(scalar_text(&element));
  }
  return answer;
}

std::vector<std::string> ids_of(const std::vector<Record> &records) {
  std::vector<std::string> ids;
  ids.reserve(records.size());
  for (const auto &record : records) ids.push_back(record.external_id);
  return ids;
}

void add_ids(Json &list, const std::vector<std::string> &ids) {
  if (!list.is_array()) list = Json::array();
  for (const auto &id : ids) {
    if (std::find(list.begin(), list.end(), Json(id)) == list.end()) list.push_back(id);
  }
}

// Sorted, so that the same people are the same value.
Json sorted_ids(const std::vector<Json> &people, const std::vector<std::string> &without = {}) {
  std::vector<std::string> ids;
  for (const auto &person : people) {
    std::string id = scalar_text(person, "zpuid");
    if (id.empty()) id = scalar_text(person, "id");
    if (!id.empty() && std::find(without.begin(), without.end(), id) == without.end())
      ids.push_back(std::move(id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool passes(const Verdict &verdict) {
  return verdict.outcome == Outcome::park || verdict.outcome == Outcome::gone;
}

}  // namespace

bool Connector::is_due(const Json &cursor) const {
  const std::string last = scalar_text(cursor, "stepped_at");
  return last.empty() || seconds_between(now_in_utc(), last) * 1000 >= sweep_interval_.count();
}

Task<Page> Connector::go_round(Session &session, std::string module, Json cursor) {
  Page page;
  const bool first = scalar_text(cursor, "rounds").empty();
  if (!first && !is_due(cursor)) {
    page.cursor = std::move(cursor);
    co_return page;
  }
  const bool comments = module == "projects_comment";
  const int limit = first ? places_a_first_step : comments ? tasks_a_step : projects_a_step;
  const std::vector<Located> places = session.next_records(
      comments ? "projects_task" : "projects_project", scalar_text(cursor, "after"), limit);
  if (scalar_text(cursor, "after").empty()) cursor["began_at"] = now_in_utc();
  bool to_the_end = static_cast<int>(places.size()) < limit;
  for (const auto &located : places) {
    Place place = place_of(session, located.context);
    (comments ? place.task_id : place.project_id) = located.external_id;
    const Step step = co_await read_place(session, module, place, page);
    if (step == Step::in_trouble && scalar_text(cursor, "tried") != located.external_id) {
      // Some places answer 500 for ever: a second try, then the round goes on without it.
      cursor["tried"] = located.external_id;
      to_the_end = false;
      break;
    }
    if (step != Step::read) cursor["gaps"] = true;
    cursor.erase("tried");
    cursor["after"] = located.external_id;
  }
  if (module == "projects_client_user") {
    for (const auto &records : page.records) {
      if (records.module == module) add_ids(cursor["seen"], ids_of(records.records));
    }
    const bool whole = to_the_end && !cursor.contains("gaps") && cursor["seen"].size() < most_ids;
    if (whole) {
      Listing listing{module, {{"portal_id", session.organization().portal_id}}};
      listing.external_ids = texts(cursor["seen"]);
      listing.began_at = scalar_text(cursor, "began_at");
      page.listings.push_back(std::move(listing));
    }
  }
  if (to_the_end) {
    cursor["rounds"] = 1 + std::atoi(scalar_text(cursor, "rounds").c_str());
    for (const char *name : {"after", "seen", "gaps", "tried", "began_at"}) cursor.erase(name);
  }
  cursor["stepped_at"] = now_in_utc();
  page.unfinished = first && !to_the_end;
  page.cursor = std::move(cursor);
  co_return page;
}

Task<Connector::Step> Connector::read_place(Session &session, std::string module, Place place,
                                            Page &page) {
  if (module == "projects_client_user") co_return co_await read_members(session, place, page);
  const ModuleInfo *info = session.catalog().module(module);
  const Listed listed = co_await list_all(session, collection(module, place), info->api_name);
  if (passes(listed.verdict)) co_return Step::skipped;
  if (listed.verdict.reason == "service_error") co_return Step::in_trouble;
  if (listed.verdict.outcome != Outcome::done) throw ServiceFailure(listed.verdict);
  Listing listing{module, {{"project_id", place.project_id}}};
  if (module == "projects_comment") {
    listing.within = {{"task_id", place.task_id}};
    // One page leaves no doubt; between two, a comment may have slipped from one to the other.
    listing.certain = listed.pages == 1;
  }
  ModuleRecords records{module, {}};
  for (const auto &one : listed.records) {
    listing.external_ids.push_back(scalar_text(one, "id"));
    if (module == "projects_task") {
      add_task(session, one, place, page);
    } else {
      records.records.push_back(from_service(session.catalog(), module, one, place));
    }
  }
  if (!records.records.empty()) page.records.push_back(std::move(records));
  if (listed.complete) page.listings.push_back(std::move(listing));
  co_return listed.complete ? Step::read : Step::skipped;
}

// Who works in a project: portal users, the customer's people and, where that call may be made, the
// customer itself.
Task<Connector::Step> Connector::read_members(Session &session, Place place, Page &page) {
  const std::string path = project_path(place);
  const Listed users = co_await list_all(session, path + "/users", "users");
  if (passes(users.verdict)) co_return Step::skipped;
  if (users.verdict.reason == "service_error") co_return Step::in_trouble;
  if (users.verdict.outcome != Outcome::done) throw ServiceFailure(users.verdict);
  const Listed guests = co_await list_all(session, path + "/clients/users", "users");
  Record project;
  project.external_id = place.project_id;
  ModuleRecords people{"projects_client_user", {}};
  for (const auto &guest : guests.records)
    people.records.push_back(
        from_service(session.catalog(), people.module, guest, Place{place.portal_id, {}}));
  if (guests.complete) project.fields["client_user_ids"] = sorted_ids(guests.records);
  if (users.complete)
    project.fields["user_ids"] = sorted_ids(users.records, ids_of(people.records));
  if (assumed_calls_) {
    const Listed clients = co_await list_all(session, path + "/clients", "clients");
    if (clients.complete) {
      Json primary;
      for (const auto &client : clients.records) {
        if (primary.is_null() || truthy(find(client, "is_primary")))
          primary = scalar_text(client, "id");
      }
      project.fields["client_id"] = std::move(primary);
    }
  }
  page.records.push_back(std::move(people));
  if (!project.fields.empty()) page.records.push_back({"projects_project", {std::move(project)}});
  co_return guests.complete ? Step::read : Step::skipped;
}

// Comments have no list by time.  Those of tasks that have just changed are read at once; whether a
// comment changes its task is not documented, so the round finds the others.
Task<void> Connector::read_comments_of(Session &session, std::vector<Place> tasks, Page &page) {
  for (const auto &task : tasks) {
    try {
      co_await read_place(session, "projects_comment", task, page);
    } catch (const ServiceFailure &) {
      co_return;  // the tasks themselves must not wait for that
    }
  }
}

// One page a step: the list of all projects, to see which ones left no trace in the bin.
Task<Page> Connector::list_projects(Session &session, Json cursor) {
  const Place place{session.organization().portal_id, {}};
  Page page;
  Json &round = cursor["round"];
  if (!round.is_object()) round = Json::object();
  const int number = page_number(round);
  if (number == 1) {
    round["began_at"] = now_in_utc();
    round["seen"] = Json::array();
  }
  ApiCall call = list_call(portal_path(place.portal_id) + "/projects", number);
  call.query.emplace_back("sort_by", "ASC(created_time)");
  const HttpResult result = co_await session.send(std::move(call));
  const Json body = body_of(result);
  const std::vector<Json> list = list_of(body, "projects");
  ModuleRecords records{"projects_project", {}};
  for (const auto &project : list)
    records.records.push_back(from_service(session.catalog(), records.module, project, place));
  add_ids(round["seen"], ids_of(records.records));
  page.records.push_back(std::move(records));
  if (!is_list(body, "projects")) {
    round["page"] = 1;
  } else if (has_next_page(body, list.size(), records_a_page)) {
    round["page"] = number + 1;
  } else {
    if (round["seen"].size() < most_ids) {
      Listing listing{"projects_project", {{"portal_id", place.portal_id}}};
      listing.external_ids = texts(round["seen"]);
      listing.began_at = scalar_text(round, "began_at");
      page.listings.push_back(std::move(listing));
    }
    round["page"] = 1;
  }
  round["stepped_at"] = now_in_utc();
  cursor.erase("phase");
  page.cursor = std::move(cursor);
  co_return page;
}

}  // namespace crm_bridge::worker::zoho_projects
