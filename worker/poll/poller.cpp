// SPDX-License-Identifier: PostgreSQL
#include "poll/poller.hpp"

#include <algorithm>

#include "database.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "receive/address.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;

// How often the database is asked for commands when its doorbell does not ring.
constexpr milliseconds longest_pause{1000};
// Channels are asked for six days; a day's outage of ours must not lose one.
constexpr std::chrono::hours channel_renewal{24};
constexpr std::chrono::minutes channel_retry{5};

}  // namespace

Poller::Poller(Shared &shared, ServiceContext &context) : intake_(shared, context) {}

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
      if (Clock::now() >= next) {
        renew_channel(database, *session);
        poll_organization(database, *session);
        next = Clock::now() + shared.configuration.worker.poll_interval;
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

void Poller::renew_channel(Database &, Session &session) {
  const Shared &shared = intake_.shared();
  const auto &receiver = shared.configuration.receiver;
  if (!receiver || receiver->public_url.empty()) return;
  const std::int64_t org_id = session.organization().org_id;
  auto &next = next_channel_[org_id];
  if (Clock::now() < next) return;
  const ServiceSettings &settings = intake_.context().settings();
  const WebhookAddress address = webhook_address(shared.key, settings, org_id);
  try {
    const ChannelAddress channel{receiver->public_url + address.path, address.token,
                                 address.channel_id};
    const bool opened = intake_.wait_for(intake_.service().open_channel(session, channel));
    next = Clock::now() + channel_renewal;
    if (opened)
      log_event(Severity::information, "channel_open",
                {{"service", settings.kind}, {"org", org_id}});
  } catch (const ServiceFailure &fault) {
    next = Clock::now() + channel_retry;
    log_event(Severity::warning, "channel_failed",
              {{"service", settings.kind}, {"org", org_id}, {"reason", fault.what()}});
  }
}

}  // namespace crm_bridge::worker
