// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/settling.hpp"

namespace crm_bridge::worker::zoho_projects {

Settled settle(const Change &change, Verdict verdict) {
  Settled settled;
  settled.module = change.module;
  settled.record_id = change.record_id;
  // A confirmed deletion names no record that the service has.
  if (change.operation != Operation::remove) settled.external_id = change.external_id;
  settled.verdict = std::move(verdict);
  return settled;
}

Delivered only(Settled settled) {
  Delivered delivered;
  delivered.settled.push_back(std::move(settled));
  return delivered;
}

void take_answer(const Session &session, const Change &change, const HttpResult &result,
                 const Place &place, Settled &settled) {
  if (result.body.empty()) return;
  const ModuleInfo *module = session.catalog().module(change.module);
  const Json body =
      record_of(parse_json(result.body), module == nullptr ? std::string{} : module->api_name);
  const Record record = from_service(session.catalog(), change.module, body, place);
  if (settled.external_id.empty()) settled.external_id = record.external_id;
  settled.version = record.version;
}

Verdict switched_off(const char *what) {
  return {Outcome::park,
          "assumed_call",
          std::string(what) +
              " rests on an undocumented call: try it on the real portal, then set assumed_calls = "
              "true",
          {}};
}

}  // namespace crm_bridge::worker::zoho_projects
