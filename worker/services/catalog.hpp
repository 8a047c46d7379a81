// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol.hpp"

namespace crm_bridge::worker {

// The modules and fields of one service as an organization has them.
struct Catalog {
  std::vector<ModuleInfo> modules;
  std::map<std::string, std::vector<FieldInfo>, std::less<>> fields;  // by module

  const ModuleInfo *module(std::string_view name) const {
    for (const auto &one : modules) {
      if (one.module == name) return &one;
    }
    return nullptr;
  }
  const ModuleInfo *by_api_name(std::string_view api_name) const {
    for (const auto &one : modules) {
      if (one.api_name == api_name) return &one;
    }
    return nullptr;
  }
  const std::vector<FieldInfo> &fields_of(std::string_view name) const {
    static const std::vector<FieldInfo> none;
    const auto found = fields.find(name);
    return found == fields.end() ? none : found->second;
  }
  const FieldInfo *field(std::string_view module_name, std::string_view field_name) const {
    for (const auto &one : fields_of(module_name)) {
      if (one.field == field_name) return &one;
    }
    return nullptr;
  }
};

}  // namespace crm_bridge::worker
