// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../call.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace crm_bridge::sandbox::crm {

struct Field {
  std::string id;
  std::string api_name;
  std::string label;
  std::string data_type;
  std::int64_t length = 0;  // 0 = not limited here
  bool mandatory = false;
  bool read_only = false;
  bool custom = false;
  bool unique = false;
  bool plain = false;                 // described in Bigin's fewer words
  std::string lookup_module;          // "*" = any module, told by $se_module
  std::vector<std::string> picklist;  // grows: an unknown value is accepted and added

  Json describe() const;
};

struct Module {
  std::string id;
  std::string api_name;
  std::string singular_label;
  std::string plural_label;
  std::string name_field;       // what a lookup to it shows
  std::string duplicate_field;  // what an upsert checks by itself; "" = upsert is not supported
  std::deque<Field> fields;     // a deque, so that adding a field moves none

  Field *find(const std::string &api_name);
  const Field *find(const std::string &api_name) const;
  Json describe() const;
};

// Which child modules are listed under a record: "Tasks" of a deal are those whose What_Id is it.
struct RelatedList {
  std::string module;
  std::string api_name;
  std::string child_module;
  std::string child_field;
};

// Modules and fields of the organization: the standard ones, and custom fields as they are added.
class Metadata {
 public:
  Metadata(bool bridge_field, bool all_modules);

  Module *find(const std::string &api_name);
  const std::deque<Module> &modules() const { return modules_; }
  std::deque<Module> &modules() { return modules_; }
  // A custom field made by an administrator; null when it is there already.
  Field *add_custom_field(Module &module, Field field);

  const std::vector<RelatedList> &related_lists() const { return related_lists_; }

 private:
  void add_crm_modules(bool bridge_field);
  void add_bigin_modules(bool bridge_field);
  void add_module(const std::string &line, const std::string &fields, bool bridge_field);

  std::deque<Module> modules_;
  std::vector<RelatedList> related_lists_;
  std::int64_t last_field_id_ = 4876876000000700000;
};

}  // namespace crm_bridge::sandbox::crm
