// SPDX-License-Identifier: PostgreSQL
#include "pg/datum.hpp"

namespace crm_bridge::pg {

namespace {

constexpr std::int64_t epoch_distance_days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
constexpr std::int64_t epoch_distance = epoch_distance_days * USECS_PER_DAY;

// Runs below pg::call.
Datum uuid_datum(const core::Uuid &uuid) {
  auto *copy = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
  std::memcpy(copy->data, uuid.bytes.data(), UUID_LEN);
  return UUIDPGetDatum(copy);
}

Datum text_datum(const std::string &text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

// Runs below pg::call.
Datum column_datum(const core::Value &value) {
  if (const auto *text = std::get_if<std::string>(&value)) {
    (void)pg_verifymbstr(text->data(), static_cast<int>(text->size()), false);
    return text_datum(*text);
  }
  if (const auto *boolean = std::get_if<bool>(&value)) return BoolGetDatum(*boolean);
  if (const auto *number = std::get_if<core::Number>(&value))
    return DirectFunctionCall3(numeric_in, CStringGetDatum(number->digits.c_str()),
                               ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
  if (const auto *date = std::get_if<core::Date>(&value))
    return DateADTGetDatum(date->days - static_cast<std::int32_t>(epoch_distance_days));
  if (const auto *instant = std::get_if<core::Instant>(&value))
    return TimestampTzGetDatum(timestamp_of(*instant));
  if (const auto *uuid = std::get_if<core::Uuid>(&value)) return uuid_datum(*uuid);
  elog(ERROR, "a value of this kind has no column of its own type");
}

// Makes an array of `count` elements; `element(i, &is_null)` runs below pg::call and makes one.
template <typename Element>
NullableDatum array_argument(std::size_t count, Oid type, Element element) {
  return argument(call([&] {
    std::int16_t length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    auto *values = palloc_array(Datum, count + 1);
    auto *nulls = palloc_array(bool, count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      nulls[i] = false;
      values[i] = element(i, &nulls[i]);
    }
    int dimensions[1] = {static_cast<int>(count)};
    int lower_bounds[1] = {1};
    ArrayType *array = count == 0 ? construct_empty_array(type)
                                  : construct_md_array(values, nulls, 1, dimensions, lower_bounds,
                                                       type, length, by_value, alignment);
    pfree(values);
    pfree(nulls);
    return PointerGetDatum(array);
  }));
}

}  // namespace

NullableDatum argument(const std::string &text) {
  return argument(call([&] { return text_datum(text); }));
}

NullableDatum argument(const std::optional<std::string> &text) {
  return text.has_value() ? argument(*text) : null_argument();
}

NullableDatum argument(const core::Uuid &uuid) {
  return argument(call([&] { return uuid_datum(uuid); }));
}

NullableDatum argument(const std::optional<core::Uuid> &uuid) {
  return uuid.has_value() ? argument(*uuid) : null_argument();
}

NullableDatum argument(const Jsonb *jsonb) {
  return jsonb == nullptr ? null_argument() : argument(JsonbPGetDatum(jsonb));
}

NullableDatum argument(const std::optional<core::Instant> &instant) {
  return instant.has_value() ? argument(TimestampTzGetDatum(timestamp_of(*instant)))
                             : null_argument();
}

NullableDatum argument(std::int64_t number) { return argument(Int64GetDatum(number)); }

NullableDatum argument(bool boolean) { return argument(BoolGetDatum(boolean)); }

NullableDatum argument(const std::vector<std::string> &texts) {
  return array_argument(texts.size(), TEXTOID,
                        [&](std::size_t i, bool *) { return text_datum(texts[i]); });
}

NullableDatum argument(const std::vector<std::optional<std::string>> &texts) {
  return array_argument(texts.size(), TEXTOID, [&](std::size_t i, bool *is_null) {
    *is_null = !texts[i].has_value();
    return *is_null ? static_cast<Datum>(0) : text_datum(*texts[i]);
  });
}

NullableDatum argument(const std::vector<core::Uuid> &uuids) {
  return array_argument(uuids.size(), UUIDOID,
                        [&](std::size_t i, bool *) { return uuid_datum(uuids[i]); });
}

NullableDatum argument(const std::vector<std::optional<core::Uuid>> &uuids) {
  return array_argument(uuids.size(), UUIDOID, [&](std::size_t i, bool *is_null) {
    *is_null = !uuids[i].has_value();
    return *is_null ? static_cast<Datum>(0) : uuid_datum(*uuids[i]);
  });
}

NullableDatum argument(const std::vector<Jsonb *> &documents) {
  return array_argument(documents.size(), JSONBOID, [&](std::size_t i, bool *is_null) {
    *is_null = documents[i] == nullptr;
    return *is_null ? static_cast<Datum>(0) : JsonbPGetDatum(documents[i]);
  });
}

NullableDatum argument(const std::vector<std::optional<core::Instant>> &instants) {
  return array_argument(instants.size(), TIMESTAMPTZOID, [&](std::size_t i, bool *is_null) {
    *is_null = !instants[i].has_value();
    return *is_null ? static_cast<Datum>(0) : TimestampTzGetDatum(timestamp_of(*instants[i]));
  });
}

NullableDatum argument(const std::vector<bool> &booleans) {
  return array_argument(booleans.size(), BOOLOID,
                        [&](std::size_t i, bool *) { return BoolGetDatum(booleans[i]); });
}

Oid column_type_of(const core::Value &value) {
  // In the order of core::Value's alternatives.
  constexpr std::array<Oid, std::variant_size_v<core::Value>> types{
      InvalidOid,     BOOLOID, NUMERICOID,   TEXTOID, DATEOID,
      TIMESTAMPTZOID, UUIDOID, UUIDARRAYOID, JSONBOID};
  return types[value.index()];
}

NullableDatum argument(const core::Value &value) {
  if (core::is_null(value)) return null_argument();
  if (const auto *uuids = std::get_if<std::vector<core::Uuid>>(&value)) return argument(*uuids);
  return argument(call([&] { return column_datum(value); }));
}

NullableDatum argument(const std::vector<const core::Value *> &values, Oid type) {
  return array_argument(values.size(), type, [&](std::size_t i, bool *is_null) {
    *is_null = core::is_null(*values[i]);
    return *is_null ? static_cast<Datum>(0) : column_datum(*values[i]);
  });
}

core::Uuid uuid_of(Datum datum) {
  core::Uuid uuid;
  std::memcpy(uuid.bytes.data(), DatumGetUUIDP(datum)->data, UUID_LEN);
  return uuid;
}

std::string text_of(Datum datum) {
  const text *packed = call([&] { return DatumGetTextPP(datum); });
  return {VARDATA_ANY(packed), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))};
}

std::vector<std::string> texts_of(Datum text_array) {
  Datum *values = nullptr;
  bool *nulls = nullptr;
  int const count = call([&] {
    int n = 0;
    deconstruct_array(DatumGetArrayTypeP(text_array), TEXTOID, -1, false, TYPALIGN_INT, &values,
                      &nulls, &n);
    return n;
  });
  std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    if (!nulls[i]) texts.push_back(text_of(values[i]));
  }
  return texts;
}

std::vector<core::Uuid> uuids_of(Datum uuid_array) {
  Datum *values = nullptr;
  bool *nulls = nullptr;
  int const count = call([&] {
    int n = 0;
    deconstruct_array(DatumGetArrayTypeP(uuid_array), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR,
                      &values, &nulls, &n);
    return n;
  });
  std::vector<core::Uuid> uuids;
  uuids.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    if (!nulls[i]) uuids.push_back(uuid_of(values[i]));
  }
  return uuids;
}

TimestampTz timestamp_of(core::Instant instant) { return instant.microseconds - epoch_distance; }

core::Instant instant_of(TimestampTz timestamp) { return {timestamp + epoch_distance}; }

core::Value value_of(Datum datum, bool is_null, core::FieldType type, Oid type_oid) {
  if (is_null) return {};
  switch (type) {
    case core::FieldType::text:
    case core::FieldType::html:
    case core::FieldType::picklist:
      return text_of(datum);
    case core::FieldType::number:
    case core::FieldType::money: {
      const char *digits =
          call([&] { return DatumGetCString(DirectFunctionCall1(numeric_out, datum)); });
      auto number = core::parse_number(digits);
      // NaN and infinities, of dates too, have no counterpart at any service.
      return number.has_value() ? core::Value{std::move(*number)} : core::Value{};
    }
    case core::FieldType::boolean:
      return DatumGetBool(datum);
    case core::FieldType::date:
      if (DATE_NOT_FINITE(DatumGetDateADT(datum))) return {};
      return core::Date{static_cast<std::int32_t>(DatumGetDateADT(datum) + epoch_distance_days)};
    case core::FieldType::instant:
      if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(datum))) return {};
      return instant_of(DatumGetTimestampTz(datum));
    case core::FieldType::reference:
      return uuid_of(datum);
    case core::FieldType::references:
      return uuids_of(datum);
    case core::FieldType::json:
      break;
  }
  const char *text = call([&] {
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type_oid, &output, &is_varlena);
    return OidOutputFunctionCall(output, datum);
  });
  return core::Json{text};
}

}  // namespace crm_bridge::pg
