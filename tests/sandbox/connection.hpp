// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "clock.hpp"

#include <httplib.h>

#include <poll.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace crm_bridge::sandbox {

inline constexpr int keep_alive_seconds = 120;

// The library's own stream sends head and body apart and cannot take an answer back.  This one
// collects an answer and sends it in one piece, or not at all.
class Connection : public httplib::Stream {
 public:
  explicit Connection(int socket) : socket_{socket} {}

  // Waits for the first byte of a request and notes when it came.
  bool wait_for_request() {
    if (position_ == input_.size() && !fill(keep_alive_seconds * 1000)) return false;
    arrived_at_ = Clock::real_microseconds();
    return true;
  }
  bool flush() {
    std::size_t sent = 0;
    if (cut_at_) output_.resize(std::min(output_.size(), *cut_at_));
    while (sent < output_.size() && !dropped_) {
      const std::size_t portion = pause_.count() > 0 ? 1 : output_.size() - sent;
      std::this_thread::sleep_for(pause_);
      const ssize_t count = ::send(socket_, output_.data() + sent, portion, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    output_.clear();
    pause_ = {};
    if (reset_) {
      const linger at_once{1, 0};
      ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return !dropped_ && !cut_at_;
  }
  void drop() { dropped_ = true; }
  // The answer ends after `bytes`, and the connection with it.
  void cut(std::int64_t bytes, bool reset) {
    cut_at_ = static_cast<std::size_t>(std::max<std::int64_t>(0, bytes));
    reset_ = reset;
  }
  void drip(std::int64_t milliseconds) { pause_ = std::chrono::milliseconds{milliseconds}; }
  bool resets() const { return reset_; }
  std::int64_t arrived_at() const { return arrived_at_; }

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char *target, std::size_t size) override {
    if (position_ == input_.size()) {
      // "100 Continue" must leave before the body can come.
      if (!output_.empty() && !flush()) return -1;
      if (!fill(30'000)) return 0;
    }
    const std::size_t count = std::min(size, input_.size() - position_);
    input_.copy(target, count, position_);
    position_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char *source, std::size_t size) override {
    output_.append(source, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string &ip, int &port) const override {
    ip = "127.0.0.1", port = 0;
  }
  void get_local_ip_and_port(std::string &ip, int &port) const override {
    ip = "127.0.0.1", port = 0;
  }
  socket_t socket() const override { return socket_; }

 private:
  bool fill(int timeout_milliseconds) {
    pollfd poll{socket_, POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&poll, 1, timeout_milliseconds);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) return false;
    input_.resize(16'384);
    position_ = 0;
    const ssize_t count = ::recv(socket_, input_.data(), input_.size(), 0);
    input_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return count > 0;
  }

  const int socket_;
  std::string input_;
  std::size_t position_ = 0;
  std::string output_;
  bool dropped_ = false;
  std::optional<std::size_t> cut_at_;
  bool reset_ = false;
  std::chrono::milliseconds pause_{};
  std::int64_t arrived_at_ = 0;
};

// A thread for each connection: a keep-alive client holds its thread between requests, so a fixed
// pool would let idle clients starve busy ones.
class ThreadPerConnection : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> work) override {
    const std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(work));
    if (idle_ >= jobs_.size()) {
      wake_.notify_one();
    } else {
      threads_.emplace_back([this] { run(); });
    }
  }
  void shutdown() override {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
      wake_.notify_all();
    }
    for (auto &thread : threads_) thread.join();
  }

 private:
  void run() {
    std::unique_lock lock{mutex_};
    while (true) {
      ++idle_;
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      const auto work = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace crm_bridge::sandbox
