// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../crm/service.hpp"
#include "../graph/service.hpp"
#include "../projects/service.hpp"

#include <string>

namespace crm_bridge::sandbox::control {

// The port of the tester: what a person would do in the services' screens, and what goes wrong.
// No client of the services knows it.
class Service : public Endpoint {
 public:
  Service(const Options &options, Clock &clock, RequestLog &log, Faults &faults, Webhooks &webhooks,
          Accounts &accounts, crm::Service &crm, projects::Service &projects, crm::Service &bigin,
          graph::Service &graph)
      : options_{options},
        clock_{clock},
        log_{log},
        faults_{faults},
        webhooks_{webhooks},
        accounts_{accounts},
        crm_{crm},
        projects_{projects},
        bigin_{bigin},
        graph_{graph} {}

  Answer handle(const Call &call) override;

 private:
  Answer requests(const Call &call);
  Answer faults(const Call &call, const Json &body);
  Answer crm(crm::Service &crm, const Call &call, const Json &body);
  Answer projects(const Call &call, const Json &body);
  std::string person(const Call &call) const {
    return call.has("person") ? call.parameter("person") : options_.person;
  }

  const Options &options_;
  Clock &clock_;
  RequestLog &log_;
  Faults &faults_;
  Webhooks &webhooks_;
  Accounts &accounts_;
  crm::Service &crm_;
  projects::Service &projects_;
  crm::Service &bigin_;
  graph::Service &graph_;
};

// Reads the CSV files of the "crm-sales" data set into the CRM, as an import in the service would:
// without callbacks.  Returns counts, or {"error": ...}.
Json import_crm_sales(const std::string &directory, crm::Service &crm);

}  // namespace crm_bridge::sandbox::control
