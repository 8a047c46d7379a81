// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <optional>
#include <string>

#include "core/conversion.hpp"
#include "core/value.hpp"

namespace crm_bridge::core {

enum class Policy : std::uint8_t { left, right, newest, manual };
enum class Direction : std::uint8_t { both, left_to_right, right_to_left };

std::optional<Policy> parse_policy(std::string_view text);
std::optional<Direction> parse_direction(std::string_view text);
std::string_view to_text(Policy policy);
std::string_view to_text(Direction direction);

// How one field came out.
enum class Outcome : std::uint8_t {
  unchanged,   // neither side changed, or the changed side may not travel
  take_left,   // right := put(get(left))
  take_right,  // left := put(get(right))
  agreed,      // both changed to equal canonical values: only the base moves
  left_wins,   // conflict, right := put(get(left)); right's value is kept in `conflict`
  right_wins,  // conflict, left := put(get(right))
  held,        // conflict under `manual`: both stay, the base stays
  unmappable,  // the change cannot be expressed on the other side; both stay, the base stays
};
std::string_view to_text(Outcome outcome);
inline bool is_conflict(Outcome outcome) {
  return outcome == Outcome::left_wins || outcome == Outcome::right_wins ||
         outcome == Outcome::held;
}

// One field of two faces.  For mirror against service (left = mirror, right = service) the
// conversion is identity() and both bases are the shadow's value; for twins the bases are each
// side's own value at the last agreement.
struct FieldState {
  const Conversion *conversion = nullptr;
  Direction direction = Direction::both;
  Policy policy = Policy::newest;
  Side tie_winner = Side::right;  // who wins `newest` when the instants are equal or unknown (D1)
  const Value *base_left = nullptr;
  const Value *base_right = nullptr;
  const Value *left = nullptr;
  const Value *right = nullptr;
  std::optional<Instant> left_changed{};  // when the change was first seen, clock offset corrected
  std::optional<Instant> right_changed{};
};

struct FieldMerge {
  Outcome outcome = Outcome::unchanged;
  std::optional<Value> new_left{};  // set only where the value differs from what is there
  std::optional<Value> new_right{};
  std::string reason{};  // policy, newest, tie, direction, or Unmappable's reason
  std::string detail{};
};

// The merge of design §6.  Deterministic and total; merging its own result again is `unchanged` or
// `held`. "Changed" is judged on each side against that side's own base; equality of changes in the
// canonical form. One-way mappings: a change on the side that may not travel stays where it is; if
// the other side changes too, the side that may travel wins, and that is a conflict (reason
// "direction"), so that nothing typed is lost (B2). Under `newest` a missing instant counts as
// older than any.
FieldMerge merge_field(const FieldState &state);

// Both lenses hand values through.
const Conversion &identity();

}  // namespace crm_bridge::core
