// SPDX-License-Identifier: PostgreSQL
// Mails to people: taken, handed over, told.
#include "database.hpp"
#include "database_connection.hpp"
#include "database_values.hpp"

namespace crm_bridge::worker {

std::vector<std::int64_t> Database::notification_backlog() {
  return organizations(connection_->query("SELECT * FROM crm_bridge.notification_backlog()"));
}

std::vector<Mail> Database::take_notifications(const std::string &lease, int limit,
                                               std::int64_t org_id) {
  std::vector<Mail> answer;
  for (const auto &row : connection_->query(
           "SELECT notification_id, recipient, locale, kind, subject, body, attachment_name,"
           "       attachment, EXTRACT(epoch FROM queued_at)::bigint, attempt"
           "  FROM crm_bridge.take_notifications($1::uuid, $2, $3)",
           lease, limit, org_id)) {
    answer.push_back({text(row[0]), text(row[1]), text(row[2]), text(row[3]), text(row[4]),
                      text(row[5]), text(row[6]), text(row[7]), row[8].as<std::int64_t>(0),
                      row[9].as<int>(1)});
  }
  return answer;
}

bool Database::hand_over_notification(const std::string &lease, const std::string &notification_id,
                                      std::int64_t org_id) {
  return connection_
      ->query("SELECT crm_bridge.hand_over_notification($1::uuid, $2::uuid, $3)", lease,
              notification_id, org_id)[0][0]
      .as<bool>(false);
}

std::string Database::finish_notification(const std::string &lease,
                                          const std::string &notification_id,
                                          const std::string &outcome, const std::string &reason,
                                          const std::string &detail, std::int64_t org_id) {
  return text(connection_->query(
      "SELECT crm_bridge.finish_notification($1::uuid, $2::uuid, $3, $4, $5, $6)", lease,
      notification_id, outcome, optional_text(reason), optional_text(detail), org_id)[0][0]);
}

int Database::release_notifications(const std::string &lease) {
  return connection_->query("SELECT crm_bridge.release_notifications($1::uuid)", lease)[0][0]
      .as<int>(0);
}

}  // namespace crm_bridge::worker
