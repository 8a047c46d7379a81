// SPDX-License-Identifier: PostgreSQL
// Comments, client users, members and the bin of Zoho Projects V3.
#include "contract_portal.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::sandbox;

namespace {

struct Customer : Portal {
  Customer() {
    client = post(projects, portal + "/clients", {{"name", "Acme"}}).body["id"];
    post(projects, below + "/associate-client", {{"clients", {{{"id", client}}}}});
  }
  Reply invite(Json fields) { return post(projects, below + "/clientuser", fields); }

  const std::string below = portal + "/projects/" + project;
  std::string client;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(zoho_projects_people, Customer)

BOOST_AUTO_TEST_CASE(a_customer_s_person_is_invited_to_a_project_of_the_customer) {
  const Reply made = invite({{"email", "lin@acme.example"},
                             {"first_name", "Lin"},
                             {"client", {{"id", client}}},
                             {"notify", false}});
  BOOST_TEST(made.status == 201);
  const std::string zpuid = made.body["zpuid"];
  BOOST_TEST(made.body["client"]["name"] == "Acme");
  BOOST_TEST(counter("mails") == 0);  // "notify": false
  const Json listed = get(projects, below + "/clients/users?page=1").body["users"];
  BOOST_TEST(listed.size() == 1U);
  BOOST_TEST(listed[0]["zpuid"] == zpuid);
  // Not among our own people, neither of the portal nor of the project.
  BOOST_TEST(get(projects, portal + "/users?page=1").body["users"].size() == 3U);
  BOOST_TEST(get(projects, below + "/users?page=1").body["users"].size() == 1U);
  BOOST_TEST(get(projects, portal + "/users/" + zpuid).body["email"] == "lin@acme.example");
  BOOST_TEST(patch(projects, portal + "/users/" + zpuid, {{"last_name", "Wu"}}).body["full_name"] ==
             "Lin Wu");
  BOOST_TEST(remove(projects, below + "/clients/users/" + zpuid).status == 204);
  BOOST_TEST(get(projects, below + "/clients/users").status == 204);
  BOOST_TEST(post(projects, below + "/clientuser",
                  {{"userdetails", {{{"zpuid", zpuid}}}}, {"notify", false}})
                 .status == 200);
  BOOST_TEST(get(projects, below + "/clients/users").body["users"].size() == 1U);
  BOOST_TEST(remove(projects, portal + "/users/" + zpuid).status == 204);
  BOOST_TEST(get(projects, portal + "/users/" + zpuid).body["error"]["title"] ==
             "RESOURCE_NOT_FOUND");
}

BOOST_AUTO_TEST_CASE(nobody_is_invited_for_a_customer_of_another_project) {
  const std::string other = post(projects, portal + "/clients", {{"name", "Other"}}).body["id"];
  const Reply refused = invite({{"email", "x@other.example"}, {"client", {{"id", other}}}});
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.body["error"]["details"][0]["field_name"] == "client");
  BOOST_TEST(get(projects, portal + "/users/x@other.example").status == 400);
  BOOST_TEST(invite({{"email", "x@acme.example"}}).body["error"]["title"] ==
             "LESS_THAN_MIN_OCCURANCE");
}

BOOST_AUTO_TEST_CASE(members_come_and_go_but_the_owner_stays) {
  const Json admission = {{"userdetails", {{{"zpuid", alicia}}}}, {"notify", false}};
  BOOST_TEST(post(projects, below + "/projectusers", admission).status == 200);
  BOOST_TEST(counter("mails") == 0);
  BOOST_TEST(get(projects, below + "/users?page=1").body["users"].size() == 2U);
  BOOST_TEST(remove(projects, below + "/users/" + alicia).status == 204);
  const std::string owner = get(projects, below).body["owner"]["zpuid"];
  BOOST_TEST(remove(projects, below + "/users/" + owner).status == 400);
}

BOOST_AUTO_TEST_CASE(a_comment_belongs_to_its_task_and_its_author) {
  const std::string mine = task({{"name", "Ship"}});
  const std::string other = task({{"name", "Bill"}});
  const std::string comments = tasks + "/" + mine + "/comments";
  const std::string by_us = post(projects, comments, {{"comment", "a"}}).body[0]["id"];
  const std::string screen = "/control/projects/20639270/projects/" + project + "/tasks/" + mine;
  const Json by_person = post(control, screen + "/comments", {{"comment", "b"}}).body[0];
  BOOST_TEST(by_person["created_by"]["email"] == "alicia.reyes@example.com");
  BOOST_TEST(
      patch(projects, tasks + "/" + other + "/comments/" + by_us, {{"comment", "x"}}).status ==
      400);
  // A person changes his own, an administrator everybody's.
  BOOST_TEST(
      patch(control, screen + "/comments/" + by_us, {{"comment", "x"}}).body["error"]["title"] ==
      "FORBIDDEN");
  const std::string theirs = by_person["id"];
  BOOST_TEST(patch(projects, comments + "/" + theirs, {{"comment", "c"}}).status == 200);
  advance(1);
  BOOST_TEST(patch(projects, comments + "/" + theirs, {{"comment", "d"}})
                 .body[0]
                 .contains("updated_time"));
  BOOST_TEST(get(projects, comments + "?page=1&per_page=1").body["page_info"]["has_next_page"] ==
             true);
  BOOST_TEST(get(projects, comments).body["error"]["title"] == "LESS_THAN_MIN_OCCURANCE");
  remove(projects, tasks + "/" + mine);
  BOOST_TEST(get(projects, comments + "?page=1").body["error"]["title"] == "RESOURCE_NOT_FOUND");
}

BOOST_AUTO_TEST_CASE(what_is_emptied_out_of_the_bin_leaves_no_trace) {
  const std::string id = task({{"name", "Ship"}});
  remove(projects, tasks + "/" + id);
  BOOST_TEST(get(projects, portal + "/bin").body["trash"].size() == 1U);
  remove(control, "/control/projects/20639270/empty-bin");
  BOOST_TEST(get(projects, portal + "/bin").body["trash"].empty());
  BOOST_TEST(get(projects, tasks + "?page=1").status == 204);
}

BOOST_AUTO_TEST_SUITE_END()
