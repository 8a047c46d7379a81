// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/client.hpp"
#include "seal/credential.hpp"

namespace crm_bridge::worker {

// What the token endpoint said.  It answers errors with 200 as well as 400, so the body decides.
struct TokenAnswer {
  enum class Kind {
    token,
    broken,     // never heals by repeating: a person must make a new credential
    throttled,  // too many refreshes: wait
    transient,  // outage, HTML, no answer
  };
  Kind kind = Kind::transient;
  std::string access_token{};
  std::chrono::seconds lifetime{0};
  std::string scope{};
  std::string error{};
};
TokenAnswer read_token_answer(const HttpResult &result);

// What stands before the token in the header Authorization.
constexpr std::string_view token_word(TokenGrant grant) {
  return grant == TokenGrant::zoho_refresh ? "Zoho-oauthtoken" : "Bearer";
}

// No token can be had now; `retry_after` says when to ask again.
class NoToken : public std::runtime_error {
 public:
  NoToken(const std::string &what, std::chrono::milliseconds retry_after, std::string refused = {})
      : std::runtime_error(what), retry_after_(retry_after), refused_(std::move(refused)) {}
  // The credential that was refused for good: when it was stored.  Empty: the next try may help.
  const std::string &refused() const { return refused_; }
  std::chrono::milliseconds retry_after() const { return retry_after_; }

 private:
  std::chrono::milliseconds retry_after_;
  std::string refused_;
};

// The access tokens of one service, one for each organization.  One refresh at a time whatever
// number of threads ask (the services throttle the eleventh in ten minutes); renewed five minutes
// before the end.
class AccessTokens {
 public:
  using Clock = std::chrono::steady_clock;
  // Reads the organization's credential; called only when a refresh is due, on the asking thread.
  using Source = std::function<Credential()>;

  // `api_url` names what a token of client credentials is for.
  AccessTokens(std::string accounts_url, AllowedOrigins allowed,
               TokenGrant grant = TokenGrant::zoho_refresh, std::string api_url = {});

  // Throws NoToken; whatever `source` throws goes through.
  std::string get(std::int64_t org_id, const Source &source);
  // The service refused `token`: the next get() makes a new one, unless another thread already has.
  void refused(std::int64_t org_id, const std::string &token);
  // The credential in use is the one stored at that time: the token and the troubles of another one
  // are of no account.
  void forget_others(std::int64_t org_id, const std::string &stored_at);

 private:
  struct State {
    std::string token;
    Clock::time_point renew_at{};
    Clock::time_point ends_at{};
    Clock::time_point blocked_until{};
    std::string blocked_because;
    std::string credential;  // when the one that this is about was stored
    std::string refused;     // likewise, if a person has to replace it
  };
  std::string refresh(State &state, const Credential &credential);

  HttpRequest request_for(const Credential &credential) const;

  std::string accounts_url_;
  TokenGrant grant_;
  std::string api_url_;
  std::mutex mutex_;
  HttpClient client_;
  std::map<std::int64_t, State> states_;
};

}  // namespace crm_bridge::worker
