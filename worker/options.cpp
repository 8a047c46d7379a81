// SPDX-License-Identifier: PostgreSQL
#include "options.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace crm_bridge::worker {

ParsedOptions parse_options(int argument_count, const char *const *arguments) {
  Options options;
  CLI::App program{"Carries changes between a crm_bridge database and the services, and back."};
  program.name("crm-bridge");
  program.set_version_flag("--version", std::string("crm-bridge ") + CRM_BRIDGE_VERSION);
  program.require_subcommand(1);
  program.add_option("-c,--config", options.configuration_file, "the configuration, a TOML file")
      ->capture_default_str();
  program.add_flag("-v,--verbose", options.verbose, "log every request and claim");
  program.fallthrough();

  CLI::App *run = program.add_subcommand("run", "relay, receive and poll until SIGTERM or SIGINT");
  run->add_flag("--once", options.once, "poll once, deliver everything that is due, then end");
  CLI::App *doctor =
      program.add_subcommand("doctor", "check everything the worker needs and say how to mend it");
  doctor->add_flag("--show-webhooks", options.show_webhooks,
                   "print the secret address and token to enter in Projects' webhook rules");
  CLI::App *seal = program.add_subcommand(
      "seal", "read a credential as JSON from standard input and store it sealed");
  seal->add_option("--service", options.service,
                   "zoho_crm, zoho_projects, bigin, office365 or smtp")
      ->required();
  seal->add_option("--org", options.org_id, "the organization's number")
      ->required()
      ->check(CLI::PositiveNumber);
  seal->add_option("--kind", options.kind, "oauth, or zsc_key for another user's portal (Projects)")
      ->capture_default_str();
  seal->add_option("--email", options.email, "whose it is; needed for a ZSC key");
  CLI::App *keygen =
      program.add_subcommand("keygen", "make the worker's key pair and print the public key");
  keygen->add_option("--out", options.key_file, "where the secret key goes; never replaces a file")
      ->required();
  CLI::App *status = program.add_subcommand("status", "print what is waiting, parked and dead");

  try {
    program.parse(argument_count, arguments);
  } catch (const CLI::ParseError &outcome) {
    return {std::nullopt, program.exit(outcome) == 0 ? ExitCode::ok : ExitCode::usage};
  }
  if (*run) options.command = Command::run;
  if (*doctor) options.command = Command::doctor;
  if (*seal) options.command = Command::seal;
  if (*keygen) options.command = Command::keygen;
  if (*status) options.command = Command::status;
  return {options, ExitCode::ok};
}

}  // namespace crm_bridge::worker
