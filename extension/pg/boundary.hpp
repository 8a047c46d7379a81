// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <csetjmp>

#include "pg/postgres.hpp"

// The boundary between C++ and the backend.  The rule in one sentence: a backend call that may
// raise is made through pg::call; an exception never leaves pg::entry.
namespace crm_bridge::pg {

// An ERROR of the backend on its way through C++ frames.  Deliberately not a std::exception, so
// that core code cannot swallow it.  It may only be rethrown or followed by a rolled-back
// subtransaction.
class BackendError {
 public:
  explicit BackendError(ErrorData *data) noexcept : data_(data) {}
  ErrorData *data() const noexcept { return data_; }

 private:
  ErrorData *data_;
};

namespace internal {

// Restores the backend's handler chain on every way out of a guarded call.
class HandlerScope {
 public:
  HandlerScope() noexcept
      : exception_stack_(PG_exception_stack), context_stack_(error_context_stack) {}
  ~HandlerScope() {
    PG_exception_stack = exception_stack_;
    error_context_stack = context_stack_;
  }
  HandlerScope(const HandlerScope &) = delete;
  HandlerScope &operator=(const HandlerScope &) = delete;

 private:
  sigjmp_buf *exception_stack_;
  ErrorContextCallback *context_stack_;
};

// Where copies of errors live while they travel: the context that was current when the outermost
// C++ frame was entered.  Not the current one: unwinding runs SPI_finish, which frees the context
// the copy would be in.
class ErrorHome {
 public:
  ErrorHome() noexcept : previous_(current) { current = CurrentMemoryContext; }
  ~ErrorHome() { current = previous_; }
  ErrorHome(const ErrorHome &) = delete;
  ErrorHome &operator=(const ErrorHome &) = delete;
  static MemoryContext current;

 private:
  MemoryContext previous_;
};

// Copies the pending error to the error home and clears the backend's error state; nullptr when
// even that fails.
ErrorData *take_error() noexcept;

// A palloc'd copy; nullptr instead of an ERROR when there is no memory.
const char *copy_text(const std::string &text) noexcept;

[[noreturn]] void raise(ErrorData *backend_error, int sqlstate, const char *message,
                        const char *detail, const char *hint);

}  // namespace internal

// Runs `fn`, which may raise ERROR, below live C++ objects.  `fn` owns nothing that needs a
// destructor: the backend jumps straight out of it.  What it raises arrives as BackendError.
template <typename Fn>
auto call(Fn &&fn) -> std::invoke_result_t<Fn &> {
  using Result = std::invoke_result_t<Fn &>;
  static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>,
                "a backend call hands back plain data");
  MemoryContext const context = CurrentMemoryContext;
  {
    internal::HandlerScope scope;
    sigjmp_buf here;
    // No signal mask is saved (second argument 0): ten times cheaper, and the backend's own
    // handlers do the same.
    if (sigsetjmp(here, 0) == 0) {
      PG_exception_stack = &here;
      return fn();
    }
  }
  MemoryContextSwitchTo(context);
  ErrorData *data = internal::take_error();
  if (data == nullptr) throw std::bad_alloc{};
  throw BackendError{data};
}

// The body of every SQL-callable function.  The handlers only copy; the ERROR is raised after they
// have ended, when this frame holds plain data and nothing else.
template <auto Body>
Datum entry(FunctionCallInfo fcinfo) {
  ErrorData *backend_error = nullptr;
  int sqlstate = ERRCODE_INTERNAL_ERROR;
  const char *message = "unrecognized C++ exception";
  const char *detail = nullptr;
  const char *hint = nullptr;
  try {
    internal::ErrorHome home;
    return Body(fcinfo);
  } catch (const BackendError &error) {
    backend_error = error.data();
  } catch (const core::Error &error) {
    const core::Fault &fault = error.fault();
    const char *code = fault.sqlstate;
    sqlstate = MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
    message = internal::copy_text(fault.message);
    detail = fault.detail.empty() ? nullptr : internal::copy_text(fault.detail);
    hint = fault.hint.empty() ? nullptr : internal::copy_text(fault.hint);
  } catch (const std::bad_alloc &) {
    sqlstate = ERRCODE_OUT_OF_MEMORY;
    message = "out of memory";
  } catch (const std::exception &error) {
    message = internal::copy_text(error.what());
  } catch (...) {
    // the message above stands
  }
  internal::raise(backend_error, sqlstate, message, detail, hint);
}

// Serves interrupts from C++ loops: asked every few hundred records.
inline void check_interrupts() {
  call([] { CHECK_FOR_INTERRUPTS(); });
}

}  // namespace crm_bridge::pg

// Makes `body` callable from SQL under the C symbol `name`.
#define CRM_BRIDGE_FUNCTION(name, body)                                                 \
  extern "C" {                                                                          \
  PGDLLEXPORT Datum name(FunctionCallInfo fcinfo);                                      \
  PG_FUNCTION_INFO_V1(name);                                                            \
  Datum name(FunctionCallInfo fcinfo) { return ::crm_bridge::pg::entry<body>(fcinfo); } \
  }                                                                                     \
  static_assert(true, "a semicolon follows")
