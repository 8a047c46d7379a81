// SPDX-License-Identifier: PostgreSQL
#include "services/field_value.hpp"
#include "services/zoho_crm/connector.hpp"
#include "services/zoho_crm/results.hpp"
#include "services/zoho_crm/translation.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

// The CRM's times have no fractions: behind a version of a moment ago another edit of the same
// second may hide, until its webhook has been followed up.
constexpr long long young_for_seconds = 5;
bool is_young(const std::string &version) {
  return seconds_between(now_in_utc(), version) < young_for_seconds;
}

std::string api_name_of(const Session &session, const std::string &module) {
  const ModuleInfo *info = session.catalog().module(module);
  return info == nullptr ? std::string{} : info->api_name;
}

Json write_body(const Session &session, const std::vector<Change> &changes,
                const std::string &bridge_field) {
  Json data = Json::array();
  for (const auto &change : changes)
    data.push_back(to_service(session.catalog(), change, bridge_field));
  return {{"data", std::move(data)}, {"trigger", Json::array()}};
}

}  // namespace

std::string Connector::bridge_field_of(const Session &session, const std::string &module) const {
  const ModuleInfo *info = session.catalog().module(module);
  return info != nullptr && info->creatable && !is_note(module) ? bridge_field_ : std::string{};
}

Task<Delivered> Connector::deliver(Session &session, std::vector<Change> changes) {
  Delivered delivered;
  if (api_name_of(session, changes.front().module).empty()) {
    for (const auto &change : changes) {
      delivered.settled.push_back(
          settle(change, {Outcome::park, "unknown_module", change.module, {}}));
    }
    co_return delivered;
  }
  if (!assumed_calls_) {
    std::vector<Change> borne_out;
    for (auto &change : changes) {
      if (moves_a_note(session, change)) {
        delivered.settled.push_back(
            settle(change, {Outcome::park,
                            "assumed_call",
                            "moving a note to another record rests on an undocumented call: try it "
                            "on the real CRM, then set assumed_calls = true",
                            {}}));
      } else {
        borne_out.push_back(std::move(change));
      }
    }
    changes = std::move(borne_out);
    if (changes.empty()) co_return delivered;
  }
  switch (changes.front().operation) {
    case Operation::create:
      delivered = co_await create(session, std::move(changes));
      break;
    case Operation::update: {
      std::vector<Settled> settled = co_await update(session, std::move(changes));
      for (auto &one : settled) delivered.settled.push_back(std::move(one));
      break;
    }
    case Operation::remove:
      delivered.settled = co_await remove(session, std::move(changes));
      break;
  }
  co_return delivered;
}

Task<Delivered> Connector::create(Session &session, std::vector<Change> changes) {
  Delivered delivered;
  const std::string bridge_field = bridge_field_of(session, changes.front().module);
  std::map<std::string, std::string> found;
  std::vector<Change> doubtful;
  for (const auto &change : changes) {
    if (change.in_doubt) doubtful.push_back(change);
  }
  // Without a query the unique field alone decides: a second attempt finds the first.
  if (!doubtful.empty() && (dialect_.has_queries || bridge_field.empty())) {
    // Not as one conditional expression: g++ 12 destroys what is awaited there twice.
    HttpResult result;
    if (is_note(changes.front().module)) {
      result = co_await look_up_notes(session, doubtful, found);
    } else {
      result = co_await look_up(session, doubtful, found);
    }
    const Verdict verdict = judge(result);
    if (verdict.outcome != Outcome::done) {
      // Still not known: only those that were certain before may go on.
      std::vector<Change> certain;
      for (auto &change : changes) {
        if (!change.in_doubt) {
          certain.push_back(std::move(change));
          continue;
        }
        delivered.settled.push_back(settle(
            change, {Outcome::in_doubt, verdict.reason, verdict.detail, verdict.retry_after}));
      }
      changes = std::move(certain);
    }
  }
  std::vector<Change> fresh;
  std::vector<Change> existing;
  for (auto &change : changes) {
    const auto known = found.find(change.record_id);
    if (known == found.end()) {
      fresh.push_back(std::move(change));
    } else {
      change.external_id = known->second;
      existing.push_back(std::move(change));
    }
  }
  if (!fresh.empty()) {
    ApiCall call;
    call.method = "POST";
    call.path = dialect_.root + "/" + api_name_of(session, fresh.front().module);
    call.body = write_body(session, fresh, bridge_field);
    call.repeatable = !bridge_field.empty();
    const HttpResult result = co_await session.send(std::move(call));
    std::vector<std::string> duplicates;
    std::vector<Settled> settled = read_results(fresh, result, bridge_field, duplicates);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      if (duplicates[i].empty()) {
        delivered.settled.push_back(std::move(settled[i]));
      } else {
        fresh[i].external_id = duplicates[i];
        existing.push_back(std::move(fresh[i]));
      }
    }
  }
  if (!existing.empty()) {
    // Made by an earlier attempt, perhaps with older values: bring them up to what is being sent
    // now.
    for (auto &change : existing) {
      change.operation = Operation::update;
      change.version.clear();
    }
    std::vector<Settled> settled = co_await update(session, std::move(existing));
    for (auto &one : settled) {
      one.created = true;
      delivered.settled.push_back(std::move(one));
    }
  }
  co_return delivered;
}

Task<HttpResult> Connector::look_up(Session &session, std::vector<Change> changes,
                                    std::map<std::string, std::string> &found) {
  if (bridge_field_.empty()) {
    HttpResult impossible;
    impossible.transport = Transport::withheld;
    impossible.error = "no bridge_field is configured, so a lost create cannot be looked up";
    co_return impossible;
  }
  std::string ids;
  for (const auto &change : changes) ids += (ids.empty() ? "'" : ",'") + change.record_id + "'";
  ApiCall call;
  call.method = "POST";
  call.path = dialect_.root + "/coql";
  call.body = {{"select_query", "select id, " + bridge_field_ + " from " +
                                    api_name_of(session, changes.front().module) + " where " +
                                    bridge_field_ + " in (" + ids + ") limit 0, 200"}};
  HttpResult result = co_await session.send(std::move(call));
  if (result.ok() && !result.body.empty()) {
    try {
      const Json body = parse_json(result.body);
      if (const Json *data = find(body, "data"); data != nullptr && data->is_array()) {
        for (const auto &row : *data)
          found[scalar_text(row, bridge_field_)] = scalar_text(row, "id");
      }
    } catch (const MalformedJson &fault) {
      result.transport = Transport::lost;
      result.error = fault.what();
    }
  }
  co_return result;
}

Task<std::vector<Settled>> Connector::update(Session &session, std::vector<Change> changes) {
  const std::string module = changes.front().module;
  // The guard speaks of one record; on a batch its meaning is not documented.
  const bool guarded = dialect_.guards_updates && changes.size() == 1 && !is_note(module);
  std::vector<Settled> all;
  if (read_before_write_ && !is_note(module) && (!guarded || is_young(changes.front().version))) {
    all = co_await look_before_writing(session, changes);
    if (changes.empty()) co_return all;
  }
  ApiCall call;
  call.method = "PUT";
  call.path = dialect_.root + "/" + api_name_of(session, module);
  call.body = write_body(session, changes, {});
  if (const std::string guard = whole_seconds(changes.front().version); guarded && !guard.empty())
    call.headers.push_back("If-Unmodified-Since: " + guard);
  const HttpResult result = co_await session.send(std::move(call));
  std::vector<std::string> duplicates;
  for (auto &settled : read_results(changes, result, {}, duplicates)) {
    if (settled.read_again) co_await look_again(session, module, settled);
    all.push_back(std::move(settled));
  }
  co_return all;
}

Task<std::vector<Settled>> Connector::look_before_writing(Session &session,
                                                          std::vector<Change> &changes) {
  std::vector<Settled> settled;
  std::string ids;
  for (const auto &change : changes) {
    if (!change.version.empty()) ids += (ids.empty() ? "" : ",") + change.external_id;
  }
  if (ids.empty()) co_return settled;
  std::map<std::string, Record> there;
  Verdict verdict;
  try {
    for (auto &record : co_await read_ids(session, changes.front().module, ids))
      there[record.external_id] = std::move(record);
  } catch (const ServiceFailure &fault) {
    verdict = of_a_look(fault.verdict());
  }
  // Who may not read may be allowed to write: the service says so itself.
  if (verdict.outcome == Outcome::park || verdict.outcome == Outcome::gone) co_return settled;
  std::vector<Change> known;
  for (auto &change : changes) {
    const auto found = there.find(change.external_id);
    if (verdict.outcome != Outcome::done) {
      settled.push_back(settle(change, verdict));
    } else if (found != there.end() && is_overtaken(change, found->second)) {
      settled.push_back(overtaken(settle(change, {}), std::move(found->second)));
    } else {
      // Whoever changed other fields is no obstacle to the guard.
      if (found != there.end()) change.version = later(found->second.version, change.version);
      known.push_back(std::move(change));
    }
  }
  changes = std::move(known);
  co_return settled;
}

Task<void> Connector::look_again(Session &session, std::string module, Settled &settled) {
  try {
    for (auto &record : co_await read_ids(session, std::move(module), settled.external_id)) {
      settled.found = std::move(record);
      settled.read_again = false;
    }
  } catch (const ServiceFailure &) {
    // It stays to be read again.
  }
}

// Records that were deleted here before the answer to their creation came: they may be there.
Task<std::vector<Settled>> Connector::find_lost(Session &session, std::vector<Change> &changes) {
  std::vector<Settled> settled;
  std::vector<Change> lost;
  std::vector<Change> known;
  for (auto &change : changes)
    (change.external_id.empty() ? lost : known).push_back(std::move(change));
  changes = std::move(known);
  if (lost.empty()) co_return settled;
  std::map<std::string, std::string> found;
  Verdict verdict = lost_creation(dialect_.label);
  if (dialect_.has_queries && !bridge_field_of(session, lost.front().module).empty()) {
    const HttpResult result = co_await look_up(session, lost, found);
    verdict = of_a_look(judge(result));
    if (verdict.outcome == Outcome::done)
      verdict = {Outcome::gone, "not_found", "its creation never arrived", {}};
  }
  for (auto &change : lost) {
    if (const auto there = found.find(change.record_id); there != found.end()) {
      change.external_id = there->second;
      changes.push_back(std::move(change));
    } else {
      settled.push_back(settle(change, verdict));
    }
  }
  co_return settled;
}

Task<std::vector<Settled>> Connector::remove(Session &session, std::vector<Change> changes) {
  std::vector<Settled> all = co_await find_lost(session, changes);
  if (changes.empty()) co_return all;
  std::string ids;
  for (const auto &change : changes) ids += (ids.empty() ? "" : ",") + change.external_id;
  ApiCall call;
  call.method = "DELETE";
  call.path = dialect_.root + "/" + api_name_of(session, changes.front().module);
  call.query = {{"ids", ids}};
  if (!is_note(changes.front().module)) call.query.emplace_back("wf_trigger", "false");
  const HttpResult result = co_await session.send(std::move(call));
  std::vector<std::string> duplicates;
  for (auto &settled : read_results(changes, result, {}, duplicates))
    all.push_back(std::move(settled));
  co_return all;
}

}  // namespace crm_bridge::worker::zoho_crm
