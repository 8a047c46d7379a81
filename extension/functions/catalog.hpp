// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <set>

#include "core/rules.hpp"
#include "pg/jsonb.hpp"
#include "pg/spi.hpp"

// What a backend remembers of the catalog and the configuration.  Entries are shared: whoever holds
// one keeps it alive while another statement makes the cache forget it.
namespace crm_bridge {

// A column of a mirror that holds a field of the service.
struct Column {
  AttrNumber number;
  std::string field;
  core::FieldType type;
  Oid type_oid;
  std::int16_t length;
  bool by_value;
  bool writable;
  std::string reference_module;
};

struct Module {
  Module() = default;
  ~Module();
  Module(const Module &) = delete;
  Module &operator=(const Module &) = delete;

  std::string name;  // crm_deal: also the mirror's name
  std::string service;
  std::string label;
  Oid relation = InvalidOid;
  bool creatable = false;
  bool updatable = false;
  bool deletable = false;
  std::vector<Column> columns;
  AttrNumber org_id = 0, id = 0, external_id = 0, custom_fields = 0, origin = 0, created_at = 0,
             modified_at = 0, modified_by = 0;

  const Column *find(std::string_view field) const;
  core::FieldType type_of(std::string_view field) const;  // of custom fields: json

  // Statements over the mirror, made from its columns; see catalog.cpp for their parameters.
  std::string insert_text, patch_text, erase_text, identify_text, find_text;
  mutable pg::Statement insert{nullptr, {}}, patch{nullptr, {}}, erase{nullptr, {}},
      identify{nullptr, {}}, find_by_external_id{nullptr, {}};

  // UPDATEs of some columns by their texts, made when they are first needed.
  mutable std::map<std::string, pg::Statement> updates;

  // The service's users by its own ids; empty for a service that names nobody.
  std::string people_text;
  mutable pg::Statement people{nullptr, {}};
};

struct MappedField {
  core::Field left, right;
  core::Direction direction;
  core::Policy policy;
  bool keep_in_step;
  core::Conversion conversion;
};

struct Pairing {
  std::string name, left_module, right_module, on_delete;
  std::vector<MappedField> fields;
  core::Side tie_winner;  // D1: the side that is not the CRM; without a CRM side the right one
};

// What an organization's catalog says of a field, custom or standard.
struct ServiceField {
  core::FieldType type;
  bool writable;
  bool addresses;
  int maximum_length = 0;              // characters; 0: not known
  std::vector<std::string> choices{};  // of a custom picklist; empty: not known
};
using ServiceFields = std::map<std::string, ServiceField, std::less<>>;

struct Organization {
  std::int64_t org_id = 0;
  std::string name;
  std::vector<Pairing> pairings;  // enabled ones, in order of position
  std::map<std::string, core::Policy, std::less<>>
      policies;  // "module.field" and "module.*", against the service
  std::map<std::string, ServiceFields, std::less<>> service_fields;  // by module
  std::set<std::string> closed_services;      // switched off, or their trial is over
  std::vector<std::string> automated_stages;  // a deal that enters one of them gets a project (R55)
  std::vector<std::string> rules;             // the automations that are switched on
  core::RuleMode rule_mode = core::RuleMode::reject;  // D3: of what apps write
  bool reverts_refused = true;                        // D3: of what people do in the CRM
  core::TimeZone portal_zone{"UTC"};                  // D18: the days of Projects
  std::unique_ptr<core::Resolver> resolver;

  core::Policy policy(std::string_view module, std::string_view field) const;
  const ServiceFields &fields_of(std::string_view module) const;
  // nullptr for a field that the service is not known to have.
  const ServiceField *find_field(std::string_view module, std::string_view field) const;
};

namespace catalog {

enum class Installation { none, here, elsewhere };

// Whether this server may act for this database.  `fresh` looks again (a server may have been
// promoted).
Installation installation(bool fresh = false);
// Raises 55000 with the hint that fits unless the installation is here.
void demand_armed();

// Throws core::Error 42704 for a name that is no module.
std::shared_ptr<const Module> module(std::string_view name);
// Throws core::Error 42704 for an organization that does not exist.
std::shared_ptr<const Organization> organization(std::int64_t org_id);

// Makes all backends read again; called by the trigger on the configuration tables.
void changed();

}  // namespace catalog
}  // namespace crm_bridge
