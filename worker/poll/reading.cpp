// SPDX-License-Identifier: PostgreSQL
#include <cstdlib>

#include "database.hpp"
#include "log.hpp"
#include "poll/poller.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

// From here on a delta read is a run: it can be judged by the breaker as a whole, and undone.
constexpr std::size_t records_that_make_a_run = 50;

// How far the reading of a whole module is.  It is kept with the module's cursor, so that whoever
// reads on after a kill, or at the next poll, goes on with the same run.
struct Progress {
  std::string command{};  // that asked for it; empty: the module was never read before
  std::string run{};
  std::int64_t done = 0;
};

constexpr const char *progress_key = "reading";
// The command that a module was last read for to the end.
constexpr const char *command_key = "read_for";

// Takes our own notes out of a stored cursor; what is left is the connector's, null if nothing is.
std::optional<Progress> take_progress(Json &cursor) {
  if (!cursor.is_object()) return std::nullopt;
  std::optional<Progress> progress;
  if (const Json *noted = find(cursor, progress_key); noted != nullptr) {
    progress = {scalar_text(*noted, "command"), scalar_text(*noted, "run"),
                std::strtoll(scalar_text(*noted, "done").c_str(), nullptr, 10)};
    cursor.erase(progress_key);
    cursor.erase(command_key);
    if (cursor.empty()) cursor = Json();
  } else {
    cursor.erase(command_key);
  }
  return progress;
}

Json with_progress(Json cursor, const std::optional<Progress> &progress,
                   const std::string &read_for) {
  if (!cursor.is_object()) cursor = Json::object();
  if (progress) {
    cursor[progress_key] = {
        {"command", progress->command}, {"run", progress->run}, {"done", progress->done}};
  }
  if (!read_for.empty()) cursor[command_key] = read_for;
  return cursor;
}

// A run of a delta read that is finished as failed unless somebody says otherwise.
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
  // The run is noted with the cursor: whatever stops this reading, the next one goes on with it.
  void goes_on(const std::string &id) {
    id_ = id;
    goes_on_ = true;
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
  bool goes_on_ = false;
};

// Reads from a cursor to the end.  With progress it is the reading of a whole module.
std::int64_t read_pages(Intake &intake, Database &database, Session &session,
                        const std::string &module, Json cursor, std::optional<Progress> progress,
                        std::string read_for) {
  const std::string &service = intake.context().settings().kind;
  const std::int64_t org_id = session.organization().org_id;
  const bool whole = progress.has_value();
  Run run(database, org_id);
  if (whole && !progress->run.empty()) run.goes_on(progress->run);
  std::int64_t done = whole ? progress->done : 0;
  std::optional<std::int64_t> expected;
  bool more = true;
  bool unfinished = false;
  while (more) {
    const std::string started_at = database.clock();
    Page page = intake.wait_for(intake.service().read_page(session, module, cursor));
    std::size_t count = 0;
    for (const auto &records : page.records) count += records.records.size();
    if (page.expected) expected = page.expected;
    if (page.cursor.is_null()) break;  // nothing of this kind can be read here yet
    if (run.id().empty() && (whole || count > records_that_make_a_run)) {
      run.start(whole ? "initial_sync" : "poll", service, module, expected);
      if (whole) {
        progress->run = run.id();
        run.goes_on(progress->run);
        database.save_cursor(service, module, with_progress(cursor, progress, {}), org_id);
      }
    }
    done += static_cast<std::int64_t>(
        intake.take(database, session, page.records, started_at, run.id()));
    intake.compare(database, session, page.listings, started_at);
    more = page.more;
    unfinished = whole && page.unfinished;
    if (whole) progress->done = done;
    if (whole && !more && !unfinished) {
      if (!progress->command.empty()) read_for = progress->command;
      progress.reset();
    }
    database.save_cursor(service, module, with_progress(page.cursor, progress, read_for), org_id);
    if (!run.id().empty()) database.report_progress(run.id(), done, expected, org_id);
    if (!run.id().empty() && count > 0) {
      log_event(Severity::information, whole ? "initial_sync" : "poll_run",
                {{"service", service},
                 {"org", org_id},
                 {"module", module},
                 {"done", done},
                 {"expected", expected ? std::to_string(*expected) : std::string("unknown")}});
    }
    cursor = std::move(page.cursor);
  }
  if (!unfinished) run.finish();
  if (done > 0) {
    log_event(Severity::debug, "polled",
              {{"service", service}, {"org", org_id}, {"module", module}, {"records", done}});
  }
  return done;
}

// The organization's own fields of these modules, so that records are read with them.  What the
// service does not tell now, it may tell at the next reading.
Json refresh_fields(Intake &intake, Database &database, Session &session,
                    const std::vector<std::string> &modules) {
  Json result = Json::object();
  for (const auto &module : modules) {
    const Json fields = intake.wait_for(intake.service().read_fields(session, module));
    if (fields.is_null()) continue;
    database.store_fields(module, fields, session.organization().org_id);
    result[module] = fields.size();
  }
  return result;
}

Json do_command(Intake &intake, Database &database, Session &session,
                const BridgeCommand &command) {
  // The database's own work: only that nobody has to wait for it.
  if (command.kind == "finish_matching")
    return database.finish_matching(command.command_id, session.organization().org_id);
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
  if (command.kind == "refresh_metadata") return refresh_fields(intake, database, session, modules);
  std::shared_ptr<Session> renewed;
  const auto renew = [&] {
    intake.sessions().forget();
    renewed = intake.sessions().of(session.organization().org_id);
  };
  // The portal, or the credential that opens it, may have been chosen a moment ago.
  if (command.kind != "refresh_metadata") renew();
  if (command.kind == "initial_sync") {
    if (renewed != nullptr && !refresh_fields(intake, database, *renewed, modules).empty()) renew();
  }
  Session &reading = renewed == nullptr ? session : *renewed;
  Json result = Json::object();
  for (const auto &module : modules)
    result[module] = read_whole_module(intake, database, reading, module, command.command_id);
  return result;
}

}  // namespace

std::int64_t poll_module(Intake &intake, Database &database, Session &session,
                         const std::string &module) {
  Json cursor =
      database.read_cursor(intake.context().settings().kind, module, session.organization().org_id);
  const std::string read_for = scalar_text(cursor, command_key);
  const bool never_read = !cursor.is_object();
  std::optional<Progress> progress = take_progress(cursor);
  if (never_read) progress.emplace();
  return read_pages(intake, database, session, module, std::move(cursor), std::move(progress),
                    read_for);
}

std::int64_t read_whole_module(Intake &intake, Database &database, Session &session,
                               const std::string &module, const std::string &command) {
  Json cursor =
      database.read_cursor(intake.context().settings().kind, module, session.organization().org_id);
  // A worker that died over this command may have read the module, or a part of it.
  if (scalar_text(cursor, command_key) == command) return 0;
  std::optional<Progress> progress = take_progress(cursor);
  if (!progress || progress->command != command) {
    if (progress && !progress->run.empty())
      database.finish_run(progress->run, "failed", "begun again", session.organization().org_id);
    progress = Progress{command, {}, 0};
    cursor = Json();
  }
  return read_pages(intake, database, session, module, std::move(cursor), std::move(progress), {});
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
