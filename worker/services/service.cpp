// SPDX-License-Identifier: PostgreSQL
#include "services/service.hpp"

#include "services/field_value.hpp"
#include "services/kinds.hpp"

namespace crm_bridge::worker {

bool is_used(const Capability &capability, const ServiceSettings &settings) {
  if (capability.contract == "absent") return false;
  return capability.contract != "assumed" || settings.assumed_calls;
}

Json to_json(const std::vector<Capability> &capabilities, const ServiceSettings &settings) {
  Json table = Json::array();
  for (const auto &one : capabilities) {
    table.push_back({{"module", one.module},
                     {"call", one.call},
                     {"how", one.how},
                     {"requests", one.cost},
                     {"contract", one.contract},
                     {"in_use", is_used(one, settings)}});
  }
  return table;
}

std::unique_ptr<Service> make_service(const ServiceSettings &settings) {
  return find_kind(settings.kind)->make(settings);
}

Verdict of_a_look(Verdict verdict) {
  if (verdict.outcome == Outcome::in_doubt) verdict.outcome = Outcome::retry;
  return verdict;
}

Verdict lost_creation(const std::string &service) {
  return {Outcome::park,
          "lost_creation",
          "it was deleted here before " + service +
              " answered its creation: look whether it is there, and delete it by hand",
          {}};
}

bool is_overtaken(const Change &change, const Record &found) {
  // The list that answered is behind: it tells nothing.
  if (is_later(change.version, found.version) || found.fields == change.merged) return false;
  for (const auto &[field, value] : change.fields.items()) {
    const auto now = found.fields.find(field);
    const auto base = change.base.find(field);
    if (now == found.fields.end() || base == change.base.end()) continue;
    if (*now != *base && *now != value) return true;
  }
  return false;
}

Settled overtaken(Settled settled, Record found) {
  settled.verdict = {
      Outcome::retry, "already_modified", "the service has a newer state, of " + found.version, {}};
  settled.found = std::move(found);
  return settled;
}

Json body_or_failure(const HttpResult &result) {
  Verdict verdict = judge(result);
  if (verdict.outcome == Outcome::done) {
    if (result.body.empty()) return {};
    try {
      return parse_json(result.body);
    } catch (const MalformedJson &fault) {
      verdict = {Outcome::retry, "not_json", fault.what(), {}};
    }
  }
  throw ServiceFailure(verdict);
}

}  // namespace crm_bridge::worker
