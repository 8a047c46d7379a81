// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/links.hpp"
#include "pg/trigger_call.hpp"

// The far side's rules as local constraints (R80-R86, D3, B5): an app's write that Projects is
// bound to refuse fails before the commit; what a person did in the CRM is refused where it
// arrives, put back there, and he is told by mail.
namespace crm_bridge {

// What a write asks of a task of Projects.
struct TaskWrite {
  core::Uuid task;
  std::optional<core::Instant> new_due{};
  bool reopens = false;
};

// The part of an app's write to CRM tasks that its twins in Projects are asked for.
class TaskWrites {
 public:
  explicit TaskWrites(const Pairing &pairing);
  // Whether the pairing carries anything that a rule speaks of.
  bool any() const { return due_ != nullptr || status_ != nullptr; }
  void add(const core::Uuid &twin, const pg::Fields &old, const pg::Fields &now);
  const std::vector<TaskWrite> &writes() const { return writes_; }

 private:
  const MappedField *due_ = nullptr;
  const MappedField *status_ = nullptr;
  std::vector<TaskWrite> writes_;
};

// Refuses an app's write, warns about it or lets it pass, as setting rule_mode says (D3).
void raise_broken_rule(const Organization &organization, const core::Fault &fault);

// What an app's statement asks of tasks in Projects that it writes there itself.
class RuledTasks {
 public:
  explicit RuledTasks(const Module &module);
  // `old_rows` is nullptr for an insert; `changed` has a mark for each column that differs.
  void note(std::int64_t org_id, const core::Uuid &record, const pg::TransitionTable *old_rows,
            const pg::TransitionTable &new_rows, const std::vector<std::uint8_t> &changed);
  void demand() const;

 private:
  const Module &module_;
  const Column *due_;
  const Column *completed_;
  std::map<std::int64_t, std::vector<TaskWrite>> writes_;
};

// All of these need AsOwner and an SpiSession.

// For what an app writes: raises 23514 for the first write that breaks a rule, or warns, as the
// setting rule_mode says.
void demand_task_rules(const Organization &organization, const std::vector<TaskWrite> &writes);

// For an app's change of which a field cannot be expressed on the other side: likewise.
void demand_expressible(const Organization &organization, const Module &module,
                        const std::vector<Finding> &findings);

// For what a person did in the CRM: takes what breaks a rule, and all else that travels with it
// (R86), out of a merge; the CRM's face gets what both sides agree on instead, unless the setting
// refusal says "keep".  Adds the findings and queues the mails.
void refuse_by_task_rules(const Organization &organization, const Pairing &pairing,
                          const Faces &faces, MergedFaces &merged);

}  // namespace crm_bridge
