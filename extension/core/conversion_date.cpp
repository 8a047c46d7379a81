// SPDX-License-Identifier: PostgreSQL
// The conversion "date_instant" (D18).
#include "core/lens.hpp"

namespace crm_bridge::core {

namespace {

constexpr std::int64_t microseconds_per_minute = 60'000'000;

// A moment, seen as the day on the calendar of its own zone; moving the day keeps the time on the
// wall.
class InstantLens final : public KeepingLens {
 public:
  InstantLens(Field field, TimeZone zone, std::int64_t time_of_day)
      : field_(std::move(field)), zone_(std::move(zone)), time_of_day_(time_of_day) {}

  Value get(const Value &stored) const override {
    if (is_null(stored)) return {};
    return zone_.date_of(stored_as<Instant>(stored, field_));
  }

 protected:
  Value make(const Value &canonical, const Value &old) const override {
    if (is_null(canonical)) return {};
    const Date date = stored_as<Date>(canonical, field_);
    const auto *instant = std::get_if<Instant>(&old);
    const std::int64_t time = instant != nullptr ? zone_.time_of_day(*instant) : time_of_day_;
    // A gap in the zone's time can push a late hour into the next day; the day counts for more than
    // the hour.
    for (const std::int64_t attempt : {time, std::int64_t{0}}) {
      const Instant made = zone_.at(date, attempt);
      if (zone_.date_of(made) == date) return made;
    }
    throw Unmappable{"not_representable", "The day does not exist in the time zone " +
                                              zone_.name() + " of \"" + label(field_) + "\"."};
  }

 private:
  Field field_;
  TimeZone zone_;
  std::int64_t time_of_day_;
};

// "HH:mm" as microseconds after midnight.
std::optional<std::int64_t> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  int digits[4];
  for (std::size_t i = 0; i < 4; ++i) {
    const char c = text[i < 2 ? i : i + 1];
    if (c < '0' || c > '9') return std::nullopt;
    digits[i] = c - '0';
  }
  const int hours = digits[0] * 10 + digits[1];
  const int minutes = digits[2] * 10 + digits[3];
  if (hours > 23 || minutes > 59) return std::nullopt;
  return (hours * 60 + minutes) * microseconds_per_minute;
}

}  // namespace

Conversion make_date_instant(const ConversionRequest &request) {
  const auto is_time = [](FieldType type) {
    return type == FieldType::date || type == FieldType::instant;
  };
  const bool one_is_instant =
      request.left.type == FieldType::instant || request.right.type == FieldType::instant;
  if (!one_is_instant || !is_time(request.left.type) || !is_time(request.right.type)) {
    refuse_types("date_instant", request,
                 "It joins a date to an instant, or two instants of different time zones.");
  }
  allow_parameters(request, {"time_of_day"});
  std::int64_t time_of_day = 0;
  if (const auto found = request.parameters.find("time_of_day");
      found != request.parameters.end()) {
    const auto parsed = parse_time_of_day(found->second);
    if (!parsed) {
      refuse_parameter(request, "cannot read the parameter \"time_of_day\"",
                       "Write it as HH:mm, for example 09:00.");
    }
    time_of_day = *parsed;
  }
  const auto lens = [&](const Field &field, const TimeZone &zone) -> std::shared_ptr<const Lens> {
    if (field.type == FieldType::date) return std::make_shared<ExactLens<Date>>(field);
    return std::make_shared<InstantLens>(field, zone, time_of_day);
  };
  return {"date_instant", lens(request.left, request.left_zone),
          lens(request.right, request.right_zone)};
}

}  // namespace crm_bridge::core
