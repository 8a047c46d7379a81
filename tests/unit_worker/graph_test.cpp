// SPDX-License-Identifier: PostgreSQL
// Microsoft Graph's connector: tokens of the application, delta links, and where links may lead.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "catalogs.hpp"
#include "service_stage.hpp"
#include "services/microsoft_graph/connector.hpp"

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;
using crm_bridge::worker::microsoft_graph::followed;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;
using crm_bridge::worker::test::ServiceStage;

namespace {

bool contains(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string user(const std::string &id) {
  return R"({"id":")" + id + R"(","displayName":"N","mail":null,"accountEnabled":true})";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(graph)

BOOST_DATA_TEST_CASE(a_link_leads_to_the_configured_host_or_nowhere,
                     data::make({"https://evil.example/v1.0/users/delta?$skiptoken=x",
                                 "https://graph.microsoft.com.evil.example/v1.0/users",
                                 "https://graph.microsoft.com@evil.example/v1.0/users",
                                 "https://graph.microsoft.com:444/v1.0/users",
                                 "http://graph.microsoft.com/v1.0/users",
                                 "https://graph.microsoft.com/beta/users",
                                 "https://graph.microsoft.com", "//evil.example/v1.0/users",
                                 "/v1.0/users", "", "https://graph.microsoft.com/v1.0/users#x"}),
                     link) {
  BOOST_TEST(followed(link, "https://graph.microsoft.com") == "");
}

BOOST_AUTO_TEST_CASE(a_link_of_the_host_is_followed_as_it_is) {
  BOOST_TEST(followed("https://graph.microsoft.com/v1.0/users/delta?$skiptoken=m~AQ%3D",
                      "https://graph.microsoft.com") == "/v1.0/users/delta?$skiptoken=m~AQ%3D");
}

BOOST_AUTO_TEST_CASE(the_application_asks_for_its_own_token) {
  ServiceStage stage("office365", test::office_catalog(), [](const SeenRequest &) {
    return ScriptedServer::answer(200, R"({"value":[]})");
  });
  const auto checks = stage.run(stage.service().examine(stage.session()));
  BOOST_TEST(checks.at(0).good);
  const auto tokens = stage.calls(true);
  BOOST_REQUIRE(tokens.size() == 1);
  BOOST_TEST(contains(tokens[0],
                      "POST /zylker.example/oauth2/v2.0/token "
                      "grant_type=client_credentials&client_id=c&client_secret=s&"
                      "scope="));
  BOOST_TEST(contains(tokens[0], "%2F.default"));
  for (const auto &seen : stage.server().seen()) {
    if (!seen.target.ends_with("/token")) BOOST_TEST(contains(seen.headers, "Bearer t"));
  }
}

BOOST_AUTO_TEST_CASE(a_delta_is_followed_to_its_end_and_gone_on_with) {
  std::string base;
  ServiceStage stage("office365", test::office_catalog(), [&](const SeenRequest &seen) {
    if (contains(seen.target, "skiptoken=two"))
      return ScriptedServer::answer(200, R"({"value":[)" + user("b") + R"(],"@odata.deltaLink":")" +
                                             base + R"(/v1.0/users/delta?$deltatoken=later"})");
    if (contains(seen.target, "deltatoken=later"))
      return ScriptedServer::answer(200, R"({"value":[{"id":"a","@removed":{"reason":"changed"}},)"
                                         R"({"id":"b","displayName":"New"}],"@odata.deltaLink":")" +
                                             base + R"(/v1.0/users/delta?$deltatoken=last"})");
    return ScriptedServer::answer(200, R"({"value":[)" + user("a") + R"(],"@odata.nextLink":")" +
                                           base + R"(/v1.0/users/delta?$skiptoken=two"})");
  });
  base = stage.url();
  std::vector<Record> records;
  std::vector<Listing> listings;
  Json cursor = stage.read_all("office_user", Json(), records, &listings);
  BOOST_REQUIRE(records.size() == 2);
  BOOST_TEST(records[0].fields["mail"].is_null());
  BOOST_REQUIRE(listings.size() == 1);
  const std::vector<std::string> all{"a", "b"};
  BOOST_TEST(listings[0].external_ids == all, boost::test_tools::per_element());
  BOOST_TEST(contains(stage.calls().at(0), "select=id%2CdisplayName%2Cmail%2CaccountEnabled"));
  records.clear();
  listings.clear();
  stage.read_all("office_user", cursor, records, &listings);
  BOOST_REQUIRE(records.size() == 2);
  BOOST_TEST(records[0].deleted);
  BOOST_TEST(!records[1].fields.contains("mail"));  // what a delta does not name has not changed
  BOOST_TEST(listings.empty());
  BOOST_TEST(stage.calls().back() == "GET /v1.0/users/delta?$deltatoken=later");
}

BOOST_AUTO_TEST_CASE(a_state_that_is_gone_begins_a_whole_round_that_shows_who_is_missing) {
  std::string base;
  ServiceStage stage("office365", test::office_catalog(), [&](const SeenRequest &seen) {
    if (contains(seen.target, "deltatoken=old"))
      return ScriptedServer::answer(410, R"({"error":{"code":"syncStateNotFound","message":"m"}})");
    return ScriptedServer::answer(200, R"({"value":[)" + user("a") + R"(],"@odata.deltaLink":")" +
                                           base + R"(/v1.0/users/delta?$deltatoken=new"})");
  });
  base = stage.url();
  std::vector<Record> records;
  std::vector<Listing> listings;
  const Json cursor = stage.read_all("office_user", {{"link", "/v1.0/users/delta?$deltatoken=old"}},
                                     records, &listings);
  BOOST_TEST(records.size() == 1);
  BOOST_TEST(listings.size() == 1);
  BOOST_TEST(scalar_text(cursor, "link") == "/v1.0/users/delta?$deltatoken=new");
}

BOOST_AUTO_TEST_CASE(a_link_to_a_stranger_stops_the_reading) {
  ServiceStage stage("office365", test::office_catalog(), [](const SeenRequest &) {
    return ScriptedServer::answer(
        200, R"({"value":[],"@odata.nextLink":"https://evil.example/v1.0/users/delta"})");
  });
  BOOST_CHECK_EXCEPTION(
      stage.run(stage.service().read_page(stage.session(), "office_user", Json())), ServiceFailure,
      [](const ServiceFailure &fault) { return fault.verdict().reason == "foreign_link"; });
}

BOOST_AUTO_TEST_CASE(whoever_a_list_did_not_show_is_asked_for_alone) {
  ServiceStage stage("office365", test::office_catalog(), [](const SeenRequest &seen) {
    if (contains(seen.target, "/users/gone"))
      return ScriptedServer::answer(
          404, R"({"error":{"code":"Request_ResourceNotFound","message":"m"}})");
    return ScriptedServer::answer(200, user("there"));
  });
  const Reading reading = stage.run(stage.service().read_records(
      stage.session(), "office_user",
      {{{}, "office_user", "gone", "missing", {}}, {{}, "office_user", "there", "missing", {}}}));
  BOOST_TEST(reading.records.at(0).records.at(0).deleted);
  BOOST_TEST(!reading.records.at(0).records.at(1).deleted);
}

BOOST_AUTO_TEST_SUITE_END()
