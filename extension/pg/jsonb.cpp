// SPDX-License-Identifier: PostgreSQL
#include "pg/jsonb.hpp"

namespace crm_bridge::pg {

namespace {

// What a string value becomes; the caller keeps `text` alive until the document is built.
JsonbValue string_value(std::string_view text) {
  JsonbValue value;
  value.type = jbvString;
  value.val.string.val = const_cast<char *>(text.data());
  value.val.string.len = static_cast<int>(text.size());
  return value;
}

// Runs below pg::call: pushes one value.  `texts` holds the strings that stand for it.
void push(JsonbParseState **state, JsonbIteratorToken place, const core::Value &value,
          const std::vector<std::string> &texts) {
  JsonbValue item;
  item.type = jbvNull;
  if (const auto *string = std::get_if<std::string>(&value)) {
    item = string_value(*string);
  } else if (const auto *boolean = std::get_if<bool>(&value)) {
    item.type = jbvBool;
    item.val.boolean = *boolean;
  } else if (const auto *number = std::get_if<core::Number>(&value)) {
    item.type = jbvNumeric;
    item.val.numeric =
        DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(number->digits.c_str()),
                                            ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
  } else if (const auto *json = std::get_if<core::Json>(&value)) {
    Jsonb *document =
        DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json->text.c_str())));
    if (JB_ROOT_IS_SCALAR(document)) {
      JsonbIterator *iterator = JsonbIteratorInit(&document->root);
      (void)JsonbIteratorNext(&iterator, &item, true);
      (void)JsonbIteratorNext(&iterator, &item, true);
    } else {
      item.type = jbvBinary;
      item.val.binary.data = &document->root;
      item.val.binary.len = static_cast<int>(VARSIZE(document) - VARHDRSZ);
    }
  } else if (std::holds_alternative<std::vector<core::Uuid>>(value)) {
    pushJsonbValue(state, WJB_BEGIN_ARRAY, nullptr);
    for (const std::string &text : texts) {
      JsonbValue element = string_value(text);
      pushJsonbValue(state, WJB_ELEM, &element);
    }
    pushJsonbValue(state, WJB_END_ARRAY, nullptr);
    return;
  } else if (!core::is_null(value)) {
    item = string_value(texts.front());
  }
  pushJsonbValue(state, place, &item);
}

// The strings that a value needs in a document, where it is none itself: made outside of pg::call,
// because they own memory.
std::vector<std::string> texts_for(const core::Value &value) {
  if (const auto *date = std::get_if<core::Date>(&value)) return {core::to_text(*date)};
  if (const auto *instant = std::get_if<core::Instant>(&value)) return {core::to_text(*instant)};
  if (const auto *uuid = std::get_if<core::Uuid>(&value)) return {core::to_text(*uuid)};
  std::vector<std::string> texts;
  if (const auto *uuids = std::get_if<std::vector<core::Uuid>>(&value)) {
    texts.reserve(uuids->size());
    for (const core::Uuid &uuid : *uuids) texts.push_back(core::to_text(uuid));
  }
  return texts;
}

[[noreturn]] void wrong_type(core::FieldType type) {
  throw core::Unmappable{"wrong_type",
                         "The value is not of type " + std::string{core::to_text(type)} + "."};
}

template <typename Parsed>
core::Value parsed_or_wrong(std::optional<Parsed> parsed, core::FieldType type) {
  if (!parsed.has_value()) wrong_type(type);
  return core::Value{std::move(*parsed)};
}

std::string_view text_in(const JsonbValue &json) {
  return {json.val.string.val, static_cast<std::size_t>(json.val.string.len)};
}

std::string digits_in(const JsonbValue &json) {
  return call([&] {
    return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json.val.numeric)));
  });
}

core::Value references_in(const JsonbValue &json) {
  if (json.type != jbvBinary || !JsonContainerIsArray(json.val.binary.data))
    wrong_type(core::FieldType::references);
  std::vector<core::Uuid> uuids;
  JsonbIterator *iterator = call([&] { return JsonbIteratorInit(json.val.binary.data); });
  JsonbValue element;
  for (;;) {
    JsonbIteratorToken const token =
        call([&] { return JsonbIteratorNext(&iterator, &element, true); });
    if (token == WJB_DONE) break;
    if (token != WJB_ELEM) continue;
    auto uuid = element.type == jbvString ? core::parse_uuid(text_in(element)) : std::nullopt;
    if (!uuid.has_value()) wrong_type(core::FieldType::references);
    uuids.push_back(*uuid);
  }
  return uuids;
}

}  // namespace

Jsonb *to_jsonb(const Members &members) {
  std::vector<std::vector<std::string>> texts;
  texts.reserve(members.size());
  for (const auto &[name, value] : members) texts.push_back(texts_for(*value));
  return call([&] {
    JsonbParseState *state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
    std::size_t i = 0;
    for (const auto &[name, value] : members) {
      JsonbValue key = string_value(name);
      pushJsonbValue(&state, WJB_KEY, &key);
      push(&state, WJB_VALUE, *value, texts[i++]);
    }
    return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr));
  });
}

Jsonb *to_jsonb(const Fields &fields) {
  Members members;
  members.reserve(fields.size());
  for (const auto &[name, value] : fields) members.emplace_back(name, &value);
  return to_jsonb(members);
}

Jsonb *to_jsonb(const core::Value &value) {
  Fields wrapped;
  wrapped.emplace("v", value);
  Jsonb *object = to_jsonb(wrapped);
  return call([&] {
    JsonbValue buffer;
    return JsonbValueToJsonb(getKeyJsonValueFromContainer(&object->root, "v", 1, &buffer));
  });
}

Jsonb *empty_object() { return to_jsonb(Fields{}); }

core::Json json_of(const std::vector<std::string> &texts) {
  const char *text = call([&] {
    JsonbParseState *state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
    for (const std::string &element : texts) {
      JsonbValue item = string_value(element);
      pushJsonbValue(&state, WJB_ELEM, &item);
    }
    Jsonb *array = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, nullptr));
    return JsonbToCString(nullptr, &array->root, static_cast<int>(VARSIZE(array)));
  });
  return core::Json{text};
}

void for_each_member(Jsonb *object,
                     const std::function<void(std::string_view, const JsonbValue &)> &visit) {
  if (!JB_ROOT_IS_OBJECT(object)) return;
  JsonbIterator *iterator = call([&] { return JsonbIteratorInit(&object->root); });
  JsonbValue item;
  std::string key;
  for (;;) {
    JsonbIteratorToken const token =
        call([&] { return JsonbIteratorNext(&iterator, &item, true); });
    if (token == WJB_DONE) return;
    if (token == WJB_KEY) key = std::string{text_in(item)};
    if (token == WJB_VALUE) visit(key, item);
  }
}

void for_each_object(Jsonb *array, const std::function<void(Jsonb *)> &visit) {
  if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array)) return;
  JsonbIterator *iterator = call([&] { return JsonbIteratorInit(&array->root); });
  JsonbValue item;
  for (;;) {
    JsonbIteratorToken const token =
        call([&] { return JsonbIteratorNext(&iterator, &item, true); });
    if (token == WJB_DONE) return;
    if (token != WJB_ELEM) continue;
    bool const is_object = item.type == jbvBinary && JsonContainerIsObject(item.val.binary.data);
    visit(is_object ? call([&] { return JsonbValueToJsonb(&item); }) : nullptr);
  }
}

core::Value value_of(const JsonbValue &json, core::FieldType type) {
  if (json.type == jbvNull) return {};
  switch (type) {
    case core::FieldType::text:
    case core::FieldType::html:
    case core::FieldType::picklist:
      if (json.type == jbvNumeric)
        return digits_in(json);  // a service may type a choice or a number as text
      if (json.type != jbvString) wrong_type(type);
      return std::string{text_in(json)};
    case core::FieldType::number:
    case core::FieldType::money:
      if (json.type == jbvNumeric)
        return parsed_or_wrong(core::parse_number(digits_in(json)), type);
      if (json.type != jbvString) wrong_type(type);
      return parsed_or_wrong(core::parse_number(text_in(json)), type);
    case core::FieldType::boolean:
      if (json.type != jbvBool) wrong_type(type);
      return json.val.boolean;
    case core::FieldType::date:
      if (json.type != jbvString) wrong_type(type);
      return parsed_or_wrong(core::parse_date(text_in(json)), type);
    case core::FieldType::instant:
      if (json.type != jbvString) wrong_type(type);
      return parsed_or_wrong(core::parse_instant(text_in(json)), type);
    case core::FieldType::reference:
      if (json.type != jbvString) wrong_type(type);
      return parsed_or_wrong(core::parse_uuid(text_in(json)), type);
    case core::FieldType::references:
      return references_in(json);
    case core::FieldType::json:
      break;
  }
  const char *text = call([&] {
    Jsonb *document = JsonbValueToJsonb(const_cast<JsonbValue *>(&json));
    return JsonbToCString(nullptr, &document->root, static_cast<int>(VARSIZE(document)));
  });
  return core::Json{text};
}

std::optional<std::string> text_member(Jsonb *object, const char *key) {
  JsonbValue buffer;
  const JsonbValue *value = call([&]() -> const JsonbValue * {
    return JB_ROOT_IS_OBJECT(object)
               ? getKeyJsonValueFromContainer(&object->root, key,
                                              static_cast<int>(std::strlen(key)), &buffer)
               : nullptr;
  });
  if (value == nullptr || value->type == jbvNull) return std::nullopt;
  if (value->type == jbvNumeric) return digits_in(*value);
  if (value->type != jbvString) return std::nullopt;
  return std::string{text_in(*value)};
}

core::Value stored_value_of(const JsonbValue &json, core::FieldType type) {
  try {
    return value_of(json, type);
  } catch (const core::Unmappable &) {
    return value_of(json, core::FieldType::json);
  }
}

bool holds(const Fields &fields, const std::string &field, const core::Value &value) {
  auto const found = fields.find(field);
  return found != fields.end() && found->second == value;
}

Fields read_fields(Jsonb *object, const std::function<core::FieldType(std::string_view)> &type_of) {
  Fields fields;
  for_each_member(object, [&](std::string_view key, const JsonbValue &value) {
    fields.insert_or_assign(std::string{key}, stored_value_of(value, type_of(key)));
  });
  return fields;
}

}  // namespace crm_bridge::pg
