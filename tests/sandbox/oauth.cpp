// SPDX-License-Identifier: PostgreSQL
#include "oauth.hpp"

#include <algorithm>
#include <cstdio>

namespace crm_bridge::sandbox {
namespace {

constexpr std::size_t live_tokens = 15;  // the 16th kills the oldest

}  // namespace

Accounts::Accounts(const Options &options, Clock &clock, RequestLog &log, Faults &faults)
    : options_{options},
      clock_{clock},
      log_{log},
      faults_{faults},
      throttle_{options.oauth_limit, 600, 0},
      consents_{{options.refresh_token, ""}} {}

Answer Accounts::handle(const Call &call) {
  faults_.hold(call);
  if (call.misbehaves(Fault::Kind::rate_limited)) return throttled();
  if (call.misbehaves(Fault::Kind::status)) {
    Answer answer = failure("general_error");
    if (call.fault->status != 0) answer.status = call.fault->status;
    return answer;
  }
  if (call.method == "POST" && call.url == "/oauth/v2/token") return token(call);
  if (call.method == "POST" && call.url == "/oauth/v2/token/revoke") return revoke(call);
  Answer answer;
  answer.status = 404;
  answer.content_type = "text/html;charset=UTF-8";
  answer.text = "<html><body>Invalid URL</body></html>";
  return answer;
}

bool Accounts::accepts(const Call &call) {
  const std::string header = call.header("authorization");
  const std::string word = "Zoho-oauthtoken ";
  if (header.compare(0, word.size(), word) != 0) return false;
  const std::string text = header.substr(word.size());
  const std::lock_guard lock{mutex_};
  const auto token = std::find_if(tokens_.begin(), tokens_.end(),
                                  [&](const Token &candidate) { return candidate.text == text; });
  if (token == tokens_.end()) return false;
  if (call.misbehaves(Fault::Kind::expire_token) || token->expires_at <= clock_.microseconds()) {
    tokens_.erase(token);
    return false;
  }
  return true;
}

void Accounts::expire_all() {
  const std::lock_guard lock{mutex_};
  tokens_.clear();
}

void Accounts::consent(const std::string &refresh_token, const std::string &email) {
  const std::lock_guard lock{mutex_};
  consents_[refresh_token] = email;
}

void Accounts::end_consent(const std::string &refresh_token) {
  const std::lock_guard lock{mutex_};
  consents_.erase(refresh_token);
  tokens_.erase(
      std::remove_if(tokens_.begin(), tokens_.end(),
                     [&](const Token &token) { return token.refresh_token == refresh_token; }),
      tokens_.end());
}

std::string Accounts::person_of(const Call &call) {
  const std::string header = call.header("authorization");
  const std::lock_guard lock{mutex_};
  for (const Token &token : tokens_) {
    if (header != "Zoho-oauthtoken " + token.text) continue;
    const auto consent = consents_.find(token.refresh_token);
    return consent == consents_.end() ? "" : consent->second;
  }
  return "";
}

Answer Accounts::token(const Call &call) {
  if (call.parameter("client_id") != options_.client_id) return failure("invalid_client");
  if (call.parameter("client_secret") != options_.client_secret) {
    return failure("invalid_client_secret");
  }
  if (call.parameter("grant_type") != "refresh_token") return failure("general_error");
  const std::string refresh_token = call.parameter("refresh_token");
  {
    const std::lock_guard lock{mutex_};
    if (consents_.count(refresh_token) == 0) return failure("invalid_code");
  }
  if (throttle_.admit(refresh_token, clock_.microseconds())) return throttled();

  const std::lock_guard lock{mutex_};
  Token token{make_token(), clock_.microseconds() + options_.token_life * 1'000'000, refresh_token};
  tokens_.push_back(token);
  if (tokens_.size() > live_tokens) tokens_.pop_front();
  log_.count("tokens_issued");
  Answer answer;
  answer.body = {{"access_token", token.text},
                 {"scope", options_.scope},
                 {"api_domain", api_domain_},
                 {"token_type", "Bearer"},
                 {"expires_in", options_.token_life}};
  return answer;
}

Answer Accounts::revoke(const Call &call) {
  const std::string text = call.parameter("token");
  end_consent(text);
  const std::lock_guard lock{mutex_};
  tokens_.erase(std::remove_if(tokens_.begin(), tokens_.end(),
                               [&](const Token &token) { return token.text == text; }),
                tokens_.end());
  Answer answer;
  answer.body = {{"status", "success"}};
  return answer;
}

Answer Accounts::failure(const std::string &error) const {
  Answer answer;
  answer.status = options_.oauth_error_status;
  answer.body = {{"error", error}};
  return answer;
}

Answer Accounts::throttled() const {
  log_.count("throttled");
  Answer answer;
  answer.status = 400;
  answer.body = {
      {"error_description",
       "You have made too many requests continuously. Please try again after some time."},
      {"error", "Access Denied"},
      {"status", "failure"}};
  return answer;
}

std::string Accounts::make_token() {
  char text[80];
  std::snprintf(
      text, sizeof text, "1000.%016llx%016llx.%016llx%016llx",
      static_cast<unsigned long long>(random_()), static_cast<unsigned long long>(random_()),
      static_cast<unsigned long long>(random_()), static_cast<unsigned long long>(random_()));
  return text;
}

}  // namespace crm_bridge::sandbox
