// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <string>

namespace crm_bridge::worker {

// A mail as the database hands it out.
struct Mail {
  std::string notification_id{};
  std::string recipient{};
  std::string locale{};
  std::string kind{};
  std::string subject{};
  std::string body{};
  std::string attachment_name{};
  std::string attachment{};    // CSV; empty: none
  std::int64_t queued_at = 0;  // seconds since 1970
  int attempt = 1;
};

struct Sender {
  std::string address;  // as mail_address gives it
  std::string name;
};

// The message as it goes over the wire, but for the dots that SMTP doubles.  Built of the mail
// alone: a mail that is sent again is the same, byte for byte, with the same Message-ID.  `to` is
// the recipient as mail_address gives it.
std::string compose_message(const Mail &mail, const Sender &sender, const std::string &to);

}  // namespace crm_bridge::worker
