// SPDX-License-Identifier: PostgreSQL
#include <array>

#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/place.hpp"
#include "services/zoho_projects/settling.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

bool lives_in_a_project(const std::string &module) {
  return module == "projects_task_list" || module == "projects_task" ||
         module == "projects_comment";
}

// Those that have an address of their own and tell when they were changed.
bool is_versioned(const std::string &module) {
  return module == "projects_project" || module == "projects_task_list" ||
         module == "projects_task";
}

struct MemberField {
  const char *field;
  const char *list;
  const char *add;
};
constexpr std::array<MemberField, 2> member_fields{
    {{"user_ids", "/users", "/projectusers"},
     {"client_user_ids", "/clients/users", "/clientuser"}}};

}  // namespace

Task<Delivered> Connector::deliver(Session &session, std::vector<Change> changes) {
  Change change = std::move(changes.front());
  if (change.operation == Operation::remove && change.external_id.empty())
    co_return only(settle(change, lost_creation("Projects")));
  const Place place = place_of(session, change.context);
  if (place.portal_id.empty()) {
    co_return only(
        settle(change, {Outcome::park, "no_portal", "the organization has chosen no portal", {}}));
  }
  for (const auto &[name, value] : change.fields.items()) {
    if (session.catalog().field(change.module, name) != nullptr) continue;
    // A field that the organization has got since the catalog was read: it must not be left out.
    co_return only(settle(change, {Outcome::retry, "unknown_field", name, {}}));
  }
  if (lives_in_a_project(change.module) && place.project_id.empty()) {
    co_return only(
        settle(change, {Outcome::park, "no_project", "the record belongs to no project", {}}));
  }
  if (change.module == "projects_comment" && place.task_id.empty()) {
    co_return only(
        settle(change, {Outcome::park, "no_task", "the comment belongs to no task", {}}));
  }
  if (change.module == "projects_client" && !assumed_calls_) {
    co_return only(settle(change, switched_off("writing clients")));
  }
  if (change.module == "projects_user") {
    if (!assumed_calls_) co_return only(settle(change, switched_off("adding users")));
    co_return co_await add_user(session, std::move(change));
  }
  if (change.module == "projects_client_user") {
    if (!assumed_calls_) co_return only(settle(change, switched_off("writing client users")));
    co_return co_await write_client_user(session, std::move(change));
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
  const Place place = place_of(session, change.context);
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
  }
  ApiCall call;
  call.method = "POST";
  call.path = collection(change.module, place);
  call.body = std::move(body);
  call.repeatable = false;
  const bool completed =
      change.module == "projects_task" && truthy(find(change.fields, "is_completed"));
  HttpResult result;
  if (completed) {
    result = co_await send_with_status(session, std::move(call), place, true);
  } else {
    result = co_await session.send(std::move(call));
  }
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
  if (settled.verdict.outcome == Outcome::done && change.module == "projects_project")
    settled.verdict = co_await finish_project(session, change, settled.external_id);
  delivered.settled.push_back(std::move(settled));
  co_return delivered;
}

Task<Delivered> Connector::update(Session &session, Change change) {
  const Place place = place_of(session, change.context);
  const std::string path = collection(change.module, place) + "/" + change.external_id;
  if (auto overtaken = co_await look_before_writing(session, change, path))
    co_return only(std::move(*overtaken));
  Json body = to_service(session.catalog(), change);
  Settled settled = settle(change, {});
  if (change.module == "projects_task") {
    const Json *list = find(change.fields, "task_list_id");
    if (list != nullptr && !list->is_null()) {
      ApiCall move;
      move.method = "POST";
      move.path = path + "/move";
      move.body = {{"target_tasklist_id", *list}};
      const HttpResult moved = co_await session.send(std::move(move));
      settled.verdict = judge_answer(moved);
      // Whatever it names: of the move nothing but the list was sent.
      if (settled.verdict.refused_fields) settled.verdict.refused_fields = {{"tasklist"}};
      if (settled.verdict.outcome != Outcome::done) co_return only(std::move(settled));
    }
  }
  const Json *completed =
      change.module == "projects_task" ? find(change.fields, "is_completed") : nullptr;
  const bool with_status = completed != nullptr && !completed->is_null();
  if (!body.empty() || with_status) {
    ApiCall call;
    call.method = "PATCH";
    call.path = path;
    call.body = std::move(body);
    HttpResult result;
    if (with_status) {
      const bool closed = truthy(completed);
      result = co_await send_with_status(session, std::move(call), place, closed);
    } else {
      result = co_await session.send(std::move(call));
    }
    settled.verdict = judge_answer(result);
    if (settled.verdict.outcome == Outcome::done)
      take_answer(session, change, result, place, settled);
    settled.external_id = change.external_id;
  }
  if (settled.verdict.outcome == Outcome::done && change.module == "projects_project") {
    settled.verdict = co_await finish_project(session, change, change.external_id);
    // The project's own fields were taken before: a person must see what is left.
    settled.verdict.refused_fields.reset();
  }
  co_return only(std::move(settled));
}

// Projects has no conditional writes: between this look and the write somebody may still come in,
// but no longer between our last reading and the write.
Task<std::optional<Settled>> Connector::look_before_writing(Session &session, Change change,
                                                            std::string path) {
  if (!read_before_write_ || change.version.empty() || !is_versioned(change.module))
    co_return std::nullopt;
  ApiCall call;
  call.path = std::move(path);
  const HttpResult result = co_await session.send(std::move(call));
  Verdict verdict = of_a_look(judge_answer(result));
  // Who may not read may be allowed to write: the service says so itself.
  if (verdict.outcome == Outcome::park) co_return std::nullopt;
  if (verdict.outcome != Outcome::done) co_return settle(change, std::move(verdict));
  Record found;
  try {
    const Json body =
        record_of(parse_json(result.body), session.catalog().module(change.module)->api_name);
    found = from_service(session.catalog(), change.module, body, place_of(session, change.context));
  } catch (const MalformedJson &) {
    // What cannot be read cannot be compared: the answer to the write will tell.
  }
  if (found.external_id != change.external_id || !is_overtaken(change, found))
    co_return std::nullopt;
  co_return overtaken(settle(change, {}), std::move(found));
}

Task<Delivered> Connector::remove(Session &session, Change change) {
  const Place place = place_of(session, change.context);
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

Task<Verdict> Connector::finish_project(Session &session, Change change, std::string project_id) {
  Verdict verdict;
  const Json *client = find(change.fields, "client_id");
  const bool creating = change.operation == Operation::create;
  if (client != nullptr && !(creating && client->is_null()))
    verdict = co_await associate_client(session, change, project_id);
  Place place = place_of(session, change.context);
  place.project_id = project_id;
  // The customer before its people: they are admitted only to its projects.
  for (const MemberField &members : member_fields) {
    const Json *wanted = find(change.fields, members.field);
    if (wanted == nullptr || (creating && wanted->is_null())) continue;
    if (verdict.outcome != Outcome::done) break;
    if (assumed_calls_) {
      verdict = co_await set_members(session, place, members.list, members.add, *wanted);
    } else {
      verdict = switched_off("telling a project its people");
    }
  }
  co_return verdict;
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
  call.path = portal_path(place_of(session, change.context).portal_id) + "/projects/" + project_id +
              "/associate-client";
  call.body = {{"clients", Json::array({Json{{"id", client}}})}};
  const HttpResult result = co_await session.send(std::move(call));
  Verdict verdict = judge_answer(result);
  if (verdict.outcome == Outcome::gone) verdict.outcome = Outcome::park;
  co_return verdict;
}

}  // namespace crm_bridge::worker::zoho_projects
