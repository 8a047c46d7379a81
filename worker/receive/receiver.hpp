// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "database.hpp"
#include "receive/listener.hpp"
#include "services/service.hpp"
#include "shared.hpp"

namespace httplib {
class Server;
}

namespace crm_bridge::worker {

// What a webhook is answered with, decided apart from HTTP.
struct HookAnswer {
  int status = 200;
  std::string reason{};
};

// Takes webhooks in: checks path and token, stores the notice, commits, and only then answers 2xx.
// The body is a hint; the record is read from the service.
class WebhookDoor {
 public:
  explicit WebhookDoor(Shared &shared);
  HookAnswer take(const std::string &path, const std::string &body);

 private:
  struct Hook;
  HookAnswer store(const std::string &service, std::int64_t org_id, const std::string &channel,
                   const Webhook &webhook, const Json &body);

  Shared &shared_;
  std::map<std::string, std::unique_ptr<Service>> services_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

// Whether a request's path and token are those of this address; takes the same time whatever
// differs.
bool proves_itself(const std::string &path, const std::string &token,
                   const std::string &expected_path, const std::string &expected_token);

// The status page's HTTP server on its own threads, for as long as the object lives.
class ListeningServer {
 public:
  // Throws ConfigurationError if the address cannot be listened on.
  ListeningServer(std::unique_ptr<httplib::Server> server, const ListenSettings &settings,
                  const std::string &name);
  ~ListeningServer();

 private:
  std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
};

// Logs where something listens, and writes the port to the file that the settings name.
void tell_port(const ListenSettings &settings, int port, const std::string &name);

std::unique_ptr<WebhookListener> start_receiver(Shared &shared, const ListenSettings &settings);

}  // namespace crm_bridge::worker
