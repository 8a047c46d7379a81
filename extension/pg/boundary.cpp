// SPDX-License-Identifier: PostgreSQL
#include "pg/boundary.hpp"

namespace crm_bridge::pg::internal {

constinit MemoryContext ErrorHome::current = nullptr;

ErrorData *take_error() noexcept {
  // Copying allocates, and that can fail with an ERROR of its own: it gets a handler of its own.
  HandlerScope scope;
  sigjmp_buf here;
  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    MemoryContext context = MemoryContextSwitchTo(ErrorHome::current);
    ErrorData *data = CopyErrorData();
    FlushErrorState();
    MemoryContextSwitchTo(context);
    return data;
  }
  FlushErrorState();
  return nullptr;
}

const char *copy_text(const std::string &text) noexcept {
  auto *copy = static_cast<char *>(palloc_extended(text.size() + 1, MCXT_ALLOC_NO_OOM));
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

void raise(ErrorData *backend_error, int sqlstate, const char *message, const char *detail,
           const char *hint) {
  if (backend_error != nullptr) ReThrowError(backend_error);
  ereport(ERROR,
          (errcode(sqlstate), errmsg_internal("%s", message != nullptr ? message : "out of memory"),
           detail != nullptr ? errdetail_internal("%s", detail) : 0,
           hint != nullptr ? errhint("%s", hint) : 0));
  pg_unreachable();
}

}  // namespace crm_bridge::pg::internal
