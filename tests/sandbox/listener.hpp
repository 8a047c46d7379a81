// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"
#include "faults.hpp"
#include "request_log.hpp"

#include <memory>
#include <string>

namespace crm_bridge::sandbox {

// One service on one loopback port.
class Listener {
 public:
  // `recorded` is false for the control port: its own requests are neither logged nor faulted.
  Listener(std::string service, Endpoint &endpoint, RequestLog &log, Faults &faults, bool recorded);
  ~Listener();
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  // Binds (0 = a port of the kernel's choice) and returns "http://127.0.0.1:PORT".
  std::string bind(int port);
  void start();
  // Closes the port and every connection, and waits for the requests at work.
  void stop();

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace crm_bridge::sandbox
