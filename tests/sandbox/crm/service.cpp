// SPDX-License-Identifier: PostgreSQL
#include "service.hpp"

#include <algorithm>
#include <set>

namespace crm_bridge::sandbox::crm {
namespace {

std::int64_t records_in(const Call &call) {
  if (call.method == "GET" || call.method == "DELETE" || call.segment(2) == "coql") return 0;
  // Counting would mean parsing twice; every record is an object, and nested objects are few.
  const Json body = Json::parse(call.body, nullptr, false);
  return body.is_object() && body.contains("data") ? static_cast<std::int64_t>(body["data"].size())
                                                   : 0;
}

bool is_heavy(const Call &call, std::int64_t records) {
  return records > 10 || call.has("sort_by") || call.has("cvid") || call.segment(2) == "coql" ||
         call.segment(3) == "search";
}

}  // namespace

Answer refuse(int status, const std::string &code, Json details, const std::string &message) {
  Answer answer;
  answer.status = status;
  answer.body = error_item(code, std::move(details), message);
  return answer;
}

std::vector<std::string> split_list(const std::string &text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::string part = text.substr(start, end - start);
    while (!part.empty() && part.front() == ' ') part.erase(0, 1);
    while (!part.empty() && part.back() == ' ') part.pop_back();
    if (!part.empty()) parts.push_back(std::move(part));
    start = end + 1;
  }
  return parts;
}

Service::Service(Dialect dialect, const Options &options, Clock &clock, Accounts &accounts,
                 RequestLog &log, Faults &faults, Webhooks &webhooks, Journal &journal)
    : dialect_{std::move(dialect)},
      clock_{clock},
      accounts_{accounts},
      log_{log},
      faults_{faults},
      journal_{journal},
      zone_offset_{parse_zone_offset(options.crm_time_zone_offset).value_or(0)},
      concurrency_{dialect_.concurrency},
      heavy_{dialect_.heavy_concurrency},
      credits_{dialect_.credits},
      metadata_{options.bridge_field, dialect_.all_modules},
      people_{options, clock, zone_offset_},
      records_{metadata_, people_, clock, zone_offset_},
      notifications_{dialect_, metadata_, clock, webhooks, zone_offset_},
      matcher_{metadata_, records_} {}

Answer Service::handle(const Call &call) {
  if (!accounts_.accepts(call)) {
    return refuse(401, "INVALID_TOKEN", Json::object(), "invalid oauth token");
  }
  const std::int64_t records = records_in(call);
  const Concurrency::Place place{concurrency_};
  const bool heavy = is_heavy(call, records);
  std::optional<Concurrency::Place> heavy_place;
  if (heavy) heavy_place.emplace(heavy_);
  std::optional<std::int64_t> remaining;
  const bool allowed =
      place.granted() && (!heavy || dialect_.concurrency == 0 || heavy_place->granted()) &&
      credits_.spend(std::max<std::int64_t>(1, (records + 9) / 10), clock_.seconds(), remaining);
  if (!allowed || call.misbehaves(Fault::Kind::rate_limited)) {
    log_.count("throttled");
    Answer answer = refuse(429, "TOO_MANY_REQUESTS", Json::object(), "Too many requests");
    if (call.fault != nullptr && !call.fault->retry_after.empty()) {
      answer.headers.emplace_back("Retry-After", call.fault->retry_after);
    }
    return answer;
  }
  faults_.hold(call);
  if (call.misbehaves(Fault::Kind::status)) {
    return refuse(call.fault->status != 0 ? call.fault->status : 500, "INTERNAL_ERROR",
                  Json::object(), "Internal Server Error");
  }
  Answer answer = work(call);
  if (call.method != "GET") journal_.sync();
  if (remaining) answer.headers.emplace_back("X-API-CREDITS-REMAINING", std::to_string(*remaining));
  return answer;
}

Answer Service::work(const Call &call) {
  const std::lock_guard lock{mutex_};
  return route(call);
}

Answer Service::route(const Call &call) {
  const Answer unknown = refuse(404, "INVALID_URL_PATTERN", Json::object(),
                                "Please check if the URL trying to access is a correct one");
  if (call.segment(0) != dialect_.path || call.segment(1) != dialect_.version) return unknown;
  const std::string &what = call.segment(2);
  static const std::set<std::string> watch_methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
  if (what == "actions" && call.segment(3) == "watch" && watch_methods.count(call.method) != 0) {
    return notifications_.handle(call);
  }
  if (what == "coql" && call.method == "POST" && dialect_.has_queries) return coql(call);
  if (what == "settings" && call.method == "GET") return settings(call);
  if (what == "users" && call.method == "GET") return users(call);
  if (what == "org" && call.method == "GET") {
    Answer answer;
    answer.body = {{"org", Json::array({people_.organization()})}};
    return answer;
  }
  if (what.empty() || what == "actions" || what == "settings" || what == "coql") return unknown;
  Module *module = metadata_.find(what);
  if (module == nullptr) {
    return refuse(400, "INVALID_MODULE", {{"resource_path_index", 0}},
                  "the module name given seems to be invalid");
  }
  return route_module(call, *module);
}

Answer Service::route_module(const Call &call, Module &module) {
  const std::string &method = call.method;
  const std::string &next = call.segment(3);
  const std::size_t depth = call.path.size();
  const Answer wrong_method = refuse(400, "INVALID_REQUEST_METHOD", Json::object(),
                                     "The http request method type is not a valid one");
  if (depth == 3) {
    if (method == "GET") return list(call, module, nullptr);
    if (method == "POST") return write(call, module, Writing::insert, "", nullptr);
    if (method == "PUT") return write(call, module, Writing::update, "", nullptr);
    if (method == "DELETE") return remove(call, module, call.parameter("ids"));
    return wrong_method;
  }
  if (depth == 4 && next == "upsert") {
    if (method != "POST") return wrong_method;
    if (module.duplicate_field.empty()) {
      return refuse(400, "NOT_SUPPORTED", {{"resource_path_index", 0}},
                    "the given module is not supported in api");
    }
    return write(call, module, Writing::upsert, "", nullptr);
  }
  // Not among the modules that the service lists here: the stricter reading.
  if (depth == 4 && next == "deleted" && module.api_name == "Notes") {
    return refuse(400, "NOT_SUPPORTED", {{"resource_path_index", 0}},
                  "the given module is not supported in api");
  }
  if (depth == 4 && next == "deleted")
    return method == "GET" ? deleted(call, module) : wrong_method;
  if (depth == 4 && next == "search") return method == "GET" ? search(call, module) : wrong_method;
  if (depth == 5 && next == "actions" && call.segment(4) == "count") {
    return method == "GET" ? count(call, module) : wrong_method;
  }
  if (next.find_first_not_of("0123456789") != std::string::npos || next.size() > 19) {
    return refuse(400, "INVALID_DATA", {{"resource_path_index", 1}},
                  "the id given seems to be invalid");
  }
  if (depth == 4) {
    if (method == "GET") return get(call, module, next);
    if (method == "PUT") return write(call, module, Writing::update, next, nullptr);
    if (method == "DELETE") return remove(call, module, next);
    return wrong_method;
  }
  const Record *parent = records_.find(module.api_name, next);
  if (parent == nullptr) {
    return refuse(400, "INVALID_DATA", {{"resource_path_index", 1}},
                  "the id given seems to be invalid");
  }
  const std::string &name = call.segment(4);
  Module &notes = *metadata_.find("Notes");
  if (depth == 5 && method == "GET") return related(call, module, *parent, name);
  if (name == "Notes" && depth == 5 && method == "POST")
    return write(call, notes, Writing::insert, "", parent);
  if (name == "Notes" && depth == 5 && method == "PUT")
    return write(call, notes, Writing::update, "", nullptr);
  if (name == "Notes" && depth == 5 && method == "DELETE")
    return remove(call, notes, call.parameter("ids"));
  if (name == "Notes" && depth == 6) {
    const std::string &note = call.segment(5);
    if (method == "GET") return get(call, notes, note);
    if (method == "PUT") return write(call, notes, Writing::update, note, nullptr);
    if (method == "DELETE") return remove(call, notes, note);
  }
  return wrong_method;
}

const Record &Service::seen(const Call &call, const Record &record) const {
  return call.misbehaves(Fault::Kind::stale_read) && record.before != nullptr ? *record.before
                                                                              : record;
}

void Service::settle(Effects &effects, const WriteContext &context) {
  for (const auto &change : effects.changes) {
    journal_.append({{"at", clock_.milliseconds()},
                     {"service", dialect_.service},
                     {"module", change.module},
                     {"operation", change.operation},
                     {"id", std::to_string(change.id)},
                     {"by", context.actor},
                     {"values", change.values}});
  }
  if (context.workflows && !effects.changes.empty()) {
    log_.count("workflows_fired", static_cast<std::int64_t>(effects.changes.size()));
  }
  if (effects.mails > 0) log_.count("mails", effects.mails);
  notifications_.announce(effects);
}

}  // namespace crm_bridge::sandbox::crm
