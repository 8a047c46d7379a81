// SPDX-License-Identifier: PostgreSQL
#include "database.hpp"
#include "log.hpp"
#include "poll/poller.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

// From here on a delta read is a run: it can be judged by the breaker as a whole, and undone.
constexpr std::size_t records_that_make_a_run = 50;

// A run that is finished as failed unless somebody says otherwise.
class Run {
 public:
  Run(Database &database, std::int64_t org_id) : database_(database), org_id_(org_id) {}
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;
  ~Run() {
    if (id_.empty()) return;
    try {
      database_.finish_run(id_, "failed", "interrupted", org_id_);
    } catch (const std::exception &fault) {
      log_event(Severity::warning, "run_not_finished", {{"run", id_}, {"reason", fault.what()}});
    }
  }
  void start(const char *kind, const std::string &service, const std::string &module,
             std::optional<std::int64_t> expected) {
    id_ = database_.start_run(kind, service, module, expected, org_id_);
  }
  void finish() {
    if (!id_.empty()) database_.finish_run(id_, "finished", "", org_id_);
    id_.clear();
  }
  const std::string &id() const { return id_; }

 private:
  Database &database_;
  std::int64_t org_id_;
  std::string id_;
};

std::int64_t read_pages(Intake &intake, Database &database, Session &session,
                        const std::string &module, Json cursor) {
  const std::string &service = intake.context().settings().kind;
  const std::int64_t org_id = session.organization().org_id;
  const bool first = !cursor.is_object();
  Run run(database, org_id);
  std::int64_t done = 0;
  std::optional<std::int64_t> expected;
  bool more = true;
  while (more) {
    const std::string started_at = database.clock();
    Page page = intake.wait_for(intake.service().read_page(session, module, cursor));
    std::size_t count = 0;
    for (const auto &records : page.records) count += records.records.size();
    if (page.expected) expected = page.expected;
    if (page.cursor.is_null()) break;  // nothing of this kind can be read here yet
    if (run.id().empty() && (first || count > records_that_make_a_run)) {
      run.start(first ? "initial_sync" : "poll", service, module, expected);
    }
    done += static_cast<std::int64_t>(
        intake.take(database, session, page.records, started_at, run.id()));
    database.save_cursor(service, module, page.cursor, org_id);
    if (!run.id().empty()) database.report_progress(run.id(), done, expected, org_id);
    if (!run.id().empty() && count > 0) {
      log_event(Severity::information, first ? "initial_sync" : "poll_run",
                {{"service", service},
                 {"org", org_id},
                 {"module", module},
                 {"done", done},
                 {"expected", expected ? std::to_string(*expected) : std::string("unknown")}});
    }
    cursor = std::move(page.cursor);
    more = page.more;
  }
  run.finish();
  if (done > 0) {
    log_event(Severity::debug, "polled",
              {{"service", service}, {"org", org_id}, {"module", module}, {"records", done}});
  }
  return done;
}

Json do_command(Intake &intake, Database &database, Session &session,
                const BridgeCommand &command) {
  Json result = Json::object();
  std::vector<std::string> modules;
  if (command.kind == "refresh_portals") {
    modules = intake.service().portal_modules();
  } else if (const Json *named = find(command.arguments, "modules");
             named != nullptr && named->is_array()) {
    for (const auto &module : *named) modules.push_back(scalar_text(&module));
  } else {
    for (const auto &module : session.catalog().modules) {
      if (module.polled) modules.push_back(module.module);
    }
  }
  for (const auto &module : modules) {
    if (command.kind == "refresh_metadata") {
      const Json fields = intake.wait_for(intake.service().read_fields(session, module));
      if (fields.is_null()) continue;
      database.store_fields(module, fields, session.organization().org_id);
      result[module] = fields.size();
    } else {
      result[module] = read_whole_module(intake, database, session, module);
    }
  }
  return result;
}

}  // namespace

std::int64_t poll_module(Intake &intake, Database &database, Session &session,
                         const std::string &module) {
  Json cursor =
      database.read_cursor(intake.context().settings().kind, module, session.organization().org_id);
  return read_pages(intake, database, session, module, std::move(cursor));
}

std::int64_t read_whole_module(Intake &intake, Database &database, Session &session,
                               const std::string &module) {
  return read_pages(intake, database, session, module, Json());
}

int obey_commands(Intake &intake, Database &database, Session &session) {
  const std::string &service = intake.context().settings().kind;
  const std::int64_t org_id = session.organization().org_id;
  int done = 0;
  while (const auto command = database.next_command(service, intake.shared().lease.id(), org_id)) {
    log_event(Severity::information, "command",
              {{"service", service}, {"org", org_id}, {"kind", command->kind}});
    std::string state = "done";
    Json result;
    try {
      result = do_command(intake, database, session, *command);
    } catch (const ServiceFailure &fault) {
      state = "failed";
      result = {{"error", fault.what()}};
    } catch (const MalformedJson &fault) {
      state = "failed";
      result = {{"error", fault.what()}};
    }
    database.finish_command(command->command_id, state, result, org_id);
    ++done;
    if (state == "failed") {
      log_event(Severity::warning, "command_failed",
                {{"service", service},
                 {"org", org_id},
                 {"kind", command->kind},
                 {"reason", to_text(result)}});
    }
  }
  return done;
}

}  // namespace crm_bridge::worker
