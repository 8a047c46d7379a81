// SPDX-License-Identifier: PostgreSQL
// B2, P9: what somebody entered since the last reading is neither overwritten unread nor forgotten.
#include <boost/test/unit_test.hpp>

#include "crm_stage.hpp"
#include "projects_stage.hpp"
#include "services/field_value.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::CrmStage;
using crm_bridge::worker::test::ProjectsStage;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;

namespace {

using Answer = ProjectsStage::Answer;

constexpr const char *known_version = "2026-04-02 09:10:11+00";

Change update(const std::string &module, const std::string &external_id, const std::string &fields,
              const std::string &base) {
  Change one;
  one.module = module;
  one.record_id = "r" + external_id;
  one.external_id = external_id;
  one.version = known_version;
  one.fields = parse_json(fields);
  one.base = parse_json(base);
  one.context = {{"portal_id", "1"}, {"project_id", "85"}};
  return one;
}

Change renamed() {
  return update("projects_task", "77", R"({"name":"ours"})", R"({"name":"old"})");
}

// A Projects whose task 77 is `task`; what was called, and what became of the change.
struct Told {
  std::vector<std::string> calls;
  Settled settled;
};
Told deliver(const Change &change, const Answer &task) {
  ProjectsStage stage([&](const std::string &call) {
    return call.starts_with("GET") ? task : Answer(200, R"({"id":"77"})");
  });
  Told told;
  told.settled = stage.deliver(change).settled.at(0);
  for (const auto &call : stage.calls()) told.calls.push_back(call.substr(0, call.find(' ')));
  return told;
}

Answer task(const std::string &name, const std::string &changed = "2026-04-02T09:10:12.000Z") {
  return {200, R"({"id":"77","name":")" + name + R"(","last_updated_time":")" + changed + R"("})"};
}

const std::vector<std::string> looked{"GET"};
const std::vector<std::string> written{"GET", "PATCH"};

}  // namespace

BOOST_AUTO_TEST_SUITE(overtaken)

BOOST_AUTO_TEST_CASE(p9_a_task_that_somebody_renamed_since_is_not_written) {
  const Told told = deliver(renamed(), task("theirs"));
  BOOST_TEST(told.calls == looked, boost::test_tools::per_element());
  BOOST_TEST(told.settled.verdict.reason == "already_modified");
  BOOST_REQUIRE(told.settled.found.has_value());
  BOOST_TEST(told.settled.found->fields.at("name") == "theirs");
}

BOOST_AUTO_TEST_CASE(what_hides_behind_the_known_version_is_seen_by_its_value) {
  BOOST_TEST(deliver(renamed(), task("theirs", "2026-04-02T09:10:11.000Z")).calls == looked,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_change_of_other_fields_does_not_hold_up_ours) {
  const Told told = deliver(renamed(), task("old"));
  BOOST_TEST(told.calls == written, boost::test_tools::per_element());
  BOOST_TEST(!told.settled.found.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_there_already_is_no_stranger) {
  BOOST_TEST(deliver(renamed(), task("ours")).calls == written, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_list_that_is_behind_tells_nothing) {
  BOOST_TEST(deliver(renamed(), task("before", "2026-04-02T09:10:10.000Z")).calls == written,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_merged_is_written_over) {
  Change change = renamed();
  change.merged = deliver(change, task("theirs")).settled.found->fields;
  BOOST_TEST(deliver(change, task("theirs")).calls == written, boost::test_tools::per_element());
  BOOST_TEST(deliver(change, task("again")).calls == looked, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_look_that_fails_has_written_nothing) {
  const Told lost = deliver(renamed(), {500, ""});
  BOOST_TEST(lost.calls == looked, boost::test_tools::per_element());
  BOOST_TEST(to_text(lost.settled.verdict.outcome) == "retry");
  BOOST_TEST(to_text(deliver(renamed(), {404, ""}).settled.verdict.outcome) == "gone");
  // Who may not read may still be allowed to write.
  BOOST_TEST(deliver(renamed(), {403, ""}).calls == written, boost::test_tools::per_element());
  BOOST_TEST(deliver(renamed(), {200, "<html>"}).calls == looked, boost::test_tools::per_element());
  BOOST_TEST(deliver(renamed(), {200, ""}).calls == written, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_several_deals_those_that_were_changed_since_are_left_out) {
  CrmStage stage([](const SeenRequest &seen) {
    if (seen.method == "GET") {
      return ScriptedServer::answer(
          200,
          R"({"data":[{"id":"5","Deal_Name":"old","Modified_Time":"2026-04-02T09:10:11+00:00"},
                      {"id":"6","Deal_Name":"theirs","Modified_Time":"2026-04-02T09:12:00+00:00"}]})");
    }
    return ScriptedServer::answer(
        200, R"({"data":[{"code":"SUCCESS","details":{"id":"5"},"message":"m"}]})");
  });
  const std::string base = R"({"deal_name":"old"})";
  const Delivered delivered =
      stage.deliver({update("crm_deal", "5", R"({"deal_name":"a"})", base),
                     update("crm_deal", "6", R"({"deal_name":"b"})", base)});
  BOOST_TEST(stage.calls().back() ==
             R"(PUT /crm/v8/Deals {"data":[{"Deal_Name":"a","id":"5"}],"trigger":[]})");
  BOOST_REQUIRE(delivered.settled.size() == 2U);
  for (const auto &settled : delivered.settled)
    BOOST_TEST(settled.found.has_value() == (settled.external_id == "6"));
}

BOOST_AUTO_TEST_CASE(a_guarded_write_that_is_refused_brings_what_it_ran_into) {
  CrmStage stage([](const SeenRequest &seen) {
    if (seen.method == "GET") {
      return ScriptedServer::answer(
          200,
          R"({"data":[{"id":"5","Deal_Name":"theirs","Modified_Time":"2026-04-02T09:12:00+00:00"}]})");
    }
    return ScriptedServer::answer(
        412, R"({"data":[{"code":"ALREADY_MODIFIED","details":{"id":"5"},"message":"m"}]})");
  });
  const Delivered delivered =
      stage.deliver({update("crm_deal", "5", R"({"deal_name":"a"})", R"({"deal_name":"old"})")});
  BOOST_REQUIRE(delivered.settled.at(0).found.has_value());
  BOOST_TEST(delivered.settled[0].found->fields.at("deal_name") == "theirs");
  BOOST_TEST(!delivered.settled[0].read_again);
}

BOOST_AUTO_TEST_CASE(behind_a_version_of_this_second_another_edit_may_hide) {
  const std::string now = whole_seconds(now_in_utc());
  std::string there = "theirs";
  CrmStage stage([&](const SeenRequest &seen) {
    if (seen.method == "GET") {
      return ScriptedServer::answer(200, R"({"data":[{"id":"5","Deal_Name":")" + there +
                                             R"(","Modified_Time":")" + now + R"("}]})");
    }
    return ScriptedServer::answer(
        200, R"({"data":[{"code":"SUCCESS","details":{"id":"5"},"message":"m"}]})");
  });
  Change change = update("crm_deal", "5", R"({"deal_name":"a"})", R"({"deal_name":"old"})");
  change.version = now;
  BOOST_TEST(stage.deliver({change}).settled.at(0).found.has_value());
  BOOST_TEST(stage.calls().back().starts_with("GET"));
  there = "old";
  BOOST_TEST(!stage.deliver({change}).settled.at(0).found.has_value());
  BOOST_TEST(stage.calls().back().starts_with("PUT"));
  change.version = known_version;
  const std::size_t before = stage.calls().size();
  stage.deliver({change});
  BOOST_TEST(stage.calls().size() == before + 1);  // the guard alone
}

BOOST_AUTO_TEST_CASE(b3_deleted_before_its_creation_was_answered_it_is_looked_for) {
  std::string rows = R"({"id":"900","Bridge_Id":"r"})";
  CrmStage stage([&](const SeenRequest &seen) {
    if (seen.target == "/crm/v8/coql")
      return ScriptedServer::answer(200, R"({"data":[)" + rows + "]}");
    return ScriptedServer::answer(
        200, R"({"data":[{"code":"SUCCESS","details":{"id":"900"},"message":"m"}]})");
  });
  Change change = update("crm_deal", "", "{}", "{}");
  change.operation = Operation::remove;
  change.in_doubt = true;
  BOOST_TEST(to_text(stage.deliver({change}).settled.at(0).verdict.outcome) == "done");
  BOOST_TEST(stage.calls().back().starts_with("DELETE /crm/v8/Deals?ids=900"));
  rows.clear();
  BOOST_TEST(to_text(stage.deliver({change}).settled.at(0).verdict.outcome) == "gone");
  BOOST_TEST(stage.calls().back().starts_with("POST /crm/v8/coql"));
  // Projects keeps no id of ours: a person is told.
  ProjectsStage projects([](const std::string &) { return Answer(200, ""); });
  change.module = "projects_task";
  const Delivered parked = projects.deliver(change);
  BOOST_TEST(parked.settled.at(0).verdict.reason == "lost_creation");
  BOOST_TEST(projects.calls().empty());
}

BOOST_AUTO_TEST_CASE(webhooks_tell_what_records_were_given) {
  CrmStage crm([](const SeenRequest &) { return ScriptedServer::answer(200, ""); });
  const auto told = crm.connector().parse_webhook(parse_json(
      R"({"module":"Deals","ids":["5"],"operation":"update","token":"t","server_time":1775121012000,
          "affected_values":[{"record_id":"5","values":{"Deal_Name":"theirs","Amount":null}}]})"));
  BOOST_REQUIRE(told.has_value());
  BOOST_TEST(
      to_text(told->told) ==
      R"({"at":"2026-04-02T09:10:12+00:00","values":{"5":{"Amount":null,"Deal_Name":"theirs"}}})");
  const Notice notice{{}, "crm_deal", "5", "update"};
  const Record record =
      crm.connector().told_record(crm.session(), notice, told->told["values"]["5"]);
  BOOST_TEST(to_text(record.fields) == R"({"amount":null,"deal_name":"theirs"})");

  ProjectsStage projects([](const std::string &) { return Answer(200, ""); });
  const auto task = projects.connector->parse_webhook(parse_json(
      R"({"module":"tasks","id":77,"project_id":"85","event":"update","token":"t","values":{"name":"theirs"}})"));
  BOOST_REQUIRE(task.has_value());
  BOOST_TEST(to_text(task->told) == R"({"at":"","values":{"77":{"name":"theirs"}}})");
  // Only what was told: of the rest nothing is known.
  BOOST_TEST(to_text(projects.connector
                         ->told_record(projects.session(), {{}, "projects_task", "77", "update"},
                                       task->told["values"]["77"])
                         .fields) == R"({"name":"theirs"})");
}

BOOST_AUTO_TEST_SUITE_END()
