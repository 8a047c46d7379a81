// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <memory>
#include <string>

#include "bell.hpp"
#include "configuration.hpp"
#include "relay/lease.hpp"
#include "seal/key.hpp"
#include "services/session.hpp"
#include "status/metrics.hpp"
#include "stop_signal.hpp"

namespace crm_bridge::worker {

// What the loops of one process share.  Everything in it is constant or thread-safe.
struct Shared {
  Shared(const Configuration &settings, const StopSignal &stop_signal, const Key &secret_key)
      : configuration(settings), stop(stop_signal), key(secret_key), lease(settings.worker.lease) {
    for (const auto &service : settings.services) {
      services[service.kind] =
          std::make_unique<ServiceContext>(service, settings.worker.request_timeout, metrics);
      for (const char *topic : {"delivery ", "notice ", "command "})
        bells.add(topic + service.kind);
    }
    bells.add("reconcile");
    bells.add("mail");
  }

  const Configuration &configuration;
  const StopSignal &stop;
  const Key &key;
  Metrics metrics;
  Lease lease;
  std::map<std::string, std::unique_ptr<ServiceContext>> services;
  Bells bells;
};

}  // namespace crm_bridge::worker
