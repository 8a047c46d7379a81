// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <optional>
#include <vector>

#include "core/value.hpp"

// What Projects refuses of a task (R80, R83, B5), as far as it can be known before it is asked.
namespace crm_bridge::core {

// What surrounds a task.
struct TaskPlace {
  bool project_is_strict = false;
  std::optional<Date> first_day{};  // of the project's schedule
  std::optional<Date> last_day{};
  bool parent_is_closed = false;  // false also where there is no parent
};

// What a write asks of a task.
struct TaskChange {
  std::optional<Date>
      new_due_day{};  // in the portal's zone; none: it stays as it is, or is emptied
  bool reopens = false;
};

enum class TaskRule : std::uint8_t {
  strict_schedule,  // a due date beyond the schedule of a strict project
  parent_closed,    // a task is reopened whose parent is closed
};
std::string_view to_text(TaskRule rule);

struct BrokenRule {
  TaskRule rule;
  std::optional<Date> limit{};  // strict_schedule: the day that is nearest to the one asked for
  auto operator<=>(const BrokenRule &) const = default;
};

// The rules that the change breaks, in the order of their enumeration; none: Projects will take it.
std::vector<BrokenRule> broken_rules(const TaskPlace &place, const TaskChange &change);

// What becomes of an app's write that is bound to be refused (D3).
enum class RuleMode : std::uint8_t { reject, warn, send };
std::optional<RuleMode> parse_rule_mode(std::string_view text);

}  // namespace crm_bridge::core
