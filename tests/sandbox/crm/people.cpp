// SPDX-License-Identifier: PostgreSQL
#include "people.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {
namespace {

constexpr const char *administrator_profile = "4876876000000026011";
constexpr const char *standard_profile = "4876876000000026014";
constexpr const char *chief_role = "4876876000000026005";
constexpr const char *manager_role = "4876876000000026008";

}  // namespace

People::People(const Options &options, Clock &clock, std::int64_t zone_offset)
    : options_{options}, clock_{clock}, zone_offset_{zone_offset} {
  add("Mira", "Holt", "mira.holt@example.com", true);
  add("Alicia", "Reyes", "alicia.reyes@example.com", false);
  add("George", "Tan", "george.tan@example.com", false);
}

User *People::by_id(const std::string &id) {
  const auto user = std::find_if(users_.begin(), users_.end(),
                                 [&](const User &candidate) { return candidate.id == id; });
  return user == users_.end() ? nullptr : &*user;
}

User *People::by_email(const std::string &email) {
  const auto user = std::find_if(users_.begin(), users_.end(),
                                 [&](const User &candidate) { return candidate.email == email; });
  return user == users_.end() ? nullptr : &*user;
}

User &People::add(const std::string &first_name, const std::string &last_name,
                  const std::string &email, bool administrator) {
  const auto count = static_cast<long long>(users_.size());
  User &user = users_.emplace_back();
  user.id = std::to_string(4876876000000100001 + count * 1000);
  user.zuid = std::to_string(700000001 + count);
  user.first_name = first_name;
  user.last_name = last_name;
  user.email = email;
  user.profile_id = administrator ? administrator_profile : standard_profile;
  user.role_id = administrator ? chief_role : manager_role;
  user.created = user.modified = clock_.seconds();
  return user;
}

Json People::describe(const User &user) const {
  return {
      {"id", user.id},
      {"full_name", user.full_name()},
      {"first_name", user.first_name},
      {"last_name", user.last_name},
      {"email", user.email},
      {"status", user.status},
      {"confirm", true},
      {"zuid", user.zuid},
      {"type__s", "Regular User"},
      {"profile",
       {{"name", user.profile_id == administrator_profile ? "Administrator" : "Standard"},
        {"id", user.profile_id}}},
      {"role", {{"name", user.role_id == chief_role ? "CEO" : "Manager"}, {"id", user.role_id}}},
      {"Reporting_To", nullptr},
      {"time_zone", options_.crm_time_zone},
      {"offset", zone_offset_ * 1000},
      {"locale", "en_US"},
      {"created_time", iso_with_offset(user.created, zone_offset_)},
      {"Modified_Time", iso_with_offset(user.modified, zone_offset_)},
      {"created_by", token_user().reference()},
      {"Modified_By", token_user().reference()}};
}

Json People::profiles(const std::string &id) const {
  Json profiles = Json::array();
  for (const bool administrator : {true, false}) {
    const std::string profile = administrator ? administrator_profile : standard_profile;
    if (!id.empty() && id != profile) continue;
    Json entry = {{"id", profile},
                  {"name", administrator ? "Administrator" : "Standard"},
                  {"display_label", administrator ? "Administrator" : "Standard"},
                  {"type", "normal_profile"},
                  {"custom", false},
                  {"description", nullptr}};
    if (!id.empty()) {
      Json permissions = Json::array();
      std::int64_t next = 4876876000000030001;
      for (const char *module :
           {"Leads", "Accounts", "Contacts", "Deals", "Tasks", "Events", "Notes"}) {
        for (const char *action : {"View", "Create", "Edit", "Delete"}) {
          permissions.push_back({{"id", std::to_string(next++)},
                                 {"name", std::string{"Crm_Implied_"} + action + "_" + module},
                                 {"display_label", action},
                                 {"module", module},
                                 {"customizable", true},
                                 // A standard profile may do everything but delete.
                                 {"enabled", administrator || std::string{action} != "Delete"},
                                 {"parent_permissions", nullptr}});
        }
      }
      entry["permissions_details"] = std::move(permissions);
      entry["sections"] = Json::array();
    }
    profiles.push_back(std::move(entry));
  }
  return profiles;
}

Json People::roles() const {
  return {{{"id", chief_role},
           {"name", "CEO"},
           {"display_label", "CEO"},
           {"api_name", "CEO"},
           {"reporting_to", nullptr},
           {"share_with_peers", true}},
          {{"id", manager_role},
           {"name", "Manager"},
           {"display_label", "Manager"},
           {"api_name", "Manager"},
           {"reporting_to", {{"id", chief_role}, {"name", "CEO"}}},
           {"share_with_peers", false}}};
}

Json People::organization() const {
  return {{"id", "4876876000000000401"},
          {"zgid", "690000001"},
          {"company_name", "Zylker"},
          {"type", "production"},
          {"time_zone", options_.crm_time_zone},
          {"currency", "US Dollar"},
          {"currency_symbol", "$"},
          {"iso_code", "USD"},
          {"mc_status", false},
          {"primary_email", token_user().email},
          {"primary_zuid", token_user().zuid},
          {"max_per_page", 200},
          {"license_details",
           {{"paid", true},
            {"paid_type", "enterprise"},
            {"paid_expiry", nullptr},
            {"trial_type", nullptr},
            {"trial_expiry", nullptr},
            {"users_license_purchased", std::max<std::size_t>(users_.size(), 10)},
            {"portal_users_license_purchased", 0}}},
          {"hierarchy_preferences", {{"type", "Role_Hierarchy"}, {"strictly_reporting", nullptr}}}};
}

}  // namespace crm_bridge::sandbox::crm
