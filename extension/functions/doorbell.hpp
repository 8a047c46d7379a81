// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"

// NOTIFY as a doorbell (design §7): it tells a worker's loops that looking is worth while, never
// what there is.  Payloads of channel crm_bridge are in docs/protocol.md.
namespace crm_bridge {

// A reconcile_request was left: the next ring_doorbell of this transaction tells.
void note_request_left();

// Wakes the workers when this transaction commits, at most once in crm_bridge.notify_interval.
void ring_doorbell(const Module &module, bool has_work);

}  // namespace crm_bridge
