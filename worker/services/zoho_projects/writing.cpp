// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/place.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

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

// The answer of a write as far as it is needed: id and version.
void take_answer(const Session &session, const Change &change, const HttpResult &result,
                 const Place &place, Settled &settled) {
  if (result.body.empty()) return;
  const Json body = parse_json(result.body);
  const Record record = from_service(session.catalog(), change.module, body, place);
  if (settled.external_id.empty()) settled.external_id = record.external_id;
  settled.version = record.version;
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
      // Not known yet, so still in doubt, unless a person must look.
      if (verdict.reason != "ambiguous") verdict.outcome = Outcome::in_doubt;
      co_return only(settle(change, std::move(verdict)));
    }
    if (!found.empty()) {
      change.external_id = found;
      change.operation = Operation::update;
      co_return co_await update(session, std::move(change));
    }
  }
  Json body = to_service(session.catalog(), change);
  bool list_chosen = false;
  if (change.module == "projects_task") {
    if (!body.contains("tasklist")) {
      std::string list_id;
      Verdict verdict = co_await choose_list(session, change, list_id, delivered);
      if (verdict.outcome != Outcome::done) {
        delivered.settled.push_back(settle(change, std::move(verdict)));
        co_return delivered;
      }
      body["tasklist"] = {{"id", list_id}};
      list_chosen = true;
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
    settled.created = !settled.external_id.empty();
    if (!settled.created) {
      settled.verdict = {Outcome::in_doubt, "unreadable_answer", "no id in it", {}};
    }
  }
  if (settled.verdict.outcome == Outcome::park && list_chosen &&
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

}  // namespace crm_bridge::worker::zoho_projects
