// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// What an ERROR said, as plain data.
struct CaughtError {
  int sqlstate = 0;
  std::string message;
};

// Runs `body` in a subtransaction.  An ERROR of the backend rolls it back and comes back as data,
// after which the transaction is as it was; nothing comes back on success.  What must end the whole
// transaction is passed on: cancelled queries, shutdowns, deadlocks and serialization failures. The
// one place besides pg::entry that catches BackendError. Open no SpiSession across it: the rollback
// would end the session under its owner.
template <typename Body>
std::optional<CaughtError> in_subtransaction(Body &&body) {
  MemoryContext const context = CurrentMemoryContext;
  ResourceOwner const owner = CurrentResourceOwner;
  call([] { BeginInternalSubTransaction(nullptr); });
  MemoryContextSwitchTo(context);
  auto const roll_back = [&] {
    call([] { RollbackAndReleaseCurrentSubTransaction(); });
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
  };
  try {
    body();
    call([] { ReleaseCurrentSubTransaction(); });
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return std::nullopt;
  } catch (const BackendError &error) {
    roll_back();
    int const category = ERRCODE_TO_CATEGORY(error.data()->sqlerrcode);
    bool const final =
        category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_TRANSACTION_ROLLBACK ||
        category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_INTERNAL_ERROR;
    if (final) throw;
    CaughtError caught{error.data()->sqlerrcode,
                       error.data()->message == nullptr ? "" : error.data()->message};
    FreeErrorData(error.data());  // unguarded: frees memory
    return caught;
  } catch (...) {
    roll_back();
    throw;
  }
}

}  // namespace crm_bridge::pg
