// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/incoming.hpp"

// What the database knows of the records that came in, and what it will know afterwards.  Needs
// AsOwner and an SpiSession.
namespace crm_bridge {

struct Shadow {
  core::Uuid id;
  std::string module;
  std::string external_id;
  std::string state;
  std::optional<core::Instant> version;
  std::optional<core::Instant> acknowledged_at;
  std::optional<core::Instant> read_at;
  Jsonb *fields = nullptr;
  bool merged = false;       // into another record of the service, which is known
  Jsonb *doubted = nullptr;  // see functions/late_echo.hpp
};

struct PendingDelivery {
  core::Uuid id;
  std::string module;
  bool in_flight = false;
  bool deletion = false;
  std::vector<std::string> dirty;
  Jsonb *sent = nullptr;
};

// By external id.
std::map<std::string, Shadow> read_shadows(const Module &module, std::int64_t org_id,
                                           const std::vector<std::string> &external_ids);
// By our id, locked.
std::unordered_map<core::Uuid, Shadow> lock_shadows(std::int64_t org_id,
                                                    const std::vector<core::Uuid> &ids);
std::unordered_map<core::Uuid, PendingDelivery> lock_deliveries(std::int64_t org_id,
                                                                const std::vector<core::Uuid> &ids);

// What a read leaves in the shadow.
struct ShadowUpdate {
  core::Uuid id;
  std::optional<std::string> external_id;
  std::string state;
  std::optional<core::Instant> version;
  pg::Fields fields;  // merged over what is there
};
void save_shadows(const Module &module, std::int64_t org_id, core::Instant read_at,
                  const std::vector<ShadowUpdate> &updates);

// Fields of records that differ from their service and wait for a person (D1, manual): changed, but
// not due.  Such a field travels in neither direction, however often it is edited here.
std::unordered_map<core::Uuid, std::set<std::string>> open_questions(
    std::int64_t org_id, const std::vector<core::Uuid> &ids);

// A record that carries the id that we gave to another one has taken that one's place: the service
// merged them.
struct Survivor {
  core::Uuid loser;
  core::Uuid survivor;
};
void note_survivors(const Module &module, std::int64_t org_id,
                    const std::vector<Survivor> &survivors);

// What a service still lacks of a record; nothing: it has it.
struct DeliveryUpdate {
  core::Uuid id;
  std::vector<std::string> dirty;
};
void save_deliveries(const Module &module, std::int64_t org_id,
                     const std::vector<DeliveryUpdate> &updates);
// What waits for a person is due: the record is to be made anew, so what stopped it is over.  A no
// of reject_run() is not.
void make_due(std::int64_t org_id, const std::vector<core::Uuid> &ids);
void drop_deliveries(std::int64_t org_id, const std::vector<core::Uuid> &ids);

// Of records that were made anew and are known by other external ids now: what was read under the
// former ones is stale, and no record of its own.
void remember_former(const Module &module, std::int64_t org_id,
                     const std::unordered_map<core::Uuid, Shadow> &before,
                     const std::vector<ShadowUpdate> &updates);

// Gives mirror rows their external ids, or takes them away.
void identify_records(const Module &module, std::int64_t org_id, const std::vector<core::Uuid> &ids,
                      const std::vector<std::optional<std::string>> &external_ids);
// Rows that somebody else holds get theirs by reconcile.
void request_identification(const Module &module, std::int64_t org_id,
                            const std::vector<core::Uuid> &ids);

}  // namespace crm_bridge
