// SPDX-License-Identifier: PostgreSQL
#include "status/page.hpp"

#include <httplib.h>

#include <algorithm>

namespace crm_bridge::worker {
namespace {

std::string escaped(const std::string &text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// Code points, not bytes: what a column takes on a terminal, near enough.
std::size_t width_of(const std::string &text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string page(Shared &shared) {
  std::string html =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>crm-bridge</title>"
      "<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
      "td,th{border:1px solid #ccc;padding:.2em "
      ".6em;text-align:left}</style></head><body><h1>crm-bridge</h1>";
  html += "<p>" + escaped(shared.configuration.worker.name) +
          ", version " CRM_BRIDGE_VERSION ", database " +
          (shared.metrics.database_reachable() ? "reachable" : "<b>not reachable</b>") + "</p>";
  try {
    Database database(shared.configuration.conninfo, "status page");
    for (const auto &[title, table] : status_tables(shared.configuration, database)) {
      html += "<h2>" + title + "</h2>" + html_table(table);
    }
  } catch (const std::exception &) {
    // What exactly went wrong is in the log, not on a page that anybody may see.
    html += "<p><b>The database does not answer.</b></p>";
  }
  return html + "<p><a href=\"/metrics\">metrics</a></p></body></html>";
}

}  // namespace

std::vector<std::pair<std::string, ResultTable>> status_tables(const Configuration &configuration,
                                                               Database &database) {
  ResultTable services{
      {"service", "organization", "name", "state", "portal", "outbound", "webhooks"}, {}};
  for (const auto &settings : configuration.services) {
    const auto due = database.backlog(settings.kind);
    const auto noticed = database.notice_backlog(settings.kind);
    const auto waiting = [](const std::vector<std::int64_t> &list, std::int64_t org_id) {
      return std::find(list.begin(), list.end(), org_id) == list.end() ? "-" : "waiting";
    };
    for (const auto &organization : database.worker_organizations(settings.kind)) {
      services.second.push_back({settings.kind, std::to_string(organization.org_id),
                                 organization.name, organization.state, organization.portal_id,
                                 waiting(due, organization.org_id),
                                 waiting(noticed, organization.org_id)});
    }
  }
  std::vector<std::pair<std::string, ResultTable>> tables{{"services", services}};
  for (const char *view : {"integration_overview", "sync_backlog", "quota_status"}) {
    try {
      tables.emplace_back(view, database.read_view(view));
    } catch (const SqlError &fault) {
      if (fault.sqlstate() != "42501") throw;
    }
  }
  return tables;
}

std::string text_table(const ResultTable &table) {
  std::vector<std::size_t> widths;
  for (const auto &name : table.first) widths.push_back(width_of(name));
  for (const auto &row : table.second) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const auto line = [&](const std::vector<std::string> &cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += cells[i];
      if (i + 1 < cells.size()) text += std::string(widths[i] - width_of(cells[i]) + 2, ' ');
    }
    return text + "\n";
  };
  std::string text = line(table.first);
  for (const auto &row : table.second) text += line(row);
  if (table.second.empty()) text += "(nothing)\n";
  return text;
}

std::string html_table(const ResultTable &table) {
  std::string html = "<table><tr>";
  for (const auto &name : table.first) html += "<th>" + escaped(name) + "</th>";
  html += "</tr>";
  for (const auto &row : table.second) {
    html += "<tr>";
    for (const auto &cell : row) html += "<td>" + escaped(cell) + "</td>";
    html += "</tr>";
  }
  return html + "</table>";
}

std::unique_ptr<ListeningServer> start_status_page(Shared &shared, const ListenSettings &settings) {
  auto server = std::make_unique<httplib::Server>();
  server->Get("/", [&shared](const httplib::Request &, httplib::Response &response) {
    response.set_content(page(shared), "text/html; charset=utf-8");
  });
  server->Get("/metrics", [&shared](const httplib::Request &, httplib::Response &response) {
    response.set_content(shared.metrics.text(), "text/plain; version=0.0.4");
  });
  server->Get("/healthz", [&shared](const httplib::Request &, httplib::Response &response) {
    const bool good = shared.metrics.database_reachable() && shared.lease.fresh();
    response.status = good ? 200 : 503;
    response.set_content(good ? "ok\n" : "the database is not reachable\n", "text/plain");
  });
  return std::make_unique<ListeningServer>(std::move(server), settings, "status page");
}

}  // namespace crm_bridge::worker
