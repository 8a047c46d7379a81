// SPDX-License-Identifier: PostgreSQL
#include "poll/poller.hpp"

#include <algorithm>

#include "database.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;

// How often the database is asked for commands when its doorbell does not ring.
constexpr milliseconds longest_pause{1000};
// After a poll that failed the next one does not wait for its turn, and comes later each time.
constexpr milliseconds after_failure{5000};

}  // namespace

Poller::Poller(Shared &shared, ServiceContext &context)
    : intake_(shared, context), channels_(intake_) {}

void Poller::run() {
  run_loop(intake_.shared(), "poller " + intake_.context().settings().kind,
           [this](Database &database) { loop(database); });
}

void Poller::loop(Database &database) {
  Shared &shared = intake_.shared();
  Bell &bell = shared.bells.of("command " + intake_.context().settings().kind);
  const Sessions::Use in_use = intake_.sessions().use(database);
  while (!shared.stop.requested()) {
    const std::vector<Organization> organizations = intake_.sessions().organizations();
    auto wake_at = Clock::now() + longest_pause;
    for (const auto &organization : organizations) {
      std::shared_ptr<Session> session = intake_.sessions().of(organization.org_id);
      if (session == nullptr) continue;
      if (obey_commands(intake_, database, *session) > 0) {
        // Fields or the portal may be others now.
        intake_.sessions().forget();
        session = intake_.sessions().of(organization.org_id);
      }
      if (session == nullptr || !session->organization().active()) continue;
      auto &next = next_poll_[organization.org_id];
      // What happened before a channel was made nobody will tell of.
      const bool catch_up = channels_.tend(database, *session);
      if (catch_up || Clock::now() >= next) {
        const bool good = poll_organization(database, *session);
        if (catch_up) channels_.caught_up(database, *session, good);
        auto &failures = failed_polls_[organization.org_id];
        failures = good ? 0 : failures + 1;
        const milliseconds interval = shared.configuration.worker.poll_interval;
        next = Clock::now() + (good ? interval : std::min(interval, failures * after_failure));
      }
      wake_at = std::min(wake_at, next);
    }
    wait_for_bell(shared, bell, std::chrono::ceil<milliseconds>(wake_at - Clock::now()));
  }
}

bool Poller::poll_once(Database &database) {
  const Sessions::Use in_use = intake_.sessions().use(database);
  const std::vector<Organization> organizations = intake_.sessions().organizations();
  bool good = true;
  for (const auto &organization : organizations) {
    std::shared_ptr<Session> session = intake_.sessions().of(organization.org_id);
    if (session == nullptr) continue;
    if (obey_commands(intake_, database, *session) > 0) {
      intake_.sessions().forget();
      session = intake_.sessions().of(organization.org_id);
    }
    if (session == nullptr || !session->organization().active()) continue;
    good = poll_organization(database, *session) && good;
  }
  return good;
}

bool Poller::poll_organization(Database &database, Session &session) {
  const std::string &service = intake_.context().settings().kind;
  bool good = true;
  for (const auto &module : session.catalog().modules) {
    if (!module.polled) continue;
    std::string reason;
    try {
      poll_module(intake_, database, session, module.module);
      continue;
    } catch (const ServiceFailure &fault) {
      reason = fault.what();
    } catch (const MalformedJson &fault) {
      reason = fault.what();
    }
    good = false;
    log_event(Severity::warning, "poll_failed",
              {{"service", service},
               {"org", session.organization().org_id},
               {"module", module.module},
               {"reason", reason}});
  }
  intake_.context().metrics().polled(service, good);
  return good;
}

}  // namespace crm_bridge::worker
