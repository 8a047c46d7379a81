// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "http/budget.hpp"
#include "mail/message.hpp"
#include "protocol.hpp"

namespace crm_bridge::worker {

// The connection is gone, or whether a statement was committed is unknown.  Every call of the
// protocol may be repeated, so the answer is always the same: connect again and go on.
class ConnectionLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The server refused a statement.
class SqlError : public std::runtime_error {
 public:
  SqlError(const std::string &message, std::string sqlstate)
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}
  const std::string &sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;
};

using ResultTable = std::pair<std::vector<std::string>, std::vector<std::vector<std::string>>>;

// One connection and the calls of docs/protocol.md: one statement a call, each its own transaction.
// The only place that knows libpqxx.  Not thread-safe: each thread has its own.
class Database {
 public:
  Database(const std::string &conninfo, const std::string &purpose);
  ~Database();
  Database(Database &&) noexcept;

  // Catalog
  // Whether the server itself is at the other end.  A pooling proxy answers the start with a number
  // of its own in place of the session's process.
  bool is_direct();
  std::string extension_version();  // "" when the extension is not there
  std::string clock();              // the server's, as an instant
  std::vector<ModuleInfo> modules(const std::string &service);
  std::vector<FieldInfo> module_fields(const std::string &service, std::int64_t org_id);
  std::vector<Organization> worker_organizations(const std::string &service);

  // Leases
  void heartbeat(const std::string &lease, const std::string &worker,
                 std::chrono::milliseconds lasts);
  std::int64_t end_lease(const std::string &lease);

  // Outbound
  std::vector<std::int64_t> backlog(const std::string &service);
  std::vector<Change> claim(const std::string &service, int limit, const std::string &lease,
                            const std::vector<std::string> &resting, std::int64_t org_id);
  // module, record_id, outcome
  ResultTable acknowledge(const std::string &lease, const Json &results, std::int64_t org_id);
  // module, record_id, state
  ResultTable fail(const std::string &lease, const Json &failures, std::int64_t org_id);

  // Inbound
  std::vector<ReceiveOutcome> receive(const std::string &module, const std::vector<Record> &records,
                                      const std::string &read_started_at, std::int64_t org_id,
                                      const std::string &run = {});
  int store_notice(const std::string &service, const std::string &channel,
                   const std::string &module, const std::vector<std::string> &external_ids,
                   const std::string &event, const std::string &body, std::int64_t org_id,
                   const Json &context = {}, const Json &told = {});
  // How many records were noted that the list does not show.
  int note_unlisted(const Listing &listing, const std::string &read_started_at,
                    std::int64_t org_id);
  std::vector<Located> next_records(const std::string &module, const std::string &after, int limit,
                                    std::int64_t org_id);
  std::vector<std::int64_t> notice_backlog(const std::string &service);
  std::vector<Notice> take_notices(const std::string &service, int limit, const std::string &lease,
                                   std::int64_t org_id);
  // What webhooks told; returns how much of it was overwritten unread.
  int record_lost_updates(const ModuleRecords &told, std::int64_t org_id);
  void finish_notices(const std::vector<std::string> &notice_ids, std::int64_t org_id);
  // Those of `external_ids` that belong to a record of ours.
  std::vector<std::string> known_external_ids(const std::string &module,
                                              const std::vector<std::string> &external_ids,
                                              std::int64_t org_id);
  Json read_cursor(const std::string &service, const std::string &module, std::int64_t org_id);
  void save_cursor(const std::string &service, const std::string &module, const Json &value,
                   std::int64_t org_id);
  std::string start_run(const std::string &kind, const std::string &service,
                        const std::string &module, std::optional<std::int64_t> expected,
                        std::int64_t org_id);
  void report_progress(const std::string &run, std::int64_t done,
                       std::optional<std::int64_t> expected, std::int64_t org_id);
  void finish_run(const std::string &run, const std::string &state, const std::string &detail,
                  std::int64_t org_id);

  // Notification channels: what is due for one (make, renew, check, catch_up, none), and the time
  // by the clock that decided it.
  struct ChannelStep {
    std::string step;
    std::string moment;
  };
  ChannelStep next_channel_step(const std::string &service, const std::string &channel,
                                const std::string &token_hash, const std::string &lease,
                                std::int64_t org_id);
  void record_channel(const std::string &service, const std::string &channel,
                      const std::string &outcome, const std::string &expires_at,
                      const std::string &detail, std::int64_t org_id);

  // Commands and reconciliation
  std::optional<BridgeCommand> next_command(const std::string &service, const std::string &lease,
                                            std::int64_t org_id);
  void finish_command(const std::string &command_id, const std::string &state, const Json &result,
                      std::int64_t org_id);
  // What a matching of clients with accounts left for the background: people, look-alikes, report.
  Json finish_matching(const std::string &command_id, std::int64_t org_id);
  void store_fields(const std::string &module, const Json &fields, std::int64_t org_id);
  void store_capabilities(const std::string &service, const Json &capabilities);
  std::vector<std::int64_t> reconcile_backlog();
  int reconcile(int limit, std::int64_t org_id);
  // What house-keeping did; empty if it was done within the day, or another worker is at it.
  std::string maintain_if_due();

  // Credentials
  std::optional<SealedCredential> sealed_credential(const std::string &service,
                                                    std::int64_t org_id);
  void store_credential(const std::string &service, const SealedCredential &credential,
                        std::int64_t org_id);
  // The service refused for good the credential that was stored at `sealed_at`.
  void refuse_credential(const std::string &service, const std::string &sealed_at,
                         const std::string &reason, std::int64_t org_id);

  // Mails
  std::vector<std::int64_t> notification_backlog();
  std::vector<Mail> take_notifications(const std::string &lease, int limit, std::int64_t org_id);
  bool hand_over_notification(const std::string &lease, const std::string &notification_id,
                              std::int64_t org_id);
  std::string finish_notification(const std::string &lease, const std::string &notification_id,
                                  const std::string &outcome, const std::string &reason,
                                  const std::string &detail, std::int64_t org_id);
  int release_notifications(const std::string &lease);

  // Budgets
  Bank::Share take_budget(const std::string &service, const Bank::Ask &ask,
                          std::optional<int> configured, std::chrono::milliseconds per,
                          std::int64_t org_id);
  void rest_budget(const std::string &service, const std::string &meter,
                   std::chrono::milliseconds wait, const std::string &reason, std::int64_t org_id);
  std::optional<int> take_places(const std::string &service, const std::string &meter, int wanted,
                                 const std::string &lease, std::int64_t org_id);

  // A view of crm_bridge as text, for people.
  ResultTable read_view(const std::string &view);

  // The doorbell: listen() once, then rung() gives the topics for which it rang since the last
  // time; descriptor() becomes readable when it may have.  Topics: docs/protocol.md.
  void listen();
  std::set<std::string> rung();
  int descriptor() const;

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace crm_bridge::worker
