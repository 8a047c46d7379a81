// SPDX-License-Identifier: PostgreSQL
#include "core/rules.hpp"

namespace crm_bridge::core {

std::string_view to_text(TaskRule rule) {
  return rule == TaskRule::strict_schedule ? "strict_schedule" : "parent_closed";
}

std::vector<BrokenRule> broken_rules(const TaskPlace &place, const TaskChange &change) {
  std::vector<BrokenRule> broken;
  if (place.project_is_strict && change.new_due_day.has_value()) {
    // A schedule that is open at one end is open there.
    if (place.last_day.has_value() && *change.new_due_day > *place.last_day)
      broken.push_back({TaskRule::strict_schedule, place.last_day});
    else if (place.first_day.has_value() && *change.new_due_day < *place.first_day)
      broken.push_back({TaskRule::strict_schedule, place.first_day});
  }
  if (change.reopens && place.parent_is_closed) broken.push_back({TaskRule::parent_closed});
  return broken;
}

std::optional<RuleMode> parse_rule_mode(std::string_view text) {
  if (text == "reject") return RuleMode::reject;
  if (text == "warn") return RuleMode::warn;
  if (text == "send") return RuleMode::send;
  return std::nullopt;
}

}  // namespace crm_bridge::core
