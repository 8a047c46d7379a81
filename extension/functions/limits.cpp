// SPDX-License-Identifier: PostgreSQL
#include "functions/limits.hpp"

#include "functions/task_rules.hpp"

namespace crm_bridge {

namespace {

// The limits of one module, its columns resolved.  A bulk write asks for the same again and again.
// It keeps what it points into: the catalog may forget either of the two, and a module that is
// loaded anew may lie where the old one was.
struct Resolved {
  std::shared_ptr<const Organization> organization;
  std::shared_ptr<const Module> module;
  struct Limit {
    const Column *column;
    const ServiceField *field;
  };
  std::vector<Limit> columns;
  std::map<std::string_view, const ServiceField *> custom;
};

const Resolved &resolve(const std::shared_ptr<const Module> &module, std::int64_t org_id) {
  static Resolved &last = *new Resolved;
  auto organization = catalog::organization(org_id);
  if (last.organization == organization && last.module == module) return last;
  last.columns.clear();
  last.custom.clear();
  last.module = nullptr;
  last.organization = std::move(organization);
  for (const auto &[name, field] : last.organization->fields_of(module->name)) {
    bool const textual = field.type == core::FieldType::text ||
                         field.type == core::FieldType::html ||
                         field.type == core::FieldType::picklist;
    if (!textual || !field.writable || (field.maximum_length == 0 && field.choices.empty()))
      continue;
    if (const Column *column = module->find(name); column == nullptr)
      last.custom.emplace(name, &field);
    else if (column->type_oid == TEXTOID)
      last.columns.push_back({column, &field});
  }
  last.module = module;
  return last;
}

std::string named(const Module &module, std::string_view field) {
  return "field \"" + std::string{field} + "\" of \"" + module.name + "\"";
}

// The value itself is not told: whoever reads the log may not be allowed to see it.
void judge(const Resolved &limits, std::string_view name, const ServiceField &field,
           std::string_view text) {
  std::size_t const most = static_cast<std::size_t>(field.maximum_length);
  if (most > 0 && text.size() > most) {
    auto const characters =
        static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
          return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        }));
    if (characters > most)
      raise_broken_rule(
          *limits.organization,
          {.sqlstate = "23514",
           .message = "the new value of " + named(*limits.module, name) + " is too long",
           .detail = "It has " + std::to_string(characters) +
                     " characters, and the service takes " + std::to_string(most) + ".",
           .hint = "Shorten it, or let such writes pass with the setting rule_mode."});
  }
  if (field.choices.empty() || text.empty() ||
      std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end())
    return;
  std::string choices;
  for (const std::string &choice : field.choices) choices += (choices.empty() ? "" : ", ") + choice;
  raise_broken_rule(
      *limits.organization,
      {.sqlstate = "23514",
       .message = "the new value of " + named(*limits.module, name) + " is none of its choices",
       .detail = "The service's choices are " + choices + ".",
       .hint = "Give one of them; a choice that is new at the service is known once its fields are "
               "read again. Or let such writes pass with the setting rule_mode."});
}

// Without reading what is stored elsewhere or compressed: most texts are within every limit.
std::int64_t bytes_of(Datum text) {
  auto *stored = reinterpret_cast<struct varlena *>(DatumGetPointer(text));
  if (!VARATT_IS_EXTENDED(stored) || VARATT_IS_SHORT(stored)) return VARSIZE_ANY_EXHDR(stored);
  return static_cast<std::int64_t>(
      pg::call([&] { return toast_raw_datum_size(text) - static_cast<Size>(VARHDRSZ); }));
}

void demand_columns(const Resolved &limits, const TupleTableSlot &row, const TupleTableSlot *old) {
  for (const auto &[column, field] : limits.columns) {
    int const at = column->number - 1;
    if (row.tts_isnull[at]) continue;
    if (field->choices.empty() && bytes_of(row.tts_values[at]) <= field->maximum_length) continue;
    bool const kept =
        old != nullptr && pg::call([&] {
          return pg::same_value(old->tts_values[at], old->tts_isnull[at], row.tts_values[at], false,
                                column->by_value, column->length, column->type_oid);
        });
    if (!kept) judge(limits, column->field, *field, pg::text_of(row.tts_values[at]));
  }
}

pg::Fields custom_fields(const Module &module, const TupleTableSlot *row) {
  if (row == nullptr || row->tts_isnull[module.custom_fields - 1]) return {};
  Jsonb *document =
      pg::call([&] { return DatumGetJsonbP(row->tts_values[module.custom_fields - 1]); });
  return pg::read_fields(document, [](std::string_view) { return core::FieldType::text; });
}

void demand_custom(const Resolved &limits, const TupleTableSlot &row, const TupleTableSlot *old) {
  if (limits.custom.empty()) return;
  const Module &module = *limits.module;
  bool const kept =
      old != nullptr && pg::call([&] {
        int const at = module.custom_fields - 1;
        return pg::same_value(old->tts_values[at], old->tts_isnull[at], row.tts_values[at],
                              row.tts_isnull[at], false, -1, JSONBOID);
      });
  if (kept) return;
  pg::Fields const before = custom_fields(module, old);
  for (const auto &[name, value] : custom_fields(module, &row)) {
    auto const limit = limits.custom.find(name);
    const auto *text = std::get_if<std::string>(&value);
    if (limit == limits.custom.end() || text == nullptr) continue;
    auto const was = before.find(name);
    if (was == before.end() || was->second != value) judge(limits, name, *limit->second, *text);
  }
}

}  // namespace

void demand_limits(const std::shared_ptr<const Module> &module, std::int64_t org_id,
                   const TupleTableSlot &row, const TupleTableSlot *old) {
  const Resolved &limits = resolve(module, org_id);
  if (limits.organization->rule_mode == core::RuleMode::send) return;
  demand_columns(limits, row, old);
  demand_custom(limits, row, old);
}

}  // namespace crm_bridge
