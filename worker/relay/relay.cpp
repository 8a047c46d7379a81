// SPDX-License-Identifier: PostgreSQL
#include "relay/relay.hpp"

#include <algorithm>
#include <array>

#include "database.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long one delivery may wait for the budget before it is given back.
constexpr milliseconds patience{1500};
// The doorbell rings at most once in a window, so looking goes on for longer than that after the
// last find, closely at first: a look costs the server a twentieth of a millisecond.
constexpr milliseconds busy_for{250};
constexpr milliseconds closely_for{25};
constexpr milliseconds first_look{1};
constexpr milliseconds slowest_look{20};
constexpr milliseconds results_wait{50};
constexpr milliseconds farewell = seconds{10};
constexpr int largest_claim = 1000;
// What `--once` waits for a budget or a writer; longer than that is another day's work.
constexpr milliseconds longest_rest_once = seconds{3};

// Whether the database hands out fields that the catalog has never heard of.
bool knows_less(const Catalog &catalog, const std::vector<Change> &changes) {
  for (const auto &change : changes) {
    for (const auto &[name, value] : change.fields.items()) {
      if (catalog.field(change.module, name) == nullptr) return true;
    }
  }
  return false;
}

}  // namespace

Relay::Relay(Shared &shared, ServiceContext &context)
    : shared_(shared),
      context_(context),
      service_(make_service(context.settings())),
      client_(context.allowed()),
      sessions_(shared, context, client_, patience),
      outbox_(shared, context.settings().kind) {}

void Relay::run() {
  run_loop(
      shared_, "relay " + context_.settings().kind, [this](Database &database) { loop(database); },
      [this] {
        client_.turn(milliseconds{0});
        land();
        launch();
      });
  finish();
}

void Relay::loop(Database &database) {
  Bell &bell = shared_.bells.of("delivery " + context_.settings().kind);
  const Sessions::Use in_use = sessions_.use(database);
  const std::string connected_at = database.clock();
  auto last_find = Clock::now();
  auto next_look = Clock::now();
  auto oldest_result = Clock::now();
  milliseconds delay = first_look;
  while (!shared_.stop.requested()) {
    const bool landed = land();
    launch();
    if (outbox_.empty()) oldest_result = Clock::now();
    if (bell.rung() || (landed && more_is_due_)) next_look = Clock::now();
    // New work goes out before old results are told, unless they have waited for long.
    if (Clock::now() - oldest_result > results_wait) {
      outbox_.flush(database, connected_at);
      oldest_result = Clock::now();
    }
    if (free_places() > 0 && Clock::now() >= next_look) {
      if (claim(database)) {
        last_find = Clock::now();
        delay = first_look;
        next_look = last_find;
        launch();
        client_.turn(milliseconds{0});
        continue;
      }
      const auto now = Clock::now();
      if (now - last_find >= busy_for)
        delay = shared_.configuration.worker.idle_interval;
      else if (now - last_find >= closely_for)
        delay = std::min(slowest_look, delay + (delay + milliseconds{1}) / 2);
      next_look = now + delay;
    }
    if (!outbox_.empty()) {
      outbox_.flush(database, connected_at);
      // Telling makes due: records changed meanwhile, and those that waited for the new external
      // ids.
      next_look = last_find = Clock::now();
      delay = first_look;
      continue;
    }
    milliseconds pause{100};
    if (free_places() > 0) {
      pause = std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(next_look - Clock::now()));
    }
    const auto tell_by = outbox_.due(Clock::now() + pause);
    pause =
        std::clamp(std::chrono::ceil<milliseconds>(tell_by - Clock::now()), milliseconds{0}, pause);
    const std::array<int, 2> wake{bell.descriptor(), shared_.stop.descriptor()};
    client_.turn(pause, wake);
  }
  finish();
  outbox_.flush(database, connected_at);
}

std::size_t Relay::free_places() const {
  // As many batches again may wait as are under way, so that a place never stays empty for the time
  // of a claim.
  const auto busy = flights_.size() + waiting_.size();
  const auto places = 2 * static_cast<std::size_t>(context_.settings().concurrency);
  const auto left = busy < places ? places - busy : 0;
  // While there is more than fits, few large claims are cheaper than many small ones.
  return more_is_due_ && left < places / 2 ? 0 : left;
}

bool Relay::claim(Database &database) {
  const std::string &service = context_.settings().kind;
  if (!shared_.lease.fresh()) return false;
  const std::vector<std::int64_t> due = database.backlog(service);
  bool found = false;
  more_is_due_ = false;
  std::size_t left = due.size();
  for (const std::int64_t org_id : due) {
    // Everybody gets a share of the free places, whoever waited longest first.
    const std::size_t free = free_places();
    if (free == 0) break;
    const std::size_t places = std::max<std::size_t>(1, free / left--);
    auto session = sessions_.of(org_id);
    if (session == nullptr) continue;
    const int limit =
        std::min(largest_claim, static_cast<int>(places) * service_->records_a_request());
    std::vector<Change> changes =
        database.claim(service, limit, shared_.lease.id(), resting_modules(org_id), org_id);
    if (changes.empty()) continue;
    found = true;
    if (knows_less(session->catalog(), changes)) {
      // The fields were read anew since: what this catalog does not know would be left out unsaid.
      sessions_.forget();
      if (auto fresh = sessions_.of(org_id)) session = std::move(fresh);
    }
    if (static_cast<int>(changes.size()) == limit) more_is_due_ = true;
    context_.metrics().claimed(service, changes.size());
    log_event(Severity::debug, "claimed",
              {{"service", service}, {"org", org_id}, {"records", changes.size()}});
    std::map<std::pair<std::string, Operation>, Batch> open;
    for (auto &change : changes) {
      change.merged = outbox_.merged(change.record_id);
      Batch &batch = open[{change.module, change.operation}];
      batch.changes.push_back(std::move(change));
      if (static_cast<int>(batch.changes.size()) < service_->records_a_request()) continue;
      waiting_.push_back({org_id, session, std::exchange(batch.changes, {})});
    }
    for (auto &[what, batch] : open) {
      if (!batch.changes.empty()) waiting_.push_back({org_id, session, std::move(batch.changes)});
    }
  }
  return found;
}

std::vector<std::string> Relay::resting_modules(std::int64_t org_id) const {
  std::vector<std::string> modules;
  const auto now = Clock::now();
  for (auto rest = resting_.lower_bound({org_id, ""});
       rest != resting_.end() && rest->first.first == org_id; ++rest) {
    if (rest->second.look_again > now) modules.push_back(rest->first.second);
  }
  return modules;
}

void Relay::launch() {
  while (!waiting_.empty() &&
         flights_.size() < static_cast<std::size_t>(context_.settings().concurrency)) {
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    if (!shared_.lease.fresh()) {
      // This process slept or lost the database for too long: others may hold these records by now.
      settle_all(batch, {Outcome::release, "lease_expired", "not sent", milliseconds{0}});
      continue;
    }
    Task<Delivered> task = service_->deliver(*batch.session, batch.changes);
    flights_.push_back({std::move(batch), std::move(task)});
    flights_.back().task.start();
  }
}

bool Relay::land() {
  bool any = false;
  for (auto flight = flights_.begin(); flight != flights_.end();) {
    if (!flight->task.done()) {
      ++flight;
      continue;
    }
    any = true;
    try {
      settle(flight->batch, flight->task.take());
    } catch (const ServiceFailure &fault) {
      settle_all(flight->batch, fault.verdict());
    } catch (const std::exception &fault) {
      // Thrown between the steps of a delivery: what was sent before is not known here.
      log_event(Severity::error, "delivery_failed",
                {{"service", context_.settings().kind}, {"reason", fault.what()}});
      settle_all(flight->batch, {Outcome::in_doubt, "interrupted", fault.what(), milliseconds{0}});
    }
    flight = flights_.erase(flight);
  }
  return any;
}

void Relay::settle(const Batch &batch, Delivered delivered) {
  if (!delivered.seen.empty()) outbox_.add(batch.org_id, std::move(delivered.seen));
  for (auto &settled : delivered.settled) {
    const Verdict &verdict = settled.verdict;
    if (verdict.outcome == Outcome::release ||
        (verdict.outcome == Outcome::retry && verdict.reason == "rate_limited")) {
      const milliseconds wait = std::max(verdict.retry_after, milliseconds{100});
      resting_[{batch.org_id, settled.module}] = {
          Clock::now() + wait, Clock::now() + std::min(wait, Budget::look_again)};
    }
    outbox_.add(batch.org_id, std::move(settled));
  }
}

void Relay::settle_all(const Batch &batch, const Verdict &verdict) {
  Delivered delivered;
  for (const auto &change : batch.changes) {
    Settled settled;
    settled.module = change.module;
    settled.record_id = change.record_id;
    settled.verdict = verdict;
    if (change.operation != Operation::remove) settled.external_id = change.external_id;
    delivered.settled.push_back(std::move(settled));
  }
  settle(batch, std::move(delivered));
}

void Relay::finish() {
  for (const auto &batch : std::exchange(waiting_, {})) {
    settle_all(batch, {Outcome::release, "stopping", "not sent", milliseconds{0}});
  }
  const auto until = Clock::now() + farewell;
  while (!flights_.empty() && Clock::now() < until) {
    client_.turn(milliseconds{50});
    land();
  }
  for (const auto &flight : flights_) {
    settle_all(flight.batch, {Outcome::in_doubt, "stopped",
                              "the worker stopped before the answer came", milliseconds{0}});
  }
  flights_.clear();
}

bool Relay::drain(Database &database) {
  const Sessions::Use in_use = sessions_.use(database);
  const std::string connected_at = database.clock();
  bool any = false;
  auto writers_until = Clock::now();  // how long to wait for writers that hold up a result
  while (!shared_.stop.requested()) {
    land();
    launch();
    outbox_.flush(database, connected_at);
    if (free_places() > 0 && claim(database)) {
      any = true;
      writers_until = Clock::now() + longest_rest_once;
      launch();
      client_.turn(milliseconds{0});
      continue;
    }
    if (flights_.empty() && waiting_.empty() && outbox_.holds_back() &&
        Clock::now() < writers_until) {
      shared_.stop.wait(milliseconds{20});
      continue;
    }
    if (flights_.empty() && waiting_.empty()) {
      const auto now = Clock::now();
      auto soonest = Clock::time_point::max();
      for (const auto &[what, rest] : resting_) {
        if (rest.until > now) soonest = std::min(soonest, rest.until);
      }
      if (soonest > now + longest_rest_once) break;
      shared_.stop.wait(std::chrono::ceil<milliseconds>(soonest - now));
      continue;
    }
    client_.turn(milliseconds{100});
  }
  finish();
  outbox_.flush(database, connected_at);
  return any;
}

}  // namespace crm_bridge::worker
