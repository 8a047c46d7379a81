// SPDX-License-Identifier: PostgreSQL
#include "services/field_value.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/value.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::int64_t second = 1'000'000;

std::string id_of(const Json &value, std::string_view id_key) {
  if (value.is_object()) return scalar_text(value, id_key);
  return scalar_text(&value);
}

Json id_or_null(const Json &value, std::string_view id_key) {
  const std::string id = id_of(value, id_key);
  return id.empty() ? Json() : Json(id);
}

Json number_or_null(const Json &value) {
  if (value.is_number() || value.is_binary()) return value;
  const std::string text = scalar_text(&value);
  const auto number = core::parse_number(text);
  return number ? decimal(number->digits) : Json();
}

Json text_or_null(const Json &value) {
  if (value.is_object()) {
    const std::string name = scalar_text(value, "name");
    return name.empty() ? Json() : Json(name);
  }
  if (value.is_null()) return {};
  if (value.is_array()) return to_text(value);
  return scalar_text(&value);
}

}  // namespace

Json from_service(const FieldInfo &field, const Json &value, std::string_view id_key) {
  if (value.is_null()) return {};
  if (field.type == "reference") return id_or_null(value, id_key);
  if (field.type == "references") {
    Json ids = Json::array();
    if (value.is_array()) {
      for (const auto &element : value) {
        if (const Json id = id_or_null(element, id_key); !id.is_null()) ids.push_back(id);
      }
    }
    return ids;
  }
  if (field.type == "number" || field.type == "money") return number_or_null(value);
  if (field.type == "boolean") return truthy(&value);
  if (field.type == "date") {
    const std::string text = scalar_text(&value);
    return text.size() < 10 ? Json() : Json(text.substr(0, 10));
  }
  if (field.type == "instant") {
    const std::string text = instant_in_utc(scalar_text(&value));
    return text.empty() ? Json() : Json(text);
  }
  if (field.type == "json") return value;
  return text_or_null(value);
}

std::string instant_in_utc(std::string_view text) {
  const auto instant = core::parse_instant(text);
  return instant ? core::to_text(*instant) : std::string{};
}

std::string instant_of_milliseconds(const Json *number) {
  if (number == nullptr || !number->is_number_integer()) return {};
  const auto milliseconds = number->get<std::int64_t>();
  // Up to the year 9999: beyond that it is no time.
  if (milliseconds < 0 || milliseconds > 253402300799999) return {};
  return core::to_text(core::Instant{milliseconds * 1000});
}

std::string whole_seconds(std::string_view instant, int moved_by) {
  const auto parsed = core::parse_instant(instant);
  if (!parsed) return {};
  std::int64_t seconds = parsed->microseconds / second;
  if (parsed->microseconds % second < 0) --seconds;
  return core::to_text(core::Instant{(seconds + moved_by) * second});
}

std::string with_milliseconds(std::string_view instant) {
  const auto parsed = core::parse_instant(instant);
  if (!parsed) return {};
  std::int64_t seconds = parsed->microseconds / second;
  std::int64_t rest = parsed->microseconds % second;
  if (rest < 0) {
    rest += second;
    --seconds;
  }
  const std::string whole = core::to_text(core::Instant{seconds * second});
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(rest / 1000));
  return whole.substr(0, 19) + fraction.data();
}

std::string now_in_utc() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return core::to_text(
      core::Instant{std::chrono::duration_cast<std::chrono::microseconds>(now).count()});
}

std::string later(const std::string &left, const std::string &right) {
  const auto one = core::parse_instant(left);
  const auto other = core::parse_instant(right);
  if (!one) return right;
  if (!other) return left;
  return one->microseconds >= other->microseconds ? left : right;
}

bool is_later(std::string_view left, std::string_view right) {
  const auto one = core::parse_instant(left);
  const auto other = core::parse_instant(right);
  return one && (!other || one->microseconds > other->microseconds);
}

long long seconds_between(std::string_view left, std::string_view right) {
  const auto one = core::parse_instant(left);
  const auto other = core::parse_instant(right);
  if (!one || !other) return 0;
  return (one->microseconds - other->microseconds) / second;
}

}  // namespace crm_bridge::worker
