// SPDX-License-Identifier: PostgreSQL
#include "http/retry.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds longest_wait = std::chrono::hours{24};

std::optional<long long> parse_whole(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

milliseconds told_to_wait(const HttpResult &result) {
  const auto header = result.headers.find("retry-after");
  if (header == result.headers.end()) return milliseconds{0};
  return parse_retry_after(header->second, static_cast<long long>(std::time(nullptr)))
      .value_or(milliseconds{0});
}

}  // namespace

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::retry:
      return "retry";
    case Outcome::in_doubt:
      return "in_doubt";
    case Outcome::release:
      return "release";
    case Outcome::park:
      return "park";
    case Outcome::gone:
      return "gone";
  }
  return "retry";
}

Verdict judge(const HttpResult &result) {
  switch (result.transport) {
    case Transport::withheld:
      return {Outcome::release, "not_sent", result.error, result.retry_after};
    case Transport::not_sent:
      return {Outcome::retry, "not_sent", result.error, milliseconds{0}};
    case Transport::lost:
      return {Outcome::in_doubt, "no_answer", result.error, milliseconds{0}};
    case Transport::answered:
      break;
  }
  const int status = result.status;
  const std::string detail = "HTTP " + std::to_string(status);
  if (status >= 200 && status < 300) return {};
  if (status == 401) return {Outcome::retry, "unauthorized", detail, milliseconds{0}};
  if (status == 403) return {Outcome::park, "forbidden", detail, milliseconds{0}};
  if (status == 404 || status == 410) return {Outcome::gone, "not_found", detail, milliseconds{0}};
  if (status == 412) return {Outcome::retry, "already_modified", detail, milliseconds{0}};
  if (status == 408 || status == 425)
    return {Outcome::retry, "try_again", detail, told_to_wait(result)};
  if (status == 429) return {Outcome::retry, "rate_limited", detail, told_to_wait(result)};
  if (status == 501) return {Outcome::park, "not_implemented", detail, milliseconds{0}};
  if (status == 503 && told_to_wait(result) > milliseconds{0}) {
    return {Outcome::retry, "unavailable", detail, told_to_wait(result)};
  }
  if (status >= 500) return {Outcome::in_doubt, "service_error", detail, milliseconds{0}};
  // Never followed; and whether the work was done before it is not known.
  if (status >= 300 && status < 400)
    return {Outcome::in_doubt, "redirected", detail, milliseconds{0}};
  return {Outcome::park, "refused", detail, milliseconds{0}};
}

std::optional<milliseconds> parse_retry_after(std::string_view value, long long now) {
  if (const auto whole = parse_whole(value)) {
    return std::min(longest_wait, milliseconds{seconds{std::min(*whole, 86400LL)}});
  }
  // Some services tell fractions of a second, which no standard knows; never earlier than told.
  if (const std::size_t dot = value.find('.'); dot != std::string_view::npos && dot > 0) {
    const auto whole = parse_whole(value.substr(0, dot));
    const auto fraction = value.substr(dot + 1);
    if (whole && !fraction.empty() && fraction.find_first_not_of("0123456789") == fraction.npos)
      return std::min(longest_wait, milliseconds{seconds{std::min(*whole, 86400LL) + 1}});
  }
  std::tm when{};
  const std::string text(value);
  const char *end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const long long wait = static_cast<long long>(timegm(&when)) - now;
  return std::clamp(milliseconds{seconds{std::clamp(wait, 0LL, 86400LL)}}, milliseconds{0},
                    longest_wait);
}

std::optional<milliseconds> wait_in_words(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  constexpr std::string_view phrase = "again after ";
  const std::size_t at = lower.find(phrase);
  if (at == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(lower).substr(at + phrase.size());
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const auto amount = parse_whole(rest.substr(0, digits));
  if (digits == 0 || !amount || *amount > 86400) return std::nullopt;
  rest.remove_prefix(digits);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  milliseconds unit{0};
  if (rest.starts_with("second")) unit = seconds{1};
  if (rest.starts_with("minute")) unit = std::chrono::minutes{1};
  if (rest.starts_with("hour")) unit = std::chrono::hours{1};
  if (unit == milliseconds{0}) return std::nullopt;
  return std::min(longest_wait, milliseconds{unit.count() * *amount});
}

}  // namespace crm_bridge::worker
