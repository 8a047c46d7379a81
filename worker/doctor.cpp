// SPDX-License-Identifier: PostgreSQL
#include "doctor.hpp"

#include <iostream>
#include <optional>

#include "database.hpp"
#include "mail/examine.hpp"
#include "poll/channels.hpp"
#include "receive/address.hpp"
#include "services/service.hpp"
#include "services/sessions.hpp"
#include "shared.hpp"
#include "status/page.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::chrono::milliseconds patience{3000};

// What an administrator puts into the body of a rule in Projects.
constexpr const char *projects_rule =
    "  body   JSON: module (tasks, projects, tasklists), event (create, update, delete), id,\n"
    "         project_id, token; and, so that what a write of ours replaces is never forgotten,\n"
    "         values (an object: each field and what it was given) and time (with its offset)\n";

class Findings {
 public:
  void add(const Check &check, ExitCode layer) {
    std::cout << (check.good ? "ok    " : "FAIL  ") << check.subject << ": " << check.finding
              << "\n";
    if (check.good) return;
    if (!check.remedy.empty()) std::cout << "      -> " << check.remedy << "\n";
    if (worst_ == ExitCode::ok) worst_ = layer;
  }
  ExitCode worst() const { return worst_; }

 private:
  ExitCode worst_ = ExitCode::ok;
};

std::optional<Key> check_key(const Configuration &configuration, Findings &findings) {
  const std::string &file = configuration.worker.secret_key_file;
  try {
    Key key = Key::load(file);
    findings.add({"secret key", true, "public key " + key.public_key() + ", id " + key.id()},
                 ExitCode::configuration);
    return key;
  } catch (const KeyError &fault) {
    findings.add({"secret key", false, fault.what(),
                  "crm-bridge keygen --out FILE, then [worker] secret_key_file"},
                 ExitCode::configuration);
  }
  return std::nullopt;
}

std::optional<Database> check_database(const Configuration &configuration, Findings &findings) {
  try {
    Database database(configuration.conninfo, "doctor");
    findings.add({"database", true, "reachable"}, ExitCode::database);
    const std::string version = database.extension_version();
    if (version.empty()) {
      findings.add({"extension", false, "crm_bridge is not in this database",
                    "CREATE EXTENSION crm_bridge;"},
                   ExitCode::database);
      return std::nullopt;
    }
    const bool same = version == CRM_BRIDGE_VERSION;
    findings.add({"extension", same, "version " + version + ", this worker is " CRM_BRIDGE_VERSION,
                  "ALTER EXTENSION crm_bridge UPDATE; or install the worker of the same version"},
                 ExitCode::database);
    // Reads what the worker needs, so a missing grant shows here.
    database.reconcile_backlog();
    findings.add({"privileges", true, "the role may do a worker's work"}, ExitCode::database);
    return database;
  } catch (const ConfigurationError &fault) {
    findings.add({"database", false, fault.what(), "let [database] conninfo name the server"},
                 ExitCode::configuration);
  } catch (const ConnectionLost &fault) {
    findings.add(
        {"database", false, fault.what(), "check [database] conninfo and that the server runs"},
        ExitCode::database);
  } catch (const SqlError &fault) {
    findings.add({"privileges", false, fault.what(), "SELECT crm_bridge.grant_worker('ROLE');"},
                 ExitCode::database);
  }
  return std::nullopt;
}

// Whether notices come by themselves; polling finds everything without them, only later.
Check check_channel(Shared &shared, Service &service, Session &session, HttpClient &client) {
  const ServiceSettings &settings = session.settings();
  Check check{settings.kind + " webhooks", true, "none: changes are found by polling alone", {}};
  const auto &receiver = shared.configuration.receiver;
  if (!receiver || receiver->public_url.empty()) return check;
  const ChannelAddress address =
      channel_address(shared.key, settings, *receiver, session.organization().org_id);
  const ChannelState state =
      client.run(service.find_channel(session, address), [&] { return shared.stop.requested(); });
  if (!state.possible) {
    check.finding =
        "to be set up by hand, the service has no call for it: crm-bridge doctor --show-webhooks "
        "prints address and token";
  } else if (state.open) {
    check.finding = "channel " + address.channel_id + " is open until " + state.expires_at;
  } else {
    check.finding = "no channel is open; crm-bridge run opens one";
  }
  return check;
}

void check_service(Shared &shared, ServiceContext &context, Database &database,
                   Findings &findings) {
  const std::string &kind = context.settings().kind;
  HttpClient client(context.allowed());
  Sessions sessions(shared, context, client, patience);
  const Sessions::Use in_use = sessions.use(database);
  const auto service = make_service(context.settings());
  const std::vector<Organization> organizations = sessions.organizations();
  if (organizations.empty()) {
    findings.add({kind, false, "no organization uses it",
                  "SELECT crm_bridge.create_organization(...) and activate it"},
                 ExitCode::service);
  }
  for (const auto &organization : organizations) {
    std::cout << "      organization " << organization.org_id << " (" << organization.name
              << "), integration " << organization.state << "\n";
    const auto session = sessions.of(organization.org_id);
    if (session == nullptr) continue;
    try {
      const auto checks =
          client.run(service->examine(*session), [&] { return shared.stop.requested(); });
      for (const auto &check : checks) findings.add(check, ExitCode::service);
      findings.add(check_channel(shared, *service, *session, client), ExitCode::service);
    } catch (const ServiceFailure &fault) {
      findings.add({kind, false, fault.what(), "see the log of crm-bridge run -v"},
                   ExitCode::service);
    }
  }
}

// Printed, and told to the database, so that people who have no worker at hand read the same.
void show_capabilities(const Configuration &configuration, Database *database, Findings &findings) {
  ResultTable table{{"module", "what", "how", "requests", "contract"}, {}};
  for (const auto &settings : configuration.services) {
    const auto capabilities = make_service(settings)->capabilities();
    for (const auto &line : capabilities) {
      table.second.push_back({line.module, line.call, line.how, line.cost,
                              line.contract + (is_used(line, settings) ? "" : " (off)")});
    }
    if (database == nullptr) continue;
    try {
      database->store_capabilities(settings.kind, to_json(capabilities, settings));
    } catch (const SqlError &fault) {
      findings.add({settings.kind + " capabilities", false, fault.what(),
                    "SELECT crm_bridge.grant_worker('ROLE');"},
                   ExitCode::database);
    }
  }
  std::cout << "\n" << text_table(table);
}

}  // namespace

ExitCode run_doctor(const Configuration &configuration, const StopSignal &stop,
                    bool show_webhooks) {
  Findings findings;
  findings.add(
      {"configuration", !configuration.services.empty(),
       std::to_string(configuration.services.size()) + " service(s)", "add a [[service]] section"},
      ExitCode::configuration);
  const auto key = check_key(configuration, findings);
  auto database = check_database(configuration, findings);
  if (key && database) {
    Shared shared(configuration, stop, *key);
    for (const auto &[kind, context] : shared.services) {
      try {
        check_service(shared, *context, *database, findings);
      } catch (const SqlError &fault) {
        findings.add({kind, false, fault.what()}, ExitCode::database);
      }
    }
    try {
      for (const auto &check : examine_mail(shared, *database))
        findings.add(check, ExitCode::service);
    } catch (const SqlError &fault) {
      findings.add({"mail", false, fault.what(), "SELECT crm_bridge.grant_worker('ROLE');"},
                   ExitCode::database);
    }
    if (show_webhooks) {
      const std::string base =
          configuration.receiver ? configuration.receiver->public_url : std::string{};
      for (const auto &settings : configuration.services) {
        for (const auto &organization : database->worker_organizations(settings.kind)) {
          const WebhookAddress address = webhook_address(*key, settings, organization.org_id);
          std::cout << "\n"
                    << settings.kind << ", organization " << organization.org_id << "\n  url    "
                    << base << address.path << "\n  token  " << address.token << "\n";
          if (settings.kind == "zoho_projects") std::cout << projects_rule;
        }
      }
    }
  }
  show_capabilities(configuration, database ? &*database : nullptr, findings);
  return findings.worst();
}

}  // namespace crm_bridge::worker
