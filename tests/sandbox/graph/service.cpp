// SPDX-License-Identifier: PostgreSQL
#include "service.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <tuple>

namespace crm_bridge::sandbox::graph {
namespace {

constexpr const char *default_fields[] = {
    "businessPhones", "displayName",    "givenName",         "id",      "jobTitle",         "mail",
    "mobilePhone",    "officeLocation", "preferredLanguage", "surname", "userPrincipalName"};
constexpr const char *other_fields[] = {"accountEnabled", "userType", "createdDateTime"};
// Only told of one user at a time.
constexpr const char *single_fields[] = {"aboutMe", "birthday", "hireDate", "interests",
                                         "mySite",  "schools",  "skills",   "mailboxSettings"};

Answer refuse(int status, const std::string &code, const std::string &message) {
  Answer answer;
  answer.status = status;
  answer.body = {{"error",
                  {{"code", code},
                   {"message", message},
                   {"innerError", {{"date", "2026-03-02T08:15:11"}, {"request-id", "7a1c"}}}}}};
  return answer;
}

std::optional<std::vector<std::string>> selected(const Call &call) {
  std::vector<std::string> names;
  if (!call.has("$select")) {
    names.assign(std::begin(default_fields), std::end(default_fields));
    return names;
  }
  std::string name;
  for (const char c : call.parameter("$select") + ",") {
    if (c != ',') {
      name += c;
      continue;
    }
    const auto one_of = [&](const auto &list) {
      return std::find(std::begin(list), std::end(list), name) != std::end(list);
    };
    if (!one_of(default_fields) && !one_of(other_fields)) return std::nullopt;
    names.push_back(name);
    name.clear();
  }
  return names;
}

bool asks_for_single_fields(const Call &call) {
  const std::string select = call.parameter("$select");
  return std::any_of(std::begin(single_fields), std::end(single_fields),
                     [&](const char *name) { return select.find(name) != std::string::npos; });
}

// "d-CHANGES-SELECT-SECONDS" and "s-SINCE-UPTO-AFTER-SELECT": state that a link carries with it.
std::vector<std::string> parts_of(const std::string &token) {
  std::vector<std::string> parts(1);
  for (const char c : token) {
    if (c == '~') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::int64_t number_of(const std::string &text) {
  return text.empty() || text.find_first_not_of("0123456789") != std::string::npos
             ? -1
             : std::stoll(text);
}

}  // namespace

Service::Service(const Options &options, Clock &clock, RequestLog &log, Faults &faults)
    : options_{options},
      clock_{clock},
      log_{log},
      faults_{faults},
      throttle_{options.graph_units, 10, 0} {
  for (const auto &[given, family, address] :
       {std::tuple{"Mira", "Holt", "mira.holt@example.com"},
        std::tuple{"Ilse", "Brandt", "ilse.brandt@zylker.example"},
        std::tuple{"Tomas", "Vega", "tomas.vega@zylker.example"}}) {
    edit("POST", "",
         {{"givenName", given},
          {"surname", family},
          {"displayName", std::string{given} + " " + family},
          {"mail", address}});
  }
}

Answer Service::handle(const Call &call) {
  faults_.hold(call);
  if (call.method == "POST" && call.segment(1) == "oauth2" && call.segment(2) == "v2.0" &&
      call.segment(3) == "token")
    return token(call);
  if (!accepts(call))
    return refuse(401, "InvalidAuthenticationToken",
                  "Access token has expired or is not yet valid.");
  const bool all = call.segment(1) == "users" && call.path.size() == 2;
  // A list costs two units, one less with $select.
  const auto wait = throttle_.admit("directory", clock_.microseconds());
  const auto second = all && !call.has("$select") && !wait
                          ? throttle_.admit("directory", clock_.microseconds())
                          : std::nullopt;
  if (wait || second || call.misbehaves(Fault::Kind::rate_limited)) {
    log_.count("throttled");
    Answer answer = refuse(429, "TooManyRequests", "Too many requests");
    std::string seconds = call.fault != nullptr ? call.fault->retry_after : std::string{};
    if (seconds.empty()) seconds = std::to_string(wait ? *wait : second ? *second : 1);
    answer.headers.emplace_back("Retry-After", seconds);
    return answer;
  }
  if (call.misbehaves(Fault::Kind::status)) {
    const int status = call.fault->status != 0 ? call.fault->status : 500;
    if (status == 410) return refuse(410, "resyncRequired", "Resync is required.");
    return refuse(status, "serviceNotAvailable", "Service unavailable");
  }
  if (call.segment(0) != "v1.0" || call.segment(1) != "users")
    return refuse(400, "BadRequest", "Resource not found for the segment.");
  if (call.method != "GET")
    return refuse(403, "Authorization_RequestDenied",
                  "Insufficient privileges to complete the operation.");
  const std::lock_guard lock{mutex_};
  if (call.path.size() == 2) return list(call);
  if (call.path.size() == 3 && call.segment(2) == "delta") return delta(call);
  if (call.path.size() == 3) return one(call, call.segment(2));
  return refuse(400, "BadRequest", "Resource not found for the segment.");
}

Answer Service::token(const Call &call) {
  const auto failure = [](int status, const std::string &error, int number,
                          const std::string &words) {
    Answer answer;
    answer.status = status;
    answer.body = {{"error", error},
                   {"error_description", "AADSTS" + std::to_string(number) + ": " + words},
                   {"error_codes", Json::array({number})},
                   {"timestamp", "2026-03-02 08:15:11Z"},
                   {"trace_id", "0f6f"},
                   {"correlation_id", "6a1e"}};
    return answer;
  };
  if (call.misbehaves(Fault::Kind::status))
    return failure(call.fault->status != 0 ? call.fault->status : 400, "temporarily_unavailable",
                   90033, "A transient error has occurred.");
  if (call.segment(0) != options_.tenant)
    return failure(400, "invalid_request", 90002, "Tenant not found.");
  if (call.parameter("grant_type") != "client_credentials")
    return failure(400, "unsupported_grant_type", 70003, "The grant type is not supported.");
  if (call.parameter("client_id") != options_.graph_client_id)
    return failure(400, "unauthorized_client", 700016, "Application was not found.");
  if (call.parameter("client_secret") != options_.graph_client_secret)
    return failure(401, "invalid_client", 7000215, "Invalid client secret provided.");
  const std::string scope = call.parameter("scope");
  if (scope.size() < 9 || scope.compare(scope.size() - 9, 9, "/.default") != 0)
    return failure(400, "invalid_scope", 70011, "The provided scope is not valid.");
  const std::lock_guard lock{mutex_};
  char text[64];
  std::snprintf(text, sizeof text, "eyJ0eXAi%016llx%016llx",
                static_cast<unsigned long long>(random_()),
                static_cast<unsigned long long>(random_()));
  tokens_[text] = clock_.microseconds() + options_.token_life * 1'000'000;
  log_.count("tokens_issued");
  Answer answer;
  answer.body = {{"token_type", "Bearer"},
                 {"expires_in", options_.token_life},
                 {"ext_expires_in", options_.token_life},
                 {"access_token", text}};
  return answer;
}

bool Service::accepts(const Call &call) {
  const std::string header = call.header("authorization");
  const std::string word = "Bearer ";
  if (header.compare(0, word.size(), word) != 0) return false;
  const std::lock_guard lock{mutex_};
  const auto known = tokens_.find(header.substr(word.size()));
  if (known == tokens_.end()) return false;
  if (call.misbehaves(Fault::Kind::expire_token) || known->second <= clock_.microseconds()) {
    tokens_.erase(known);
    return false;
  }
  return true;
}

void Service::expire_all() {
  const std::lock_guard lock{mutex_};
  tokens_.clear();
}

Json Service::shown(const User &user, const std::vector<std::string> &fields) const {
  Json answer = {{"id", user.values["id"]}};
  for (const auto &field : fields) {
    const auto value = user.values.find(field);
    answer[field] = value == user.values.end() ? Json() : *value;
  }
  return answer;
}

std::string Service::find(const std::string &id_or_address) const {
  if (users_.count(id_or_address) != 0) return id_or_address;
  for (const auto &[id, user] : users_) {
    if (!user.deleted && (text_of(user.values, "userPrincipalName") == id_or_address ||
                          text_of(user.values, "mail") == id_or_address))
      return id;
  }
  return {};
}

Answer Service::list(const Call &call) {
  if (call.has("$skip")) return refuse(400, "Request_BadRequest", "'$skip' is not supported.");
  if (asks_for_single_fields(call)) return refuse(501, "NotImplemented", "Not implemented.");
  const auto fields = selected(call);
  if (!fields) return refuse(400, "BadRequest", "Could not find a property.");
  std::int64_t top = call.has("$top") ? number_of(call.parameter("$top")) : 100;
  if (top < 1 || top > 999) return refuse(400, "Request_BadRequest", "Invalid page size.");
  const std::string after = call.parameter("$skiptoken");
  Answer answer;
  answer.body = {{"@odata.context", address_ + "/v1.0/$metadata#users"}, {"value", Json::array()}};
  std::string last;
  for (auto user = users_.upper_bound(after); user != users_.end(); ++user) {
    if (user->second.deleted) continue;
    if (top-- == 0) {
      answer.body["@odata.nextLink"] =
          address_ + "/v1.0/users?" +
          (call.has("$select") ? "$select=" + call.parameter("$select") + "&" : "") +
          (call.has("$top") ? "$top=" + call.parameter("$top") + "&" : "") + "$skiptoken=" + last;
      break;
    }
    last = user->first;
    answer.body["value"].push_back(shown(user->second, *fields));
  }
  return answer;
}

Answer Service::one(const Call &call, const std::string &id) {
  const auto fields = selected(call);
  if (!fields) return refuse(400, "BadRequest", "Could not find a property.");
  const auto user = users_.find(find(id));
  if (user == users_.end() || user->second.deleted)
    return refuse(404, "Request_ResourceNotFound",
                  "Resource '" + id +
                      "' does not exist or one of its queried reference-property "
                      "objects are not present.");
  Answer answer;
  answer.body = shown(user->second, *fields);
  return answer;
}

// A link holds all that its round needs: what to tell from (since), up to which change the round
// goes, the user after whom the next page begins, the fields.
Answer Service::delta(const Call &call) {
  for (const char *name : {"$expand", "$top", "$orderby", "$filter"})
    if (call.has(name)) return refuse(400, "Request_UnsupportedQuery", "Unsupported query option.");
  std::int64_t since = -1;
  std::int64_t upto = changes_;
  std::string after;
  std::string select = call.parameter("$select");
  if (call.has("$deltatoken") && call.parameter("$deltatoken") != "latest") {
    const auto parts = parts_of(call.parameter("$deltatoken"));
    if (parts.size() != 3 || number_of(parts[0]) < 0)
      return refuse(400, "Directory_ResyncRequired", "syncStateNotFound");
    if (number_of(parts[2]) < clock_.seconds() - options_.graph_delta_days * 86400) {
      Answer answer = refuse(410, "syncStateNotFound", "The sync state generation is not found.");
      answer.headers.emplace_back("Location", address_ + "/v1.0/users/delta?$deltatoken=");
      return answer;
    }
    since = number_of(parts[0]);
    select = parts[1];
  } else if (call.has("$skiptoken")) {
    const auto parts = parts_of(call.parameter("$skiptoken"));
    if (parts.size() != 4) return refuse(400, "Directory_ResyncRequired", "syncStateNotFound");
    since = parts[0].empty() ? -1 : number_of(parts[0]);
    upto = number_of(parts[1]);
    after = parts[2];
    select = parts[3];
  } else if (call.has("$deltatoken")) {
    since = upto;
  }
  Call asked = call;
  asked.query.clear();
  if (!select.empty()) asked.query["$select"] = select;
  const auto fields = selected(asked);
  if (!fields) return refuse(400, "BadRequest", "Could not find a property.");
  Answer answer;
  answer.body = {{"@odata.context", address_ + "/v1.0/$metadata#users/$delta"},
                 {"value", Json::array()}};
  const std::string base = address_ + "/v1.0/users/delta?";
  std::int64_t room = options_.graph_page;
  for (auto user = users_.upper_bound(after); user != users_.end(); ++user) {
    const bool news = since < 0 ? !user->second.deleted : user->second.changed > since;
    if (!news) continue;
    if (room-- == 0) {
      answer.body["@odata.nextLink"] = base +
                                       "$skiptoken=" + (since < 0 ? "" : std::to_string(since)) +
                                       "~" + std::to_string(upto) + "~" + after + "~" + select;
      return answer;
    }
    after = user->first;
    if (user->second.deleted) {
      answer.body["value"].push_back({{"id", user->first}, {"@removed", {{"reason", "changed"}}}});
    } else {
      answer.body["value"].push_back(shown(user->second, *fields));
    }
  }
  answer.body["@odata.deltaLink"] = base + "$deltatoken=" + std::to_string(upto) + "~" + select +
                                    "~" + std::to_string(clock_.seconds());
  return answer;
}

Answer Service::edit(const std::string &method, const std::string &id, const Json &body) {
  const std::lock_guard lock{mutex_};
  Answer answer;
  if (method == "GET") {
    answer.body = Json::array();
    for (const auto &[key, user] : users_)
      if (!user.deleted) answer.body.push_back(user.values);
    return answer;
  }
  if (method == "POST") {
    char key[40];
    std::snprintf(key, sizeof key, "3f0c7f0e-9a34-4c5f-8a55-2f1f%08llx",
                  static_cast<unsigned long long>(0x5d2d6b01 + ++made_));
    User user;
    user.values = {{"accountEnabled", true}, {"userType", "Member"}, {"mail", nullptr}};
    user.values.update(body);
    user.values["id"] = key;
    if (!user.values.contains("userPrincipalName"))
      user.values["userPrincipalName"] = user.values["mail"];
    user.changed = ++changes_;
    answer.body = user.values;
    users_[key] = std::move(user);
    return answer;
  }
  const auto user = users_.find(find(id));
  if (user == users_.end() || user->second.deleted) return refuse(404, "NotFound", "no such user");
  user->second.changed = ++changes_;
  if (method == "DELETE") {
    user->second.deleted = true;
  } else {
    user->second.values.update(body);
  }
  answer.body = user->second.values;
  return answer;
}

}  // namespace crm_bridge::sandbox::graph
