// SPDX-License-Identifier: PostgreSQL
#include "faults.hpp"

#include <chrono>
#include <map>

namespace crm_bridge::sandbox {
namespace {

const std::map<std::string, Fault::Kind> &kinds() {
  static const std::map<std::string, Fault::Kind> table{{"status", Fault::Kind::status},
                                                        {"drop_before", Fault::Kind::drop_before},
                                                        {"drop_after", Fault::Kind::drop_after},
                                                        {"delay", Fault::Kind::delay},
                                                        {"rate_limited", Fault::Kind::rate_limited},
                                                        {"expire_token", Fault::Kind::expire_token},
                                                        {"stale_read", Fault::Kind::stale_read},
                                                        {"html", Fault::Kind::html}};
  return table;
}

}  // namespace

std::optional<std::string> Faults::add(const Json &request) {
  if (!request.is_object()) return "a fault is an object";
  Plan plan;
  try {
    plan.service = request.value("service", "");
    plan.method = request.value("method", "");
    plan.path_contains = request.value("path_contains", "");
    plan.times = request.value("times", std::int64_t{1});
    plan.kind = request.value("kind", "status");
    plan.fault.status = request.value("status", 0);
    plan.fault.delay_milliseconds = request.value("delay_ms", std::int64_t{0});
    plan.fault.retry_after = request.value("retry_after", "");
  } catch (const Json::exception &error) {
    return error.what();
  }
  const auto kind = kinds().find(plan.kind);
  if (kind == kinds().end()) return "unknown kind of fault \"" + plan.kind + "\"";
  if (plan.fault.status != 0 && (plan.fault.status < 200 || plan.fault.status > 599)) {
    return "a status lies between 200 and 599";
  }
  plan.fault.kind = kind->second;
  const std::lock_guard lock{mutex_};
  plans_.push_back(std::move(plan));
  return std::nullopt;
}

void Faults::clear() {
  const std::lock_guard lock{mutex_};
  plans_.clear();
}

Json Faults::list() const {
  const std::lock_guard lock{mutex_};
  Json answer = Json::array();
  for (const auto &plan : plans_) {
    answer.push_back({{"service", plan.service},
                      {"method", plan.method},
                      {"path_contains", plan.path_contains},
                      {"times", plan.times},
                      {"kind", plan.kind},
                      {"status", plan.fault.status},
                      {"delay_ms", plan.fault.delay_milliseconds}});
  }
  return answer;
}

std::optional<Fault> Faults::take(const std::string &service, const std::string &method,
                                  const std::string &path) {
  const std::lock_guard lock{mutex_};
  for (auto plan = plans_.begin(); plan != plans_.end(); ++plan) {
    if (!plan->service.empty() && plan->service != service) continue;
    if (!plan->method.empty() && plan->method != method) continue;
    if (path.find(plan->path_contains) == std::string::npos) continue;
    const Fault fault = plan->fault;
    if (--plan->times <= 0) plans_.erase(plan);
    return fault;
  }
  return std::nullopt;
}

void Faults::hold(const Call &call) {
  if (call.fault == nullptr || call.fault->delay_milliseconds <= 0) return;
  std::unique_lock lock{mutex_};
  stop_.wait_for(lock, std::chrono::milliseconds{call.fault->delay_milliseconds},
                 [this] { return stopping_; });
}

void Faults::stop() {
  const std::lock_guard lock{mutex_};
  stopping_ = true;
  stop_.notify_all();
}

}  // namespace crm_bridge::sandbox
