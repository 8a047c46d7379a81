// SPDX-License-Identifier: PostgreSQL
#include "mail/mailer.hpp"

#include <algorithm>
#include <utility>

#include "core/backoff.hpp"
#include "database.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "mail/address.hpp"
#include "mail/login.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

// So few that what is given back at a stop is little.
constexpr int mails_at_once = 10;
constexpr std::chrono::milliseconds shortest_pause{500};
constexpr std::chrono::milliseconds longest_pause{60'000};

}  // namespace

Mailer::Mailer(Shared &shared, const MailSettings &settings)
    : shared_(shared), settings_(settings), client_(settings.smtp) {}

void Mailer::run() {
  run_loop(shared_, "mailer", [this](Database &database) {
    begin(database);
    Bell &bell = shared_.bells.of("mail");
    while (!shared_.stop.requested()) {
      if (!work(database)) wait_for_bell(shared_, bell, shared_.configuration.worker.idle_interval);
    }
  });
}

bool Mailer::drain(Database &database) {
  begin(database);
  while (!shared_.stop.requested() && work(database)) {
  }
  return troubles_ == 0;
}

// What this process holds at the beginning is what the former connection lost sight of.
void Mailer::begin(Database &database) {
  while (!untold_.empty()) {
    const Untold untold = std::move(untold_.back());
    untold_.pop_back();
    tell(database, untold);
  }
  database.release_notifications(shared_.lease.id());
}

bool Mailer::work(Database &database) {
  bool any = false;
  if (paused()) return any;
  for (const std::int64_t org_id : database.notification_backlog()) {
    if (shared_.stop.requested() || paused()) break;
    const auto mails = database.take_notifications(shared_.lease.id(), mails_at_once, org_id);
    if (mails.empty()) continue;
    any = true;
    serve(database, org_id, mails);
  }
  return any && !paused();
}

void Mailer::serve(Database &database, std::int64_t org_id, const std::vector<Mail> &mails) {
  std::optional<SmtpLogin> login;
  try {
    login = load_login(database, shared_.key, org_id);
  } catch (const KeyError &fault) {
    pause("no_login", fault.what());
  }
  for (const auto &mail : mails) {
    MailVerdict verdict{"release", {}, {}};
    if (!paused() && !shared_.stop.requested()) verdict = send(database, org_id, mail, login);
    if (verdict.server_trouble) {
      pause(verdict.reason, verdict.detail);
    } else if (verdict.outcome != "release") {
      troubles_ = 0;
    }
    tell(database, {org_id, mail.notification_id, std::move(verdict)});
  }
}

MailVerdict Mailer::send(Database &database, std::int64_t org_id, const Mail &mail,
                         const std::optional<SmtpLogin> &login) {
  const auto to = mail_address(mail.recipient);
  if (!to) return {"undeliverable", "bad_address", "not an address that mail can be sent to"};
  const std::string message = compose_message(mail, {settings_.from, settings_.from_name}, *to);
  const auto hand_over = [&] {
    // Whoever was asleep for longer than its lease must not send what somebody else may have.
    return shared_.lease.fresh() &&
           database.hand_over_notification(shared_.lease.id(), mail.notification_id, org_id);
  };
  try {
    const SmtpResult result = client_.send(settings_.from, *to, message, login, hand_over,
                                           [this] { return shared_.stop.requested(); });
    return judge_mail(result);
  } catch (const ConnectionLost &) {
    // The last byte never left, though the database may have noted that it was about to.
    untold_.push_back({org_id, mail.notification_id, {"release", {}, {}}});
    throw;
  }
}

void Mailer::tell(Database &database, Untold untold) {
  const MailVerdict &verdict = untold.verdict;
  try {
    const std::string state =
        database.finish_notification(shared_.lease.id(), untold.notification_id, verdict.outcome,
                                     verdict.reason, verdict.detail, untold.org_id);
    if (verdict.outcome == "release") return;
    shared_.metrics.mailed(verdict.outcome);
    // Neither the address nor the server's words, which may repeat it.
    log_event(verdict.outcome == "sent" ? Severity::information : Severity::warning, "mail",
              {{"org", untold.org_id},
               {"notification", untold.notification_id},
               {"outcome", verdict.outcome},
               {"reason", verdict.reason},
               {"state", state}});
  } catch (const ConnectionLost &) {
    untold_.push_back(std::move(untold));
    throw;
  }
}

void Mailer::pause(const std::string &reason, const std::string &detail) {
  ++troubles_;
  const auto wait = std::max(
      shortest_pause, core::retry_delay(troubles_, random_bits(), shortest_pause, longest_pause));
  paused_until_ = Clock::now() + wait;
  log_event(Severity::warning, "mail_server",
            {{"reason", reason}, {"retry_in", wait}, {"detail", detail}});
}

}  // namespace crm_bridge::worker
