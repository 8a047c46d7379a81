// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "configuration.hpp"
#include "http/budget.hpp"
#include "http/client.hpp"
#include "http/oauth.hpp"
#include "protocol.hpp"
#include "services/catalog.hpp"
#include "status/metrics.hpp"

namespace crm_bridge::worker {

// What all threads that talk to one service share.
class ServiceContext {
 public:
  ServiceContext(const ServiceSettings &settings, std::chrono::milliseconds request_timeout,
                 Metrics &metrics);

  const ServiceSettings &settings() const { return settings_; }
  const AllowedOrigins &allowed() const { return allowed_; }
  std::chrono::milliseconds request_timeout() const { return request_timeout_; }
  TokenGrant grant() const { return grant_; }
  AccessTokens &tokens() { return tokens_; }
  Metrics &metrics() { return metrics_; }
  Budget &budget(std::int64_t org_id);
  // A worker was told to wait: see Budget::recall.
  void recall();
  // Budget::tend for every organization that has sent something.
  void tend(const std::function<std::unique_ptr<Bank>(std::int64_t org_id)> &bank);

 private:
  ServiceSettings settings_;
  std::chrono::milliseconds request_timeout_;
  Metrics &metrics_;
  AllowedOrigins allowed_;
  TokenGrant grant_;
  AccessTokens tokens_;
  std::mutex mutex_;
  std::map<std::int64_t, std::unique_ptr<Budget>> budgets_;
};

// A call of a service's API, without host and token.
struct ApiCall {
  std::string method = "GET";
  std::string path{};                                        // begins with '/'
  std::vector<std::pair<std::string, std::string>> query{};  // encoded by the session
  Json body{};                                               // null: none
  std::vector<std::string> headers{};
  bool repeatable = true;
};

// What a call costs, in the terms by which its service counts.
struct Demand {
  std::string meter;
  int cost = 1;
  std::vector<std::string> places{};  // meters that limit how many are under way
};
Demand demand_of(const std::string &service, const ApiCall &call);

// One organization at one service, as seen by one thread: attaches the token, keeps to the budget,
// refreshes once and repeats once on 401, turns the services' own ways of saying "too many
// requests" into 429.
class Session {
 public:
  // Which of these external ids belong to records that the database knows.
  using Known = std::function<std::vector<std::string>(const std::string &module,
                                                       const std::vector<std::string> &)>;
  // Records of a module that the database has, after one of them.
  using Next = std::function<std::vector<Located>(const std::string &module,
                                                  const std::string &after, int limit)>;

  // Without a bank there is no limit.
  Session(ServiceContext &context, HttpClient &client, Organization organization, Catalog catalog,
          AccessTokens::Source credential, Known known, std::chrono::milliseconds patience,
          std::shared_ptr<Bank> bank = nullptr);

  Task<HttpResult> send(ApiCall call);

  std::vector<std::string> known_external_ids(const std::string &module,
                                              const std::vector<std::string> &ids) const {
    return known_(module, ids);
  }
  void go_round_with(Next next) { next_ = std::move(next); }
  // Told when the service refuses a credential for good: which one, and its words.
  using Refused = std::function<void(const std::string &stored_at, const std::string &reason)>;
  void when_refused(Refused refused) { refused_ = std::move(refused); }
  std::vector<Located> next_records(const std::string &module, const std::string &after,
                                    int limit) const {
    return next_ ? next_(module, after, limit) : std::vector<Located>{};
  }
  const Organization &organization() const { return organization_; }
  const Catalog &catalog() const { return catalog_; }
  const ServiceSettings &settings() const { return context_.settings(); }
  HttpClient &client() { return client_; }

 private:
  class Place;
  // Waits for the budget and a place; a result if it was not to be had.
  Task<std::optional<HttpResult>> admit(const Demand &demand, Place &place,
                                        std::chrono::milliseconds &waited);
  void note_limits(const Demand &demand, HttpResult &result);

  ServiceContext &context_;
  HttpClient &client_;
  Organization organization_;
  Catalog catalog_;
  AccessTokens::Source credential_;
  Known known_;
  Next next_;
  Refused refused_;
  std::chrono::milliseconds
      patience_;  // how long to wait for the budget before giving the work back
  std::shared_ptr<Bank> bank_;
};

// The wait that a refusal above the limit asks for, whatever its form: 429, or Projects' 400 with
// the wait in words.
std::optional<std::chrono::milliseconds> throttled_for(const HttpResult &result);

}  // namespace crm_bridge::worker
