// SPDX-License-Identifier: PostgreSQL
// What is particular to notes in Zoho CRM v8, and what a merge of two records leaves behind.
#include "contract_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::sandbox;

namespace {

Json one(Json fields) {
  return {{"data", Json::array({std::move(fields)})}, {"trigger", Json::array()}};
}
Json note_on(const std::string &module, const std::string &id, const std::string &text) {
  return {{"Note_Content", text}, {"Parent_Id", {{"id", id}, {"module", {{"api_name", module}}}}}};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(zoho_crm_notes, Contract)

BOOST_AUTO_TEST_CASE(a_note_names_its_record_with_its_module_and_its_author) {
  const std::string deal = insert("Deals", {{"Deal_Name", "Routers"}, {"Stage", "Qualification"}});
  const std::string id = insert("Notes", note_on("Deals", deal, "Asked for a discount"));
  const Json note = record("Notes", id);
  BOOST_TEST(note["Parent_Id"]["id"] == deal);
  BOOST_TEST(note["Parent_Id"]["name"] == "Routers");
  BOOST_TEST(note["Parent_Id"]["module"]["api_name"] == "Deals");
  BOOST_TEST(note["Created_By"]["email"] == "mira.holt@example.com");
  BOOST_TEST(note["Note_Title"].is_null());
}

BOOST_AUTO_TEST_CASE(a_note_says_something_and_hangs_on_something) {
  const std::string task = insert("Tasks", {{"Subject", "Ship"}});
  Json silent = note_on("Tasks", task, "");
  const Reply empty = post(crm, "/crm/v8/Notes", one(silent));
  BOOST_TEST(empty.status == 400);
  BOOST_TEST(empty.body["data"][0]["code"] == "EXPECTED_FIELD_MISSING");
  const Reply nowhere = post(crm, "/crm/v8/Notes", one({{"Note_Title", "t"}}));
  BOOST_TEST(nowhere.body["data"][0]["details"]["api_name"] == "Parent_Id");
  const Reply stranger = post(crm, "/crm/v8/Notes", one(note_on("Deals", task, "x")));
  BOOST_TEST(stranger.body["data"][0]["message"] == "the related id given seems to be invalid");
}

BOOST_AUTO_TEST_CASE(an_update_changes_the_words_and_never_the_record) {
  const std::string task = insert("Tasks", {{"Subject", "Ship"}});
  const std::string other = insert("Tasks", {{"Subject", "Bill"}});
  const std::string id = insert("Notes", note_on("Tasks", task, "first"));
  Json change = note_on("Tasks", other, "second");
  change["id"] = id;
  BOOST_TEST(put(crm, "/crm/v8/Notes", {{"data", Json::array({change})}}).status == 200);
  BOOST_TEST(record("Notes", id)["Note_Content"] == "second");
  BOOST_TEST(record("Notes", id)["Parent_Id"]["id"] == task);
}

BOOST_AUTO_TEST_CASE(notes_are_not_listed_since_an_instant_nor_when_deleted_and_not_watched) {
  const std::string task = insert("Tasks", {{"Subject", "Ship"}});
  insert("Notes", note_on("Tasks", task, "first"));
  const Reply all = get(crm, "/crm/v8/Notes?fields=Note_Content",
                        {{"If-Modified-Since", "2099-01-01T00:00:00+00:00"}});
  BOOST_TEST(all.status == 200);
  BOOST_TEST(all.body["data"].size() == 1U);
  const Reply deleted = get(crm, "/crm/v8/Notes/deleted");
  BOOST_TEST(deleted.status == 400);
  BOOST_TEST(deleted.body["code"] == "NOT_SUPPORTED");
  const Reply watch = post(crm, "/crm/v8/actions/watch",
                           {{"watch",
                             {{{"channel_id", "7"},
                               {"events", {"Notes.all"}},
                               {"notify_url", "http://127.0.0.1:9/hook"}}}}});
  BOOST_TEST(watch.status == 400);
}

BOOST_AUTO_TEST_CASE(a_deleted_record_takes_its_notes_along) {
  const std::string task = insert("Tasks", {{"Subject", "Ship"}});
  const std::string id = insert("Notes", note_on("Tasks", task, "first"));
  BOOST_TEST(remove(crm, "/crm/v8/Tasks?ids=" + task).status == 200);
  BOOST_TEST(get(crm, "/crm/v8/Notes/" + id).status == 204);
}

BOOST_AUTO_TEST_CASE(more_than_a_hundred_notes_are_invalid_data) {
  const std::string task = insert("Tasks", {{"Subject", "Ship"}});
  Json many = Json::array();
  for (int i = 0; i < 101; ++i) many.push_back(note_on("Tasks", task, "x"));
  const Reply reply = post(crm, "/crm/v8/Notes", {{"data", many}});
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.body["code"] == "INVALID_DATA");
  BOOST_TEST(reply.body["details"]["maximum_length"] == 100);
}

BOOST_AUTO_TEST_CASE(of_two_merged_records_one_is_deleted_and_the_other_has_what_hung_on_it) {
  const std::string master = insert("Accounts", {{"Account_Name", "Zylker"}});
  const std::string loser = insert("Accounts", {{"Account_Name", "Zylker Inc"},
                                                {"Phone", "123"},
                                                {"Website", "old.example"},
                                                {"Bridge_Id", "b-loser"}});
  const std::string deal = insert(
      "Deals", {{"Deal_Name", "x"}, {"Stage", "Qualification"}, {"Account_Name", {{"id", loser}}}});
  const std::string note = insert("Notes", note_on("Accounts", loser, "keep me"));
  BOOST_TEST(post(control, "/control/crm-merge/Accounts",
                  {{"master", master}, {"loser", loser}, {"take", {"Account_Name"}}})
                 .status == 200);
  const Json merged = record("Accounts", master);
  BOOST_TEST(merged["Account_Name"] == "Zylker Inc");
  BOOST_TEST(merged["Phone"] == "123");
  BOOST_TEST(merged["Bridge_Id"] == "b-loser");
  BOOST_TEST(record("Deals", deal)["Account_Name"]["id"] == master);
  BOOST_TEST(record("Notes", note)["Parent_Id"]["id"] == master);
  BOOST_TEST(get(crm, "/crm/v8/Accounts/" + loser).status == 204);
  BOOST_TEST(get(crm, "/crm/v8/Accounts/deleted").body["data"][0]["id"] == loser);
  BOOST_TEST(
      post(control, "/control/crm-merge/Accounts", {{"master", master}, {"loser", loser}}).status ==
      400);
}

BOOST_AUTO_TEST_SUITE_END()
