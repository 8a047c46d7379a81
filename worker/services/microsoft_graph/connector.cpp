// SPDX-License-Identifier: PostgreSQL
#include "services/microsoft_graph/connector.hpp"

#include <algorithm>
#include <cctype>

#include "http/origin.hpp"
#include "services/field_value.hpp"
#include "services/kinds.hpp"

namespace crm_bridge::worker::microsoft_graph {
namespace {

constexpr std::string_view version = "/v1.0/";

std::string selected(const Session &session, const std::string &module) {
  std::string names = "id";
  for (const auto &field : session.catalog().fields_of(module)) names += "," + field.api_name;
  return names;
}

Record from_graph(const Catalog &catalog, const std::string &module, const Json &user) {
  Record record;
  record.external_id = scalar_text(user, "id");
  // Soft or for good: whoever is deleted is no user of the directory any more.
  record.deleted = find(user, "@removed") != nullptr;
  if (record.deleted) return record;
  for (const auto &field : catalog.fields_of(module)) {
    // A delta tells what changed; what it does not name stays as it is.
    if (const Json *value = find(user, field.api_name); value != nullptr)
      record.fields[field.field] = from_service(field, *value);
  }
  return record;
}

// Names with dots are no paths here.
std::string link_in(const Json &body, const char *name) {
  const auto found = body.is_object() ? body.find(name) : body.end();
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::unique_ptr<Service> make(const ServiceSettings &) { return std::make_unique<Connector>(); }

// The directory counts units of the whole tenant in ten seconds, far more than one request after
// the other uses; above them it says how long to wait.
Demand demand(const ApiCall &) { return {"*", 1, {"*"}}; }

}  // namespace

std::string followed(const std::string &link, const std::string &api_url) {
  const auto to = parse_origin(link);
  const auto ours = parse_origin(api_url);
  if (!to || !ours || *to != *ours) return {};
  const std::size_t path = link.find('/', link.find("://") + 3);
  if (path == std::string::npos) return {};
  std::string rest = link.substr(path);
  return rest.starts_with(version) && rest.find('#') == std::string::npos ? rest : std::string{};
}

bool must_begin_again(const HttpResult &result) {
  if (result.transport != Transport::answered || result.status < 400 || result.status >= 500)
    return false;
  if (result.status == 410) return true;
  std::string body = result.body;
  std::transform(body.begin(), body.end(), body.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return body.find("syncstatenotfound") != std::string::npos ||
         body.find("resyncrequired") != std::string::npos;
}

std::vector<Capability> Connector::capabilities() const {
  return {{"office_user", "find changes",
           "users/delta, the link of the last time; without it the whole directory",
           "1 for a page of what changed, at least 1 a poll", "documented"},
          {"office_user", "find deletions",
           "users/delta; when its state is gone, what the whole directory does not show is asked "
           "for alone",
           "0; after a reset 1 for each that is missing", "documented"},
          {"office_user", "create, update, delete", "the directory is its administrator's", "0",
           "absent"}};
}

Task<Delivered> Connector::deliver(Session &, std::vector<Change> changes) {
  Delivered delivered;
  for (const auto &change : changes) {
    Settled settled;
    settled.module = change.module;
    settled.record_id = change.record_id;
    settled.external_id = change.external_id;
    settled.verdict = {Outcome::park, "read_only", "the directory's users are only read", {}};
    delivered.settled.push_back(std::move(settled));
  }
  co_return delivered;
}

Task<Page> Connector::read_page(Session &session, std::string module, Json cursor) {
  if (!cursor.is_object()) cursor = Json::object();
  ApiCall call;
  if (const std::string link = scalar_text(cursor, "link"); !link.empty()) {
    call.path = link;
  } else {
    call.path = std::string(version) + "users/delta";
    call.query = {{"$select", selected(session, module)}};
    cursor["began_at"] = now_in_utc();
    cursor["whole"] = true;
    cursor["listed"] = Json::array();
  }
  const HttpResult result = co_await session.send(std::move(call));
  Page page;
  if (!scalar_text(cursor, "link").empty() && must_begin_again(result)) {
    page.cursor = Json::object();
    page.more = true;
    co_return page;
  }
  const Json body = body_or_failure(result);
  const bool whole = truthy(find(cursor, "whole"));
  ModuleRecords records{module, {}};
  if (const Json *users = find(body, "value"); users != nullptr && users->is_array()) {
    for (const auto &user : *users) {
      Record record = from_graph(session.catalog(), module, user);
      if (record.external_id.empty()) continue;
      if (whole && !record.deleted) cursor["listed"].push_back(record.external_id);
      records.records.push_back(std::move(record));
    }
  }
  page.records.push_back(std::move(records));
  const std::string next = link_in(body, "@odata.nextLink");
  const std::string last = link_in(body, "@odata.deltaLink");
  const std::string &link = next.empty() ? last : next;
  cursor["link"] = followed(link, session.settings().api_url);
  if (scalar_text(cursor, "link").empty()) {
    throw ServiceFailure({Outcome::park,
                          "foreign_link",
                          link.empty() ? "the answer has neither nextLink nor deltaLink"
                                       : "a link leads to another host than the configured one",
                          {}});
  }
  page.more = !next.empty();
  if (!page.more && whole) {
    // What was deleted while no state was kept nobody tells: the whole list does.
    Listing listing{module};
    for (const auto &id : cursor["listed"]) listing.external_ids.push_back(scalar_text(&id));
    listing.began_at = scalar_text(cursor, "began_at");
    page.listings.push_back(std::move(listing));
    for (const char *name : {"whole", "listed", "began_at"}) cursor.erase(name);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

Task<Reading> Connector::read_records(Session &session, std::string module,
                                      std::vector<Notice> notices) {
  Reading reading;
  ModuleRecords records{module, {}};
  for (const auto &notice : notices) {
    ApiCall call;
    call.path = std::string(version) + "users/" + url_encode(notice.external_id);
    call.query = {{"$select", selected(session, module)}};
    const HttpResult result = co_await session.send(std::move(call));
    if (result.transport == Transport::answered && result.status == 404) {
      Record gone;
      gone.external_id = notice.external_id;
      gone.deleted = true;
      records.records.push_back(std::move(gone));
      continue;
    }
    records.records.push_back(from_graph(session.catalog(), module, body_or_failure(result)));
  }
  reading.records.push_back(std::move(records));
  co_return reading;
}

Task<Json> Connector::read_fields(Session &, std::string) { co_return Json(); }

// The directory is polled.
Task<ChannelState> Connector::open_channel(Session &, ChannelAddress) {
  co_return ChannelState{.possible = false};
}
Task<ChannelState> Connector::find_channel(Session &, ChannelAddress) {
  co_return ChannelState{.possible = false};
}
std::optional<Webhook> Connector::parse_webhook(const Json &) const { return std::nullopt; }

Record Connector::told_record(const Session &, const Notice &, const Json &) const { return {}; }

Task<std::vector<Check>> Connector::examine(Session &session) {
  ApiCall call;
  call.path = std::string(version) + "users";
  call.query = {{"$select", "id"}, {"$top", "1"}};
  const HttpResult result = co_await session.send(std::move(call));
  const Verdict verdict = judge(result);
  std::vector<Check> checks;
  checks.push_back({"office365 credential", verdict.outcome == Outcome::done,
                    verdict.outcome == Outcome::done ? "the directory answers"
                                                     : verdict.reason + ": " + verdict.detail,
                    "give the application the permission User.Read.All with an administrator's "
                    "consent, and store tenant, client_id and client_secret with crm-bridge seal"});
  co_return checks;
}

extern const ServiceKind kind;
const ServiceKind kind{
    .name = "office365", .make = make, .demand = demand, .grant = TokenGrant::client_credentials};

}  // namespace crm_bridge::worker::microsoft_graph
