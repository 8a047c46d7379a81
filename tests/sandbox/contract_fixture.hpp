// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"
#include "sandbox.hpp"

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace crm_bridge::sandbox {

// A sandbox of its own for each case, spoken to over HTTP like any client does.
class Contract {
 public:
  explicit Contract(Options options = {})
      : sandbox{options},
        accounts{sandbox.accounts()},
        crm{sandbox.crm()},
        projects{sandbox.projects()},
        bigin{sandbox.bigin()},
        graph{sandbox.graph()},
        control{sandbox.control()} {
    for (auto *client : {&accounts, &crm, &projects, &bigin, &graph, &control}) {
      client->set_keep_alive(true);
      client->set_tcp_nodelay(true);
    }
    sign_in();
  }

  struct Reply {
    int status = 0;  // 0 = the connection was closed without an answer
    Json body;
    httplib::Headers headers;
  };

  void sign_in() {
    const Reply reply = refresh();
    if (!reply.body.contains("access_token"))
      throw std::runtime_error{"no token: " + reply.body.dump()};
    authorization = "Zoho-oauthtoken " + reply.body["access_token"].get<std::string>();
  }
  Reply refresh(const std::string &secret = "sandbox-secret",
                const std::string &token = "1000.sandbox-refresh") {
    return read(
        accounts.Post("/oauth/v2/token", httplib::Params{{"grant_type", "refresh_token"},
                                                         {"refresh_token", token},
                                                         {"client_id", "1000.SANDBOXCLIENT"},
                                                         {"client_secret", secret}}));
  }

  Reply get(httplib::Client &client, const std::string &path, httplib::Headers headers = {}) {
    return read(client.Get(path, signed_headers(std::move(headers))));
  }
  Reply post(httplib::Client &client, const std::string &path, const Json &body) {
    return read(client.Post(path, signed_headers({}), body.dump(), "application/json"));
  }
  Reply put(httplib::Client &client, const std::string &path, const Json &body,
            httplib::Headers headers = {}) {
    return read(
        client.Put(path, signed_headers(std::move(headers)), body.dump(), "application/json"));
  }
  Reply patch(httplib::Client &client, const std::string &path, const Json &body) {
    return read(client.Patch(path, signed_headers({}), body.dump(), "application/json"));
  }
  Reply remove(httplib::Client &client, const std::string &path) {
    return read(client.Delete(path, signed_headers({})));
  }

  void fault(const Json &plan) {
    const Reply reply = post(control, "/control/faults", plan);
    if (reply.status != 200) throw std::runtime_error{"fault refused: " + reply.body.dump()};
  }
  std::int64_t counter(const std::string &name) {
    return get(control, "/control/counters").body[name].get<std::int64_t>();
  }
  void advance(std::int64_t seconds) {
    post(control, "/control/clock", {{"advance_seconds", seconds}});
  }

  // One CRM record through the API; its id.
  std::string insert(const std::string &module, const Json &fields) {
    const Reply reply = post(crm, "/crm/v8/" + module,
                             {{"data", Json::array({fields})}, {"trigger", Json::array()}});
    if (reply.status != 201) throw std::runtime_error{"insert refused: " + reply.body.dump()};
    return reply.body["data"][0]["details"]["id"];
  }
  Json record(const std::string &module, const std::string &id) {
    return get(crm, "/crm/v8/" + module + "/" + id).body["data"][0];
  }

  static Reply read(const httplib::Result &result) {
    Reply reply;
    if (!result) return reply;
    reply.status = result->status;
    reply.headers = result->headers;
    if (!result->body.empty()) reply.body = Json::parse(result->body, nullptr, false);
    return reply;
  }

  Sandbox sandbox;
  httplib::Client accounts;
  httplib::Client crm;
  httplib::Client projects;
  httplib::Client bigin;
  httplib::Client graph;
  httplib::Client control;
  std::string authorization;

 private:
  httplib::Headers signed_headers(httplib::Headers headers) const {
    headers.emplace("Authorization", authorization);
    return headers;
  }
};

// Where callbacks arrive.
class Receiver {
 public:
  Receiver() {
    server_.Post(".*", [this](const httplib::Request &request, httplib::Response &) {
      const std::lock_guard lock{mutex_};
      bodies_.push_back(Json::parse(request.body));
      arrived_.notify_all();
    });
    server_.set_keep_alive_max_count(1);  // or stopping would wait for idle connections
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread{[this] { server_.listen_after_bind(); }};
  }
  ~Receiver() {
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook?key=k"; }
  // The next callback; null when none comes in ten seconds.
  Json next() {
    std::unique_lock lock{mutex_};
    if (!arrived_.wait_for(lock, std::chrono::seconds{10}, [this] { return !bodies_.empty(); }))
      return nullptr;
    Json body = std::move(bodies_.front());
    bodies_.pop_front();
    return body;
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Json> bodies_;
};

}  // namespace crm_bridge::sandbox
