// SPDX-License-Identifier: PostgreSQL
// Notification channels: /crm/v8/actions/watch.
#include "services/field_value.hpp"
#include "services/zoho_crm/connector.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

// What the CRM says about how long a channel lasts: beside the channel, or once for each module.
std::string expiry_of(const Json &item) {
  const Json *events = find(item, "details.events");
  if (events != nullptr && events->is_array() && !events->empty())
    return scalar_text((*events)[0], "channel_expiry");
  return scalar_text(item, "channel_expiry");
}

}  // namespace

Task<ChannelState> Connector::open_channel(Session &session, ChannelAddress address) {
  Json events = Json::array();
  for (const auto &module : session.catalog().modules) {
    if (module.creatable && !is_note(module.module)) events.push_back(module.api_name + ".all");
  }
  const Json watch = {{"channel_id", address.channel_id},
                      {"events", events},
                      {"notify_url", address.notify_url},
                      {"token", address.token},
                      {"channel_expiry", whole_seconds(address.now, dialect_.channel_life_seconds)},
                      {"notify_on_related_action", false},
                      {"return_affected_field_values", true}};
  std::string words;
  // POST makes the channel; where it exists already, PUT replaces what it says and when it ends.
  for (const char *method : {"POST", "PUT"}) {
    ApiCall call;
    call.method = method;
    call.path = dialect_.root + "/actions/watch";
    call.body = {{"watch", Json::array({watch})}};
    const HttpResult result = co_await session.send(std::move(call));
    // Passing trouble is told as such; only a refusal is worth the other method.
    if (result.transport != Transport::answered || result.status >= 500 || result.status == 429 ||
        result.status == 401)
      body_or_failure(result);
    words = "HTTP " + std::to_string(result.status) + ": " + result.body.substr(0, 300);
    if (!result.ok()) continue;
    const Json body = body_or_failure(result);
    const Json *items = find(body, "watch");
    if (items != nullptr && items->is_array() && !items->empty() &&
        scalar_text((*items)[0], "code") == "SUCCESS") {
      co_return ChannelState{true, true, expiry_of((*items)[0])};
    }
  }
  throw ServiceFailure({Outcome::park, "channel_refused", words, {}});
}

Task<ChannelState> Connector::find_channel(Session &session, ChannelAddress address) {
  ApiCall call;
  call.path = dialect_.root + "/actions/watch";
  call.query = {{"channel_id", address.channel_id}};
  const HttpResult result = co_await session.send(std::move(call));
  if (result.transport == Transport::answered && result.status >= 400 && result.status < 500 &&
      result.body.find("NOT_SUBSCRIBED") != std::string::npos)
    co_return ChannelState{};
  const Json body = body_or_failure(result);
  const Json *items = find(body, "watch");
  if (items == nullptr || !items->is_array()) co_return ChannelState{};
  for (const auto &item : *items) {
    if (scalar_text(item, "channel_id") != address.channel_id) continue;
    // Somebody else's by now, if it calls elsewhere.
    const std::string url = scalar_text(item, "notify_url");
    if (!url.empty() && url != address.notify_url) co_return ChannelState{};
    co_return ChannelState{true, true, expiry_of(item)};
  }
  co_return ChannelState{};
}

}  // namespace crm_bridge::worker::zoho_crm
