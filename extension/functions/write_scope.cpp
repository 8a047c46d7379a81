// SPDX-License-Identifier: PostgreSQL
#include "functions/write_scope.hpp"

namespace crm_bridge {

namespace {
constinit const WriteScope *innermost = nullptr;

bool holds(const std::vector<core::Uuid> *links, const core::Uuid &link) {
  return links != nullptr && std::find(links->begin(), links->end(), link) != links->end();
}
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
                       std::optional<core::Uuid> run, const std::vector<core::Uuid> *links)
    : origin_(origin),
      module_(std::move(module)),
      actor_(std::move(actor)),
      run_(run),
      links_(links),
      outer_(innermost) {
  innermost = this;
}

WriteScope::~WriteScope() { innermost = outer_; }

const WriteScope *WriteScope::current(std::string_view module) {
  return innermost != nullptr && innermost->module_ == module ? innermost : nullptr;
}

bool WriteScope::brought(std::string_view module, const core::Uuid &link) {
  return innermost != nullptr && innermost->module_ == module && holds(innermost->links_, link);
}

bool WriteScope::travels() {
  for (const WriteScope *scope = innermost; scope != nullptr; scope = scope->outer_)
    if (scope->links_ != nullptr) return true;
  return false;
}

bool WriteScope::travels_over(const core::Uuid &link) {
  for (const WriteScope *scope = innermost; scope != nullptr; scope = scope->outer_) {
    if (holds(scope->links_, link)) return true;
  }
  return false;
}

}  // namespace crm_bridge
