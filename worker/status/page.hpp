// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "database.hpp"
#include "receive/receiver.hpp"

namespace crm_bridge::worker {

// "/" for people, "/metrics" for Prometheus, "/healthz" for a supervisor: 200 while the heartbeat
// reaches the database.
std::unique_ptr<ListeningServer> start_status_page(Shared &shared, const ListenSettings &settings);

// What there is to tell, table by table: the organizations of each service with what is due, and
// the views of the database that the role may read (a worker's role may read none).
std::vector<std::pair<std::string, ResultTable>> status_tables(const Configuration &configuration,
                                                               Database &database);

// A table for a terminal.
std::string text_table(const ResultTable &table);
// The same as HTML; every value is escaped.
std::string html_table(const ResultTable &table);

}  // namespace crm_bridge::worker
