// SPDX-License-Identifier: PostgreSQL
#include "functions/task_rules.hpp"

#include "functions/acting.hpp"

namespace crm_bridge {

namespace {

constinit pg::Statement tell_refused{
    "SELECT crm_bridge._tell_refused($2, $3, $4, $5, $6, $7, $8, $9, $1)",
    {INT8OID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, JSONBOID, JSONBOID, TEXTOID, TEXTOID}};

struct BrokenTaskRule {
  core::BrokenRule broken;
  core::Uuid task;
  std::string task_name, project_name, parent_name;
  std::optional<core::Date> first_day, last_day;
};

std::string text_in(const MirrorReader &row, std::string_view field) {
  core::Value const value = row.value(field);
  const auto *text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string{} : *text;
}

bool flag_in(const MirrorReader &row, std::string_view field) {
  core::Value const value = row.value(field);
  const bool *flag = std::get_if<bool>(&value);
  return flag != nullptr && *flag;
}

std::optional<core::Date> date_in(const MirrorReader &row, std::string_view field) {
  core::Value const value = row.value(field);
  const auto *date = std::get_if<core::Date>(&value);
  return date == nullptr ? std::nullopt : std::optional{*date};
}

// Where tasks stand: their projects and parents, each read once.
class TaskPlaces {
 public:
  explicit TaskPlaces(std::int64_t org_id)
      : org_id_(org_id), tasks_(catalog::module("projects_task"), org_id) {}

  struct Project {
    std::string name;
    bool strict = false;
    std::optional<core::Date> first_day, last_day;
  };
  struct Place {
    std::string task_name;
    const Project *project;
    std::optional<core::Uuid> parent;
    std::string parent_name;
    bool parent_is_closed = false;
  };

  std::optional<Place> find(const core::Uuid &task) {
    if (!tasks_.find(task)) return std::nullopt;
    core::Value const project = tasks_.value("project_id");
    core::Value const parent = tasks_.value("parent_task_id");
    Place place{text_in(tasks_, "name"), project_of(project), std::nullopt, {}};
    const auto *parent_id = std::get_if<core::Uuid>(&parent);
    if (parent_id != nullptr && tasks_.find(*parent_id)) {
      place.parent = *parent_id;
      place.parent_name = text_in(tasks_, "name");
      place.parent_is_closed = flag_in(tasks_, "is_completed");
    }
    return place;
  }

 private:
  const Project *project_of(const core::Value &reference) {
    static const Project none{};
    const auto *id = std::get_if<core::Uuid>(&reference);
    if (id == nullptr) return &none;
    auto const [known, fresh] = known_projects_.try_emplace(*id);
    if (!fresh) return &known->second;
    if (!projects_.has_value()) projects_.emplace(catalog::module("projects_project"), org_id_);
    if (projects_->find(*id))
      known->second = {text_in(*projects_, "name"), flag_in(*projects_, "is_strict"),
                       date_in(*projects_, "start_date"), date_in(*projects_, "end_date")};
    return &known->second;
  }

  std::int64_t org_id_;
  MirrorReader tasks_;
  std::optional<MirrorReader> projects_;
  std::unordered_map<core::Uuid, Project> known_projects_;
};

std::vector<BrokenTaskRule> find_broken(const Organization &organization,
                                        const std::vector<TaskWrite> &writes) {
  std::vector<BrokenTaskRule> found;
  std::unordered_map<core::Uuid, const TaskWrite *> by_task;
  for (const TaskWrite &write : writes) by_task.emplace(write.task, &write);
  TaskPlaces places{organization.org_id};
  for (const auto &[task, write] : by_task) {
    std::optional<TaskPlaces::Place> const at = places.find(task);
    if (!at.has_value()) continue;
    const TaskPlaces::Project &project = *at->project;
    core::TaskPlace place{project.strict, project.first_day, project.last_day,
                          at->parent_is_closed};
    // A parent that the same statement reopens is open when its subtask is.
    auto const parent_write = at->parent.has_value() ? by_task.find(*at->parent) : by_task.end();
    if (parent_write != by_task.end() && parent_write->second->reopens)
      place.parent_is_closed = false;
    core::TaskChange change{.reopens = write->reopens};
    if (write->new_due.has_value())
      change.new_due_day = organization.portal_zone.date_of(*write->new_due);
    for (const core::BrokenRule &broken : core::broken_rules(place, change))
      found.push_back({broken, task, at->task_name, project.name, at->parent_name, place.first_day,
                       place.last_day});
  }
  return found;
}

std::string schedule_of(const BrokenTaskRule &rule) {
  if (!rule.first_day.has_value()) return "up to " + core::to_text(*rule.last_day);
  if (!rule.last_day.has_value()) return "from " + core::to_text(*rule.first_day);
  return "from " + core::to_text(*rule.first_day) + " to " + core::to_text(*rule.last_day);
}

// Whoever may not view Projects (R36) learns that the rule holds, and no more of what is there.
core::Fault fault_of(const BrokenTaskRule &rule, bool may_view) {
  if (rule.broken.rule == core::TaskRule::strict_schedule) {
    return {.sqlstate = "23514",
            .message = may_view
                           ? "the due date of task \"" + rule.task_name +
                                 "\" is beyond the schedule of its project"
                           : "the due date is beyond the schedule of the linked task's project",
            .detail = may_view ? "Project \"" + rule.project_name +
                                     "\" is strict: its tasks are due " + schedule_of(rule) + "."
                               : "The project is strict; you may not view it.",
            .hint = "Choose a date within it, or change the project's dates in Zoho Projects."};
  }
  return {.sqlstate = "23514",
          .message = may_view ? "task \"" + rule.task_name + "\" cannot be reopened"
                              : "the linked task cannot be reopened",
          .detail = may_view
                        ? "Its parent task \"" + rule.parent_name + "\" is closed in Zoho Projects."
                        : "Its parent task is closed in Zoho Projects; you may not view it.",
          .hint = "Reopen the parent task first."};
}

// What the right face of a mapped field becomes; nothing where it cannot be said there.
std::optional<core::Value> carried(const MappedField &field, const pg::Fields &left) {
  auto const value = left.find(field.left.name);
  if (value == left.end()) return std::nullopt;
  try {
    return field.conversion.right->put(field.conversion.left->get(value->second), core::Value{});
  } catch (const core::Unmappable &) {
    return std::nullopt;
  }
}

bool is(const std::optional<core::Value> &value, bool wanted) {
  const bool *flag = value.has_value() ? std::get_if<bool>(&*value) : nullptr;
  return flag != nullptr && *flag == wanted;
}

const core::Value &value_in(const pg::Fields &fields, const std::string &name) {
  static const core::Value empty{};
  auto const found = fields.find(name);
  return found == fields.end() ? empty : found->second;
}

std::string reason_of(const MappedField &field, const std::vector<BrokenTaskRule> &broken) {
  for (const BrokenTaskRule &rule : broken) {
    bool const speaks_of_it = rule.broken.rule == core::TaskRule::strict_schedule
                                  ? field.right.name == "end_date"
                                  : field.right.name == "is_completed";
    if (speaks_of_it) return std::string{core::to_text(rule.broken.rule)};
  }
  return "refused";
}

// Takes one field out of the merge.  The CRM's value becomes what Projects has, as the CRM said it
// when both agreed last.
Finding refuse_field(const MappedField &field, const Faces &faces, bool revert,
                     MergedFaces &merged) {
  const std::string &name = field.left.name;
  const core::Value &left = value_in(faces.left.fields, name);
  const core::Value &right = value_in(faces.right.fields, field.right.name);
  auto const base = faces.left_base.find(name);
  core::Value agreed = base == faces.left_base.end() ? left : base->second;
  merged.new_right.erase(field.right.name);
  if (revert) {
    try {
      agreed = field.conversion.left->put(field.conversion.right->get(right), agreed);
    } catch (const core::Unmappable &) {
      // What Projects has cannot be said in the CRM: then what was there before is put back.
    }
    if (agreed != left) merged.new_left.insert_or_assign(name, agreed);
    merged.left_base.erase(name);
    merged.right_base.erase(field.right.name);
  } else {
    merged.left_base.insert_or_assign(name, agreed);
    merged.right_base.insert_or_assign(field.right.name, right);
  }
  for (Finding &finding : merged.findings) {
    if (finding.field != name || finding.outcome != core::Outcome::left_wins) continue;
    finding.outcome = core::Outcome::right_wins;
    finding.reason = "refused";
  }
  return {.record = faces.left.id,
          .link = faces.link,
          .field = name,
          .other_field = field.right.name,
          .outcome = core::Outcome::unmappable,
          .base = agreed,
          .left = left,
          .left_by = faces.left.modified_by.value_or(""),
          .reverted = revert};
}

}  // namespace

void raise_broken_rule(const Organization &organization, const core::Fault &fault) {
  if (organization.rule_mode == core::RuleMode::reject) throw core::Error{fault};
  if (organization.rule_mode != core::RuleMode::warn) return;
  const char *message = fault.message.c_str();
  const char *detail = fault.detail.c_str();
  const char *hint = fault.hint.c_str();
  pg::call([&] {
    ereport(WARNING, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("%s", message),
                      errdetail("%s", detail), errhint("%s", hint)));
  });
}

TaskWrites::TaskWrites(const Pairing &pairing) {
  if (pairing.right_module != "projects_task") return;
  for (const MappedField &field : pairing.fields) {
    if (!field.keep_in_step || field.direction == core::Direction::right_to_left) continue;
    if (field.right.name == "end_date") due_ = &field;
    if (field.right.name == "is_completed") status_ = &field;
  }
}

void TaskWrites::add(const core::Uuid &twin, const pg::Fields &old, const pg::Fields &now) {
  TaskWrite write{.task = twin};
  if (due_ != nullptr) {
    std::optional<core::Value> const due = carried(*due_, now);
    const auto *instant = due.has_value() ? std::get_if<core::Instant>(&*due) : nullptr;
    if (instant != nullptr) write.new_due = *instant;
  }
  if (status_ != nullptr)
    write.reopens = is(carried(*status_, old), true) && is(carried(*status_, now), false);
  if (write.new_due.has_value() || write.reopens) writes_.push_back(write);
}

RuledTasks::RuledTasks(const Module &module)
    : module_(module), due_(module.find("end_date")), completed_(module.find("is_completed")) {}

void RuledTasks::note(std::int64_t org_id, const core::Uuid &record,
                      const pg::TransitionTable *old_rows, const pg::TransitionTable &new_rows,
                      const std::vector<std::uint8_t> &changed) {
  if (due_ == nullptr || completed_ == nullptr) return;
  auto const is_changed = [&](const Column *column) {
    return old_rows == nullptr ||
           changed[static_cast<std::size_t>(column - module_.columns.data())] != 0;
  };
  auto const is_closed = [&](const pg::TransitionTable &table) {
    return !table.is_null(completed_->number) && DatumGetBool(table.value(completed_->number));
  };
  TaskWrite write{.task = record};
  if (is_changed(due_) && !new_rows.is_null(due_->number)) {
    core::Value const due =
        pg::value_of(new_rows.value(due_->number), false, due_->type, due_->type_oid);
    if (const auto *instant = std::get_if<core::Instant>(&due)) write.new_due = *instant;
  }
  write.reopens =
      old_rows != nullptr && is_changed(completed_) && is_closed(*old_rows) && !is_closed(new_rows);
  if (write.new_due.has_value() || write.reopens) writes_[org_id].push_back(write);
}

void RuledTasks::demand() const {
  for (const auto &[org_id, writes] : writes_) {
    pg::AsOwner owner;
    pg::SpiSession spi;
    demand_task_rules(*catalog::organization(org_id), writes);
  }
}

void demand_task_rules(const Organization &organization, const std::vector<TaskWrite> &writes) {
  if (writes.empty() || organization.rule_mode == core::RuleMode::send) return;
  bool const may_view = acting::visible_organization() == organization.org_id ||
                        acting::is_owner(acting::Whose::calling);
  for (const BrokenTaskRule &rule : find_broken(organization, writes))
    raise_broken_rule(organization, fault_of(rule, may_view));
}

void demand_expressible(const Organization &organization, const Module &module,
                        const std::vector<Finding> &findings) {
  if (organization.rule_mode == core::RuleMode::send) return;
  for (const Finding &finding : findings) {
    if (finding.outcome != core::Outcome::unmappable) continue;
    raise_broken_rule(
        organization,
        {.sqlstate = "23514",
         .message = "the new value of field \"" + finding.field + "\" of \"" + module.name +
                    "\" cannot be carried to the linked record",
         .detail = finding.detail,
         .hint = "Give a value that field \"" + finding.other_field +
                 "\" of the linked record can have, or let such writes pass with the setting "
                 "rule_mode."});
  }
}

void refuse_by_task_rules(const Organization &organization, const Pairing &pairing,
                          const Faces &faces, MergedFaces &merged) {
  if (pairing.right_module != "projects_task" || merged.new_right.empty()) return;
  TaskWrite write{.task = faces.right.id};
  auto const due = merged.new_right.find("end_date");
  if (due != merged.new_right.end()) {
    if (const auto *instant = std::get_if<core::Instant>(&due->second)) write.new_due = *instant;
  }
  auto const completed = merged.new_right.find("is_completed");
  write.reopens = completed != merged.new_right.end() && is(completed->second, false) &&
                  is(value_in(faces.right.fields, "is_completed"), true);
  if (!write.new_due.has_value() && !write.reopens) return;
  std::vector<BrokenTaskRule> const broken = find_broken(organization, {write});
  if (broken.empty()) return;
  for (const MappedField &field : pairing.fields) {
    if (!merged.new_right.contains(field.right.name)) continue;
    Finding finding = refuse_field(field, faces, organization.reverts_refused, merged);
    finding.reason = reason_of(field, broken);
    for (const BrokenTaskRule &rule : broken) {
      core::Fault const fault = fault_of(rule, true);
      if (finding.reason == "refused") {
        finding.detail = "It came along in an update of which another field was refused.";
      } else if (finding.reason == core::to_text(rule.broken.rule)) {
        finding.detail = fault.detail;
        std::optional<std::string> const limit =
            rule.broken.limit.has_value() ? std::optional{core::to_text(*rule.broken.limit)}
                                          : std::nullopt;
        (void)tell_refused.execute({pg::argument(organization.org_id), pg::argument(faces.link),
                                    pg::argument(faces.left.id), pg::argument(faces.right.id),
                                    pg::argument(finding.reason),
                                    pg::argument(pg::to_jsonb(finding.base)),
                                    pg::argument(pg::to_jsonb(finding.left)), pg::argument(limit),
                                    pg::argument(finding.left_by)});
      }
    }
    merged.findings.push_back(std::move(finding));
  }
  merged.base_changed =
      merged.left_base != faces.left_base || merged.right_base != faces.right_base;
}

}  // namespace crm_bridge
