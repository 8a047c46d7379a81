// SPDX-License-Identifier: PostgreSQL
#include "listener.hpp"

#include "clock.hpp"
#include "connection.hpp"
#include "spoil.hpp"

#include <httplib.h>

#include <sys/socket.h>
#include <cstdio>
#include <mutex>
#include <set>
#include <thread>

namespace crm_bridge::sandbox {
namespace {

constexpr std::size_t payload_limit = 64U << 20;

thread_local Connection *current_connection = nullptr;

std::string lower(std::string text) {
  for (char &c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Call make_call(const httplib::Request &request) {
  Call call;
  call.method = request.method;
  call.url = request.path;
  std::size_t start = 0;
  while (start < request.path.size()) {
    std::size_t end = request.path.find('/', start);
    if (end == std::string::npos) end = request.path.size();
    if (end > start) call.path.push_back(request.path.substr(start, end - start));
    start = end + 1;
  }
  for (const auto &[name, value] : request.params) call.query.emplace(name, value);
  for (const auto &[name, value] : request.headers) call.headers.emplace(lower(name), value);
  call.body = request.body;
  return call;
}

}  // namespace

class Listener::Server : public httplib::Server {
 public:
  Server(std::string service, Endpoint &endpoint, RequestLog &log, Faults &faults, bool recorded)
      : service_{std::move(service)},
        endpoint_{endpoint},
        log_{log},
        faults_{faults},
        recorded_{recorded} {
    set_tcp_nodelay(true);
    set_payload_max_length(payload_limit);
    set_keep_alive_timeout(keep_alive_seconds);
    set_keep_alive_max_count(1'000'000);
    new_task_queue = [] { return new ThreadPerConnection; };
    // The library would wait for the body of a DELETE or POST that announces none, until a
    // time-out.
    set_pre_routing_handler([this](const httplib::Request &request, httplib::Response &response) {
      const bool body = request.has_header("Transfer-Encoding") ||
                        (request.has_header("Content-Length") &&
                         request.get_header_value("Content-Length") != "0");
      if (body && request.method != "GET") return HandlerResponse::Unhandled;
      serve(request, response);
      return HandlerResponse::Handled;
    });
    const auto handler = [this](const httplib::Request &request, httplib::Response &response) {
      serve(request, response);
    };
    Post(".*", handler);
    Put(".*", handler);
    Patch(".*", handler);
    Delete(".*", handler);
  }

  std::string bind(int port) {
    if (port == 0) {
      port = bind_to_any_port("127.0.0.1");
    } else if (!bind_to_port("127.0.0.1", port)) {
      port = -1;
    }
    if (port < 0) throw std::runtime_error{"could not listen for " + service_ + " on 127.0.0.1"};
    // The library's backlog of 5 makes a burst of connections wait a second.
    ::listen(svr_sock_, 512);
    return "http://127.0.0.1:" + std::to_string(port);
  }

  void start() {
    thread_ = std::thread{[this] { listen_after_bind(); }};
    while (!is_running()) std::this_thread::yield();
  }

  void close() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock{mutex_};
      closing_ = true;
      for (const int socket : open_) ::shutdown(socket, SHUT_RD);
    }
    stop();
    thread_.join();
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    {
      const std::lock_guard lock{mutex_};
      if (closing_) ::shutdown(socket, SHUT_RD);
      open_.insert(socket);
    }
    Connection connection{socket};
    current_connection = &connection;
    bool closed = false;
    while (!closed && connection.wait_for_request()) {
      const bool answered = process_request(connection, false, closed, nullptr);
      if (!connection.flush() || !answered) break;
    }
    current_connection = nullptr;
    {
      const std::lock_guard lock{mutex_};
      open_.erase(socket);
    }
    // After a shutdown there would be nothing left to reset.
    if (!connection.resets()) ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return true;
  }

  void serve(const httplib::Request &request, httplib::Response &response) {
    Call call = make_call(request);
    const std::int64_t arrived_at = current_connection->arrived_at();
    std::optional<Fault> fault;
    if (recorded_) fault = faults_.take(service_, call.method, call.url);
    if (fault) call.fault = &*fault;

    Answer answer;
    const bool drop_before = call.misbehaves(Fault::Kind::drop_before);
    if (call.misbehaves(Fault::Kind::html)) {
      answer.status = fault->status != 0 ? fault->status : 502;
      answer.content_type = "text/html;charset=UTF-8";
      answer.text =
          "<html><head><title>Error</title></head><body>Something went wrong</body></html>";
    } else if (!drop_before) {
      answer = work(call);
    }
    const bool dropped = drop_before || call.misbehaves(Fault::Kind::drop_after);
    if (dropped) current_connection->drop();
    if (call.misbehaves(Fault::Kind::cut)) current_connection->cut(fault->at, fault->reset);
    if (call.misbehaves(Fault::Kind::drip)) current_connection->drip(fault->delay_milliseconds);
    if (call.misbehaves(Fault::Kind::spoil)) spoil(answer, fault->how);

    if (recorded_) {
      RequestLog::Entry entry;
      entry.arrived_at = arrived_at;
      entry.service = service_;
      entry.method = call.method;
      entry.path = call.url;
      const std::size_t question = request.target.find('?');
      if (question != std::string::npos) entry.query = request.target.substr(question + 1);
      entry.body_bytes = call.body.size();
      entry.body = call.body.substr(0, 4096);
      entry.status = dropped ? 0 : answer.status;
      log_.add(std::move(entry), url_pattern(call.method, call.path));
    }
    if (call.misbehaves(Fault::Kind::hold_answer)) {
      log_.count("answers_held");
      faults_.hold_answer(call);
    }

    response.status = answer.status;
    for (const auto &[name, value] : answer.headers) response.set_header(name, value);
    if (!answer.body.is_null()) {
      answer.text = answer.body.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    if (!answer.text.empty()) response.set_content(answer.text, answer.content_type);
  }

  Answer work(const Call &call) {
    try {
      return endpoint_.handle(call);
    } catch (const std::exception &error) {
      std::fprintf(stderr, "%s %s: %s\n", call.method.c_str(), call.url.c_str(), error.what());
      Answer answer;
      answer.status = 500;
      answer.body = {{"code", "INTERNAL_ERROR"},
                     {"details", Json::object()},
                     {"message", error.what()},
                     {"status", "error"}};
      return answer;
    }
  }

  const std::string service_;
  Endpoint &endpoint_;
  RequestLog &log_;
  Faults &faults_;
  const bool recorded_;
  std::thread thread_;
  std::mutex mutex_;
  std::set<int> open_;
  bool closing_ = false;
};

Listener::Listener(std::string service, Endpoint &endpoint, RequestLog &log, Faults &faults,
                   bool recorded)
    : server_{std::make_unique<Server>(std::move(service), endpoint, log, faults, recorded)} {}
Listener::~Listener() { stop(); }

std::string Listener::bind(int port) { return server_->bind(port); }
void Listener::start() { server_->start(); }
void Listener::stop() { server_->close(); }

}  // namespace crm_bridge::sandbox
