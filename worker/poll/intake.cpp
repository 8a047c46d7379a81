// SPDX-License-Identifier: PostgreSQL
#include "poll/intake.hpp"

#include <algorithm>

#include "database.hpp"
#include "log.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::size_t records_a_call = 200;
constexpr int rounds = 3;
// Reading is not urgent: rather wait out a throttle than begin again.
constexpr std::chrono::minutes patience{35};

// What a record says about where it lives, as claim() would put it.
Json context_of(const Catalog &catalog, const std::string &module, const Record &record) {
  Json context = Json::object();
  for (const auto &field : catalog.fields_of(module)) {
    if (!field.addresses || !record.fields.contains(field.field)) continue;
    context[field.field] = record.fields[field.field];
  }
  return context;
}

}  // namespace

Intake::Intake(Shared &shared, ServiceContext &context)
    : shared_(shared),
      context_(context),
      service_(make_service(context.settings())),
      client_(context.allowed()),
      sessions_(shared, context, client_, patience) {}

std::vector<Notice> Intake::give(Database &database, Session &session, const ModuleRecords &records,
                                 const std::string &read_started_at, const std::string &run) {
  const std::int64_t org_id = session.organization().org_id;
  const std::string &service = context_.settings().kind;
  std::vector<Notice> again;
  for (std::size_t at = 0; at < records.records.size(); at += records_a_call) {
    const auto from = records.records.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(records_a_call, records.records.size() - at);
    const std::vector<Record> portion(from, from + static_cast<std::ptrdiff_t>(count));
    for (const auto &outcome :
         database.receive(records.module, portion, read_started_at, org_id, run)) {
      context_.metrics().received(service, outcome.outcome);
      if (outcome.outcome == "rejected") {
        log_event(Severity::warning, "record_rejected",
                  {{"service", service},
                   {"org", org_id},
                   {"module", records.module},
                   {"external_id", outcome.external_id},
                   {"detail", outcome.detail}});
      }
      if (outcome.outcome != "busy" && outcome.outcome != "stale") continue;
      const auto record = std::find_if(portion.begin(), portion.end(), [&](const Record &one) {
        return one.external_id == outcome.external_id;
      });
      if (record == portion.end()) continue;
      again.push_back({{},
                       records.module,
                       record->external_id,
                       record->deleted ? "delete" : "update",
                       context_of(session.catalog(), records.module, *record)});
    }
  }
  return again;
}

std::size_t Intake::take(Database &database, Session &session,
                         const std::vector<ModuleRecords> &records,
                         const std::string &read_started_at, const std::string &run) {
  std::size_t count = 0;
  std::vector<Notice> again;
  for (const auto &portion : records) {
    count += portion.records.size();
    for (auto &notice : give(database, session, portion, read_started_at, run))
      again.push_back(std::move(notice));
  }
  for (int round = 0; round < rounds && !again.empty(); ++round) {
    shared_.stop.wait(std::chrono::milliseconds{20 << (2 * round)});
    std::map<std::string, std::vector<Notice>> by_module;
    for (auto &notice : again) by_module[notice.module].push_back(std::move(notice));
    again.clear();
    for (auto &[module, notices] : by_module) {
      const std::string started_at = database.clock();
      const Reading reading = wait_for(service_->read_records(session, module, std::move(notices)));
      for (const auto &portion : reading.records) {
        for (auto &notice : give(database, session, portion, started_at, run))
          again.push_back(std::move(notice));
      }
      compare(database, session, reading.listings, started_at);
    }
  }
  for (const auto &notice : again) {
    database.store_notice(context_.settings().kind, "reread", notice.module, {notice.external_id},
                          notice.event, "", session.organization().org_id, notice.context);
  }
  return count;
}

void Intake::compare(Database &database, const Session &session,
                     const std::vector<Listing> &listings, const std::string &read_started_at) {
  const std::int64_t org_id = session.organization().org_id;
  for (const auto &listing : listings) {
    const int missing = database.note_unlisted(listing, read_started_at, org_id);
    if (missing == 0) continue;
    log_event(Severity::information, "not_listed",
              {{"service", context_.settings().kind},
               {"org", org_id},
               {"module", listing.module},
               {"records", missing}});
  }
}

}  // namespace crm_bridge::worker
