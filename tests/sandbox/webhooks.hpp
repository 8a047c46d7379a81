// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"
#include "request_log.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace crm_bridge::sandbox {

// Carries the services' callbacks to whoever subscribed, beside the requests that caused them.
// Nothing is retried: no source promises that, so a worker must not count on it.
class Webhooks {
 public:
  explicit Webhooks(RequestLog &log);
  ~Webhooks();
  Webhooks(const Webhooks &) = delete;
  Webhooks &operator=(const Webhooks &) = delete;

  void send(const std::string &url, Json body);
  // {"mode": "normal|drop|duplicate|shuffle|delay", "delay_ms": N}; an explanation when wrong.
  std::optional<std::string> configure(const Json &request);
  void stop();

 private:
  enum class Mode { normal, drop, duplicate, shuffle, delay };
  struct Parcel {
    std::string url;
    std::string body;
    std::int64_t not_before = 0;  // microseconds, the machine's clock
  };

  void run();
  bool post(const Parcel &parcel);

  RequestLog &log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Parcel> parcels_;
  Mode mode_ = Mode::normal;
  std::int64_t delay_milliseconds_ = 0;
  bool stopping_ = false;
  std::mt19937_64 random_{std::random_device{}()};
  std::vector<std::thread> threads_;
};

}  // namespace crm_bridge::sandbox
