// SPDX-License-Identifier: PostgreSQL
#include "services/service.hpp"

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

Verdict already_modified(const Record &found) {
  return {
      Outcome::retry, "already_modified", "the service has a newer state, of " + found.version, {}};
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
