// SPDX-License-Identifier: PostgreSQL
#include "receive/receiver.hpp"

#include <httplib.h>

#include <cstdio>
#include <fstream>

#include "log.hpp"
#include "receive/address.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::size_t largest_body = 1U << 20;
constexpr int deadline_seconds = 10;
constexpr std::size_t threads = 32;

// The services' words for what happened, as the protocol has them.
std::string event_of(const std::string &told) {
  if (told == "create" || told == "insert") return "insert";
  if (told == "delete" || told == "trash") return "delete";
  return "update";
}

}  // namespace

bool proves_itself(const std::string &path, const std::string &token,
                   const std::string &expected_path, const std::string &expected_token) {
  const bool path_fits = equal_in_constant_time(path, expected_path);
  const bool token_fits = equal_in_constant_time(token, expected_token);
  return path_fits && token_fits;
}

WebhookDoor::WebhookDoor(Shared &shared) : shared_(shared) {
  for (const auto &service : shared.configuration.services)
    services_[service.kind] = make_service(service);
}

HookAnswer WebhookDoor::take(const std::string &path, const std::string &body) {
  const auto parts = parse_webhook_path(path);
  const ServiceSettings *settings = parts ? shared_.configuration.service(parts->service) : nullptr;
  if (settings == nullptr) return {404, "unknown_path"};
  Json json;
  std::optional<Webhook> webhook;
  try {
    json = parse_json(body);
    webhook = services_.at(settings->kind)->parse_webhook(json);
  } catch (const MalformedJson &) {
  }
  const WebhookAddress address = webhook_address(shared_.key, *settings, parts->org_id);
  const std::string token = webhook ? webhook->token : std::string{};
  if (!proves_itself(path, token, address.path, address.token)) {
    shared_.metrics.notice(settings->kind, false);
    // The same for a wrong path and a wrong token: nobody learns which half was right.
    return {404, "not_proved"};
  }
  if (!webhook) return {400, "unreadable_body"};
  const HookAnswer answer =
      store(settings->kind, parts->org_id, address.channel_id, *webhook, json);
  shared_.metrics.notice(settings->kind, answer.status < 300);
  return answer;
}

HookAnswer WebhookDoor::store(const std::string &service, std::int64_t org_id,
                              const std::string &channel, const Webhook &webhook,
                              const Json &body) {
  Json kept = body;
  kept.erase("token");
  const std::lock_guard lock(mutex_);
  for (int round = 0; round < 2; ++round) {
    try {
      if (!database_)
        database_ = std::make_unique<Database>(shared_.configuration.conninfo, "receiver");
      std::string module;
      for (const auto &one : database_->modules(service)) {
        if (one.api_name == webhook.api_module) module = one.module;
      }
      if (module.empty()) return {200, "module_not_kept"};
      const int fresh = database_->store_notice(service, channel, module, webhook.external_ids,
                                                event_of(webhook.event), to_text(kept), org_id,
                                                webhook.context, webhook.told);
      shared_.bells.ring("notice " + service);
      log_event(Severity::debug, "webhook",
                {{"service", service},
                 {"org", org_id},
                 {"module", module},
                 {"records", webhook.external_ids.size()},
                 {"new", fresh}});
      return {200, "stored"};
    } catch (const ConnectionLost &lost) {
      // A kept connection may have died long ago: the second round tries a fresh one.
      database_.reset();
      if (round == 1) log_event(Severity::warning, "webhook_not_stored", {{"reason", lost.what()}});
    } catch (const SqlError &fault) {
      log_event(Severity::warning, "webhook_not_stored",
                {{"sqlstate", fault.sqlstate()}, {"reason", fault.what()}});
      return {503, "refused"};
    }
  }
  return {503, "database_down"};
}

void tell_port(const ListenSettings &settings, int port, const std::string &name) {
  if (!settings.port_file.empty()) {
    // Written beside and moved, so that whoever waits for it never reads half a number.
    const std::string draft = settings.port_file + ".new";
    std::ofstream(draft) << port << "\n";
    if (std::rename(draft.c_str(), settings.port_file.c_str()) != 0) {
      log_event(Severity::warning, "port_file_not_written", {{"file", settings.port_file}});
    }
  }
  log_event(Severity::information, "listening",
            {{"for", name}, {"address", settings.listen}, {"port", port}});
}

ListeningServer::ListeningServer(std::unique_ptr<httplib::Server> server,
                                 const ListenSettings &settings, const std::string &name)
    : server_(std::move(server)) {
  server_->set_payload_max_length(largest_body);
  server_->set_read_timeout(deadline_seconds);
  server_->set_write_timeout(deadline_seconds);
  // An idle connection holds up the stop for as long.
  server_->set_keep_alive_timeout(1);
  server_->set_tcp_nodelay(true);
  server_->new_task_queue = [] { return new httplib::ThreadPool(threads); };
  int port = settings.port;
  const bool bound = port == 0 ? (port = server_->bind_to_any_port(settings.listen)) > 0
                               : server_->bind_to_port(settings.listen, port);
  if (!bound) {
    throw ConfigurationError("could not listen on " + settings.listen + ":" +
                             std::to_string(settings.port) + " for the " + name);
  }
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  // The address is bound already; only a running server can be stopped again.
  for (int wait = 0; wait < 5000 && !server_->is_running(); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  tell_port(settings, port, name);
}

ListeningServer::~ListeningServer() {
  server_->stop();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<WebhookListener> start_receiver(Shared &shared, const ListenSettings &settings) {
  auto door = std::make_shared<WebhookDoor>(shared);
  auto listener = std::make_unique<WebhookListener>(
      settings, [door](const std::string &path, const std::string &body) {
        try {
          return door->take(path, body).status;
        } catch (const std::exception &fault) {
          log_event(Severity::error, "webhook_failed", {{"reason", fault.what()}});
          return 503;
        }
      });
  tell_port(settings, listener->port(), "receiver");
  return listener;
}

}  // namespace crm_bridge::worker
