// SPDX-License-Identifier: PostgreSQL
#include "faces.hpp"

#include <algorithm>

namespace crm_bridge::test {

using core::Outcome;
using core::Value;

namespace {

const std::vector<std::string> words{"alpha", "beta", "gamma", "delta"};

const core::TimeZone &zone() {
  static const core::TimeZone berlin("Europe/Berlin");
  return berlin;
}

}  // namespace

core::Field field_of(Look look) {
  using core::FieldType;
  switch (look) {
    case Look::text:
    case Look::number_text:
      return {"face", "text", FieldType::text, 0, {}, {}};
    case Look::html:
      return {"face", "html", FieldType::html, 0, {}, {}};
    case Look::date:
      return {"face", "date", FieldType::date, 0, {}, {}};
    case Look::instant:
      return {"face", "instant", FieldType::instant, 0, {}, {}};
    case Look::number:
      return {"face", "number", FieldType::number, 0, {}, {}};
    case Look::word:
      break;
  }
  return {"face", "word", FieldType::picklist, 0, words, {}};
}

Value written(Look look, const Value &canonical, Random &random) {
  switch (look) {
    case Look::html: {
      static const std::vector<std::string> frames{"<p>", "<div><b>", "<!-- note -->",
                                                   "<span class='x'>", ""};
      return random.pick(frames) + std::get<std::string>(canonical);
    }
    case Look::instant:
      return zone().at(std::get<core::Date>(canonical), random.between(0, 1439) * 60'000'000);
    case Look::number_text:
      return (random.chance(50) ? "" : "00") + std::get<core::Number>(canonical).digits +
             (random.chance(50) ? "" : "0");  // there is a point
    case Look::text:
    case Look::date:
    case Look::number:
    case Look::word:
      break;
  }
  return canonical;
}

Link::Link(const Face &left, const Face &right, std::vector<Rule> rules)
    : rules_(std::move(rules)), base_left_(left.values), base_right_(right.values) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (left.looks[i] == right.looks[i] && left.looks[i] != Look::html) {
      conversions_.push_back(core::identity());
    } else {
      core::ConversionRequest request;
      request.left = field_of(left.looks[i]);
      request.right = field_of(right.looks[i]);
      request.left_zone = request.right_zone = zone();
      if (left.looks[i] == Look::html && right.looks[i] == Look::html) request.name = "text";
      conversions_.push_back(make_conversion(request, nullptr));
    }
  }
}

Link::Result Link::merge(Face &left, Face &right) {
  Result result;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    core::FieldState state;
    state.conversion = &conversions_[i];
    state.direction = rules_[i].direction;
    state.policy = rules_[i].policy;
    state.tie_winner = rules_[i].tie_winner;
    state.base_left = &base_left_[i];
    state.base_right = &base_right_[i];
    state.left = &left.values[i];
    state.right = &right.values[i];
    state.left_changed = left.changed[i];
    state.right_changed = right.changed[i];
    core::FieldMerge merge = merge_field(state);
    result.outcomes.push_back(merge.outcome);
    if (is_conflict(merge.outcome)) {
      result.conflicts.push_back({i, canonical_left(left, i), canonical_right(right, i)});
    }
    if (merge.new_left) {
      left.values[i] = std::move(*merge.new_left);
      left.changed[i] = right.changed[i];
      ++result.written_left;
    }
    if (merge.new_right) {
      right.values[i] = std::move(*merge.new_right);
      right.changed[i] = left.changed[i];
      ++result.written_right;
    }
    if (merge.outcome != Outcome::unchanged && merge.outcome != Outcome::held &&
        merge.outcome != Outcome::unmappable) {
      base_left_[i] = left.values[i];
      base_right_[i] = right.values[i];
    }
  }
  left.version += result.written_left > 0 ? 1 : 0;
  right.version += result.written_right > 0 ? 1 : 0;
  return result;
}

Value Typists::new_value(Look look) {
  ++counter_;
  switch (look) {
    case Look::text:
    case Look::html:
      return "typed " + std::to_string(counter_);
    case Look::date:
    case Look::instant:
      return core::Date{18'000 + counter_};
    case Look::number:
    case Look::number_text:
      return core::Number{std::to_string(counter_) + ".5"};
    case Look::word:
      break;
  }
  return random_.pick(words);
}

void Typists::type(Face &face, std::size_t field, const Value &standing, const Value &canonical) {
  if (random_.chance(70)) clock_ += random_.between(1, 3) * 1'000'000;
  excused_[field].insert(standing);
  entered_[field].insert(canonical);
  face.values[field] = written(face.looks[field], canonical, random_);
  face.changed[field] = core::Instant{clock_};
  ++face.version;
}

void Typists::recorded(const std::vector<Conflict> &conflicts) {
  for (const Conflict &conflict : conflicts) {
    excused_[conflict.field].insert(conflict.left);
    excused_[conflict.field].insert(conflict.right);
  }
}

std::optional<Value> Typists::lost(std::size_t field, const std::vector<Value> &current) const {
  for (const Value &value : entered_[field]) {
    const bool stands = std::find(current.begin(), current.end(), value) != current.end();
    if (!stands && excused_[field].find(value) == excused_[field].end()) return value;
  }
  return std::nullopt;
}

}  // namespace crm_bridge::test
