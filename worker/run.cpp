// SPDX-License-Identifier: PostgreSQL
#include "run.hpp"

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "database.hpp"
#include "doorbell.hpp"
#include "log.hpp"
#include "mail/mailer.hpp"
#include "poll/maintenance.hpp"
#include "poll/notices.hpp"
#include "poll/poller.hpp"
#include "poll/reconcile.hpp"
#include "receive/receiver.hpp"
#include "relay/relay.hpp"
#include "services/service.hpp"
#include "shared.hpp"
#include "status/page.hpp"

namespace crm_bridge::worker {
namespace {

// A chain of effects (deal, project, list, task, …) is a few links long; more passes than this mean
// something is going round in circles, which a worker must not help along.
constexpr int most_passes = 50;

// Fails fast: what is wrong now will not mend itself.
void check_database(Shared &shared) {
  Database database(shared.configuration.conninfo, "start");
  const std::string version = database.extension_version();
  if (version.empty()) throw SqlError("the extension crm_bridge is not in this database", "42704");
  if (version != CRM_BRIDGE_VERSION) {
    throw SqlError("the extension has version " + version + ", this worker is " CRM_BRIDGE_VERSION,
                   "55000");
  }
  for (const auto &settings : shared.configuration.services) {
    database.store_capabilities(settings.kind,
                                to_json(make_service(settings)->capabilities(), settings));
  }
  // Claims are handed out only to a lease that is alive.
  beat(shared, database);
}

void end_lease(Shared &shared) {
  try {
    Database database(shared.configuration.conninfo, "stop");
    const auto given_back = database.end_lease(shared.lease.id());
    log_event(Severity::information, "stopped", {{"given_back", given_back}});
  } catch (const std::exception &fault) {
    log_event(Severity::warning, "lease_not_ended", {{"reason", fault.what()}});
  }
}

// Threads that are joined whatever happens.
class Threads {
 public:
  template <typename Body>
  void add(Body body) {
    threads_.emplace_back(std::move(body));
  }
  void join() {
    for (auto &thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    threads_.clear();
  }
  ~Threads() { join(); }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

ExitCode run_forever(const Configuration &configuration, const StopSignal &stop, const Key &key) {
  Shared shared(configuration, stop, key);
  check_database(shared);
  std::unique_ptr<WebhookListener> receiver;
  std::unique_ptr<ListeningServer> status;
  if (configuration.receiver) receiver = start_receiver(shared, *configuration.receiver);
  if (configuration.status) status = start_status_page(shared, *configuration.status);
  std::vector<std::unique_ptr<Relay>> relays;
  std::vector<std::unique_ptr<Poller>> pollers;
  std::vector<std::unique_ptr<Notices>> notices;
  for (const auto &[kind, context] : shared.services) {
    relays.push_back(std::make_unique<Relay>(shared, *context));
    pollers.push_back(std::make_unique<Poller>(shared, *context));
    notices.push_back(std::make_unique<Notices>(shared, *context));
  }
  log_event(Severity::information, "started",
            {{"version", CRM_BRIDGE_VERSION},
             {"worker", configuration.worker.name},
             {"lease", shared.lease.id()}});
  Threads threads;
  threads.add([&] { run_heartbeat(shared); });
  threads.add([&] { run_doorbell(shared); });
  threads.add([&] { run_reconcile(shared); });
  threads.add([&] { run_maintenance(shared); });
  std::optional<Mailer> mailer;
  if (configuration.mail) {
    mailer.emplace(shared, *configuration.mail);
    threads.add([&] { mailer->run(); });
  }
  for (auto &relay : relays) threads.add([&relay] { relay->run(); });
  for (auto &poller : pollers) threads.add([&poller] { poller->run(); });
  for (auto &notice : notices) threads.add([&notice] { notice->run(); });
  threads.join();
  receiver.reset();
  status.reset();
  end_lease(shared);
  return ExitCode::ok;
}

ExitCode run_once(const Configuration &configuration, const StopSignal &stop, const Key &key) {
  Shared shared(configuration, stop, key);
  check_database(shared);
  // The heartbeat goes on while this thread works; it ends with the work, not with a signal.
  std::atomic<bool> done{false};
  std::thread heartbeat([&] {
    while (!done) {
      try {
        Database database(configuration.conninfo, "heartbeat");
        while (!done) {
          beat(shared, database);
          for (int slice = 0; slice < 20 && !done; ++slice) {
            std::this_thread::sleep_for(shared.lease.lasts() / 60);
          }
        }
      } catch (const std::exception &fault) {
        log_event(Severity::warning, "connection_lost",
                  {{"loop", "heartbeat"}, {"reason", fault.what()}});
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
      }
    }
  });
  struct Join {
    std::atomic<bool> &done;
    std::thread &thread;
    ~Join() {
      done = true;
      thread.join();
    }
  };
  bool good = true;
  {
    const Join join{done, heartbeat};
    Database database(configuration.conninfo, "once");
    std::vector<std::unique_ptr<Relay>> relays;
    std::vector<std::unique_ptr<Notices>> notices;
    for (const auto &[kind, context] : shared.services) {
      Poller poller(shared, *context);
      good = poller.poll_once(database) && good;
      relays.push_back(std::make_unique<Relay>(shared, *context));
      notices.push_back(std::make_unique<Notices>(shared, *context));
    }
    bool any = true;
    for (int pass = 0; any && pass < most_passes && !stop.requested(); ++pass) {
      any = false;
      reconcile_all(shared, database);
      for (auto &notice : notices) any = notice->drain(database) || any;
      for (auto &relay : relays) any = relay->drain(database) || any;
    }
    // Last: what was done may have told somebody something.
    if (configuration.mail) good = Mailer(shared, *configuration.mail).drain(database) && good;
  }
  end_lease(shared);
  return good ? ExitCode::ok : ExitCode::service;
}

}  // namespace crm_bridge::worker
