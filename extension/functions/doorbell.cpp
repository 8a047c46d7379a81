// SPDX-License-Identifier: PostgreSQL
#include "functions/doorbell.hpp"

#include "settings.hpp"

namespace crm_bridge {

namespace {

// The window is opened by a commit, never by a transaction that may still roll back.
constinit TimestampTz last_ring = 0;
constinit bool rung = false;
constinit bool request_left = false;
constinit bool callback_registered = false;

// What was rung in a savepoint that is rolled back is never heard: the window stays closed.
void on_savepoint_end(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
  if (event == SUBXACT_EVENT_ABORT_SUB) rung = false;
}

void on_transaction_end(XactEvent event, void *) {
  if (event == XACT_EVENT_COMMIT && rung) last_ring = GetCurrentTransactionStopTimestamp();
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
    rung = false;
    request_left = false;
  }
}

// Runs below pg::call.
void watch_transactions() {
  if (callback_registered) return;
  RegisterXactCallback(on_transaction_end, nullptr);
  RegisterSubXactCallback(on_savepoint_end, nullptr);
  callback_registered = true;
}

// NOTIFY takes a lock on the whole cluster until the commit is done: a session that writes all the
// time rings now and then.
bool in_window() {
  TimestampTz const window = static_cast<TimestampTz>(settings::notify_interval) * 1000;
  return GetCurrentStatementStartTimestamp() - last_ring < window;
}

}  // namespace

void note_request_left() {
  pg::call([] { watch_transactions(); });
  request_left = true;
}

void ring_doorbell(const Module &module, bool has_work) {
  std::string const delivery = "delivery " + module.service;
  pg::call([&] {
    if (settings::notify_changed) Async_Notify("crm_bridge_changed", module.name.c_str());
    if (!(has_work || request_left) || !settings::notify) return;
    watch_transactions();
    if (in_window()) return;
    if (has_work) Async_Notify("crm_bridge", delivery.c_str());
    if (request_left) Async_Notify("crm_bridge", "reconcile");
    rung = true;
  });
}

}  // namespace crm_bridge
