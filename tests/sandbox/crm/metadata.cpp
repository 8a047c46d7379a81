// SPDX-License-Identifier: PostgreSQL
#include "metadata.hpp"

#include "standard_fields.hpp"

#include <algorithm>
#include <sstream>

namespace crm_bridge::sandbox::crm {
namespace {

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string label_of(std::string api_name) {
  std::replace(api_name.begin(), api_name.end(), '_', ' ');
  while (!api_name.empty() && api_name.back() == 's' && api_name.size() > 2 &&
         api_name.compare(api_name.size() - 3, 3, "  s") == 0) {
    api_name.resize(api_name.size() - 3);
  }
  return api_name;
}

std::string json_type(const std::string &data_type) {
  if (data_type == "integer") return "integer";
  if (data_type == "currency" || data_type == "double" || data_type == "percent") return "double";
  if (data_type == "boolean") return "boolean";
  if (data_type == "multiselectpicklist") return "jsonarray";
  if (data_type == "lookup" || data_type == "ownerlookup" || data_type == "ALARM" ||
      data_type == "RRULE") {
    return "jsonobject";
  }
  return "string";
}

}  // namespace

Json Field::describe() const {
  Json values = Json::array();
  for (std::size_t i = 0; i < picklist.size(); ++i) {
    values.push_back(
        {{"id", std::to_string(std::stoll(id) + 100000 + static_cast<long long>(i) * 1000)},
         {"display_value", picklist[i]},
         {"actual_value", picklist[i]},
         {"reference_value", picklist[i]},
         {"sequence_number", i + 1},
         {"type", "used"}});
  }
  Json lookup = Json::object();
  if (!lookup_module.empty() && lookup_module != "*") {
    lookup = {{"module", {{"api_name", lookup_module}}},
              {"display_label", label},
              {"api_name", api_name}};
  }
  const bool writable = !read_only;
  Json described = {
      {"id", id},
      {"api_name", api_name},
      {"field_label", label},
      {"display_label", label},
      {"data_type", data_type},
      {"json_type", json_type(data_type)},
      {"length", length},
      {"decimal_place", data_type == "currency" || data_type == "double" ? Json(2) : Json()},
      {"custom_field", custom},
      {"system_mandatory", mandatory},
      {"read_only", read_only},
      {"field_read_only", read_only || data_type == "ownerlookup"},
      {"visible", true},
      {"type", "used"},
      {"filterable", true},
      {"sortable", true},
      {"searchable", true},
      {"mass_update", writable},
      {"operation_type",
       {{"web_create", writable},
        {"web_update", writable},
        {"api_create", writable},
        {"api_update", writable}}},
      {"view_type",
       {{"view", true}, {"edit", writable}, {"create", writable}, {"quick_create", mandatory}}},
      {"pick_list_values", std::move(values)},
      {"unique", unique ? Json{{"case_sensitive", false}} : Json::object()},
      {"lookup", std::move(lookup)},
      {"created_source", custom ? "web" : "default"}};
  if (plain) {
    for (const char *key : {"operation_type", "mass_update", "created_source", "filterable",
                            "sortable", "searchable", "type"})
      described.erase(key);
    if (unique) described["unique"] = {{"casesensitive", false}};
  }
  return described;
}

Field *Module::find(const std::string &name) {
  const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field &candidate) {
    return candidate.api_name == name;
  });
  return field == fields.end() ? nullptr : &*field;
}

const Field *Module::find(const std::string &name) const {
  return const_cast<Module *>(this)->find(name);
}

Json Module::describe() const {
  return {{"id", id},
          {"api_name", api_name},
          {"module_name", plural_label},
          {"singular_label", singular_label},
          {"plural_label", plural_label},
          {"generated_type", "default"},
          {"api_supported", true},
          {"creatable", true},
          {"editable", true},
          {"deletable", true},
          {"viewable", true},
          {"visibility", 1},
          {"visible", true},
          {"status", "visible"},
          {"profiles",
           {{{"id", "4876876000000026011"}, {"name", "Administrator"}},
            {{"id", "4876876000000026014"}, {"name", "Standard"}}}},
          {"modified_time", nullptr}};
}

Metadata::Metadata(bool bridge_field, bool all_modules) {
  if (all_modules) {
    add_crm_modules(bridge_field);
  } else {
    add_bigin_modules(bridge_field);
  }
}

void Metadata::add_bigin_modules(bool bridge_field) {
  add_module("Accounts|Company|Companies|Account_Name|Account_Name", standard::bigin_accounts,
             bridge_field);
  add_module("Contacts|Contact|Contacts|Full_Name|Email", standard::bigin_contacts, bridge_field);
  add_module("Notes|Note|Notes|Note_Title|", standard::notes, false);
  for (const std::string parent : {"Accounts", "Contacts"})
    related_lists_.push_back({parent, "Notes", "Notes", "Parent_Id"});
  related_lists_.push_back({"Accounts", "Contacts", "Contacts", "Account_Name"});
  Module &contacts = *find("Contacts");
  contacts.find("Email")->unique = true;
  for (auto &module : modules_) {
    for (auto &field : module.fields) field.plain = true;
  }
}

void Metadata::add_crm_modules(bool bridge_field) {
  add_module("Leads|Lead|Leads|Full_Name|Email", standard::leads, bridge_field);
  add_module("Accounts|Account|Accounts|Account_Name|Account_Name", standard::accounts,
             bridge_field);
  add_module("Contacts|Contact|Contacts|Full_Name|Email", standard::contacts, bridge_field);
  add_module("Deals|Deal|Deals|Deal_Name|Deal_Name", standard::deals, bridge_field);
  add_module("Tasks|Task|Tasks|Subject|", standard::tasks, bridge_field);
  add_module("Events|Meeting|Meetings|Event_Title|", standard::events, bridge_field);
  // Notes take no custom fields.
  add_module("Notes|Note|Notes|Note_Title|", standard::notes, false);
  for (const std::string parent : {"Accounts", "Contacts", "Leads", "Deals"}) {
    related_lists_.push_back(
        {parent, "Tasks", "Tasks", parent == "Contacts" ? "Who_Id" : "What_Id"});
    related_lists_.push_back(
        {parent, "Events", "Events", parent == "Contacts" ? "Who_Id" : "What_Id"});
    related_lists_.push_back({parent, "Notes", "Notes", "Parent_Id"});
  }
  related_lists_.push_back({"Accounts", "Contacts", "Contacts", "Account_Name"});
  related_lists_.push_back({"Accounts", "Deals", "Deals", "Account_Name"});
  related_lists_.push_back({"Contacts", "Deals", "Deals", "Contact_Name"});
  related_lists_.push_back({"Tasks", "Notes", "Notes", "Parent_Id"});
  related_lists_.push_back({"Events", "Notes", "Notes", "Parent_Id"});
}

void Metadata::add_module(const std::string &line, const std::string &fields, bool bridge_field) {
  const auto parts = split(line, '|');
  Module &module = modules_.emplace_back();
  module.id = std::to_string(4876876000000002170 + static_cast<long long>(modules_.size()) * 2);
  module.api_name = parts[0];
  module.singular_label = parts[1];
  module.plural_label = parts[2];
  module.name_field = parts[3];
  module.duplicate_field = parts[4];
  std::istringstream lines{fields + standard::every_module};
  for (std::string text; std::getline(lines, text);) {
    if (text.empty()) continue;
    const auto columns = split(text, '|');
    Field field;
    field.id = std::to_string(++last_field_id_);
    field.api_name = columns[0];
    field.label = label_of(columns[0]);
    field.data_type = columns[1];
    field.length = std::stoll(columns[2]);
    field.mandatory = columns[3].find('m') != std::string::npos;
    field.read_only = columns[3].find('r') != std::string::npos;
    if (field.data_type == "lookup") {
      field.lookup_module = columns[4];
    } else if (field.data_type == "picklist") {
      field.picklist = split(columns[4], ';');
    }
    module.fields.push_back(std::move(field));
  }
  if (bridge_field) {
    Field field;
    field.api_name = "Bridge_Id";
    field.label = "Bridge Id";
    field.data_type = "text";
    field.length = 255;
    field.unique = true;
    add_custom_field(module, std::move(field));
  }
}

Module *Metadata::find(const std::string &api_name) {
  const auto module = std::find_if(modules_.begin(), modules_.end(), [&](const Module &candidate) {
    return candidate.api_name == api_name;
  });
  return module == modules_.end() ? nullptr : &*module;
}

Field *Metadata::add_custom_field(Module &module, Field field) {
  if (module.find(field.api_name) != nullptr) return nullptr;
  field.id = std::to_string(++last_field_id_);
  field.custom = true;
  field.plain = std::any_of(module.fields.begin(), module.fields.end(),
                            [](const Field &other) { return other.plain; });
  if (field.label.empty()) field.label = label_of(field.api_name);
  return &module.fields.emplace_back(std::move(field));
}

}  // namespace crm_bridge::sandbox::crm
