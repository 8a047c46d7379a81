// SPDX-License-Identifier: PostgreSQL
// What a worker relies on when it writes to Zoho CRM v8.
#include "contract_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::sandbox;

namespace {

Json one(Json fields) {
  return {{"data", Json::array({std::move(fields)})}, {"trigger", Json::array()}};
}
Json deal(const std::string &name) { return {{"Deal_Name", name}, {"Stage", "Qualification"}}; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(zoho_crm_writes, Contract)

BOOST_AUTO_TEST_CASE(ids_are_strings_of_19_digits_and_the_owner_is_the_token_s_user) {
  const std::string id = insert("Deals", deal("Routers"));
  BOOST_TEST(id.size() == 19U);
  const Json stored = record("Deals", id);
  BOOST_TEST(stored["id"] == id);
  BOOST_TEST(stored["Owner"]["email"] == "mira.holt@example.com");
  BOOST_TEST(stored["Account_Name"].is_null());
  const std::string time = stored["Modified_Time"];
  BOOST_TEST(time.size() == 25U);
  BOOST_TEST(time.substr(19) == "+05:30");
}

BOOST_AUTO_TEST_CASE(a_mixed_insert_is_207_in_the_order_of_the_request) {
  const Reply reply =
      post(crm, "/crm/v8/Deals",
           {{"data", {deal("first"), {{"Stage", "Qualification"}}, deal("third")}}});
  BOOST_TEST(reply.status == 207);
  const Json &data = reply.body["data"];
  BOOST_REQUIRE(data.size() == 3U);
  BOOST_TEST(data[0]["code"] == "SUCCESS");
  BOOST_TEST(data[1]["code"] == "MANDATORY_NOT_FOUND");
  BOOST_TEST(data[1]["details"]["json_path"] == "$.data[1].Deal_Name");
  BOOST_TEST(data[2]["code"] == "SUCCESS");
  BOOST_TEST(record("Deals", data[2]["details"]["id"])["Deal_Name"] == "third");
}

BOOST_AUTO_TEST_CASE(when_no_record_is_taken_the_answer_is_400_with_each_error) {
  const Reply reply = post(
      crm, "/crm/v8/Deals",
      {{"data", {{{"Stage", 7}}, {{"Deal_Name", "x"}, {"Stage", "New"}, {"Amount", "much"}}}}});
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.body["data"][0]["code"] == "MULTIPLE_OR_MULTI_ERRORS");
  BOOST_TEST(reply.body["data"][1]["code"] == "INVALID_DATA");
  BOOST_TEST(reply.body["data"][1]["details"]["expected_data_type"] == "double");
}

BOOST_AUTO_TEST_CASE(a_hundred_records_are_taken_and_no_more) {
  Json hundred = Json::array();
  for (int i = 0; i < 100; ++i) hundred.push_back(deal("deal " + std::to_string(i)));
  BOOST_TEST(post(crm, "/crm/v8/Deals", {{"data", hundred}}).status == 201);
  hundred.push_back(deal("one more"));
  const Reply reply = post(crm, "/crm/v8/Deals", {{"data", hundred}});
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.body["code"] == "LIMIT_EXCEEDED");
}

BOOST_AUTO_TEST_CASE(a_taken_bridge_id_answers_with_the_record_that_has_it) {
  const std::string id = insert("Tasks", {{"Subject", "Call"}, {"Bridge_Id", "0190-AB"}});
  const Reply reply =
      post(crm, "/crm/v8/Tasks", one({{"Subject", "Call"}, {"Bridge_Id", "0190-ab"}}));
  BOOST_TEST(reply.status == 400);
  const Json &error = reply.body["data"][0];
  BOOST_TEST(error["code"] == "DUPLICATE_DATA");
  BOOST_TEST(error["details"]["api_name"] == "Bridge_Id");
  BOOST_TEST(error["details"]["id"] == id);
}

BOOST_AUTO_TEST_CASE(an_update_changes_only_what_was_sent) {
  const std::string id = insert("Accounts", {{"Account_Name", "Zylker"}, {"Phone", "123"}});
  const Reply reply =
      put(crm, "/crm/v8/Accounts",
          {{"data", {{{"id", id}, {"Website", "zylker.example"}}, {{"Website", "x"}}}}});
  BOOST_TEST(reply.status == 207);
  BOOST_TEST(reply.body["data"][1]["details"]["api_name"] == "id");
  BOOST_TEST(record("Accounts", id)["Phone"] == "123");
  BOOST_TEST(put(crm, "/crm/v8/Accounts/" + id, one({{"Phone", nullptr}})).status == 200);
  BOOST_TEST(record("Accounts", id)["Phone"].is_null());
  BOOST_TEST(record("Accounts", id)["Website"] == "zylker.example");
}

BOOST_AUTO_TEST_CASE(a_guarded_update_of_a_changed_record_is_412) {
  const std::string id = insert("Deals", deal("Routers"));
  const std::string read_at = record("Deals", id)["Modified_Time"];
  BOOST_TEST(
      put(crm, "/crm/v8/Deals/" + id, one({{"Amount", 5}}), {{"If-Unmodified-Since", read_at}})
          .status == 200);
  advance(2);
  patch(control, "/control/crm/Deals/" + id, {{"Amount", 6}});
  const Reply reply =
      put(crm, "/crm/v8/Deals/" + id, one({{"Amount", 7}}), {{"If-Unmodified-Since", read_at}});
  BOOST_TEST(reply.status == 412);
  BOOST_TEST(reply.body["data"][0]["code"] == "ALREADY_MODIFIED");
  BOOST_TEST(reply.body["data"][0]["details"]["Modified_Time"] ==
             record("Deals", id)["Modified_Time"]);
  BOOST_TEST(record("Deals", id)["Amount"] == 6);
}

BOOST_AUTO_TEST_CASE(an_upsert_matches_by_unique_field_and_says_what_it_did) {
  const Json body = {{"data", {{{"Account_Name", "Zylker"}, {"Bridge_Id", "b1"}}}},
                     {"duplicate_check_fields", {"Bridge_Id"}}};
  const Reply made = post(crm, "/crm/v8/Accounts/upsert", body);
  BOOST_TEST(made.body["data"][0]["action"] == "insert");
  const Reply again = post(crm, "/crm/v8/Accounts/upsert", body);
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.body["data"][0]["action"] == "update");
  BOOST_TEST(again.body["data"][0]["duplicate_field"] == "Bridge_Id");
  BOOST_TEST(again.body["data"][0]["details"]["id"] == made.body["data"][0]["details"]["id"]);
  BOOST_TEST(post(crm, "/crm/v8/Tasks/upsert", body).body["code"] == "NOT_SUPPORTED");
}

BOOST_AUTO_TEST_CASE(a_completed_task_has_a_closed_time_and_a_reopened_one_has_none) {
  const std::string id = insert("Tasks", {{"Subject", "Ship"}});
  BOOST_TEST(record("Tasks", id)["Status"] == "Not Started");
  put(crm, "/crm/v8/Tasks/" + id, one({{"Status", "Completed"}}));
  BOOST_TEST(record("Tasks", id)["Closed_Time"] == record("Tasks", id)["Modified_Time"]);
  put(crm, "/crm/v8/Tasks/" + id, one({{"Status", "In Progress"}}));
  BOOST_TEST(record("Tasks", id)["Closed_Time"].is_null());
}

BOOST_AUTO_TEST_CASE(a_task_is_tied_with_its_module_named_and_listed_under_its_deal) {
  const std::string parent = insert("Deals", deal("Routers"));
  const Reply refused =
      post(crm, "/crm/v8/Tasks", one({{"Subject", "Ship"}, {"What_Id", {{"id", parent}}}}));
  BOOST_TEST(refused.body["data"][0]["code"] == "DEPENDENT_FIELD_MISSING");
  const std::string id = insert(
      "Tasks", {{"Subject", "Ship"}, {"What_Id", {{"id", parent}}}, {"$se_module", "Deals"}});
  const Json task = record("Tasks", id);
  BOOST_TEST(task["What_Id"] == (Json{{"id", parent}, {"name", "Routers"}}));
  BOOST_TEST(task["$se_module"] == "Deals");
  const Json listed = get(crm, "/crm/v8/Deals/" + parent + "/Tasks?fields=Subject").body["data"];
  BOOST_REQUIRE(listed.size() == 1U);
  BOOST_TEST(listed[0]["id"] == id);
  const Reply stranger =
      post(crm, "/crm/v8/Tasks",
           one({{"Subject", "x"}, {"What_Id", {{"id", parent}}}, {"$se_module", "Accounts"}}));
  BOOST_TEST(stranger.body["data"][0]["message"] == "the related id given seems to be invalid");
}

BOOST_AUTO_TEST_CASE(an_unknown_choice_is_taken_and_the_revenue_is_computed) {
  const std::string id =
      insert("Deals",
             {{"Deal_Name", "x"}, {"Stage", "Bespoke"}, {"Amount", 850000.0}, {"Probability", 20}});
  const Json stored = record("Deals", id);
  BOOST_TEST(stored["Stage"] == "Bespoke");
  BOOST_TEST(stored["Amount"].dump() == "850000");
  BOOST_TEST(stored["Expected_Revenue"] == 170000);
}

BOOST_AUTO_TEST_CASE(workflows_fire_unless_the_trigger_list_is_empty) {
  insert("Deals", deal("silent"));
  BOOST_TEST(counter("workflows_fired") == 0);
  post(crm, "/crm/v8/Deals", {{"data", {deal("loud"), deal("too")}}});
  BOOST_TEST(counter("workflows_fired") == 2);
}

BOOST_AUTO_TEST_CASE(notes_hang_on_their_record) {
  const std::string task = insert("Tasks", {{"Subject", "Ship"}});
  const Reply made = post(crm, "/crm/v8/Tasks/" + task + "/Notes",
                          one({{"Note_Content", "Asked for a discount"}}));
  BOOST_TEST(made.status == 201);
  BOOST_TEST(post(crm, "/crm/v8/Notes", one({{"Note_Title", "t"}})).status == 400);
  const Json notes =
      get(crm, "/crm/v8/Tasks/" + task + "/Notes?fields=Note_Content,Parent_Id").body["data"];
  BOOST_REQUIRE(notes.size() == 1U);
  BOOST_TEST(notes[0]["Parent_Id"]["module"]["api_name"] == "Tasks");
}

BOOST_AUTO_TEST_SUITE_END()
