// SPDX-License-Identifier: PostgreSQL
#include "functions/write_scope.hpp"

namespace crm_bridge {

namespace {
constinit const WriteScope *innermost = nullptr;
}

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

bool WriteScope::travels_over(const core::Uuid &link) {
  for (const WriteScope *scope = innermost; scope != nullptr; scope = scope->outer_) {
    if (scope->links_ != nullptr &&
        std::find(scope->links_->begin(), scope->links_->end(), link) != scope->links_->end())
      return true;
  }
  return false;
}

}  // namespace crm_bridge
