// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "services/service.hpp"
#include "services/zoho_crm/dialect.hpp"

namespace crm_bridge::worker::zoho_crm {

// Notes take no custom fields, send no notifications, and are listed neither since an instant nor,
// as far as anybody documents, when they were deleted.
bool is_note(std::string_view module);

// Zoho CRM v8.  Creates carry the record's own id in a unique custom field, so that a create whose
// answer was lost finds itself again.  No write starts a workflow (`trigger: []`).
class Connector : public Service {
 public:
  explicit Connector(const ServiceSettings &settings, Dialect dialect = {})
      : dialect_(std::move(dialect)),
        bridge_field_(settings.bridge_field),
        assumed_calls_(settings.assumed_calls),
        read_before_write_(settings.read_before_write) {}

  std::vector<Capability> capabilities() const override;
  int records_a_request() const override { return 100; }
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

 protected:
  const std::string &bridge_field() const { return bridge_field_; }

 private:
  // writing.cpp
  Task<Delivered> create(Session &session, std::vector<Change> changes);
  Task<std::vector<Settled>> update(Session &session, std::vector<Change> changes);
  // Looks at what updates would overwrite, and takes away from `changes` those that are settled by
  // what was found.
  Task<std::vector<Settled>> look_before_writing(Session &session, std::vector<Change> &changes);
  // Reads what a guarded write ran into.
  Task<void> look_again(Session &session, std::string module, Settled &settled);
  // Takes away from deletions those of records whose id nobody knows, or finds it.
  Task<std::vector<Settled>> find_lost(Session &session, std::vector<Change> &changes);
  Task<std::vector<Settled>> remove(Session &session, std::vector<Change> changes);
  Task<HttpResult> look_up(Session &session, std::vector<Change> changes,
                           std::map<std::string, std::string> &found);
  // notes.cpp
  Task<HttpResult> look_up_notes(Session &session, std::vector<Change> changes,
                                 std::map<std::string, std::string> &found);
  bool moves_a_note(const Session &session, const Change &change) const;
  Task<Page> read_newest_first(Session &session, std::string module, Json cursor);
  Task<Page> sweep(Session &session, std::string module, Json cursor);
  // reading.cpp
  Task<Page> read_changed(Session &session, std::string module, Json cursor);
  Task<Page> read_deleted(Session &session, std::string module, Json cursor);
  Task<Page> read_people(Session &session, std::string module, Json cursor);
  // Records as a list gave them with the first group of fields, with all their fields.
  Task<ModuleRecords> complete(Session &session, std::string module, std::vector<Json> listed);
  Task<std::vector<Record>> read_ids(Session &session, std::string module, std::string ids);
  // Where to ask from, given what the last complete read saw.
  static std::string since_of(const Json &cursor);
  // All changes were read: notes where the next read begins; the deletions follow.
  static void end_changes(Json &cursor);
  // "" for modules that have no such field.
  std::string bridge_field_of(const Session &session, const std::string &module) const;

  Dialect dialect_;
  std::string bridge_field_;
  bool assumed_calls_;
  bool read_before_write_;
  // Notes that were found again → our record: batches run side by side, and two notes of the same
  // words must not find the same one.
  std::map<std::string, std::string> found_notes_;
};

}  // namespace crm_bridge::worker::zoho_crm
