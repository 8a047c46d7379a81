// SPDX-License-Identifier: PostgreSQL
#include "query.hpp"

#include <algorithm>
#include <charconv>

namespace crm_bridge::sandbox::crm {
namespace {

std::string lower(std::string text) {
  for (char &c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::optional<double> as_number(const Json &value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto &text = value.get_ref<const std::string &>();
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string as_text(const Json &value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string{} : value.dump();
}

bool like(const std::string &text, const std::string &pattern, std::size_t t = 0,
          std::size_t p = 0) {
  for (; p < pattern.size(); ++p, ++t) {
    if (pattern[p] == '%') {
      for (std::size_t rest = t; rest <= text.size(); ++rest) {
        if (like(text, pattern, rest, p + 1)) return true;
      }
      return false;
    }
    if (t >= text.size() || text[t] != pattern[p]) return false;
  }
  return t == text.size();
}

}  // namespace

int Matcher::compare(const Json &left, const Json &right) {
  const std::string left_text = as_text(left);
  const std::string right_text = as_text(right);
  const auto left_instant = parse_instant(left_text);
  const auto right_instant = parse_instant(right_text);
  if (left_instant && right_instant) {
    return *left_instant < *right_instant ? -1 : *left_instant > *right_instant ? 1 : 0;
  }
  if (left.is_number() || right.is_number()) {
    const auto left_number = as_number(left);
    const auto right_number = as_number(right);
    if (left_number && right_number) {
      return *left_number < *right_number ? -1 : *left_number > *right_number ? 1 : 0;
    }
  }
  return lower(left_text).compare(lower(right_text));
}

bool Matcher::known(const Module &module, const std::string &path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return path == "id" || module.find(path) != nullptr;
  const Field *field = module.find(path.substr(0, dot));
  const std::string rest = path.substr(dot + 1);
  if (field == nullptr) return false;
  if (rest == "id" || field->data_type == "ownerlookup" || field->lookup_module == "*") return true;
  const Module *target = metadata_.find(field->lookup_module);
  return target != nullptr && known(*target, rest);
}

Json Matcher::value(const Module &module, const Record &record, const std::string &path) {
  const std::size_t dot = path.find('.');
  const std::string name = path.substr(0, dot);
  const Field *field = module.find(name);
  const bool lookup =
      field != nullptr && (field->data_type == "lookup" || field->data_type == "ownerlookup");
  if (dot == std::string::npos || !lookup) {
    Json shown = records_.render_field(module, record, name);
    return lookup && shown.is_object() ? shown["id"] : shown;
  }
  const std::string rest = path.substr(dot + 1);
  const Json shown = records_.render_field(module, record, name);
  if (!shown.is_object()) return nullptr;
  if (shown.contains(rest)) return shown[rest];
  const std::string target_name =
      field->lookup_module == "*" ? record.what_module : field->lookup_module;
  const Module *target = metadata_.find(target_name);
  const Record *other = target == nullptr ? nullptr : records_.find(target_name, shown["id"]);
  return other == nullptr ? Json() : value(*target, *other, rest);
}

bool Matcher::matches(const Module &module, const Record &record, const Condition &condition) {
  const auto holds = [&](const Condition &part) { return matches(module, record, part); };
  if (condition.kind == Condition::Kind::all) {
    return std::all_of(condition.parts.begin(), condition.parts.end(), holds);
  }
  if (condition.kind == Condition::Kind::any) {
    return std::any_of(condition.parts.begin(), condition.parts.end(), holds);
  }
  return matches_value(value(module, record, condition.field), condition);
}

bool Matcher::matches_value(const Json &value, const Condition &condition) {
  const std::string &operation = condition.operation;
  if (operation == "is_null") return value.is_null();
  if (operation == "is_not_null") return !value.is_null();
  const auto &values = condition.values;
  const auto equal = [&](const std::string &wanted) {
    return !value.is_null() && compare(value, wanted) == 0;
  };
  if (operation == "in") return std::any_of(values.begin(), values.end(), equal);
  if (operation == "not_in") return std::none_of(values.begin(), values.end(), equal);
  const std::string wanted = values.empty() ? std::string{} : values.front();
  if (operation == "not_equal") return !equal(wanted);
  if (value.is_null()) return false;
  if (operation == "equals") return equal(wanted);
  const std::string text = lower(as_text(value));
  // The search API finds more than what is equal: a client has to look at what it got.
  if (operation == "contains")
    return equal(wanted) || (value.is_string() && text.find(lower(wanted)) != std::string::npos);
  if (operation == "starts_with") return text.compare(0, wanted.size(), lower(wanted)) == 0;
  if (operation == "like") return like(text, lower(wanted));
  if (operation == "not_like") return !like(text, lower(wanted));
  const int order = compare(value, wanted);
  if (operation == "greater_than") return order > 0;
  if (operation == "greater_equal") return order >= 0;
  if (operation == "less_than") return order < 0;
  if (operation == "less_equal") return order <= 0;
  const bool between = values.size() > 1 && order >= 0 && compare(value, values[1]) <= 0;
  return operation == "not_between" ? !between : between;
}

std::vector<const Record *> Matcher::candidates(const Module &module, const Condition &condition) {
  const Shelf &shelf = records_.shelf(module.api_name);
  std::vector<const Record *> found;
  std::vector<const Condition *> needed{&condition};
  if (condition.kind == Condition::Kind::all) {
    needed.clear();
    for (const auto &part : condition.parts) needed.push_back(&part);
  }
  for (const Condition *part : needed) {
    if (part->kind != Condition::Kind::compare) continue;
    const bool exact = part->operation == "equals" || part->operation == "in";
    const Field *field = module.find(part->field);
    if (exact && (part->field == "id" || (field != nullptr && field->unique))) {
      for (const auto &wanted : part->values) {
        if (part->field == "id") {
          if (const Record *record = records_.find(module.api_name, wanted))
            found.push_back(record);
          continue;
        }
        for (const std::int64_t id : records_.find_equal(module.api_name, part->field, wanted)) {
          found.push_back(&shelf.records.at(id));
        }
      }
      std::sort(found.begin(), found.end(),
                [](const Record *l, const Record *r) { return l->id < r->id; });
      found.erase(std::unique(found.begin(), found.end()), found.end());
      return found;
    }
    if (part->field == "Modified_Time" && part->operation.compare(0, 8, "greater_") == 0 &&
        !part->values.empty()) {
      if (const auto instant = parse_instant(part->values.front())) {
        for (auto entry = shelf.by_modified.lower_bound({*instant / 1000, 0});
             entry != shelf.by_modified.end(); ++entry) {
          found.push_back(&shelf.records.at(entry->second));
        }
        return found;
      }
    }
  }
  for (const auto &[id, record] : shelf.records) found.push_back(&record);
  return found;
}

}  // namespace crm_bridge::sandbox::crm
