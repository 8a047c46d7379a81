// SPDX-License-Identifier: PostgreSQL
#include "functions/recognise.hpp"

namespace crm_bridge {

namespace {

bool equals(const Module &module, const Organization &organization, const pg::Fields &fields,
            Jsonb *document) {
  std::size_t found = 0;
  bool same = true;
  pg::for_each_member(document, [&](std::string_view field, const JsonbValue &value) {
    auto const incoming = same ? fields.find(field) : fields.end();
    if (incoming == fields.end()) return;
    ++found;
    same = pg::stored_value_of(value, type_of(module, organization, field)) == incoming->second;
  });
  return same && found == fields.size();
}

}  // namespace

void settle_known(const Module &module, const Organization &organization, core::Instant read_at,
                  const Shadow &shadow, Incoming &incoming) {
  if (incoming.deleted) {
    if (shadow.state == "gone") incoming.settle("unchanged");
    return;
  }
  if (shadow.state == "duplicate") {
    incoming.settle("unchanged", "A second record of ours that is being deleted at the service.");
    return;
  }
  if (shadow.state == "expected") return;
  if (shadow.state == "gone" && (read_at < shadow.read_at || read_at < shadow.acknowledged_at)) {
    incoming.settle("stale", "The read began before the record was deleted.");
    return;
  }
  // A read that began before the service confirmed our last write shows, at best, what was before
  // it.
  bool const newer = incoming.version.has_value() &&
                     (!shadow.version.has_value() || *incoming.version > *shadow.version);
  bool const overtaken =
      shadow.acknowledged_at.has_value() && read_at < *shadow.acknowledged_at && !newer;
  bool const older = incoming.version.has_value() && shadow.version.has_value() &&
                     *incoming.version < *shadow.version;
  if (shadow.state == "live" && !newer &&
      equals(module, organization, incoming.fields, shadow.fields)) {
    // A newer version of the same is noted: the next conditional write is judged by it.
    incoming.settle("unchanged");
  } else if (older || overtaken) {
    incoming.settle("stale", older ? "A newer state is known."
                                   : "The read began before our last write was confirmed.");
  }
}

}  // namespace crm_bridge
