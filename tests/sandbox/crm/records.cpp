// SPDX-License-Identifier: PostgreSQL
#include "records.hpp"

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

std::string as_text(const Json &value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool asks_for_mail(const Json &values) {
  const auto sent = values.find("Send_Notification_Email");
  return sent != values.end() && *sent == true;
}

Json whole_when_whole(double number) {
  const auto whole = static_cast<std::int64_t>(number);
  if (static_cast<double>(whole) == number) return whole;
  return number;
}

int probability_of(const std::string &stage) {
  static const std::map<std::string, int> table{
      {"Qualification", 10},        {"Needs Analysis", 20},
      {"Value Proposition", 40},    {"Id. Decision Makers", 60},
      {"Proposal/Price Quote", 75}, {"Negotiation/Review", 90},
      {"Closed Won", 100},          {"Closed Lost", 0}};
  const auto found = table.find(stage);
  return found == table.end() ? 0 : found->second;
}

}  // namespace

Json error_item(const std::string &code, Json details, const std::string &message) {
  if (details.is_null()) details = Json::object();
  return {
      {"code", code}, {"details", std::move(details)}, {"message", message}, {"status", "error"}};
}

Json Records::insert(Module &module, const Json &input, const std::string &actor,
                     const std::string &path, Effects &effects) {
  Draft draft = check(module, input, nullptr, path);
  if (draft.errors.size() == 1) return draft.errors.front();
  if (!draft.errors.empty()) {
    return error_item("MULTIPLE_OR_MULTI_ERRORS", {{"errors", draft.errors}},
                      "Multiple errors in the request");
  }
  if (auto duplicate = find_duplicate(module, draft.values, nullptr, path)) return *duplicate;

  Record record;
  record.id = ++last_id_;
  record.created = record.modified = clock_.seconds();
  record.created_by = record.modified_by = actor;
  record.what_module = draft.what_module;
  for (const auto &[field, value] : draft.values.items()) {
    if (!value.is_null()) record.values[field] = value;
  }
  if (!record.values.contains("Owner")) record.values["Owner"] = actor;
  complete(module, record, draft.values);
  if (asks_for_mail(draft.values)) ++effects.mails;

  Shelf &place = shelf(module.api_name);
  Record &stored = place.records.emplace(record.id, std::move(record)).first->second;
  index(module, stored, true);
  Change change{module.api_name, "insert", stored.id, Json::object()};
  for (const auto &[field, value] : stored.values.items()) {
    change.values[field] = render_field(module, stored, field);
  }
  effects.changes.push_back(std::move(change));
  return success(stored, "record added");
}

Json Records::update(Module &module, Record &record, const Json &input, const std::string &actor,
                     const std::string &path, Effects &effects) {
  Draft draft = check(module, input, &record, path);
  if (draft.errors.size() == 1) return draft.errors.front();
  if (!draft.errors.empty()) {
    return error_item("MULTIPLE_OR_MULTI_ERRORS", {{"errors", draft.errors}},
                      "Multiple errors in the request");
  }
  if (auto duplicate = find_duplicate(module, draft.values, &record, path)) return *duplicate;

  auto before = std::make_shared<Record>(record);
  before->before = nullptr;
  index(module, record, false);
  record.before = before;
  record.modified = clock_.seconds();
  record.modified_by = actor;
  record.what_module = draft.what_module;
  for (const auto &[field, value] : draft.values.items()) {
    if (value.is_null()) {
      record.values.erase(field);
    } else {
      record.values[field] = value;
    }
  }
  complete(module, record, draft.values);
  index(module, record, true);
  if (asks_for_mail(draft.values)) ++effects.mails;

  Change change{module.api_name, "update", record.id, Json::object()};
  for (const auto &field : module.fields) {
    if (record.value(field.api_name) != before->value(field.api_name)) {
      change.values[field.api_name] = render_field(module, record, field.api_name);
    }
  }
  effects.changes.push_back(std::move(change));
  return success(record, "record updated");
}

Json Records::remove(Module &module, const std::string &id, const std::string &actor,
                     bool permanent, Effects &effects) {
  Record *record = find(module.api_name, id);
  if (record == nullptr) return error_item("INVALID_DATA", {{"id", id}}, "record not deleted");
  Shelf &place = shelf(module.api_name);
  place.deleted.push_back({record->id, display_name(module, *record), permanent, actor,
                           record->created_by, clock_.seconds()});
  effects.changes.push_back({module.api_name, "delete", record->id, Json::object()});
  index(module, *record, false);
  place.records.erase(record->id);
  // Its notes go with it.
  if (Module &notes = *metadata_.find("Notes"); notes.api_name != module.api_name) {
    std::vector<std::string> orphans;
    for (const auto &[number, note] : shelf(notes.api_name).records) {
      if (note.what_module == module.api_name && note.value("Parent_Id") == id)
        orphans.push_back(std::to_string(number));
    }
    for (const auto &orphan : orphans) remove(notes, orphan, actor, permanent, effects);
  }
  return {{"code", "SUCCESS"},
          {"details", {{"id", id}}},
          {"message", "record deleted"},
          {"status", "success"}};
}

Record *Records::find(const std::string &module, const std::string &id) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != id.data() + id.size()) return nullptr;
  auto &records = shelf(module).records;
  const auto found = records.find(number);
  return found == records.end() ? nullptr : &found->second;
}

std::vector<std::int64_t> Records::find_equal(const std::string &module, const std::string &field,
                                              const std::string &value) {
  std::vector<std::int64_t> ids;
  const auto [first, last] = shelf(module).index[field].equal_range(lower(value));
  for (auto entry = first; entry != last; ++entry) ids.push_back(entry->second);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::optional<Json> Records::find_duplicate(const Module &module, const Json &values,
                                            const Record *existing, const std::string &path) {
  for (const auto &field : module.fields) {
    if (!field.unique || !values.contains(field.api_name) || values[field.api_name].is_null())
      continue;
    for (const std::int64_t id :
         find_equal(module.api_name, field.api_name, as_text(values[field.api_name]))) {
      if (existing != nullptr && existing->id == id) continue;
      const Record &other = shelf(module.api_name).records.at(id);
      const User *owner = people_.by_id(as_text(other.value("Owner")));
      Json details = {{"api_name", field.api_name},
                      {"json_path", path + "." + field.api_name},
                      {"id", std::to_string(id)},
                      {"more_records", false},
                      {"duplicate_record",
                       {{"id", std::to_string(id)},
                        {"module", {{"api_name", module.api_name}, {"id", module.id}}}}}};
      if (owner != nullptr) {
        details["duplicate_record"]["Owner"] = owner->reference();
        details["duplicate_record"]["Owner"]["zuid"] = owner->zuid;
      }
      return error_item("DUPLICATE_DATA", std::move(details), "duplicate data");
    }
  }
  return std::nullopt;
}

// What the service works out by itself from what was written.
void Records::complete(const Module &module, Record &record, const Json &changed) {
  auto &values = record.values;
  if (module.api_name == "Tasks") {
    if (!values.contains("Status")) values["Status"] = "Not Started";
    if (!values.contains("Priority")) values["Priority"] = "Normal";
    if (values["Status"] != "Completed") {
      values.erase("Closed_Time");
    } else if (!values.contains("Closed_Time")) {
      values["Closed_Time"] = time(record.modified);
    }
  } else if (module.api_name == "Deals") {
    if (changed.contains("Stage") && !changed.contains("Probability")) {
      values["Probability"] = probability_of(as_text(record.value("Stage")));
    }
    if (values.contains("Amount") && values.contains("Probability")) {
      values["Expected_Revenue"] = whole_when_whole(values["Amount"].get<double>() *
                                                    values["Probability"].get<double>() / 100.0);
    } else {
      values.erase("Expected_Revenue");
    }
  } else if (module.api_name == "Leads" || module.api_name == "Contacts") {
    const std::string first = values.value("First_Name", "");
    values["Full_Name"] = (first.empty() ? "" : first + " ") + values.value("Last_Name", "");
  }
}

void Records::index(const Module &module, const Record &record, bool present) {
  Shelf &place = shelf(module.api_name);
  if (present) {
    place.by_modified.emplace(record.modified, record.id);
  } else {
    place.by_modified.erase({record.modified, record.id});
  }
  for (const auto &field : module.fields) {
    if (!field.unique && field.api_name != module.duplicate_field) continue;
    const Json value = record.value(field.api_name);
    if (value.is_null()) continue;
    auto &entries = place.index[field.api_name];
    const std::string key = lower(as_text(value));
    if (present) {
      entries.emplace(key, record.id);
      continue;
    }
    const auto [first, last] = entries.equal_range(key);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second != record.id) continue;
      entries.erase(entry);
      break;
    }
  }
}

Json Records::success(const Record &record, const std::string &message) {
  const auto reference = [&](const std::string &id) {
    const User *user = people_.by_id(id);
    return user != nullptr ? user->reference() : Json{{"id", id}, {"name", nullptr}};
  };
  return {{"code", "SUCCESS"},
          {"details",
           {{"id", std::to_string(record.id)},
            {"Created_Time", time(record.created)},
            {"Modified_Time", time(record.modified)},
            {"Created_By", reference(record.created_by)},
            {"Modified_By", reference(record.modified_by)},
            {"$approval_state", "approved"}}},
          {"message", message},
          {"status", "success"}};
}

}  // namespace crm_bridge::sandbox::crm
