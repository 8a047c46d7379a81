// SPDX-License-Identifier: PostgreSQL
#include "services/bigin/connector.hpp"

#include "services/credits.hpp"
#include "services/kinds.hpp"

namespace crm_bridge::worker::bigin {
namespace {

zoho_crm::Dialect dialect() {
  zoho_crm::Dialect dialect;
  dialect.kind = "bigin";
  dialect.label = "Bigin";
  dialect.root = "/bigin/v2";
  dialect.newest_first = true;
  dialect.may_not_list_deleted = true;
  dialect.has_queries = false;
  dialect.guards_updates = false;
  // A day is the most that Bigin gives, and the two clocks may differ.
  dialect.channel_life_seconds = 23 * 3600;
  return dialect;
}

std::unique_ptr<Service> make(const ServiceSettings &settings) {
  return std::make_unique<Connector>(settings);
}

}  // namespace

Connector::Connector(const ServiceSettings &settings) : zoho_crm::Connector(settings, dialect()) {}

std::vector<Capability> Connector::capabilities() const {
  constexpr const char *documented = "documented";
  constexpr const char *observed = "observed";
  const std::string safe =
      bridge_field().empty()
          ? "not safe: no bridge_field is configured, so a lost answer leaves the record in doubt"
          : "carries our id in the unique field " + bridge_field() +
                ", so that a second attempt finds the first";
  std::vector<Capability> table;
  table.push_back({"bigin_user", "find changes", "list of all users with If-Modified-Since",
                   "1 for 200, at least 1 a poll", observed});
  for (const char *module : {"bigin_company", "bigin_contact"}) {
    table.push_back(
        {module, "create", "POST, up to 100 records; " + safe, "1 for 100", documented});
    table.push_back({module, "update",
                     "PUT, up to 100 records; after a look at what they would overwrite",
                     "2 for 100", documented});
    table.push_back({module, "delete", "DELETE ?ids=, up to 100; into the recycle bin", "1 for 100",
                     documented});
    table.push_back({module, "find changes",
                     "list by Modified_Time, newest first, back to the last poll",
                     "1 for 200, at least 1 a poll; as often again for every 50 fields", observed});
    table.push_back({module, "find deletions",
                     "/deleted where Bigin has it; otherwise known records are asked for by id, "
                     "500 a poll",
                     "1 for 200, or 1 for 100 known and 1 for each that is missing", observed});
    table.push_back({module, "notifications",
                     "/actions/watch, a channel of a day; what it names is read again",
                     "1 for 100 named records", documented});
  }
  return table;
}

extern const ServiceKind kind;
const ServiceKind kind{.name = "bigin",
                       .make = make,
                       .demand = credits_of,
                       .window = std::chrono::hours{24},
                       .has_bridge_field = true};

}  // namespace crm_bridge::worker::bigin
