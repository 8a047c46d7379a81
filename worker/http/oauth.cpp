// SPDX-License-Identifier: PostgreSQL
#include "http/oauth.hpp"

#include <algorithm>
#include <cstdlib>

#include "json.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds early{300};
// The throttle counts ten minutes; asking more often only prolongs it.
constexpr milliseconds throttle_pause = std::chrono::minutes{10};
constexpr milliseconds transient_pause = seconds{5};
// The service is stopped until somebody renews the credential; until that is known, not again at
// once.
constexpr milliseconds broken_pause = seconds{10};

}  // namespace

TokenAnswer read_token_answer(const HttpResult &result) {
  TokenAnswer answer;
  if (result.transport != Transport::answered) {
    answer.error = result.error;
    return answer;
  }
  Json body;
  try {
    body = parse_json(result.body);
  } catch (const MalformedJson &) {
    answer.error = "HTTP " + std::to_string(result.status) + " without JSON";
    return answer;
  }
  answer.access_token = scalar_text(body, "access_token");
  answer.scope = scalar_text(body, "scope");
  if (!answer.access_token.empty()) {
    answer.kind = TokenAnswer::Kind::token;
    long long lifetime = std::atoll(scalar_text(body, "expires_in").c_str());
    // Older servers: expires_in_sec beside an expires_in of milliseconds.
    if (find(body, "expires_in_sec") != nullptr) {
      lifetime = std::atoll(scalar_text(body, "expires_in_sec").c_str());
    } else if (lifetime > 86400) {
      lifetime /= 1000;
    }
    answer.lifetime = seconds{lifetime > 0 ? std::min(lifetime, 86400LL) : 3600};
    return answer;
  }
  answer.error = scalar_text(body, "error");
  if (answer.error == "Access Denied" || result.status == 429) {
    answer.kind = TokenAnswer::Kind::throttled;
  } else if (answer.error.starts_with("invalid_") || answer.error == "unauthorized_client") {
    answer.kind = TokenAnswer::Kind::broken;
  } else if (answer.error.empty()) {
    answer.error = "HTTP " + std::to_string(result.status);
  }
  return answer;
}

AccessTokens::AccessTokens(std::string accounts_url, AllowedOrigins allowed, TokenGrant grant,
                           std::string api_url)
    : accounts_url_(std::move(accounts_url)),
      grant_(grant),
      api_url_(std::move(api_url)),
      client_(std::move(allowed)) {}

HttpRequest AccessTokens::request_for(const Credential &credential) const {
  HttpRequest request;
  request.method = "POST";
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.timeout = seconds{20};
  const std::string client = "&client_id=" + url_encode(credential.client_id) +
                             "&client_secret=" + url_encode(credential.client_secret);
  if (grant_ == TokenGrant::client_credentials) {
    request.url = accounts_url_ + "/" + url_encode(credential.tenant) + "/oauth2/v2.0/token";
    request.body =
        "grant_type=client_credentials" + client + "&scope=" + url_encode(api_url_ + "/.default");
  } else {
    request.url = accounts_url_ + "/oauth/v2/token";
    request.body =
        "grant_type=refresh_token&refresh_token=" + url_encode(credential.refresh_token) + client;
  }
  return request;
}

std::string AccessTokens::get(std::int64_t org_id, const Source &source) {
  const std::lock_guard lock(mutex_);
  State &state = states_[org_id];
  const auto now = Clock::now();
  if (!state.token.empty() && now < state.renew_at) return state.token;
  if (now < state.blocked_until) {
    throw NoToken(state.blocked_because, std::chrono::ceil<milliseconds>(state.blocked_until - now),
                  state.refused);
  }
  return refresh(state, source());
}

std::string AccessTokens::refresh(State &state, const Credential &credential) {
  state.credential = credential.stored_at;
  const TokenAnswer answer = read_token_answer(client_.run(client_.send(request_for(credential))));
  const auto now = Clock::now();
  if (answer.kind == TokenAnswer::Kind::token) {
    state.token = answer.access_token;
    state.ends_at = now + answer.lifetime;
    // Half of a short life is better than renewing without end.
    state.renew_at = now + std::max(answer.lifetime - early, answer.lifetime / 2);
    state.blocked_until = {};
    state.refused.clear();
    return state.token;
  }
  milliseconds pause = transient_pause;
  if (answer.kind == TokenAnswer::Kind::throttled) pause = throttle_pause;
  if (answer.kind == TokenAnswer::Kind::broken) pause = broken_pause;
  if (!state.token.empty() && now < state.ends_at && answer.kind != TokenAnswer::Kind::broken) {
    // Renewed early on purpose: the old one still works while the endpoint does not.
    state.renew_at = std::min(state.ends_at, now + pause);
    return state.token;
  }
  state.token.clear();
  state.refused = answer.kind == TokenAnswer::Kind::broken ? credential.stored_at : std::string{};
  state.blocked_because = "no access token: " + answer.error;
  state.blocked_until = now + pause;
  throw NoToken(state.blocked_because, pause, state.refused);
}

void AccessTokens::refused(std::int64_t org_id, const std::string &token) {
  const std::lock_guard lock(mutex_);
  State &state = states_[org_id];
  if (state.token == token) state.token.clear();
}

void AccessTokens::forget_others(std::int64_t org_id, const std::string &stored_at) {
  const std::lock_guard lock(mutex_);
  const auto state = states_.find(org_id);
  if (state != states_.end() && state->second.credential != stored_at) states_.erase(state);
}

}  // namespace crm_bridge::worker
