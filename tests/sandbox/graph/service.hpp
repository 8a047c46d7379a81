// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../clock.hpp"
#include "../faults.hpp"
#include "../limits.hpp"
#include "../options.hpp"
#include "../request_log.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace crm_bridge::sandbox::graph {

// Microsoft's identity platform and Graph v1.0 at one address: tokens for client credentials
// (POST /{tenant}/oauth2/v2.0/token), GET /v1.0/users, /v1.0/users/{id} and /v1.0/users/delta.
class Service : public Endpoint {
 public:
  Service(const Options &options, Clock &clock, RequestLog &log, Faults &faults);

  Answer handle(const Call &call) override;
  // The address that the links in answers begin with.
  void set_address(std::string address) { address_ = std::move(address); }
  void expire_all();
  // What the tenant's administrator does: POST, PATCH, DELETE a user (also by address).
  Answer edit(const std::string &method, const std::string &id, const Json &body);

 private:
  struct User {
    Json values;
    std::int64_t changed = 0;  // by the directory's own count
    bool deleted = false;
  };

  Answer token(const Call &call);
  bool accepts(const Call &call);
  Answer list(const Call &call);
  Answer one(const Call &call, const std::string &id);
  Answer delta(const Call &call);
  Json shown(const User &user, const std::vector<std::string> &fields) const;
  std::string find(const std::string &id_or_address) const;

  const Options &options_;
  Clock &clock_;
  RequestLog &log_;
  Faults &faults_;
  Throttle throttle_;
  std::string address_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> tokens_;  // token → end, microseconds
  std::map<std::string, User> users_;           // by id
  std::int64_t changes_ = 0;
  std::int64_t made_ = 0;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace crm_bridge::sandbox::graph
