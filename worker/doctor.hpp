// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "configuration.hpp"
#include "exit_code.hpp"
#include "stop_signal.hpp"

namespace crm_bridge::worker {

// Checks everything that `run` needs and prints, for each finding, how to mend it; then what each
// connector can do. The exit code names the first layer that is not well: configuration, database,
// service.
ExitCode run_doctor(const Configuration &configuration, const StopSignal &stop, bool show_webhooks);

}  // namespace crm_bridge::worker
