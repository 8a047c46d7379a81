// SPDX-License-Identifier: PostgreSQL
#include "receive/listener.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t bytes_at_once = 64U << 10;
// What a refused client still sends is read for so long, so that it gets to see the answer.
constexpr std::chrono::milliseconds drain_time{1000};

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

void set_port(sockaddr_storage &address, int port) {
  const auto number = htons(static_cast<std::uint16_t>(port));
  if (address.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6 &>(address).sin6_port = number;
  } else {
    reinterpret_cast<sockaddr_in &>(address).sin_port = number;
  }
}

int port_of(const sockaddr_storage &address) {
  return address.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6 &>(address).sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in &>(address).sin_port);
}

}  // namespace

WebhookListener::WebhookListener(const ListenSettings &settings, Handler handler, Limits limits)
    : handler_(std::move(handler)), limits_(limits) {
  listen(settings);
  reading_ = std::thread([this] { converse(); });
  handling_ = std::thread([this] { handle(); });
}

WebhookListener::~WebhookListener() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  bell_.ring();
  reading_.join();
  handling_.join();
  for (const auto &connection : connections_) ::close(connection.socket);
  ::close(listener_);
}

void WebhookListener::listen(const ListenSettings &settings) {
  const auto fail = [&] {
    if (listener_ >= 0) ::close(listener_);
    throw ConfigurationError("could not listen on " + settings.listen + ":" +
                             std::to_string(settings.port) + " for the receiver");
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo *found = nullptr;
  if (::getaddrinfo(settings.listen.c_str(), nullptr, &hints, &found) != 0) fail();
  sockaddr_storage address{};
  socklen_t size = found->ai_addrlen;
  std::copy_n(reinterpret_cast<const char *>(found->ai_addr), size,
              reinterpret_cast<char *>(&address));
  ::freeaddrinfo(found);
  set_port(address, settings.port);
  listener_ = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (listener_ < 0 || ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(listener_, reinterpret_cast<sockaddr *>(&address), size) != 0 ||
      ::listen(listener_, 512) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size) != 0)
    fail();
  port_ = port_of(address);
}

void WebhookListener::converse() {
  std::vector<pollfd> descriptors;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    descriptors.clear();
    descriptors.push_back({bell_.descriptor(), POLLIN, 0});
    descriptors.push_back({listener_, POLLIN, 0});
    auto soonest = Clock::now() + std::chrono::minutes{1};
    for (const auto &connection : connections_) {
      short events = 0;
      if (connection.state == Connection::State::writing) events = POLLOUT;
      if (connection.state == Connection::State::reading ||
          connection.state == Connection::State::draining)
        events = POLLIN;
      descriptors.push_back({connection.socket, events, 0});
      soonest = std::min(soonest, connection.deadline);
    }
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(soonest - Clock::now());
    ::poll(descriptors.data(), descriptors.size(),
           static_cast<int>(std::max<long long>(wait.count(), 0)));
    bell_.rung();
    take_answers();
    std::size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++at) {
      bool open = true;
      if (descriptors[at].revents != 0) {
        // While the handler has its request, all that can happen to a connection is its end.
        if (connection->state == Connection::State::handling) {
          open = false;
        } else {
          open = connection->state == Connection::State::writing ? write(*connection)
                                                                 : read(*connection);
        }
      }
      if (open && Clock::now() >= connection->deadline) open = !expired(*connection);
      if (!open) ::close(connection->socket);
      connection = open ? std::next(connection) : connections_.erase(connection);
    }
    if (descriptors[1].revents != 0) accept_all();
  }
}

void WebhookListener::accept_all() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      // No descriptor left: one that has been sending for long makes room, the rest waits.
      if (errno == EMFILE || errno == ENFILE) {
        make_room();
        ::poll(nullptr, 0, 20);
      }
      return;
    }
    if (connections_.size() >= limits_.connections) make_room();
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection connection;
    connection.socket = socket;
    connection.number = ++last_number_;
    connection.deadline = Clock::now() + limits_.request;
    connections_.push_back(std::move(connection));
  }
}

void WebhookListener::make_room() {
  // The list is in the order of coming.
  const auto oldest = std::find_if(connections_.begin(), connections_.end(), [](const auto &one) {
    return one.state != Connection::State::handling;
  });
  if (oldest == connections_.end()) return;
  ::close(oldest->socket);
  connections_.erase(oldest);
}

bool WebhookListener::read(Connection &connection) {
  thread_local std::array<char, bytes_at_once> bytes;
  const ssize_t count = ::recv(connection.socket, bytes.data(), bytes.size(), 0);
  if (count < 0) return would_block();
  if (count == 0) return false;
  if (connection.state == Connection::State::draining) return true;
  if (connection.reader.empty()) connection.deadline = Clock::now() + limits_.request;
  connection.reader.feed({bytes.data(), static_cast<std::size_t>(count)});
  look_at_request(connection);
  return connection.state != Connection::State::writing || write(connection);
}

void WebhookListener::look_at_request(Connection &connection) {
  RequestReader &reader = connection.reader;
  if (reader.refused() != 0) {
    refuse(connection, reader.refused());
  } else if (reader.complete() && reader.method() != "POST") {
    refuse(connection, 405);
  } else if (reader.complete()) {
    connection.close_after = !reader.keep_alive();
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      full = jobs_.size() >= limits_.waiting;
      if (!full) {
        const std::string &target = reader.target();
        jobs_.push_back({connection.number, target.substr(0, target.find('?')), reader.body()});
      }
    }
    if (full) {
      refuse(connection, 503);
      return;
    }
    connection.state = Connection::State::handling;
    connection.deadline = Clock::now() + limits_.answer;
    wake_.notify_one();
  } else if (reader.take_expectation()) {
    // Small enough for any socket buffer; a client that does not get it sends all the same.
    constexpr std::string_view go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
    [[maybe_unused]] const ssize_t sent =
        ::send(connection.socket, go_ahead.data(), go_ahead.size(), MSG_NOSIGNAL);
  }
}

void WebhookListener::refuse(Connection &connection, int status) {
  connection.close_after = true;
  answer(connection, status);
}

void WebhookListener::answer(Connection &connection, int status) {
  connection.output = "HTTP/1.1 " + std::to_string(status) +
                      (status < 300   ? " OK"
                       : status < 500 ? " Refused"
                                      : " Unavailable") +
                      "\r\nContent-Length: 0\r\nCache-Control: no-store\r\n" +
                      (status == 503 ? "Retry-After: 5\r\n" : "") +
                      (connection.close_after ? "Connection: close\r\n\r\n" : "\r\n");
  connection.state = Connection::State::writing;
  connection.deadline = Clock::now() + limits_.answer;
}

bool WebhookListener::write(Connection &connection) {
  while (!connection.output.empty()) {
    const ssize_t sent =
        ::send(connection.socket, connection.output.data(), connection.output.size(), MSG_NOSIGNAL);
    if (sent < 0) return would_block();
    connection.output.erase(0, static_cast<std::size_t>(sent));
  }
  if (connection.close_after) {
    ::shutdown(connection.socket, SHUT_WR);
    connection.state = Connection::State::draining;
    connection.deadline = Clock::now() + drain_time;
    return true;
  }
  connection.state = Connection::State::reading;
  connection.reader.next();
  connection.deadline = Clock::now() + (connection.reader.empty() ? limits_.idle : limits_.request);
  look_at_request(connection);
  return connection.state != Connection::State::writing || write(connection);
}

bool WebhookListener::expired(Connection &connection) {
  const bool idle = connection.reader.empty();
  if (connection.state == Connection::State::reading && !idle) {
    refuse(connection, 408);
  } else if (connection.state == Connection::State::handling) {
    refuse(connection, 503);
  } else {
    return true;
  }
  return !write(connection);
}

void WebhookListener::handle() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    const int status = handler_(job.path, job.body);
    {
      const std::lock_guard lock(mutex_);
      answers_.emplace_back(job.connection, status);
    }
    bell_.ring();
  }
}

void WebhookListener::take_answers() {
  std::deque<std::pair<std::uint64_t, int>> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (const auto &[number, status] : answers) {
    const auto connection =
        std::find_if(connections_.begin(), connections_.end(), [wanted = number](const auto &one) {
          return one.number == wanted && one.state == Connection::State::handling;
        });
    // It may have gone meanwhile; the notice is stored all the same.
    if (connection == connections_.end()) continue;
    answer(*connection, status);
  }
}

}  // namespace crm_bridge::worker
