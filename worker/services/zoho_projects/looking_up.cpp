// SPDX-License-Identifier: PostgreSQL
// What a write must know first: the list of a task, whether a lost create arrived, the status of a
// kind.
#include <algorithm>
#include <cctype>

#include "core/html.hpp"
#include "services/field_value.hpp"
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/likeness.hpp"
#include "services/zoho_projects/paging.hpp"
#include "services/zoho_projects/place.hpp"

namespace crm_bridge::worker::zoho_projects {
namespace {

// How far back a create whose answer was lost is looked for.  Attempts follow each other within
// minutes.
constexpr long long look_back_seconds = 6 * 3600;

// A name is what people give; of a comment all that it says, since services rewrite markup.
std::string recognisable(const std::string &module, const Json &record, const char *content) {
  if (module != "projects_comment") return scalar_text(record, "name");
  return core::html_to_plain(scalar_text(record, content));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Task<Verdict> Connector::choose_list(Session &session, Change change, std::string &list_id,
                                     Delivered &delivered) {
  const Place place = place_of(session, change.context);
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
  const Place place = place_of(session, change.context);
  // Any of the attempts may have arrived: the record may bear what an earlier one said.
  std::vector<Json> attempts{change.fields};
  if (change.doubted.is_array())
    attempts.insert(attempts.end(), change.doubted.begin(), change.doubted.end());
  const std::string now = now_in_utc();
  const ModuleInfo *module = session.catalog().module(change.module);
  const bool sorted = change.module == "projects_project" || change.module == "projects_task";
  std::vector<std::string> candidates;
  std::vector<std::string> doubtful;
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
    const std::string api_name = module == nullptr ? std::string{} : module->api_name;
    const Json *told = body.is_array() ? &body : find(body, api_name);
    // Only a list can say that a record is not there.
    if (result.status != 204 && (told == nullptr || !told->is_array()))
      co_return Verdict{Outcome::in_doubt, "unreadable_answer", "the answer has no list", {}};
    const std::vector<Json> list = list_of(body, api_name);
    more = has_next_page(body, list.size(), 100);
    for (const auto &record : list) {
      const std::string created = scalar_text(record, "created_time");
      const bool old = !created.empty() && seconds_between(now, created) > look_back_seconds;
      if (old && sorted) more = false;
      if (old) continue;
      const std::string name = recognisable(change.module, record, "comment");
      Likeness best = Likeness::other;
      for (const Json &sent : attempts) {
        if (best == Likeness::ours || recognisable(change.module, sent, "content") != name)
          continue;
        const Likeness like =
            likeness(session.catalog(), change.module, sent, record,
                     from_service(session.catalog(), change.module, record, place));
        if (like != Likeness::other) best = like;
      }
      if (best == Likeness::ours) candidates.push_back(scalar_text(record, "id"));
      if (best == Likeness::doubtful) doubtful.push_back(scalar_text(record, "id"));
    }
  }
  if (candidates.empty() && doubtful.empty()) co_return Verdict{};
  // Another record of the same name may be somebody else's twin already.
  std::vector<std::string> asked = candidates;
  asked.insert(asked.end(), doubtful.begin(), doubtful.end());
  const std::vector<std::string> taken = session.known_external_ids(change.module, asked);
  const auto is_free = [&](const std::string &id) {
    return std::find(taken.begin(), taken.end(), id) == taken.end();
  };
  for (const auto &candidate : candidates) {
    if (is_free(candidate)) found = candidate;
  }
  const auto other = std::find_if(doubtful.begin(), doubtful.end(), is_free);
  if (found.empty() && other != doubtful.end()) {
    co_return Verdict{
        Outcome::park,
        "ambiguous",
        "the answer to the creation was lost, and record " + *other +
            " has the same name but was changed since: rename one of the two, then retry()",
        {}};
  }
  co_return Verdict{};
}

Task<Verdict> Connector::find_client_user(Session &session, Change change, std::string project_id,
                                          std::string &found) {
  Place place = place_of(session, change.context);
  place.project_id = std::move(project_id);
  const Listed listed = co_await list_all(session, project_path(place) + "/clients/users", "users");
  if (listed.verdict.outcome != Outcome::done) co_return listed.verdict;
  const std::string email = lower(scalar_text(change.fields, "email"));
  for (const auto &person : listed.records) {
    if (lower(scalar_text(person, "email")) != email) continue;
    found = scalar_text(person, "zpuid");
    if (found.empty()) found = scalar_text(person, "id");
  }
  co_return Verdict{};
}

Task<HttpResult> Connector::send_with_status(Session &session, ApiCall call, Place place,
                                             bool closed) {
  if (memory(session).statuses.empty()) {
    std::vector<Status> read = co_await statuses(session, place.portal_id);
    memory(session).statuses = std::move(read);
  }
  // The layout of a project decides which statuses it takes, and no call tells the layout: what
  // suited the project last comes first.
  const std::string kind = place.project_id + (closed ? "/closed" : "/open");
  std::vector<Json> candidates;
  const std::string suited = memory(session).suited[kind];
  if (!suited.empty()) candidates.push_back({{"id", suited}});
  for (const auto &status : memory(session).statuses) {
    if (status.closed == closed && status.id != suited) candidates.push_back({{"id", status.id}});
  }
  if (candidates.empty()) candidates.push_back({{"name", closed ? "Closed" : "Open"}});
  std::optional<HttpResult> refusal;
  for (const auto &candidate : candidates) {
    call.body["status"] = candidate;
    HttpResult result = co_await session.send(call);
    const Verdict verdict = judge_answer(result);
    if (verdict.outcome == Outcome::done)
      memory(session).suited[kind] = scalar_text(candidate, "id");
    const bool another_layout =
        verdict.outcome == Outcome::park && verdict.detail.find("(status)") != std::string::npos;
    if (!another_layout) co_return result;
    // Where none is taken, what counts is the word about the task (its parent is closed), not that
    // about a status of another layout.
    if (!refusal || result.body.find("OPERATIONAL_VALIDATION_ERROR") != std::string::npos)
      refusal = std::move(result);
  }
  co_return std::move(*refusal);
}

}  // namespace crm_bridge::worker::zoho_projects
