// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>

#include "mail/smtp.hpp"

namespace crm_bridge::worker {

// What a conversation with the mail server means for the mail, in the words of finish_notification.
struct MailVerdict {
  std::string outcome;  // sent, retry, release, undeliverable, in_doubt
  std::string reason;
  std::string detail;
  // It is not about this mail: the others would fare the same, so they wait.
  bool server_trouble = false;
};

MailVerdict judge_mail(const SmtpResult &result);

}  // namespace crm_bridge::worker
