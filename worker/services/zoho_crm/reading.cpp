// SPDX-License-Identifier: PostgreSQL
#include <map>

#include "services/field_value.hpp"
#include "services/zoho_crm/answers.hpp"
#include "services/zoho_crm/connector.hpp"
#include "services/zoho_crm/translation.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

// Records of the same second as the last one seen may still appear; the services' clocks and ours
// differ a little.
constexpr int overlap_seconds = 2;
// A read that began this long after the newest record has certainly seen all of that second.
constexpr long long settled_after_seconds = 60;
// Deletions that happened while the first reading was under way are listed from here.
constexpr int deletions_before_seconds = -3600;

bool is_people(const ModuleInfo &info) {
  return info.api_name == "users" || info.api_name == "profiles";
}

const ModuleInfo &module_info(const Session &session, const std::string &module) {
  const ModuleInfo *info = session.catalog().module(module);
  if (info == nullptr) throw ServiceFailure({Outcome::park, "unknown_module", module, {}});
  return *info;
}

// The service understood the request and will not do it.
bool refused(const HttpResult &result) {
  if (result.transport != Transport::answered) return false;
  return result.status == 400 || result.status == 403 || result.status == 404 ||
         result.status == 405;
}

}  // namespace

bool is_note(std::string_view module) { return module == "crm_note"; }

// Where to ask from, given what the last complete read saw.
std::string Connector::since_of(const Json &cursor) {
  const std::string since = scalar_text(cursor, "since");
  if (since.empty()) return {};
  return whole_seconds(since, truthy(find(cursor, "settled")) ? 1 : -overlap_seconds);
}

Task<Page> Connector::read_page(Session &session, std::string module, Json cursor) {
  if (!cursor.is_object()) cursor = Json::object();
  if (is_people(module_info(session, module)))
    return read_people(session, std::move(module), std::move(cursor));
  const std::string phase = scalar_text(cursor, "phase");
  const bool unlisted = truthy(find(cursor, "unlisted"));
  if (phase == "deleted" && !unlisted)
    return read_deleted(session, std::move(module), std::move(cursor));
  if (phase == "deleted") return sweep(session, std::move(module), std::move(cursor));
  if ((is_note(module) || dialect_.newest_first) && !scalar_text(cursor, "since").empty())
    return read_newest_first(session, std::move(module), std::move(cursor));
  return read_changed(session, std::move(module), std::move(cursor));
}

Task<Page> Connector::read_changed(Session &session, std::string module, Json cursor) {
  const std::string api_name = module_info(session, module).api_name;
  const std::string bridge_field = bridge_field_of(session, module);
  const std::vector<std::string> lists = field_lists(session.catalog(), module, bridge_field);
  Page page;
  const bool first_reading = scalar_text(cursor, "since").empty();
  if (scalar_text(cursor, "begun").empty()) {
    cursor["begun"] = now_in_utc();
    if (first_reading) {
      ApiCall count;
      count.path = dialect_.root + "/" + api_name + "/actions/count";
      const HttpResult counted = co_await session.send(std::move(count));
      if (counted.ok()) {
        const std::string number = scalar_text(body_or_failure(counted), "count");
        if (!number.empty()) page.expected = std::atoll(number.c_str());
      }
    }
  }
  ApiCall call;
  call.path = dialect_.root + "/" + api_name;
  call.query = {{"fields", lists.front()},
                {"per_page", "200"},
                {"sort_by", "Modified_Time"},
                {"sort_order", "asc"}};
  if (api_name == "Leads") call.query.emplace_back("converted", "both");
  const std::string token = scalar_text(cursor, "token");
  if (!token.empty()) call.query.emplace_back("page_token", token);
  const std::string since = since_of(cursor);
  if (!since.empty()) call.headers.push_back("If-Modified-Since: " + since);
  const HttpResult result = co_await session.send(std::move(call));
  if (!token.empty() && token_is_spent(result)) {
    // Begin again after what was seen: the order is that of changing.
    const std::string newest = scalar_text(cursor, "newest");
    if (!newest.empty() && newest == scalar_text(cursor, "since")) {
      throw ServiceFailure(
          {Outcome::park,
           "too_many_at_once",
           api_name + ": more records were changed in the second " + newest + " than the CRM lists",
           {}});
    }
    if (!newest.empty()) cursor["since"] = newest;
    cursor["settled"] = false;
    cursor.erase("token");
    page.cursor = std::move(cursor);
    page.more = true;
    co_return page;
  }
  const Json body = result.status == 304 ? Json() : body_or_failure(result);
  std::vector<Json> listed = list_of(body, "data");
  for (const auto &record : listed)
    cursor["newest"] =
        later(instant_in_utc(scalar_text(record, "Modified_Time")), scalar_text(cursor, "newest"));
  page.records.push_back(co_await complete(session, module, std::move(listed)));
  const std::string next = scalar_text(body, "info.next_page_token");
  page.more = true;  // the deletions follow the changes
  if (truthy(find(body, "info.more_records")) && !next.empty()) {
    cursor["token"] = next;
  } else {
    end_changes(cursor);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

Task<ModuleRecords> Connector::complete(Session &session, std::string module,
                                        std::vector<Json> listed) {
  const std::string bridge_field = bridge_field_of(session, module);
  const std::vector<std::string> lists = field_lists(session.catalog(), module, bridge_field);
  std::map<std::string, Json> merged;
  std::vector<std::string> order;
  std::string ids;
  for (auto &record : listed) {
    const std::string id = scalar_text(record, "id");
    ids += (ids.empty() ? "" : ",") + id;
    order.push_back(id);
    merged[id] = std::move(record);
  }
  for (std::size_t i = 1; i < lists.size() && !order.empty(); ++i) {
    ApiCall rest;
    rest.path = dialect_.root + "/" + module_info(session, module).api_name;
    rest.query = {{"fields", lists[i]}, {"ids", ids}, {"per_page", "200"}};
    const HttpResult more_fields = co_await session.send(std::move(rest));
    const Json answer = body_or_failure(more_fields);
    for (const auto &record : list_of(answer, "data")) {
      const auto known = merged.find(scalar_text(record, "id"));
      if (known != merged.end()) known->second.update(record);
    }
  }
  ModuleRecords records{module, {}};
  for (const auto &id : order) {
    records.records.push_back(
        zoho_crm::from_service(session.catalog(), module, merged[id], bridge_field));
  }
  co_return records;
}

void Connector::end_changes(Json &cursor) {
  const std::string begun = scalar_text(cursor, "begun");
  std::string newest = later(scalar_text(cursor, "newest"), scalar_text(cursor, "since"));
  // An empty module: from now on only what comes.
  if (newest.empty()) newest = begun;
  cursor["settled"] = seconds_between(begun, newest) > settled_after_seconds;
  cursor["since"] = newest;
  if (scalar_text(cursor, "deleted_since").empty()) {
    cursor["deleted_since"] = whole_seconds(begun, deletions_before_seconds);
  }
  cursor["phase"] = "deleted";
  cursor["page"] = 1;
  for (const char *name : {"token", "newest", "begun"}) cursor.erase(name);
}

Task<Page> Connector::read_deleted(Session &session, std::string module, Json cursor) {
  const std::string number = scalar_text(cursor, "page");
  ApiCall call;
  call.path = dialect_.root + "/" + module_info(session, module).api_name + "/deleted";
  call.query = {{"type", "all"}, {"page", number}, {"per_page", "200"}};
  call.headers.push_back("If-Modified-Since: " +
                         whole_seconds(scalar_text(cursor, "deleted_since"), -overlap_seconds));
  const HttpResult result = co_await session.send(std::move(call));
  Page page;
  if ((is_note(module) || dialect_.may_not_list_deleted) && refused(result)) {
    // Nobody documents this list for them: where it is missing, they are asked for by id.
    cursor["unlisted"] = true;
    page.cursor = std::move(cursor);
    page.more = true;
    co_return page;
  }
  const Json body = result.status == 304 ? Json() : body_or_failure(result);
  ModuleRecords records{module, {}};
  for (const auto &entry : list_of(body, "data")) {
    Record record;
    record.external_id = scalar_text(entry, "id");
    record.deleted = true;
    cursor["deleted_newest"] = later(instant_in_utc(scalar_text(entry, "deleted_time")),
                                     scalar_text(cursor, "deleted_newest"));
    records.records.push_back(std::move(record));
  }
  page.records.push_back(std::move(records));
  page.more = truthy(find(body, "info.more_records"));
  if (page.more) {
    cursor["page"] = std::atoi(number.c_str()) + 1;
  } else {
    cursor["deleted_since"] =
        later(scalar_text(cursor, "deleted_newest"), scalar_text(cursor, "deleted_since"));
    for (const char *name : {"phase", "page", "deleted_newest"}) cursor.erase(name);
  }
  page.cursor = std::move(cursor);
  co_return page;
}

Task<Page> Connector::read_people(Session &session, std::string module, Json cursor) {
  const std::string api_name = module_info(session, module).api_name;
  const bool users = api_name == "users";
  const std::string number =
      scalar_text(cursor, "page").empty() ? "1" : scalar_text(cursor, "page");
  ApiCall call;
  call.path = dialect_.root + (users ? "/users" : "/settings/profiles");
  if (users) {
    call.query = {{"type", "AllUsers"}, {"page", number}, {"per_page", "200"}};
    const std::string since = since_of(cursor);
    if (!since.empty()) call.headers.push_back("If-Modified-Since: " + since);
  }
  const HttpResult result = co_await session.send(std::move(call));
  const Json body = result.status == 304 ? Json() : body_or_failure(result);
  Page page;
  ModuleRecords records{module, {}};
  for (const auto &person : list_of(body, api_name.c_str())) {
    records.records.push_back(zoho_crm::from_service(session.catalog(), module, person, {}));
    cursor["newest"] = later(records.records.back().version, scalar_text(cursor, "newest"));
  }
  page.records.push_back(std::move(records));
  page.more = users && truthy(find(body, "info.more_records"));
  if (page.more) {
    cursor["page"] = std::atoi(number.c_str()) + 1;
  } else {
    if (users) cursor["since"] = later(scalar_text(cursor, "newest"), scalar_text(cursor, "since"));
    cursor["settled"] = false;
    cursor.erase("page");
    cursor.erase("newest");
  }
  page.cursor = std::move(cursor);
  co_return page;
}

Task<std::vector<Record>> Connector::read_ids(Session &session, std::string module,
                                              std::string ids) {
  const std::string api_name = module_info(session, module).api_name;
  const std::string bridge_field = bridge_field_of(session, module);
  std::map<std::string, Json> merged;
  const std::vector<std::string> lists = field_lists(session.catalog(), module, bridge_field);
  for (const auto &list : lists) {
    ApiCall call;
    call.path = dialect_.root + "/" + api_name;
    call.query = {{"fields", list}, {"ids", ids}, {"per_page", "200"}};
    if (api_name == "Leads") call.query.emplace_back("converted", "both");
    const HttpResult result = co_await session.send(std::move(call));
    const Json body = body_or_failure(result);
    for (const auto &record : list_of(body, "data")) {
      const auto [place, fresh] = merged.try_emplace(scalar_text(record, "id"), record);
      if (!fresh) place->second.update(record);
    }
  }
  std::vector<Record> records;
  for (const auto &[id, record] : merged) {
    records.push_back(zoho_crm::from_service(session.catalog(), module, record, bridge_field));
  }
  co_return records;
}

Task<Reading> Connector::read_records(Session &session, std::string module,
                                      std::vector<Notice> notices) {
  Reading reading;
  if (is_people(module_info(session, module))) {
    reading.poll.push_back(module);
    co_return reading;
  }
  ModuleRecords records{module, {}};
  for (std::size_t at = 0; at < notices.size(); at += 100) {
    std::string ids;
    for (std::size_t i = at; i < std::min(notices.size(), at + 100); ++i) {
      ids += (ids.empty() ? "" : ",") + notices[i].external_id;
    }
    std::vector<Record> found = co_await read_ids(session, module, ids);
    for (auto &record : found) records.records.push_back(std::move(record));
  }
  // A notice of a deletion is a hint like any other.  The next delta read tells changes before
  // deletions, so that the survivor of a merge is known before the other one goes.
  for (const auto &notice : notices) {
    const bool there =
        std::any_of(records.records.begin(), records.records.end(),
                    [&](const Record &record) { return record.external_id == notice.external_id; });
    if (there || notice.event != "delete") continue;
    reading.poll.push_back(module);
    break;
  }
  reading.records.push_back(std::move(records));
  co_return reading;
}

}  // namespace crm_bridge::worker::zoho_crm
