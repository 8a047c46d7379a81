// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/retry.hpp"
#include "json.hpp"

namespace crm_bridge::worker {

// The values that travel between the database and a connector, as docs/protocol.md has them.

struct Organization {
  std::int64_t org_id = 0;
  std::string name{};
  std::string state{};      // of the integration; `active` means: go
  std::string portal_id{};  // the chosen portal's external id
  std::string time_zone{};
  std::string key_email{};  // whose portals the ZSC key in use opens; empty: our own
  std::string
      credential_at{};  // when the credential in use was stored: another one is another time
  bool active() const { return state == "active"; }
};

enum class Operation { create, update, remove };

// One claimed record.
struct Change {
  std::string module{};
  std::string record_id{};
  Operation operation = Operation::update;
  std::string external_id{};
  std::string version{};
  Json fields = Json::object();
  Json context = Json::object();
  int attempt = 1;
  bool in_doubt = false;
  Json doubted{};  // what earlier attempts at a create sent, where it differs from `fields`
  Json base = Json::object();  // what the service last told of the fields of an update
  Json merged{};               // the state found last that the database has merged, by this worker
};

// A record as the service has it.
struct Record {
  std::string external_id{};
  std::string version{};
  std::string created_at{};
  std::string modified_at{};
  std::string modified_by{};
  std::string record_id{};  // our own id, where the service keeps it for us
  Json fields = Json::object();
  bool deleted = false;
};
struct ModuleRecords {
  std::string module;
  std::vector<Record> records;
};

// What a complete list of one place showed.  Records of ours that live there and are not in it may
// be deleted: the database notes them to be read again one by one.
struct Listing {
  std::string module{};
  Json within = Json::object();  // the place, by the fields that address the module's records
  std::vector<std::string> external_ids{};
  bool certain = false;    // the list leaves no doubt: what it does not show is deleted
  bool gone = false;       // there is no list any more: the place itself is deleted
  std::string began_at{};  // when the listing began, if that was before this step; server's clock
};

// A record that the database has, and where it lives.
struct Located {
  std::string external_id;
  Json context;
};

// What became of one change.
struct Settled {
  std::string module{};
  std::string record_id{};
  Verdict verdict{};
  std::string external_id{};
  bool created = false;  // the service has the record now, even if a later step of making it failed
  std::string version{};
  bool read_again = false;  // the service has a state that we do not know
  // That state, where it was read before anything was sent: it is merged, and the change composed
  // anew.
  std::optional<Record> found{};
};

struct ReceiveOutcome {
  std::string external_id;
  std::string record_id;
  std::string outcome;
  std::string detail;
};

struct Notice {
  std::vector<std::string> notice_ids;
  std::string module;
  std::string external_id;
  std::string event;
  Json context{};
  Json told{};  // [{"at", "values"}]: what webhooks said the record was given, as the service
                // writes it
};

struct BridgeCommand {
  std::string command_id;
  std::string kind;
  Json arguments;
};

struct SealedCredential {
  std::string kind;
  std::string key_id;
  std::string sealed;
  std::string email{};      // whose it is, where that is known
  std::string sealed_at{};  // given by the database
};

struct ModuleInfo {
  std::string module;
  std::string api_name;
  std::string label;
  bool creatable = false;
  bool updatable = false;
  bool deletable = false;
  bool polled = false;
};

struct FieldInfo {
  std::string module;
  std::string field;
  std::string api_name;
  std::string type;
  std::string reference_module{};
  bool writable = false;
  bool custom = false;
  bool addresses = false;
};

// A record as receive() takes it.
Json to_json(const Record &record);

// {"a","b"}: the text form of a PostgreSQL array.
std::string array_literal(const std::vector<std::string> &elements);

}  // namespace crm_bridge::worker
