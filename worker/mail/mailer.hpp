// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "configuration.hpp"
#include "mail/message.hpp"
#include "mail/smtp.hpp"
#include "mail/verdict.hpp"

namespace crm_bridge::worker {

class Database;
struct Shared;

// Sends the mails that the database has queued, one after the other.  Any number of workers may do
// so: each mail is handed to one of them.  A mail is sent again only if its last byte never left.
class Mailer {
 public:
  Mailer(Shared &shared, const MailSettings &settings);

  void run();
  // Sends all that is due; false if the mail server could not be used.
  bool drain(Database &database);

 private:
  using Clock = std::chrono::steady_clock;
  // What became of a mail and could not be told to the database yet.
  struct Untold {
    std::int64_t org_id;
    std::string notification_id;
    MailVerdict verdict;
  };

  void begin(Database &database);
  bool work(Database &database);  // whether there was any mail
  void serve(Database &database, std::int64_t org_id, const std::vector<Mail> &mails);
  MailVerdict send(Database &database, std::int64_t org_id, const Mail &mail,
                   const std::optional<SmtpLogin> &login);
  void tell(Database &database, Untold untold);
  void pause(const std::string &reason, const std::string &detail);
  bool paused() const { return Clock::now() < paused_until_; }

  Shared &shared_;
  const MailSettings &settings_;
  SmtpClient client_;
  std::vector<Untold> untold_;
  Clock::time_point paused_until_{};
  int troubles_ = 0;
};

}  // namespace crm_bridge::worker
