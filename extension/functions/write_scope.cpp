// SPDX-License-Identifier: PostgreSQL
#include "functions/write_scope.hpp"

namespace crm_bridge {

namespace {
constinit const WriteScope *innermost = nullptr;
}  // namespace

const char *to_text(Origin origin) {
  switch (origin) {
    case Origin::app:
      return "app";
    case Origin::service:
      return "service";
    case Origin::bridge:
      return "bridge";
    case Origin::import:
      return "import";
    case Origin::mass_update:
      return "mass_update";
  }
  return "app";
}

WriteScope::WriteScope(Origin origin, std::string module, std::string actor,
                       std::optional<core::Uuid> run, const Travel *travel)
    : origin_(origin),
      module_(std::move(module)),
      actor_(std::move(actor)),
      run_(run),
      travel_(travel),
      outer_(innermost) {
  innermost = this;
}

WriteScope::~WriteScope() { innermost = outer_; }

const WriteScope *WriteScope::current(std::string_view module) {
  return innermost != nullptr && innermost->module_ == module ? innermost : nullptr;
}

bool WriteScope::brought(std::string_view module, std::string_view pairing,
                         const core::Uuid &record) {
  if (innermost == nullptr || innermost->module_ != module) return false;
  const Travel *travel = innermost->travel_;
  return travel != nullptr && travel->pairing == pairing && travel->records.contains(record);
}

bool WriteScope::travels() {
  for (const WriteScope *scope = innermost; scope != nullptr; scope = scope->outer_)
    if (scope->travel_ != nullptr) return true;
  return false;
}

bool WriteScope::travels_over(const core::Uuid &link) {
  for (const WriteScope *scope = innermost; scope != nullptr; scope = scope->outer_) {
    if (scope->travel_ != nullptr && scope->travel_->links.contains(link)) return true;
  }
  return false;
}

}  // namespace crm_bridge
