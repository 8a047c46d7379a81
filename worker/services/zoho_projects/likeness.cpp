// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_projects/likeness.hpp"

#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

namespace crm_bridge::worker::zoho_projects {
namespace {

// What a person reads of a text, without what a service may rewrite: markup, entities, white space.
std::string bare_text(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> entities{
      {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&nbsp;", ""}}};
  std::string bare;
  bool in_tag = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_tag || c == '<') {
      in_tag = c != '>';
      continue;
    }
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    std::string_view said = text.substr(at, 1);
    for (const auto &[entity, meaning] : entities) {
      if (!text.substr(at).starts_with(entity)) continue;
      said = meaning;
      at += entity.size() - 1;
      break;
    }
    bare += said;
  }
  return bare;
}

// Types whose values come back as they were sent.  Dates may be moved by a zone, people be
// resolved.
bool comes_back(const std::string &type) {
  return type == "text" || type == "html" || type == "picklist" || type == "boolean";
}

}  // namespace

Likeness likeness(const Catalog &catalog, const std::string &module, const Json &sent,
                  const Json &there, const Record &record) {
  bool same = true;
  for (const auto &field : catalog.fields_of(module)) {
    if (!comes_back(field.type) || !field.writable || field.custom) continue;
    const Json *said = find(sent, field.field);
    if (said == nullptr || said->is_null()) continue;
    const Json *found = find(record.fields, field.field);
    same = same && bare_text(scalar_text(said)) == bare_text(scalar_text(found));
  }
  if (same) return Likeness::ours;
  const std::string created = scalar_text(there, "created_time");
  std::string changed = scalar_text(there, "last_updated_time");
  if (changed.empty()) changed = scalar_text(there, "modified_time");
  return changed.empty() || changed == created ? Likeness::other : Likeness::doubtful;
}

}  // namespace crm_bridge::worker::zoho_projects
