// SPDX-License-Identifier: PostgreSQL
// Search, count and COQL.
#include "service.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {
namespace {

bool fields_known(Matcher &matcher, const Module &module, const Condition &condition,
                  std::string &unknown) {
  if (condition.kind == Condition::Kind::compare) {
    if (matcher.known(module, condition.field)) return true;
    unknown = condition.field;
    return false;
  }
  return std::all_of(condition.parts.begin(), condition.parts.end(), [&](const Condition &part) {
    return fields_known(matcher, module, part, unknown);
  });
}

std::int64_t number_or(const std::string &text, std::int64_t fallback) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    return fallback;
  return std::stoll(text);
}

Condition one_of(const std::vector<std::string> &fields, const std::string &operation,
                 const std::string &value) {
  Condition condition;
  condition.kind = Condition::Kind::any;
  for (const auto &field : fields) {
    Condition part;
    part.field = field;
    part.operation = operation;
    part.values = {value};
    condition.parts.push_back(std::move(part));
  }
  return condition;
}

// The condition that "criteria", "email", "phone" or "word" asks for.
std::optional<Condition> asked(const Call &call, const Module &module) {
  if (call.has("criteria")) return parse_criteria(call.parameter("criteria"));
  const auto of_type = [&](const std::vector<std::string> &types) {
    std::vector<std::string> names;
    for (const auto &field : module.fields) {
      if (std::find(types.begin(), types.end(), field.data_type) != types.end())
        names.push_back(field.api_name);
    }
    return names;
  };
  if (call.has("email")) return one_of(of_type({"email"}), "equals", call.parameter("email"));
  if (call.has("phone")) return one_of(of_type({"phone"}), "contains", call.parameter("phone"));
  if (call.has("word"))
    return one_of(of_type({"text", "textarea", "email", "phone", "picklist", "website"}),
                  "contains", call.parameter("word"));
  return std::nullopt;
}

}  // namespace

Answer Service::search(const Call &call, Module &module) {
  std::optional<Condition> condition;
  try {
    condition = asked(call, module);
  } catch (const SyntaxError &error) {
    return refuse(400, "INVALID_QUERY", {{"reason", error.what()}}, "invalid query formed");
  }
  if (!condition)
    return refuse(400, "EXPECTED_PARAM_MISSING", Json::object(), "mandatory param missing");
  std::string unknown;
  if (!fields_known(matcher_, module, *condition, unknown)) {
    return refuse(400, "INVALID_QUERY", {{"column_name", unknown}}, "invalid query formed");
  }
  const std::int64_t per_page =
      std::clamp<std::int64_t>(number_or(call.parameter("per_page"), 200), 1, 200);
  const std::int64_t page = std::max<std::int64_t>(number_or(call.parameter("page"), 1), 1);
  if (page * per_page > 2'000)
    return refuse(400, "LIMIT_REACHED", {{"limit", 2000}},
                  "You can only get the first 2000 records");
  const auto fields = split_list(call.parameter("fields"));
  std::int64_t skip = (page - 1) * per_page;
  bool more = false;
  std::vector<Json> data;
  for (const Record *candidate : matcher_.candidates(module, *condition)) {
    const Record &record = seen(call, *candidate);
    if (!matcher_.matches(module, record, *condition)) continue;
    if (skip-- > 0) continue;
    more = static_cast<std::int64_t>(data.size()) == per_page;
    if (more) break;
    data.push_back(records_.render(module, record, fields));
  }
  return listing(std::move(data), {{"per_page", per_page}, {"page", page}, {"more_records", more}},
                 "");
}

Answer Service::count(const Call &call, Module &module) {
  std::size_t number = 0;
  try {
    const auto condition = asked(call, module);
    if (!condition) {
      number = records_.shelf(module.api_name).records.size();
    } else {
      for (const Record *record : matcher_.candidates(module, *condition)) {
        if (matcher_.matches(module, *record, *condition)) ++number;
      }
    }
  } catch (const SyntaxError &error) {
    return refuse(400, "INVALID_QUERY", {{"reason", error.what()}}, "invalid query formed");
  }
  Answer answer;
  answer.body = {{"count", number}};
  return answer;
}

Answer Service::coql(const Call &call) {
  const Json body = Json::parse(call.body, nullptr, false);
  const std::string text = text_of(body, "select_query");
  if (text.empty()) {
    return refuse(400, "MANDATORY_NOT_FOUND",
                  {{"api_name", "select_query"}, {"json_path", "$.select_query"}},
                  "required field not found");
  }
  Selection selection;
  try {
    selection = parse_selection(text);
  } catch (const SyntaxError &error) {
    return refuse(400, "SYNTAX_ERROR", {{"near", error.what()}},
                  "error occurred while parsing the query");
  }
  const Module *module = metadata_.find(selection.module);
  if (module == nullptr) {
    return refuse(400, "INVALID_MODULE", {{"module_name", selection.module}},
                  "the module name given seems to be invalid");
  }
  std::string unknown;
  bool known = fields_known(matcher_, *module, selection.condition, unknown);
  if (!selection.count) {
    for (const auto &column : selection.columns) {
      if (known && !matcher_.known(*module, column)) known = false, unknown = column;
    }
  }
  for (const auto &[column, descending] : selection.order) {
    if (known && !matcher_.known(*module, column)) known = false, unknown = column;
  }
  if (!known)
    return refuse(400, "INVALID_QUERY", {{"column_name", unknown}},
                  "column given seems to be invalid");
  if (selection.limit > 2'000 || selection.limit == 0) {
    return refuse(400, "LIMIT_EXCEEDED", {{"limit", 2000}, {"clause", "limit"}},
                  "limit exceeds the allowed range");
  }

  std::vector<const Record *> found;
  for (const Record *candidate : matcher_.candidates(*module, selection.condition)) {
    const Record &record = seen(call, *candidate);
    if (matcher_.matches(*module, record, selection.condition)) found.push_back(&record);
  }
  Answer answer;
  if (selection.count) {
    answer.body = {{"data", Json::array({{{selection.columns.front(), found.size()}}})},
                   {"info", {{"count", 1}, {"more_records", false}}}};
    return answer;
  }
  if (!selection.order.empty()) {
    std::stable_sort(found.begin(), found.end(), [&](const Record *left, const Record *right) {
      for (const auto &[column, descending] : selection.order) {
        const int order = Matcher::compare(matcher_.value(*module, *left, column),
                                           matcher_.value(*module, *right, column));
        if (order != 0) return descending ? order > 0 : order < 0;
      }
      return false;
    });
  }
  Json data = Json::array();
  for (std::size_t i = selection.offset; i < found.size() && data.size() < selection.limit; ++i) {
    Json row = {{"id", std::to_string(found[i]->id)}};
    for (const auto &column : selection.columns) {
      Json value = matcher_.value(*module, *found[i], column);
      const Field *field = module->find(column);
      const bool lookup =
          field != nullptr && (field->data_type == "lookup" || field->data_type == "ownerlookup");
      row[column] = lookup && !value.is_null() ? Json{{"id", value}} : value;
    }
    data.push_back(std::move(row));
  }
  if (data.empty()) return Answer::nothing(204);
  const std::size_t rows = data.size();
  answer.body = {
      {"data", std::move(data)},
      {"info", {{"count", rows}, {"more_records", selection.offset + rows < found.size()}}}};
  return answer;
}

}  // namespace crm_bridge::sandbox::crm
