// SPDX-License-Identifier: PostgreSQL
#include <boost/test/unit_test.hpp>

#include "receive/address.hpp"
#include "receive/receiver.hpp"
#include "services/zoho_crm/connector.hpp"
#include "services/zoho_projects/connector.hpp"

using namespace crm_bridge::worker;

namespace {

Key key() {
  std::array<std::uint8_t, 32> seed{};
  seed.fill(7);
  return Key::from_seed(seed);
}

ServiceSettings settings(const std::string &kind) {
  ServiceSettings one;
  one.kind = kind;
  one.accounts_url = "https://accounts.zoho.com";
  one.api_url = "https://www.zohoapis.com";
  return one;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(webhook)

BOOST_AUTO_TEST_CASE(addresses_are_stable_and_differ_between_tenants) {
  const WebhookAddress one = webhook_address(key(), settings("zoho_crm"), 1);
  BOOST_TEST(one.path == webhook_address(key(), settings("zoho_crm"), 1).path);
  BOOST_TEST(one.path != webhook_address(key(), settings("zoho_crm"), 2).path);
  BOOST_TEST(one.token != webhook_address(key(), settings("zoho_crm"), 2).token);
  BOOST_TEST(one.token != webhook_address(key(), settings("zoho_projects"), 1).token);
  BOOST_TEST(one.token.size() <= 50);
  BOOST_TEST(one.channel_id.find_first_not_of("0123456789") == std::string::npos);
  const auto parsed = parse_webhook_path(one.path);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->service == "zoho_crm");
  BOOST_TEST(parsed->org_id == 1);
}

BOOST_AUTO_TEST_CASE(paths_of_another_form_are_none) {
  for (const char *path :
       {"/", "/hooks", "/hooks/", "/hooks/zoho_crm", "/hooks/zoho_crm/1", "/hooks/zoho_crm/1/",
        "/hooks/zoho_crm/x/y", "/hooks/zoho_crm/-1/y", "/hooks/zoho_crm/99999999999999999999/y"}) {
    BOOST_TEST(!parse_webhook_path(path).has_value(), path);
  }
}

BOOST_AUTO_TEST_CASE(both_path_and_token_must_fit) {
  BOOST_TEST(proves_itself("/p", "t", "/p", "t"));
  BOOST_TEST(!proves_itself("/p", "x", "/p", "t"));
  BOOST_TEST(!proves_itself("/x", "t", "/p", "t"));
  BOOST_TEST(!proves_itself("/p", "", "/p", "t"));
}

BOOST_AUTO_TEST_CASE(bodies_of_both_services) {
  const auto crm = zoho_crm::Connector(settings("zoho_crm"))
                       .parse_webhook(parse_json(R"({"server_time":1772423100000,"module":"Tasks",
      "ids":["4876876000000111001",5],"operation":"update","channel_id":"1000000068001","token":"t0ken-1"})"));
  BOOST_REQUIRE(crm.has_value());
  BOOST_TEST(crm->api_module == "Tasks");
  BOOST_TEST(crm->external_ids.size() == 2);
  BOOST_TEST(crm->event == "update");
  BOOST_TEST(crm->token == "t0ken-1");
  const auto projects =
      zoho_projects::Connector(settings("zoho_projects"))
          .parse_webhook(parse_json(R"({"module":"tasks","id":2063927000000090011,"project_id":"85",
      "event":"delete","token":"t"})"));
  BOOST_REQUIRE(projects.has_value());
  BOOST_TEST(projects->external_ids.front() == "2063927000000090011");
  for (const char *body :
       {"{}", "[]", "null", "\"x\"", R"({"module":"Tasks","ids":"x"})", R"({"ids":[]})"}) {
    BOOST_TEST(
        !zoho_crm::Connector(settings("zoho_crm")).parse_webhook(parse_json(body)).has_value(),
        body);
    BOOST_TEST(!zoho_projects::Connector(settings("zoho_projects"))
                    .parse_webhook(parse_json(body))
                    .has_value(),
               body);
  }
}

BOOST_AUTO_TEST_CASE(strangers_are_turned_away_and_friends_wait_for_the_database) {
  Configuration configuration;
  // A socket folder that does not exist: the database is down.
  configuration.conninfo = "host=/nonexistent dbname=none connect_timeout=1";
  configuration.services = {settings("zoho_crm")};
  const StopSignal stop;
  const Key secret = key();
  Shared shared(configuration, stop, secret);
  WebhookDoor door(shared);
  const WebhookAddress address = webhook_address(secret, configuration.services[0], 1);
  const std::string body = R"({"module":"Deals","ids":["1"],"operation":"update","token":")";
  BOOST_TEST(door.take("/hooks/unknown/1/x", body + address.token + "\"}").status == 404);
  BOOST_TEST(door.take(address.path + "x", body + address.token + "\"}").status == 404);
  BOOST_TEST(door.take(address.path, body + "wrong\"}").status == 404);
  BOOST_TEST(door.take(address.path, "not json").status == 404);
  BOOST_TEST(door.take(address.path, std::string(100000, '[')).status == 404);
  BOOST_TEST(door.take(address.path, body + address.token + "\"}").status == 503);
}

BOOST_AUTO_TEST_SUITE_END()
