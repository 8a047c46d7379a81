// SPDX-License-Identifier: PostgreSQL
// Microsoft's tokens for client credentials and the users of Graph v1.0, as a client finds them.
#include "contract_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::sandbox;

namespace {

struct Directory : Contract {
  explicit Directory(Options options = {}) : Contract{options} { enter(); }

  Reply token(const std::string &secret = "graph-secret",
              const std::string &tenant = "zylker.example") {
    return read(graph.Post("/" + tenant + "/oauth2/v2.0/token",
                           httplib::Params{{"grant_type", "client_credentials"},
                                           {"client_id", "1c9d5a40-7d4e-4a51-9f0e-2f4c11c0ffee"},
                                           {"client_secret", secret},
                                           {"scope", "https://graph.microsoft.com/.default"}}));
  }
  void enter() { authorization = "Bearer " + token().body["access_token"].get<std::string>(); }
  // The path and query of a link.
  std::string behind(const Json &link) const {
    return link.get<std::string>().substr(sandbox.graph().size());
  }
  std::string user(const std::string &address) {
    return post(control, "/control/office-users", {{"displayName", address}, {"mail", address}})
        .body["id"];
  }
};

struct SmallPages : Directory {
  SmallPages()
      : Directory{[] {
          Options options;
          options.graph_page = 2;
          return options;
        }()} {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(graph)

BOOST_FIXTURE_TEST_CASE(tokens_are_for_a_tenant_an_application_and_its_secret, Directory) {
  const Reply good = token();
  BOOST_TEST(good.body["token_type"] == "Bearer");
  BOOST_TEST(!good.body.contains("refresh_token"));
  const Reply wrong = token("other");
  BOOST_TEST(wrong.status == 401);
  BOOST_TEST(wrong.body["error"] == "invalid_client");
  BOOST_TEST(wrong.body["error_codes"][0] == 7000215);
  BOOST_TEST(token("graph-secret", "nobody.example").status == 400);
  authorization = "Bearer wrong";
  const Reply refused = get(graph, "/v1.0/users");
  BOOST_TEST(refused.status == 401);
  BOOST_TEST(refused.body["error"]["code"] == "InvalidAuthenticationToken");
}

BOOST_FIXTURE_TEST_CASE(users_are_listed_by_pages_that_link_to_each_other, Directory) {
  const Reply first = get(graph, "/v1.0/users?$select=id,mail,accountEnabled&$top=2");
  BOOST_TEST(first.status == 200);
  BOOST_TEST(first.body["value"].size() == 2);
  BOOST_TEST(first.body["value"][0].size() == 3);
  const Reply second = get(graph, behind(first.body["@odata.nextLink"]));
  BOOST_TEST(second.body["value"].size() == 1);
  BOOST_TEST(!second.body.contains("@odata.nextLink"));
  BOOST_TEST(second.body["value"][0].size() == 3);
  BOOST_TEST(get(graph, "/v1.0/users?$skip=1").status == 400);
  BOOST_TEST(get(graph, "/v1.0/users?$top=1000").status == 400);
  BOOST_TEST(get(graph, "/v1.0/users?$select=skills").status == 501);
  BOOST_TEST(!get(graph, "/v1.0/users").body["value"][0].contains("accountEnabled"));
  BOOST_TEST(get(graph, "/v1.0/users/mira.holt@example.com").body["surname"] == "Holt");
  BOOST_TEST(get(graph, "/v1.0/users/nobody").body["error"]["code"] == "Request_ResourceNotFound");
}

BOOST_FIXTURE_TEST_CASE(a_delta_begins_with_all_and_goes_on_with_what_changed, SmallPages) {
  const Reply first = get(graph, "/v1.0/users/delta?$select=id,displayName");
  BOOST_TEST(first.body["value"].size() == 2);
  const Reply second = get(graph, behind(first.body["@odata.nextLink"]));
  BOOST_TEST(second.body["value"].size() == 1);
  const std::string link = behind(second.body["@odata.deltaLink"]);
  const Reply quiet = get(graph, link);
  BOOST_TEST(quiet.body["value"].empty());
  const std::string id = user("new@zylker.example");
  const Reply grown = get(graph, behind(quiet.body["@odata.deltaLink"]));
  BOOST_TEST(grown.body["value"][0]["id"] == id);
  patch(control, "/control/office-users/" + id, {{"displayName", "Newer"}});
  remove(control, "/control/office-users/mira.holt@example.com");
  const Reply changed = get(graph, behind(grown.body["@odata.deltaLink"]));
  BOOST_TEST(changed.body["value"].size() == 2);
  BOOST_TEST(changed.body["value"][0]["@removed"]["reason"] == "changed");
  BOOST_TEST(changed.body["value"][1]["displayName"] == "Newer");
  BOOST_TEST(get(graph, "/v1.0/users/delta?$top=5").status == 400);
}

BOOST_FIXTURE_TEST_CASE(a_delta_link_dies_after_a_week, Directory) {
  const Reply first = get(graph, "/v1.0/users/delta");
  advance(8 * 86400);
  enter();
  const Reply late = get(graph, behind(first.body["@odata.deltaLink"]));
  BOOST_TEST(late.status == 410);
  BOOST_TEST(late.body["error"]["code"] == "syncStateNotFound");
  BOOST_TEST(late.headers.count("Location") == 1);
}

BOOST_AUTO_TEST_CASE(above_the_limit_the_answer_says_how_long_to_wait) {
  Options options;
  options.graph_units = 2;
  Directory directory{options};
  BOOST_TEST(directory.get(directory.graph, "/v1.0/users?$select=id").status == 200);
  BOOST_TEST(directory.get(directory.graph, "/v1.0/users?$select=id").status == 200);
  const auto refused = directory.get(directory.graph, "/v1.0/users?$select=id");
  BOOST_TEST(refused.status == 429);
  BOOST_TEST(refused.headers.count("Retry-After") == 1);
  directory.advance(11);
  BOOST_TEST(directory.get(directory.graph, "/v1.0/users?$select=id").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
