// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "bell.hpp"
#include "configuration.hpp"
#include "receive/request.hpp"

namespace crm_bridge::worker {

// Accepts webhooks for a handler that takes one at a time.  One thread reads all connections, so
// that a client that is slow, or many of them, hold up nobody: a request has a bounded time from
// its first byte to its last, the number of connections is bounded, and of too many the one that
// has been sending for longest goes.
class WebhookListener {
 public:
  using Clock = std::chrono::steady_clock;
  // The status to answer with.
  using Handler = std::function<int(const std::string &path, const std::string &body)>;
  struct Limits {
    std::chrono::milliseconds request{10000};  // from the first byte to the last
    std::chrono::milliseconds answer{10000};   // until the handler and the client have taken it
    std::chrono::milliseconds idle{5000};      // between requests
    std::size_t connections = 512;
    std::size_t waiting = 256;  // complete requests that the handler has not come to
  };

  // Throws ConfigurationError if the address cannot be listened on.
  WebhookListener(const ListenSettings &settings, Handler handler, Limits limits);
  WebhookListener(const ListenSettings &settings, Handler handler)
      : WebhookListener(settings, std::move(handler), Limits{}) {}
  ~WebhookListener();
  WebhookListener(const WebhookListener &) = delete;
  WebhookListener &operator=(const WebhookListener &) = delete;

  int port() const { return port_; }

 private:
  struct Connection {
    enum class State { reading, handling, writing, draining };
    int socket = -1;
    std::uint64_t number = 0;
    State state = State::reading;
    Clock::time_point deadline{};
    RequestReader reader{};
    std::string output{};
    bool close_after = false;
  };
  struct Job {
    std::uint64_t connection = 0;
    std::string path;
    std::string body;
  };
  using Place = std::list<Connection>::iterator;

  void listen(const ListenSettings &settings);
  void converse();
  void handle();
  void accept_all();
  void make_room();
  bool read(Connection &connection);
  void look_at_request(Connection &connection);
  void answer(Connection &connection, int status);
  // An answer of the listener's own, after which the connection ends.
  void refuse(Connection &connection, int status);
  bool write(Connection &connection);
  bool expired(Connection &connection);
  void take_answers();

  const Handler handler_;
  const Limits limits_;
  int listener_ = -1;
  int port_ = 0;
  Bell bell_;
  std::list<Connection> connections_;  // of the reading thread alone
  std::uint64_t last_number_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::deque<std::pair<std::uint64_t, int>> answers_;
  bool stopping_ = false;
  std::thread reading_;
  std::thread handling_;
};

}  // namespace crm_bridge::worker
