// SPDX-License-Identifier: PostgreSQL
// What a worker relies on in Zoho Projects V3.
#include "contract_portal.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::sandbox;

BOOST_FIXTURE_TEST_SUITE(zoho_projects, Portal)

BOOST_AUTO_TEST_CASE(portals_and_projects_are_bare_arrays_and_unset_dates_are_absent) {
  const Reply portals = get(projects, "/api/v3/portals");
  BOOST_REQUIRE(portals.body.is_array());
  BOOST_TEST(portals.body[0]["id"] == "20639270");
  const Reply made =
      post(projects, portal + "/projects", {{"name", "Second"}, {"cf_region", "North"}});
  BOOST_TEST(made.status == 201);
  BOOST_TEST(!made.body.contains("start_date"));
  BOOST_TEST(made.body["cf_region"] == "North");
  BOOST_TEST(made.body["is_strict_project"] == false);
  const Reply listed = get(projects, portal + "/projects?page=1&per_page=100");
  BOOST_REQUIRE(listed.body.is_array());
  BOOST_TEST(listed.body.size() == 2U);
  const Reply past = get(projects, portal + "/projects?page=2&per_page=100");
  BOOST_TEST(past.status == 200);
  BOOST_TEST(past.body == Json::array());
}

BOOST_AUTO_TEST_CASE(lists_are_paged_and_sorted_by_change) {
  for (int i = 0; i < 5; ++i) task({{"name", "task " + std::to_string(i)}});
  advance(1);
  const Json first = get(projects, tasks + "?page=1&per_page=2").body;
  BOOST_TEST(first["page_info"]["has_next_page"] == true);
  BOOST_TEST(get(projects, tasks + "?page=3&per_page=2").body["page_info"]["has_next_page"] ==
             false);
  const std::string changed = first["tasks"][1]["id"];
  patch(projects, tasks + "/" + changed, {{"priority", "high"}});
  const Json newest =
      get(projects, portal + "/tasks?page=1&per_page=1&sort_by=DESC(last_modified_time)").body;
  BOOST_TEST(newest["tasks"][0]["id"] == changed);
  BOOST_TEST(newest["tasks"][0]["project"]["id"] == project);
  BOOST_TEST(get(projects, tasks + "?page=9").status == 204);
  const Reply without_page = get(projects, tasks);
  BOOST_TEST(without_page.body["error"]["title"] == "LESS_THAN_MIN_OCCURANCE");
  BOOST_TEST(without_page.body["error"]["details"][0]["field_name"] == "page");
}

BOOST_AUTO_TEST_CASE(updates_are_patches_of_what_was_sent) {
  const std::string id =
      task({{"name", "Ship"}, {"priority", "low"}, {"description", "<p>a</p>"}, {"cf_x", "1"}});
  const Reply reply = patch(projects, tasks + "/" + id, {{"name", "Ship it"}});
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.body["name"] == "Ship it");
  BOOST_TEST(reply.body["priority"] == "low");
  BOOST_TEST(reply.body["cf_x"] == "1");
  BOOST_TEST(patch(projects, tasks + "/" + id, {{"priority", "High"}})
                 .body["error"]["details"][0]["field_name"] == "priority");
  BOOST_TEST(post(projects, tasks, {{"priority", "low"}}).body["error"]["title"] ==
             "LESS_THAN_MIN_OCCURANCE");
}

BOOST_AUTO_TEST_CASE(a_task_date_is_a_full_timestamp) {
  const std::string id = task({{"name", "Ship"}});
  BOOST_TEST(!read_task(id).contains("end_date"));
  const Reply bare = patch(projects, tasks + "/" + id, {{"end_date", "2026-03-20"}});
  BOOST_TEST(bare.status == 400);
  BOOST_TEST(bare.body["error"]["details"][0]["message"] == "Input format mismatch");
  BOOST_TEST(
      patch(projects, tasks + "/" + id, {{"end_date", "2026-03-20T00:00:00Z"}}).body["end_date"] ==
      "2026-03-20T00:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(closing_and_reopening_is_a_change_of_status_and_the_project_counts_it) {
  const std::string id = task({{"name", "Ship"}});
  task({{"name", "Bill"}});
  const Json closed = set_status(id, closed_status).body;
  BOOST_TEST(closed["is_completed"] == true);
  BOOST_TEST(closed["completion_percentage"] == 100);
  BOOST_TEST(closed["status"]["name"] == "Closed");
  BOOST_TEST(read_project()["percent_complete"] == 50);
  BOOST_TEST(read_project()["tasks"] == (Json{{"open_count", 1}, {"closed_count", 1}}));
  const Json reopened = patch(projects, tasks + "/" + id, {{"status", {{"name", "Open"}}}}).body;
  BOOST_TEST(reopened["is_completed"] == false);
  BOOST_TEST(read_project()["percent_complete"] == 0);
}

BOOST_AUTO_TEST_CASE(a_strict_project_refuses_dates_outside_its_own) {
  const std::string id = task({{"name", "Ship"}, {"end_date", "2026-03-20T00:00:00Z"}});
  patch(projects, portal + "/projects/" + project, {{"is_strict_project", true}});
  BOOST_TEST(read_project()["is_strict_project"] == false);  // read-only for programs
  BOOST_TEST(patch(projects, tasks + "/" + id, {{"end_date", "2026-04-02T00:00:00Z"}}).status ==
             200);
  patch(projects, tasks + "/" + id, {{"end_date", "2026-03-20T00:00:00Z"}});
  patch(control, "/control/projects/20639270/projects/" + project, {{"is_strict_project", true}});
  const Reply refused = patch(projects, tasks + "/" + id,
                              {{"end_date", "2026-04-02T00:00:00Z"}, {"name", "changed"}});
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.body["error"]["details"][0]["field_name"] == "end_date");
  BOOST_TEST(read_task(id)["end_date"] == "2026-03-20T00:00:00.000Z");
  BOOST_TEST(read_task(id)["name"] == "Ship");
  BOOST_TEST(patch(projects, tasks + "/" + id, {{"end_date", "2026-03-31T00:00:00Z"}}).status ==
             200);
}

BOOST_AUTO_TEST_CASE(a_subtask_stays_closed_below_a_closed_parent) {
  const std::string parent = task({{"name", "Migrate"}});
  const std::string child =
      task({{"name", "Copy"}, {"parental_info", {{"parent_task_id", parent}}}});
  BOOST_TEST(read_task(child)["depth"] == 1);
  set_status(child, closed_status);
  set_status(parent, closed_status);
  BOOST_TEST(set_status(child, open_status).status == 400);
  BOOST_TEST(read_task(child)["is_completed"] == true);
  set_status(parent, open_status);
  BOOST_TEST(set_status(child, open_status).status == 200);
}

BOOST_AUTO_TEST_CASE(owners_are_replaced_added_and_removed_and_mails_are_counted) {
  const std::string id =
      task({{"name", "Ship"}, {"owners_and_work", {{"owners", {{{"zpuid", alicia}}}}}}});
  BOOST_TEST(counter("mails") == 1);
  BOOST_TEST(read_task(id)["owners_and_work"]["owners"][0]["email"] == "alicia.reyes@example.com");
  const std::string george = "2063927000000060009";
  patch(projects, tasks + "/" + id,
        {{"owners_and_work", {{"owners", {{{"add", {{{"zpuid", george}}}}}}}}}});
  BOOST_TEST(read_task(id)["owners_and_work"]["owners"].size() == 2U);
  patch(projects, tasks + "/" + id,
        {{"owners_and_work", {{"owners", {{"remove", {{{"zpuid", alicia}}}}}}}}});
  BOOST_TEST(read_task(id)["owners_and_work"]["owners"][0]["zpuid"] == george);
  BOOST_TEST(
      patch(projects, tasks + "/" + id, {{"owners_and_work", {{"owners", {{{"zpuid", "1"}}}}}}})
          .status == 400);
}

BOOST_AUTO_TEST_CASE(the_hundred_and_first_request_is_400_and_locks_its_pattern_for_half_an_hour) {
  for (int i = 0; i < 100; ++i) BOOST_TEST(get(projects, portal + "/roles").status == 200);
  const Reply refused = get(projects, portal + "/roles");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.body["error"]["title"] == "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED");
  const std::string text = refused.body["error"]["details"][0]["message"];
  BOOST_TEST(text.find("Try again after 30 minutes.") != std::string::npos);
  BOOST_TEST(get(projects, portal + "/profiles").status == 200);  // another pattern
  advance(121);
  BOOST_TEST(get(projects, portal + "/roles").status == 400);
  advance(1700);
  BOOST_TEST(get(projects, portal + "/roles").status == 200);
  BOOST_TEST(counter("throttled") == 2);
}

BOOST_AUTO_TEST_CASE(the_throttle_can_be_switched_off) {
  Options options;
  options.projects_limit = 0;
  Contract free{options};
  for (int i = 0; i < 150; ++i)
    BOOST_TEST(free.get(free.projects, portal + "/roles").status == 200);
}

BOOST_AUTO_TEST_CASE(statuses_are_in_their_layouts_and_roles_have_an_employee) {
  const Json layouts = get(projects, portal + "/settings/layouts?module=tasks").body["layouts"];
  std::vector<std::string> closed;
  for (const auto &layout : layouts) {
    for (const auto &status : layout["status_details"]) {
      if (status["is_closed_type"] == true) closed.push_back(status["name"]);
    }
  }
  BOOST_TEST((closed == std::vector<std::string>{"Closed", "Signed Off"}));
  BOOST_TEST(get(projects, portal + "/roles").body["roles"].dump().find("\"Employee\"") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_project_takes_the_statuses_of_its_layout_only) {
  patch(control, "/control/projects/20639270/projects/" + project,
        {{"task_layout", {{"id", "2063927000000016120"}}}});
  const std::string id = task({{"name", "Install"}});
  BOOST_TEST(read_task(id)["status"]["name"] == "Scheduled");
  const Reply refused = set_status(id, closed_status);
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.body["error"]["details"][0]["field_name"] == "status");
  BOOST_TEST(set_status(id, "2063927000000016084").body["is_completed"] == true);
}

BOOST_AUTO_TEST_CASE(clients_are_made_and_associated) {
  BOOST_TEST(get(projects, portal + "/clients").status == 204);
  const std::string client = post(projects, portal + "/clients", {{"name", "Acme"}}).body["id"];
  const std::string below = portal + "/projects/" + project;
  BOOST_TEST(
      post(projects, below + "/associate-client", {{"clients", {{{"id", client}}}}}).status == 200);
  BOOST_TEST(get(projects, below + "/clients").body["clients"][0]["name"] == "Acme");
  BOOST_TEST(get(projects, portal + "/clients/" + client).body["projects_count"] == 1);
  BOOST_TEST(patch(projects, portal + "/clients/" + client, {{"name", "Acme Corp"}}).body["name"] ==
             "Acme Corp");
  BOOST_TEST(remove(projects, below + "/clients/" + client).status == 204);
  BOOST_TEST(get(projects, below + "/clients").status == 204);
}

BOOST_AUTO_TEST_CASE(users_are_listed_found_and_added) {
  BOOST_TEST(get(projects, portal + "/users?page=1").body["users"].size() == 3U);
  BOOST_TEST(get(projects, portal + "/users/alicia.reyes@example.com").body["zpuid"] == alicia);
  const Reply added =
      post(projects, portal + "/users", {{"email", "linda@example.com"}, {"role", "Employee"}});
  BOOST_TEST(added.status == 201);
  BOOST_TEST(added.body["role"]["name"] == "Employee");
  BOOST_TEST(post(projects, portal + "/users", {{"email", "linda@example.com"}}).status == 400);
  BOOST_TEST(get(projects, portal + "/projects/" + project + "/users").body["users"].size() == 1U);
  post(projects, portal + "/projects/" + project + "/users", {{"zpuid", alicia}});
  BOOST_TEST(get(projects, portal + "/projects/" + project + "/users").body["users"].size() == 2U);
}

BOOST_AUTO_TEST_CASE(deleted_records_are_gone_and_show_in_the_bin) {
  const std::string id = task({{"name", "Ship"}});
  const Reply reply = remove(projects, tasks + "/" + id);
  BOOST_TEST(reply.status == 204);
  BOOST_TEST(reply.body.is_null());
  BOOST_TEST(get(projects, tasks + "/" + id).body["error"]["title"] == "RESOURCE_NOT_FOUND");
  const std::string path = portal + "/projects/" + project;
  BOOST_TEST(remove(projects, path).status == 400);  // trash first
  BOOST_TEST(post(projects, path + "/trash", nullptr).status == 204);
  BOOST_TEST(get(projects, portal + "/projects?page=1").body.empty());
  BOOST_TEST(get(projects, portal + "/bin").body["trash"].size() == 2U);
  BOOST_TEST(post(projects, path + "/restore", nullptr).status == 204);
  BOOST_TEST(get(projects, portal + "/projects?page=1").body.size() == 1U);
  post(projects, path + "/trash", nullptr);
  BOOST_TEST(remove(projects, path).status == 204);
  BOOST_TEST(get(projects, path).status == 400);
}

BOOST_AUTO_TEST_CASE(comments_answer_as_bare_arrays) {
  const std::string comments = tasks + "/" + task({{"name", "Ship"}}) + "/comments";
  const Reply made = post(projects, comments, {{"comment", "Done<br>see file"}});
  BOOST_REQUIRE(made.body.is_array());
  const std::string id = made.body[0]["id"];
  BOOST_TEST(patch(projects, comments + "/" + id, {{"comment", "Not done"}}).body[0]["comment"] ==
             "Not done");
  BOOST_TEST(get(projects, comments + "?page=1").body["comments"].size() == 1U);
  BOOST_TEST(remove(projects, comments + "/" + id).status == 204);
}

BOOST_AUTO_TEST_CASE(a_person_s_edit_moves_the_time_and_fires_the_webhook_with_its_token) {
  Receiver receiver;
  post(control, "/control/projects-webhook",
       {{"portal", "20639270"}, {"url", receiver.url()}, {"token", "shared"}});
  const std::string id =
      post(control, "/control/projects/20639270/tasks", {{"project_id", project}, {"name", "Call"}})
          .body["id"];
  const Json created = receiver.next();
  BOOST_TEST(created == (Json{{"module", "tasks"},
                              {"id", id},
                              {"project_id", project},
                              {"event", "create"},
                              {"token", "shared"}}));
  const std::string before = read_task(id)["last_updated_time"];
  BOOST_TEST(read_task(id)["created_by"]["email"] == "alicia.reyes@example.com");
  advance(1);
  patch(control, "/control/projects/20639270/tasks/" + id, {{"name", "Call back"}});
  BOOST_TEST(read_task(id)["last_updated_time"] != before);
  BOOST_TEST(receiver.next()["event"] == "update");
  remove(control, "/control/projects/20639270/tasks/" + id);
  BOOST_TEST(receiver.next()["event"] == "delete");
}

BOOST_AUTO_TEST_CASE(webhooks_can_be_doubled_and_dropped) {
  Receiver receiver;
  post(control, "/control/projects-webhook",
       {{"portal", "20639270"}, {"url", receiver.url()}, {"token", "shared"}});
  post(control, "/control/webhooks", {{"mode", "duplicate"}});
  const std::string first = task({{"name", "first"}});
  BOOST_TEST(receiver.next()["id"] == first);
  BOOST_TEST(receiver.next()["id"] == first);
  post(control, "/control/webhooks", {{"mode", "drop"}});
  task({{"name", "lost"}});
  post(control, "/control/webhooks", {{"mode", "normal"}});
  const std::string third = task({{"name", "third"}});
  BOOST_TEST(receiver.next()["id"] == third);
  BOOST_TEST(counter("webhooks_dropped") == 1);
}

BOOST_AUTO_TEST_CASE(wrong_urls_methods_and_bodies_have_their_titles) {
  BOOST_TEST(get(projects, "/api/v3/portal/1/projects").body["error"]["title"] ==
             "URL_RULE_NOT_CONFIGURED");
  BOOST_TEST(put(projects, tasks, {}).body["error"]["title"] == "INVALID_METHOD");
  const auto broken = Contract::read(
      projects.Post(tasks, {{"Authorization", authorization}}, "{", "application/json"));
  BOOST_TEST(broken.body["error"]["title"] == "INVALID_INPUTSTREAM");
  BOOST_TEST(get(projects, tasks + "/2063927000000999999").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
