// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <coroutine>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "http/origin.hpp"
#include "http/result.hpp"
#include "http/task.hpp"

namespace crm_bridge::worker {

// Once a process, before libcurl is used; whoever uses it calls this.  Thread-safe.
void initialize_http_library();

// Many HTTP/1.1 requests at once on one thread, over connections that are kept; the event loop of
// the coroutines that wait for them.  TLS 1.2 or later with full verification, no redirects,
// answers up to 16 MiB with headers up to 64 KiB, and only to the hosts it was given.  Not
// thread-safe: each thread has its own.
class HttpClient {
 public:
  using Clock = std::chrono::steady_clock;

  explicit HttpClient(AllowedOrigins allowed);
  ~HttpClient();
  HttpClient(const HttpClient &) = delete;
  HttpClient &operator=(const HttpClient &) = delete;

  // Never throws for what the network does: the result tells.
  Task<HttpResult> send(HttpRequest request);
  Task<void> sleep(std::chrono::milliseconds duration);

  // Moves everything on that can move; first waits up to `timeout` for something to do, or for one
  // of `wake` to become readable.  Resumes the coroutines whose wait has ended.
  void turn(std::chrono::milliseconds timeout, std::span<const int> wake = {});

  // Runs one coroutine to its end.  `stopped` is asked every 100 ms at least; if it says yes,
  // Stopped is thrown and what was under way is dropped.
  template <typename T>
  T run(Task<T> task, const std::function<bool()> &stopped = {});

  class Stopped {};

 private:
  struct Transfer;
  void begin(Transfer &transfer);
  void finish(Transfer &transfer, int code);

  AllowedOrigins allowed_;
  void *multi_ = nullptr;
  std::map<void *, Transfer *> running_;
  std::multimap<Clock::time_point, std::coroutine_handle<>> timers_;
  std::vector<std::coroutine_handle<>> ready_;
};

template <typename T>
T HttpClient::run(Task<T> task, const std::function<bool()> &stopped) {
  task.start();
  while (!task.done()) {
    if (stopped && stopped()) throw Stopped{};
    turn(std::chrono::milliseconds{100});
  }
  return task.take();
}

}  // namespace crm_bridge::worker
