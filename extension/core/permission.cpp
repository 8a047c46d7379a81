// SPDX-License-Identifier: PostgreSQL
#include "core/permission.hpp"

namespace crm_bridge::core {

std::optional<Action> parse_action(std::string_view word) {
  if (word == "tab") return Action::see_tab;
  if (word == "view") return Action::view;
  if (word == "create") return Action::create;
  if (word == "edit") return Action::edit;
  if (word == "delete") return Action::erase;
  return std::nullopt;
}

const char *flag_of(Action action) {
  switch (action) {
    case Action::see_tab:
      return "tab_visible";
    case Action::view:
      return "can_view";
    case Action::create:
      return "can_create";
    case Action::edit:
      return "can_edit";
    case Action::erase:
      return "can_delete";
  }
  return "can_view";
}

RoleKind parse_role_kind(std::string_view word) {
  if (word == "administrator") return RoleKind::administrator;
  if (word == "app") return RoleKind::app;
  if (word == "analyst") return RoleKind::analyst;
  return RoleKind::none;
}

Verdict judge(const Holder &holder, Action action) {
  bool const writes = action == Action::create || action == Action::edit || action == Action::erase;
  if (writes && holder.kind == RoleKind::analyst) return Verdict::reads_only;
  if (holder.is_person) {
    if (!holder.is_active) return Verdict::inactive;
    return holder.flags.has(action) ? Verdict::allowed : Verdict::flag_missing;
  }
  return holder.person_demanded && holder.kind == RoleKind::app ? Verdict::nobody_acts
                                                                : Verdict::allowed;
}

Verdict judge_elsewhere(const Holder &holder) {
  return holder.kind == RoleKind::analyst ? Verdict::reads_only : Verdict::allowed;
}

bool administers(const Holder &holder) {
  return holder.kind == RoleKind::administrator &&
         (!holder.is_person || (holder.is_active && holder.administers_crm));
}

}  // namespace crm_bridge::core
