// SPDX-License-Identifier: PostgreSQL
#include "services/kinds.hpp"

#include <algorithm>
#include <array>

namespace crm_bridge::worker {

// One line a service, and its folder.
namespace zoho_crm {
extern const ServiceKind kind;
}
namespace zoho_projects {
extern const ServiceKind kind;
}
namespace bigin {
extern const ServiceKind kind;
}
namespace microsoft_graph {
extern const ServiceKind kind;
}

namespace {
constexpr std::array<const ServiceKind *, 4> kinds{&zoho_crm::kind, &zoho_projects::kind,
                                                   &bigin::kind, &microsoft_graph::kind};
}

const ServiceKind *find_kind(std::string_view name) {
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const ServiceKind *kind) { return kind->name == name; });
  return found == kinds.end() ? nullptr : *found;
}

std::string kind_names() {
  std::string names;
  for (const ServiceKind *kind : kinds)
    names += (names.empty() ? "" : ", ") + std::string(kind->name);
  return names;
}

}  // namespace crm_bridge::worker
