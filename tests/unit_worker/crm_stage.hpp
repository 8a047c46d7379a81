// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "catalogs.hpp"
#include "scripted_server.hpp"
#include "services/zoho_crm/connector.hpp"

namespace crm_bridge::worker::test {

// A scripted Zoho CRM, a session with it and a connector.
class CrmStage {
 public:
  explicit CrmStage(ScriptedServer::Script script, bool assumed_calls = false)
      : server_([script](const SeenRequest &seen) {
          if (seen.target == "/oauth/v2/token")
            return ScriptedServer::answer(200, R"({"access_token":"t"})");
          return script(seen);
        }) {
    ServiceSettings settings;
    settings.kind = "zoho_crm";
    settings.accounts_url = settings.api_url = server_.url();
    settings.assumed_calls = assumed_calls;
    context_ =
        std::make_unique<ServiceContext>(settings, std::chrono::milliseconds{5000}, metrics_);
    client_ = std::make_unique<HttpClient>(context_->allowed());
    session_ = std::make_unique<Session>(
        *context_, *client_, Organization{1, "Org", "active", "1", "UTC"}, crm_catalog(),
        [] {
          return Credential{"c", "s", "r"};
        },
        [this](const std::string &, const std::vector<std::string> &ids) {
          std::vector<std::string> taken;
          for (const auto &id : ids) {
            if (std::find(known.begin(), known.end(), id) != known.end()) taken.push_back(id);
          }
          return taken;
        },
        std::chrono::milliseconds{0});
    session_->go_round_with([this](const std::string &, const std::string &after, int limit) {
      std::vector<Located> portion;
      for (const auto &id : recorded) {
        if (id > after && static_cast<int>(portion.size()) < limit) portion.push_back({id, {}});
      }
      return portion;
    });
    connector_ = std::make_unique<zoho_crm::Connector>(settings);
  }

  Delivered deliver(std::vector<Change> changes) {
    return client_->run(connector_->deliver(*session_, std::move(changes)));
  }
  Page read_page(const std::string &module, Json cursor) {
    return client_->run(connector_->read_page(*session_, module, std::move(cursor)));
  }
  Reading read_records(const std::string &module, std::vector<Notice> notices) {
    return client_->run(connector_->read_records(*session_, module, std::move(notices)));
  }
  // Reads to the end; the last cursor.
  Json read_all(const std::string &module, Json cursor, std::vector<Record> &records) {
    for (bool more = true; more;) {
      Page page = read_page(module, std::move(cursor));
      for (auto &portion : page.records) {
        for (auto &record : portion.records) records.push_back(std::move(record));
      }
      cursor = std::move(page.cursor);
      more = page.more;
    }
    return cursor;
  }

  zoho_crm::Connector &connector() { return *connector_; }
  const Session &session() const { return *session_; }
  // The calls of the API: "METHOD target body".
  std::vector<std::string> calls() const {
    std::vector<std::string> list;
    for (const auto &seen : server_.seen()) {
      if (seen.target == "/oauth/v2/token") continue;
      list.push_back(seen.method + " " + seen.target + (seen.body.empty() ? "" : " " + seen.body));
    }
    return list;
  }

  std::vector<std::string> known;     // external ids that are records of ours
  std::vector<std::string> recorded;  // those that the service has, in order

 private:
  Metrics metrics_;
  ScriptedServer server_;
  std::unique_ptr<ServiceContext> context_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<zoho_crm::Connector> connector_;
};

}  // namespace crm_bridge::worker::test
