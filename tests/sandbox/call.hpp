// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crm_bridge::sandbox {

using Json = nlohmann::json;

// A way to misbehave, asked for on the control port and used up by matching requests.
struct Fault {
  enum class Kind {
    status,        // answer with this status, do nothing
    drop_before,   // close the connection, do nothing
    drop_after,    // do the work, then close the connection without an answer
    delay,         // do the work late
    rate_limited,  // refuse as the service refuses above its limit
    expire_token,  // kill the token that was presented, then look at it
    stale_read,    // read what was true before each record's last change
    html,          // answer with a page for humans
    hold_answer,   // do the work, then keep the answer back for delay_ms
    cut,    // do the work, then close (or, with "reset", reset) after `at` bytes of the answer
    drip,   // do the work, then send the answer byte by byte, delay_ms apart
    spoil,  // do the work, then answer with something else: see spoil.hpp
  };
  Kind kind = Kind::status;
  int status = 0;  // 0 = what suits the kind
  std::int64_t delay_milliseconds = 0;
  std::string retry_after;
  std::int64_t at = 0;  // where a cut answer ends
  bool reset = false;   // by a reset instead of a close
  std::string how;      // what a spoilt answer looks like
};

// One request, free of the HTTP library.
struct Call {
  std::string method;
  std::string url;                // path without query, as logged
  std::vector<std::string> path;  // its decoded segments
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  const Fault *fault = nullptr;

  bool misbehaves(Fault::Kind kind) const { return fault != nullptr && fault->kind == kind; }
  std::string header(const std::string &name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
  }
  std::string parameter(const std::string &name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string{} : found->second;
  }
  bool has(const std::string &name) const { return query.count(name) != 0; }
  // "" past the end, so that routes can be compared without counting first.
  const std::string &segment(std::size_t index) const {
    static const std::string none;
    return index < path.size() ? path[index] : none;
  }
};

struct Answer {
  int status = 200;
  Json body;         // null = no body at all
  std::string text;  // instead of `body`, for what is not JSON
  std::string content_type = "application/json;charset=UTF-8";
  std::vector<std::pair<std::string, std::string>> headers;

  static Answer nothing(int status) { return Answer{status, nullptr, {}, {}, {}}; }
};

// The text under `key`, or "" when `object` has none there: what callers send is not to be trusted.
inline std::string text_of(const Json &object, const std::string &key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

// One of the services, or the control port.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual Answer handle(const Call &call) = 0;
};

// "POST /api/v3/portal/{}/projects": the unit by which Projects throttles and counters are kept.
std::string url_pattern(const std::string &method, const std::vector<std::string> &path);

}  // namespace crm_bridge::sandbox
