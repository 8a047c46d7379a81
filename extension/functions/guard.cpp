// SPDX-License-Identifier: PostgreSQL
//
// BEFORE … FOR EACH ROW of every mirror: may this be written, and who wrote it.  Invoker's rights;
// no query in it once the catalog is cached.
#include "functions/acting.hpp"
#include "functions/limits.hpp"
#include "functions/mirror.hpp"
#include "functions/write_scope.hpp"
#include "pg/trigger_call.hpp"
#include "settings.hpp"

namespace crm_bridge {

namespace {

std::string quoted_field(const Module &module, const std::string &field) {
  return "field \"" + field + "\" of \"" + module.name + "\"";
}

class Guard {
 public:
  Guard(const pg::TriggerCall &trigger, const std::shared_ptr<const Module> &module)
      : trigger_(trigger),
        shared_module_(module),
        module_(*module),
        scope_(WriteScope::current(module->name)) {
    origin_ = scope_ != nullptr ? scope_->origin() : static_cast<Origin>(settings::write_origin);
  }

  HeapTuple run() {
    if (scope_ == nullptr) check_permission();
    if (trigger_.is_delete()) {
      if (scope_ == nullptr && !module_.deletable) refuse_by_kind("deleted");
      return trigger_.data()->tg_trigtuple;
    }
    TupleTableSlot *slot =
        trigger_.is_update() ? trigger_.data()->tg_newslot : trigger_.data()->tg_trigslot;
    TupleTableSlot *old = trigger_.is_update() ? trigger_.data()->tg_trigslot : nullptr;
    pg::call([&] {
      slot_getallattrs(slot);
      if (old != nullptr) slot_getallattrs(old);
    });
    return trigger_.is_update() ? guard_update(*slot, *old) : guard_insert(*slot);
  }

 private:
  // The five flags guard what a person or an app writes (R36, B13); what follows over a link does
  // not come here (D16).
  void check_permission() {
    HeapTuple row = trigger_.data()->tg_trigtuple;
    bool no_organization = false;
    Datum const org_id = pg::call([&] {
      return heap_getattr(row, module_.org_id, RelationGetDescr(trigger_.relation()),
                          &no_organization);
    });
    if (no_organization) return;  // the insert is refused for that
    auto const action = trigger_.is_insert()   ? core::Action::create
                        : trigger_.is_update() ? core::Action::edit
                                               : core::Action::erase;
    const acting::Actor &actor = acting::in(DatumGetInt64(org_id));
    core::Verdict const verdict = module_.service == "zoho_projects"
                                      ? core::judge(actor.holder, action)
                                      : core::judge_elsewhere(actor.holder);
    if (verdict == core::Verdict::allowed || acting::is_owner(acting::Whose::current)) return;
    acting::refuse(actor, DatumGetInt64(org_id), verdict, action, "a " + module_.label);
  }

  HeapTuple guard_insert(const TupleTableSlot &row) {
    check_organization(row);
    find_writer(row);
    if (scope_ == nullptr) {
      if (!module_.creatable) refuse_by_kind("inserted");
      for (const Column &column : module_.columns)
        if (!column.writable && !row.tts_isnull[column.number - 1]) refuse_read_only(column);
    }
    check_custom_fields(row);
    check_limits(row, nullptr);
    return stamp(trigger_.data()->tg_trigtuple, true, nullptr);
  }

  HeapTuple guard_update(const TupleTableSlot &row, const TupleTableSlot &old) {
    check_identity(row, old);
    find_writer(row);
    bool changed = false;
    for (const Column &column : module_.columns) {
      if (same(row, old, column.number, column.by_value, column.length, column.type_oid)) continue;
      changed = true;
      if (scope_ == nullptr && (!column.writable || !module_.updatable)) refuse_read_only(column);
    }
    if (!same(row, old, module_.custom_fields, false, -1, JSONBOID)) {
      changed = true;
      check_custom_fields(row);
    }
    // A write that changes nothing leaves nothing behind, not even its time.
    if (!changed)
      return scope_ == nullptr ? with_old_stamp(row, old) : trigger_.data()->tg_newtuple;
    check_limits(row, &old);
    return stamp(trigger_.data()->tg_newtuple, scope_ == nullptr || origin_ != Origin::service,
                 scope_ == nullptr ? &old : nullptr);
  }

  void check_limits(const TupleTableSlot &row, const TupleTableSlot *old) {
    if (scope_ == nullptr)
      demand_limits(shared_module_, DatumGetInt64(row.tts_values[module_.org_id - 1]), row, old);
  }

  // D16: history names the person.
  void find_writer(const TupleTableSlot &row) {
    if (scope_ == nullptr)
      writer_ = acting::in(DatumGetInt64(row.tts_values[module_.org_id - 1])).name.c_str();
  }

  void check_organization(const TupleTableSlot &row) {
    if (row.tts_isnull[module_.org_id - 1]) {
      throw core::Error{{.sqlstate = "55000",
                         .message = "it is not settled which organization the row belongs to",
                         .detail = "The session's role belongs to no organization or to several.",
                         .hint = "Name org_id in the statement, or SET crm_bridge.organization."}};
    }
    (void)catalog::organization(DatumGetInt64(row.tts_values[module_.org_id - 1]));
  }

  void check_identity(const TupleTableSlot &row, const TupleTableSlot &old) {
    bool const moved = !same(row, old, module_.org_id, true, 8, INT8OID) ||
                       !same(row, old, module_.id, false, UUID_LEN, UUIDOID);
    if (moved) {
      throw core::Error{
          {.sqlstate = "0A000",
           .message = "cannot change org_id or id of a row of \"" + module_.name + "\"",
           .detail = "A record keeps its organization and its id for life.",
           .hint = "Insert a new record and delete this one."}};
    }
    if (scope_ == nullptr && !same(row, old, module_.external_id, false, -1, TEXTOID)) {
      throw core::Error{
          {.sqlstate = "428C9",
           .message = "cannot change external_id of a row of \"" + module_.name + "\"",
           .detail = "The service gives it when the record is created there."}};
    }
  }

  // A document of another kind would hide all fields of the record from whoever reads it.
  void check_custom_fields(const TupleTableSlot &row) {
    if (row.tts_isnull[module_.custom_fields - 1]) return;  // the column's own constraint speaks
    bool const is_object = pg::call([&] {
      Jsonb *document = DatumGetJsonbP(row.tts_values[module_.custom_fields - 1]);
      return static_cast<bool>(JB_ROOT_IS_OBJECT(document));
    });
    if (is_object) return;
    throw core::Error{
        {.sqlstate = "22023",
         .message = "custom_fields of \"" + module_.name + "\" must be a JSON object",
         .hint = "Its keys are the API names of the fields, as in {\"Color\": \"red\"}."}};
  }

  static bool same(const TupleTableSlot &row, const TupleTableSlot &old, AttrNumber number,
                   bool by_value, int length, Oid type) {
    return pg::call([&] {
      return pg::same_value(old.tts_values[number - 1], old.tts_isnull[number - 1],
                            row.tts_values[number - 1], row.tts_isnull[number - 1], by_value,
                            length, type);
    });
  }

  // Who wrote a row, from where and when is not the writer's to say.
  HeapTuple with_old_stamp(const TupleTableSlot &row, const TupleTableSlot &old) {
    bool const kept = same(row, old, module_.origin, false, -1, TEXTOID) &&
                      same(row, old, module_.created_at, true, 8, TIMESTAMPTZOID) &&
                      same(row, old, module_.modified_at, true, 8, TIMESTAMPTZOID) &&
                      same(row, old, module_.modified_by, false, -1, TEXTOID);
    if (kept) return trigger_.data()->tg_newtuple;
    return pg::call([&] {
      int columns[4] = {module_.origin, module_.created_at, module_.modified_at,
                        module_.modified_by};
      Datum values[4];
      bool nulls[4];
      for (int i = 0; i < 4; ++i) {
        values[i] = old.tts_values[columns[i] - 1];
        nulls[i] = old.tts_isnull[columns[i] - 1];
      }
      return heap_modify_tuple_by_cols(trigger_.data()->tg_newtuple,
                                       RelationGetDescr(trigger_.relation()), 4, columns, values,
                                       nulls);
    });
  }

  // Sets origin and, unless the service's own instant and person came with the row, who changed it
  // and when.
  // `old` is the row that a writer from outside changes: when it was made stays as it was.
  HeapTuple stamp(HeapTuple tuple, bool with_time, const TupleTableSlot *old) {
    bool const from_service = scope_ != nullptr && origin_ == Origin::service;
    const char *writer = scope_ != nullptr ? scope_->actor().c_str() : writer_;
    return pg::call([&] {
      int columns[4] = {module_.origin};
      bool nulls[4] = {false, false, false, false};
      Datum values[4];
      values[0] = CStringGetTextDatum(to_text(origin_));
      int count = 1;
      if (with_time && !from_service) {
        columns[1] = module_.modified_at;
        values[1] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
        columns[2] = module_.modified_by;
        values[2] = CStringGetTextDatum(writer);
        count = 3;
      }
      if (old != nullptr) {
        columns[count] = module_.created_at;
        values[count] = old->tts_values[module_.created_at - 1];
        nulls[count++] = old->tts_isnull[module_.created_at - 1];
      }
      return heap_modify_tuple_by_cols(tuple, RelationGetDescr(trigger_.relation()), count, columns,
                                       values, nulls);
    });
  }

  [[noreturn]] void refuse_by_kind(const char *verb) {
    throw core::Error{
        {.sqlstate = "0A000",
         .message =
             "a " + module_.label + " cannot be " + verb + " in table \"" + module_.name + "\"",
         .detail = "These records are managed in the service and only read from there."}};
  }

  [[noreturn]] void refuse_read_only(const Column &column) {
    throw core::Error{
        {.sqlstate = "428C9",
         .message = "cannot set " + quoted_field(module_, column.field),
         .detail = "The service computes or manages this field and takes no value for it.",
         .hint = "Leave it out; it follows when the service changes it."}};
  }

  const pg::TriggerCall &trigger_;
  const std::shared_ptr<const Module> &shared_module_;
  const Module &module_;
  const WriteScope *scope_;
  Origin origin_;
  const char *writer_ = nullptr;
};

Datum guard(FunctionCallInfo fcinfo) {
  pg::TriggerCall const trigger{fcinfo, pg::TriggerCall::When::before_row, 1};
  HeapTuple tuple =
      trigger.is_update() ? trigger.data()->tg_newtuple : trigger.data()->tg_trigtuple;
  if (catalog::installation() == catalog::Installation::none) return PointerGetDatum(tuple);
  auto const module = catalog::module(trigger.argument(0));
  demand_layout(trigger, *module);
  HeapTuple const guarded = Guard{trigger, module}.run();
  return PointerGetDatum(guarded);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_guard, guard);

}  // namespace crm_bridge
