// SPDX-License-Identifier: PostgreSQL
// Metadata, people and the organization as the API shows them.
#include "service.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {

Answer Service::settings(const Call &call) {
  const std::string &what = call.segment(3);
  const std::string &id = call.segment(4);
  Answer answer;
  if (what == "modules") {
    Json modules = Json::array();
    for (const auto &module : metadata_.modules()) {
      if (id.empty() || id == module.api_name || id == module.id)
        modules.push_back(module.describe());
    }
    if (modules.empty())
      return refuse(400, "INVALID_MODULE", {{"resource_path_index", 0}},
                    "the module name given seems to be invalid");
    answer.body = {{"modules", std::move(modules)}};
    return answer;
  }
  if (what == "profiles") {
    Json profiles = people_.profiles(id);
    if (profiles.empty()) return Answer::nothing(204);
    answer.body = {{"profiles", std::move(profiles)}};
    return answer;
  }
  if (what == "roles") {
    answer.body = {{"roles", people_.roles()}};
    return answer;
  }
  if (what != "fields" && what != "related_lists") {
    return refuse(404, "INVALID_URL_PATTERN", Json::object(),
                  "Please check if the URL trying to access is a correct one");
  }
  if (!call.has("module")) {
    return refuse(400, "REQUIRED_PARAM_MISSING", {{"param_name", "module"}},
                  "One of the expected parameter is missing");
  }
  const Module *module = metadata_.find(call.parameter("module"));
  if (module == nullptr) {
    return refuse(400, "INVALID_MODULE", {{"param_name", "module"}},
                  "the module name given seems to be invalid");
  }
  if (what == "related_lists") {
    Json lists = Json::array();
    for (const auto &related : metadata_.related_lists()) {
      if (related.module != module->api_name) continue;
      const std::size_t number = lists.size() + 1;
      lists.push_back(
          {{"id", std::to_string(4876876000000002400 + static_cast<long long>(number))},
           {"api_name", related.api_name},
           {"name", related.api_name},
           {"display_label", related.api_name},
           {"sequence_number", std::to_string(number)},
           {"href", related.module + "/{ENTITYID}/" + related.api_name},
           {"module",
            {{"api_name", related.child_module}, {"id", metadata_.find(related.child_module)->id}}},
           {"type", "default"},
           {"status", "visible"}});
    }
    if (lists.empty()) return Answer::nothing(204);
    answer.body = {{"related_lists", std::move(lists)}};
    return answer;
  }
  Json fields = Json::array();
  for (const auto &field : module->fields) {
    if (!id.empty() && id != field.id) continue;
    if (!id.empty() && call.segment(5) == "pick_list_values") {
      answer.body = {{"pick_list_values", field.describe()["pick_list_values"]}};
      return answer;
    }
    Json described = field.describe();
    if (const Module *target = metadata_.find(field.lookup_module))
      described["lookup"]["module"]["id"] = target->id;
    fields.push_back(std::move(described));
  }
  if (fields.empty()) return Answer::nothing(204);
  answer.body = {{"fields", std::move(fields)}};
  return answer;
}

Answer Service::users(const Call &call) {
  const std::string &id = call.segment(3);
  const std::string type = call.has("type") ? call.parameter("type") : "AllUsers";
  const auto ids = split_list(call.parameter("ids"));
  const std::string since_header = call.header("if-modified-since");
  const auto since = parse_instant(since_header);
  Json all = Json::array();
  for (const auto &user : people_.users()) {
    if (!id.empty() && user.id != id) continue;
    if (!ids.empty() && std::find(ids.begin(), ids.end(), user.id) == ids.end()) continue;
    if (since && user.modified < *since / 1000) continue;
    const bool active = user.status == "active";
    const bool administrator = user.profile_id == people_.token_user().profile_id;
    if (id.empty()) {
      if ((type == "ActiveUsers" || type == "ActiveConfirmedUsers") && !active) continue;
      if ((type == "AdminUsers" || type == "ActiveConfirmedAdmins") && !administrator) continue;
      if (type == "DeactiveUsers" && active) continue;
      if (type == "NotConfirmedUsers" || type == "DeletedUsers") continue;
      if (type == "CurrentUser" && user.id != people_.token_user().id) continue;
    }
    all.push_back(people_.describe(user));
  }
  std::size_t per_page = 200;
  std::size_t page = 1;
  for (const auto &[name, target] : {std::pair{"per_page", &per_page}, std::pair{"page", &page}}) {
    const std::string text = call.parameter(name);
    if (!text.empty() && text.size() < 6 &&
        text.find_first_not_of("0123456789") == std::string::npos)
      *target = std::stoul(text);
  }
  per_page = std::clamp<std::size_t>(per_page, 1, 200);
  const std::size_t start = (std::max<std::size_t>(page, 1) - 1) * per_page;
  if (start >= all.size()) return Answer::nothing(since_header.empty() ? 204 : 304);
  const std::size_t end = std::min(start + per_page, all.size());
  Json shown = Json::array();
  for (std::size_t i = start; i < end; ++i) shown.push_back(all[i]);
  Answer answer;
  const std::size_t count = shown.size();
  answer.body = {{"users", std::move(shown)},
                 {"info",
                  {{"per_page", per_page},
                   {"page", page},
                   {"count", count},
                   {"more_records", end < all.size()}}}};
  return answer;
}

}  // namespace crm_bridge::sandbox::crm
