// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <string>

namespace crm_bridge::sandbox {

// What can be chosen when the sandbox starts.  The defaults are the services' own published limits,
// so that a worker that respects them here respects them there.  A limit of 0 means none.
struct Options {
  int accounts_port = 0;
  int crm_port = 0;
  int projects_port = 0;
  int bigin_port = 0;
  int graph_port = 0;
  int control_port = 0;
  std::string ready_file;

  std::string journal;
  bool journal_sync = false;

  std::string client_id = "1000.SANDBOXCLIENT";
  std::string client_secret = "sandbox-secret";
  std::string refresh_token = "1000.sandbox-refresh";
  std::string scope =
      "ZohoCRM.modules.ALL ZohoCRM.settings.ALL ZohoCRM.users.READ ZohoCRM.org.READ "
      "ZohoCRM.coql.READ ZohoCRM.notifications.ALL ZohoSearch.securesearch.READ "
      "ZohoProjects.portals.READ ZohoProjects.projects.ALL ZohoProjects.tasklists.ALL "
      "ZohoProjects.tasks.ALL ZohoProjects.users.ALL ZohoProjects.clients.ALL "
      "ZohoProjects.custom_fields.READ ZohoBigin.modules.ALL ZohoBigin.settings.ALL "
      "ZohoBigin.users.READ ZohoBigin.org.READ ZohoBigin.notifications.ALL";
  std::int64_t token_life = 3600;  // seconds
  std::int64_t oauth_limit = 10;   // access tokens per refresh token in ten minutes
  int oauth_error_status = 200;    // both 200 and 400 have been seen

  std::string crm_time_zone = "Asia/Kolkata";
  std::string crm_time_zone_offset = "+05:30";
  bool bridge_field = true;
  std::int64_t crm_concurrency = 20;  // calls in flight, Enterprise
  std::int64_t crm_credits = 53000;   // in 24 hours, Enterprise with three users

  std::int64_t projects_limit = 100;   // requests for a URL pattern ...
  std::int64_t projects_window = 120;  // ... in so many seconds ...
  std::int64_t projects_block = 1800;  // ... or this long a lock-out
  int projects_missing_status = 400;   // no source settles what a missing record answers

  std::int64_t bigin_credits = 50750;  // in 24 hours, a paid edition with three users

  std::string tenant = "zylker.example";  // of Office 365
  std::string graph_client_id = "1c9d5a40-7d4e-4a51-9f0e-2f4c11c0ffee";
  std::string graph_client_secret = "graph-secret";
  std::int64_t graph_page = 100;      // users a page of a delta
  std::int64_t graph_units = 3500;    // resource units in ten seconds; 0 = no limit
  std::int64_t graph_delta_days = 7;  // life of a delta link

  std::string person = "alicia.reyes@example.com";  // who edits through the control port
};

}  // namespace crm_bridge::sandbox
