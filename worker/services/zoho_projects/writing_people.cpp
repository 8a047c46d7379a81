// SPDX-License-Identifier: PostgreSQL
// The customer's people, and who works in a project.  The paths are documented, the bodies are not:
// all of it is off unless assumed calls are on.  Nobody is mailed: "notify" is false.
#include <algorithm>

#include "http/origin.hpp"
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/paging.hpp"
#include "services/zoho_projects/place.hpp"
#include "services/zoho_projects/settling.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

std::string text_field(const Change &change, const char *name) {
  return scalar_text(find(change.fields, name));
}

ApiCall post(std::string path, Json body) {
  ApiCall call;
  call.method = "POST";
  call.path = std::move(path);
  call.body = std::move(body);
  return call;
}

Json admission(const std::string &zpuid) {
  return {{"userdetails", Json::array({Json{{"zpuid", zpuid}}})}, {"notify", false}};
}

// What is refused here is the project or the list, not this record.
Verdict of_a_step(const HttpResult &result) {
  Verdict verdict = judge_answer(result);
  if (verdict.outcome == Outcome::gone) verdict.outcome = Outcome::park;
  return verdict;
}

}  // namespace

Task<Delivered> Connector::add_user(Session &session, Change change) {
  const Place place = place_of(session, change.context);
  const std::string users = portal_path(place.portal_id) + "/users";
  if (change.operation != Operation::create) {
    co_return only(
        settle(change, {Outcome::park, "read_only", "a portal's user is changed in Projects", {}}));
  }
  // Whoever is in the portal already stays as he is, whoever put him there: a person, or an attempt
  // of ours whose answer was lost.
  ApiCall look;
  look.path = users + "/" + url_encode(text_field(change, "email"));
  const HttpResult known = co_await session.send(std::move(look));
  Verdict verdict = judge_answer(known);
  Settled settled = settle(change, {});
  if (verdict.outcome == Outcome::done) {
    take_answer(session, change, known, place, settled);
    settled.created = !settled.external_id.empty();
    if (settled.created) co_return only(std::move(settled));
  } else if (verdict.outcome != Outcome::gone) {
    if (verdict.outcome != Outcome::park && change.in_doubt) verdict.outcome = Outcome::in_doubt;
    co_return only(settle(change, std::move(verdict)));
  }
  ApiCall call = post(users, to_service(session.catalog(), change));
  call.repeatable = false;
  const HttpResult result = co_await session.send(std::move(call));
  settled = settle(change, of_a_step(result));
  if (settled.verdict.outcome == Outcome::done) {
    take_answer(session, change, result, place, settled);
    settled.created = !settled.external_id.empty();
    if (!settled.created)
      settled.verdict = {Outcome::in_doubt, "unreadable_answer", "no id in it", {}};
  }
  co_return only(std::move(settled));
}

Task<Delivered> Connector::write_client_user(Session &session, Change change) {
  const Place place = place_of(session, change.context);
  const std::string users = portal_path(place.portal_id) + "/users";
  const std::string project_id = text_field(change, "project_id");
  const std::string invitation =
      portal_path(place.portal_id) + "/projects/" + project_id + "/clientuser";
  if (change.operation == Operation::remove) {
    ApiCall call;
    call.method = "DELETE";
    call.path = users + "/" + change.external_id;
    const HttpResult result = co_await session.send(std::move(call));
    Settled settled = settle(change, judge_answer(result));
    if (settled.verdict.outcome == Outcome::gone) settled.verdict = {};
    co_return only(std::move(settled));
  }
  if (change.operation == Operation::create) {
    if (project_id.empty()) {
      co_return only(settle(change, {Outcome::park,
                                     "no_project",
                                     "a client user is invited to a project: name project_id",
                                     {}}));
    }
    if (change.in_doubt) {
      std::string found;
      Verdict verdict = co_await find_client_user(session, change, project_id, found);
      if (verdict.outcome != Outcome::done) {
        verdict.outcome = Outcome::in_doubt;
        co_return only(settle(change, std::move(verdict)));
      }
      if (!found.empty()) {
        Settled settled = settle(change, {});
        settled.external_id = found;
        settled.created = true;
        co_return only(std::move(settled));
      }
    }
    Json body = to_service(session.catalog(), change);
    body["notify"] = false;
    ApiCall call = post(invitation, std::move(body));
    call.repeatable = false;
    const HttpResult result = co_await session.send(std::move(call));
    Settled settled = settle(change, of_a_step(result));
    if (settled.verdict.outcome == Outcome::done) {
      take_answer(session, change, result, place, settled);
      settled.created = !settled.external_id.empty();
      // An answer that does not name the person: the list of the project does.
      if (!settled.created)
        settled.verdict = {Outcome::in_doubt, "unreadable_answer", "no id in it", {}};
    }
    co_return only(std::move(settled));
  }
  Settled settled = settle(change, {});
  if (const Json body = to_service(session.catalog(), change); !body.empty()) {
    ApiCall call;
    call.method = "PATCH";
    call.path = users + "/" + change.external_id;
    call.body = body;
    const HttpResult result = co_await session.send(std::move(call));
    settled.verdict = judge_answer(result);
    if (settled.verdict.outcome == Outcome::done)
      take_answer(session, change, result, place, settled);
    settled.external_id = change.external_id;
  }
  if (settled.verdict.outcome == Outcome::done && !project_id.empty()) {
    const HttpResult result =
        co_await session.send(post(invitation, admission(change.external_id)));
    settled.verdict = of_a_step(result);
  }
  co_return only(std::move(settled));
}

Task<Verdict> Connector::set_members(Session &session, Place place, std::string list,
                                     std::string add, Json wanted) {
  const std::string path = project_path(place);
  Listed there = co_await list_all(session, path + list, "users");
  if (there.verdict.outcome == Outcome::gone) there.verdict.outcome = Outcome::park;
  if (there.verdict.outcome != Outcome::done) co_return there.verdict;
  if (!there.complete)
    co_return Verdict{Outcome::park, "unreadable_answer", "who is in the project is not told", {}};
  std::vector<std::string> present;
  for (const auto &person : there.records) {
    std::string id = scalar_text(person, "zpuid");
    present.push_back(id.empty() ? scalar_text(person, "id") : std::move(id));
  }
  std::vector<std::string> members;
  if (wanted.is_array()) {
    for (const auto &id : wanted) members.push_back(scalar_text(&id));
  }
  const auto contains = [](const std::vector<std::string> &ids, const std::string &id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  for (const auto &id : members) {
    if (contains(present, id)) continue;
    const HttpResult result = co_await session.send(post(path + add, admission(id)));
    const Verdict verdict = of_a_step(result);
    if (verdict.outcome != Outcome::done) co_return verdict;
  }
  for (const auto &id : present) {
    if (contains(members, id)) continue;
    ApiCall call;
    call.method = "DELETE";
    call.path = path + list + "/" + id;
    const HttpResult result = co_await session.send(std::move(call));
    const Verdict verdict = judge_answer(result);
    if (verdict.outcome != Outcome::done && verdict.outcome != Outcome::gone) co_return verdict;
  }
  co_return Verdict{};
}

}  // namespace crm_bridge::worker::zoho_projects
