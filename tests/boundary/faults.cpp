// SPDX-License-Identifier: PostgreSQL
//
// Errors of every kind, raised on either side of the boundary below frames that own memory.
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "pg/datum.hpp"
#include "pg/memory.hpp"
#include "pg/row_stream.hpp"
#include "pg/spi.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

namespace crm_bridge {

namespace {

// Counts those that nobody destroyed: what a longjmp across its frame leaves behind.
class Witness {
 public:
  Witness() { ++alive; }
  ~Witness() { --alive; }
  Witness(const Witness &) = delete;
  Witness &operator=(const Witness &) = delete;
  static std::int64_t alive;

 private:
  std::string weight_ = std::string(4096, 'w');
};
constinit std::int64_t Witness::alive = 0;

// Runs `action` some C++ frames down, each with something to destroy.
template <int frames = 3, typename Action>
void below_live_objects(Action &&action) {
  Witness const witness;
  std::vector<std::string> const load(8, std::string(200, 'x'));
  if constexpr (frames > 0) {
    below_live_objects<frames - 1>(action);
  } else {
    action();
  }
}

void run(const std::string &statement) {
  below_live_objects([&] {
    pg::SpiSession spi;
    pg::call([&] {
      int const result = SPI_execute(statement.c_str(), false, 0);
      if (result < 0) elog(ERROR, "could not execute: %s", SPI_result_code_string(result));
    });
  });
}

std::string text_argument(FunctionCallInfo fcinfo, int position) {
  return fcinfo->args[position].isnull ? std::string{} : pg::text_of(fcinfo->args[position].value);
}

// (sqlstate, message, detail, hint): an Error of core with all its parts.
Datum raise_core_error(FunctionCallInfo fcinfo) {
  static char sqlstate[6];
  std::string const code = text_argument(fcinfo, 0);
  code.copy(sqlstate, 5);
  core::Fault const fault{sqlstate, text_argument(fcinfo, 1), text_argument(fcinfo, 2),
                          text_argument(fcinfo, 3)};
  below_live_objects([&] { throw core::Error{fault}; });
  return static_cast<Datum>(0);
}

// (statement): what it raises passes through C++ frames.
Datum execute(FunctionCallInfo fcinfo) {
  run(text_argument(fcinfo, 0));
  return static_cast<Datum>(0);
}

// (kind): what is no Error of core.
Datum throw_stranger(FunctionCallInfo fcinfo) {
  std::string const kind = text_argument(fcinfo, 0);
  below_live_objects([&] {
    if (kind == "bad_alloc") throw std::bad_alloc{};
    if (kind == "no_room") (void)std::vector<std::string>{}.at(1);
    if (kind == "runtime_error") throw std::runtime_error{"something ran wrong: 100 %s"};
    throw 42;
  });
  return static_cast<Datum>(0);
}

// (statement) → what it raised, if anything; the transaction goes on as it was before.
Datum attempt(FunctionCallInfo fcinfo) {
  std::string const statement = text_argument(fcinfo, 0);
  sigjmp_buf *const handlers = PG_exception_stack;
  ErrorContextCallback *const contexts = error_context_stack;
  MemoryContext const memory = CurrentMemoryContext;
  ResourceOwner const owner = CurrentResourceOwner;
  std::optional<pg::CaughtError> const caught = pg::in_subtransaction([&] { run(statement); });
  if (handlers != PG_exception_stack || contexts != error_context_stack ||
      memory != CurrentMemoryContext || owner != CurrentResourceOwner)
    throw core::Error{{.message = "the backend's state was not restored"}};
  fcinfo->isnull = !caught.has_value();
  if (!caught.has_value()) return static_cast<Datum>(0);
  return pg::argument(std::string{unpack_sql_state(caught->sqlstate)} + ": " + caught->message)
      .value;
}

// (statement): runs it in a subtransaction that a C++ exception abandons, and goes on.
Datum abandon(FunctionCallInfo fcinfo) {
  std::string const statement = text_argument(fcinfo, 0);
  try {
    (void)pg::in_subtransaction([&] {
      run(statement);
      below_live_objects([] { throw std::runtime_error{"abandoned"}; });
    });
  } catch (const std::runtime_error &) {
    return BoolGetDatum(true);
  }
  return BoolGetDatum(false);
}

// (how many) → how many errors were caught, each in a subtransaction of its own.
Datum catch_many(FunctionCallInfo fcinfo) {
  std::int64_t caught = 0;
  for (std::int64_t i = 0; i < PG_GETARG_INT64(0); ++i) {
    auto const error = pg::in_subtransaction([&] {
      below_live_objects([] {
        pg::call([] {
          ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("one of many"),
                          errdetail("A detail of some length."), errhint("A hint."),
                          errcontext("a context")));
        });
      });
    });
    caught += error.has_value() ? 1 : 0;
  }
  return Int64GetDatum(caught);
}

// A cancel request that arrives while a subtransaction is guarded: it must end the statement all
// the same.
Datum cancel_inside(FunctionCallInfo) {
  auto const swallowed = pg::in_subtransaction([] {
    below_live_objects([] {
      QueryCancelPending = true;
      InterruptPending = true;
      pg::check_interrupts();
    });
  });
  throw core::Error{{.message = swallowed.has_value() ? "the cancel request was swallowed"
                                                      : "it was not served"}};
}

// (statement, after) → characters of the first column of all rows; at row number `after` an Error.
Datum stream(FunctionCallInfo fcinfo) {
  std::string const statement = text_argument(fcinfo, 0);
  std::int64_t const after = DatumGetInt64(fcinfo->args[1].value);
  std::int64_t rows = 0;
  std::int64_t characters = 0;
  below_live_objects([&] {
    pg::SpiSession spi;
    pg::RowStream{statement.c_str(), {}}.read({}, [&](const pg::StreamedRow &row) {
      below_live_objects([&] {
        if (++rows == after)
          throw core::Error{{.sqlstate = "22023", .message = "enough of these rows"}};
        characters += static_cast<std::int64_t>(row.text(0).size());
      });
    });
  });
  return Int64GetDatum(characters);
}

// (bytes): asks the memory of a context for small pieces, then for one of as much, which it leaves
// untouched.
Datum fill_context(FunctionCallInfo fcinfo) {
  auto const bytes = static_cast<std::size_t>(PG_GETARG_INT64(0));
  pg::ContextMemory memory{"boundary"};
  std::pmr::vector<std::pmr::string> strings{&memory};
  for (int i = 0; i < 10'000; ++i) strings.emplace_back(64, 'x');
  below_live_objects([&] { memory.deallocate(memory.allocate(bytes, 1), bytes, 1); });
  return Int64GetDatum(static_cast<std::int64_t>(strings.size()));
}

Datum live_objects(FunctionCallInfo) { return Int64GetDatum(Witness::alive); }

// Resident memory of this backend, in KiB.
Datum resident_memory(FunctionCallInfo) {
  std::ifstream file{"/proc/self/statm"};
  std::int64_t total = 0;
  std::int64_t resident = 0;
  file >> total >> resident;
  return Int64GetDatum(resident * (sysconf(_SC_PAGESIZE) / 1024));
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_boundary_raise, raise_core_error);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_execute, execute);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_throw, throw_stranger);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_attempt, attempt);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_abandon, abandon);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_catch_many, catch_many);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_cancel, cancel_inside);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_stream, stream);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_fill, fill_context);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_live, live_objects);
CRM_BRIDGE_FUNCTION(crm_bridge_boundary_resident, resident_memory);

}  // namespace crm_bridge
