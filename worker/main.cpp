// SPDX-License-Identifier: PostgreSQL
#include <iostream>
#include <iterator>

#include "configuration.hpp"
#include "database.hpp"
#include "doctor.hpp"
#include "log.hpp"
#include "mail/login.hpp"
#include "options.hpp"
#include "run.hpp"
#include "seal/credential.hpp"
#include "services/kinds.hpp"
#include "status/page.hpp"
#include "stop_signal.hpp"

namespace crm_bridge::worker {
namespace {

ExitCode make_key(const Options &options) {
  const Key key = Key::generate(options.key_file);
  std::cout << "public key  " << key.public_key() << "\nkey id      " << key.id() << "\n";
  return ExitCode::ok;
}

ExitCode seal(const Options &options, const Configuration &configuration) {
  const bool for_mail = options.service == "smtp";
  const ServiceKind *service = for_mail ? nullptr : find_kind(options.service);
  if (!for_mail && service == nullptr)
    throw ConfigurationError("--service must be one of " + kind_names() + ", smtp");
  const std::string kind = for_mail ? "smtp" : options.kind;
  const Key key = Key::load(configuration.worker.secret_key_file);
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  Json secret;
  try {
    secret = parse_json(text);
  } catch (const MalformedJson &) {
    // The parser's message would quote what it read.
    throw ConfigurationError("standard input is not JSON");
  }
  if (for_mail) {
    parse_login(secret);
  } else {
    parse_credential(secret, service->grant);
  }
  const bool is_key = kind == "zsc_key";
  if (is_key && (options.service != "zoho_projects" || options.email.empty() ||
                 scalar_text(secret, "zsc_key").empty())) {
    throw ConfigurationError(
        "a ZSC key is one of zoho_projects, with --email and \"zsc_key\" beside the consent: "
        "{\"zsc_key\", \"client_id\", \"client_secret\", \"refresh_token\"}");
  }
  if (!options.email.empty()) secret["email"] = options.email;
  const std::string sealed = seal_secret(key, {options.service, options.org_id, kind}, secret);
  Database database(configuration.conninfo, "seal");
  database.store_credential(options.service, {kind, key.id(), sealed, options.email},
                            options.org_id);
  std::cout << "stored the " << kind << " credential of " << options.service << ", organization "
            << options.org_id << ", sealed for key " << key.id() << "\n";
  return ExitCode::ok;
}

ExitCode print_status(const Configuration &configuration) {
  Database database(configuration.conninfo, "status");
  for (const auto &[title, table] : status_tables(configuration, database)) {
    std::cout << title << "\n" << text_table(table) << "\n";
  }
  return ExitCode::ok;
}

ExitCode obey(const Options &options) {
  if (options.command == Command::keygen) return make_key(options);
  const Configuration configuration = load_configuration(options.configuration_file);
  if (options.command == Command::seal) return seal(options, configuration);
  if (options.command == Command::status) return print_status(configuration);
  const StopSignal stop;
  if (options.command == Command::doctor)
    return run_doctor(configuration, stop, options.show_webhooks);
  if (configuration.services.empty()) throw ConfigurationError("no [[service]] is configured");
  const Key key = Key::load(configuration.worker.secret_key_file);
  return options.once ? run_once(configuration, stop, key) : run_forever(configuration, stop, key);
}

ExitCode guarded(const Options &options) {
  try {
    return obey(options);
  } catch (const ConfigurationError &fault) {
    log_event(Severity::error, "configuration", {{"reason", fault.what()}});
    return ExitCode::configuration;
  } catch (const KeyError &fault) {
    log_event(Severity::error, "key", {{"reason", fault.what()}});
    return ExitCode::configuration;
  } catch (const ConnectionLost &fault) {
    log_event(Severity::error, "database", {{"reason", fault.what()}});
    return ExitCode::database;
  } catch (const SqlError &fault) {
    log_event(Severity::error, "database",
              {{"sqlstate", fault.sqlstate()}, {"reason", fault.what()}});
    return ExitCode::database;
  } catch (const HttpClient::Stopped &) {
    return ExitCode::ok;
  } catch (const std::exception &fault) {
    log_event(Severity::error, "unexpected", {{"reason", fault.what()}});
    return ExitCode::unexpected;
  }
}

}  // namespace
}  // namespace crm_bridge::worker

int main(int argument_count, char **arguments) {
  using namespace crm_bridge::worker;
  const ParsedOptions parsed = parse_options(argument_count, arguments);
  if (!parsed.options) return static_cast<int>(parsed.exit_code);
  start_log(parsed.options->verbose ? Severity::debug : Severity::information);
  return static_cast<int>(guarded(*parsed.options));
}
