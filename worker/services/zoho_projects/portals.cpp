// SPDX-License-Identifier: PostgreSQL
// The portals that a credential opens.  With another user's ZSC key only those count in which that
// key's address is the one who consented (R11-R13): a key with the address of somebody else offers
// nothing.
#include <algorithm>

#include "log.hpp"
#include "services/zoho_projects/connector.hpp"
#include "services/zoho_projects/paging.hpp"

namespace crm_bridge::worker::zoho_projects {

Task<Connector::Portals> Connector::list_portals(Session &session) {
  Portals portals;
  ApiCall call;
  call.path = "/api/v3/portals";
  const HttpResult result = co_await session.send(std::move(call));
  const std::string &linked = session.organization().portal_id;
  if (!result.ok() && result.status == 400 && !linked.empty()) {
    // Some portals refuse the list and answer for one.
    ApiCall one;
    one.path = portal_path(linked);
    const HttpResult single = co_await session.send(std::move(one));
    const Json body = body_of(single);
    const Json *details = find(body, "portal_details");
    portals.list.push_back(details == nullptr ? body : *details);
  } else {
    const Json body = body_of(result);
    portals.list = list_of(body, "portals");
    portals.complete = is_list(body, "portals");
  }
  const std::string &key_of = session.organization().key_email;
  if (key_of.empty()) co_return portals;
  const std::string consented = co_await who_consented(session);
  std::vector<Json> theirs;
  for (Json &portal : portals.list) {
    if (co_await is_person(session, scalar_text(portal, "id"), key_of, consented))
      theirs.push_back(std::move(portal));
  }
  portals.list = std::move(theirs);
  if (portals.list.empty())
    throw ServiceFailure(Verdict{
        Outcome::park, "key_of_another_address", "the ZSC key opens no portal of " + key_of, {}});
  co_return portals;
}

// The account behind the token: only the older list of portals names it.
Task<std::string> Connector::who_consented(Session &session) {
  ApiCall call;
  call.path = "/restapi/portals/";
  const HttpResult result = co_await session.send(std::move(call));
  co_return scalar_text(body_of(result), "login_id");
}

Task<bool> Connector::is_person(Session &session, std::string portal_id, std::string email,
                                std::string account) {
  if (account.empty()) co_return false;
  ApiCall call;
  call.path = portal_path(portal_id) + "/users/" + url_encode(email);
  const HttpResult result = co_await session.send(std::move(call));
  if (judge_answer(result).outcome == Outcome::gone) co_return false;
  const Json body = body_of(result);
  const Json *wrapped = find(body, "user");
  co_return scalar_text(wrapped == nullptr ? body : *wrapped, "zuid") == account;
}

Task<Page> Connector::read_portals(Session &session) {
  Page page;
  page.cursor = Json::object();
  const Portals portals = co_await list_portals(session);
  ModuleRecords records{"projects_portal", {}};
  for (const auto &portal : portals.list)
    records.records.push_back(from_service(session.catalog(), records.module, portal, Place{}));
  if (portals.complete) {
    Listing listing{records.module};
    listing.certain = true;
    for (const auto &record : records.records) listing.external_ids.push_back(record.external_id);
    page.listings.push_back(std::move(listing));
  }
  page.records.push_back(std::move(records));
  co_return page;
}

}  // namespace crm_bridge::worker::zoho_projects
