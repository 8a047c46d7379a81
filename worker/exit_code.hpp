// SPDX-License-Identifier: PostgreSQL
#pragma once

namespace crm_bridge::worker {

// What a supervisor, or a test, learns from the end of the program.  README.md has the table for
// people.
enum class ExitCode : int {
  ok = 0,
  unexpected = 1,     // a defect: something was thrown that nobody foresaw
  usage = 2,          // unknown option or command
  configuration = 3,  // configuration or key file missing or wrong
  database = 4,       // not reachable, extension missing or of another version, not armed
  service = 5,        // a service or its credential does not work
  interrupted = 6,    // a second signal cut the graceful stop short
};

}  // namespace crm_bridge::worker
