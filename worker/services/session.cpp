// SPDX-License-Identifier: PostgreSQL
#include "services/session.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "log.hpp"
#include "services/credits.hpp"
#include "services/kinds.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Without a word about the wait: CRM counts a rolling window, Projects two minutes with a block of
// up to thirty.
constexpr milliseconds rest_after_429 = seconds{2};
constexpr milliseconds rest_after_throttle = std::chrono::minutes{2};
constexpr milliseconds place_again{20};

bool lacks_scope(const HttpResult &result) {
  return result.body.find("OAUTH_SCOPE_MISMATCH") != std::string::npos ||
         result.body.find("INVALID_OAUTHSCOPE") != std::string::npos;
}

bool is_wrong_token(const HttpResult &result) {
  if (result.transport != Transport::answered) return false;
  if (result.status == 401) return !lacks_scope(result);
  if (result.body.find("INVALID_OAUTHTOKEN") == std::string::npos) return false;
  if (result.status == 400) return true;
  if (result.status != 200) return false;
  // An error inside a good answer, not a record that speaks of one.
  try {
    const Json body = parse_json(result.body);
    return scalar_text(body, "error.title") == "INVALID_OAUTHTOKEN";
  } catch (const MalformedJson &) {
    return false;
  }
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
      grant_(find_kind(settings.kind) == nullptr ? TokenGrant::zoho_refresh
                                                 : find_kind(settings.kind)->grant),
      tokens_(settings.accounts_url, allowed_, grant_, settings.api_url) {}

Budget &ServiceContext::budget(std::int64_t org_id) {
  const std::lock_guard lock(mutex_);
  auto &budget = budgets_[org_id];
  if (!budget) budget = std::make_unique<Budget>();
  return *budget;
}

void ServiceContext::recall() {
  const std::lock_guard lock(mutex_);
  for (const auto &[org_id, budget] : budgets_) budget->recall();
}

void ServiceContext::tend(const std::function<std::unique_ptr<Bank>(std::int64_t)> &bank) {
  std::vector<std::int64_t> organizations;
  {
    const std::lock_guard lock(mutex_);
    for (const auto &[org_id, budget] : budgets_) organizations.push_back(org_id);
  }
  for (const std::int64_t org_id : organizations) budget(org_id).tend(*bank(org_id));
}

Demand demand_of(const std::string &service, const ApiCall &call) {
  const ServiceKind *kind = find_kind(service);
  return kind == nullptr ? request_of(call) : kind->demand(call);
}

// The places that a request under way takes, until it goes.
class Session::Place {
 public:
  Place() = default;
  Place(const Place &) = delete;
  Place &operator=(const Place &) = delete;
  ~Place() { leave(); }
  bool enter(Budget &budget, const std::vector<std::string> &meters, Bank &bank) {
    if (!budget.enter(meters, bank)) return false;
    budget_ = &budget;
    meters_ = &meters;
    return true;
  }
  void leave() {
    if (budget_ != nullptr) std::exchange(budget_, nullptr)->leave(*meters_);
  }

 private:
  Budget *budget_ = nullptr;
  const std::vector<std::string> *meters_ = nullptr;
};

Session::Session(ServiceContext &context, HttpClient &client, Organization organization,
                 Catalog catalog, AccessTokens::Source credential, Known known,
                 milliseconds patience, std::shared_ptr<Bank> bank)
    : context_(context),
      client_(client),
      organization_(std::move(organization)),
      catalog_(std::move(catalog)),
      credential_(std::move(credential)),
      known_(std::move(known)),
      patience_(patience),
      bank_(std::move(bank)) {}

Task<std::optional<HttpResult>> Session::admit(const Demand &demand, Place &place,
                                               milliseconds &waited) {
  if (bank_ == nullptr) co_return std::nullopt;
  Budget &budget = context_.budget(organization_.org_id);
  while (true) {
    milliseconds wait = place_again;
    std::string reason = "as many requests are under way as the service takes";
    try {
      if (place.enter(budget, demand.places, *bank_)) {
        const Budget::Answer answer = budget.take(demand.meter, demand.cost, *bank_);
        if (answer.wait.count() == 0) co_return std::nullopt;
        place.leave();
        wait = answer.wait;
        reason = "the budget of " + demand.meter + " is used up: " + answer.reason;
      }
    } catch (const std::exception &fault) {
      // Without the database nobody knows what the others send.
      co_return withheld(std::string("the budget could not be asked: ") + fault.what(),
                         Budget::look_again);
    }
    if (waited + wait > patience_) co_return withheld(reason, wait);
    wait = std::min(wait, Budget::look_again);
    waited += wait;
    co_await client_.sleep(wait);
  }
}

void Session::note_limits(const Demand &demand, HttpResult &result) {
  if (bank_ != nullptr) {
    if (const auto left = result.headers.find("x-api-credits-remaining");
        left != result.headers.end()) {
      int remaining = 0;
      const auto &text = left->second;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), remaining);
      if (error == std::errc{} && end == text.data() + text.size() && remaining >= 0)
        context_.budget(organization_.org_id).told(demand.meter, remaining);
    }
  }
  const auto wait = throttled_for(result);
  if (!wait) return;
  const std::string words =
      "HTTP " + std::to_string(result.status) + ": " + result.body.substr(0, 300);
  if (bank_ != nullptr) {
    try {
      context_.budget(organization_.org_id).rest(demand.meter, *wait, words, *bank_);
    } catch (const std::exception &fault) {
      log_event(Severity::warning, "rest_not_told", {{"reason", fault.what()}});
    }
  }
  result.status = 429;
  result.headers["retry-after"] = std::to_string(std::chrono::ceil<seconds>(*wait).count());
  log_event(Severity::warning, "throttled",
            {{"service", settings().kind},
             {"org", organization_.org_id},
             {"call", demand.meter},
             {"wait", *wait}});
}

Task<HttpResult> Session::send(ApiCall call) {
  // A link of the service's own brings its query with it.
  const std::string pattern = url_pattern(call.method, call.path.substr(0, call.path.find('?')));
  const Demand demand = demand_of(settings().kind, call);
  milliseconds waited{0};
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
      if (!fault.refused().empty() && refused_) refused_(fault.refused(), fault.what());
      co_return withheld(fault.what(), fault.retry_after());
    } catch (const KeyError &fault) {
      co_return withheld(fault.what(), std::chrono::minutes{1});
    }
    // Last of all before it goes: a share must be used soon.  A repetition costs like the first.
    Place place;
    std::optional<HttpResult> refused = co_await admit(demand, place, waited);
    if (refused) co_return std::move(*refused);
    HttpRequest request;
    request.method = call.method;
    request.url = url;
    request.headers = call.headers;
    request.headers.push_back("Authorization: " + std::string(token_word(context_.grant())) + " " +
                              token);
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
  note_limits(demand, result);
  co_return result;
}

}  // namespace crm_bridge::worker
