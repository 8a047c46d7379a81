// SPDX-License-Identifier: PostgreSQL
// What is different with notes: changes are found newest first, deletions by asking for what is
// known, and a create whose answer was lost among the notes of its record.  The first two serve
// every module of a service that is not sure to have the other ways (dialect.hpp).
#include <algorithm>
#include <set>

#include "services/field_value.hpp"
#include "services/zoho_crm/answers.hpp"
#include "services/zoho_crm/connector.hpp"
#include "services/zoho_crm/translation.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

// How far back a create whose answer was lost is looked for.  Attempts follow each other within
// minutes.
constexpr long long look_back_seconds = 6 * 3600;
// A sweep asks for so many notes at a time, so many times in one poll, and goes on in the next.
constexpr int notes_a_step = 100;
constexpr int steps_a_poll = 5;

// Texts come back with line ends and outer white space as the service likes them.
std::string plain(const std::string &text) {
  std::string result;
  for (const char c : text) {
    if (c != '\r') result += c;
  }
  const auto first = result.find_first_not_of(" \t\n");
  if (first == std::string::npos) return {};
  return result.substr(first, result.find_last_not_of(" \t\n") - first + 1);
}

// "Deals/4876876000000333001": the record that a new note hangs on, as a part of a URL.
std::string parent_of(const Catalog &catalog, const Change &change) {
  for (const auto &field : catalog.fields_of(change.module)) {
    if (field.api_name != "Parent_Id") continue;
    const std::string id = scalar_text(change.fields, field.field);
    const ModuleInfo *module = catalog.module(field.reference_module);
    if (!id.empty() && module != nullptr) return module->api_name + "/" + id;
  }
  return {};
}

}  // namespace

bool Connector::moves_a_note(const Session &session, const Change &change) const {
  if (!is_note(change.module) || change.operation != Operation::update) return false;
  for (const auto &[name, value] : change.fields.items()) {
    const FieldInfo *field = session.catalog().field(change.module, name);
    if (field != nullptr && field->api_name == "Parent_Id") return true;
  }
  return false;
}

Task<HttpResult> Connector::look_up_notes(Session &session, std::vector<Change> changes,
                                          std::map<std::string, std::string> &found) {
  HttpResult result;
  result.transport = Transport::answered;
  result.status = 200;
  const std::string now = now_in_utc();
  std::map<std::string, std::vector<const Change *>> by_parent;
  for (const auto &change : changes)
    by_parent[parent_of(session.catalog(), change)].push_back(&change);
  for (const auto &[parent, lost] : by_parent) {
    if (parent.empty()) continue;
    std::vector<Json> candidates;
    std::string token;
    for (bool more = true; more;) {
      ApiCall call;
      call.path = dialect_.root + "/" + parent + "/Notes";
      call.query = {{"fields", "Note_Title,Note_Content,Created_Time"},
                    {"per_page", "200"},
                    {"sort_by", "Created_Time"},
                    {"sort_order", "desc"}};
      if (!token.empty()) call.query.emplace_back("page_token", token);
      result = co_await session.send(std::move(call));
      if (judge(result).outcome != Outcome::done) co_return result;
      const Json body = body_or_failure(result);
      more = truthy(find(body, "info.more_records"));
      token = scalar_text(body, "info.next_page_token");
      if (token.empty()) more = false;
      for (auto &note : list_of(body, "data")) {
        const std::string created = scalar_text(note, "Created_Time");
        if (!created.empty() && seconds_between(now, created) > look_back_seconds) {
          more = false;
        } else {
          candidates.push_back(std::move(note));
        }
      }
    }
    std::vector<std::string> ids;
    for (const auto &note : candidates) ids.push_back(scalar_text(note, "id"));
    // Another note of the same words may be another record of ours already.
    const std::vector<std::string> ours = session.known_external_ids("crm_note", ids);
    std::set<std::string> taken(ours.begin(), ours.end());
    for (const Change *change : lost) {
      for (const auto &note : candidates) {
        const std::string id = scalar_text(note, "id");
        const bool same =
            plain(scalar_text(note, "Note_Title")) == plain(scalar_text(change->fields, "title")) &&
            plain(scalar_text(note, "Note_Content")) ==
                plain(scalar_text(change->fields, "content"));
        if (!same || taken.contains(id)) continue;
        if (found_notes_.try_emplace(id, change->record_id).first->second != change->record_id)
          continue;
        found[change->record_id] = id;
        break;
      }
    }
  }
  co_return result;
}

Task<Page> Connector::read_newest_first(Session &session, std::string module, Json cursor) {
  if (scalar_text(cursor, "begun").empty()) cursor["begun"] = now_in_utc();
  const std::vector<std::string> lists =
      field_lists(session.catalog(), module, bridge_field_of(session, module));
  const std::string path = dialect_.root + "/" + session.catalog().module(module)->api_name;
  const std::string token = scalar_text(cursor, "token");
  const std::string since = since_of(cursor);
  ApiCall call;
  call.path = path;
  call.query = {{"fields", lists.front()},
                {"per_page", "200"},
                {"sort_by", "Modified_Time"},
                {"sort_order", "desc"}};
  if (!token.empty()) call.query.emplace_back("page_token", token);
  const HttpResult result = co_await session.send(std::move(call));
  Page page;
  page.more = true;  // the deletions follow the changes
  if (!token.empty() && token_is_spent(result)) {
    cursor.erase("token");
    page.cursor = std::move(cursor);
    co_return page;
  }
  const Json body = body_or_failure(result);
  std::vector<Json> fresh;
  bool reached = false;
  for (auto &record : list_of(body, "data")) {
    const std::string modified = instant_in_utc(scalar_text(record, "Modified_Time"));
    reached = seconds_between(modified, since) < 0;
    if (reached) break;
    cursor["newest"] = later(modified, scalar_text(cursor, "newest"));
    fresh.push_back(std::move(record));
  }
  page.records.push_back(co_await complete(session, module, std::move(fresh)));
  const std::string next = scalar_text(body, "info.next_page_token");
  if (!reached && truthy(find(body, "info.more_records")) && !next.empty()) {
    cursor["token"] = next;
  } else {
    end_changes(cursor);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

Task<Page> Connector::sweep(Session &session, std::string module, Json cursor) {
  const std::string path = dialect_.root + "/" + session.catalog().module(module)->api_name;
  std::vector<std::string> ours;
  for (auto &place : session.next_records(module, scalar_text(cursor, "swept"), notes_a_step))
    ours.push_back(std::move(place.external_id));
  Page page;
  ModuleRecords records{module, {}};
  if (!ours.empty()) {
    std::string ids;
    for (const auto &id : ours) ids += (ids.empty() ? "" : ",") + id;
    ApiCall call;
    call.path = path;
    call.query = {{"fields", "Modified_Time"}, {"ids", ids}, {"per_page", "200"}};
    const HttpResult result = co_await session.send(std::move(call));
    const Json body = body_or_failure(result);
    std::set<std::string> there;
    for (const auto &note : list_of(body, "data")) there.insert(scalar_text(note, "id"));
    for (const auto &id : ours) {
      if (there.contains(id)) continue;
      // Absent from a list is a suspicion; a service that says so of this very record is a witness.
      ApiCall one;
      one.path = path + "/" + id;
      const HttpResult asked = co_await session.send(std::move(one));
      if (!list_of(body_or_failure(asked), "data").empty()) continue;
      Record gone;
      gone.external_id = id;
      gone.deleted = true;
      records.records.push_back(std::move(gone));
    }
    cursor["swept"] = ours.back();
  }
  page.records.push_back(std::move(records));
  const int steps = std::atoi(scalar_text(cursor, "steps").c_str()) + 1;
  const bool around = static_cast<int>(ours.size()) < notes_a_step;
  page.more = !around && steps < steps_a_poll;
  cursor["steps"] = steps;
  if (around) cursor.erase("swept");
  if (!page.more) {
    for (const char *name : {"phase", "page", "steps"}) cursor.erase(name);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

}  // namespace crm_bridge::worker::zoho_crm
