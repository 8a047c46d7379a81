// SPDX-License-Identifier: PostgreSQL
#include "clock.hpp"
#include "sandbox.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

using crm_bridge::sandbox::Options;
using crm_bridge::sandbox::Sandbox;

namespace {

void define(CLI::App &app, Options &options) {
  app.add_option("--accounts-port", options.accounts_port,
                 "port of the accounts server (OAuth); 0 = any free one");
  app.add_option("--crm-port", options.crm_port, "port of Zoho CRM v8; 0 = any free one");
  app.add_option("--projects-port", options.projects_port,
                 "port of Zoho Projects V3; 0 = any free one");
  app.add_option("--bigin-port", options.bigin_port, "port of Bigin v2; 0 = any free one");
  app.add_option("--graph-port", options.graph_port,
                 "port of Microsoft's tokens and Graph v1.0; 0 = any free one");
  app.add_option("--control-port", options.control_port,
                 "port of the tester's controls; 0 = any free one");
  app.add_option("--ready-file", options.ready_file,
                 "written with the addresses, as shell lines, once all ports listen");
  app.add_option("--journal", options.journal,
                 "file to which every accepted effect is appended as a JSON line");
  app.add_flag("--journal-sync", options.journal_sync, "sync the journal before answering");
  app.add_option("--client-id", options.client_id)->capture_default_str();
  app.add_option("--client-secret", options.client_secret)->capture_default_str();
  app.add_option("--refresh-token", options.refresh_token)->capture_default_str();
  app.add_option("--scope", options.scope, "scopes granted, separated by spaces");
  app.add_option("--token-life", options.token_life, "seconds")->capture_default_str();
  app.add_option("--oauth-limit", options.oauth_limit, "access tokens in ten minutes; 0 = no limit")
      ->capture_default_str();
  app.add_option("--oauth-error-status", options.oauth_error_status,
                 "status of token errors, 200 or 400")
      ->capture_default_str();
  app.add_option("--crm-time-zone", options.crm_time_zone, "name of the organization's zone")
      ->capture_default_str();
  app.add_option("--crm-time-zone-offset", options.crm_time_zone_offset)
      ->capture_default_str()
      ->check([](const std::string &text) {
        return crm_bridge::sandbox::parse_zone_offset(text) ? std::string{}
                                                            : "expected an offset such as +05:30";
      });
  app.add_flag("!--without-bridge-field", options.bridge_field,
               "leave out the unique custom field Bridge_Id");
  app.add_option("--crm-concurrency", options.crm_concurrency, "calls in flight; 0 = no limit")
      ->capture_default_str();
  app.add_option("--crm-credits", options.crm_credits, "credits in 24 hours; 0 = no limit")
      ->capture_default_str();
  app.add_option("--bigin-credits", options.bigin_credits,
                 "Bigin's credits in 24 hours; 0 = no limit")
      ->capture_default_str();
  app.add_option("--graph-page", options.graph_page, "users a page")->capture_default_str();
  app.add_option("--graph-units", options.graph_units,
                 "the directory's resource units in ten seconds; 0 = no limit")
      ->capture_default_str();
  app.add_option("--projects-limit", options.projects_limit,
                 "requests for a URL pattern in the window; 0 = no limit")
      ->capture_default_str();
  app.add_option("--projects-window", options.projects_window, "seconds")->capture_default_str();
  app.add_option("--projects-block", options.projects_block, "seconds of lock-out above the limit")
      ->capture_default_str();
  app.add_option("--projects-missing-status", options.projects_missing_status,
                 "status for a missing record, 400 or 404")
      ->capture_default_str();
  app.add_option("--person", options.person,
                 "e-mail of the user who edits through the control port")
      ->capture_default_str();
}

}  // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app{
      "Imitates Zoho accounts, Zoho CRM v8, Zoho Projects V3, Bigin v2 and Microsoft Graph's users "
      "on "
      "loopback, for demo and tests."};
  define(app, options);
  CLI11_PARSE(app, argc, argv);

  // Blocked before any thread starts, so that only the wait below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const Sandbox sandbox{options};
    std::printf("accounts %s\ncrm %s\nprojects %s\nbigin %s\ngraph %s\ncontrol %s\n",
                sandbox.accounts().c_str(), sandbox.crm().c_str(), sandbox.projects().c_str(),
                sandbox.bigin().c_str(), sandbox.graph().c_str(), sandbox.control().c_str());
    std::fflush(stdout);
    int received = 0;
    sigwait(&signals, &received);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "crm-bridge-sandbox: %s\n", error.what());
    return 1;
  }
  return 0;
}
