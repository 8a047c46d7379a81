// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../faults.hpp"
#include "../journal.hpp"
#include "../limits.hpp"
#include "../oauth.hpp"
#include "../request_log.hpp"
#include "../webhooks.hpp"
#include "portal.hpp"

#include <map>
#include <mutex>
#include <string>

namespace crm_bridge::sandbox::projects {

// How lists are cut into pages.  `page` is mandatory where the service demands it.
struct Page {
  std::size_t number = 1;
  std::size_t size = 100;
};
Page page_of(const std::string &page, const std::string &per_page, bool mandatory);
// {key: [...], "page_info": {...}}, or 204 when there is nothing.
Answer wrapped(const std::string &key, Json all, const Page &page);
Json cut(const Json &all, const Page &page);
[[noreturn]] void refuse_url();

// Zoho Projects V3 under /api/v3.
class Service : public Endpoint {
 public:
  Service(const Options &options, Clock &clock, Accounts &accounts, RequestLog &log, Faults &faults,
          Webhooks &webhooks, Journal &journal);

  Answer handle(const Call &call) override;

  // The control port edits through this, as a person in the service's screens: the same resources
  // below a portal, without token and limits, and with what only the screens can set.
  Answer person_edit(const std::string &portal, const std::string &method,
                     const std::vector<std::string> &resource, const Json &input,
                     const std::string &email);
  // A webhook is configured in the screens: one for each portal.
  // `with_values`: the administrator put what a record was given into the body.
  bool set_webhook(const std::string &portal, const std::string &url, const std::string &token,
                   bool with_values = false);
  // One more portal, owned by this person; false if there is one of that id.
  bool add_portal(const std::string &id, const std::string &name, const std::string &first_name,
                  const std::string &last_name);

 private:
  struct Request {
    const Call *call = nullptr;  // null for a person's edit
    std::string method;
    std::vector<std::string> path;  // below the portal
    Json body;
    std::string actor;

    const std::string &segment(std::size_t index) const {
      static const std::string none;
      return index < path.size() ? path[index] : none;
    }
    std::string parameter(const std::string &name) const {
      return call == nullptr ? std::string{} : call->parameter(name);
    }
    // Which part of a list is asked for; people see all of it.
    Page page(bool mandatory) const {
      if (call == nullptr) return {1, 1'000'000};
      return page_of(parameter("page"), parameter("per_page"), mandatory);
    }
    bool stale() const { return call != nullptr && call->misbehaves(Fault::Kind::stale_read); }
  };
  struct Webhook {
    std::string url;
    std::string token;
    bool with_values = false;
  };

  static constexpr const char *first_portal = "20639270";
  const Person *asking(const Portal &portal, const Call &call);
  Answer failure(const std::string &url, const std::string &method, const Refusal &refusal) const;
  Answer throttled(const Call &call, std::int64_t seconds) const;
  Answer work(const Call &call);
  Answer route(Portal &portal, const Request &request);
  Answer route_project(Portal &portal, Project &project, const Request &request);
  Answer route_projects(Portal &portal, const Request &request);
  Answer route_task_lists(Portal &portal, Project &project, const Request &request);
  Answer route_tasks(Portal &portal, Project &project, const Request &request);
  Answer route_comments(Portal &portal, const Task &task, const Request &request);
  Answer route_clients(Portal &portal, const Request &request);
  Answer route_project_clients(Portal &portal, Project &project, const Request &request);
  Answer route_users(Portal &portal, const Request &request);
  // A customer's people in a project.
  Answer route_guests(Portal &portal, Project &project, const Request &request);
  Answer route_project_users(Portal &portal, Project &project, const Request &request);
  Answer route_bin(Portal &portal, const Request &request);
  Answer route_settings(Portal &portal, const Request &request);
  void settle(Portal &portal, const std::string &actor);

  const Options &options_;
  Clock &clock_;
  Accounts &accounts_;
  RequestLog &log_;
  Faults &faults_;
  Webhooks &webhooks_;
  Journal &journal_;
  Throttle throttle_;

  std::mutex mutex_;
  std::map<std::string, Portal> portals_;
  std::map<std::string, Webhook> webhooks_by_portal_;
};

}  // namespace crm_bridge::sandbox::projects
