// SPDX-License-Identifier: PostgreSQL
// What a worker relies on when it reads Zoho CRM v8, and when the CRM calls back.
#include "contract_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace crm_bridge::sandbox;

namespace {

Json deal(const std::string &name) { return {{"Deal_Name", name}, {"Stage", "Qualification"}}; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(zoho_crm, Contract)

BOOST_AUTO_TEST_CASE(a_list_without_fields_is_refused) {
  const Reply reply = get(crm, "/crm/v8/Deals");
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.body["code"] == "REQUIRED_PARAM_MISSING");
  BOOST_TEST(reply.body["details"]["param_name"] == "fields");
}

BOOST_AUTO_TEST_CASE(nothing_is_204_without_a_body) {
  for (const char *path :
       {"/crm/v8/Deals?fields=Stage", "/crm/v8/Deals/4876876000000999001", "/crm/v8/Deals/deleted",
        "/crm/v8/Deals/search?criteria=(Stage:equals:x)"}) {
    const Reply reply = get(crm, path);
    BOOST_TEST(reply.status == 204);
    BOOST_TEST(reply.body.is_null());
  }
}

BOOST_AUTO_TEST_CASE(unknown_modules_urls_and_ids_have_their_codes) {
  BOOST_TEST(get(crm, "/crm/v8/Nonsense?fields=id").body["code"] == "INVALID_MODULE");
  BOOST_TEST(get(crm, "/crm/v2/Deals").status == 404);
  const Reply malformed = get(crm, "/crm/v8/Deals/abc");
  BOOST_TEST(malformed.status == 400);
  BOOST_TEST(malformed.body["details"]["resource_path_index"] == 1);
}

BOOST_AUTO_TEST_CASE(the_bridge_field_is_in_the_metadata_unless_left_out) {
  const auto has_it = [](Contract &contract) {
    const Reply reply = contract.get(contract.crm, "/crm/v8/settings/fields?module=Deals");
    for (const auto &field : reply.body["fields"]) {
      if (field["api_name"] == "Bridge_Id")
        return field["unique"] == Json{{"case_sensitive", false}};
    }
    return false;
  };
  BOOST_TEST(has_it(*this));
  Options options;
  options.bridge_field = false;
  Contract without{options};
  BOOST_TEST(!has_it(without));
}

BOOST_AUTO_TEST_CASE(if_modified_since_is_inclusive_and_304_when_nothing_changed) {
  const std::string id = insert("Deals", deal("Routers"));
  const std::string since = record("Deals", id)["Modified_Time"];
  const std::string path = "/crm/v8/Deals?fields=Stage&sort_by=Modified_Time&sort_order=asc";
  BOOST_TEST(get(crm, path, {{"If-Modified-Since", since}}).body["data"].size() == 1U);
  const Reply later = get(crm, path, {{"If-Modified-Since", "2099-01-01T00:00:00Z"}});
  BOOST_TEST(later.status == 304);
  BOOST_TEST(later.body.is_null());
}

BOOST_AUTO_TEST_CASE(page_tokens_walk_through_everything_once_and_belong_to_their_parameters) {
  for (int batch = 0; batch < 3; ++batch) {
    Json data = Json::array();
    for (int i = 0; i < 50; ++i) data.push_back(deal("deal " + std::to_string(batch * 50 + i)));
    post(crm, "/crm/v8/Deals", {{"data", data}});
    advance(1);
  }
  for (const std::string order : {"sort_by=Modified_Time&sort_order=asc",
                                  "sort_by=Modified_Time&sort_order=desc", "sort_order=asc"}) {
    const std::string path = "/crm/v8/Deals?fields=Deal_Name&per_page=40&" + order;
    std::set<std::string> seen;
    Reply reply = get(crm, path);
    std::size_t pages = 1;
    while (true) {
      for (const auto &row : reply.body["data"]) BOOST_TEST(seen.insert(row["id"]).second);
      if (reply.body["info"]["more_records"] == false) break;
      reply = get(crm,
                  path + "&page_token=" + reply.body["info"]["next_page_token"].get<std::string>());
      BOOST_TEST(reply.body["info"]["page"] == ++pages);
    }
    BOOST_TEST(seen.size() == 150U);
    BOOST_TEST(pages == 4U);
  }
  const std::string token =
      get(crm, "/crm/v8/Deals?fields=Deal_Name&per_page=40").body["info"]["next_page_token"];
  BOOST_TEST(get(crm, "/crm/v8/Deals?fields=Stage&per_page=40&page_token=" + token).body["code"] ==
             "TOKEN_BOUND_DATA_MISMATCH");
  BOOST_TEST(get(crm, "/crm/v8/Deals?fields=Deal_Name&per_page=40&page=2&page_token=" + token)
                 .body["code"] == "AMBIGUITY_DURING_PROCESSING");
  BOOST_TEST(get(crm, "/crm/v8/Deals?fields=Stage&page=11").body["code"] ==
             "DISCRETE_PAGINATION_LIMIT_EXCEEDED");
}

BOOST_AUTO_TEST_CASE(deleted_records_are_listed_since_a_time) {
  const std::string first = insert("Tasks", {{"Subject", "first"}});
  const std::string second = insert("Tasks", {{"Subject", "second"}});
  const Reply reply = remove(crm, "/crm/v8/Tasks?ids=" + first + ",4876876000000999001");
  BOOST_TEST(reply.status == 207);
  BOOST_TEST(reply.body["data"][1]["message"] == "record not deleted");
  const Json list = get(crm, "/crm/v8/Tasks/deleted").body["data"];
  BOOST_REQUIRE(list.size() == 1U);
  BOOST_TEST(list[0]["id"] == first);
  BOOST_TEST(list[0]["type"] == "recycle");
  advance(60);
  remove(crm, "/crm/v8/Tasks/" + second);
  const Json last = get(crm, "/crm/v8/Tasks/deleted").body["data"][0];
  const Json since =
      get(crm, "/crm/v8/Tasks/deleted", {{"If-Modified-Since", last["deleted_time"]}}).body["data"];
  BOOST_TEST(since.size() == 1U);
  BOOST_TEST(since[0]["id"] == second);
}

BOOST_AUTO_TEST_CASE(coql_finds_what_was_just_written) {
  const std::string account = insert("Accounts", {{"Account_Name", "O'Neil, Ltd"}});
  insert("Deals", {{"Deal_Name", "A"},
                   {"Stage", "Closed Won"},
                   {"Amount", 10},
                   {"Account_Name", {{"id", account}}},
                   {"Bridge_Id", "k1"}});
  insert("Deals",
         {{"Deal_Name", "B"}, {"Stage", "Closed Won"}, {"Amount", 30}, {"Bridge_Id", "k2"}});
  insert("Deals", deal("C"));
  const auto query = [this](const std::string &text) {
    return post(crm, "/crm/v8/coql", {{"select_query", text}});
  };
  const Reply by_key =
      query("select Deal_Name, Account_Name from Deals where Bridge_Id in ('k1', 'k9')");
  BOOST_REQUIRE(by_key.body["data"].size() == 1U);
  BOOST_TEST(by_key.body["data"][0]["Account_Name"] == (Json{{"id", account}}));
  const Json won = query(
                       "select Deal_Name from Deals where Stage = 'Closed Won' and Modified_Time "
                       ">= '2020-01-01T00:00:00Z' order by Amount desc limit 1")
                       .body;
  BOOST_TEST(won["data"][0]["Deal_Name"] == "B");
  BOOST_TEST(won["info"]["more_records"] == true);
  BOOST_TEST(query("select id from Deals where Account_Name.Account_Name = 'O\\'Neil, Ltd'")
                 .body["data"]
                 .size() == 1U);
  BOOST_TEST(query("select id from Deals where Stage = 'none'").status == 204);
  BOOST_TEST(query("select id from Deals").body["code"] == "SYNTAX_ERROR");
  BOOST_TEST(query("select id from Deals where Nonsense = '1'").body["details"]["column_name"] ==
             "Nonsense");
}

BOOST_AUTO_TEST_CASE(search_and_count_understand_criteria) {
  insert("Deals", {{"Deal_Name", "A (1)"}, {"Stage", "Closed Won"}});
  insert("Deals", deal("B"));
  const Reply reply = get(crm,
                          "/crm/v8/Deals/"
                          "search?fields=Deal_Name&criteria=((Stage:equals:Closed%20Won)and(Deal_"
                          "Name:starts_with:A%20%5C(1))");
  BOOST_TEST(reply.body["data"].size() == 1U);
  BOOST_TEST(get(crm, "/crm/v8/Deals/actions/count").body["count"] == 2);
  BOOST_TEST(get(crm, "/crm/v8/Deals/search").body["code"] == "EXPECTED_PARAM_MISSING");
}

BOOST_AUTO_TEST_CASE(people_profiles_and_the_organization_are_there) {
  BOOST_TEST(get(crm, "/crm/v8/users?type=ActiveUsers").body["users"].size() == 3U);
  BOOST_TEST(get(crm, "/crm/v8/users?type=CurrentUser").body["users"][0]["profile"]["name"] ==
             "Administrator");
  BOOST_TEST(get(crm, "/crm/v8/settings/profiles").body["profiles"].size() == 2U);
  BOOST_TEST(get(crm, "/crm/v8/org").body["org"][0]["license_details"]["paid_type"] ==
             "enterprise");
  BOOST_TEST(get(crm, "/crm/v8/settings/modules/Deals").body["modules"][0]["api_supported"] ==
             true);
}

BOOST_AUTO_TEST_CASE(a_person_s_edit_moves_the_time_and_calls_back_with_the_token) {
  Receiver receiver;
  const std::string id = insert("Deals", deal("Routers"));
  const Reply watch = post(crm, "/crm/v8/actions/watch",
                           {{"watch",
                             {{{"channel_id", "1001"},
                               {"events", {"Deals.all"}},
                               {"notify_url", receiver.url()},
                               {"token", "t0ken"},
                               {"return_affected_field_values", true}}}}});
  BOOST_TEST(watch.status == 201);
  const std::string before = record("Deals", id)["Modified_Time"];
  advance(5);
  patch(control, "/control/crm/Deals/" + id + "?person=george.tan@example.com",
        {{"Stage", "Closed Won"}});
  BOOST_TEST(record("Deals", id)["Modified_Time"] != before);
  BOOST_TEST(record("Deals", id)["Modified_By"]["email"] == "george.tan@example.com");
  const Json callback = receiver.next();
  BOOST_TEST(callback["token"] == "t0ken");
  BOOST_TEST(callback["module"] == "Deals");
  BOOST_TEST(callback["operation"] == "update");
  BOOST_TEST(callback["ids"] == Json::array({id}));
  BOOST_TEST(callback["query_params"]["key"] == "k");
  BOOST_TEST(callback["affected_values"][0]["values"]["Stage"] == "Closed Won");
  remove(crm, "/crm/v8/Deals/" + id);
  BOOST_TEST(receiver.next()["operation"] == "delete");
}

BOOST_AUTO_TEST_CASE(channels_lapse_are_renewed_and_dropped) {
  const Json item = {{"channel_id", 1002},
                     {"events", {"Tasks.create"}},
                     {"notify_url", "http://127.0.0.1:1/x"},
                     {"channel_expiry", "2099-01-01T00:00:00+00:00"}};
  BOOST_TEST(post(crm, "/crm/v8/actions/watch", {{"watch", {item}}}).status == 201);
  BOOST_TEST(get(crm, "/crm/v8/actions/watch?channel_id=1002").body["watch"][0]["events"] ==
             Json::array({"Tasks.create"}));
  BOOST_TEST(patch(crm, "/crm/v8/actions/watch",
                   {{"watch", {{{"channel_id", "1002"}, {"events", {"Tasks.all"}}}}}})
                 .status == 200);
  advance(3000);
  sign_in();
  BOOST_TEST(get(crm, "/crm/v8/actions/watch").status == 200);
  advance(601);  // an expiry too far ahead had become one hour
  BOOST_TEST(get(crm, "/crm/v8/actions/watch").status == 204);
  const Reply dropped = remove(crm, "/crm/v8/actions/watch?channel_ids=1002,7");
  BOOST_TEST(dropped.status == 207);
  BOOST_TEST(dropped.body["watch"][1]["code"] == "NOT_SUBSCRIBED");
}

BOOST_AUTO_TEST_CASE(too_many_credits_are_429) {
  Options options;
  options.crm_credits = 3;
  Contract poor{options};
  BOOST_TEST(poor.get(poor.crm, "/crm/v8/org").status == 200);
  const Reply half = poor.get(poor.crm, "/crm/v8/org");
  BOOST_TEST(half.headers.find("X-API-CREDITS-REMAINING")->second == "1");
  poor.get(poor.crm, "/crm/v8/org");
  BOOST_TEST(poor.get(poor.crm, "/crm/v8/org").status == 429);
}

BOOST_AUTO_TEST_SUITE_END()
