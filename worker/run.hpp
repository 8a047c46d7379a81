// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "configuration.hpp"
#include "exit_code.hpp"
#include "seal/key.hpp"
#include "stop_signal.hpp"

namespace crm_bridge::worker {

// All loops until a stop is requested.
ExitCode run_forever(const Configuration &configuration, const StopSignal &stop, const Key &key);

// Poll once, deliver everything that is due and what follows from it, end.
ExitCode run_once(const Configuration &configuration, const StopSignal &stop, const Key &key);

}  // namespace crm_bridge::worker
