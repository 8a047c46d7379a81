// SPDX-License-Identifier: PostgreSQL
#include "services/credits.hpp"

#include <algorithm>

namespace crm_bridge::worker {
namespace {

std::size_t records_in(const ApiCall &call) {
  if (call.method == "GET" || call.method == "DELETE") return 0;
  const Json *data = find(call.body, "data");
  return data != nullptr && data->is_array() ? data->size() : 0;
}

}  // namespace

Demand credits_of(const ApiCall &call) {
  return {"*", std::max(1, static_cast<int>((records_in(call) + 9) / 10)), {"*"}};
}

bool is_costly(const ApiCall &call) {
  const std::string_view path = call.path;
  const bool sorted = std::any_of(call.query.begin(), call.query.end(), [](const auto &parameter) {
    return parameter.first == "sort_by" || parameter.first == "cvid";
  });
  return records_in(call) > 10 || sorted || path.ends_with("/coql") || path.ends_with("/search");
}

Demand request_of(const ApiCall &call) { return {url_pattern(call.method, call.path), 1, {"*"}}; }

}  // namespace crm_bridge::worker
