// SPDX-License-Identifier: PostgreSQL
#include "poll/channels.hpp"

#include "database.hpp"
#include "log.hpp"
#include "poll/intake.hpp"
#include "receive/address.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

// How often the database is asked what is due, and how soon again after a failure.
constexpr std::chrono::seconds look_again{2};
constexpr std::chrono::seconds after_failure{30};

}  // namespace

ChannelAddress channel_address(const Key &key, const ServiceSettings &settings,
                               const ListenSettings &receiver, std::int64_t org_id) {
  const WebhookAddress address = webhook_address(key, settings, org_id);
  return {receiver.public_url + address.path, address.token, address.channel_id, {}};
}

std::string Channels::take_step(Session &session, const std::string &step,
                                const ChannelAddress &address, ChannelState &state) {
  // Before it is renewed it must still be there: one that was lost needs a catch-up.
  if (step != "make") {
    state = intake_.wait_for(intake_.service().find_channel(session, address));
    if (!state.open) return state.possible ? "lost" : "manual";
    if (step == "check") return "found";
  }
  state = intake_.wait_for(intake_.service().open_channel(session, address));
  if (!state.possible) return "manual";
  return step == "make" ? "made" : "renewed";
}

bool Channels::tend(Database &database, Session &session) {
  const Shared &shared = intake_.shared();
  const auto &receiver = shared.configuration.receiver;
  if (!receiver || receiver->public_url.empty()) return false;
  const std::int64_t org_id = session.organization().org_id;
  auto &next = next_look_[org_id];
  if (Clock::now() < next) return false;
  next = Clock::now() + look_again;
  const ServiceSettings &settings = intake_.context().settings();
  ChannelAddress address = channel_address(shared.key, settings, *receiver, org_id);
  // The address belongs to the fingerprint: a channel that calls an old one is none.
  const auto due = database.next_channel_step(settings.kind, address.channel_id,
                                              fingerprint(address.notify_url + address.token),
                                              shared.lease.id(), org_id);
  if (due.step == "none") return false;
  if (due.step == "catch_up") return true;
  address.now = due.moment;
  ChannelState state;
  std::string outcome;
  std::string detail;
  try {
    outcome = take_step(session, due.step, address, state);
  } catch (const ServiceFailure &fault) {
    next = Clock::now() + after_failure;
    detail = fault.what();
    // What is not a refusal is tried again by whoever comes next.
    if (fault.verdict().outcome == Outcome::park) outcome = "refused";
  } catch (const MalformedJson &fault) {
    next = Clock::now() + after_failure;
    detail = fault.what();
  }
  log_event(detail.empty() ? Severity::information : Severity::warning, "channel",
            {{"service", settings.kind},
             {"org", org_id},
             {"step", due.step},
             {"outcome", outcome},
             {"expires_at", state.expires_at},
             {"detail", detail}});
  if (outcome.empty()) return false;
  database.record_channel(settings.kind, address.channel_id, outcome, state.expires_at, detail,
                          org_id);
  // It is made in the same breath.
  if (outcome == "lost") next = Clock::now();
  return outcome == "made";
}

void Channels::caught_up(Database &database, Session &session, bool good) {
  const std::int64_t org_id = session.organization().org_id;
  const ServiceSettings &settings = intake_.context().settings();
  if (!good) {
    next_look_[org_id] = Clock::now() + after_failure;
    return;
  }
  const WebhookAddress address = webhook_address(intake_.shared().key, settings, org_id);
  database.record_channel(settings.kind, address.channel_id, "caught_up", "", "", org_id);
}

}  // namespace crm_bridge::worker
