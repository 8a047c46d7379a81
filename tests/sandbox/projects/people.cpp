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

Person &Portal::create_guest(Project &project, const Json &input) {
  const std::string client_id = input.contains("client") ? text_of(input["client"], "id") : "";
  const auto &associated = project.clients;
  if (client_id.empty()) refuse_missing_field("client");
  if (std::find(associated.begin(), associated.end(), client_id) == associated.end())
    refuse_field("client", "The client is not associated with the project");
  const std::int64_t before = mails;
  Person &guest = create_person(input);
  mails = before;  // whoever is not to be notified gets no invitation
  guest.client_id = client_id;
  effects.pop_back();
  effects.push_back({"clientusers", "create", guest.zpuid, project.id, render(guest)});
  admit_guest(project, guest, input.value("notify", Json()) != false);
  return guest;
}

void Portal::admit_guest(Project &project, const Person &guest, bool notify) {
  if (!guest.is_guest()) refuse_field("userdetails", "The user is no client user");
  const auto &associated = project.clients;
  if (std::find(associated.begin(), associated.end(), guest.client_id) == associated.end())
    refuse_field("client", "The client is not associated with the project");
  if (!project.users.insert(guest.zpuid).second) return;
  if (notify) ++mails;
  effects.push_back({"projects", "update", project.id, project.id, {{"users", project.users}}});
}

void Portal::update_person(Person &person, const Json &input) {
  Person changed = person;
  for (const auto &[field, value] :
       {std::pair{"first_name", &changed.first_name}, std::pair{"last_name", &changed.last_name},
        std::pair{"email", &changed.email}}) {
    if (!input.contains(field)) continue;
    if (!input[field].is_string()) refuse_field(field, "Input format mismatch");
    *value = input[field];
  }
  if (changed.email.find('@') == std::string::npos) refuse_field("email", "Input format mismatch");
  person = std::move(changed);
  effects.push_back(
      {person.is_guest() ? "clientusers" : "users", "update", person.zpuid, "", input});
}

// A customer's person leaves for good; one of ours is only made inactive.
void Portal::remove_person(Person &person) {
  if (!person.is_guest()) {
    person.active = false;
    effects.push_back({"users", "update", person.zpuid, "", {{"is_active", false}}});
    return;
  }
  for (auto &[id, project] : projects) project.users.erase(person.zpuid);
  effects.push_back({"clientusers", "delete", person.zpuid, "", nullptr});
  people.erase(person.zpuid);
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
  // Ids are never given twice, also when somebody has left.
  const std::int64_t number = people_made_++;
  person.zpuid = std::to_string(2063927000000060003 + number_ * ids_of_a_portal + number * 3);
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
  answer["profile"] = profiles[person.administrator ? 0 : person.is_guest() ? 2 : 1];
  if (const auto client = clients.find(person.client_id); client != clients.end())
    answer["client"] = {{"id", client->first}, {"name", client->second.values.value("name", "")}};
  return answer;
}

}  // namespace crm_bridge::sandbox::projects
