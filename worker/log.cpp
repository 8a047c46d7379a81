// SPDX-License-Identifier: PostgreSQL
#include "log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t longest_value = 500;

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return spdlog::level::debug;
    case Severity::information:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void start_log(Severity least) {
  auto logger = std::make_shared<spdlog::logger>("crm-bridge",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(level_of(least));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

std::string quoted_if_needed(std::string_view value) {
  const bool plain = !value.empty() && value.size() <= longest_value &&
                     std::all_of(value.begin(), value.end(), [](char c) {
                       return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f;
                     });
  if (plain) return std::string(value);
  std::string text = "\"";
  for (const char c : value.substr(0, longest_value)) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      text += '?';
    } else {
      text += c;
    }
  }
  if (value.size() > longest_value) text += "...";
  text += '"';
  return text;
}

void log_event(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
  const auto level = level_of(severity);
  if (!spdlog::default_logger_raw()->should_log(level)) return;
  std::string line = "event=" + std::string(event);
  for (const auto &field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    line += quoted_if_needed(field.value.text());
  }
  spdlog::log(level, "{}", line);
}

}  // namespace crm_bridge::worker
