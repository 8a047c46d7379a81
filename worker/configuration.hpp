// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mail/smtp.hpp"

namespace crm_bridge::worker {

class ConfigurationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Why a connection through PgBouncer and its like will not do.
constexpr const char *through_proxy =
    "the database is reached through a pooling proxy: LISTEN, leases and prepared statements need "
    "a "
    "session of their own; let [database] conninfo name the server itself, apps may use the proxy";

struct WorkerSettings {
  std::string name;  // shown beside leases; host and process id if not given
  std::string secret_key_file;
  std::chrono::milliseconds lease{10000};  // how soon others take over what a dead worker held
  std::chrono::milliseconds poll_interval{60000};  // between two delta reads of a service
  std::chrono::milliseconds idle_interval{
      1000};  // between two looks for outbound work when nothing rings
  std::chrono::milliseconds request_timeout{60000};
};

// An HTTP server of ours: the webhook receiver or the status page.
struct ListenSettings {
  std::string listen = "127.0.0.1";
  int port = 0;  // 0: the kernel chooses; then port_file tells
  std::string port_file;
  std::string public_url;  // receiver: what the services can reach; empty: no notification channels
};

struct ServiceSettings {
  std::string kind;  // zoho_crm, zoho_projects, bigin, office365
  std::string accounts_url;
  std::string api_url;
  int concurrency = 8;  // requests under way at once
  // Of one URL pattern (for the CRM: credits of all calls); 0: no limit; none: what the database
  // knows of the service.
  std::optional<int> requests_per_window{};
  std::chrono::milliseconds window{120000};
  int tokens_per_window = 10;  // access tokens in ten minutes, of all workers together; 0: no limit
  std::string bridge_field = "Bridge_Id";  // zoho_crm, bigin: our unique custom field; empty: none
  bool assumed_calls = false;              // make calls whose contract no document confirms
  bool read_before_write = true;  // an update for which the service has no condition is preceded by
                                  // a look at what it would overwrite
  std::chrono::milliseconds sweep_interval{60000};  // zoho_projects: between two steps of a sweep
  std::string webhook_path;   // zoho_projects: replaces the derived secret path
  std::string webhook_token;  // zoho_projects: replaces the derived token
};

struct MailSettings {
  SmtpSettings smtp;
  std::string from;  // as mail_address gives it
  std::string from_name = "crm_bridge";
};

struct Configuration {
  std::string conninfo;
  WorkerSettings worker;
  std::optional<ListenSettings> receiver;
  std::optional<ListenSettings> status;
  std::optional<MailSettings> mail;  // none: mails stay queued
  std::vector<ServiceSettings> services;

  const ServiceSettings *service(std::string_view kind) const;
};

// Throws ConfigurationError with the file, the line and what is wrong.  An unknown key is an error:
// it is a misspelt one.
Configuration load_configuration(const std::string &file);

// "250ms", "10s", "2m", "1h".
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace crm_bridge::worker
