// SPDX-License-Identifier: PostgreSQL
#include "poll/notices.hpp"

#include <algorithm>
#include <map>

#include "database.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "poll/poller.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

constexpr int notices_at_once = 200;
constexpr std::size_t records_a_call = 1000;  // a record comes once for each value that was told
constexpr std::chrono::milliseconds longest_pause{1000};

}  // namespace

Notices::Notices(Shared &shared, ServiceContext &context) : intake_(shared, context) {}

void Notices::run() {
  run_loop(intake_.shared(), "notices " + intake_.context().settings().kind,
           [this](Database &database) { loop(database); });
}

void Notices::loop(Database &database) {
  Shared &shared = intake_.shared();
  Bell &bell = shared.bells.of("notice " + intake_.context().settings().kind);
  const Sessions::Use in_use = intake_.sessions().use(database);
  while (!shared.stop.requested()) {
    if (!work(database)) wait_for_bell(shared, bell, longest_pause);
  }
}

bool Notices::drain(Database &database) {
  const Sessions::Use in_use = intake_.sessions().use(database);
  bool any = false;
  while (!intake_.shared().stop.requested() && work(database)) any = true;
  return any;
}

bool Notices::work(Database &database) {
  const std::string &service = intake_.context().settings().kind;
  bool any = false;
  for (const std::int64_t org_id : database.notice_backlog(service)) {
    const auto session = intake_.sessions().of(org_id);
    if (session == nullptr) continue;
    std::map<std::string, std::vector<Notice>> by_module;
    for (auto &notice :
         database.take_notices(service, notices_at_once, intake_.shared().lease.id(), org_id)) {
      by_module[notice.module].push_back(std::move(notice));
    }
    for (auto &[module, notices] : by_module) {
      any = true;
      try {
        read_again(database, *session, module, std::move(notices));
      } catch (const ServiceFailure &fault) {
        // Not finished, so they are handed out again; and the next poll reads the records in any
        // case.
        log_event(
            Severity::warning, "notices_failed",
            {{"service", service}, {"org", org_id}, {"module", module}, {"reason", fault.what()}});
      }
    }
  }
  return any;
}

void Notices::read_again(Database &database, Session &session, const std::string &module,
                         std::vector<Notice> notices) {
  const std::int64_t org_id = session.organization().org_id;
  std::vector<std::string> ids;
  std::vector<Notice> told;
  for (const auto &notice : notices) {
    ids.insert(ids.end(), notice.notice_ids.begin(), notice.notice_ids.end());
    if (notice.told.is_array() && !notice.told.empty()) told.push_back(notice);
  }
  const std::string started_at = database.clock();
  const Reading reading =
      intake_.wait_for(intake_.service().read_records(session, module, std::move(notices)));
  intake_.take(database, session, reading.records, started_at);
  intake_.compare(database, session, reading.listings, started_at);
  look_for_lost_updates(database, session, told, reading);
  for (const auto &other : reading.poll) poll_module(intake_, database, session, other);
  database.finish_notices(ids, org_id);
}

void Notices::look_for_lost_updates(Database &database, const Session &session,
                                    const std::vector<Notice> &notices, const Reading &reading) {
  std::map<std::string, const Record *> there;
  for (const auto &records : reading.records) {
    for (const auto &record : records.records) there[record.external_id] = &record;
  }
  ModuleRecords told;
  for (const auto &notice : notices) {
    const auto found = there.find(notice.external_id);
    // What was not found is deleted, or known later: nothing of ours stands over it.
    if (found == there.end() || found->second->deleted) continue;
    told.module = notice.module;
    for (const auto &one : notice.told) {
      const Json *values = find(one, "values");
      if (values == nullptr || !values->is_object()) continue;
      Record record = intake_.service().told_record(session, notice, *values);
      record.version.clear();
      record.modified_at = scalar_text(one, "at");
      for (auto field = record.fields.begin(); field != record.fields.end();) {
        const auto now = found->second->fields.find(field.key());
        const bool stands = now != found->second->fields.end() && *now == field.value();
        field = stands ? record.fields.erase(field) : std::next(field);
      }
      if (!record.fields.empty()) told.records.push_back(std::move(record));
    }
  }
  const std::int64_t org_id = session.organization().org_id;
  int lost = 0;
  for (std::size_t at = 0; at < told.records.size(); at += records_a_call) {
    const auto from = told.records.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(records_a_call, told.records.size() - at);
    lost += database.record_lost_updates(
        {told.module, {from, from + static_cast<std::ptrdiff_t>(count)}}, org_id);
  }
  if (lost > 0) {
    log_event(Severity::information, "overwritten_unread",
              {{"service", intake_.context().settings().kind},
               {"org", org_id},
               {"module", told.module},
               {"values", lost}});
  }
}

}  // namespace crm_bridge::worker
