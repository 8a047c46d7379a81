// SPDX-License-Identifier: PostgreSQL
#include <boost/test/unit_test.hpp>

#include "catalogs.hpp"
#include "services/session.hpp"
#include "services/zoho_projects/translation.hpp"

using namespace crm_bridge::worker;
using namespace crm_bridge::worker::zoho_projects;

namespace {

Change change(const std::string &module, Operation operation, const std::string &fields) {
  Change one;
  one.module = module;
  one.operation = operation;
  one.fields = parse_json(fields);
  return one;
}

std::string sent(const Change &one) {
  return to_text(zoho_projects::to_service(test::projects_catalog(), one));
}

Verdict judged(int status, const std::string &body) {
  HttpResult result;
  result.transport = Transport::answered;
  result.status = status;
  result.body = body;
  return judge_answer(result);
}

std::string refusal(const std::string &title, const std::string &details) {
  return R"({"error":{"status_code":"400","title":")" + title + R"(","details":)" + details + "}}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(projects)

BOOST_AUTO_TEST_CASE(a_task_is_written_as_the_service_wants_it) {
  BOOST_TEST(
      sent(change("projects_task", Operation::create,
                  R"({"name":"Draft","end_date":"2026-04-03T00:00:00+00:00","priority":null,
                             "owner_ids":["11","12"],"task_list_id":"5","parent_task_id":"9","description":null,
                             "project_id":"85","portal_id":"1","is_completed":false})")) ==
      R"({"end_date":"2026-04-03T00:00:00.000Z","name":"Draft","owners_and_work":{"owners":[{"zpuid":"11"},)"
      R"({"zpuid":"12"}]},"parental_info":{"parent_task_id":"9"},"tasklist":{"id":"5"}})");
  BOOST_TEST(
      sent(change(
          "projects_task", Operation::update,
          R"({"description":null,"end_date":null,"priority":null,"owner_ids":null,"task_list_id":"5"})")) ==
      R"({"description":"","end_date":null,"owners_and_work":{"owners":[]},"priority":"none"})");
}

BOOST_AUTO_TEST_CASE(a_projects_client_is_never_in_its_body) {
  BOOST_TEST(
      sent(change(
          "projects_project", Operation::create,
          R"({"name":"P","client_id":"3","owner_id":"11","end_date":"2026-06-30","portal_id":"1"})")) ==
      R"({"end_date":"2026-06-30","name":"P","owner":{"zpuid":"11"}})");
}

BOOST_AUTO_TEST_CASE(a_task_is_read_whole) {
  const Json task = parse_json(R"({"id":2063927000000090011,"prefix":"VO-T12","name":"Draft",
    "project":{"id":"85","name":"W"},"tasklist":{"id":"86","name":"General"},
    "status":{"id":"16068","name":"Open","is_closed_type":false},"is_completed":false,"completion_percentage":0,
    "priority":"high","start_date":"2026-04-01T00:00:00.000Z","owners_and_work":{"owners":[{"zpuid":"11","name":"ana"}]},
    "last_updated_time":"2026-04-01T08:00:00.250Z"})");
  const Record record =
      zoho_projects::from_service(test::projects_catalog(), "projects_task", task, Place{"1", {}});
  BOOST_TEST(record.external_id == "2063927000000090011");
  BOOST_TEST(record.version == "2026-04-01T08:00:00.25+00:00");
  // What the service leaves out of a whole record is empty.
  BOOST_TEST(
      to_text(record.fields) ==
      R"({"completion_percentage":0,"description":null,"end_date":null,"is_completed":false,"key":"VO-T12",)"
      R"("name":"Draft","owner_ids":["11"],"parent_task_id":null,"portal_id":"1","priority":"high",)"
      R"("project_id":"85","start_date":"2026-04-01T00:00:00+00:00","status":"Open","task_list_id":"86"})");
}

BOOST_AUTO_TEST_CASE(people_and_portals_have_several_names_for_the_same) {
  const Catalog catalog = test::projects_catalog();
  const Record user = zoho_projects::from_service(
      catalog, "projects_user",
      parse_json(R"({"id":7,"zpuid":"11","name":"ana","role":{"id":"3","name":"Employee"}})"),
      Place{"1", {}});
  BOOST_TEST(user.external_id == "11");
  BOOST_TEST(to_text(user.fields) ==
             R"({"email":null,"full_name":"ana","portal_id":"1","role":"Employee"})");
  const Record portal = zoho_projects::from_service(
      catalog, "projects_portal", parse_json(R"({"id":687892,"portal_name":"zylker"})"), Place{});
  BOOST_TEST(portal.external_id == "687892");
  BOOST_TEST(to_text(portal.fields) == R"({"name":"zylker"})");
}

BOOST_AUTO_TEST_CASE(a_counter_inside_an_object_and_a_client_if_there_is_one) {
  const Record project = zoho_projects::from_service(
      test::projects_catalog(), "projects_project",
      parse_json(
          R"({"id":"5","name":"P","owner":{"zpuid":"11","zuid":6},"tasks":{"open_count":3,"closed_count":1},
                     "modified_time":"2026-03-30T07:58:19.896Z"})"),
      Place{"1", {}});
  BOOST_TEST(
      to_text(project.fields) ==
      R"({"description":null,"end_date":null,"name":"P","open_task_count":3,"owner_id":"11","portal_id":"1"})");
  BOOST_TEST(project.version == "2026-03-30T07:58:19.896+00:00");
}

BOOST_AUTO_TEST_CASE(a_comment_has_its_place_from_where_it_was_listed) {
  const Record comment = zoho_projects::from_service(
      test::projects_catalog(), "projects_comment",
      parse_json(
          R"({"id":"91","comment":"Done<br>see file","created_time":"2026-04-02T09:10:11.000Z",
                     "created_by":{"zpuid":"11","name":"ana"},"attachments":[]})"),
      Place{"1", "85", "90"});
  BOOST_TEST(comment.external_id == "91");
  BOOST_TEST(comment.version == "2026-04-02T09:10:11+00:00");
  BOOST_TEST(
      to_text(comment.fields) ==
      R"({"author_id":"11","author_name":"ana","content":"Done<br>see file","posted_at":"2026-04-02T09:10:11+00:00",)"
      R"("project_id":"85","task_id":"90"})");
  const Record edited = zoho_projects::from_service(
      test::projects_catalog(), "projects_comment",
      parse_json(R"({"id":"91","comment":"x","created_time":"2026-04-02T09:10:11.000Z",
                     "updated_time":"2026-04-03T09:10:11.000Z"})"),
      Place{"1", "85", "90"});
  BOOST_TEST(edited.version == "2026-04-03T09:10:11+00:00");
  BOOST_TEST(sent(change("projects_comment", Operation::create,
                         R"({"content":"<p>a</p>","task_id":"90","project_id":"85"})")) ==
             R"({"comment":"<p>a</p>"})");
}

BOOST_AUTO_TEST_CASE(what_a_list_does_not_show_is_gone_only_if_it_is_a_list) {
  BOOST_TEST(is_list(Json(), "tasks"));  // 204
  BOOST_TEST(is_list(parse_json("[]"), "tasks"));
  BOOST_TEST(is_list(parse_json(R"({"tasks":[]})"), "tasks"));
  BOOST_TEST(!is_list(parse_json("{}"), "tasks"));
  BOOST_TEST(!is_list(parse_json(R"({"items":[]})"), "tasks"));
  BOOST_TEST(!is_list(parse_json(R"({"tasks":"none"})"), "tasks"));
}

BOOST_AUTO_TEST_CASE(an_id_is_fit_for_a_url) {
  for (const char *good : {"1", "2063927000000090011", "a-b_C"}) BOOST_TEST(is_id(good), good);
  for (const char *bad : {"", "../1", "1/2", "1?x=2", "1 2", "1\n", "%2e"})
    BOOST_TEST(!is_id(bad), bad);
  BOOST_TEST(!is_id(std::string(65, '1')));
}

BOOST_AUTO_TEST_CASE(lists_come_bare_or_wrapped) {
  BOOST_TEST(list_of(parse_json(R"([{"id":1}])"), "tasks").size() == 1);
  BOOST_TEST(list_of(parse_json(R"({"tasks":[{"id":1},{"id":2}]})"), "tasks").size() == 2);
  BOOST_TEST(list_of(Json(), "tasks").empty());
  BOOST_TEST(has_next_page(parse_json(R"({"page_info":{"has_next_page":"true"}})"), 3, 100));
  BOOST_TEST(has_next_page(parse_json(R"({"page_info":{"has_next_page":true}})"), 3, 100));
  BOOST_TEST(!has_next_page(parse_json(R"({"page_info":{"has_next_page":false}})"), 100, 100));
  BOOST_TEST(has_next_page(parse_json("[]"), 100, 100));
  BOOST_TEST(!has_next_page(parse_json("[]"), 99, 100));
}

BOOST_AUTO_TEST_CASE(errors_are_judged_by_their_title) {
  const std::string one = R"([{"message":"Input format mismatch","field_name":"start_date"}])";
  const Verdict format = judged(400, refusal("INVALID_PARAMETER_VALUE", one));
  BOOST_TEST(to_text(format.outcome) == "park");
  BOOST_TEST(format.detail == "INVALID_PARAMETER_VALUE: Input format mismatch (start_date)");
  // `details` as an object, and an error inside a 200.
  BOOST_TEST(judged(200, refusal("INVALID_PARAMETER_VALUE", R"({"message":"m"})")).detail ==
             "INVALID_PARAMETER_VALUE: m");
  BOOST_TEST(to_text(judged(400, refusal("RESOURCE_NOT_FOUND", "[]")).outcome) == "gone");
  BOOST_TEST(to_text(judged(404, "").outcome) == "gone");
  BOOST_TEST(to_text(judged(500, refusal("INTERNAL_SERVER_ERROR", "[]")).outcome) == "in_doubt");
  BOOST_TEST(to_text(judged(401, refusal("INVALID_OAUTHSCOPE", "[]")).outcome) == "park");
  BOOST_TEST(to_text(judged(400, "<html>").outcome) == "park");
  BOOST_TEST(to_text(judged(200, "<html>").outcome) == "in_doubt");
  BOOST_TEST(to_text(judged(204, "").outcome) == "done");
}

BOOST_AUTO_TEST_CASE(a_throttle_is_a_throttle_in_any_form) {
  HttpResult result;
  result.transport = Transport::answered;
  result.status = 400;
  result.body = refusal(
      "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
      R"([{"message":"Cannot execute more than 100 requests per API in 2 minutes. Try again after 22 minutes."}])");
  BOOST_TEST(throttled_for(result)->count() == 22 * 60000);
  result.headers["retry-after"] = "7";
  BOOST_TEST(throttled_for(result)->count() == 7000);
  result.body = refusal("INVALID_PARAMETER_VALUE", "[]");
  BOOST_TEST(!throttled_for(result).has_value());
  result.status = 429;
  BOOST_TEST(throttled_for(result)->count() == 7000);
}

BOOST_AUTO_TEST_SUITE_END()
