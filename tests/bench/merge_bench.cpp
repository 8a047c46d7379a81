// SPDX-License-Identifier: PostgreSQL
// What mapping and merging a record costs in CPU: 12 mixed fields through merge_field and its
// lenses, beside a probe that does the same comparisons and conversions in straight C on plain
// structs, the least that the work can cost.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <vector>

#include "core/merge.hpp"

namespace core = crm_bridge::core;
using core::FieldType;
using core::Value;

namespace {

constexpr std::size_t field_count = 12;
constexpr std::size_t record_count = 2048;
constexpr int passes_a_run = 40;
constexpr int runs = 11;

enum class Kind : std::uint8_t { text, number, number_to_text, date_to_instant, word, flag };
constexpr std::array<Kind, field_count> kinds{Kind::text,
                                              Kind::text,
                                              Kind::text,
                                              Kind::text,
                                              Kind::number,
                                              Kind::number,
                                              Kind::number_to_text,
                                              Kind::date_to_instant,
                                              Kind::date_to_instant,
                                              Kind::word,
                                              Kind::word,
                                              Kind::flag};

constexpr std::array<const char *, 5> left_words{"Not Started", "In Progress", "Waiting",
                                                 "Deferred", "Completed"};
constexpr std::array<const char *, 5> right_words{"open", "in progress", "on hold", "delayed",
                                                  "closed"};
constexpr std::int64_t microseconds_per_day = 86'400'000'000;

struct Change {
  Value base_left;
  Value base_right;
  Value left;
};
using Record = std::array<Change, field_count>;

// --- The probe: text in buffers of its own, tags instead of types. ---

struct PlainField {
  std::int64_t integer;  // a date's days, an instant's microseconds, a boolean
  std::uint32_t size;
  char text[124];
};

struct PlainChange {
  PlainField base_left;
  PlainField base_right;
  PlainField left;
  PlainField right;
};
using PlainRecord = std::array<PlainChange, field_count>;

bool same(const PlainField &a, const PlainField &b) {
  return a.integer == b.integer && a.size == b.size && std::memcmp(a.text, b.text, a.size) == 0;
}

void copy_text(PlainField &to, const char *text, std::size_t size) {
  to.size = static_cast<std::uint32_t>(size);
  std::memcpy(to.text, text, size);
}

// As "date_instant" with an offset that somebody looked up before: one hour, without daylight
// saving.
std::int64_t move_to_day(std::int64_t days, std::int64_t old_instant) {
  constexpr std::int64_t offset = 3'600'000'000;
  const std::int64_t local = old_instant + offset;
  std::int64_t time = local % microseconds_per_day;
  if (time < 0) time += microseconds_per_day;
  return days * microseconds_per_day + time - offset;
}

int merge_plain(const PlainRecord &record, PlainField *results) {
  int written = 0;
  for (std::size_t i = 0; i < field_count; ++i) {
    const PlainChange &change = record[i];
    const bool left_changed = !same(change.left, change.base_left);
    const bool right_changed = !same(change.right, change.base_right);
    if (!left_changed || right_changed) continue;
    PlainField &result = results[i];
    result.integer = 0;
    result.size = 0;
    switch (kinds[i]) {
      case Kind::text:
      case Kind::number:
      case Kind::number_to_text:
        copy_text(result, change.left.text, change.left.size);
        break;
      case Kind::date_to_instant:
        result.integer = move_to_day(change.left.integer, change.right.integer);
        break;
      case Kind::word:
        for (std::size_t word = 0; word < left_words.size(); ++word) {
          if (change.left.size != std::strlen(left_words[word]) ||
              std::memcmp(change.left.text, left_words[word], change.left.size) != 0) {
            continue;
          }
          copy_text(result, right_words[word], std::strlen(right_words[word]));
        }
        break;
      case Kind::flag: {
        const char *word = change.left.integer != 0 ? "closed" : "open";
        copy_text(result, word, std::strlen(word));
        break;
      }
    }
    if (!same(result, change.right)) ++written;
  }
  return written;
}

// --- The same records for both. ---

core::Conversion conversion_for(Kind kind) {
  const auto field = [](FieldType type) {
    return core::Field{"module", std::string(to_text(type)), type, 0, {}, {}};
  };
  core::ConversionRequest request;
  switch (kind) {
    case Kind::text:
      request.left = request.right = field(FieldType::text);
      request.left.maximum_length = request.right.maximum_length = 255;
      break;
    case Kind::number:
      request.left = field(FieldType::money);
      request.right = field(FieldType::number);
      break;
    case Kind::number_to_text:
      request.left = field(FieldType::number);
      request.right = field(FieldType::text);
      break;
    case Kind::date_to_instant:
      request.left = field(FieldType::date);
      request.right = field(FieldType::instant);
      request.right_zone = core::TimeZone("Europe/Berlin");
      break;
    case Kind::word:
      request.name = "picklist";
      request.left = request.right = field(FieldType::picklist);
      for (std::size_t i = 0; i < left_words.size(); ++i) {
        request.parameters[std::string("left:") + left_words[i]] = right_words[i];
        request.parameters[std::string("right:") + right_words[i]] = right_words[i];
      }
      break;
    case Kind::flag:
      request.left = field(FieldType::boolean);
      request.right = field(FieldType::picklist);
      request.parameters = {{"true", "closed"}, {"false", "open"}};
      break;
  }
  return make_conversion(request, nullptr);
}

Value random_left(Kind kind, std::mt19937_64 &engine) {
  switch (kind) {
    case Kind::text: {
      std::string text(8 + engine() % 53, ' ');
      for (char &c : text) c = static_cast<char>('a' + engine() % 26);
      return text;
    }
    case Kind::number:
    case Kind::number_to_text:
      return core::Number{std::to_string(1 + engine() % 10'000'000) + "." +
                          std::to_string(1 + engine() % 9)};
    case Kind::date_to_instant:
      return core::Date{static_cast<std::int32_t>(19'000 + engine() % 2'000)};
    case Kind::word:
      return std::string(left_words[engine() % left_words.size()]);
    case Kind::flag:
      break;
  }
  return engine() % 2 == 0;
}

Value another_left(Kind kind, const Value &base, std::mt19937_64 &engine) {
  for (;;) {
    Value value = random_left(kind, engine);
    if (value != base) return value;
  }
}

Record random_record(const std::array<core::Conversion, field_count> &conversions,
                     std::size_t changed, std::mt19937_64 &engine) {
  Record record;
  for (std::size_t i = 0; i < field_count; ++i) {
    Change &change = record[i];
    change.base_left = random_left(kinds[i], engine);
    change.base_right = conversions[i].right->put(conversions[i].left->get(change.base_left), {});
    // Spread over the record, so that every kind has its share.
    const bool changes = (i * changed + engine() % field_count) % field_count < changed;
    change.left = changes ? another_left(kinds[i], change.base_left, engine) : change.base_left;
  }
  return record;
}

PlainField plain(const Value &value) {
  PlainField field{};
  if (const auto *text = std::get_if<std::string>(&value))
    copy_text(field, text->data(), text->size());
  if (const auto *number = std::get_if<core::Number>(&value)) {
    copy_text(field, number->digits.data(), number->digits.size());
  }
  if (const auto *date = std::get_if<core::Date>(&value)) field.integer = date->days;
  if (const auto *instant = std::get_if<core::Instant>(&value))
    field.integer = instant->microseconds;
  if (const auto *flag = std::get_if<bool>(&value)) field.integer = *flag ? 1 : 0;
  return field;
}

double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

template <typename Pass>
double median_per_record(Pass &&pass) {
  std::vector<double> times;
  for (int run = 0; run <= runs; ++run) {
    const double start = cpu_microseconds();
    for (int i = 0; i < passes_a_run; ++i) pass();
    if (run > 0)
      times.push_back((cpu_microseconds() - start) / passes_a_run /
                      record_count);  // the first warms up
  }
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  return times[runs / 2];
}

void measure(const std::array<core::Conversion, field_count> &conversions, std::size_t changed) {
  std::mt19937_64 engine(changed + 1);
  std::vector<Record> records;
  std::vector<PlainRecord> fresh(record_count);
  for (std::size_t i = 0; i < record_count; ++i) {
    records.push_back(random_record(conversions, changed, engine));
    for (std::size_t j = 0; j < field_count; ++j) {
      const Change &change = records[i][j];
      fresh[i][j] = {plain(change.base_left), plain(change.base_right), plain(change.left),
                     plain(change.base_right)};
    }
  }

  long written = 0;
  const double ours = median_per_record([&] {
    for (const Record &record : records) {
      for (std::size_t i = 0; i < field_count; ++i) {
        core::FieldState state;
        state.conversion = &conversions[i];
        state.base_left = &record[i].base_left;
        state.base_right = state.right = &record[i].base_right;
        state.left = &record[i].left;
        const core::FieldMerge merge = merge_field(state);
        written += merge.new_right.has_value() ? 1 : 0;
      }
    }
  });
  std::array<PlainField, field_count> results;
  long probe_written = 0;
  const double probe = median_per_record([&] {
    for (const PlainRecord &record : fresh) probe_written += merge_plain(record, results.data());
  });
  std::printf("%7zu  %8.3f  %8.3f  %6.2f   %.2f %.2f\n", changed, ours, probe, ours / probe,
              static_cast<double>(written) / (passes_a_run * (runs + 1.0)) / record_count,
              static_cast<double>(probe_written) / (passes_a_run * (runs + 1.0)) / record_count);
}

}  // namespace

int main() {
  std::array<core::Conversion, field_count> conversions;
  for (std::size_t i = 0; i < field_count; ++i) conversions[i] = conversion_for(kinds[i]);
  std::printf("map and merge %zu fields, CPU in µs a record, median of %d runs\n", field_count,
              runs);
  std::printf("changed  crm_bridge  C probe   ratio   fields written (both)\n");
  for (const std::size_t changed : {std::size_t{0}, std::size_t{2}, field_count})
    measure(conversions, changed);
  return 0;
}
