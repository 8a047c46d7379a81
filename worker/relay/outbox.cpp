// SPDX-License-Identifier: PostgreSQL
#include "relay/outbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "database.hpp"
#include "log.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::chrono::milliseconds patience_with_writers{50};
// A change that the merge took the place of is never sent, so its state is never taken away.
constexpr std::size_t most_found = 10'000;

// Refusals that heal by themselves: conflicts, shortages, the server stopping, a lock not had.
bool is_passing(const SqlError &fault) {
  const std::string &state = fault.sqlstate();
  return state.starts_with("40") || state.starts_with("53") || state.starts_with("57") ||
         state == "55P03";
}

}  // namespace

Json acknowledgement(const Settled &settled) {
  Json json = {{"module", settled.module}, {"record_id", settled.record_id}};
  if (!settled.external_id.empty()) json["external_id"] = settled.external_id;
  if (!settled.version.empty()) json["version"] = settled.version;
  return json;
}

Json failure(const Settled &settled) {
  Json json = {{"module", settled.module},
               {"record_id", settled.record_id},
               {"outcome", std::string(to_text(settled.verdict.outcome))},
               {"reason", settled.verdict.reason},
               {"detail", settled.verdict.detail}};
  if (settled.verdict.retry_after.count() > 0)
    json["retry_after"] = settled.verdict.retry_after.count();
  if (settled.verdict.refused_fields) json["refused_fields"] = *settled.verdict.refused_fields;
  return json;
}

Outbox::Outbox(Shared &shared, std::string service)
    : shared_(shared), service_(std::move(service)) {}

// What was found before sending is merged, and the change is handed out again as if it had never
// been. Found a second time it could not be merged: now the attempt counts, and in the end a person
// is asked.
void Outbox::judge_found(Settled &settled) {
  if (!settled.found) {
    found_.erase(settled.record_id);
    return;
  }
  if (found_.size() >= most_found) found_.clear();
  const auto [before, fresh] = found_.try_emplace(settled.record_id);
  if (fresh || before->second.fields != settled.found->fields)
    settled.verdict.outcome = Outcome::release;
  before->second = {settled.found->fields, false};
}

Json Outbox::merged(const std::string &record_id) const {
  const auto found = found_.find(record_id);
  return found != found_.end() && found->second.merged ? found->second.fields : Json();
}

void Outbox::add(std::int64_t org_id, Settled settled) {
  judge_found(settled);
  shared_.metrics.settled(service_, settled.verdict.outcome);
  const Outcome outcome = settled.verdict.outcome;
  if (outcome != Outcome::done) {
    log_event(outcome == Outcome::park ? Severity::warning : Severity::information, "not_delivered",
              {{"service", service_},
               {"org", org_id},
               {"module", settled.module},
               {"record", settled.record_id},
               {"outcome", to_text(outcome)},
               {"reason", settled.verdict.reason},
               {"detail", settled.verdict.detail}});
  }
  pending_[org_id].settled.push_back(std::move(settled));
}

void Outbox::add(std::int64_t org_id, std::vector<ModuleRecords> seen) {
  auto &list = pending_[org_id].seen;
  for (auto &records : seen) list.push_back(std::move(records));
}

void Outbox::flush(Database &database, const std::string &read_started_at) {
  take_back();
  while (!pending_.empty()) {
    const auto first = pending_.begin();
    receive(database, first->first, first->second, read_started_at);
    try {
      tell(database, first->first, first->second.settled, read_started_at);
    } catch (const SqlError &fault) {
      if (is_passing(fault)) throw;
      log_event(Severity::error, "results_refused",
                {{"service", service_},
                 {"org", first->first},
                 {"sqlstate", fault.sqlstate()},
                 {"reason", fault.what()}});
      tell_one_by_one(database, first->first, first->second.settled, read_started_at);
    }
    pending_.erase(first);
  }
}

void Outbox::take_back() {
  if (held_back_.empty() || Clock::now() < tell_again_) return;
  for (auto &[org_id, settled] : std::exchange(held_back_, {})) {
    auto &list = pending_[org_id].settled;
    std::move(settled.begin(), settled.end(), std::back_inserter(list));
  }
}

void Outbox::receive(Database &database, std::int64_t org_id, Pending &pending,
                     const std::string &read_started_at) {
  std::vector<ModuleRecords> seen = pending.seen;
  // The service has the record although a later step of making it failed: its id must not be lost.
  for (const auto &settled : pending.settled) {
    if (settled.verdict.outcome == Outcome::done || !settled.created) continue;
    Record record;
    record.external_id = settled.external_id;
    record.record_id = settled.record_id;
    record.version = settled.version;
    seen.push_back({settled.module, {record}});
  }
  for (const auto &records : seen) (void)receive(database, org_id, records, read_started_at);
  pending.seen.clear();
}

std::vector<std::string> Outbox::receive(Database &database, std::int64_t org_id,
                                         const ModuleRecords &records,
                                         const std::string &read_started_at) {
  std::vector<std::string> again;
  try {
    for (const auto &outcome :
         database.receive(records.module, records.records, read_started_at, org_id)) {
      if (outcome.outcome == "busy" || outcome.outcome == "stale") {
        again.push_back(outcome.external_id);
      } else if (const auto found = found_.find(outcome.record_id); found != found_.end()) {
        found->second.merged = outcome.outcome != "rejected" && outcome.outcome != "held";
      }
      if (outcome.outcome != "rejected") continue;
      log_event(Severity::warning, "record_rejected",
                {{"org", org_id},
                 {"module", records.module},
                 {"external_id", outcome.external_id},
                 {"detail", outcome.detail}});
    }
  } catch (const SqlError &fault) {
    if (is_passing(fault)) throw;
    log_event(Severity::error, "receive_refused",
              {{"org", org_id},
               {"module", records.module},
               {"sqlstate", fault.sqlstate()},
               {"reason", fault.what()}});
  }
  return again;
}

void Outbox::tell(Database &database, std::int64_t org_id, const std::vector<Settled> &settled,
                  const std::string &read_started_at) {
  Json results = Json::array();
  Json failures = Json::array();
  std::map<std::string, std::vector<std::string>> read_again;
  for (const auto &one : settled) {
    if (one.verdict.outcome == Outcome::done) {
      results.push_back(acknowledgement(one));
    } else {
      failures.push_back(failure(one));
    }
    if (one.read_again && !one.external_id.empty())
      read_again[one.module].push_back(one.external_id);
  }
  std::vector<std::string> busy;
  if (!results.empty()) {
    for (const auto &row : database.acknowledge(shared_.lease.id(), results, org_id).second) {
      if (row[2] == "rejected") {
        // What the service said cannot be kept: it is asked again, and in the end a person is.
        for (const auto &one : settled) {
          if (one.record_id != row[1]) continue;
          Settled refused = one;
          refused.verdict = {Outcome::in_doubt, "result_refused", "the database rejected it", {}};
          failures.push_back(failure(refused));
        }
      }
      if (row[2] == "busy") busy.push_back(row[1]);
      if (row[2] == "done" || row[2] == "pending" || row[2] == "busy") continue;
      log_event(Severity::warning, "acknowledged",
                {{"org", org_id}, {"module", row[0]}, {"record", row[1]}, {"outcome", row[2]}});
    }
  }
  if (!failures.empty()) {
    for (const auto &row : database.fail(shared_.lease.id(), failures, org_id).second) {
      if (row[2] == "busy") busy.push_back(row[1]);
    }
  }
  std::map<std::string, ModuleRecords> found;
  for (const auto &one : settled) {
    if (std::find(busy.begin(), busy.end(), one.record_id) != busy.end()) {
      held_back_[org_id].push_back(one);
      tell_again_ = Clock::now() + patience_with_writers;
    } else if (one.found) {
      ModuleRecords &records = found[one.module];
      records.module = one.module;
      records.records.push_back(*one.found);
    }
  }
  // After the failures: what is not under way any more is merged without the thought that it may
  // still arrive.
  for (const auto &[module, records] : found) {
    auto &again = read_again[module];
    for (auto &id : receive(database, org_id, records, read_started_at))
      again.push_back(std::move(id));
  }
  for (const auto &[module, ids] : read_again) {
    if (ids.empty()) continue;
    database.store_notice(service_, "relay", module, ids, "update", "", org_id);
    shared_.bells.ring("notice " + service_);
  }
}

void Outbox::tell_one_by_one(Database &database, std::int64_t org_id,
                             const std::vector<Settled> &settled,
                             const std::string &read_started_at) {
  for (Settled one : settled) {
    try {
      tell(database, org_id, {one}, read_started_at);
      continue;
    } catch (const SqlError &fault) {
      if (is_passing(fault)) throw;
      one.verdict = {Outcome::in_doubt, "result_refused", fault.what(), {}};
    }
    try {
      tell(database, org_id, {one}, read_started_at);
    } catch (const SqlError &fault) {
      if (is_passing(fault)) throw;
      // It stays with this worker's lease and is handed out again when that ends.
      log_event(Severity::error, "result_lost",
                {{"org", org_id},
                 {"module", one.module},
                 {"record", one.record_id},
                 {"reason", fault.what()}});
    }
  }
}

}  // namespace crm_bridge::worker
