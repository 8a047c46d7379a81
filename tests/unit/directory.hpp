// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <utility>

#include "core/conversion.hpp"

namespace crm_bridge::test {

// A Resolver out of maps: users by module, links by pairing.
class Directory final : public core::Resolver {
 public:
  void add_user(const std::string &module, const core::Uuid &user, const std::string &email,
                bool active = true) {
    emails_[{module, user}] = email;
    if (active) users_[{module, email}] = user;
  }
  void link(const std::string &pairing, const core::Uuid &left, const core::Uuid &right) {
    right_of_[{pairing, left}] = right;
    left_of_[{pairing, right}] = left;
  }

  std::optional<std::string> email_of(const std::string &module, const core::Uuid &user) override {
    return find(emails_, {module, user});
  }
  std::optional<core::Uuid> user_with_email(const std::string &module,
                                            const std::string &email) override {
    return find(users_, {module, email});
  }
  std::optional<core::Uuid> linked(const std::string &pairing, core::Side side,
                                   const core::Uuid &record) override {
    return find(side == core::Side::left ? right_of_ : left_of_, {pairing, record});
  }

 private:
  template <typename Key, typename Found>
  static std::optional<Found> find(const std::map<Key, Found> &map, const Key &key) {
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional<Found>(found->second);
  }

  std::map<std::pair<std::string, core::Uuid>, std::string> emails_;
  std::map<std::pair<std::string, std::string>, core::Uuid> users_;
  std::map<std::pair<std::string, core::Uuid>, core::Uuid> right_of_;
  std::map<std::pair<std::string, core::Uuid>, core::Uuid> left_of_;
};

}  // namespace crm_bridge::test
