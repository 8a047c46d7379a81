// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../call.hpp"
#include "../clock.hpp"
#include "../options.hpp"

#include <cstdint>
#include <deque>
#include <string>

namespace crm_bridge::sandbox::crm {

struct User {
  std::string id;
  std::string zuid;
  std::string first_name;
  std::string last_name;
  std::string email;
  std::string profile_id;
  std::string role_id;
  std::string status = "active";
  std::int64_t created = 0;  // seconds
  std::int64_t modified = 0;

  std::string full_name() const {
    return first_name.empty() ? last_name : first_name + " " + last_name;
  }
  Json reference() const { return {{"name", full_name()}, {"id", id}}; }
  Json reference_with_email() const {
    return {{"name", full_name()}, {"id", id}, {"email", email}};
  }
};

// The organization and its people.
class People {
 public:
  People(const Options &options, Clock &clock, std::int64_t zone_offset);

  const std::deque<User> &users() const { return users_; }
  User *by_id(const std::string &id);
  User *by_email(const std::string &email);
  // The user whose refresh token the client holds.
  const User &token_user() const { return users_.front(); }
  User &add(const std::string &first_name, const std::string &last_name, const std::string &email,
            bool administrator);
  void touch(User &user) { user.modified = clock_.seconds(); }

  Json describe(const User &user) const;
  // "" = names only.
  Json profiles(const std::string &id) const;
  Json roles() const;
  Json organization() const;

 private:
  const Options &options_;
  Clock &clock_;
  const std::int64_t zone_offset_;
  std::deque<User> users_;
};

}  // namespace crm_bridge::sandbox::crm
