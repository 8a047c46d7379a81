// SPDX-License-Identifier: PostgreSQL
#include "services/field_value.hpp"
#include "services/zoho_projects/connector.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

// How far back a create whose answer was lost is looked for.  Attempts follow each other within
// minutes.
constexpr long long look_back_seconds = 6 * 3600;

Place place_of(const Session &session, const Change &change) {
  Place place{scalar_text(change.context, "portal_id"), scalar_text(change.context, "project_id")};
  if (place.portal_id.empty()) place.portal_id = session.organization().portal_id;
  return place;
}

// Where records of a module are listed and made.
std::string collection(const std::string &module, const Place &place) {
  const std::string portal = portal_path(place.portal_id);
  if (module == "projects_client") return portal + "/clients";
  if (module == "projects_project") return portal + "/projects";
  if (module == "projects_task_list")
    return portal + "/projects/" + place.project_id + "/tasklists";
  return portal + "/projects/" + place.project_id + "/tasks";
}

bool lives_in_a_project(const std::string &module) {
  return module == "projects_task_list" || module == "projects_task";
}

Settled settle(const Change &change, Verdict verdict) {
  Settled settled;
  settled.module = change.module;
  settled.record_id = change.record_id;
  // A confirmed deletion names no record that the service has.
  if (change.operation != Operation::remove) settled.external_id = change.external_id;
  settled.verdict = std::move(verdict);
  return settled;
}

Delivered only(Settled settled) {
  Delivered delivered;
  delivered.settled.push_back(std::move(settled));
  return delivered;
}

// The answer of a write as far as it tells: version and the fields that the service sets.
void take_answer(const Session &session, const Change &change, const HttpResult &result,
                 const Place &place, Settled &settled) {
  if (result.body.empty()) return;
  const Json body = parse_json(result.body);
  const Record record = from_service(session.catalog(), change.module, body, place);
  if (settled.external_id.empty()) settled.external_id = record.external_id;
  settled.version = record.version;
  settled.fields = set_by_service(session.catalog(), change.module, record);
}

Verdict switched_off(const char *what) {
  return {Outcome::park,
          "assumed_call",
          std::string(what) +
              " rests on an undocumented call: try it on the real portal, then set assumed_calls = "
              "true",
          {}};
}

}  // namespace

std::string portal_path(const std::string &portal_id) { return "/api/v3/portal/" + portal_id; }

Task<Delivered> Connector::deliver(Session &session, std::vector<Change> changes) {
  Change change = std::move(changes.front());
  const Place place = place_of(session, change);
  if (place.portal_id.empty()) {
    co_return only(
        settle(change, {Outcome::park, "no_portal", "the organization has chosen no portal", {}}));
  }
  if (lives_in_a_project(change.module) && place.project_id.empty()) {
    co_return only(
        settle(change, {Outcome::park, "no_project", "the record belongs to no project", {}}));
  }
  if (change.module == "projects_client" && !assumed_calls_) {
    co_return only(settle(change, switched_off("writing clients")));
  }
  Delivered delivered;
  switch (change.operation) {
    case Operation::create:
      delivered = co_await create(session, std::move(change));
      break;
    case Operation::update:
      delivered = co_await update(session, std::move(change));
      break;
    case Operation::remove:
      delivered = co_await remove(session, std::move(change));
      break;
  }
  co_return delivered;
}

Task<Delivered> Connector::create(Session &session, Change change) {
  Delivered delivered;
  const Place place = place_of(session, change);
  if (change.in_doubt) {
    std::string found;
    Verdict verdict = co_await find_created(session, change, found);
    if (verdict.outcome != Outcome::done) {
      // Not known yet, so still in doubt.
      verdict.outcome = Outcome::in_doubt;
      co_return only(settle(change, std::move(verdict)));
    }
    if (!found.empty()) {
      change.external_id = found;
      change.operation = Operation::update;
      co_return co_await update(session, std::move(change));
    }
  }
  Json body = to_service(session.catalog(), change);
  Json chosen = Json::object();
  if (change.module == "projects_task") {
    if (!body.contains("tasklist")) {
      std::string list_id;
      Verdict verdict = co_await choose_list(session, change, list_id, delivered);
      if (verdict.outcome != Outcome::done) {
        delivered.settled.push_back(settle(change, std::move(verdict)));
        co_return delivered;
      }
      body["tasklist"] = {{"id", list_id}};
      chosen["task_list_id"] = list_id;
    }
    if (truthy(find(change.fields, "is_completed"))) {
      body["status"] = co_await status_of_kind(session, place.portal_id, true);
    }
  }
  ApiCall call;
  call.method = "POST";
  call.path = collection(change.module, place);
  call.body = std::move(body);
  call.repeatable = false;
  const HttpResult result = co_await session.send(std::move(call));
  Settled settled = settle(change, judge_answer(result));
  if (settled.verdict.outcome == Outcome::gone) {
    settled.verdict.outcome =
        Outcome::park;  // what is gone is the project or the list, not this record
  }
  if (settled.verdict.outcome == Outcome::done) {
    take_answer(session, change, result, place, settled);
    settled.fields.update(chosen);
    if (settled.external_id.empty())
      settled.verdict = {Outcome::in_doubt, "unreadable_answer", "no id in it", {}};
  }
  if (settled.verdict.outcome == Outcome::park && !chosen.empty() &&
      memory(session).first_list.erase(place.project_id) > 0 && change.attempt < 3) {
    settled.verdict.outcome =
        Outcome::retry;  // perhaps the list that we remembered is not there any more
  }
  const Json *client = find(change.fields, "client_id");
  if (settled.verdict.outcome == Outcome::done && change.module == "projects_project" &&
      client != nullptr && !client->is_null()) {
    settled.verdict = co_await associate_client(session, change, settled.external_id);
  }
  delivered.settled.push_back(std::move(settled));
  co_return delivered;
}

Task<Delivered> Connector::update(Session &session, Change change) {
  const Place place = place_of(session, change);
  const std::string path = collection(change.module, place) + "/" + change.external_id;
  Json body = to_service(session.catalog(), change);
  Settled settled = settle(change, {});
  if (change.module == "projects_task") {
    if (const Json *completed = find(change.fields, "is_completed");
        completed != nullptr && !completed->is_null()) {
      body["status"] = co_await status_of_kind(session, place.portal_id, truthy(completed));
    }
    const Json *list = find(change.fields, "task_list_id");
    if (list != nullptr && !list->is_null()) {
      ApiCall move;
      move.method = "POST";
      move.path = path + "/move";
      move.body = {{"target_tasklist_id", *list}};
      const HttpResult moved = co_await session.send(std::move(move));
      settled.verdict = judge_answer(moved);
      if (settled.verdict.outcome != Outcome::done) co_return only(std::move(settled));
    }
  }
  if (!body.empty()) {
    ApiCall call;
    call.method = "PATCH";
    call.path = path;
    call.body = std::move(body);
    const HttpResult result = co_await session.send(std::move(call));
    settled.verdict = judge_answer(result);
    if (settled.verdict.outcome == Outcome::done)
      take_answer(session, change, result, place, settled);
    settled.external_id = change.external_id;
  }
  if (settled.verdict.outcome == Outcome::done && change.module == "projects_project" &&
      change.fields.contains("client_id")) {
    settled.verdict = co_await associate_client(session, change, change.external_id);
  }
  co_return only(std::move(settled));
}

Task<Delivered> Connector::remove(Session &session, Change change) {
  const Place place = place_of(session, change);
  ApiCall call;
  call.path = collection(change.module, place) + "/" + change.external_id;
  if (change.module == "projects_project") {
    // DELETE would be for ever; the trash can be restored.
    call.method = "POST";
    call.path += "/trash";
  } else {
    call.method = "DELETE";
  }
  const HttpResult result = co_await session.send(std::move(call));
  Settled settled = settle(change, judge_answer(result));
  if (settled.verdict.outcome == Outcome::gone) settled.verdict = {};
  co_return only(std::move(settled));
}

Task<Verdict> Connector::associate_client(Session &session, Change change, std::string project_id) {
  if (!assumed_calls_) co_return switched_off("telling a project its client");
  const Json client = change.fields.value("client_id", Json());
  if (client.is_null()) {
    co_return Verdict{
        Outcome::park, "assumed_call", "taking the client off a project is not known how", {}};
  }
  ApiCall call;
  call.method = "POST";
  call.path = portal_path(place_of(session, change).portal_id) + "/projects/" + project_id +
              "/associate-client";
  call.body = {{"clients", Json::array({Json{{"id", client}}})}};
  const HttpResult result = co_await session.send(std::move(call));
  Verdict verdict = judge_answer(result);
  if (verdict.outcome == Outcome::gone) verdict.outcome = Outcome::park;
  co_return verdict;
}

Task<Verdict> Connector::choose_list(Session &session, Change change, std::string &list_id,
                                     Delivered &delivered) {
  const Place place = place_of(session, change);
  Memory &known = memory(session);
  auto &gate = known.choosing[place.project_id];
  if (!gate) gate = std::make_unique<Gate>();
  const Gate::Pass pass = co_await gate->enter();
  if (const auto first = known.first_list.find(place.project_id); first != known.first_list.end()) {
    list_id = first->second;
    co_return Verdict{};
  }
  Json list;
  ApiCall look;
  look.path = collection("projects_task_list", place);
  look.query = {{"page", "1"}, {"per_page", "100"}};
  const HttpResult lists = co_await session.send(std::move(look));
  Verdict verdict = judge_answer(lists);
  if (verdict.outcome != Outcome::done) {
    // Nothing of the task was sent: it is as certain, or as doubtful, as before.
    verdict.outcome = change.in_doubt ? Outcome::in_doubt : Outcome::retry;
    co_return verdict;
  }
  const std::vector<Json> there =
      list_of(lists.body.empty() ? Json() : parse_json(lists.body), "tasklists");
  if (!there.empty()) {
    list = there.front();
  } else {
    ApiCall make;
    make.method = "POST";
    make.path = collection("projects_task_list", place);
    make.body = {{"name", "General"}};
    make.repeatable = false;
    const HttpResult made = co_await session.send(std::move(make));
    verdict = judge_answer(made);
    if (verdict.outcome != Outcome::done) {
      if (verdict.outcome != Outcome::park)
        verdict.outcome = change.in_doubt ? Outcome::in_doubt : Outcome::retry;
      co_return verdict;
    }
    if (!made.body.empty()) list = parse_json(made.body);
  }
  list_id = scalar_text(list, "id");
  if (list_id.empty())
    co_return Verdict{Outcome::retry, "unreadable_answer", "the task list has no id", {}};
  known.first_list[place.project_id] = list_id;
  delivered.seen.push_back(
      {"projects_task_list", {from_service(session.catalog(), "projects_task_list", list, place)}});
  co_return Verdict{};
}

Task<Verdict> Connector::find_created(Session &session, Change change, std::string &found) {
  const Place place = place_of(session, change);
  const std::string name = scalar_text(change.fields, "name");
  const std::string now = now_in_utc();
  const ModuleInfo *module = session.catalog().module(change.module);
  const bool sorted = change.module == "projects_project" || change.module == "projects_task";
  std::vector<std::string> candidates;
  bool more = true;
  for (int number = 1; more; ++number) {
    ApiCall call;
    call.path = collection(change.module, place);
    call.query = {{"page", std::to_string(number)}, {"per_page", "100"}};
    if (sorted) call.query.emplace_back("sort_by", "DESC(created_time)");
    const HttpResult result = co_await session.send(std::move(call));
    const Verdict verdict = judge_answer(result);
    if (verdict.outcome != Outcome::done) co_return verdict;
    const Json body = result.body.empty() ? Json() : parse_json(result.body);
    const std::vector<Json> list =
        list_of(body, module == nullptr ? std::string{} : module->api_name);
    more = has_next_page(body, list.size(), 100);
    for (const auto &record : list) {
      const std::string created = scalar_text(record, "created_time");
      const bool old = !created.empty() && seconds_between(now, created) > look_back_seconds;
      if (old && sorted) more = false;
      if (!old && scalar_text(record, "name") == name)
        candidates.push_back(scalar_text(record, "id"));
    }
  }
  if (candidates.empty()) co_return Verdict{};
  // Another record of the same name may be somebody else's twin already.
  const std::vector<std::string> taken = session.known_external_ids(change.module, candidates);
  for (const auto &candidate : candidates) {
    if (std::find(taken.begin(), taken.end(), candidate) == taken.end()) found = candidate;
  }
  co_return Verdict{};
}

Task<Json> Connector::status_of_kind(Session &session, std::string portal_id, bool closed) {
  auto &known = memory(session).statuses;
  if (known.empty()) {
    std::vector<Status> read = co_await statuses(session, portal_id);
    memory(session).statuses = std::move(read);
  }
  for (const auto &status : memory(session).statuses) {
    if (status.closed == closed) co_return Json{{"id", status.id}};
  }
  co_return Json{{"name", closed ? "Closed" : "Open"}};
}

}  // namespace crm_bridge::worker::zoho_projects
