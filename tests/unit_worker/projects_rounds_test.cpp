// SPDX-License-Identifier: PostgreSQL
// Going round what has no list by time of change, and what complete lists do not show.
#include <boost/test/unit_test.hpp>

#include "projects_stage.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::ProjectsStage;

namespace {

using Answer = ProjectsStage::Answer;

bool asks(const std::string &call, const std::string &what) {
  return call.find(what) != std::string::npos;
}

std::vector<Located> projects(int count) {
  std::vector<Located> list;
  for (int i = 0; i < count; ++i)
    list.push_back({std::to_string(100 + i), Json{{"portal_id", "1"}}});
  return list;
}

std::vector<Located> tasks(int count) {
  std::vector<Located> list;
  for (int i = 0; i < count; ++i)
    list.push_back({std::to_string(500 + i), Json{{"portal_id", "1"}, {"project_id", "85"}}});
  return list;
}

Notice notice(const std::string &module, const std::string &event, Json context) {
  return {{}, module, "90", event, std::move(context)};
}

std::size_t deletions(const Reading &reading) {
  std::size_t count = 0;
  for (const auto &records : reading.records) {
    for (const auto &record : records.records) count += record.deleted ? 1 : 0;
  }
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(projects_rounds)

BOOST_AUTO_TEST_CASE(the_first_round_goes_on_where_a_killed_worker_saved_its_cursor) {
  ProjectsStage stage([](const std::string &call) {
    const auto at = call.find("/projects/") + 10;
    const std::string id = call.substr(at, 3);
    return Answer(200, R"({"tasklists":[{"id":"l)" + id + R"(","name":"L"}]})");
  });
  stage.records["projects_project"] = projects(45);
  Json cursor;
  std::vector<std::string> lists;
  bool unfinished = true;
  int steps = 0;
  for (; unfinished && steps < 10; ++steps) {
    stage.begin_again();
    const Page page =
        stage.run(stage.connector->read_page(stage.session(), "projects_task_list", cursor));
    for (const auto &records : page.records) {
      for (const auto &record : records.records) lists.push_back(record.external_id);
    }
    BOOST_TEST(!page.more);
    unfinished = page.unfinished;
    cursor = page.cursor;
  }
  BOOST_TEST(steps == 3);
  BOOST_TEST(lists.size() == 45U);
  BOOST_TEST(lists.front() == "l100");
  BOOST_TEST(lists.back() == "l144");
  BOOST_TEST(stage.calls().size() == 45U);
  // From then on it is slow: a project a step.
  stage.run(stage.connector->read_page(stage.session(), "projects_task_list", cursor));
  BOOST_TEST(stage.calls().size() == 46U);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_none_or_not_whole_deletes_nothing) {
  std::string body;
  int status = 200;
  ProjectsStage stage([&](const std::string &) { return Answer(status, body); });
  stage.records["projects_project"] = projects(1);
  const auto listings = [&] {
    return stage.run(stage.connector->read_page(stage.session(), "projects_task_list", Json()))
        .listings;
  };
  for (const char *none : {R"({})", R"({"lists":[]})", R"({"tasklists":null})"}) {
    body = none;
    BOOST_TEST(listings().empty(), none);
  }
  // A page that says that more follows, for ever.
  body = R"({"tasklists":[{"id":"1"}],"page_info":{"has_next_page":true}})";
  BOOST_TEST(listings().empty());
  body = R"({"error":{"title":"FORBIDDEN","details":[]}})";
  status = 403;
  BOOST_TEST(listings().empty());
  status = 204;
  body = "";
  const auto empty = listings();
  BOOST_REQUIRE(empty.size() == 1U);
  BOOST_TEST(empty[0].module == "projects_task_list");
  BOOST_TEST(to_text(empty[0].within) == R"({"project_id":"100"})");
  BOOST_TEST(empty[0].external_ids.empty());
  BOOST_TEST(!empty[0].certain);  // each is asked for alone first
}

BOOST_AUTO_TEST_CASE(a_place_that_answers_500_for_ever_does_not_stop_the_round) {
  ProjectsStage stage([](const std::string &call) {
    if (asks(call, "/projects/100/"))
      return Answer(500, R"({"error":{"title":"INTERNAL_SERVER_ERROR","details":[]}})");
    return Answer(204, "");
  });
  stage.records["projects_project"] = projects(2);
  Json cursor;
  for (int step = 0; step < 2; ++step) {
    cursor =
        stage.run(stage.connector->read_page(stage.session(), "projects_task_list", cursor)).cursor;
  }
  BOOST_TEST(scalar_text(cursor, "rounds") == "1");
  BOOST_TEST(stage.calls().size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_throttle_stops_the_round_and_keeps_its_place) {
  ProjectsStage stage([](const std::string &) {
    return Answer(400, R"({"error":{"title":"URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
                           "details":[{"message":"Try again after 22 minutes."}]}})");
  });
  stage.records["projects_task"] = tasks(3);
  BOOST_CHECK_THROW(
      stage.run(stage.connector->read_page(stage.session(), "projects_comment", Json())),
      ServiceFailure);
  BOOST_TEST(stage.calls().size() == 1U);
}

BOOST_AUTO_TEST_CASE(comments_are_compared_with_certainty_only_where_one_page_holds_them) {
  int pages = 1;
  ProjectsStage stage([&](const std::string &call) {
    const bool last = asks(call, "page=" + std::to_string(pages) + "&");
    return Answer(
        200,
        std::string(R"({"comments":[{"id":"1","comment":"a"}],"page_info":{"has_next_page":)") +
            (last ? "false" : R"("true")") + "}}");
  });
  stage.records["projects_task"] = tasks(1);
  for (pages = 1; pages <= 2; ++pages) {
    const Page page =
        stage.run(stage.connector->read_page(stage.session(), "projects_comment", Json()));
    BOOST_REQUIRE(page.listings.size() == 1U);
    BOOST_TEST(to_text(page.listings[0].within) == R"({"task_id":"500"})");
    BOOST_TEST(page.listings[0].certain == (pages == 1));
    BOOST_TEST(page.records.at(0).records.size() == static_cast<std::size_t>(pages));
  }
}

BOOST_AUTO_TEST_CASE(changed_tasks_bring_their_comments_and_do_not_wait_for_them) {
  bool refused = false;
  ProjectsStage stage([&](const std::string &call) {
    if (asks(call, "/comments"))
      return refused ? Answer(429, "") : Answer(200, R"({"comments":[{"id":"c","comment":"a"}]})");
    return Answer(200, R"({"tasks":[{"id":"7","name":"T","project":{"id":"85"},
                           "last_updated_time":"2026-04-02T00:00:00Z"}]})");
  });
  const Json since = {{"since", "2026-04-01T00:00:00+00:00"}};
  Page page = stage.run(stage.connector->read_page(stage.session(), "projects_task", since));
  BOOST_REQUIRE(page.records.size() == 3U);
  BOOST_TEST(page.records[2].module == "projects_comment");
  BOOST_TEST(to_text(page.records[2].records.at(0).fields) ==
             R"({"content":"a","project_id":"85","task_id":"7"})");
  refused = true;
  page = stage.run(stage.connector->read_page(stage.session(), "projects_task", since));
  BOOST_TEST(page.records.at(1).records.size() == 1U);
  // The first reading leaves them to the round.
  const auto before = stage.calls().size();
  stage.run(stage.connector->read_page(stage.session(), "projects_task", Json::object()));
  BOOST_TEST(stage.calls().size() == before + 1);
}

BOOST_AUTO_TEST_CASE(members_are_read_of_all_kinds_in_one_order) {
  ProjectsStage stage([](const std::string &call) {
    if (asks(call, "/clients/users"))
      return Answer(200,
                    R"({"users":[{"zpuid":"33","email":"lin@acme.example","client":{"id":"3"}}]})");
    if (asks(call, "/clients"))
      return Answer(200, R"({"clients":[{"id":"4"},{"id":"3","is_primary":true}]})");
    return Answer(200, R"({"users":[{"id":"12"},{"zpuid":"11"},{"zpuid":"33"}]})");
  });
  stage.records["projects_project"] = projects(1);
  const Page page =
      stage.run(stage.connector->read_page(stage.session(), "projects_client_user", Json()));
  BOOST_REQUIRE(page.records.size() == 2U);
  BOOST_TEST(page.records[0].records.at(0).external_id == "33");
  BOOST_TEST(to_text(page.records[0].records.at(0).fields) ==
             R"({"client_id":"3","email":"lin@acme.example"})");
  BOOST_TEST(to_text(page.records[1].records.at(0).fields) ==
             R"({"client_id":"3","client_user_ids":["33"],"user_ids":["11","12"]})");
  BOOST_REQUIRE(page.listings.size() == 1U);  // a whole round: whoever is in no project
  BOOST_TEST(page.listings[0].external_ids.at(0) == "33");
}

BOOST_AUTO_TEST_CASE(missing_in_a_list_and_denied_alone_is_deleted) {
  Answer answer{400, R"({"error":{"title":"RESOURCE_NOT_FOUND","details":[]}})"};
  ProjectsStage stage([&](const std::string &) { return answer; });
  const Json context = {{"portal_id", "1"}, {"project_id", "85"}, {"task_id", "7"}};
  const auto read = [&](const char *module, const char *event) {
    return stage.run(
        stage.connector->read_records(stage.session(), module, {notice(module, event, context)}));
  };
  for (const char *module : {"projects_task", "projects_task_list", "projects_project",
                             "projects_user", "projects_client", "projects_client_user"}) {
    BOOST_TEST(deletions(read(module, "missing")) == 1U, module);
    // Denied to a webhook's word alone: perhaps not visible yet.
    BOOST_TEST(deletions(read(module, "update")) == 0U, module);
    BOOST_TEST(deletions(read(module, "delete")) == 1U, module);
  }
  answer = {200, R"({"id":"90","zpuid":"90","name":"still there"})"};
  for (const char *module : {"projects_task", "projects_user", "projects_client_user"})
    BOOST_TEST(deletions(read(module, "missing")) == 0U, module);
  answer = {200, R"({"comments":[{"id":"91","comment":"another"}]})"};
  BOOST_TEST(deletions(read("projects_comment", "missing")) == 1U);
  answer = {200, R"({"something":"else"})"};
  BOOST_TEST(deletions(read("projects_comment", "missing")) == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_deleted_takes_along_what_lives_in_it) {
  ProjectsStage stage([](const std::string &) {
    return Answer(
        200, R"({"trash":[{"id":"85","module":"projects","deleted_time":"2026-04-02T00:00:00Z"},
                                    {"id":"7","module":"tasks","deleted_time":"2026-04-02T00:00:00Z"}]})");
  });
  const Page page = stage.run(
      stage.connector->read_page(stage.session(), "projects_project", Json{{"phase", "bin"}}));
  std::vector<std::string> emptied;
  for (const auto &listing : page.listings) {
    BOOST_TEST(listing.gone);
    emptied.push_back(listing.module + to_text(listing.within));
  }
  const std::vector<std::string> wanted{
      R"(projects_comment{"project_id":"85"})", R"(projects_task{"project_id":"85"})",
      R"(projects_task_list{"project_id":"85"})", R"(projects_comment{"task_id":"7"})"};
  BOOST_TEST(emptied == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_unknown_task_is_read_where_its_webhook_says) {
  ProjectsStage stage(
      [](const std::string &) { return Answer(200, R"({"id":"90","name":"New"})"); });
  const auto webhook = stage.connector->parse_webhook(
      parse_json(R"({"module":"tasks","id":90,"project_id":"85","event":"create","token":"t"})"));
  BOOST_REQUIRE(webhook.has_value());
  BOOST_TEST(to_text(webhook->context) == R"({"project_id":"85"})");
  const Reading reading = stage.run(stage.connector->read_records(
      stage.session(), "projects_task", {notice("projects_task", "insert", webhook->context)}));
  BOOST_TEST(reading.poll.empty());
  BOOST_REQUIRE(stage.calls().size() == 1U);
  BOOST_TEST(stage.calls()[0] == "GET /api/v3/portal/1/projects/85/tasks/90");
  for (const char *body : {R"({"module":"tasks","id":"../../x","event":"create"})",
                           R"({"module":"tasks","id":"1?a=b","event":"create"})"})
    BOOST_TEST(!stage.connector->parse_webhook(parse_json(body)).has_value(), body);
  const auto sly = stage.connector->parse_webhook(parse_json(
      R"({"module":"tasks","id":"1","project_id":"85/tasks/2/../..","event":"create"})"));
  BOOST_TEST(sly->context.is_null());
}

BOOST_AUTO_TEST_CASE(an_expired_token_inside_a_good_answer_is_renewed) {
  int bad = 1;
  ProjectsStage stage([&](const std::string &) {
    return bad-- > 0 ? Answer(200, R"({"error":{"title":"INVALID_OAUTHTOKEN","details":[]}})")
                     : Answer(200, R"([{"id":"1","name":"about INVALID_OAUTHTOKEN"}])");
  });
  BOOST_TEST(stage.run(stage.session().send({"GET", "/api/v3/portals"})).body.find("about") !=
             std::string::npos);
  BOOST_TEST(stage.calls().size() == 2U);
  BOOST_TEST(stage.run(stage.session().send({"GET", "/api/v3/portals"})).ok());
  BOOST_TEST(stage.calls().size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
