// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/result.hpp"

namespace crm_bridge::worker {

// What becomes of a delivery; all but `done` are the words of crm_bridge.fail.
enum class Outcome { done, retry, in_doubt, release, park, gone };
std::string_view to_text(Outcome outcome);

struct Verdict {
  Outcome outcome = Outcome::done;
  std::string reason{};  // a word: rate_limited, not_sent, no_answer, unauthorized, refused, …
  std::string detail{};  // the service's own words
  std::chrono::milliseconds retry_after{0};
  // There if the service itself said, in its own words, that it does not take the values: the
  // fields that it named, by its names, possibly none.
  std::optional<std::vector<std::string>> refused_fields{};
};

// What an HTTP result means for one write, before anyone has looked into the body.  Pure.  The rule
// behind it: only what the service certainly did not do may be tried again blindly; an error of the
// service's own (5xx) may come after the work was done and is as doubtful as no answer at all.
Verdict judge(const HttpResult &result);

// The Retry-After header in seconds or as an HTTP date (`now` is Unix seconds).
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, long long now);

// "… Try again after 22 minutes." → 22 minutes.
std::optional<std::chrono::milliseconds> wait_in_words(std::string_view text);

}  // namespace crm_bridge::worker
