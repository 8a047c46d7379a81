// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"
#include "clock.hpp"
#include "faults.hpp"
#include "limits.hpp"
#include "options.hpp"
#include "request_log.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>

namespace crm_bridge::sandbox {

// The accounts server: access tokens for a refresh token, and whether one still holds.
class Accounts : public Endpoint {
 public:
  Accounts(const Options &options, Clock &clock, RequestLog &log, Faults &faults);

  Answer handle(const Call &call) override;

  // The address that token answers name as "api_domain": the CRM's, never the one of Projects.
  void set_api_domain(std::string api_domain) { api_domain_ = std::move(api_domain); }

  // Judges the Authorization header of a call to one of the services.
  bool accepts(const Call &call);
  void expire_all();
  // A person's consent, or its end: no token comes of it any more, and those it gave do not hold.
  void consent(const std::string &refresh_token, const std::string &email);
  void end_consent(const std::string &refresh_token);
  // Who consented to the token of this call; empty for the administrator whom the sandbox starts
  // with.
  std::string person_of(const Call &call);

 private:
  struct Token {
    std::string text;
    std::int64_t expires_at = 0;  // microseconds
    std::string refresh_token;
  };

  Answer token(const Call &call);
  Answer revoke(const Call &call);
  Answer failure(const std::string &error) const;
  Answer throttled() const;
  std::string make_token();

  const Options &options_;
  Clock &clock_;
  RequestLog &log_;
  Faults &faults_;
  Throttle throttle_;
  std::string api_domain_;
  std::mutex mutex_;
  std::deque<Token> tokens_;                     // oldest first
  std::map<std::string, std::string> consents_;  // refresh token → the person's address
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace crm_bridge::sandbox
