// SPDX-License-Identifier: PostgreSQL
#include "database.hpp"

#include "configuration.hpp"
#include "database_connection.hpp"
#include "database_values.hpp"

namespace crm_bridge::worker {

Database::Database(const std::string &conninfo, const std::string &purpose) {
  try {
    connection_ = std::make_unique<Connection>(conninfo);
  } catch (const pqxx::failure &fault) {
    throw ConnectionLost(fault.what());
  }
  // First of all: a statement that is prepared may be there already, another client's.
  if (!is_direct()) throw ConfigurationError(through_proxy);
  // The protocol is made for READ COMMITTED, whatever the DBA's default is.
  connection_->query(
      "SELECT pg_catalog.set_config('application_name', $1, false),"
      "       pg_catalog.set_config('default_transaction_isolation', 'read committed', false)",
      "crm-bridge " + purpose);
}

Database::~Database() = default;
Database::Database(Database &&) noexcept = default;

bool Database::is_direct() {
  // Not prepared: behind a proxy the next statement may meet another session.
  return translated(connection_->link, [&] {
    pqxx::nontransaction transaction(connection_->link);
    return transaction.exec1("SELECT pg_catalog.pg_backend_pid()")[0].as<int>() ==
           connection_->link.backendpid();
  });
}

std::string Database::extension_version() {
  const auto rows = connection_->query(
      "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'crm_bridge'");
  return rows.empty() ? std::string{} : text(rows[0][0]);
}

std::string Database::clock() {
  return text(connection_->query("SELECT pg_catalog.clock_timestamp()::text")[0][0]);
}

std::vector<ModuleInfo> Database::modules(const std::string &service) {
  std::vector<ModuleInfo> answer;
  for (const auto &row :
       connection_->query("SELECT module, api_name, label, creatable, updatable, deletable, polled"
                          "  FROM crm_bridge.module WHERE service = $1 ORDER BY position",
                          service)) {
    answer.push_back({text(row[0]), text(row[1]), text(row[2]), row[3].as<bool>(),
                      row[4].as<bool>(), row[5].as<bool>(), row[6].as<bool>()});
  }
  return answer;
}

std::vector<FieldInfo> Database::module_fields(const std::string &service, std::int64_t org_id) {
  std::vector<FieldInfo> answer;
  for (const auto &row : connection_->query(
           "SELECT module, field, api_name, type, reference_module, writable, custom, addresses"
           "  FROM crm_bridge.worker_fields($1, $2)",
           service, org_id)) {
    answer.push_back({text(row[0]), text(row[1]), text(row[2]), text(row[3]), text(row[4]),
                      row[5].as<bool>(), row[6].as<bool>(), row[7].as<bool>()});
  }
  return answer;
}

std::vector<Organization> Database::worker_organizations(const std::string &service) {
  std::vector<Organization> answer;
  for (const auto &row : connection_->query("SELECT org_id, name, state, portal_id, time_zone, "
                                            "key_email, credential_at"
                                            "  FROM crm_bridge.worker_organizations($1)",
                                            service)) {
    answer.push_back({row[0].as<std::int64_t>(), text(row[1]), text(row[2]), text(row[3]),
                      text(row[4]), text(row[5]), text(row[6])});
  }
  return answer;
}

void Database::heartbeat(const std::string &lease, const std::string &worker,
                         std::chrono::milliseconds lasts) {
  connection_->query("SELECT crm_bridge.heartbeat($1::uuid, $2, $3::interval)", lease, worker,
                     interval(lasts));
}

std::int64_t Database::end_lease(const std::string &lease) {
  return connection_->query("SELECT crm_bridge.end_lease($1::uuid)", lease)[0][0].as<std::int64_t>(
      0);
}

std::vector<std::int64_t> Database::backlog(const std::string &service) {
  return organizations(connection_->query("SELECT * FROM crm_bridge.backlog($1)", service));
}

std::vector<Change> Database::claim(const std::string &service, int limit, const std::string &lease,
                                    const std::vector<std::string> &resting, std::int64_t org_id) {
  std::vector<Change> answer;
  for (const auto &row :
       connection_->query("SELECT module, record_id, operation, external_id, "
                          "version, fields, context, attempt, in_doubt, doubted, base"
                          "  FROM crm_bridge.claim($1, $2, $3::uuid, $4::text[], $5)",
                          service, limit, lease, array_literal(resting), org_id)) {
    Change change;
    change.module = text(row[0]);
    change.record_id = text(row[1]);
    const std::string operation = text(row[2]);
    change.operation = operation == "create"   ? Operation::create
                       : operation == "delete" ? Operation::remove
                                               : Operation::update;
    change.external_id = text(row[3]);
    change.version = text(row[4]);
    if (Json fields = json(row[5]); fields.is_object()) change.fields = std::move(fields);
    if (Json context = json(row[6]); context.is_object()) change.context = std::move(context);
    change.attempt = row[7].as<int>(1);
    change.in_doubt = row[8].as<bool>(false);
    change.doubted = json(row[9]);
    if (Json base = json(row[10]); base.is_object()) change.base = std::move(base);
    answer.push_back(std::move(change));
  }
  return answer;
}

ResultTable Database::acknowledge(const std::string &lease, const Json &results,
                                  std::int64_t org_id) {
  connection_->handled(results.size());
  return table(connection_->query(
      "SELECT module, record_id, outcome FROM crm_bridge.acknowledge($1::uuid, $2::jsonb, $3)",
      lease, to_text(results), org_id));
}

ResultTable Database::fail(const std::string &lease, const Json &failures, std::int64_t org_id) {
  return table(connection_->query(
      "SELECT module, record_id, state FROM crm_bridge.fail($1::uuid, $2::jsonb, $3)", lease,
      to_text(failures), org_id));
}

std::vector<ReceiveOutcome> Database::receive(const std::string &module,
                                              const std::vector<Record> &records,
                                              const std::string &read_started_at,
                                              std::int64_t org_id, const std::string &run) {
  connection_->handled(records.size());
  Json list = Json::array();
  for (const auto &record : records) list.push_back(to_json(record));
  std::vector<ReceiveOutcome> answer;
  const auto rows =
      run.empty() ? connection_->query(
                        "SELECT external_id, record_id, outcome, detail"
                        "  FROM crm_bridge.receive($1, $2::jsonb, $3::timestamptz, org_id => $4)",
                        module, to_text(list), read_started_at, org_id)
                  : connection_->query(
                        "SELECT external_id, record_id, outcome, detail"
                        "  FROM crm_bridge.receive($1, $2::jsonb, $3::timestamptz, org_id => $4, "
                        "run => $5::uuid)",
                        module, to_text(list), read_started_at, org_id, run);
  for (const auto &row : rows)
    answer.push_back({text(row[0]), text(row[1]), text(row[2]), text(row[3])});
  return answer;
}

int Database::store_notice(const std::string &service, const std::string &channel,
                           const std::string &module, const std::vector<std::string> &external_ids,
                           const std::string &event, const std::string &body, std::int64_t org_id,
                           const Json &context, const Json &told) {
  const auto object = [](const Json &json) {
    return optional_text(json.is_object() ? to_text(json) : std::string{});
  };
  return connection_
      ->query(
          "SELECT crm_bridge.store_notice($1, $2, $3, $4::text[], $5, $6, $7::jsonb, $8::jsonb, "
          "$9)",
          service, channel, module, array_literal(external_ids), event, body, object(context),
          object(told), org_id)[0][0]
      .as<int>(0);
}

int Database::note_unlisted(const Listing &listing, const std::string &read_started_at,
                            std::int64_t org_id) {
  return connection_
      ->query("SELECT crm_bridge.note_unlisted($1, $2::jsonb, $3::text[], $4::timestamptz, $5, $6)",
              listing.module, to_text(listing.within),
              listing.gone ? std::nullopt : std::optional(array_literal(listing.external_ids)),
              listing.began_at.empty() ? read_started_at : listing.began_at,
              listing.certain || listing.gone ? "delete" : "missing", org_id)[0][0]
      .as<int>(0);
}

std::vector<Located> Database::next_records(const std::string &module, const std::string &after,
                                            int limit, std::int64_t org_id) {
  std::vector<Located> answer;
  for (const auto &row : connection_->query(
           "SELECT external_id, context FROM crm_bridge.next_records($1, $2, $3, $4)", module,
           after, limit, org_id)) {
    answer.push_back({text(row[0]), json(row[1])});
  }
  return answer;
}

std::vector<std::int64_t> Database::notice_backlog(const std::string &service) {
  return organizations(connection_->query("SELECT * FROM crm_bridge.notice_backlog($1)", service));
}

std::vector<Notice> Database::take_notices(const std::string &service, int limit,
                                           const std::string &lease, std::int64_t org_id) {
  std::vector<Notice> answer;
  for (const auto &row :
       connection_->query("SELECT notice_ids, module, external_id, event, context, told"
                          "  FROM crm_bridge.take_notices($1, $2, $3::uuid, $4)",
                          service, limit, lease, org_id)) {
    answer.push_back({parse_array(row[0]), text(row[1]), text(row[2]), text(row[3]), json(row[4]),
                      json(row[5])});
  }
  return answer;
}

int Database::record_lost_updates(const ModuleRecords &told, std::int64_t org_id) {
  Json list = Json::array();
  for (const auto &record : told.records) list.push_back(to_json(record));
  return connection_
      ->query("SELECT crm_bridge.record_lost_updates($1, $2::jsonb, $3)", told.module,
              to_text(list), org_id)[0][0]
      .as<int>(0);
}

void Database::finish_notices(const std::vector<std::string> &notice_ids, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.finish_notices($1::uuid[], $2)", array_literal(notice_ids),
                     org_id);
}

std::vector<std::string> Database::known_external_ids(const std::string &module,
                                                      const std::vector<std::string> &external_ids,
                                                      std::int64_t org_id) {
  std::vector<std::string> answer;
  for (const auto &row :
       connection_->query("SELECT * FROM crm_bridge.known_external_ids($1, $2::text[], $3)", module,
                          array_literal(external_ids), org_id)) {
    answer.push_back(text(row[0]));
  }
  return answer;
}

Json Database::read_cursor(const std::string &service, const std::string &module,
                           std::int64_t org_id) {
  return json(connection_->query("SELECT crm_bridge.read_cursor($1, $2, $3)", service, module,
                                 org_id)[0][0]);
}

void Database::save_cursor(const std::string &service, const std::string &module, const Json &value,
                           std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.save_cursor($1, $2, $3::jsonb, $4)", service, module,
                     to_text(value), org_id);
}

ResultTable Database::read_view(const std::string &view) {
  return translated(connection_->link, [&] {
    pqxx::nontransaction transaction(connection_->link);
    return table(transaction.exec("SELECT * FROM crm_bridge." + transaction.quote_name(view)));
  });
}

void Database::listen() {
  translated(connection_->link, [&] { connection_->doorbell.emplace(connection_->link); });
}

std::set<std::string> Database::rung() {
  translated(connection_->link, [&] { connection_->link.get_notifs(); });
  return std::exchange(connection_->doorbell->topics, {});
}

int Database::descriptor() const { return connection_->link.sock(); }

}  // namespace crm_bridge::worker
