// SPDX-License-Identifier: PostgreSQL
#include "core/merge.hpp"

#include <array>

namespace crm_bridge::core {

namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 4> policy_names{"left", "right", "newest", "manual"};
constexpr std::array<std::string_view, 3> direction_names{"both", "left_to_right", "right_to_left"};
constexpr std::array<std::string_view, 8> outcome_names{"unchanged", "take_left", "take_right",
                                                        "agreed",    "left_wins", "right_wins",
                                                        "held",      "unmappable"};

template <typename Enum, std::size_t count>
std::optional<Enum> parse(const std::array<std::string_view, count> &names, std::string_view text) {
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

class Identity final : public Lens {
 public:
  Value get(const Value &stored) const override { return stored; }
  Value put(const Value &canonical, const Value &) const override { return canonical; }
};

// Writes right := put(get(left)), or the mirror image, into `merge`; `canonical` is get(source)
// where it is known already.
void carry_over(const FieldState &state, Side source, std::optional<Value> canonical,
                FieldMerge &merge) {
  const bool from_left = source == Side::left;
  const Lens &source_lens = from_left ? *state.conversion->left : *state.conversion->right;
  const Lens &target_lens = from_left ? *state.conversion->right : *state.conversion->left;
  const Value &target = from_left ? *state.right : *state.left;
  if (!canonical) canonical = source_lens.get(from_left ? *state.left : *state.right);
  Value carried = target_lens.put(*canonical, target);
  if (carried != target) (from_left ? merge.new_right : merge.new_left) = std::move(carried);
}

void refuse(FieldMerge &merge, Unmappable &&why) {
  merge.outcome = Outcome::unmappable;
  merge.reason = std::move(why.reason);
  merge.detail = std::move(why.detail);
}

struct Verdict {
  std::optional<Side> winner;  // none: held
  const char *reason;
};

Verdict decide(const FieldState &state) {
  if (state.direction == Direction::left_to_right) return {Side::left, "direction"};
  if (state.direction == Direction::right_to_left) return {Side::right, "direction"};
  switch (state.policy) {
    case Policy::left:
      return {Side::left, "policy"};
    case Policy::right:
      return {Side::right, "policy"};
    case Policy::manual:
      return {std::nullopt, "policy"};
    case Policy::newest:
      break;
  }
  // An empty optional compares less than any instant.
  if (state.left_changed == state.right_changed) return {state.tie_winner, "tie"};
  return {state.left_changed > state.right_changed ? Side::left : Side::right, "newest"};
}

// The canonical value, or nothing and the reason why there is none.
std::optional<Value> canonical_of(const Lens &lens, const Value &stored,
                                  std::optional<Unmappable> &why) {
  try {
    return lens.get(stored);
  } catch (Unmappable &unmappable) {
    why = std::move(unmappable);
    return std::nullopt;
  }
}

FieldMerge merge_both_changed(const FieldState &state) {
  FieldMerge merge;
  std::optional<Unmappable> left_problem;
  std::optional<Unmappable> right_problem;
  std::optional<Value> left = canonical_of(*state.conversion->left, *state.left, left_problem);
  std::optional<Value> right = canonical_of(*state.conversion->right, *state.right, right_problem);
  if (left && right && *left == *right) {
    merge.outcome = Outcome::agreed;
    return merge;
  }

  const Verdict verdict = decide(state);
  merge.reason = verdict.reason;
  if (!verdict.winner) {
    merge.outcome = Outcome::held;
    return merge;
  }
  const bool left_wins = *verdict.winner == Side::left;
  // The loser need not be expressible: its value is kept in the conflict as it stands.
  if (auto &problem = left_wins ? left_problem : right_problem) {
    refuse(merge, std::move(*problem));
    return merge;
  }
  try {
    carry_over(state, *verdict.winner, std::move(left_wins ? left : right), merge);
    merge.outcome = left_wins ? Outcome::left_wins : Outcome::right_wins;
  } catch (Unmappable &unmappable) {
    refuse(merge, std::move(unmappable));
  }
  return merge;
}

}  // namespace

std::optional<Policy> parse_policy(std::string_view text) {
  return parse<Policy>(policy_names, text);
}

std::optional<Direction> parse_direction(std::string_view text) {
  return parse<Direction>(direction_names, text);
}

std::string_view to_text(Policy policy) { return policy_names[static_cast<std::size_t>(policy)]; }

std::string_view to_text(Direction direction) {
  return direction_names[static_cast<std::size_t>(direction)];
}

std::string_view to_text(Outcome outcome) {
  return outcome_names[static_cast<std::size_t>(outcome)];
}

FieldMerge merge_field(const FieldState &state) {
  // Before any lens is asked: nearly all fields of nearly all records stop here.
  const bool left_changed = *state.left != *state.base_left;
  const bool right_changed = *state.right != *state.base_right;
  if (left_changed && right_changed) return merge_both_changed(state);

  FieldMerge merge;
  if (!left_changed && !right_changed) return merge;
  const Side source = left_changed ? Side::left : Side::right;
  const Direction against = left_changed ? Direction::right_to_left : Direction::left_to_right;
  if (state.direction == against) {
    merge.reason = "direction";
    return merge;
  }
  try {
    carry_over(state, source, std::nullopt, merge);
    merge.outcome = left_changed ? Outcome::take_left : Outcome::take_right;
  } catch (Unmappable &unmappable) {
    refuse(merge, std::move(unmappable));
  }
  return merge;
}

const Conversion &identity() {
  // Never destroyed: a backend's exit handlers may still merge.
  static const Conversion &conversion = *[] {
    const auto lens = std::make_shared<const Identity>();
    return new Conversion{"identity", lens, lens};
  }();
  return conversion;
}

}  // namespace crm_bridge::core
