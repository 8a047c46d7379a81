// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "records.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace crm_bridge::sandbox::crm {

// A condition over one record, whether it was written as search criteria or in COQL.
struct Condition {
  enum class Kind { compare, all, any };
  Kind kind = Kind::compare;
  std::vector<Condition> parts;  // of all, any
  std::string field;             // of compare; may follow lookups with dots
  std::string operation;         // equals, contains, not_equal, in, not_in, between, ... is_null
  std::vector<std::string> values;
};

struct Selection {
  std::vector<std::string> columns;
  bool count = false;
  std::string module;
  Condition condition;
  std::vector<std::pair<std::string, bool>> order;  // field, descending
  std::size_t offset = 0;
  std::size_t limit = 200;
};

struct SyntaxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// (Status:equals:Completed)and(Modified_Time:greater_than:2026-03-01T00:00:00+00:00)
Condition parse_criteria(const std::string &text);
// select Subject from Tasks where Modified_Time >= '...' order by id asc limit 0, 200
Selection parse_selection(const std::string &text);

// Evaluates conditions; the caller holds the lock of `records`.
class Matcher {
 public:
  Matcher(Metadata &metadata, Records &records) : metadata_{metadata}, records_{records} {}

  bool matches(const Module &module, const Record &record, const Condition &condition);
  // Records that can match at all, found by index where the condition allows; else all.
  std::vector<const Record *> candidates(const Module &module, const Condition &condition);
  // The value that a field path names: a lookup is its id.
  Json value(const Module &module, const Record &record, const std::string &path);
  // < 0, 0, > 0; instants, numbers and texts each in their own order, empty first.
  static int compare(const Json &left, const Json &right);
  bool known(const Module &module, const std::string &path);

 private:
  bool matches_value(const Json &value, const Condition &condition);

  Metadata &metadata_;
  Records &records_;
};

}  // namespace crm_bridge::sandbox::crm
