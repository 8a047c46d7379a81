// SPDX-License-Identifier: PostgreSQL
#include "protocol.hpp"

#include <utility>

namespace crm_bridge::worker {

Json to_json(const Record &record) {
  Json json = {{"external_id", record.external_id}};
  if (record.deleted) {
    json["deleted"] = true;
    return json;
  }
  for (const auto &[name, value] :
       {std::pair{"version", &record.version}, std::pair{"created_at", &record.created_at},
        std::pair{"modified_at", &record.modified_at},
        std::pair{"modified_by", &record.modified_by}, std::pair{"record_id", &record.record_id}}) {
    if (!value->empty()) json[name] = *value;
  }
  json["fields"] = record.fields;
  return json;
}

std::string array_literal(const std::vector<std::string> &elements) {
  std::string literal = "{";
  for (const auto &element : elements) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (const char c : element) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + "}";
}

}  // namespace crm_bridge::worker
