// SPDX-License-Identifier: PostgreSQL
#include "faults.hpp"

#include "spoil.hpp"

#include <algorithm>
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
                                                        {"html", Fault::Kind::html},
                                                        {"hold_answer", Fault::Kind::hold_answer},
                                                        {"cut", Fault::Kind::cut},
                                                        {"drip", Fault::Kind::drip},
                                                        {"spoil", Fault::Kind::spoil}};
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
    plan.fault.at = request.value("at", std::int64_t{0});
    plan.fault.reset = request.value("reset", false);
    plan.fault.how = request.value("how", "");
    plan.chance = request.value("chance", 100);
    if (request.contains("seed")) random_.seed(request["seed"].get<std::uint64_t>());
  } catch (const Json::exception &error) {
    return error.what();
  }
  const auto kind = kinds().find(plan.kind);
  if (kind == kinds().end()) return "unknown kind of fault \"" + plan.kind + "\"";
  if (plan.fault.status != 0 && (plan.fault.status < 200 || plan.fault.status > 599)) {
    return "a status lies between 200 and 599";
  }
  const auto &ways = ways_to_spoil();
  if (kind->second == Fault::Kind::spoil &&
      std::find(ways.begin(), ways.end(), plan.fault.how) == ways.end()) {
    return "an answer cannot be spoilt by \"" + plan.fault.how + "\"";
  }
  plan.fault.kind = kind->second;
  const std::lock_guard lock{mutex_};
  plans_.push_back(std::move(plan));
  return std::nullopt;
}

void Faults::clear() {
  const std::lock_guard lock{mutex_};
  plans_.clear();
  ++released_;
  stop_.notify_all();
}

Json Faults::list() const {
  const std::lock_guard lock{mutex_};
  Json answer = Json::array();
  for (const auto &plan : plans_) {
    answer.push_back({{"service", plan.service},
                      {"method", plan.method},
                      {"path_contains", plan.path_contains},
                      {"times", plan.times},
                      {"chance", plan.chance},
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
    if (plan->chance < 100 && std::uniform_int_distribution<int>{1, 100}(random_) > plan->chance) {
      continue;
    }
    const Fault fault = plan->fault;
    if (--plan->times <= 0) plans_.erase(plan);
    return fault;
  }
  return std::nullopt;
}

void Faults::hold(const Call &call) {
  if (call.fault == nullptr || call.fault->delay_milliseconds <= 0) return;
  if (call.misbehaves(Fault::Kind::hold_answer) || call.misbehaves(Fault::Kind::drip)) return;
  wait(call.fault->delay_milliseconds);
}

void Faults::hold_answer(const Call &call) { wait(call.fault->delay_milliseconds); }

void Faults::wait(std::int64_t milliseconds) {
  std::unique_lock lock{mutex_};
  const auto released = released_;
  stop_.wait_for(lock, std::chrono::milliseconds{milliseconds},
                 [&] { return stopping_ || released_ != released; });
}

void Faults::stop() {
  const std::lock_guard lock{mutex_};
  stopping_ = true;
  stop_.notify_all();
}

}  // namespace crm_bridge::sandbox
