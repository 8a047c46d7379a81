// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <pqxx/pqxx>

#include "database.hpp"

// Values as they come out of a result and go into a statement; for the sources of Database alone.
namespace crm_bridge::worker {

inline std::string text(const pqxx::field &field) {
  return field.is_null() ? std::string{} : std::string(field.c_str());
}

// NULL for "", which is how the protocol's optional texts travel.
inline std::optional<std::string> optional_text(const std::string &value) {
  return value.empty() ? std::nullopt : std::optional<std::string>(value);
}

inline std::string interval(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " milliseconds";
}

inline ResultTable table(const pqxx::result &result) {
  ResultTable answer;
  for (pqxx::row::size_type column = 0; column < result.columns(); ++column) {
    answer.first.emplace_back(result.column_name(column));
  }
  for (const auto &row : result) {
    auto &line = answer.second.emplace_back();
    for (const auto &field : row) line.push_back(text(field));
  }
  return answer;
}

inline std::vector<std::int64_t> organizations(const pqxx::result &result) {
  std::vector<std::int64_t> answer;
  for (const auto &row : result) answer.push_back(row[0].as<std::int64_t>());
  return answer;
}

inline Json json(const pqxx::field &field) {
  return field.is_null() ? Json() : parse_json(field.c_str());
}

inline std::vector<std::string> parse_array(const pqxx::field &field) {
  std::vector<std::string> elements;
  if (field.is_null()) return elements;
  auto parser = field.as_array();
  for (auto part = parser.get_next(); part.first != pqxx::array_parser::juncture::done;
       part = parser.get_next()) {
    if (part.first == pqxx::array_parser::juncture::string_value) elements.push_back(part.second);
  }
  return elements;
}

}  // namespace crm_bridge::worker
