// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "random.hpp"

// The six fields of a task (R61-R66) as either side writes them down.  What the words mean is told
// here a second time, from the requirements, and shares no code with the extension's conversions.
namespace crm_bridge::convergence {

using Json = nlohmann::json;

enum class Side : std::uint8_t { crm, projects };
constexpr std::array<Side, 2> sides{Side::crm, Side::projects};
constexpr Side other(Side side) { return side == Side::crm ? Side::projects : Side::crm; }
constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }

const char *service_of(Side side);
const char *module_of(Side side);

constexpr std::size_t field_count = 6;
enum Field : std::size_t { subject, description, due, priority, status, owner };

const std::string &name_of(Side side, std::size_t field);
// field_count for a name that is none of the six.
std::size_t field_named(Side side, const std::string &name);

// People have an account on both sides: "c-mira" in the CRM, "p-mira" in Projects.
constexpr std::array<const char *, 3> people{"mira", "ben", "ada"};

// A value that a person types.  With `serial`, which nobody used before, texts and days are unique.
Json typed_value(Side side, std::size_t field, int serial, Random &random);

// What a value says, in words that both sides share.
Json meaning(Side side, std::size_t field, const Json &value);

}  // namespace crm_bridge::convergence
