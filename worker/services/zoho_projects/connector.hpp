// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/service.hpp"
#include "services/zoho_projects/place.hpp"
#include "services/zoho_projects/translation.hpp"

namespace crm_bridge::worker::zoho_projects {

// Zoho Projects V3.  It has no batches, no conditional writes and no handle for repeating a create:
// one request a record, and a create whose answer was lost is looked up in lists before it is sent
// again.
class Connector : public Service {
 public:
  explicit Connector(const ServiceSettings &settings)
      : assumed_calls_(settings.assumed_calls),
        read_before_write_(settings.read_before_write),
        sweep_interval_(settings.sweep_interval) {}

  std::vector<Capability> capabilities() const override;
  int records_a_request() const override { return 1; }
  Task<Delivered> deliver(Session &session, std::vector<Change> changes) override;
  Task<Page> read_page(Session &session, std::string module, Json cursor) override;
  Task<Reading> read_records(Session &session, std::string module,
                             std::vector<Notice> notices) override;
  std::vector<std::string> portal_modules() const override;
  Record told_record(const Session &session, const Notice &notice,
                     const Json &values) const override;
  Task<Json> read_fields(Session &session, std::string module) override;
  Task<ChannelState> open_channel(Session &session, ChannelAddress address) override;
  Task<ChannelState> find_channel(Session &session, ChannelAddress address) override;
  std::optional<Webhook> parse_webhook(const Json &body) const override;
  Task<std::vector<Check>> examine(Session &session) override;

 private:
  struct Status {
    std::string id;
    std::string name;
    bool closed = false;
  };
  // What is learnt on the way and may be forgotten at any time.
  struct Memory {
    std::vector<Status> statuses;
    std::map<std::string, std::string> suited;      // project and kind → status
    std::map<std::string, std::string> first_list;  // of a project
    std::map<std::string, std::unique_ptr<Gate>>
        choosing;                   // one task at a time makes a project's first list
    bool tasks_by_project = false;  // the portal-wide list refused
  };

  // writing.cpp
  Task<Delivered> create(Session &session, Change change);
  Task<Delivered> update(Session &session, Change change);
  Task<Delivered> remove(Session &session, Change change);
  // Looks at what an update would overwrite.  nullopt: nothing that we do not know; else what
  // became of the change without a write.
  Task<std::optional<Settled>> look_before_writing(Session &session, Change change,
                                                   std::string path);
  // The steps of a project that need calls of their own, once it is there.
  Task<Verdict> finish_project(Session &session, Change change, std::string project_id);
  Task<Verdict> associate_client(Session &session, Change change, std::string project_id);
  // writing_people.cpp
  Task<Delivered> add_user(Session &session, Change change);
  Task<Delivered> write_client_user(Session &session, Change change);
  Task<Verdict> set_members(Session &session, Place place, std::string list, std::string add,
                            Json wanted);
  // looking_up.cpp
  Task<Verdict> choose_list(Session &session, Change change, std::string &list_id,
                            Delivered &delivered);
  Task<Verdict> find_created(Session &session, Change change, std::string &found);
  Task<Verdict> find_client_user(Session &session, Change change, std::string project_id,
                                 std::string &found);
  // Sends a task with a status of this kind.
  Task<HttpResult> send_with_status(Session &session, ApiCall call, Place place, bool closed);
  // portals.cpp
  struct Portals {
    std::vector<Json> list;
    bool complete = false;  // what it does not show is not there
  };
  // Throws ServiceFailure if a ZSC key is of another address than the one stored with it.
  Task<Portals> list_portals(Session &session);
  Task<std::string> who_consented(Session &session);
  Task<bool> is_person(Session &session, std::string portal_id, std::string email,
                       std::string account);
  Task<Page> read_portals(Session &session);
  // reading.cpp
  Task<Page> read_all_portals(Session &session, std::string module);
  Record status_record(const Session &session, const Status &status,
                       const std::string &portal_id) const;
  Task<Page> read_people(Session &session, std::string module, Json cursor);
  Task<Page> read_statuses(Session &session);
  Task<Page> read_projects(Session &session, Json cursor);
  Task<Page> read_bin(Session &session, Json cursor);
  Task<std::vector<Status>> statuses(Session &session, std::string portal_id);
  // reading_tasks.cpp
  Task<Page> read_tasks(Session &session, Json cursor);
  Task<Page> read_tasks_by_project(Session &session, Json cursor);
  void add_task(const Session &session, const Json &task, const Place &place, Page &page) const;
  // rounds.cpp
  enum class Step { read, skipped, in_trouble };
  bool is_due(const Json &cursor) const;
  void begin_round(Json &cursor, Page &page) const;
  Task<Page> go_round(Session &session, std::string module, Json cursor);
  Task<Step> read_place(Session &session, std::string module, Place place, Page &page);
  Task<Step> read_members(Session &session, Place place, Page &page);
  Task<void> read_comments_of(Session &session, std::vector<Place> tasks, Page &page);
  Task<Page> list_projects(Session &session, Json cursor);
  // reading_records.cpp
  Task<void> read_comments_again(Session &session, std::vector<Notice> notices, Reading &reading);

  Memory &memory(const Session &session) { return memory_[session.organization().org_id]; }

  bool assumed_calls_;
  bool read_before_write_;
  std::chrono::milliseconds sweep_interval_;
  std::map<std::int64_t, Memory> memory_;
};

}  // namespace crm_bridge::worker::zoho_projects
