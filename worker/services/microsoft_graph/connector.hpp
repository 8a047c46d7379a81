// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <vector>

#include "services/service.hpp"

namespace crm_bridge::worker::microsoft_graph {

// Microsoft Graph v1.0 with the application's own right in one tenant: the users of its directory,
// read only.
class Connector final : public Service {
 public:
  std::vector<Capability> capabilities() const override;
  int records_a_request() const override { return 1; }
  Task<Delivered> deliver(Session &session, std::vector<Change> changes) override;
  Task<Page> read_page(Session &session, std::string module, Json cursor) override;
  Task<Reading> read_records(Session &session, std::string module,
                             std::vector<Notice> notices) override;
  Record told_record(const Session &session, const Notice &notice,
                     const Json &values) const override;
  Task<Json> read_fields(Session &session, std::string module) override;
  Task<ChannelState> open_channel(Session &session, ChannelAddress address) override;
  Task<ChannelState> find_channel(Session &session, ChannelAddress address) override;
  std::optional<Webhook> parse_webhook(const Json &body) const override;
  Task<std::vector<Check>> examine(Session &session) override;
};

// The path and query of a link that the service gave (@odata.nextLink, @odata.deltaLink), as they
// stand there; "" for one that leads anywhere but to the configured host and version.
std::string followed(const std::string &link, const std::string &api_url);

// The state behind a delta link is gone: everything has to be read again.
bool must_begin_again(const HttpResult &result);

}  // namespace crm_bridge::worker::microsoft_graph
