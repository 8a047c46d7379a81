// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>

namespace crm_bridge::worker {

// SIGTERM or SIGINT asks for a graceful stop: no new work, wait for the answers that are under way,
// give back what was not sent.  A second one ends the process within two seconds, whatever is under
// way.  One object a process.
class StopSignal {
 public:
  StopSignal();  // takes over the two signals, and ignores SIGPIPE
  ~StopSignal();
  StopSignal(const StopSignal &) = delete;
  StopSignal &operator=(const StopSignal &) = delete;

  bool requested() const;
  void request();
  // Becomes readable, and stays so, once a stop is requested: for poll(2).
  int descriptor() const;
  // Sleeps; true if the stop came meanwhile.
  bool wait(std::chrono::milliseconds longest) const;
};

}  // namespace crm_bridge::worker
