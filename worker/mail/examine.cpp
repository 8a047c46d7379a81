// SPDX-License-Identifier: PostgreSQL
#include "mail/examine.hpp"

#include <set>

#include "database.hpp"
#include "mail/login.hpp"
#include "mail/verdict.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

std::string remedy_for(const SmtpResult &result) {
  if (result.login_refused)
    return "crm-bridge seal --service smtp --org N, with {\"user\", \"password\"} on standard "
           "input";
  if (result.no_tls)
    return "[mail] ca_file for a certificate of your own; tls = \"off\" only where nobody listens";
  return "[mail] server: does it run, and may this host use it?";
}

Check greeted(const MailSettings &settings, const std::optional<SmtpLogin> &login,
              const std::string &subject) {
  SmtpClient client(settings.smtp);
  const SmtpResult result = client.greet(login);
  if (result.accepted) {
    return {subject,
            true,
            settings.smtp.url + " takes us " + (login ? "with a login" : "without a login") +
                ", as " + settings.from,
            {}};
  }
  const std::string words = result.code >= 400 ? result.words : result.error;
  return {subject, false, settings.smtp.url + ": " + words, remedy_for(result)};
}

}  // namespace

std::vector<Check> examine_mail(Shared &shared, Database &database) {
  const auto &settings = shared.configuration.mail;
  const bool waiting = !database.notification_backlog().empty();
  if (!settings) {
    return {{"mail", !waiting,
             waiting ? "mails are queued and nobody sends them"
                     : "none: mails to people would stay queued",
             "a [mail] section; see crm-bridge.example.toml"}};
  }
  std::set<std::int64_t> organizations;
  for (const auto &service : shared.configuration.services) {
    for (const auto &organization : database.worker_organizations(service.kind))
      organizations.insert(organization.org_id);
  }
  std::vector<Check> checks;
  for (const std::int64_t org_id : organizations) {
    const std::string subject = "mail of organization " + std::to_string(org_id);
    try {
      checks.push_back(greeted(*settings, load_login(database, shared.key, org_id), subject));
    } catch (const KeyError &fault) {
      checks.push_back({subject, false, fault.what(), "crm-bridge seal --service smtp"});
    }
  }
  return checks;
}

}  // namespace crm_bridge::worker
