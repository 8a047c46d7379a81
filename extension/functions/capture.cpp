// SPDX-License-Identifier: PostgreSQL
//
// AFTER … FOR EACH STATEMENT of every mirror: did anything change, what, record it.  The rows come
// straight from the statement's transition tables, old and new in step; history and the dirty set
// are written without a query.
#include <set>

#include "functions/acting.hpp"
#include "functions/dirty_set.hpp"
#include "functions/doorbell.hpp"
#include "functions/history.hpp"
#include "functions/mirror.hpp"
#include "functions/propagate.hpp"
#include "functions/task_rules.hpp"
#include "pg/memory.hpp"
#include "pg/trigger_call.hpp"
#include "settings.hpp"

namespace crm_bridge {

namespace {

enum class Kind { insert, update, erase };

const char *to_text(Kind kind) {
  return kind == Kind::insert ? "insert" : kind == Kind::update ? "update" : "delete";
}

// Runs below pg::call: a column's value as jsonb shows it.
void push_column(JsonbParseState **state, const Column &column, Datum value, bool is_null) {
  JsonbValue key;
  key.type = jbvString;
  key.val.string.val = const_cast<char *>(column.field.data());
  key.val.string.len = static_cast<int>(column.field.size());
  pushJsonbValue(state, WJB_KEY, &key);
  JsonbValue item;
  item.type = jbvNull;
  char buffer[MAXDATELEN + 1];
  constexpr int utc = 0;
  if (is_null) {
    pushJsonbValue(state, WJB_VALUE, &item);
    return;
  }
  switch (column.type_oid) {
    case TEXTOID: {
      text *packed = DatumGetTextPP(value);
      item.type = jbvString;
      item.val.string.val = VARDATA_ANY(packed);
      item.val.string.len = static_cast<int>(VARSIZE_ANY_EXHDR(packed));
      break;
    }
    case NUMERICOID:
      if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value))) {
        // JSON has no number for these: their name is kept.
        item.type = jbvString;
        item.val.string.val = DatumGetCString(DirectFunctionCall1(numeric_out, value));
        item.val.string.len = static_cast<int>(std::strlen(item.val.string.val));
      } else {
        item.type = jbvNumeric;
        item.val.numeric = DatumGetNumeric(value);
      }
      break;
    case BOOLOID:
      item.type = jbvBool;
      item.val.boolean = DatumGetBool(value);
      break;
    case DATEOID:
    case TIMESTAMPTZOID:
      (void)JsonEncodeDateTime(buffer, value, column.type_oid, &utc);
      item.type = jbvString;
      item.val.string.val = buffer;
      item.val.string.len = static_cast<int>(std::strlen(buffer));
      break;
    case UUIDOID:
      item.type = jbvString;
      item.val.string.val = DatumGetCString(DirectFunctionCall1(uuid_out, value));
      item.val.string.len = static_cast<int>(std::strlen(item.val.string.val));
      break;
    case UUIDARRAYOID: {
      Datum *elements = nullptr;
      bool *nulls = nullptr;
      int count = 0;
      deconstruct_array(DatumGetArrayTypeP(value), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR,
                        &elements, &nulls, &count);
      pushJsonbValue(state, WJB_BEGIN_ARRAY, nullptr);
      for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        item.type = jbvString;
        item.val.string.val = DatumGetCString(DirectFunctionCall1(uuid_out, elements[i]));
        item.val.string.len = static_cast<int>(std::strlen(item.val.string.val));
        pushJsonbValue(state, WJB_ELEM, &item);
      }
      pushJsonbValue(state, WJB_END_ARRAY, nullptr);
      return;
    }
    default: {
      Jsonb *document = DatumGetJsonbP(value);
      item.type = jbvBinary;
      item.val.binary.data = &document->root;
      item.val.binary.len = static_cast<int>(VARSIZE(document) - VARHDRSZ);
    }
  }
  pushJsonbValue(state, WJB_VALUE, &item);
}

// One statement's capture.
class Capture {
 public:
  Capture(const pg::TriggerCall &trigger, std::shared_ptr<const Module> module, Kind kind)
      : module_(std::move(module)),
        kind_(kind),
        old_rows_(trigger.data()->tg_oldtable, RelationGetDescr(trigger.relation())),
        new_rows_(trigger.data()->tg_newtable, RelationGetDescr(trigger.relation())),
        dirty_set_(*module_),
        changed_(module_->columns.size()) {
    const WriteScope *scope = WriteScope::current(module_->name);
    origin_ = scope != nullptr ? scope->origin() : static_cast<Origin>(settings::write_origin);
    if (scope != nullptr) {
      actor_ = scope->actor();
      run_ = scope->run();
    } else if (module_->name == "projects_task") {
      ruled_ = std::make_unique<RuledTasks>(*module_);
    }
  }

  void run() {
    {
      pg::Scratch scratch{"crm_bridge capture"};
      for (std::uint64_t rows = 0; fetch(); ++rows) {
        if (rows % batch == batch - 1) scratch.reset();
        capture_row();
      }
      if (history_ != nullptr) history_->flush();
      dirty_set_.flush();
    }
    if (history_ == nullptr) return;  // nothing changed: nothing stays behind
    pg::call([] { CommandCounterIncrement(); });
    // D16: history names the person also where the change went on to the twin.
    const std::string &who = people_.size() == 1 ? *people_.begin() : actor_;
    if (ruled_ != nullptr) ruled_->demand();
    for (const auto &[org_id, records] : travelling_)
      propagate(*module_, *catalog::organization(org_id), records, who, run_);
    for (const auto &[org_id, records] : deleted_) {
      pg::AsOwner owner;
      pg::SpiSession spi;
      if (origin_ != Origin::service && module_->deletable)
        deliver_deletions(*module_, org_id, records);
      unlink_deleted(*module_, *catalog::organization(org_id), records, actor_);
    }
    ring_doorbell(*module_, !dirty_set_.empty() || !deleted_.empty());
  }

 private:
  static constexpr std::uint64_t batch = 512;

  bool fetch() {
    return pg::call([&] {
      CHECK_FOR_INTERRUPTS();
      bool const old_there = kind_ != Kind::insert && old_rows_.fetch();
      bool const new_there = kind_ != Kind::erase && new_rows_.fetch();
      return old_there || new_there;
    });
  }

  const pg::TransitionTable &rows() const { return kind_ == Kind::erase ? old_rows_ : new_rows_; }

  void capture_row() {
    std::int64_t const org_id = DatumGetInt64(rows().value(module_->org_id));
    core::Uuid const record = pg::uuid_of(rows().value(module_->id));
    bool const is_update = kind_ == Kind::update;
    if (is_update && !find_changes()) return;
    Jsonb *old = kind_ == Kind::insert ? nullptr : old_document();
    if (history_ == nullptr) open_history(org_id);
    bool const named = origin_ == Origin::service && !rows().is_null(module_->modified_by);
    history_->append(org_id, record, old, named ? rows().value(module_->modified_by) : 0);
    if (named && people_.size() < 2)
      people_.insert(pg::text_of(rows().value(module_->modified_by)));
    if (kind_ == Kind::erase) {
      deleted_[org_id].push_back(record);
      return;
    }
    if (origin_ != Origin::service) note_dirty(org_id, record);
    if (is_update) note_travelling(org_id, record, named);
    if (ruled_ != nullptr)
      ruled_->note(org_id, record, is_update ? &old_rows_ : nullptr, new_rows_, changed_);
  }

  // Marks the columns that differ, and the custom fields key by key.
  bool find_changes() {
    bool any = false;
    bool custom_differs = false;
    pg::call([&] {
      for (std::size_t i = 0; i < changed_.size(); ++i) {
        const Column &column = module_->columns[i];
        changed_[i] =
            !pg::same_value(old_rows_.value(column.number), old_rows_.is_null(column.number),
                            new_rows_.value(column.number), new_rows_.is_null(column.number),
                            column.by_value, column.length, column.type_oid);
        any = any || changed_[i] != 0;
      }
      custom_differs =
          !pg::same_value(old_rows_.value(module_->custom_fields), false,
                          new_rows_.value(module_->custom_fields), false, false, -1, JSONBOID);
    });
    custom_.clear();
    if (custom_differs) custom_ = custom_changes();
    return any || !custom_.empty();
  }

  // The custom fields whose values differ, with their old values.
  pg::Fields custom_changes() {
    auto const json = [](std::string_view) { return core::FieldType::json; };
    auto const document = [&](const pg::TransitionTable &table) {
      return pg::call([&] { return DatumGetJsonbP(table.value(module_->custom_fields)); });
    };
    pg::Fields old = pg::read_fields(document(old_rows_), json);
    pg::Fields const now = pg::read_fields(document(new_rows_), json);
    for (const auto &[name, value] : now) {
      auto const before = old.find(name);
      if (before == old.end()) {
        if (!core::is_null(value)) old.emplace(name, core::Value{});
      } else if (before->second == value) {
        old.erase(before);
      }
    }
    // A field that is empty and one that is not there are the same.
    std::erase_if(old, [&](const auto &field) {
      return core::is_null(field.second) && !now.contains(field.first);
    });
    return old;
  }

  Jsonb *old_document() {
    bool const all = kind_ == Kind::erase;
    Jsonb *custom = custom_.empty() ? nullptr : pg::to_jsonb(custom_);
    return pg::call([&] {
      JsonbParseState *state = nullptr;
      pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
      for (std::size_t i = 0; i < changed_.size(); ++i) {
        const Column &column = module_->columns[i];
        if (all || changed_[i] != 0)
          push_column(&state, column, old_rows_.value(column.number),
                      old_rows_.is_null(column.number));
      }
      if (all) custom = DatumGetJsonbP(old_rows_.value(module_->custom_fields));
      if (custom != nullptr) {
        // The members of custom stand beside the columns.
        JsonbIterator *iterator = JsonbIteratorInit(&custom->root);
        JsonbValue item;
        JsonbIteratorToken token;
        while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
          if (token == WJB_KEY || token == WJB_VALUE) pushJsonbValue(&state, token, &item);
        }
      }
      return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr));
    });
  }

  void open_history(std::int64_t org_id) {
    // Lives in the statement's context, not in the rows' scratch.
    pg::ContextScope const scope{home_};
    // A person is of one organization, and so are the rows of whoever is not the owner.
    if (WriteScope::current(module_->name) == nullptr) actor_ = acting::in(org_id).name;
    history_ = std::make_unique<HistoryWriter>(*module_, to_text(kind_), origin_, actor_, run_);
  }

  void note_dirty(std::int64_t org_id, const core::Uuid &record) {
    if (kind_ == Kind::insert) {
      if (!module_->creatable) return;
      fields_.clear();
      // A record that the app knows by its external id is an update of all that it gave.
      if (!new_rows_.is_null(module_->external_id)) {
        for (const Column &column : module_->columns)
          if (column.writable && !new_rows_.is_null(column.number)) fields_.push_back(column.field);
      }
      dirty_set_.add(org_id, record, fields_);
      return;
    }
    if (!module_->updatable) return;
    fields_.clear();
    for (std::size_t i = 0; i < changed_.size(); ++i)
      if (changed_[i] != 0 && module_->columns[i].writable)
        fields_.push_back(module_->columns[i].field);
    for (const auto &[name, value] : custom_) fields_.push_back(name);
    if (!fields_.empty()) dirty_set_.add(org_id, record, fields_);
  }

  // Keeps the mapped fields of a record whose changes travel over links.
  void note_travelling(std::int64_t org_id, const core::Uuid &record, bool named) {
    auto [known, fresh] = mapped_.try_emplace(org_id);
    if (fresh) known->second = travelling_fields(*catalog::organization(org_id), module_->name);
    ChangedRecord changed{record, {}, {}, {}};
    for (std::string_view field : known->second) {
      const Column *column = module_->find(field);
      if (column == nullptr) {
        note_custom(changed, field);
        continue;
      }
      if (changed_[static_cast<std::size_t>(column - module_->columns.data())] == 0) continue;
      auto const value = [&](const pg::TransitionTable &table) {
        return pg::value_of(table.value(column->number), table.is_null(column->number),
                            column->type, column->type_oid);
      };
      changed.old.insert_or_assign(column->field, value(old_rows_));
      changed.now.insert_or_assign(column->field, value(new_rows_));
    }
    if (changed.old.empty()) return;
    if (named) changed.person = pg::text_of(new_rows_.value(module_->modified_by));
    travelling_[org_id].push_back(std::move(changed));
  }

  void note_custom(ChangedRecord &changed, std::string_view field) {
    auto const before = custom_.find(field);
    if (before == custom_.end()) return;
    auto const organization =
        catalog::organization(DatumGetInt64(new_rows_.value(module_->org_id)));
    auto const typed = [&](const pg::TransitionTable &table) {
      Jsonb *document =
          pg::call([&] { return DatumGetJsonbP(table.value(module_->custom_fields)); });
      pg::Fields fields = pg::read_fields(
          document, [&](std::string_view name) { return type_of(*module_, *organization, name); });
      auto const found = fields.find(field);
      return found == fields.end() ? core::Value{} : found->second;
    };
    changed.old.insert_or_assign(std::string{field}, typed(old_rows_));
    changed.now.insert_or_assign(std::string{field}, typed(new_rows_));
  }

  std::shared_ptr<const Module> module_;
  Kind kind_;
  MemoryContext home_ = CurrentMemoryContext;
  pg::TransitionTable old_rows_;
  pg::TransitionTable new_rows_;
  Origin origin_;
  std::string actor_;
  std::set<std::string> people_;  // whom the service names; one or two are enough to know
  std::optional<core::Uuid> run_;
  std::unique_ptr<HistoryWriter> history_;
  DirtySet dirty_set_;
  std::vector<std::uint8_t> changed_;
  pg::Fields custom_;
  std::vector<std::string_view> fields_;
  std::map<std::int64_t, std::vector<std::string_view>> mapped_;
  std::map<std::int64_t, std::vector<ChangedRecord>> travelling_;
  std::map<std::int64_t, std::vector<core::Uuid>> deleted_;
  std::unique_ptr<RuledTasks> ruled_;
};

Datum capture(FunctionCallInfo fcinfo) {
  pg::TriggerCall const trigger{fcinfo, pg::TriggerCall::When::after_statement, 1};
  // A restore is loading rows: they were captured where they were written.
  if (catalog::installation() == catalog::Installation::none) return PointerGetDatum(nullptr);
  Kind const kind = trigger.is_insert()   ? Kind::insert
                    : trigger.is_update() ? Kind::update
                                          : Kind::erase;
  auto module = catalog::module(trigger.argument(0));
  demand_layout(trigger, *module);
  if ((kind != Kind::insert && trigger.data()->tg_oldtable == nullptr) ||
      (kind != Kind::erase && trigger.data()->tg_newtable == nullptr))
    trigger.refuse("must name its transition tables");
  Capture{trigger, std::move(module), kind}.run();
  return PointerGetDatum(nullptr);
}

Datum refuse_truncate(FunctionCallInfo fcinfo) {
  pg::TriggerCall const trigger{fcinfo, pg::TriggerCall::When::before_statement, 1};
  if (catalog::installation() == catalog::Installation::none) return PointerGetDatum(nullptr);
  std::string const module{trigger.argument(0)};
  throw core::Error{
      {.sqlstate = "0A000",
       .message = "cannot truncate mirror \"" + module + "\"",
       .detail = "TRUNCATE does not say which records are gone, so nobody could tell the service.",
       .hint = "Use DELETE to delete the records at the service too, or crm_bridge.resync('" +
               module + "') to read them all again."}};
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_capture, capture);
CRM_BRIDGE_FUNCTION(crm_bridge_refuse_truncate, refuse_truncate);

}  // namespace crm_bridge
