// SPDX-License-Identifier: PostgreSQL
#pragma once

#ifdef POSTGRES_H
#error "core is pure C++: include core headers before, or without, the server's"
#endif

#include <exception>
#include <string>
#include <utility>

namespace crm_bridge::core {

// What a person is told when something is refused, in PostgreSQL's three parts: the message says
// what (lower case, no full stop), the detail gives facts in sentences, the hint says what to type.
// `sqlstate` is a five-character literal.
struct Fault {
  const char *sqlstate = "XX000";
  std::string message;
  std::string detail{};
  std::string hint{};
};

// The only exception that core throws.  `pg::entry` turns it into an ERROR with the same parts.
class Error : public std::exception {
 public:
  explicit Error(Fault fault) : fault_(std::move(fault)) {}
  const Fault &fault() const noexcept { return fault_; }
  const char *what() const noexcept override { return fault_.message.c_str(); }

 private:
  Fault fault_;
};

}  // namespace crm_bridge::core
