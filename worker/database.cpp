// SPDX-License-Identifier: PostgreSQL
#include "database.hpp"

#include "database_connection.hpp"

namespace crm_bridge::worker {
namespace {

std::string text(const pqxx::field &field) {
  return field.is_null() ? std::string{} : std::string(field.c_str());
}

// NULL for "", which is how the protocol's optional texts travel.
std::optional<std::string> optional_text(const std::string &value) {
  return value.empty() ? std::nullopt : std::optional<std::string>(value);
}

std::string interval(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " milliseconds";
}

ResultTable table(const pqxx::result &result) {
  ResultTable answer;
  for (pqxx::row::size_type column = 0; column < result.columns(); ++column) {
    answer.first.emplace_back(result.column_name(column));
  }
  for (const auto &row : result) {
    auto &line = answer.second.emplace_back();
    for (const auto &field : row) line.push_back(text(field));
  }
  return answer;
}

std::vector<std::int64_t> organizations(const pqxx::result &result) {
  std::vector<std::int64_t> answer;
  for (const auto &row : result) answer.push_back(row[0].as<std::int64_t>());
  return answer;
}

Json json(const pqxx::field &field) { return field.is_null() ? Json() : parse_json(field.c_str()); }

std::vector<std::string> parse_array(const pqxx::field &field) {
  std::vector<std::string> elements;
  if (field.is_null()) return elements;
  auto parser = field.as_array();
  for (auto part = parser.get_next(); part.first != pqxx::array_parser::juncture::done;
       part = parser.get_next()) {
    if (part.first == pqxx::array_parser::juncture::string_value) elements.push_back(part.second);
  }
  return elements;
}

}  // namespace

Database::Database(const std::string &conninfo, const std::string &purpose) {
  try {
    connection_ = std::make_unique<Connection>(conninfo);
  } catch (const pqxx::failure &fault) {
    throw ConnectionLost(fault.what());
  }
  connection_->query("SELECT pg_catalog.set_config('application_name', $1, false)",
                     "crm-bridge " + purpose);
}

Database::~Database() = default;
Database::Database(Database &&) noexcept = default;

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
  for (const auto &row : connection_->query("SELECT org_id, name, state, portal_id, time_zone"
                                            "  FROM crm_bridge.worker_organizations($1)",
                                            service)) {
    answer.push_back(
        {row[0].as<std::int64_t>(), text(row[1]), text(row[2]), text(row[3]), text(row[4])});
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
                                    std::int64_t org_id) {
  std::vector<Change> answer;
  for (const auto &row : connection_->query("SELECT module, record_id, operation, external_id, "
                                            "version, fields, context, attempt, in_doubt"
                                            "  FROM crm_bridge.claim($1, $2, $3::uuid, $4)",
                                            service, limit, lease, org_id)) {
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
    answer.push_back(std::move(change));
  }
  return answer;
}

ResultTable Database::acknowledge(const std::string &lease, const Json &results,
                                  std::int64_t org_id) {
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
                           const std::string &event, const std::string &body, std::int64_t org_id) {
  return connection_
      ->query("SELECT crm_bridge.store_notice($1, $2, $3, $4::text[], $5, $6, $7)", service,
              channel, module, array_literal(external_ids), event, body, org_id)[0][0]
      .as<int>(0);
}

std::vector<std::int64_t> Database::notice_backlog(const std::string &service) {
  return organizations(connection_->query("SELECT * FROM crm_bridge.notice_backlog($1)", service));
}

std::vector<Notice> Database::take_notices(const std::string &service, int limit,
                                           std::int64_t org_id) {
  std::vector<Notice> answer;
  for (const auto &row : connection_->query("SELECT notice_ids, module, external_id, event, context"
                                            "  FROM crm_bridge.take_notices($1, $2, $3)",
                                            service, limit, org_id)) {
    answer.push_back({parse_array(row[0]), text(row[1]), text(row[2]), text(row[3]), json(row[4])});
  }
  return answer;
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

void Database::store_fields(const std::string &module, const Json &fields, std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.store_fields($1, $2::jsonb, $3)", module, to_text(fields),
                     org_id);
}

std::vector<std::int64_t> Database::reconcile_backlog() {
  return organizations(connection_->query("SELECT * FROM crm_bridge.reconcile_backlog()"));
}

int Database::reconcile(int limit, std::int64_t org_id) {
  return connection_->query("SELECT crm_bridge.reconcile($1, $2)", limit, org_id)[0][0].as<int>(0);
}

std::optional<SealedCredential> Database::sealed_credential(const std::string &service,
                                                            std::int64_t org_id) {
  const auto rows = connection_->query(
      "SELECT kind, key_id, sealed FROM crm_bridge.sealed_credential($1, $2)", service, org_id);
  if (rows.empty() || rows[0][2].is_null()) return std::nullopt;
  return SealedCredential{text(rows[0][0]), text(rows[0][1]), pqxx::binarystring(rows[0][2]).str()};
}

void Database::store_credential(const std::string &service, const SealedCredential &credential,
                                std::int64_t org_id) {
  connection_->query("SELECT crm_bridge.store_credential($1, $2, $3, $4, $5)", service,
                     credential.kind, credential.key_id, pqxx::binarystring(credential.sealed),
                     org_id);
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
