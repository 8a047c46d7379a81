// SPDX-License-Identifier: PostgreSQL
// Portal users and the client companies.
#include "portal.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {
namespace {

constexpr const char *client_fields[] = {"name", "email", "phone",   "website",  "address",
                                         "city", "state", "country", "zip_code", "currency_code"};

}  // namespace

Client &Portal::create_client(const Json &input, const std::string &actor) {
  if (text_of(input, "name").empty()) refuse_missing_field("name");
  Client client;
  begin(client, actor);
  update_client(client, input, actor);
  effects.pop_back();  // of the update that filled it
  Client &stored = clients.emplace(client.id, std::move(client)).first->second;
  effects.push_back({"clients", "create", stored.id, "", render(stored)});
  return stored;
}

void Portal::update_client(Client &client, const Json &input, const std::string &actor) {
  if (!input.is_object())
    throw Refusal{400, "INVALID_INPUTSTREAM", "FIELDS_VALIDATION_ERROR", "Invalid input stream",
                  ""};
  Json values = client.values;
  if (input.contains("name") && text_of(input, "name").empty())
    refuse_field("name", "Input format mismatch");
  for (const char *field : client_fields) apply_text(values, input, field, 1000);
  client.values = std::move(values);
  touch(client, actor);
  effects.push_back({"clients", "update", client.id, "", input});
}

void Portal::delete_client(Client &client) {
  for (auto &[id, project] : projects) {
    auto &associated = project.clients;
    associated.erase(std::remove(associated.begin(), associated.end(), client.id),
                     associated.end());
  }
  effects.push_back({"clients", "delete", client.id, "", nullptr});
  clients.erase(client.id);
}

Json Portal::render(const Client &client) const {
  Json answer = client.values;
  answer["id"] = client.id;
  answer["projects_count"] =
      std::count_if(projects.begin(), projects.end(), [&](const auto &entry) {
        const auto &associated = entry.second.clients;
        return !entry.second.trashed &&
               std::find(associated.begin(), associated.end(), client.id) != associated.end();
      });
  answer["created_time"] = iso_utc(client.created);
  answer["modified_time"] = iso_utc(client.modified);
  return answer;
}

Person &Portal::create_person(const Json &input) {
  std::string email = text_of(input, "email");
  if (email.empty()) email = text_of(input, "email_id");
  if (email.empty()) refuse_missing_field("email");
  const std::size_t at = email.find('@');
  if (at == 0 || at == std::string::npos) refuse_field("email", "Input format mismatch");
  for (const auto &[zpuid, person] : people) {
    if (person.email == email) refuse_field("email", "User already exists in this portal");
  }
  Person person;
  const auto number = static_cast<std::int64_t>(people.size());
  person.zpuid = std::to_string(2063927000000060003 + number * 3);
  person.zuid = 700000001 + number;
  person.email = email;
  person.first_name =
      text_of(input, "first_name").empty() ? email.substr(0, at) : text_of(input, "first_name");
  person.last_name = text_of(input, "last_name");
  person.role_id = text_of(input, "role_id");
  // A role may also come as its name, or as an object.
  const std::string role = !text_of(input, "role").empty() ? text_of(input, "role")
                           : input.contains("role")        ? text_of(input["role"], "id")
                                                           : "";
  for (const auto &known : roles) {
    if (known["id"] == role || known["name"] == role) person.role_id = known["id"];
    if (person.role_id.empty() && role.empty() && known["name"] == "Employee")
      person.role_id = known["id"];
  }
  const bool known = std::any_of(roles.begin(), roles.end(),
                                 [&](const Json &entry) { return entry["id"] == person.role_id; });
  if (!known) refuse_field("role", "Invalid role");
  ++mails;  // the invitation
  Person &stored = people.emplace(person.zpuid, person).first->second;
  effects.push_back({"users", "create", stored.zpuid, "", render(stored)});
  return stored;
}

Json Portal::render(const Person &person) const {
  Json answer = person.reference();
  answer["id"] = person.zpuid;
  answer["is_active"] = person.active;
  for (const auto &role : roles) {
    if (role["id"] == person.role_id) answer["role"] = role;
  }
  answer["profile"] = profiles[person.administrator ? 0 : 1];
  return answer;
}

}  // namespace crm_bridge::sandbox::projects
