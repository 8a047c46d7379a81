// SPDX-License-Identifier: PostgreSQL
// Comments, client users, members and statuses on their way out.
#include <boost/test/unit_test.hpp>

#include "projects_stage.hpp"
#include "services/zoho_projects/translation.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::ProjectsStage;

namespace {

using Answer = ProjectsStage::Answer;

Change change(const std::string &module, Operation operation, const std::string &fields) {
  Change one;
  one.module = module;
  one.record_id = "r";
  one.operation = operation;
  one.fields = parse_json(fields);
  one.context = {{"portal_id", "1"}, {"project_id", "85"}, {"task_id", "90"}};
  if (operation != Operation::create) one.external_id = "77";
  return one;
}

std::string outcome(const Delivered &delivered) {
  return std::string(to_text(delivered.settled.at(0).verdict.outcome));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(projects_writing)

BOOST_AUTO_TEST_CASE(a_comment_is_answered_in_a_bare_list) {
  ProjectsStage stage([](const std::string &) {
    return Answer(201, R"([{"id":"91","comment":"a","created_time":"2026-04-02T09:10:11.000Z"}])");
  });
  const Delivered made =
      stage.deliver(change("projects_comment", Operation::create, R"({"content":"a"})"));
  BOOST_TEST(outcome(made) == "done");
  BOOST_TEST(made.settled[0].external_id == "91");
  BOOST_TEST(made.settled[0].version == "2026-04-02T09:10:11+00:00");
  stage.deliver(change("projects_comment", Operation::update, R"({"content":"b"})"));
  stage.deliver(change("projects_comment", Operation::remove, "{}"));
  const std::vector<std::string> wanted{
      R"(POST /api/v3/portal/1/projects/85/tasks/90/comments {"comment":"a"})",
      R"(PATCH /api/v3/portal/1/projects/85/tasks/90/comments/77 {"comment":"b"})",
      "DELETE /api/v3/portal/1/projects/85/tasks/90/comments/77"};
  BOOST_TEST(stage.calls() == wanted, boost::test_tools::per_element());
  Change homeless = change("projects_comment", Operation::create, R"({"content":"a"})");
  homeless.context = {{"portal_id", "1"}, {"project_id", "85"}};
  BOOST_TEST(stage.deliver(homeless).settled.at(0).verdict.reason == "no_task");
}

BOOST_AUTO_TEST_CASE(a_lost_comment_is_looked_for_by_what_it_says) {
  ProjectsStage stage([](const std::string &call) {
    if (call.starts_with("GET")) {
      return Answer(200, R"({"comments":[{"id":"90","comment":"other"},
                                         {"id":"91","comment":"<div>Done &amp; dusted</div>"}]})");
    }
    return Answer(200, R"([{"id":"91","comment":"x"}])");
  });
  Change lost =
      change("projects_comment", Operation::create, R"({"content":"<p>Done &amp; dusted</p>"})");
  lost.in_doubt = true;
  const Delivered delivered = stage.deliver(lost);
  BOOST_TEST(outcome(delivered) == "done");
  BOOST_TEST(delivered.settled[0].external_id == "91");
  for (const auto &call : stage.calls()) BOOST_TEST(!call.starts_with("POST"), call);
}

BOOST_AUTO_TEST_CASE(b3_a_lost_create_that_was_edited_since_is_found_by_what_was_sent_then) {
  ProjectsStage stage([](const std::string &call) {
    if (call.starts_with("GET"))
      return Answer(200, R"({"comments":[{"id":"91","comment":"as it was"}]})");
    return Answer(200, R"([{"id":"91","comment":"x"}])");
  });
  Change lost = change("projects_comment", Operation::create, R"({"content":"edited since"})");
  lost.in_doubt = true;
  lost.doubted = parse_json(R"([{"content":"never arrived"},{"content":"as it was"}])");
  const Delivered delivered = stage.deliver(lost);
  BOOST_TEST(outcome(delivered) == "done");
  BOOST_TEST(delivered.settled[0].external_id == "91");
  for (const auto &call : stage.calls()) BOOST_TEST(!call.starts_with("POST"), call);
}

BOOST_AUTO_TEST_CASE(r33_r34_a_user_is_added_once_and_whoever_is_there_keeps_his_role) {
  ProjectsStage empty([](const std::string &call) {
    if (call.starts_with("GET"))
      return Answer(404, R"({"error":{"title":"RESOURCE_NOT_FOUND","status_code":"404"}})");
    return Answer(201, R"({"id":"44","zpuid":"44","email":"olga@zylker.example"})");
  });
  const Change olga = change("projects_user", Operation::create,
                             R"({"email":"olga@zylker.example","role":"Employee"})");
  const Delivered added = empty.deliver(olga);
  BOOST_TEST(outcome(added) == "done");
  BOOST_TEST(added.settled[0].external_id == "44");
  const std::vector<std::string> wanted{
      "GET /api/v3/portal/1/users/olga%40zylker.example",
      R"(POST /api/v3/portal/1/users {"email":"olga@zylker.example","role":"Employee"})"};
  BOOST_TEST(empty.calls() == wanted, boost::test_tools::per_element());

  ProjectsStage full([](const std::string &) {
    return Answer(200, R"({"id":"44","email":"olga@zylker.example","role":{"name":"Manager"}})");
  });
  Change again = olga;
  again.in_doubt = true;
  const Delivered known = full.deliver(again);
  BOOST_TEST(known.settled.at(0).external_id == "44");
  BOOST_TEST(known.settled[0].created);
  for (const auto &call : full.calls()) BOOST_TEST(call.starts_with("GET"), call);

  ProjectsStage off([](const std::string &) { return Answer(200, "{}"); }, false);
  BOOST_TEST(off.deliver(olga).settled.at(0).verdict.reason == "assumed_call");
  BOOST_TEST(off.calls().empty());
}

BOOST_AUTO_TEST_CASE(a_client_user_is_invited_quietly_and_looked_up_by_address) {
  ProjectsStage stage([](const std::string &call) {
    if (call.starts_with("GET"))
      return Answer(200, R"({"users":[{"zpuid":"33","email":"Lin@acme.example"}]})");
    return Answer(201, R"({"id":"33","zpuid":"33","email":"lin@acme.example"})");
  });
  const std::string fields = R"({"email":"lin@acme.example","client_id":"3","project_id":"85"})";
  Change invited = change("projects_client_user", Operation::create, fields);
  BOOST_TEST(stage.deliver(invited).settled.at(0).external_id == "33");
  invited.in_doubt = true;
  const Delivered found = stage.deliver(invited);
  BOOST_TEST(outcome(found) == "done");
  BOOST_TEST(found.settled[0].external_id == "33");
  const std::vector<std::string> wanted{
      R"(POST /api/v3/portal/1/projects/85/clientuser {"client":{"id":"3"},"email":"lin@acme.example","notify":false})",
      "GET /api/v3/portal/1/projects/85/clients/users?page=1&per_page=100"};
  BOOST_TEST(stage.calls() == wanted, boost::test_tools::per_element());
  invited.fields.erase("project_id");
  BOOST_TEST(stage.deliver(invited).settled.at(0).verdict.reason == "no_project");
}

BOOST_AUTO_TEST_CASE(members_are_added_and_removed_one_by_one) {
  ProjectsStage stage([](const std::string &call) {
    if (call.starts_with("GET")) return Answer(200, R"({"users":[{"zpuid":"11"},{"zpuid":"12"}]})");
    return Answer(call.starts_with("DELETE") ? 204 : 200, "");
  });
  Change people = change("projects_project", Operation::update, R"({"user_ids":["12","13"]})");
  people.external_id = "85";
  BOOST_TEST(outcome(stage.deliver(people)) == "done");
  const std::vector<std::string> wanted{
      "GET /api/v3/portal/1/projects/85/users?page=1&per_page=100",
      R"(POST /api/v3/portal/1/projects/85/projectusers {"notify":false,"userdetails":[{"zpuid":"13"}]})",
      "DELETE /api/v3/portal/1/projects/85/users/11"};
  BOOST_TEST(stage.calls() == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nobody_is_removed_from_a_list_that_is_none) {
  ProjectsStage stage([](const std::string &) { return Answer(200, R"({"members":[]})"); });
  const Delivered delivered =
      stage.deliver(change("projects_project", Operation::update, R"({"user_ids":["12"]})"));
  BOOST_TEST(outcome(delivered) == "park");
  BOOST_TEST(stage.calls().size() == 1U);
}

BOOST_AUTO_TEST_CASE(assumed_calls_are_off_unless_they_are_switched_on) {
  ProjectsStage stage([](const std::string &) { return Answer(200, "{}"); }, false);
  for (const auto &one :
       {change("projects_client_user", Operation::create, R"({"email":"a@b.example"})"),
        change("projects_client_user", Operation::remove, "{}"),
        change("projects_client", Operation::create, R"({"name":"Acme"})"),
        change("projects_project", Operation::update, R"({"client_user_ids":["3"]})"),
        change("projects_project", Operation::update, R"({"user_ids":["3"]})")}) {
    const Delivered delivered = stage.deliver(one);
    BOOST_TEST(outcome(delivered) == "park");
    BOOST_TEST(delivered.settled[0].verdict.reason == "assumed_call");
    BOOST_TEST(delivered.settled[0].verdict.detail.find("assumed_calls = true") !=
               std::string::npos);
  }
  BOOST_TEST(stage.calls().empty());
}

BOOST_AUTO_TEST_CASE(a_status_of_another_layout_is_tried_and_remembered) {
  ProjectsStage stage([](const std::string &call) {
    if (call.find("/settings/layouts") != std::string::npos) {
      return Answer(
          200,
          R"({"layouts":[{"status_details":[{"id":"1","name":"Open"},{"id":"2","name":"Closed","is_closed_type":true}]},
        {"status_details":[{"id":"3","name":"Signed Off","is_closed_type":true}]}]})");
    }
    return Answer(200, R"({"id":"77","name":"T"})");
  });
  // The first closed status is refused, the second suits.
  ProjectsStage refusing([tries = 0](const std::string &call) mutable {
    if (call.find("/settings/layouts") != std::string::npos) {
      return Answer(
          200,
          R"({"layouts":[{"status_details":[{"id":"1","name":"Open"},{"id":"2","name":"Closed","is_closed_type":true}]},
        {"status_details":[{"id":"3","name":"Signed Off","is_closed_type":true}]}]})");
    }
    if (tries++ == 0) {
      return Answer(400, R"({"error":{"title":"INVALID_PARAMETER_VALUE",
        "details":[{"message":"Invalid status","field_name":"status"}]}})");
    }
    return Answer(200, R"({"id":"77","name":"T"})");
  });
  const Change close = change("projects_task", Operation::update, R"({"is_completed":true})");
  BOOST_TEST(outcome(stage.deliver(close)) == "done");
  BOOST_TEST(stage.calls().back() ==
             R"(PATCH /api/v3/portal/1/projects/85/tasks/77 {"status":{"id":"2"}})");
  BOOST_TEST(outcome(refusing.deliver(close)) == "done");
  BOOST_TEST(outcome(refusing.deliver(close)) == "done");
  const auto calls = refusing.calls();
  BOOST_REQUIRE(calls.size() == 4U);
  BOOST_TEST(calls[2].ends_with(R"({"status":{"id":"3"}})"));
  BOOST_TEST(calls[3].ends_with(R"({"status":{"id":"3"}})"));
}

// D3: only a word about the values of an update puts anything back.
BOOST_AUTO_TEST_CASE(a_refusal_of_values_names_its_fields) {
  const auto fields = [](const std::string &title, const std::string &details) {
    HttpResult result;
    result.transport = Transport::answered;
    result.status = 400;
    result.body =
        R"({"error":{"status_code":"400","title":")" + title + R"(","details":)" + details + "}}";
    const auto refused = zoho_projects::judge_answer(result).refused_fields;
    if (!refused) return std::string("none");
    std::string text = "named:";
    for (const auto &field : *refused) text += " " + field;
    return text;
  };
  const std::string end = R"([{"message":"m","field_name":"end_date"}])";
  BOOST_TEST(fields("INVALID_PARAMETER_VALUE", end) == "named: end_date");
  BOOST_TEST(fields("INVALID_PARAMETER_VALUE", R"({"message":"m","field_name":"status"})") ==
             "named: is_completed");
  BOOST_TEST(fields("INVALID_PARAMETER_VALUE", R"([{"message":"m","field_name":"owners"}])") ==
             "named: owners_and_work");
  BOOST_TEST(fields("INVALID_PARAMETER_VALUE", R"([{"message":"m"}])") == "named:");
  BOOST_TEST(fields("CANNOT_MODIFY_DATE_WITH_DEPENDENCY_LAG", "[]") == "named:");
  // A title that nobody knows counts if it names a field.
  BOOST_TEST(fields("SOMETHING_NEW", end) == "named: end_date");
  BOOST_TEST(fields("SOMETHING_NEW", "[]") == "none");
  for (const char *title : {"URL_RULE_NOT_CONFIGURED", "INVALID_INPUTSTREAM",
                            "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", "FORBIDDEN"})
    BOOST_TEST(fields(title, end) == "none", title);
}

BOOST_AUTO_TEST_SUITE_END()
