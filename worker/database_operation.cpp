// SPDX-License-Identifier: PostgreSQL
// The calls that keep a worker at work: runs, channels, commands, reconciliation, credentials,
// budgets.
#include "database.hpp"
#include "database_connection.hpp"
#include "database_values.hpp"

namespace crm_bridge::worker {

std::string Database::start_run(const std::string &kind, const std::string &service,
                                const std::string &module, std::optional<std::int64_t> expected,
                                std::int64_t org_id) {
  return text(connection_->query("SELECT crm_bridge.start_run($1, $2, $3, $4, $5)", kind, service,
                                 module, expected, org_id)[0][0]);
}

void Database::report_progress(const std::string &run, std::int64_t done,
                               std::optional<std::int64_t> expected, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.report_progress($1::uuid, $2, $3, $4)", run, done, expected,
                     org_id);
}

void Database::finish_run(const std::string &run, const std::string &state,
                          const std::string &detail, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.finish_run($1::uuid, $2, $3, $4)", run, state,
                     optional_text(detail), org_id);
}

Database::ChannelStep Database::next_channel_step(const std::string &service,
                                                  const std::string &channel,
                                                  const std::string &token_hash,
                                                  const std::string &lease, std::int64_t org_id) {
  const auto rows = connection_->query(
      "SELECT step, to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')"
      "  FROM crm_bridge.next_channel_step($1, $2, decode($3, 'hex'), $4::uuid, $5)",
      service, channel, token_hash, lease, org_id);
  return {text(rows[0][0]), text(rows[0][1])};
}

void Database::record_channel(const std::string &service, const std::string &channel,
                              const std::string &outcome, const std::string &expires_at,
                              const std::string &detail, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.record_channel($1, $2, $3, $4::timestamptz, $5, $6)",
                     service, channel, outcome, optional_text(expires_at), optional_text(detail),
                     org_id);
}

std::optional<BridgeCommand> Database::next_command(const std::string &service,
                                                    const std::string &lease, std::int64_t org_id) {
  const auto rows = connection_->query(
      "SELECT command_id, kind, arguments FROM crm_bridge.next_command($1, $2::uuid, $3)", service,
      lease, org_id);
  if (rows.empty() || rows[0][0].is_null()) return std::nullopt;
  return BridgeCommand{text(rows[0][0]), text(rows[0][1]), json(rows[0][2])};
}

void Database::finish_command(const std::string &command_id, const std::string &state,
                              const Json &result, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.finish_command($1::uuid, $2, $3::jsonb, $4)", command_id,
                     state, to_text(result), org_id);
}

Json Database::finish_matching(const std::string &command_id, std::int64_t org_id) {
  const auto rows =
      connection_->query("SELECT crm_bridge.finish_matching($1, $2)", command_id, org_id);
  return parse_json(text(rows[0][0]));
}

void Database::store_fields(const std::string &module, const Json &fields, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.store_fields($1, $2::jsonb, $3)", module, to_text(fields),
                     org_id);
}

void Database::store_capabilities(const std::string &service, const Json &capabilities) {
  connection_->query("SELECT crm_bridge.store_capabilities($1, $2::jsonb)", service,
                     to_text(capabilities));
}

std::vector<std::int64_t> Database::reconcile_backlog() {
  return organizations(connection_->query("SELECT * FROM crm_bridge.reconcile_backlog()"));
}

std::string Database::maintain_if_due() {
  return connection_->query("SELECT crm_bridge.maintain_if_due()")[0][0].as<std::string>({});
}

int Database::reconcile(int limit, std::int64_t org_id) {
  return connection_->query("SELECT crm_bridge.reconcile($1, $2)", limit, org_id)[0][0].as<int>(0);
}

std::optional<SealedCredential> Database::sealed_credential(const std::string &service,
                                                            std::int64_t org_id) {
  const auto rows = connection_->query(
      "SELECT kind, key_id, sealed, email, sealed_at FROM crm_bridge.sealed_credential($1, $2)",
      service, org_id);
  if (rows.empty() || rows[0][2].is_null()) return std::nullopt;
  return SealedCredential{text(rows[0][0]), text(rows[0][1]), pqxx::binarystring(rows[0][2]).str(),
                          text(rows[0][3]), text(rows[0][4])};
}

void Database::store_credential(const std::string &service, const SealedCredential &credential,
                                std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.store_credential($1, $2, $3, $4, $5, $6)", service,
                     credential.kind, credential.key_id, pqxx::binarystring(credential.sealed),
                     optional_text(credential.email), org_id);
}

void Database::refuse_credential(const std::string &service, const std::string &sealed_at,
                                 const std::string &reason, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.refuse_credential($1, $2::timestamptz, $3, $4)", service,
                     sealed_at, reason, org_id);
}

Bank::Share Database::take_budget(const std::string &service, const Bank::Ask &ask,
                                  std::optional<int> configured, std::chrono::milliseconds per,
                                  std::int64_t org_id) {
  const auto rows = connection_->query(
      "SELECT granted, ceil(EXTRACT(epoch FROM hold) * 1000)::bigint, counts_until,"
      "       ceil(EXTRACT(epoch FROM retry_after) * 1000)::bigint, reason"
      "  FROM crm_bridge.take_budget($1, $2, $3, $4, $5, $6::timestamptz, $7, $8, $9::interval,"
      "                              org_id => $10)",
      service, ask.meter, ask.wanted, ask.least, ask.given_back,
      optional_text(ask.given_back_until), ask.remaining, configured, interval(per), org_id);
  Bank::Share share;
  share.granted = rows[0][0].as<int>(0);
  share.hold = std::chrono::milliseconds{rows[0][1].as<std::int64_t>(0)};
  share.counts_until = text(rows[0][2]);
  share.retry_after = std::chrono::milliseconds{rows[0][3].as<std::int64_t>(0)};
  share.reason = text(rows[0][4]);
  return share;
}

void Database::rest_budget(const std::string &service, const std::string &meter,
                           std::chrono::milliseconds wait, const std::string &reason,
                           std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.rest_budget($1, $2, $3::interval, $4, org_id => $5)",
                     service, meter, interval(wait), reason, org_id);
}

std::optional<int> Database::take_places(const std::string &service, const std::string &meter,
                                         int wanted, const std::string &lease,
                                         std::int64_t org_id) {
  const auto rows =
      connection_->query("SELECT crm_bridge.take_places($1, $2, $3, $4::uuid, org_id => $5)",
                         service, meter, wanted, lease, org_id);
  if (rows[0][0].is_null()) return std::nullopt;
  return rows[0][0].as<int>();
}

}  // namespace crm_bridge::worker
