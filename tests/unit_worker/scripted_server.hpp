// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace crm_bridge::worker::test {

struct SeenRequest {
  std::string method;
  std::string target;
  std::string headers;
  std::string body;
  int connection = 0;
};

// Answers HTTP on a loopback port the way a test asks for, down to closing the connection in the
// middle.  Connections stay open between requests; the script is called by one of them at a time.
class ScriptedServer {
 public:
  // What to write back, raw; "" closes the connection without a word.
  using Script = std::function<std::string(const SeenRequest &)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener_ < 0 ||
        ::bind(listener_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size) != 0) {
      throw std::runtime_error("could not listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (auto &conversation : conversations_) conversation.join();
    ::close(listener_);
  }
  ScriptedServer(const ScriptedServer &) = delete;
  ScriptedServer &operator=(const ScriptedServer &) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<SeenRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  static std::string answer(int status, const std::string &body, const std::string &headers = "") {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
  }

 private:
  bool fill(int connection, std::string &buffer) {
    while (!stopping_) {
      pollfd descriptor{connection, POLLIN, 0};
      if (::poll(&descriptor, 1, 50) == 0) continue;
      char bytes[65536];
      const ssize_t size = ::read(connection, bytes, sizeof bytes);
      if (size <= 0) return false;
      buffer.append(bytes, static_cast<std::size_t>(size));
      return true;
    }
    return false;
  }

  void serve() {
    for (int number = 1; !stopping_; ++number) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      conversations_.emplace_back([this, connection, number] {
        converse(connection, number);
        ::close(connection);
      });
    }
  }

  void converse(int connection, int number) {
    std::string buffer;
    while (true) {
      std::size_t end = buffer.find("\r\n\r\n");
      while (end == std::string::npos) {
        if (!fill(connection, buffer)) return;
        end = buffer.find("\r\n\r\n");
      }
      SeenRequest request;
      request.headers = buffer.substr(0, end + 2);
      request.connection = number;
      request.method = request.headers.substr(0, request.headers.find(' '));
      request.target = request.headers.substr(request.method.size() + 1);
      request.target = request.target.substr(0, request.target.find(' '));
      std::size_t length = 0;
      if (const std::size_t at = request.headers.find("Content-Length: ");
          at != std::string::npos) {
        length = std::stoul(request.headers.substr(at + 16));
      }
      while (buffer.size() < end + 4 + length) {
        if (!fill(connection, buffer)) return;
      }
      request.body = buffer.substr(end + 4, length);
      buffer.erase(0, end + 4 + length);
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
      }
      std::string reply;
      {
        const std::lock_guard lock(script_mutex_);
        reply = script_(request);
      }
      if (reply.empty()) return;
      if (::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::mutex script_mutex_;
  std::vector<SeenRequest> seen_;
  std::vector<std::thread> conversations_;  // touched by thread_ alone until it has ended
  std::thread thread_;
};

}  // namespace crm_bridge::worker::test
