// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_crm/translation.hpp"

#include <boost/test/unit_test.hpp>

#include "catalogs.hpp"
#include "services/field_value.hpp"

using namespace crm_bridge::worker;
using namespace crm_bridge::worker::zoho_crm;

namespace {

Change change(const std::string &module, Operation operation, const std::string &fields) {
  Change one;
  one.module = module;
  one.record_id = "018f0000-0000-7000-8000-000000000001";
  one.operation = operation;
  if (operation != Operation::create) one.external_id = "4876876000000111001";
  one.fields = parse_json(fields);
  return one;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crm_translation)

BOOST_AUTO_TEST_CASE(a_create_carries_our_id_and_leaves_empty_fields_out) {
  const Catalog catalog = test::crm_catalog();
  const Change create =
      change("crm_deal", Operation::create,
             R"({"deal_name":"Archer","amount":1234567890123456.123456789,"closing_date":null,
                                   "account_id":"487","owner_id":"99","Paid":false})");
  BOOST_TEST(
      to_text(zoho_crm::to_service(catalog, create, "Bridge_Id")) ==
      R"({"Account_Name":{"id":"487"},"Amount":1234567890123456.123456789,)"
      R"("Bridge_Id":"018f0000-0000-7000-8000-000000000001","Deal_Name":"Archer","Owner":{"id":"99"},"Paid":false})");
}

BOOST_AUTO_TEST_CASE(an_update_says_what_became_empty) {
  const Change update =
      change("crm_deal", Operation::update, R"({"closing_date":null,"account_id":null})");
  BOOST_TEST(to_text(zoho_crm::to_service(test::crm_catalog(), update, "Bridge_Id")) ==
             R"({"Account_Name":null,"Closing_Date":null,"id":"4876876000000111001"})");
}

BOOST_AUTO_TEST_CASE(what_a_task_is_about_is_one_lookup_there_and_three_references_here) {
  const Catalog catalog = test::crm_catalog();
  const auto sent = [&](const std::string &fields) {
    Json json = zoho_crm::to_service(catalog, change("crm_task", Operation::update, fields), "");
    json.erase("id");
    return to_text(json);
  };
  BOOST_TEST(sent(R"({"deal_id":"7","account_id":null})") ==
             R"({"$se_module":"Deals","What_Id":{"id":"7"}})");
  BOOST_TEST(sent(R"({"deal_id":null})") == R"({"What_Id":null})");
  BOOST_TEST(sent(R"({"subject":"x"})") == R"({"Subject":"x"})");

  const auto read = [&](const std::string &record) {
    return to_text(zoho_crm::from_service(catalog, "crm_task", parse_json(record), "").fields);
  };
  BOOST_TEST(read(R"({"id":"1","What_Id":{"id":"7","name":"x"},"$se_module":"Deals"})") ==
             R"({"account_id":null,"deal_id":"7","lead_id":null})");
  BOOST_TEST(read(R"({"id":"1","What_Id":null,"$se_module":null})") ==
             R"({"account_id":null,"deal_id":null,"lead_id":null})");
  // About something that has no mirror.
  BOOST_TEST(read(R"({"id":"1","What_Id":{"id":"7"},"$se_module":"Products"})") ==
             R"({"account_id":null,"deal_id":null,"lead_id":null})");
  // Not told which module: not read.
  BOOST_TEST(read(R"({"id":"1","What_Id":{"id":"7"}})") == "{}");
}

BOOST_AUTO_TEST_CASE(a_record_is_read_with_its_version_and_our_id) {
  const Record record = zoho_crm::from_service(
      test::crm_catalog(), "crm_deal",
      parse_json(R"({"id":"5","Deal_Name":"A","Amount":850000,"Closing_Date":null,"Paid":true,
                     "Owner":{"id":"99","name":"M","email":"m@x.test"},"Modified_Time":"2026-03-02T09:15:00+05:30",
                     "Modified_By":{"id":"98","name":"N"},"Bridge_Id":"018f0000-0000-7000-8000-000000000001"})"),
      "Bridge_Id");
  BOOST_TEST(record.external_id == "5");
  BOOST_TEST(record.version == "2026-03-02T03:45:00+00:00");
  BOOST_TEST(record.modified_by == "98");
  BOOST_TEST(record.record_id == "018f0000-0000-7000-8000-000000000001");
  // account_id was not in the answer, so it is not in the fields.
  BOOST_TEST(
      to_text(record.fields) ==
      R"({"Paid":true,"amount":850000,"closing_date":null,"deal_name":"A","owner_id":"99"})");
}

BOOST_AUTO_TEST_CASE(a_user_is_read_with_names_for_objects) {
  const Record user = zoho_crm::from_service(
      test::crm_catalog(), "crm_user",
      parse_json(
          R"({"id":"1","full_name":"Mira Holt","confirm":true,"profile":{"name":"Administrator","id":"26011"},
                     "role":{"name":"CEO","id":"26005"}})"),
      "");
  BOOST_TEST(to_text(user.fields) ==
             R"({"full_name":"Mira Holt","is_confirmed":true,"profile_id":"26011","role":"CEO"})");
}

BOOST_AUTO_TEST_CASE(at_most_fifty_fields_a_request) {
  Catalog catalog = test::crm_catalog();
  for (int i = 0; i < 120; ++i) {
    const std::string name = "F" + std::to_string(i);
    catalog.fields["crm_deal"].push_back({"crm_deal", name, name, "text", "", true, true});
  }
  const auto lists = field_lists(catalog, "crm_deal", "Bridge_Id");
  BOOST_TEST(lists.size() == 3);
  BOOST_TEST(lists[0].starts_with("Created_Time,Modified_Time,Modified_By,Bridge_Id,"));
  for (const auto &list : lists) BOOST_TEST(std::count(list.begin(), list.end(), ',') < 50);
  const auto task = field_lists(catalog, "crm_task", "");
  BOOST_TEST(
      task.front() ==
      "Created_Time,Modified_Time,Modified_By,Subject,Due_Date,What_Id,$se_module,Closed_Time");
}

BOOST_AUTO_TEST_CASE(instants_are_written_as_each_service_wants_them) {
  BOOST_TEST(whole_seconds("2026-03-01 09:15:00.999+00") == "2026-03-01T09:15:00+00:00");
  BOOST_TEST(whole_seconds("2026-03-01T09:15:00+05:30", 1) == "2026-03-01T03:45:01+00:00");
  BOOST_TEST(whole_seconds("1969-12-31T23:59:59.5Z") == "1969-12-31T23:59:59+00:00");
  BOOST_TEST(with_milliseconds("2026-03-01T09:15:00.0456+00:00") == "2026-03-01T09:15:00.045Z");
  BOOST_TEST(with_milliseconds("1969-12-31T23:59:59.5Z") == "1969-12-31T23:59:59.500Z");
  BOOST_TEST(whole_seconds("yesterday") == "");
}

BOOST_AUTO_TEST_SUITE_END()
