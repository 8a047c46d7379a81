// SPDX-License-Identifier: PostgreSQL
#include "database.hpp"
#include "log.hpp"
#include "poll/poller.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

// From here on a delta read is a run: it can be judged by the breaker as a whole, and undone.
constexpr std::size_t records_that_make_a_run = 50;

// Beside a connector's own notes the cursor keeps how far the reading of a whole module is: whoever
// comes after a kill goes on with the same page, under the same run.
constexpr const char *whole_reading = "whole_reading";

Json take_out(Json &cursor, const char *name) {
  if (!cursor.is_object() || !cursor.contains(name)) return {};
  Json value = std::move(cursor[name]);
  cursor.erase(name);
  return value;
}

bool is_under_way(const Json &reading) {
  return reading.is_object() && !truthy(find(reading, "finished"));
}

// A run that is finished as failed unless somebody says otherwise.  The reading of a whole module
// stays open: the next poll goes on with it.
class Run {
 public:
  Run(Database &database, std::int64_t org_id) : database_(database), org_id_(org_id) {}
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;
  ~Run() {
    if (id_.empty() || goes_on_) return;
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
  void go_on_with(std::string id) { id_ = std::move(id); }
  void leave_open() { goes_on_ = true; }
  void finish() {
    if (!id_.empty()) database_.finish_run(id_, "finished", "", org_id_);
    id_.clear();
  }
  const std::string &id() const { return id_; }

 private:
  Database &database_;
  std::int64_t org_id_;
  std::string id_;
  bool goes_on_ = false;
};

std::int64_t read_pages(Intake &intake, Database &database, Session &session,
                        const std::string &module, Json cursor, Json reading) {
  const std::string &service = intake.context().settings().kind;
  const std::int64_t org_id = session.organization().org_id;
  const bool first = is_under_way(reading);
  Run run(database, org_id);
  std::int64_t done = 0;
  std::optional<std::int64_t> expected;
  if (first) {
    run.leave_open();
    run.go_on_with(scalar_text(reading, "run"));
    done = std::atoll(scalar_text(reading, "done").c_str());
    if (reading.contains("expected"))
      expected = std::atoll(scalar_text(reading, "expected").c_str());
  }
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
    more = page.more;
    if (first) {
      reading["run"] = run.id();
      reading["done"] = done;
      if (expected) reading["expected"] = *expected;
      if (!more) reading["finished"] = true;
    }
    cursor = std::move(page.cursor);
    Json kept = cursor;
    if (reading.is_object() && kept.is_object()) kept[whole_reading] = reading;
    database.save_cursor(service, module, kept, org_id);
    if (!run.id().empty()) database.report_progress(run.id(), done, expected, org_id);
    if (!run.id().empty() && count > 0) {
      log_event(Severity::information, first ? "initial_sync" : "poll_run",
                {{"service", service},
                 {"org", org_id},
                 {"module", module},
                 {"done", done},
                 {"expected", expected ? std::to_string(*expected) : std::string("unknown")}});
    }
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
      result[module] = read_whole_module(intake, database, session, module, command.command_id);
    }
  }
  return result;
}

}  // namespace

std::int64_t poll_module(Intake &intake, Database &database, Session &session,
                         const std::string &module) {
  Json cursor =
      database.read_cursor(intake.context().settings().kind, module, session.organization().org_id);
  Json reading = take_out(cursor, whole_reading);
  if (!cursor.is_object()) reading = Json::object();
  return read_pages(intake, database, session, module, std::move(cursor), std::move(reading));
}

std::int64_t read_whole_module(Intake &intake, Database &database, Session &session,
                               const std::string &module, const std::string &command) {
  const std::int64_t org_id = session.organization().org_id;
  Json cursor = database.read_cursor(intake.context().settings().kind, module, org_id);
  Json reading = take_out(cursor, whole_reading);
  if (reading.is_object() && scalar_text(reading, "command") == command) {
    // The worker that had this command before us came this far.
    if (!is_under_way(reading)) return std::atoll(scalar_text(reading, "done").c_str());
  } else {
    if (const std::string other = scalar_text(reading, "run");
        is_under_way(reading) && !other.empty()) {
      database.finish_run(other, "failed", "begun anew", org_id);
    }
    cursor = Json();
    reading = {{"command", command}};
  }
  return read_pages(intake, database, session, module, std::move(cursor), std::move(reading));
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
