// SPDX-License-Identifier: PostgreSQL
#include "services/session.hpp"

#include <algorithm>
#include <ctime>

#include "log.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Without a word about the wait: CRM counts a rolling window, Projects two minutes with a block of
// up to thirty.
constexpr milliseconds rest_after_429 = seconds{2};
constexpr milliseconds rest_after_throttle = std::chrono::minutes{2};

bool lacks_scope(const HttpResult &result) {
  return result.body.find("OAUTH_SCOPE_MISMATCH") != std::string::npos ||
         result.body.find("INVALID_OAUTHSCOPE") != std::string::npos;
}

bool is_wrong_token(const HttpResult &result) {
  if (result.transport != Transport::answered) return false;
  if (result.status == 401) return !lacks_scope(result);
  return result.status == 400 && result.body.find("INVALID_OAUTHTOKEN") != std::string::npos;
}

HttpResult withheld(std::string error, milliseconds retry_after) {
  HttpResult result;
  result.transport = Transport::withheld;
  result.error = std::move(error);
  result.retry_after = retry_after;
  return result;
}

}  // namespace

std::optional<milliseconds> throttled_for(const HttpResult &result) {
  if (result.transport != Transport::answered) return std::nullopt;
  const bool in_words =
      result.status >= 400 && result.body.find("THROTTLES_LIMIT_EXCEEDED") != std::string::npos;
  if (result.status != 429 && !in_words) return std::nullopt;
  if (const auto header = result.headers.find("retry-after"); header != result.headers.end()) {
    if (const auto wait =
            parse_retry_after(header->second, static_cast<long long>(std::time(nullptr))))
      return wait;
  }
  if (const auto wait = wait_in_words(result.body)) return wait;
  return in_words ? rest_after_throttle : rest_after_429;
}

ServiceContext::ServiceContext(const ServiceSettings &settings, milliseconds request_timeout,
                               Metrics &metrics)
    : settings_(settings),
      request_timeout_(request_timeout),
      metrics_(metrics),
      allowed_({settings.accounts_url, settings.api_url}),
      tokens_(settings.accounts_url, allowed_) {}

Budget &ServiceContext::budget(std::int64_t org_id) {
  const std::lock_guard lock(mutex_);
  auto &budget = budgets_[org_id];
  if (!budget) budget = std::make_unique<Budget>(settings_.requests_per_window, settings_.window);
  return *budget;
}

Session::Session(ServiceContext &context, HttpClient &client, Organization organization,
                 Catalog catalog, AccessTokens::Source credential, Known known,
                 milliseconds patience, Recorded recorded)
    : context_(context),
      client_(client),
      organization_(std::move(organization)),
      catalog_(std::move(catalog)),
      credential_(std::move(credential)),
      known_(std::move(known)),
      patience_(patience),
      recorded_(std::move(recorded)) {}

Task<HttpResult> Session::send(ApiCall call) {
  const std::string pattern = url_pattern(call.method, call.path);
  Budget &budget = context_.budget(organization_.org_id);
  milliseconds waited{0};
  while (true) {
    const milliseconds wait = budget.take(pattern);
    if (wait.count() == 0) break;
    if (waited + wait > patience_)
      co_return withheld("the budget of " + pattern + " is used up", wait);
    waited += wait;
    co_await client_.sleep(wait);
  }
  std::string url = settings().api_url + call.path;
  char separator = '?';
  for (const auto &[name, value] : call.query) {
    url += separator + name + "=" + url_encode(value);
    separator = '&';
  }
  const std::string body = call.body.is_null() ? std::string{} : to_text(call.body);
  HttpResult result;
  for (int round = 0; round < 2; ++round) {
    std::string token;
    try {
      token = context_.tokens().get(organization_.org_id, credential_);
    } catch (const NoToken &fault) {
      co_return withheld(fault.what(), fault.retry_after());
    } catch (const KeyError &fault) {
      co_return withheld(fault.what(), std::chrono::minutes{1});
    }
    HttpRequest request;
    request.method = call.method;
    request.url = url;
    request.headers = call.headers;
    request.headers.push_back("Authorization: Zoho-oauthtoken " + token);
    if (!body.empty()) request.headers.push_back("Content-Type: application/json");
    request.body = body;
    request.repeatable = call.repeatable;
    request.timeout = context_.request_timeout();
    const auto begun = HttpClient::Clock::now();
    result = co_await client_.send(std::move(request));
    const auto took = std::chrono::duration_cast<milliseconds>(HttpClient::Clock::now() - begun);
    context_.metrics().request(settings().kind, result, took);
    log_event(Severity::debug, "request",
              {{"service", settings().kind},
               {"org", organization_.org_id},
               {"call", pattern},
               {"status", result.status},
               {"took", took},
               {"error", result.error}});
    if (!is_wrong_token(result)) break;
    context_.tokens().refused(organization_.org_id, token);
  }
  if (const auto wait = throttled_for(result)) {
    budget.rest(pattern, *wait);
    result.status = 429;
    result.headers["retry-after"] = std::to_string(std::chrono::ceil<seconds>(*wait).count());
    log_event(Severity::warning, "throttled",
              {{"service", settings().kind},
               {"org", organization_.org_id},
               {"call", pattern},
               {"wait", *wait}});
  }
  co_return result;
}

}  // namespace crm_bridge::worker
