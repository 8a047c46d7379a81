// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

// Core values to and from the backend's Datums.  Everything here guards its own backend calls;
// results are palloc'd in the current context.
namespace crm_bridge::pg {

inline NullableDatum argument(Datum value) { return {value, false}; }
inline NullableDatum null_argument() { return {static_cast<Datum>(0), true}; }
NullableDatum argument(const std::string &text);
NullableDatum argument(const std::optional<std::string> &text);
NullableDatum argument(const core::Uuid &uuid);
NullableDatum argument(const std::optional<core::Uuid> &uuid);
NullableDatum argument(const Jsonb *jsonb);  // nullptr is NULL
NullableDatum argument(const std::optional<core::Instant> &instant);
NullableDatum argument(std::int64_t number);
NullableDatum argument(bool boolean);

// One-dimensional arrays, for statements that write many rows at once through unnest.
NullableDatum argument(const std::vector<std::string> &texts);
NullableDatum argument(const std::vector<std::optional<std::string>> &texts);
NullableDatum argument(const std::vector<core::Uuid> &uuids);
NullableDatum argument(const std::vector<std::optional<core::Uuid>> &uuids);
NullableDatum argument(const std::vector<Jsonb *> &documents);
NullableDatum argument(const std::vector<std::optional<core::Instant>> &instants);
NullableDatum argument(const std::vector<bool> &booleans);

// The type of a column that takes this value as it is; InvalidOid for null, which fits all.
Oid column_type_of(const core::Value &value);
// A value, or an array of values of columns of one type, as parameters of these types.  Raises
// 22021 for text that is none in the database's encoding.
NullableDatum argument(const core::Value &value);
NullableDatum argument(const std::vector<const core::Value *> &values, Oid type);

core::Uuid uuid_of(Datum datum);
std::string text_of(Datum text);
std::vector<std::string> texts_of(Datum text_array);
std::vector<core::Uuid> uuids_of(Datum uuid_array);
TimestampTz timestamp_of(core::Instant instant);
core::Instant instant_of(TimestampTz timestamp);

// The value of a mirror's column.
core::Value value_of(Datum datum, bool is_null, core::FieldType type, Oid type_oid);

}  // namespace crm_bridge::pg
