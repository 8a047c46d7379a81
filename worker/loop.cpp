// SPDX-License-Identifier: PostgreSQL
#include "loop.hpp"

#include <algorithm>

#include "core/backoff.hpp"
#include "http/client.hpp"
#include "log.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Waits a little longer than full jitter alone would at times: a loop must never become a busy one.
constexpr milliseconds shortest_pause{50};
constexpr milliseconds longest_pause = seconds{15};
// A connection that held this long was a good one: the next trouble starts counting anew.
constexpr seconds good_after{10};

}  // namespace

void run_loop(Shared &shared, const std::string &name, const std::function<void(Database &)> &body,
              const std::function<void()> &meanwhile) {
  int attempt = 0;
  while (!shared.stop.requested()) {
    const auto begun = std::chrono::steady_clock::now();
    std::string event;
    std::string reason;
    try {
      Database database(shared.configuration.conninfo, name);
      body(database);
      continue;
    } catch (const ConnectionLost &lost) {
      event = "connection_lost";
      reason = lost.what();
      shared.metrics.connection_lost(name);
      if (name == "heartbeat") shared.metrics.database_seen(false);
    } catch (const SqlError &fault) {
      event = "database_refused";
      reason = fault.sqlstate() + " " + fault.what();
    } catch (const HttpClient::Stopped &) {
      continue;
    } catch (const std::exception &fault) {
      event = "loop_failed";
      reason = fault.what();
    }
    if (std::chrono::steady_clock::now() - begun > good_after) attempt = 0;
    ++attempt;
    const milliseconds pause =
        std::max(shortest_pause,
                 core::retry_delay(attempt, random_bits(), milliseconds{250}, longest_pause));
    log_event(Severity::warning, event, {{"loop", name}, {"retry_in", pause}, {"reason", reason}});
    const auto until = std::chrono::steady_clock::now() + pause;
    while (!shared.stop.requested() && std::chrono::steady_clock::now() < until) {
      const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
      if (meanwhile) {
        meanwhile();
        shared.stop.wait(std::clamp(left, milliseconds{0}, milliseconds{20}));
      } else {
        shared.stop.wait(std::max(left, milliseconds{0}));
      }
    }
  }
  log_event(Severity::debug, "loop_ended", {{"loop", name}});
}

void wait_for_bell(Shared &shared, Bell &bell, milliseconds longest) {
  if (shared.stop.requested() || bell.rung()) return;
  wait_for_any({bell.descriptor(), shared.stop.descriptor()}, std::max(longest, milliseconds{0}));
  (void)bell.rung();
}

}  // namespace crm_bridge::worker
