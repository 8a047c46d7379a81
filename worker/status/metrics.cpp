// SPDX-License-Identifier: PostgreSQL
#include "status/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace crm_bridge::worker {
namespace {

using CounterFamily = prometheus::Family<prometheus::Counter>;

CounterFamily &counter(prometheus::Registry &registry, const char *name, const char *help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

std::string answer_class(const HttpResult &result) {
  switch (result.transport) {
    case Transport::answered:
      return std::to_string(result.status);
    case Transport::withheld:
      return "withheld";
    case Transport::not_sent:
      return "not_sent";
    case Transport::lost:
      return "lost";
  }
  return "lost";
}

}  // namespace

struct Metrics::Families {
  explicit Families(prometheus::Registry &registry)
      : requests(counter(registry, "crm_bridge_requests_total",
                         "requests to a service by what came back")),
        claimed(counter(registry, "crm_bridge_claimed_total", "records claimed for sending")),
        settled(counter(registry, "crm_bridge_settled_total",
                        "claimed records by what became of them")),
        received(counter(registry, "crm_bridge_received_total",
                         "records read from a service by what became of them")),
        notices(counter(registry, "crm_bridge_notices_total", "webhooks accepted and refused")),
        polls(counter(registry, "crm_bridge_polls_total",
                      "delta reads of a service that ended well or badly")),
        mails(
            counter(registry, "crm_bridge_mails_total", "mails to people by what became of them")),
        lost(counter(registry, "crm_bridge_connections_lost_total",
                     "database connections lost, by loop")),
        database(prometheus::BuildGauge()
                     .Name("crm_bridge_database_reachable")
                     .Help("1 while the heartbeat reaches the database")
                     .Register(registry)
                     .Add({})),
        durations(prometheus::BuildHistogram()
                      .Name("crm_bridge_request_seconds")
                      .Help("time from request to answer")
                      .Register(registry)) {}
  CounterFamily &requests;
  CounterFamily &claimed;
  CounterFamily &settled;
  CounterFamily &received;
  CounterFamily &notices;
  CounterFamily &polls;
  CounterFamily &mails;
  CounterFamily &lost;
  prometheus::Gauge &database;
  prometheus::Family<prometheus::Histogram> &durations;
};

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {
  families_ = std::make_unique<Families>(*registry_);
}
Metrics::~Metrics() = default;

void Metrics::request(const std::string &service, const HttpResult &result,
                      std::chrono::milliseconds took) {
  families_->requests.Add({{"service", service}, {"answer", answer_class(result)}}).Increment();
  families_->durations
      .Add({{"service", service}},
           prometheus::Histogram::BucketBoundaries{0.01, 0.05, 0.1, 0.5, 1, 5, 30})
      .Observe(static_cast<double>(took.count()) / 1000.0);
}
void Metrics::claimed(const std::string &service, std::size_t records) {
  families_->claimed.Add({{"service", service}}).Increment(static_cast<double>(records));
}
void Metrics::settled(const std::string &service, Outcome outcome) {
  families_->settled.Add({{"service", service}, {"outcome", std::string(to_text(outcome))}})
      .Increment();
}
void Metrics::received(const std::string &service, const std::string &outcome) {
  families_->received.Add({{"service", service}, {"outcome", outcome}}).Increment();
}
void Metrics::notice(const std::string &service, bool accepted) {
  families_->notices.Add({{"service", service}, {"accepted", accepted ? "yes" : "no"}}).Increment();
}
void Metrics::polled(const std::string &service, bool good) {
  families_->polls.Add({{"service", service}, {"result", good ? "good" : "bad"}}).Increment();
}
void Metrics::mailed(const std::string &outcome) {
  families_->mails.Add({{"outcome", outcome}}).Increment();
}
void Metrics::connection_lost(const std::string &loop) {
  families_->lost.Add({{"loop", loop}}).Increment();
}

void Metrics::database_seen(bool reachable) {
  database_reachable_ = reachable;
  families_->database.Set(reachable ? 1 : 0);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace crm_bridge::worker
