// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "core/conversion.hpp"
#include "random.hpp"

namespace crm_bridge::test {

using Generator = std::function<core::Value(Random &)>;

// A conversion with a supply of random values for each of its sides.
struct ConversionCase {
  std::string name;
  core::Conversion conversion;
  Generator left;
  Generator right;
};
inline std::ostream &operator<<(std::ostream &out, const ConversionCase &each) {
  return out << each.name;
}

// The parameters of a mapping that every organization starts with, as sql/api/mapping.sql has them.
std::map<std::string, std::string> shipped_parameters(const std::string &pairing,
                                                      const std::string &left,
                                                      const std::string &right);

// At least one case for each conversion and each pair of types that it joins.
const std::vector<ConversionCase> &conversion_cases();

}  // namespace crm_bridge::test
