// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace crm_bridge::worker {

enum class Severity { debug, information, warning, error };

// The value of one key=value pair, made from whatever an event has to tell.
class LogValue {
 public:
  LogValue(std::string_view text) : text_(text) {}    // NOLINT(google-explicit-constructor)
  LogValue(const std::string &text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  LogValue(const char *text) : text_(text) {}         // NOLINT(google-explicit-constructor)
  LogValue(std::chrono::milliseconds time)
      : text_(std::to_string(time.count()) + "ms") {}  // NOLINT
  template <std::integral Integer>
  LogValue(Integer number)
      : text_(std::to_string(number)) {}  // NOLINT(google-explicit-constructor)
  const std::string &text() const { return text_; }

 private:
  std::string text_;
};

struct LogField {
  std::string_view name;
  LogValue value;
};

// Events go to standard error, one a line: time, severity, event=…, then key=value with quotes
// where needed.  Line breaks and control characters in values are escaped.  Never pass a token, a
// secret or a record's field values.
void start_log(Severity least);
void log_event(Severity severity, std::string_view event,
               std::initializer_list<LogField> fields = {});

// The quoting of one value, apart for the tests.
std::string quoted_if_needed(std::string_view value);

}  // namespace crm_bridge::worker
