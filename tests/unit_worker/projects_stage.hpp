// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "catalogs.hpp"
#include "scripted_server.hpp"
#include "services/zoho_projects/connector.hpp"

namespace crm_bridge::worker::test {

// A Projects that answers by target, with a connector that speaks to it.
class ProjectsStage {
 public:
  // What a request is answered with: status and body.
  using Answer = std::pair<int, std::string>;
  using Script = std::function<Answer(const std::string &call)>;  // "METHOD target"

  explicit ProjectsStage(Script script, bool assumed_calls = true)
      : server_([script](const SeenRequest &seen) {
          if (seen.target == "/oauth/v2/token")
            return ScriptedServer::answer(200, R"({"access_token":"t"})");
          const Answer answer = script(seen.method + " " + seen.target);
          return ScriptedServer::answer(answer.first, answer.second);
        }) {
    ServiceSettings settings;
    settings.kind = "zoho_projects";
    settings.accounts_url = settings.api_url = server_.url();
    settings.assumed_calls = assumed_calls;
    settings.sweep_interval = std::chrono::milliseconds{0};
    context_ =
        std::make_unique<ServiceContext>(settings, std::chrono::milliseconds{5000}, metrics_);
    client_ = std::make_unique<HttpClient>(context_->allowed());
    session_ = std::make_unique<Session>(
        *context_, *client_, Organization{1, "Org", "active", "1", "UTC"}, projects_catalog(),
        [] {
          return Credential{"c", "s", "r"};
        },
        [](const std::string &, const std::vector<std::string> &) {
          return std::vector<std::string>{};
        },
        std::chrono::milliseconds{0});
    session_->go_round_with([this](const std::string &module, const std::string &after, int limit) {
      std::vector<Located> next;
      for (const auto &record : records[module]) {
        if (record.external_id > after && static_cast<int>(next.size()) < limit)
          next.push_back(record);
      }
      return next;
    });
    connector = std::make_unique<zoho_projects::Connector>(settings);
  }

  template <typename T>
  T run(Task<T> task) {
    return client_->run(std::move(task));
  }
  Session &session() { return *session_; }
  // "METHOD target body" of the calls of the API.
  std::vector<std::string> calls() const {
    std::vector<std::string> list;
    for (const auto &seen : server_.seen()) {
      if (seen.target != "/oauth/v2/token")
        list.push_back(seen.method + " " + seen.target +
                       (seen.body.empty() ? "" : " " + seen.body));
    }
    return list;
  }
  Delivered deliver(Change change) {
    return run(connector->deliver(*session_, {std::move(change)}));
  }
  // A worker that knows nothing but the cursor.
  void begin_again() {
    connector = std::make_unique<zoho_projects::Connector>(session_->settings());
  }

  std::map<std::string, std::vector<Located>> records;  // that the database has, by module
  std::unique_ptr<zoho_projects::Connector> connector;

 private:
  Metrics metrics_;
  ScriptedServer server_;
  std::unique_ptr<ServiceContext> context_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Session> session_;
};

}  // namespace crm_bridge::worker::test
