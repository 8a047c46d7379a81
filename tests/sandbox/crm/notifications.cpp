// SPDX-License-Identifier: PostgreSQL
#include "notifications.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {
namespace {

std::string channel_id_of(const Json &item) {
  const Json id = item.is_object() ? item.value("channel_id", Json()) : Json();
  if (id.is_number_integer()) return id.dump();
  return id.is_string() ? id.get<std::string>() : std::string{};
}

Json missing(const std::string &name, const std::string &path) {
  return error_item("MANDATORY_NOT_FOUND", {{"api_name", name}, {"json_path", path + "." + name}},
                    "required field not found");
}
Json invalid(const std::string &name, const std::string &path) {
  return error_item("INVALID_DATA", {{"api_name", name}, {"json_path", path + "." + name}},
                    "invalid data");
}

Json query_parameters(const std::string &url) {
  Json parameters = Json::object();
  std::size_t position = url.find('?');
  while (position != std::string::npos) {
    const std::size_t end = url.find('&', position + 1);
    const std::string pair =
        url.substr(position + 1, end == std::string::npos ? end : end - position - 1);
    const std::size_t equals = pair.find('=');
    parameters[pair.substr(0, equals)] = equals == std::string::npos ? "" : pair.substr(equals + 1);
    position = end;
  }
  return parameters;
}

}  // namespace

Answer Notifications::handle(const Call &call) {
  if (call.method == "GET") return list(call);
  if (call.method == "DELETE") return drop(call);
  Answer answer;
  const Json body = Json::parse(call.body, nullptr, false);
  if (!body.is_object() || !body.contains("watch") || !body["watch"].is_array() ||
      body["watch"].empty()) {
    answer.status = 400;
    answer.body = missing("watch", "$");
    return answer;
  }
  Json results = Json::array();
  std::size_t failures = 0;
  for (std::size_t i = 0; i < body["watch"].size(); ++i) {
    const Json &item = body["watch"][i];
    const std::string path = "$.watch[" + std::to_string(i) + "]";
    const bool off =
        call.method == "PATCH" && item.is_object() && item.value("_delete_events", Json()) == true;
    results.push_back(off ? switch_off(item, path) : subscribe(item, path, call.method == "PATCH"));
    if (results.back()["status"] == "error") ++failures;
  }
  answer.status = failures == results.size() ? 400
                  : failures > 0             ? dialect_.partial_status
                  : call.method == "POST"    ? 201
                                             : 200;
  answer.body = {{"watch", std::move(results)}};
  return answer;
}

Json Notifications::subscribe(const Json &item, const std::string &path, bool partial) {
  const std::string id = channel_id_of(item);
  if (id.empty()) return missing("channel_id", path);
  const auto existing = channels_.find(id);
  if (partial && existing == channels_.end()) {
    return error_item("NOT_SUBSCRIBED", {{"channel_id", id}}, "The channel is not subscribed");
  }
  Channel channel;
  if (partial) channel = existing->second;
  if (item.contains("events")) {
    channel.events.clear();
    if (!item["events"].is_array() || item["events"].empty()) return invalid("events", path);
    for (const auto &event : item["events"]) {
      const std::string text = event.is_string() ? event.get<std::string>() : std::string{};
      const std::size_t dot = text.find('.');
      static const std::set<std::string> kinds{"create", "edit", "delete", "all"};
      const std::string module = text.substr(0, dot);
      if (dot == std::string::npos || kinds.count(text.substr(dot + 1)) == 0 || module == "Notes" ||
          (module != "Users" && metadata_.find(module) == nullptr)) {
        return invalid("events", path);
      }
      channel.events.insert(text);
    }
  } else if (!partial) {
    return missing("events", path);
  }
  if (item.contains("notify_url")) {
    channel.notify_url = text_of(item, "notify_url");
    if (channel.notify_url.compare(0, 7, "http://") != 0 &&
        channel.notify_url.compare(0, 8, "https://") != 0) {
      return invalid("notify_url", path);
    }
  } else if (!partial) {
    return missing("notify_url", path);
  }
  if (item.contains("token")) channel.token = text_of(item, "token");
  if (channel.token.size() > 50) {
    return error_item(
        "INVALID_DATA",
        {{"maximum_length", 50}, {"api_name", "token"}, {"json_path", path + ".token"}},
        "invalid data");
  }
  if (item.contains("return_affected_field_values"))
    channel.values = item["return_affected_field_values"] == true;
  if (!partial || item.contains("channel_expiry")) {
    const auto wanted = parse_instant(text_of(item, "channel_expiry"));
    if (item.contains("channel_expiry") && !wanted) return invalid("channel_expiry", path);
    // An expiry that is absent or too far ahead becomes the default, without an error.
    const std::int64_t now = clock_.seconds();
    const bool usable =
        wanted && *wanted / 1000 > now && *wanted / 1000 <= now + dialect_.longest_channel;
    channel.expires_at = usable ? *wanted / 1000 : now + dialect_.default_channel;
  }
  channels_[id] = channel;
  Json events = Json::array();
  std::set<std::string> modules;
  for (const auto &event : channel.events) modules.insert(event.substr(0, event.find('.')));
  for (const auto &module : modules) {
    events.push_back(describe(id, module, channel));
  }
  return {{"code", "SUCCESS"},
          {"details", {{"events", std::move(events)}}},
          {"message", partial ? "Successfully updated the subscribe details"
                              : "Successfully subscribed for actions-watch of the given module"},
          {"status", "success"}};
}

Json Notifications::describe(const std::string &id, const std::string &module,
                             const Channel &channel) const {
  const Module *found = metadata_.find(module);
  return {{"channel_expiry", iso_with_offset(channel.expires_at, zone_offset_)},
          {"resource_uri", resource_uri(module)},
          {"resource_id", found != nullptr ? found->id : "4876876000000002199"},
          {"resource_name", module},
          {"channel_id", id}};
}

Json Notifications::switch_off(const Json &item, const std::string &path) {
  const std::string id = channel_id_of(item);
  const auto channel = channels_.find(id);
  if (channel == channels_.end()) {
    return error_item("NOT_SUBSCRIBED", {{"channel_id", id}}, "The channel is not subscribed");
  }
  if (!item.contains("events") || !item["events"].is_array()) return missing("events", path);
  Json events = Json::array();
  std::set<std::string> modules;
  for (const auto &event : item["events"]) {
    if (!event.is_string()) continue;
    const std::string text = event.get<std::string>();
    channel->second.events.erase(text);
    modules.insert(text.substr(0, text.find('.')));
  }
  for (const auto &module : modules) events.push_back(describe(id, module, channel->second));
  if (channel->second.events.empty()) channels_.erase(channel);
  return {{"code", "SUCCESS"},
          {"details", {{"events", std::move(events)}}},
          {"message", "Successfully removed the subscribe details"},
          {"status", "success"}};
}

Answer Notifications::list(const Call &call) {
  Json watch = Json::array();
  for (const auto &[id, channel] : channels_) {
    if (channel.expires_at <= clock_.seconds()) continue;
    if (call.has("channel_id") && call.parameter("channel_id") != id) continue;
    std::map<std::string, Json> modules;
    for (const auto &event : channel.events)
      modules[event.substr(0, event.find('.'))].push_back(event);
    for (const auto &[module, events] : modules) {
      if (call.has("module") && call.parameter("module") != module) continue;
      Json entry = describe(id, module, channel);
      entry["events"] = events;
      entry["notify_url"] = channel.notify_url;
      entry["token"] = channel.token.empty() ? Json() : Json(channel.token);
      entry["return_affected_field_values"] = channel.values;
      entry["notify_on_related_action"] = false;
      entry["notification_condition"] = nullptr;
      watch.push_back(std::move(entry));
    }
  }
  if (watch.empty()) return Answer::nothing(204);
  Answer answer;
  const std::size_t count = watch.size();
  answer.body = {
      {"watch", std::move(watch)},
      {"info", {{"page", 1}, {"per_page", 200}, {"count", count}, {"more_records", false}}}};
  return answer;
}

Answer Notifications::drop(const Call &call) {
  Answer answer;
  if (!call.has("channel_ids")) {
    answer.status = 400;
    answer.body = error_item("REQUIRED_PARAM_MISSING", {{"param_name", "channel_ids"}},
                             "One of the expected parameter is missing");
    return answer;
  }
  Json results = Json::array();
  std::size_t failures = 0;
  const std::string ids = call.parameter("channel_ids") + ",";
  for (std::size_t start = 0, end = 0; (end = ids.find(',', start)) != std::string::npos;
       start = end + 1) {
    const std::string id = ids.substr(start, end - start);
    if (channels_.erase(id) == 0) {
      ++failures;
      results.push_back(
          error_item("NOT_SUBSCRIBED", {{"channel_id", id}}, "The channel is not subscribed"));
    } else {
      results.push_back({{"code", "SUCCESS"},
                         {"details", {{"channel_id", id}}},
                         {"message", "Successfully un-subscribed from actions-watch"},
                         {"status", "success"}});
    }
  }
  // Bigin calls even a channel that is not there a partial success.
  answer.status = failures == results.size() && dialect_.partial_status != 202 ? 400
                  : failures > 0 ? dialect_.partial_status
                                 : 200;
  answer.body = {{"watch", std::move(results)}};
  return answer;
}

void Notifications::announce(const Effects &effects) {
  static const std::map<std::string, std::string> event_of{
      {"insert", "create"}, {"update", "edit"}, {"delete", "delete"}};
  std::map<std::pair<std::string, std::string>, std::vector<const Change *>> groups;
  for (const auto &change : effects.changes)
    groups[{change.module, change.operation}].push_back(&change);
  for (const auto &[group, changes] : groups) {
    const auto &[module, operation] = group;
    for (const auto &[id, channel] : channels_) {
      if (channel.expires_at <= clock_.seconds()) continue;
      if (channel.events.count(module + ".all") == 0 &&
          channel.events.count(module + "." + event_of.at(operation)) == 0)
        continue;
      Json body = {{"server_time", clock_.milliseconds()},
                   {"query_params", query_parameters(channel.notify_url)},
                   {"module", module},
                   {"resource_uri", resource_uri(module)},
                   {"ids", Json::array()},
                   {"operation", operation},
                   {"affected_fields", Json::array()},
                   {"channel_id", id},
                   {"token", channel.token.empty() ? Json() : Json(channel.token)}};
      if (channel.values) body["affected_values"] = Json::array();
      for (const Change *change : changes) {
        const std::string record = std::to_string(change->id);
        body["ids"].push_back(record);
        Json fields = Json::array();
        for (const auto &[field, value] : change->values.items()) fields.push_back(field);
        if (operation != "update") continue;
        body["affected_fields"].push_back({{record, std::move(fields)}});
        if (channel.values)
          body["affected_values"].push_back({{"record_id", record}, {"values", change->values}});
      }
      webhooks_.send(channel.notify_url, std::move(body));
    }
  }
}

}  // namespace crm_bridge::sandbox::crm
