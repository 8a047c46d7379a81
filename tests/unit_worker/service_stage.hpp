// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "scripted_server.hpp"
#include "services/service.hpp"

namespace crm_bridge::worker::test {

// Any service by its kind, scripted, with the connector that a worker would use.
class ServiceStage {
 public:
  ServiceStage(const std::string &kind, Catalog catalog, ScriptedServer::Script script)
      : server_([script](const SeenRequest &seen) {
          if (is_token(seen)) return ScriptedServer::answer(200, R"({"access_token":"t"})");
          return script(seen);
        }) {
    settings_.kind = kind;
    settings_.accounts_url = settings_.api_url = server_.url();
    context_ =
        std::make_unique<ServiceContext>(settings_, std::chrono::milliseconds{5000}, metrics_);
    client_ = std::make_unique<HttpClient>(context_->allowed());
    session_ = std::make_unique<Session>(
        *context_, *client_, Organization{1, "Org", "active", "", "UTC"}, std::move(catalog),
        [] {
          return Credential{"c", "s", "r", "zylker.example"};
        },
        [](const std::string &, const std::vector<std::string> &) {
          return std::vector<std::string>{};
        },
        std::chrono::milliseconds{0});
    session_->go_round_with([this](const std::string &, const std::string &after, int limit) {
      std::vector<Located> portion;
      for (const auto &id : recorded) {
        if (id > after && static_cast<int>(portion.size()) < limit) portion.push_back({id, {}});
      }
      return portion;
    });
    service_ = make_service(settings_);
  }

  template <typename T>
  T run(Task<T> task) {
    return client_->run(std::move(task));
  }
  Service &service() { return *service_; }
  Session &session() { return *session_; }
  const ServiceSettings &settings() const { return settings_; }
  // Reads to the end; the last cursor.
  Json read_all(const std::string &module, Json cursor, std::vector<Record> &records,
                std::vector<Listing> *listings = nullptr) {
    for (bool more = true; more;) {
      Page page = run(service_->read_page(*session_, module, std::move(cursor)));
      for (auto &portion : page.records) {
        for (auto &record : portion.records) records.push_back(std::move(record));
      }
      for (auto &listing : page.listings)
        if (listings != nullptr) listings->push_back(std::move(listing));
      cursor = std::move(page.cursor);
      more = page.more;
    }
    return cursor;
  }
  // The calls of the API: "METHOD target body"; `tokens`: those for tokens.
  std::vector<std::string> calls(bool tokens = false) const {
    std::vector<std::string> list;
    for (const auto &seen : server_.seen()) {
      if (is_token(seen) != tokens) continue;
      list.push_back(seen.method + " " + seen.target + (seen.body.empty() ? "" : " " + seen.body));
    }
    return list;
  }
  std::string url() const { return server_.url(); }
  const ScriptedServer &server() const { return server_; }

  std::vector<std::string> recorded;  // external ids that the database has, in order

 private:
  static bool is_token(const SeenRequest &seen) { return seen.target.ends_with("/token"); }

  Metrics metrics_;
  ScriptedServer server_;
  ServiceSettings settings_;
  std::unique_ptr<ServiceContext> context_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Service> service_;
};

}  // namespace crm_bridge::worker::test
