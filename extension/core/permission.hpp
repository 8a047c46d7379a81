// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"

// What a CRM profile's five flags (R31) let a person do with the data of Projects.
namespace crm_bridge::core {

enum class Action : std::uint8_t { see_tab, view, create, edit, erase };

// view, create, edit, delete or tab; nothing else.
std::optional<Action> parse_action(std::string_view word);
// The column of profile_permission that allows it.
const char *flag_of(Action action);

class Flags {
 public:
  constexpr Flags() = default;
  constexpr Flags &set(Action action, bool on = true) {
    auto const bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(action));
    bits_ = static_cast<std::uint8_t>(on ? bits_ | bit : bits_ & ~bit);
    return *this;
  }
  constexpr bool has(Action action) const {
    return (bits_ >> static_cast<unsigned>(action) & 1U) != 0;
  }
  static constexpr Flags all() {
    Flags flags;
    flags.bits_ = 0x1F;
    return flags;
  }

 private:
  std::uint8_t bits_ = 0;
};

// What a database role may be for an organization, in the order of what it may do.
enum class RoleKind : std::uint8_t { none, analyst, app, administrator };
RoleKind parse_role_kind(std::string_view word);

// Whose rights a write or a look has: a role, and the person that it acts for.
struct Holder {
  RoleKind kind = RoleKind::none;
  bool is_person = false;        // acting as a user, or a role that stands for one
  bool person_demanded = false;  // setting require_acting_user
  bool is_active = false;        // the person may still work with the CRM
  bool administers_crm = false;  // the person's profile is one of administrators
  bool administers_portal = false;
  Flags flags;
};

enum class Verdict : std::uint8_t { allowed, flag_missing, inactive, nobody_acts, reads_only };

// May the holder do this to a record of Projects?
Verdict judge(const Holder &holder, Action action);
// May the holder write records of other services?  Their own service decides that; an analyst
// never.
Verdict judge_elsewhere(const Holder &holder);
// May the holder set up the organization (R1)?
bool administers(const Holder &holder);

}  // namespace crm_bridge::core
