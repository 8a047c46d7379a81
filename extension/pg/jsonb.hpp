// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <functional>
#include <map>

#include "pg/datum.hpp"

namespace crm_bridge::pg {

// The fields of a record by name.  An absent field was not read or did not change; a null one is
// empty.
using Fields = std::map<std::string, core::Value, std::less<>>;
bool holds(const Fields &fields, const std::string &field, const core::Value &value);

// Names and values that live elsewhere: a document is made of them without a copy.
using Members = std::vector<std::pair<std::string_view, const core::Value *>>;

// As jsonb: text, picklist, date, instant and references as strings, numbers as numbers.
Jsonb *to_jsonb(const Fields &fields);
Jsonb *to_jsonb(const Members &members);
Jsonb *to_jsonb(const core::Value &value);
Jsonb *empty_object();

// An array of strings as a value of type json.
core::Json json_of(const std::vector<std::string> &texts);

// Calls `visit(key, value)` for each member of the top-level object; anything but an object has
// none.
void for_each_member(Jsonb *object,
                     const std::function<void(std::string_view, const JsonbValue &)> &visit);

// Calls `visit(object)` for each element of a top-level array; elements that are no objects come as
// nullptr.
void for_each_object(Jsonb *array, const std::function<void(Jsonb *)> &visit);

// The value as `type` has it.  Throws core::Unmappable with reason "wrong_type" if it is none of
// that type. References are uuids in our own documents.
core::Value value_of(const JsonbValue &json, core::FieldType type);

// Likewise of what is stored already: a value that does not fit its type (an app wrote it into
// custom_fields, or the service gave the field another type) is taken as json.
core::Value stored_value_of(const JsonbValue &json, core::FieldType type);

// A string member's text; nullopt if it is absent or null.  Numbers are given as their digits.
std::optional<std::string> text_member(Jsonb *object, const char *key);

// The members of a stored document, each as `type_of` has it.
Fields read_fields(Jsonb *object, const std::function<core::FieldType(std::string_view)> &type_of);

}  // namespace crm_bridge::pg
