// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <string_view>

#include "protocol.hpp"

namespace crm_bridge::worker {

// A field's value as the protocol has it, from what a service answered: lookups become ids, objects
// where a text is expected become their name, numbers keep their digits.  `id_key` names the id
// inside a lookup ("id", "zpuid").
Json from_service(const FieldInfo &field, const Json &value, std::string_view id_key = "id");

// An instant in UTC, as versions are kept; "" if it is none.
std::string instant_in_utc(std::string_view text);

// The same of milliseconds since 1970; "" if it is no number.
std::string instant_of_milliseconds(const Json *number);

// The same with whole seconds ("2026-03-01T09:15:00+00:00") and moved by so many seconds.
std::string whole_seconds(std::string_view instant, int moved_by = 0);

// The same with milliseconds and Z ("2026-03-01T09:15:00.000Z"), as Projects writes them.
std::string with_milliseconds(std::string_view instant);

// The worker's clock as an instant.
std::string now_in_utc();

// Later of two instants; "" is earlier than any.
std::string later(const std::string &left, const std::string &right);

// Whether the left one is the later of two instants; "" is earlier than any.
bool is_later(std::string_view left, std::string_view right);

// left - right in seconds; 0 if either is none.
long long seconds_between(std::string_view left, std::string_view right);

}  // namespace crm_bridge::worker
