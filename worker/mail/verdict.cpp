// SPDX-License-Identifier: PostgreSQL
#include "mail/verdict.hpp"

namespace crm_bridge::worker {
namespace {

constexpr int service_closing = 421;

// Why the server was not got to take any mail.
std::string trouble_of(const SmtpResult &result) {
  if (result.login_refused) return "login_refused";
  if (result.no_tls) return "no_tls";
  if (result.code < 400) return "not_reachable";
  return result.stage == SmtpStage::sender ? "sender_refused" : "server_refused";
}

}  // namespace

MailVerdict judge_mail(const SmtpResult &result) {
  if (result.accepted) return {"sent", {}, {}};
  const std::string detail = result.code >= 400 ? result.words : result.error;
  const bool refused = result.code >= 400;
  // After the last byte only the server's own word shows that it does not have the mail.
  if (result.stage == SmtpStage::handed_over && !refused)
    return {"in_doubt", "answer_lost", detail.empty() ? "no answer came" : detail};
  if (result.broken_off) return {"release", {}, {}};
  if (result.stage == SmtpStage::connecting || result.stage == SmtpStage::sender)
    return {"release", trouble_of(result), detail, true};
  if (refused && result.code == service_closing) return {"retry", "server_closing", detail, true};
  const std::string what = result.stage == SmtpStage::recipient ? "recipient_" : "mail_";
  if (refused && result.code >= 500) return {"undeliverable", what + "refused", detail};
  if (refused) return {"retry", what + "refused_for_now", detail};
  return {"retry", "connection_lost", detail, true};
}

}  // namespace crm_bridge::worker
