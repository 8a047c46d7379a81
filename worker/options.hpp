// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exit_code.hpp"

namespace crm_bridge::worker {

enum class Command { run, doctor, seal, keygen, status };

struct Options {
  Command command = Command::run;
  std::string configuration_file = "/etc/crm-bridge/crm-bridge.toml";
  bool verbose = false;
  bool once = false;           // run
  bool show_webhooks = false;  // doctor
  std::string service;         // seal
  std::int64_t org_id = 0;     // seal
  std::string kind = "oauth";  // seal
  std::string email;           // seal
  std::string key_file;        // keygen
};

// Either options to go on with, or the exit code of a program that has said all it had to (--help,
// --version, a mistake).
struct ParsedOptions {
  std::optional<Options> options;
  ExitCode exit_code = ExitCode::ok;
};
ParsedOptions parse_options(int argument_count, const char *const *arguments);

}  // namespace crm_bridge::worker
