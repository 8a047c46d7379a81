// SPDX-License-Identifier: PostgreSQL
// Bigin v2 as a client of it finds it: what it shares with the CRM is held there, here what
// differs.
#include "contract_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::sandbox;

namespace {

struct Bigin : Contract {
  Reply write(const std::string &module, const Json &records) {
    return post(bigin, "/bigin/v2/" + module, {{"data", records}, {"trigger", Json::array()}});
  }
  std::string made(const std::string &module, const Json &fields) {
    return write(module, Json::array({fields})).body["data"][0]["details"]["id"];
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bigin, Bigin)

BOOST_AUTO_TEST_CASE(companies_and_contacts_are_made_read_changed_and_deleted) {
  const Reply added = write("Accounts", Json::array({{{"Account_Name", "Acme"}}}));
  BOOST_TEST(added.status == 201);
  const Json first = added.body["data"][0];
  BOOST_TEST(first["message"] == "record added");
  BOOST_TEST(first["details"].contains("Modified_Time"));
  const std::string company = first["details"]["id"];
  const std::string contact = made(
      "Contacts",
      {{"Last_Name", "Lima"}, {"Email", "ana@acme.test"}, {"Account_Name", {{"id", company}}}});
  const Reply one = get(bigin, "/bigin/v2/Contacts/" + contact);
  BOOST_TEST(one.status == 200);
  BOOST_TEST(one.body["data"][0]["Account_Name"]["name"] == "Acme");
  BOOST_TEST(one.body["data"][0]["Mobile"].is_null());
  BOOST_TEST(
      put(bigin, "/bigin/v2/Accounts", {{"data", Json::array({{{"id", company}, {"Phone", "1"}}})}})
          .status == 200);
  BOOST_TEST(remove(bigin, "/bigin/v2/Contacts?ids=" + contact + "&wf_trigger=false").status ==
             200);
  BOOST_TEST(remove(bigin, "/bigin/v2/Contacts?ids=" + contact).status == 400);
  BOOST_TEST(get(bigin, "/bigin/v2/Contacts/" + contact).status == 204);
  const Reply gone = get(bigin, "/bigin/v2/Contacts/deleted?type=all");
  BOOST_TEST(gone.body["data"][0]["id"] == contact);
  BOOST_TEST(gone.body["data"][0]["type"] == "recycle");
}

BOOST_AUTO_TEST_CASE(a_batch_of_which_some_fail_is_202_and_says_which) {
  const Reply mixed =
      write("Contacts", Json::array({{{"First_Name", "Ana"}}, {{"Last_Name", "Lima"}}}));
  BOOST_TEST(mixed.status == 202);
  BOOST_TEST(mixed.body["data"][0]["code"] == "MANDATORY_NOT_FOUND");
  BOOST_TEST(mixed.body["data"][1]["code"] == "SUCCESS");
  Json many = Json::array();
  for (int i = 0; i < 101; ++i) many.push_back({{"Last_Name", "x"}});
  BOOST_TEST(write("Contacts", many).status == 400);
}

BOOST_AUTO_TEST_CASE(an_address_is_taken_once_and_the_answer_names_who_has_it) {
  const std::string first = made("Contacts", {{"Last_Name", "Lima"}, {"Email", "ana@acme.test"}});
  const Reply again =
      write("Contacts", Json::array({{{"Last_Name", "Other"}, {"Email", "ANA@acme.test"}}}));
  BOOST_TEST(again.status == 400);
  const Json error = again.body["data"][0];
  BOOST_TEST(error["code"] == "DUPLICATE_DATA");
  BOOST_TEST(error["details"]["api_name"] == "Email");
  BOOST_TEST(error["details"]["id"] == first);
}

BOOST_AUTO_TEST_CASE(lists_demand_fields_page_by_token_and_do_not_mind_since) {
  BOOST_TEST(get(bigin, "/bigin/v2/Accounts?fields=Account_Name").status == 204);
  for (int batch = 0; batch < 3; ++batch) {
    Json companies = Json::array();
    for (int i = 0; i < 100; ++i)
      companies.push_back({{"Account_Name", "C" + std::to_string(batch * 100 + i)}});
    write("Accounts", companies);
  }
  const Reply bare = get(bigin, "/bigin/v2/Accounts");
  BOOST_TEST(bare.status == 400);
  BOOST_TEST(bare.body["code"] == "REQUIRED_PARAM_MISSING");
  const std::string path =
      "/bigin/v2/Accounts?fields=Account_Name&sort_by=Modified_Time&sort_order=desc";
  const Reply first = get(bigin, path, {{"If-Modified-Since", "2099-01-01T00:00:00+00:00"}});
  BOOST_TEST(first.status == 200);
  BOOST_TEST(first.body["data"].size() == 200);
  BOOST_TEST(first.body["info"]["more_records"] == true);
  const std::string token = first.body["info"]["next_page_token"];
  const Reply second = get(
      bigin,
      "/bigin/v2/Accounts?fields=Phone&sort_by=Modified_Time&sort_order=desc&page_token=" + token);
  BOOST_TEST(second.status == 400);  // the token belongs to the call that it came with
  const Reply plain = get(bigin, path);
  const Reply rest =
      get(bigin, path + "&page_token=" + plain.body["info"]["next_page_token"].get<std::string>());
  BOOST_TEST(rest.body["data"].size() == 100);
  BOOST_TEST(rest.body["info"]["more_records"] == false);
  BOOST_TEST(get(bigin, "/bigin/v2/Accounts?fields=Account_Name&page=11").status == 400);
  BOOST_TEST(get(bigin, "/bigin/v2/Accounts/actions/count").body["count"] == 300);
}

BOOST_AUTO_TEST_CASE(what_the_crm_has_and_bigin_has_not) {
  BOOST_TEST(post(bigin, "/bigin/v2/coql", {{"select_query", "select id from Contacts"}}).status ==
             404);
  BOOST_TEST(get(bigin, "/bigin/v2/Deals?fields=Deal_Name").body["code"] == "INVALID_MODULE");
  BOOST_TEST(get(bigin, "/crm/v8/Accounts?fields=Account_Name").status == 404);
  BOOST_TEST(get(crm, "/bigin/v2/Accounts?fields=Account_Name").status == 404);
  const std::string company = made("Accounts", {{"Account_Name", "Acme"}});
  BOOST_TEST(put(bigin, "/bigin/v2/Accounts",
                 {{"data", Json::array({{{"id", company}, {"Phone", "1"}}})}},
                 {{"If-Unmodified-Since", "2001-01-01T00:00:00+00:00"}})
                 .status == 200);
}

BOOST_AUTO_TEST_CASE(fields_are_described_in_fewer_words) {
  const Reply reply = get(bigin, "/bigin/v2/settings/fields?module=Contacts");
  BOOST_TEST(reply.status == 200);
  for (const auto &field : reply.body["fields"]) {
    BOOST_TEST(!field.contains("operation_type"));
    if (field["api_name"] == "Email") BOOST_TEST(field["unique"]["casesensitive"] == false);
    if (field["api_name"] == "Bridge_Id") BOOST_TEST(field["custom_field"] == true);
  }
  const Reply users = get(bigin, "/bigin/v2/users?type=AllUsers");
  BOOST_TEST(users.body["users"].size() == 3);
  BOOST_TEST(users.body["users"][0]["role"]["name"] == "CEO");
}

BOOST_AUTO_TEST_CASE(a_channel_lasts_a_day_at_most_and_tells_without_values) {
  Receiver receiver;
  const auto watch = [&](const std::string &expiry) {
    return post(bigin, "/bigin/v2/actions/watch",
                {{"watch", Json::array({{{"channel_id", "1000000068001"},
                                         {"events", Json::array({"Accounts.all"})},
                                         {"notify_url", receiver.url()},
                                         {"token", "secret"},
                                         {"channel_expiry", expiry}}})}});
  };
  const Reply far = watch("2099-01-01T00:00:00+00:00");
  BOOST_TEST(far.status == 201);
  const Json event = far.body["watch"][0]["details"]["events"][0];
  BOOST_TEST(event["resource_uri"] == "https://www.zohoapis.com/bigin/v1/Accounts");
  const std::string company = made("Accounts", {{"Account_Name", "Acme"}});
  const Json body = receiver.next();
  BOOST_TEST(body["operation"] == "insert");
  BOOST_TEST(body["ids"][0] == company);
  BOOST_TEST(body["token"] == "secret");
  BOOST_TEST(!body.contains("affected_values"));
  advance(2 * 3600 + 1);  // too far ahead became two hours
  sign_in();
  BOOST_TEST(get(bigin, "/bigin/v2/actions/watch").status == 204);
  BOOST_TEST(remove(bigin, "/bigin/v2/actions/watch?channel_ids=7").status == 202);
}

BOOST_AUTO_TEST_CASE(a_person_s_edit_and_the_programs_share_the_records) {
  const Reply made_by_hand = post(control, "/control/bigin/Accounts", {{"Account_Name", "Acme"}});
  const std::string id = made_by_hand.body["details"]["id"];
  BOOST_TEST(get(bigin, "/bigin/v2/Accounts/" + id).body["data"][0]["Created_By"]["name"] ==
             "Alicia Reyes");
  BOOST_TEST(get(crm, "/crm/v8/Accounts/" + id).status == 204);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(bigin_limits)

BOOST_AUTO_TEST_CASE(credits_of_a_day) {
  Options options;
  options.bigin_credits = 4;
  Contract contract{options};
  const auto list = [&] { return contract.get(contract.bigin, "/bigin/v2/users").status; };
  BOOST_TEST(list() == 200);
  Json companies = Json::array();
  for (int i = 0; i < 11; ++i) companies.push_back({{"Account_Name", "C"}});
  BOOST_TEST(contract.post(contract.bigin, "/bigin/v2/Accounts", {{"data", companies}}).status ==
             201);
  BOOST_TEST(list() == 200);
  BOOST_TEST(list() == 429);  // 1 + 2 for eleven records + 1
}

BOOST_AUTO_TEST_SUITE_END()
