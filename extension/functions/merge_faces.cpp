// SPDX-License-Identifier: PostgreSQL
#include "functions/merge_faces.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement insert_conflicts{
    "WITH found AS ("
    "  SELECT f.* FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    "    AS f (record_id, link_id, field, other_field, base, left_value, right_value, left_at, "
    "right_at, left_by,"
    "          right_by, winner, reason)"
    // An open question is over when it was decided, or when the service tells of another value: the
    // first one stays to be read.
    "), superseded AS ("
    "  UPDATE crm_bridge.conflict AS c SET resolved_at = now(), resolved_by = 'superseded'"
    "    FROM found AS f WHERE c.org_id = $1 AND c.record_id = f.record_id AND c.field = f.field"
    "     AND c.winner = 'none' AND c.resolved_at IS NULL AND c.link_id IS NOT DISTINCT FROM "
    "f.link_id"
    "     AND (f.winner <> 'none' OR (f.link_id IS NULL AND c.right_value IS DISTINCT FROM "
    "f.right_value))"
    // The same question asked again: what the service was known to have by then is its base.
    "), repeated AS ("
    "  UPDATE crm_bridge.conflict AS c SET base = f.base FROM found AS f"
    "   WHERE c.org_id = $1 AND c.record_id = f.record_id AND c.field = f.field AND c.link_id IS "
    "NULL AND f.link_id IS NULL"
    "     AND c.winner = 'none' AND c.resolved_at IS NULL AND f.winner = 'none'"
    "     AND c.right_value IS NOT DISTINCT FROM f.right_value AND c.base IS DISTINCT FROM f.base"
    "), made AS ("
    "  INSERT INTO crm_bridge.conflict (org_id, module, record_id, link_id, field, other_field, "
    "base, left_value,"
    "      right_value, left_at, right_at, left_by, right_by, winner, reason)"
    "  SELECT $1, $2, f.* FROM found AS f"
    // One open question about a field is enough, however often it is edited here meanwhile.
    "   WHERE f.winner <> 'none' OR NOT EXISTS (SELECT 1 FROM crm_bridge.conflict AS c"
    "     WHERE c.org_id = $1 AND c.record_id = f.record_id AND c.field = f.field AND c.winner = "
    "'none'"
    "       AND c.resolved_at IS NULL AND c.link_id IS NOT DISTINCT FROM f.link_id"
    "       AND (f.link_id IS NOT NULL OR c.right_value IS NOT DISTINCT FROM f.right_value))"
    "  RETURNING *)"
    " SELECT count(crm_bridge._tell_loser($1, m.conflict_id, m.module, m.record_id, m.link_id, "
    "m.field, m.other_field,"
    "   m.winner, m.left_value, m.right_value, m.left_by, m.right_by)) FROM made AS m WHERE "
    "m.winner <> 'none'",
    {INT8OID, TEXTOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID,
     JSONBARRAYOID, JSONBARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID,
     TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}};

constinit pg::Statement insert_refusals{
    "WITH made AS ("
    "  INSERT INTO crm_bridge.refusal (org_id, module, record_id, link_id, field, reason, detail, "
    "value, agreed, refused_for, reverted)"
    "  SELECT $1, $2, f.* FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)"
    "    AS f (record_id, link_id, field, reason, detail, value, agreed, refused_for, reverted)"
    "  RETURNING *)"
    " SELECT count(crm_bridge._tell_not_carried(m)) FROM made AS m"
    "  WHERE m.reason IN ('value_not_in_picklist', 'text_too_long', 'user_unknown', "
    "'not_representable', 'field_read_only')",
    {INT8OID, TEXTOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
     JSONBARRAYOID, JSONBARRAYOID, TEXTARRAYOID, BOOLARRAYOID}};

const core::Value &value_in(const pg::Fields &fields, const std::string &name) {
  static const core::Value empty{};
  auto const found = fields.find(name);
  return found == fields.end() ? empty : found->second;
}

const char *winner_of(core::Outcome outcome) {
  return outcome == core::Outcome::left_wins    ? "left"
         : outcome == core::Outcome::right_wins ? "right"
                                                : "none";
}

}  // namespace

MergedFaces merge_faces(const Pairing &pairing, std::int64_t org_id, const Faces &faces,
                        const FieldNames &left_changed, const FieldNames &right_changed) {
  MergedFaces merged;
  merged.left_base = faces.left_base;
  merged.right_base = faces.right_base;
  for (const MappedField &field : pairing.fields) {
    if (!field.keep_in_step) continue;
    const std::string &left_name = field.left.name;
    const std::string &right_name = field.right.name;
    if (!left_changed.contains(left_name) && !right_changed.contains(right_name)) continue;
    const core::Value &left = value_in(faces.left.fields, left_name);
    const core::Value &right = value_in(faces.right.fields, right_name);
    auto const left_base = faces.left_base.find(left_name);
    auto const right_base = faces.right_base.find(right_name);
    const core::Value &base_left = left_base == faces.left_base.end() ? left : left_base->second;
    const core::Value &base_right =
        right_base == faces.right_base.end() ? right : right_base->second;

    Edit left_edit{faces.left.modified_at, faces.left.modified_by.value_or("")};
    Edit right_edit{faces.right.modified_at, faces.right.modified_by.value_or("")};
    if (left != base_left && right != base_right) {
      left_edit =
          last_edit(org_id, faces.left.id, left_name, EditsOf::everybody).value_or(left_edit);
      right_edit =
          last_edit(org_id, faces.right.id, right_name, EditsOf::everybody).value_or(right_edit);
    }

    core::FieldMerge const result = core::merge_field({.conversion = &field.conversion,
                                                       .direction = field.direction,
                                                       .policy = field.policy,
                                                       .tie_winner = pairing.tie_winner,
                                                       .base_left = &base_left,
                                                       .base_right = &base_right,
                                                       .left = &left,
                                                       .right = &right,
                                                       .left_changed = left_edit.at,
                                                       .right_changed = right_edit.at});
    if (result.new_left.has_value()) merged.new_left.insert_or_assign(left_name, *result.new_left);
    if (result.new_right.has_value())
      merged.new_right.insert_or_assign(right_name, *result.new_right);

    bool const apart =
        result.outcome == core::Outcome::held || result.outcome == core::Outcome::unmappable ||
        (result.outcome == core::Outcome::unchanged && (left != base_left || right != base_right));
    if (apart) {
      merged.left_base.insert_or_assign(left_name, base_left);
      merged.right_base.insert_or_assign(right_name, base_right);
    } else {
      merged.left_base.erase(left_name);
      merged.right_base.erase(right_name);
    }
    if (core::is_conflict(result.outcome) || result.outcome == core::Outcome::unmappable) {
      bool const left_moved = left != base_left;
      bool const refusal_of_right = result.outcome == core::Outcome::unmappable && !left_moved;
      merged.findings.push_back({.record = refusal_of_right ? faces.right.id : faces.left.id,
                                 .link = faces.link,
                                 .field = refusal_of_right ? right_name : left_name,
                                 .other_field = refusal_of_right ? left_name : right_name,
                                 .outcome = result.outcome,
                                 .base = refusal_of_right ? base_right : base_left,
                                 .left = refusal_of_right ? right : left,
                                 .right = refusal_of_right ? left : right,
                                 .left_at = left_edit.at,
                                 .right_at = right_edit.at,
                                 .left_by = refusal_of_right ? right_edit.by : left_edit.by,
                                 .right_by = refusal_of_right ? left_edit.by : right_edit.by,
                                 .reason = result.reason,
                                 .detail = result.detail});
    }
  }
  merged.base_changed =
      merged.left_base != faces.left_base || merged.right_base != faces.right_base;
  return merged;
}

void record_findings(const Module &module, std::int64_t org_id,
                     const std::vector<Finding> &findings) {
  struct Columns {
    std::vector<core::Uuid> record;
    std::vector<std::optional<core::Uuid>> link;
    std::vector<std::string> field, other_field, winner, reason, left_by, right_by, detail;
    std::vector<Jsonb *> base, left, right;
    std::vector<std::optional<core::Instant>> left_at, right_at;
    std::vector<bool> reverted;
  } conflicts, refusals;
  for (const Finding &finding : findings) {
    Columns &columns = core::is_conflict(finding.outcome) ? conflicts : refusals;
    columns.record.push_back(finding.record);
    columns.link.push_back(finding.link);
    columns.field.push_back(finding.field);
    columns.other_field.push_back(finding.other_field);
    columns.winner.emplace_back(winner_of(finding.outcome));
    columns.reason.push_back(finding.reason);
    columns.left_by.push_back(finding.left_by);
    columns.right_by.push_back(finding.right_by);
    columns.detail.push_back(finding.detail);
    columns.base.push_back(pg::to_jsonb(finding.base));
    columns.left.push_back(pg::to_jsonb(finding.left));
    columns.right.push_back(pg::to_jsonb(finding.right));
    columns.left_at.push_back(finding.left_at);
    columns.right_at.push_back(finding.right_at);
    columns.reverted.push_back(finding.reverted);
  }
  if (!conflicts.record.empty()) {
    (void)insert_conflicts.execute(
        {pg::argument(org_id), pg::argument(module.name), pg::argument(conflicts.record),
         pg::argument(conflicts.link), pg::argument(conflicts.field),
         pg::argument(conflicts.other_field), pg::argument(conflicts.base),
         pg::argument(conflicts.left), pg::argument(conflicts.right),
         pg::argument(conflicts.left_at), pg::argument(conflicts.right_at),
         pg::argument(conflicts.left_by), pg::argument(conflicts.right_by),
         pg::argument(conflicts.winner), pg::argument(conflicts.reason)});
  }
  if (!refusals.record.empty()) {
    (void)insert_refusals.execute(
        {pg::argument(org_id), pg::argument(module.name), pg::argument(refusals.record),
         pg::argument(refusals.link), pg::argument(refusals.field), pg::argument(refusals.reason),
         pg::argument(refusals.detail), pg::argument(refusals.left), pg::argument(refusals.base),
         pg::argument(refusals.left_by), pg::argument(refusals.reverted)});
  }
}

}  // namespace crm_bridge
