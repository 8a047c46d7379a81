// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "configuration.hpp"
#include "protocol.hpp"
#include "services/session.hpp"

namespace crm_bridge::worker {

// One line of a connector's table of capabilities, shown by `doctor` and kept in the database.
struct Capability {
  std::string module;
  std::string call;      // create, update, delete, find changes, find deletions, …
  std::string how;       // of a create also how it is made safe to repeat
  std::string cost;      // in requests
  std::string contract;  // documented, observed, assumed, absent
};

// A request for reading did not work out.
class ServiceFailure : public std::runtime_error {
 public:
  explicit ServiceFailure(const Verdict &verdict)
      : std::runtime_error(verdict.reason + ": " + verdict.detail), verdict_(verdict) {}
  const Verdict &verdict() const { return verdict_; }

 private:
  Verdict verdict_;
};

// What delivering a batch brought: one entry for each change, and records that turned up on the way
// (a task list made for the first task of a project) and must be known before the results are told.
struct Delivered {
  std::vector<Settled> settled{};
  std::vector<ModuleRecords> seen{};
};

// One step of a delta read.  `cursor` is where the next step begins.
struct Page {
  std::vector<ModuleRecords> records{};
  std::vector<Listing> listings{};
  Json cursor{};
  bool more = false;
  bool unfinished = false;  // of a read that goes on at the next poll: its run stays open
  std::optional<std::int64_t> expected{};  // how many there are in all, when the service says so
};

struct Reading {
  std::vector<ModuleRecords> records{};
  std::vector<Listing> listings{};
  std::vector<std::string>
      poll{};  // modules that must be polled because a record cannot be addressed
};

// A webhook as its service writes it.
struct Webhook {
  std::string api_module;
  std::vector<std::string> external_ids;
  std::string event;  // insert, update, delete
  std::string channel;
  std::string token;
  Json context{};  // where the record lives, as far as the body says so
  Json told{};     // {"at", "values": {id: {field: value}}}: what the records were given, likewise
};

struct ChannelAddress {
  std::string notify_url;
  std::string token;
  std::string channel_id;
  std::string now;  // by the database's clock: what the channel's life is counted from
};

// A channel as its service has it.
struct ChannelState {
  bool possible = true;  // false: the service has no call for it, a person sets it up
  bool open = false;
  std::string expires_at{};  // "" if the service does not say
};

// One check of `doctor`.
struct Check {
  std::string subject;
  bool good = false;
  std::string finding;
  std::string remedy{};
};

// A connector: everything that is particular to one service.  It may cache what it learns, so each
// thread has its own.
class Service {
 public:
  virtual ~Service() = default;

  virtual std::vector<Capability> capabilities() const = 0;
  // How many records of one module and operation a request takes.
  virtual int records_a_request() const = 0;
  // Sends changes of one module and operation, at most records_a_request() of them.
  virtual Task<Delivered> deliver(Session &session, std::vector<Change> changes) = 0;
  // Reads what changed since `cursor` (null: everything), one page.  Throws ServiceFailure.
  virtual Task<Page> read_page(Session &session, std::string module, Json cursor) = 0;
  // Reads these records again.  A record that is not there is reported as deleted only if its
  // notice said so (delete) or a list did not show it either (missing): a service may answer from
  // before a creation.
  virtual Task<Reading> read_records(Session &session, std::string module,
                                     std::vector<Notice> notices) = 0;
  // Modules that `refresh_portals` reads.
  virtual std::vector<std::string> portal_modules() const { return {}; }
  // Values that a webhook told, as a record that has nothing else.
  virtual Record told_record(const Session &session, const Notice &notice,
                             const Json &values) const = 0;
  // The organization's own fields of a module, for store_fields; null if the service does not tell.
  virtual Task<Json> read_fields(Session &session, std::string module) = 0;
  // Asks the service to notify `address` for a while, or for longer.  Throws ServiceFailure.
  virtual Task<ChannelState> open_channel(Session &session, ChannelAddress address) = 0;
  // Whether the service still has the channel.  Throws ServiceFailure.
  virtual Task<ChannelState> find_channel(Session &session, ChannelAddress address) = 0;
  // nullopt if the body is not one of this service's.
  virtual std::optional<Webhook> parse_webhook(const Json &body) const = 0;
  virtual Task<std::vector<Check>> examine(Session &session) = 0;
};

// Whether a call is made: what is absent from the contract never is, what is only assumed by
// configuration.
bool is_used(const Capability &capability, const ServiceSettings &settings);

// As store_capabilities takes them.
Json to_json(const std::vector<Capability> &capabilities, const ServiceSettings &settings);

// The connector of a configured service.
std::unique_ptr<Service> make_service(const ServiceSettings &settings);

// What a request that only looked says of the write that was to follow: nothing was written yet.
Verdict of_a_look(Verdict verdict);

// Of a deletion of a record whose creation may or may not have arrived, and that cannot be looked
// up.
Verdict lost_creation(const std::string &service);

// Whether `found` holds, in a field that the change writes, what the database does not know: it
// would be overwritten unread.
bool is_overtaken(const Change &change, const Record &found);
// What becomes of such a change: it is not sent, and `found` is merged first.
Settled overtaken(Settled settled, Record found);

// The body of a good answer as JSON, null for an empty one; otherwise throws ServiceFailure.
Json body_or_failure(const HttpResult &result);

}  // namespace crm_bridge::worker
