// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/catalog.hpp"
#include "functions/mirror.hpp"

namespace crm_bridge {

// What a service told about one record, and what becomes of it.
struct Incoming {
  std::string external_id;
  std::optional<core::Instant> version;
  std::optional<core::Instant> created_at;  // when the service's record was made
  std::optional<core::Instant> modified_at;
  std::optional<std::string> modified_by;
  std::optional<core::Uuid> own_id;  // our id, where the service keeps it for us
  bool deleted = false;
  pg::Fields fields;  // references as our uuids

  // Set when it is decided: inserted, updated, unchanged, deleted, conflict, stale, busy, rejected.
  std::string outcome;
  std::string detail;
  core::Uuid id{};     // of the record here; nil where there is none yet
  bool known = false;  // the shadow has its external id
  bool settled() const { return !outcome.empty(); }
  void settle(const char *what, std::string why = {}) {
    outcome = what;
    detail = std::move(why);
  }
};

// The records of a call.  One that cannot be understood is settled as rejected; the others are not
// touched by that. References to records that nobody has read yet get an id that is kept for them
// in the shadow. Needs AsOwner and an SpiSession.  Throws core::Error 22023 if `records` is no
// array or has more than 1,000 elements.
enum class States { newest, all };  // of a record that comes several times
std::vector<Incoming> parse_incoming(const Module &module, const Organization &organization,
                                     Jsonb *records, States states = States::newest);

// Hands back one row for each record, in the order given.
void return_outcomes(FunctionCallInfo fcinfo, const std::vector<Incoming> &records);

}  // namespace crm_bridge
