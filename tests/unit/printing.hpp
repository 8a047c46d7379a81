// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <optional>
#include <ostream>

#include "core/merge.hpp"
#include "core/value.hpp"

// How Boost.Test shows core's types when a comparison fails; found by argument-dependent lookup.
namespace crm_bridge::core {

inline std::ostream &boost_test_print_type(std::ostream &out, const Value &value) {
  return out << describe(value);
}
inline std::ostream &boost_test_print_type(std::ostream &out, const Number &value) {
  return out << value.digits;
}
inline std::ostream &boost_test_print_type(std::ostream &out, const Date &value) {
  return out << to_text(value);
}
inline std::ostream &boost_test_print_type(std::ostream &out, const Instant &value) {
  return out << to_text(value);
}
inline std::ostream &boost_test_print_type(std::ostream &out, const Uuid &value) {
  return out << to_text(value);
}
inline std::ostream &boost_test_print_type(std::ostream &out, Outcome value) {
  return out << to_text(value);
}
inline std::ostream &boost_test_print_type(std::ostream &out, Side side) {
  return out << (side == Side::left ? "left" : "right");
}
template <typename T>
std::ostream &boost_test_print_type(std::ostream &out, const std::optional<T> &value) {
  return value ? boost_test_print_type(out, *value) : out << "nothing";
}

}  // namespace crm_bridge::core
