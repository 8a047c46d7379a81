// SPDX-License-Identifier: PostgreSQL
#include "webhooks.hpp"

#include "clock.hpp"

#include <httplib.h>

#include <algorithm>
#include <map>

namespace crm_bridge::sandbox {
namespace {

// How long shuffled callbacks wait for others to be shuffled with.
constexpr std::int64_t shuffle_window_milliseconds = 200;
constexpr int senders = 4;

struct Target {
  std::string host_and_port;
  std::string path;
};

// Only loopback: the sandbox must never call out into the world.
std::optional<Target> loopback_target(const std::string &url) {
  const std::string scheme = "http://";
  if (url.compare(0, scheme.size(), scheme) != 0) return std::nullopt;
  const std::size_t slash = std::min(url.find('/', scheme.size()), url.size());
  Target target{url.substr(0, slash), slash < url.size() ? url.substr(slash) : "/"};
  const std::string authority = target.host_and_port.substr(scheme.size());
  const std::string host = authority.substr(0, authority.rfind(':'));
  if (host != "127.0.0.1" && host != "localhost" && host != "[::1]") return std::nullopt;
  return target;
}

}  // namespace

Webhooks::Webhooks(RequestLog &log) : log_{log} {
  for (int i = 0; i < senders; ++i) threads_.emplace_back([this] { run(); });
}

Webhooks::~Webhooks() { stop(); }

void Webhooks::send(const std::string &url, Json body) {
  Parcel parcel{url, body.dump(-1, ' ', false, Json::error_handler_t::replace),
                Clock::real_microseconds()};
  {
    const std::lock_guard lock{mutex_};
    if (mode_ != Mode::drop) {
      if (mode_ == Mode::delay) parcel.not_before += delay_milliseconds_ * 1000;
      const int copies = mode_ == Mode::duplicate ? 2 : 1;
      for (int copy = 0; copy < copies; ++copy) {
        if (mode_ == Mode::shuffle) {
          std::uniform_int_distribution<std::int64_t> wait{0, shuffle_window_milliseconds * 1000};
          parcel.not_before = Clock::real_microseconds() + wait(random_);
        }
        parcels_.push_back(parcel);
      }
      wake_.notify_one();
      return;
    }
  }
  log_.count("webhooks_dropped");
}

std::optional<std::string> Webhooks::configure(const Json &request) {
  static const std::map<std::string, Mode> modes{{"normal", Mode::normal},
                                                 {"drop", Mode::drop},
                                                 {"duplicate", Mode::duplicate},
                                                 {"shuffle", Mode::shuffle},
                                                 {"delay", Mode::delay}};
  if (!request.is_object()) return "expected an object with \"mode\"";
  const auto mode = modes.find(request.value("mode", ""));
  if (mode == modes.end()) return "mode is normal, drop, duplicate, shuffle or delay";
  const std::lock_guard lock{mutex_};
  mode_ = mode->second;
  delay_milliseconds_ = request.value("delay_ms", std::int64_t{0});
  return std::nullopt;
}

void Webhooks::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    wake_.notify_all();
  }
  for (auto &thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Webhooks::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto next = std::min_element(
        parcels_.begin(), parcels_.end(),
        [](const Parcel &left, const Parcel &right) { return left.not_before < right.not_before; });
    if (next == parcels_.end()) {
      wake_.wait(lock);
      continue;
    }
    const std::int64_t wait = next->not_before - Clock::real_microseconds();
    if (wait > 0) {
      wake_.wait_for(lock, std::chrono::microseconds{wait});
      continue;
    }
    const Parcel parcel = std::move(*next);
    parcels_.erase(next);
    lock.unlock();
    const bool sent = post(parcel);
    log_.count(sent ? "webhooks_sent" : "webhooks_failed");
    lock.lock();
  }
}

bool Webhooks::post(const Parcel &parcel) {
  // A connection for each receiver and sender thread, kept open.
  thread_local std::map<std::string, std::unique_ptr<httplib::Client>> clients;
  const auto target = loopback_target(parcel.url);
  if (!target) return false;
  auto &client = clients[target->host_and_port];
  if (!client) {
    client = std::make_unique<httplib::Client>(target->host_and_port);
    client->set_keep_alive(true);
    client->set_tcp_nodelay(true);
    client->set_connection_timeout(2);
    client->set_read_timeout(5);
  }
  const auto answer = client->Post(target->path, parcel.body, "application/json;charset=UTF-8");
  return answer && answer->status >= 200 && answer->status < 300;
}

}  // namespace crm_bridge::sandbox
