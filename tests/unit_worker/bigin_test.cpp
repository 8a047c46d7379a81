// SPDX-License-Identifier: PostgreSQL
// Bigin's connector: where it differs from the CRM's, whose code it is otherwise.
#include <boost/test/unit_test.hpp>

#include "catalogs.hpp"
#include "service_stage.hpp"
#include "services/kinds.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;
using crm_bridge::worker::test::ServiceStage;

namespace {

ServiceStage stage_of(ScriptedServer::Script script) {
  return ServiceStage("bigin", test::bigin_catalog(), std::move(script));
}

bool contains(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Change company(Operation operation, const std::string &id = {}) {
  Change change;
  change.module = "bigin_company";
  change.record_id = "0195";
  change.operation = operation;
  change.external_id = id;
  change.version = operation == Operation::create ? "" : "2026-03-02T10:00:00+00:00";
  change.fields = {{"account_name", "Acme"}};
  return change;
}

std::string listed(const std::string &id, const std::string &modified) {
  return R"({"id":")" + id + R"(","Account_Name":"A","Modified_Time":")" + modified + "\"}";
}
std::string list(const std::string &records, bool more = false) {
  return R"({"data":[)" + records + R"(],"info":{"more_records":)" + (more ? "true" : "false") +
         R"(,"next_page_token":)" + (more ? "\"next\"" : "null") + "}}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bigin)

BOOST_AUTO_TEST_CASE(b3_a_create_in_doubt_is_sent_again_and_finds_itself_by_our_own_id) {
  ServiceStage stage = stage_of([](const SeenRequest &seen) {
    if (seen.method == "POST")
      return ScriptedServer::answer(
          400, R"({"data":[{"code":"DUPLICATE_DATA","status":"error","message":"duplicate data",)"
               R"("details":{"api_name":"Bridge_Id","id":"77"}}]})");
    return ScriptedServer::answer(
        200, R"({"data":[{"code":"SUCCESS","status":"success","message":"record updated",)"
             R"("details":{"id":"77","Modified_Time":"2026-03-02T10:00:00+03:00"}}]})");
  });
  Change change = company(Operation::create);
  change.in_doubt = true;
  const Delivered delivered = stage.run(stage.service().deliver(stage.session(), {change}));
  BOOST_REQUIRE(delivered.settled.size() == 1);
  BOOST_TEST(delivered.settled[0].external_id == "77");
  BOOST_TEST(delivered.settled[0].created);
  const auto calls = stage.calls();
  BOOST_REQUIRE(calls.size() == 2);
  BOOST_TEST(contains(calls[0], "POST /bigin/v2/Accounts {"));
  BOOST_TEST(contains(calls[0], R"("Bridge_Id":"0195")"));
  BOOST_TEST(contains(calls[0], R"("trigger":[])"));
  BOOST_TEST(contains(calls[1], "PUT /bigin/v2/Accounts"));
}

BOOST_AUTO_TEST_CASE(a_duplicate_of_another_field_is_left_to_a_person) {
  ServiceStage stage = stage_of([](const SeenRequest &) {
    return ScriptedServer::answer(
        400, R"({"data":[{"code":"DUPLICATE_DATA","status":"error","message":"duplicate data",)"
             R"("details":{"api_name":"Email","id":"5"}}]})");
  });
  const Delivered delivered =
      stage.run(stage.service().deliver(stage.session(), {company(Operation::create)}));
  BOOST_CHECK(delivered.settled.at(0).verdict.outcome == Outcome::park);
  BOOST_TEST(stage.calls().size() == 1);
}

BOOST_AUTO_TEST_CASE(an_update_goes_without_a_guard_and_202_is_read_entry_by_entry) {
  ServiceStage stage = stage_of([](const SeenRequest &) {
    return ScriptedServer::answer(
        202, R"({"data":[{"code":"INVALID_DATA","status":"error","message":"invalid data",)"
             R"("details":{"api_name":"Phone"}},{"code":"SUCCESS","status":"success",)"
             R"("details":{"id":"9","Modified_Time":"2026-03-02T10:00:00+03:00"}}]})");
  });
  const Delivered delivered = stage.run(stage.service().deliver(
      stage.session(), {company(Operation::update, "8"), company(Operation::update, "9")}));
  BOOST_CHECK(delivered.settled.at(0).verdict.outcome == Outcome::park);
  BOOST_CHECK(delivered.settled.at(1).verdict.outcome == Outcome::done);
  for (const auto &seen : stage.server().seen())
    BOOST_TEST(!contains(seen.headers, "Unmodified-Since"));
}

BOOST_AUTO_TEST_CASE(changes_are_read_newest_first_back_to_the_last_poll) {
  ServiceStage stage = stage_of([](const SeenRequest &seen) {
    if (contains(seen.target, "/deleted")) return ScriptedServer::answer(204, "");
    if (contains(seen.target, "page_token=next"))
      return ScriptedServer::answer(200, list(listed("2", "2026-03-02T11:00:00+00:00") + "," +
                                              listed("1", "2026-03-02T08:00:00+00:00")));
    return ScriptedServer::answer(200, list(listed("3", "2026-03-02T12:00:00+00:00"), true));
  });
  std::vector<Record> records;
  const Json cursor =
      stage.read_all("bigin_company", {{"since", "2026-03-02T10:00:00+00:00"}}, records);
  BOOST_REQUIRE(records.size() == 2);  // a server that minds no "since" costs a page, no more
  BOOST_TEST(records[1].external_id == "2");
  BOOST_TEST(scalar_text(cursor, "since") == "2026-03-02T12:00:00+00:00");
  BOOST_TEST(contains(stage.calls().at(0), "sort_order=desc"));
  BOOST_TEST(contains(stage.calls().at(0), "Bridge_Id"));
}

BOOST_AUTO_TEST_CASE(where_no_deleted_ones_are_listed_known_ones_are_asked_for) {
  ServiceStage stage = stage_of([](const SeenRequest &seen) {
    if (contains(seen.target, "/deleted"))
      return ScriptedServer::answer(404, R"({"code":"INVALID_URL_PATTERN","status":"error"})");
    if (contains(seen.target, "ids="))
      return ScriptedServer::answer(200, list(listed("1", "2026-03-02T08:00:00+00:00")));
    return ScriptedServer::answer(204, "");
  });
  stage.recorded = {"1", "2"};
  std::vector<Record> records;
  stage.read_all("bigin_company", {{"since", "2026-03-02T10:00:00+00:00"}}, records);
  BOOST_REQUIRE(records.size() == 1);
  BOOST_TEST(records[0].external_id == "2");
  BOOST_TEST(records[0].deleted);
  BOOST_TEST(stage.calls().back() == "GET /bigin/v2/Accounts/2");
}

BOOST_AUTO_TEST_CASE(a_channel_is_asked_for_less_than_a_day) {
  ServiceStage stage = stage_of([](const SeenRequest &) {
    return ScriptedServer::answer(
        201, R"({"watch":[{"code":"SUCCESS","status":"success","details":{"events":[)"
             R"({"channel_id":"7","channel_expiry":"2026-03-03T09:00:00+03:00"}]}}]})");
  });
  const ChannelState state = stage.run(stage.service().open_channel(
      stage.session(), {"https://hooks.example/x", "token", "7", "2026-03-02T10:00:00+00:00"}));
  BOOST_TEST(state.open);
  const std::string call = stage.calls().at(0);
  BOOST_TEST(contains(call, "POST /bigin/v2/actions/watch"));
  BOOST_TEST(contains(call, R"("Accounts.all","Contacts.all")"));
  BOOST_TEST(contains(call, "2026-03-03T09:00:00+00:00"));
}

BOOST_AUTO_TEST_CASE(it_counts_in_credits_and_says_what_it_can_do) {
  ApiCall call;
  call.method = "POST";
  call.path = "/bigin/v2/Accounts";
  call.body = {{"data", Json::array()}};
  for (int i = 0; i < 11; ++i) call.body["data"].push_back(Json::object());
  BOOST_TEST(demand_of("bigin", call).cost == 2);
  BOOST_TEST(demand_of("bigin", call).meter == "*");
  BOOST_TEST(demand_of("zoho_crm", call).places.size() == 2);
  BOOST_TEST(demand_of("bigin", call).places.size() == 1);
  BOOST_TEST(kind_names() == "zoho_crm, zoho_projects, bigin, office365");
  BOOST_TEST(find_kind("zoho_books") == nullptr);
  ServiceStage stage =
      stage_of([](const SeenRequest &) { return ScriptedServer::answer(204, ""); });
  for (const auto &line : to_json(stage.service().capabilities(), stage.settings()))
    BOOST_TEST(scalar_text(line, "module").starts_with("bigin_"));
}

BOOST_AUTO_TEST_SUITE_END()
