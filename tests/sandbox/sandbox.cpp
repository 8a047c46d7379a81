// SPDX-License-Identifier: PostgreSQL
#include "sandbox.hpp"

#include "bigin/service.hpp"
#include "control/service.hpp"
#include "crm/service.hpp"
#include "graph/service.hpp"
#include "listener.hpp"
#include "projects/service.hpp"

#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace crm_bridge::sandbox {

namespace {

crm::Dialect crm_dialect(const Options &options) {
  crm::Dialect dialect;
  dialect.concurrency = options.crm_concurrency;
  dialect.heavy_concurrency = 10;
  dialect.credits = options.crm_credits;
  return dialect;
}

}  // namespace

struct Sandbox::Parts {
  explicit Parts(Options chosen)
      : options{std::move(chosen)},
        journal{options.journal, options.journal_sync},
        webhooks{log},
        accounts{options, clock, log, faults},
        crm{crm_dialect(options), options, clock, accounts, log, faults, webhooks, journal},
        projects{options, clock, accounts, log, faults, webhooks, journal},
        bigin{bigin::dialect(options), options, clock, accounts, log, faults, webhooks, journal},
        graph{options, clock, log, faults},
        control{options, clock, log, faults, webhooks, accounts, crm, projects, bigin, graph},
        accounts_listener{"accounts", accounts, log, faults, true},
        crm_listener{"crm", crm, log, faults, true},
        projects_listener{"projects", projects, log, faults, true},
        bigin_listener{"bigin", bigin, log, faults, true},
        graph_listener{"graph", graph, log, faults, true},
        control_listener{"control", control, log, faults, false} {}

  const Options options;
  Clock clock;
  RequestLog log;
  Faults faults;
  Journal journal;
  Webhooks webhooks;
  Accounts accounts;
  crm::Service crm;
  projects::Service projects;
  crm::Service bigin;
  graph::Service graph;
  control::Service control;
  Listener accounts_listener;
  Listener crm_listener;
  Listener projects_listener;
  Listener bigin_listener;
  Listener graph_listener;
  Listener control_listener;
  std::string accounts_address;
  std::string crm_address;
  std::string projects_address;
  std::string bigin_address;
  std::string graph_address;
  std::string control_address;
};

Sandbox::Sandbox(Options options) : parts_{std::make_unique<Parts>(std::move(options))} {
  Parts &parts = *parts_;
  parts.accounts_address = parts.accounts_listener.bind(parts.options.accounts_port);
  parts.crm_address = parts.crm_listener.bind(parts.options.crm_port);
  parts.projects_address = parts.projects_listener.bind(parts.options.projects_port);
  parts.bigin_address = parts.bigin_listener.bind(parts.options.bigin_port);
  parts.graph_address = parts.graph_listener.bind(parts.options.graph_port);
  parts.graph.set_address(parts.graph_address);
  parts.control_address = parts.control_listener.bind(parts.options.control_port);
  parts.accounts.set_api_domain(parts.crm_address);
  parts.accounts_listener.start();
  parts.crm_listener.start();
  parts.projects_listener.start();
  parts.bigin_listener.start();
  parts.graph_listener.start();
  parts.control_listener.start();
  if (parts.options.ready_file.empty()) return;
  // Written beside and renamed, so that whoever waits for the file never reads half of it.
  const std::string draft = parts.options.ready_file + ".new";
  std::ofstream file{draft};
  file << "SANDBOX_ACCOUNTS=" << parts.accounts_address << "\nSANDBOX_CRM=" << parts.crm_address
       << "\nSANDBOX_PROJECTS=" << parts.projects_address
       << "\nSANDBOX_BIGIN=" << parts.bigin_address << "\nSANDBOX_GRAPH=" << parts.graph_address
       << "\nSANDBOX_CONTROL=" << parts.control_address << "\n";
  file.close();
  if (!file || std::rename(draft.c_str(), parts.options.ready_file.c_str()) != 0) {
    throw std::runtime_error{"could not write " + parts.options.ready_file};
  }
}

Sandbox::~Sandbox() {
  Parts &parts = *parts_;
  parts.faults.stop();
  parts.accounts_listener.stop();
  parts.crm_listener.stop();
  parts.projects_listener.stop();
  parts.bigin_listener.stop();
  parts.graph_listener.stop();
  parts.control_listener.stop();
  parts.webhooks.stop();
}

const std::string &Sandbox::accounts() const { return parts_->accounts_address; }
const std::string &Sandbox::crm() const { return parts_->crm_address; }
const std::string &Sandbox::projects() const { return parts_->projects_address; }
const std::string &Sandbox::bigin() const { return parts_->bigin_address; }
const std::string &Sandbox::graph() const { return parts_->graph_address; }
const std::string &Sandbox::control() const { return parts_->control_address; }

}  // namespace crm_bridge::sandbox
