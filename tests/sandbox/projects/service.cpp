// SPDX-License-Identifier: PostgreSQL
#include "service.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::projects {

void refuse_url() {
  throw Refusal{400, "URL_RULE_NOT_CONFIGURED", "OPERATIONAL_VALIDATION_ERROR",
                "Given URL is wrong", ""};
}

Page page_of(const std::string &page, const std::string &per_page, bool mandatory) {
  const auto number = [](const std::string &text, const std::string &field) {
    if (text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos ||
        std::stoul(text) == 0) {
      refuse_field(field, "Input format mismatch");
    }
    return static_cast<std::size_t>(std::stoul(text));
  };
  Page result;
  if (page.empty() && mandatory) refuse_missing_field("page");
  if (!page.empty()) result.number = number(page, "page");
  if (!per_page.empty()) result.size = number(per_page, "per_page");
  if (result.size > 200) refuse_field("per_page", "Maximum value exceeded");
  return result;
}

Json cut(const Json &all, const Page &page) {
  Json shown = Json::array();
  const std::size_t start = (page.number - 1) * page.size;
  for (std::size_t i = start; i < std::min(start + page.size, all.size()); ++i)
    shown.push_back(all[i]);
  return shown;
}

Answer wrapped(const std::string &key, Json all, const Page &page) {
  Json shown = cut(all, page);
  if (shown.empty()) return Answer::nothing(204);
  Answer answer;
  const std::size_t count = shown.size();
  answer.body = {{key, std::move(shown)},
                 {"page_info",
                  {{"page", page.number},
                   {"per_page", page.size},
                   {"page_count", count},
                   {"has_next_page", page.number * page.size < all.size()}}}};
  return answer;
}

Service::Service(const Options &options, Clock &clock, Accounts &accounts, RequestLog &log,
                 Faults &faults, Webhooks &webhooks, Journal &journal)
    : options_{options},
      clock_{clock},
      accounts_{accounts},
      log_{log},
      faults_{faults},
      webhooks_{webhooks},
      journal_{journal},
      throttle_{options.projects_limit, options.projects_window, options.projects_block} {
  portals_.emplace(
      std::piecewise_construct, std::forward_as_tuple(first_portal),
      std::forward_as_tuple(options_, clock_, first_portal, "Zylker Projects",
                            std::vector<std::pair<std::string, std::string>>{
                                {"Mira", "Holt"}, {"Alicia", "Reyes"}, {"George", "Tan"}}));
}

Answer Service::handle(const Call &call) {
  if (!accounts_.accepts(call)) {
    return failure(
        call.url, call.method,
        {401, "INVALID_OAUTHTOKEN", "AUTHENTICATION_ERROR", "Invalid OAuth access token", ""});
  }
  const auto wait = throttle_.admit(url_pattern(call.method, call.path), clock_.microseconds());
  if (wait) return throttled(call, *wait);
  if (call.misbehaves(Fault::Kind::rate_limited)) {
    return throttled(
        call, options_.projects_block > 0 ? options_.projects_block : options_.projects_window);
  }
  faults_.hold(call);
  if (call.misbehaves(Fault::Kind::status)) {
    return failure(call.url, call.method,
                   {call.fault->status != 0 ? call.fault->status : 500, "INTERNAL_SERVER_ERROR",
                    "SERVER_ERROR", "zp.general.error", ""});
  }
  Answer answer;
  try {
    answer = work(call);
  } catch (const Refusal &refusal) {
    answer = failure(call.url, call.method, refusal);
  }
  if (call.method != "GET") journal_.sync();
  return answer;
}

Answer Service::failure(const std::string &url, const std::string &method,
                        const Refusal &refusal) const {
  Json detail = {{"message", refusal.message}};
  if (!refusal.field.empty()) detail["field_name"] = refusal.field;
  Answer answer;
  answer.status = refusal.status;
  answer.body = {{"error",
                  {{"status_code", std::to_string(refusal.status)},
                   {"instance", url},
                   {"method", method},
                   {"title", refusal.title},
                   {"error_type", refusal.error_type},
                   {"details", Json::array({detail})}}}};
  return answer;
}

Answer Service::throttled(const Call &call, std::int64_t seconds) const {
  log_.count("throttled");
  const std::int64_t minutes = std::max<std::int64_t>(1, (seconds + 59) / 60);
  Answer answer = failure(
      call.url, call.method,
      {400, "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", "OPERATIONAL_VALIDATION_ERROR",
       "Cannot execute more than " + std::to_string(throttle_.limit()) + " requests per API in " +
           std::to_string(std::max<std::int64_t>(1, throttle_.window() / 60)) +
           " minutes. Try again after " + std::to_string(minutes) + " minutes.",
       ""});
  if (call.fault != nullptr && !call.fault->retry_after.empty())
    answer.headers.emplace_back("Retry-After", call.fault->retry_after);
  return answer;
}

bool Service::add_portal(const std::string &id, const std::string &name, const std::string &first,
                         const std::string &last) {
  const std::lock_guard lock{mutex_};
  if (id.empty() || name.empty() || first.empty() || portals_.count(id) != 0) return false;
  const auto number = static_cast<std::int64_t>(portals_.size());
  portals_.emplace(std::piecewise_construct, std::forward_as_tuple(id),
                   std::forward_as_tuple(
                       options_, clock_, id, name,
                       std::vector<std::pair<std::string, std::string>>{{first, last}}, number));
  return true;
}

// Who asks: the person who consented, as this portal has him; nobody if he is none of its people.
const Person *Service::asking(const Portal &portal, const Call &call) {
  const std::string email = accounts_.person_of(call);
  // The administrator whom the sandbox starts with knows the portal that it starts with.
  if (email.empty()) return portal.id() == first_portal ? &portal.administrator() : nullptr;
  for (const auto &[zpuid, person] : portal.people)
    if (person.email == email) return &person;
  return nullptr;
}

Answer Service::work(const Call &call) {
  // The older list of portals: who asks, by the number of his account.
  if (call.url == "/restapi/portals/" && call.method == "GET") {
    const std::lock_guard lock{mutex_};
    Answer answer;
    Json listed = Json::array();
    for (const auto &[id, portal] : portals_) {
      const Person *person = asking(portal, call);
      if (person == nullptr) continue;
      answer.body["login_id"] = person->zuid;
      listed.push_back({{"id_string", id}, {"name", portal.name()}});
    }
    answer.body["portals"] = listed;
    return answer;
  }
  if (call.segment(0) != "api" || call.segment(1) != "v3") refuse_url();
  Request request;
  request.call = &call;
  request.method = call.method;
  if (!call.body.empty() &&
      call.header("content-type").find("form-urlencoded") == std::string::npos) {
    request.body = Json::parse(call.body, nullptr, false);
    if (request.body.is_discarded()) {
      throw Refusal{400, "INVALID_INPUTSTREAM", "FIELDS_VALIDATION_ERROR", "Invalid input stream",
                    ""};
    }
  }
  const std::lock_guard lock{mutex_};
  Answer answer;
  if (call.segment(2) == "portals" && call.path.size() == 3) {
    if (call.method != "GET")
      throw Refusal{400, "INVALID_METHOD", "OPERATIONAL_VALIDATION_ERROR", "Invalid method", ""};
    answer.body = Json::array();
    for (const auto &[id, portal] : portals_) {
      if (asking(portal, call) == nullptr) continue;
      answer.body.push_back(
          {{"id", id}, {"name", portal.name()}, {"portal_name", "zylker"}, {"org_name", "Zylker"}});
    }
    return answer;
  }
  const auto portal = portals_.find(call.segment(3));
  if (call.segment(2) != "portal" || portal == portals_.end()) refuse_url();
  const Person *person = asking(portal->second, call);
  if (person == nullptr) refuse_url();
  request.path.assign(call.path.begin() + 4, call.path.end());
  request.actor = person->zpuid;
  try {
    answer = route(portal->second, request);
  } catch (...) {
    portal->second.effects.clear();
    portal->second.mails = 0;
    throw;
  }
  settle(portal->second, request.actor);
  return answer;
}

Answer Service::person_edit(const std::string &portal_id, const std::string &method,
                            const std::vector<std::string> &resource, const Json &input,
                            const std::string &email) {
  const std::lock_guard lock{mutex_};
  const auto portal = portals_.find(portal_id);
  try {
    if (portal == portals_.end()) refuse_url();
    Request request;
    request.method = method;
    request.path = resource;
    request.body = input;
    request.actor = portal->second.person(email).zpuid;
    Answer answer = route(portal->second, request);
    settle(portal->second, request.actor);
    journal_.sync();
    return answer;
  } catch (const Refusal &refusal) {
    if (portal != portals_.end()) portal->second.effects.clear();
    return failure("", method, refusal);
  }
}

bool Service::set_webhook(const std::string &portal, const std::string &url,
                          const std::string &token, bool with_values) {
  const std::lock_guard lock{mutex_};
  if (portals_.count(portal) == 0) return false;
  webhooks_by_portal_[portal] = {url, token, with_values};
  return true;
}

void Service::settle(Portal &portal, const std::string &actor) {
  const auto webhook = webhooks_by_portal_.find(portal.id());
  for (const auto &effect : portal.effects) {
    journal_.append({{"at", clock_.milliseconds()},
                     {"service", "projects"},
                     {"module", effect.module},
                     {"operation", effect.event},
                     {"id", effect.id},
                     {"project_id", effect.project_id},
                     {"by", actor},
                     {"values", effect.values}});
    const bool announced =
        effect.module == "tasks" || effect.module == "projects" || effect.module == "tasklists";
    if (!announced || effect.event == "purge" || webhook == webhooks_by_portal_.end() ||
        webhook->second.url.empty())
      continue;
    Json body = {{"module", effect.module},
                 {"id", effect.id},
                 {"project_id", effect.project_id},
                 {"event", effect.event},
                 {"token", webhook->second.token}};
    if (webhook->second.with_values) {
      body["time"] = iso_utc(clock_.milliseconds());
      body["values"] = effect.values;
    }
    webhooks_.send(webhook->second.url, std::move(body));
  }
  if (portal.mails > 0) log_.count("mails", portal.mails);
  portal.effects.clear();
  portal.mails = 0;
}

}  // namespace crm_bridge::sandbox::projects
