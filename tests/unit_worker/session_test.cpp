// SPDX-License-Identifier: PostgreSQL
// The connectors against a scripted service: what goes over the wire when things go wrong.
#include <boost/test/unit_test.hpp>

#include "catalogs.hpp"
#include "scripted_bank.hpp"
#include "scripted_server.hpp"
#include "services/zoho_crm/connector.hpp"
#include "services/zoho_projects/connector.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;

namespace {

// A service, its token endpoint included, and a session with it.
class Stage {
 public:
  Stage(const std::string &kind, ScriptedServer::Script script, Catalog catalog, int limit = 1000)
      : server_([this, script](const SeenRequest &seen) {
          if (seen.target == "/oauth/v2/token") {
            return ScriptedServer::answer(
                200, R"({"access_token":"t)" + std::to_string(++tokens_) + R"("})");
          }
          return script(seen);
        }) {
    ServiceSettings settings;
    settings.kind = kind;
    settings.accounts_url = settings.api_url = server_.url();
    context_ =
        std::make_unique<ServiceContext>(settings, std::chrono::milliseconds{5000}, metrics_);
    client_ = std::make_unique<HttpClient>(context_->allowed());
    session_ = std::make_unique<Session>(
        *context_, *client_, Organization{1, "Org", "active", "1", "UTC"}, std::move(catalog),
        [] {
          return Credential{"c", "s", "r"};
        },
        [this](const std::string &, const std::vector<std::string> &ids) {
          std::vector<std::string> taken;
          for (const auto &id : ids) {
            if (std::find(known.begin(), known.end(), id) != known.end()) taken.push_back(id);
          }
          return taken;
        },
        std::chrono::milliseconds{0}, bank = std::make_shared<test::ScriptedBank>(limit));
  }

  template <typename T>
  T run(Task<T> task) {
    return client_->run(std::move(task));
  }
  Session &session() { return *session_; }
  // The calls of the API, without those for tokens: "METHOD target body".
  std::vector<std::string> calls() const {
    std::vector<std::string> list;
    for (const auto &seen : server_.seen()) {
      if (seen.target != "/oauth/v2/token") {
        list.push_back(seen.method + " " + seen.target +
                       (seen.body.empty() ? "" : " " + seen.body));
      }
    }
    return list;
  }
  std::vector<SeenRequest> seen() const { return server_.seen(); }
  std::vector<std::string> known;
  std::shared_ptr<test::ScriptedBank> bank;

 private:
  std::atomic<int> tokens_{0};
  Metrics metrics_;
  ScriptedServer server_;
  std::unique_ptr<ServiceContext> context_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Session> session_;
};

Change deal(const std::string &record_id, bool in_doubt) {
  Change change;
  change.module = "crm_deal";
  change.record_id = record_id;
  change.operation = Operation::create;
  change.fields = {{"deal_name", "A"}};
  change.in_doubt = in_doubt;
  return change;
}

Change project_task() {
  Change change;
  change.module = "projects_task";
  change.record_id = "r";
  change.operation = Operation::create;
  change.fields = {{"name", "Draft"}};
  change.context = {{"project_id", "85"}, {"portal_id", "1"}};
  return change;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(a_wrong_token_is_renewed_and_the_call_repeated_once) {
  int refusals = 1;
  Stage stage(
      "zoho_crm",
      [&](const SeenRequest &) {
        return refusals-- > 0 ? ScriptedServer::answer(401, R"({"code":"INVALID_TOKEN"})")
                              : ScriptedServer::answer(200, "{}");
      },
      test::crm_catalog());
  BOOST_TEST(stage.run(stage.session().send({"GET", "/crm/v8/org"})).status == 200);
  BOOST_TEST(stage.calls().size() == 2);
  BOOST_TEST(stage.seen().back().headers.find("Authorization: Zoho-oauthtoken t2") !=
             std::string::npos);
  refusals = 100;
  BOOST_TEST(stage.run(stage.session().send({"GET", "/crm/v8/org"})).status == 401);
  BOOST_TEST(stage.calls().size() == 4);
}

BOOST_AUTO_TEST_CASE(a_missing_scope_is_not_cured_by_a_new_token) {
  Stage stage(
      "zoho_crm",
      [](const SeenRequest &) {
        return ScriptedServer::answer(401, R"({"code":"OAUTH_SCOPE_MISMATCH"})");
      },
      test::crm_catalog());
  BOOST_TEST(stage.run(stage.session().send({"GET", "/crm/v8/org"})).status == 401);
  BOOST_TEST(stage.calls().size() == 1);
}

BOOST_AUTO_TEST_CASE(a_throttle_becomes_429_and_the_pattern_rests) {
  Stage stage(
      "zoho_projects",
      [](const SeenRequest &) {
        return ScriptedServer::answer(400,
                                      R"({"error":{"title":"URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
      "details":{"message":"Try again after 22 minutes."}}})");
      },
      test::projects_catalog());
  const HttpResult first = stage.run(stage.session().send({"GET", "/api/v3/portal/1/projects"}));
  BOOST_TEST(first.status == 429);
  const Verdict verdict = judge(first);
  BOOST_TEST(verdict.retry_after.count() == 22 * 60000);
  const HttpResult second = stage.run(stage.session().send({"GET", "/api/v3/portal/2/projects"}));
  BOOST_CHECK(second.transport == Transport::withheld);
  BOOST_TEST(stage.calls().size() == 1);
  BOOST_TEST(stage.bank->rested.at("GET /api/v3/portal/{}/projects").count() == 22 * 60000);
  BOOST_TEST(stage.bank->reasons.at(0).find("Try again after 22 minutes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(our_own_budget_holds_back) {
  Stage stage(
      "zoho_projects", [](const SeenRequest &) { return ScriptedServer::answer(200, "[]"); },
      test::projects_catalog(), 2);
  for (int i = 0; i < 2; ++i)
    BOOST_TEST(stage.run(stage.session().send({"GET", "/api/v3/portals"})).ok());
  const HttpResult third = stage.run(stage.session().send({"GET", "/api/v3/portals"}));
  BOOST_CHECK(third.transport == Transport::withheld);
  BOOST_TEST(third.retry_after.count() > 0);
}

BOOST_AUTO_TEST_CASE(a_call_that_is_repeated_costs_twice) {
  int refusals = 1;
  Stage stage(
      "zoho_projects",
      [&](const SeenRequest &) {
        return refusals-- > 0
                   ? ScriptedServer::answer(401, R"({"error":{"title":"INVALID_OAUTHTOKEN"}})")
                   : ScriptedServer::answer(200, "[]");
      },
      test::projects_catalog(), 2);
  BOOST_TEST(stage.run(stage.session().send({"GET", "/api/v3/portals"})).ok());
  BOOST_TEST(stage.bank->used("GET /api/v3/portals") == 2);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_while_nobody_knows_what_is_left) {
  Stage stage(
      "zoho_projects", [](const SeenRequest &) { return ScriptedServer::answer(200, "[]"); },
      test::projects_catalog());
  stage.bank->down = true;
  const HttpResult result = stage.run(stage.session().send({"GET", "/api/v3/portals"}));
  BOOST_CHECK(result.transport == Transport::withheld);
  BOOST_TEST(result.retry_after.count() > 0);
  BOOST_TEST(stage.calls().empty());
}

BOOST_AUTO_TEST_CASE(what_the_crm_says_is_left_is_passed_on) {
  Stage stage(
      "zoho_crm",
      [](const SeenRequest &) {
        return ScriptedServer::answer(200, "{}", "X-API-CREDITS-REMAINING: 4711\r\n");
      },
      test::crm_catalog());
  for (int i = 0; i < 4; ++i) stage.run(stage.session().send({"GET", "/crm/v8/org"}));
  BOOST_TEST(std::any_of(stage.bank->asks.begin(), stage.bank->asks.end(),
                         [](const auto &ask) { return ask.remaining == 4711; }));
}

BOOST_AUTO_TEST_CASE(a_doubtful_create_finds_itself_and_is_brought_up_to_date) {
  Stage stage(
      "zoho_crm",
      [](const SeenRequest &seen) {
        if (seen.target == "/crm/v8/coql") {
          return ScriptedServer::answer(
              200, R"({"data":[{"id":"900","Bridge_Id":"r1"}],"info":{"more_records":false}})");
        }
        const std::string id = seen.method == "PUT" ? "900" : "901";
        return ScriptedServer::answer(200,
                                      R"({"data":[{"code":"SUCCESS","details":{"id":")" + id +
                                          R"(","Modified_Time":"2026-03-02T09:15:00+00:00"}}]})");
      },
      test::crm_catalog());
  zoho_crm::Connector connector(stage.session().settings());
  const Delivered delivered =
      stage.run(connector.deliver(stage.session(), {deal("r1", true), deal("r2", true)}));
  BOOST_REQUIRE(delivered.settled.size() == 2);
  for (const auto &one : delivered.settled) {
    BOOST_TEST(to_text(one.verdict.outcome) == "done");
    BOOST_TEST(one.external_id == (one.record_id == "r1" ? "900" : "901"));
  }
  const auto calls = stage.calls();
  BOOST_REQUIRE(calls.size() == 3);
  BOOST_TEST(calls[0].find("where Bridge_Id in ('r1','r2')") != std::string::npos);
  BOOST_TEST(calls[1] ==
             R"(POST /crm/v8/Deals {"data":[{"Bridge_Id":"r2","Deal_Name":"A"}],"trigger":[]})");
  BOOST_TEST(calls[2] ==
             R"(PUT /crm/v8/Deals {"data":[{"Deal_Name":"A","id":"900"}],"trigger":[]})");
}

BOOST_AUTO_TEST_CASE(a_failed_lookup_leaves_the_doubt) {
  Stage stage(
      "zoho_crm", [](const SeenRequest &) { return ScriptedServer::answer(500, ""); },
      test::crm_catalog());
  zoho_crm::Connector connector(stage.session().settings());
  const Delivered delivered = stage.run(connector.deliver(stage.session(), {deal("r1", true)}));
  BOOST_TEST(to_text(delivered.settled.at(0).verdict.outcome) == "in_doubt");
  BOOST_TEST(stage.calls().size() == 1);
}

BOOST_AUTO_TEST_CASE(one_record_alone_is_guarded_by_its_version) {
  Stage stage(
      "zoho_crm",
      [](const SeenRequest &) {
        return ScriptedServer::answer(
            412, R"({"data":[{"code":"ALREADY_MODIFIED","details":{"id":"5"},"message":"m"}]})");
      },
      test::crm_catalog());
  zoho_crm::Connector connector(stage.session().settings());
  Change update = deal("r1", false);
  update.operation = Operation::update;
  update.external_id = "5";
  update.version = "2026-03-02 03:45:00+00";
  const Delivered delivered = stage.run(connector.deliver(stage.session(), {update}));
  BOOST_TEST(delivered.settled.at(0).read_again);
  const auto seen = stage.seen();
  BOOST_TEST(std::any_of(seen.begin(), seen.end(), [](const SeenRequest &one) {
    return one.method == "PUT" &&
           one.headers.find("If-Unmodified-Since: 2026-03-02T03:45:00+00:00") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(the_first_tasks_of_a_project_share_one_new_list) {
  Stage stage(
      "zoho_projects",
      [](const SeenRequest &seen) {
        if (seen.method == "GET") return ScriptedServer::answer(204, "");
        if (seen.target.ends_with("/tasklists"))
          return ScriptedServer::answer(201, R"({"id":"86","name":"General"})");
        return ScriptedServer::answer(
            201, R"({"id":"90","name":"Draft","tasklist":{"id":"86"},"prefix":"T1"})");
      },
      test::projects_catalog());
  zoho_projects::Connector connector(stage.session().settings());
  Task<Delivered> one = connector.deliver(stage.session(), {project_task()});
  Task<Delivered> other = connector.deliver(stage.session(), {project_task()});
  one.start();
  other.start();
  while (!one.done() || !other.done())
    stage.session().client().turn(std::chrono::milliseconds{100});
  const Delivered delivered = one.take();
  BOOST_TEST(to_text(delivered.settled.at(0).verdict.outcome) == "done");
  BOOST_TEST(delivered.settled.at(0).external_id == "90");
  BOOST_REQUIRE(delivered.seen.size() == 1);
  BOOST_TEST(to_text(delivered.seen[0].records.at(0).fields) ==
             R"({"name":"General","project_id":"85"})");
  BOOST_TEST(other.take().seen.empty());
  int lists_made = 0;
  for (const auto &call : stage.calls())
    lists_made += call.starts_with("POST /api/v3/portal/1/projects/85/tasklists") ? 1 : 0;
  BOOST_TEST(lists_made == 1);
}

BOOST_AUTO_TEST_CASE(a_lost_task_is_looked_for_among_strangers) {
  Stage stage(
      "zoho_projects",
      [](const SeenRequest &seen) {
        if (seen.method == "GET") {
          return ScriptedServer::answer(
              200,
              R"({"tasks":[{"id":"91","name":"Draft"},{"id":"90","name":"Draft"},{"id":"92","name":"Other"}]})");
        }
        return ScriptedServer::answer(200, R"({"id":"90","name":"Draft"})");
      },
      test::projects_catalog());
  stage.known = {"91"};  // the twin of another record of ours
  zoho_projects::Connector connector(stage.session().settings());
  Change change = project_task();
  change.in_doubt = true;
  const Delivered delivered = stage.run(connector.deliver(stage.session(), {change}));
  BOOST_TEST(to_text(delivered.settled.at(0).verdict.outcome) == "done");
  BOOST_TEST(delivered.settled.at(0).external_id == "90");
  BOOST_TEST(stage.calls().back() ==
             R"(PATCH /api/v3/portal/1/projects/85/tasks/90 {"name":"Draft"})");
}

BOOST_AUTO_TEST_CASE(an_assumed_call_parks_but_the_project_is_made_and_told) {
  Stage stage(
      "zoho_projects",
      [](const SeenRequest &) {
        return ScriptedServer::answer(201, R"({"id":"85","name":"P","status":{"name":"Active"}})");
      },
      test::projects_catalog());
  zoho_projects::Connector connector(stage.session().settings());
  Change change;
  change.module = "projects_project";
  change.record_id = "r";
  change.operation = Operation::create;
  change.fields = {{"name", "P"}, {"client_id", "3"}};
  change.context = {{"portal_id", "1"}};
  const Delivered delivered = stage.run(connector.deliver(stage.session(), {change}));
  BOOST_TEST(to_text(delivered.settled.at(0).verdict.outcome) == "park");
  BOOST_TEST(delivered.settled.at(0).verdict.reason == "assumed_call");
  BOOST_TEST(delivered.settled.at(0).external_id == "85");
  BOOST_TEST(delivered.settled.at(0).created);
  BOOST_TEST(stage.calls().size() == 1);
}

BOOST_AUTO_TEST_CASE(a_delta_read_moves_its_cursor_and_ends) {
  Stage stage(
      "zoho_crm",
      [](const SeenRequest &seen) {
        if (seen.target.find("/actions/count") != std::string::npos)
          return ScriptedServer::answer(200, R"({"count":2})");
        if (seen.target.find("/deleted") != std::string::npos)
          return ScriptedServer::answer(204, "");
        if (seen.target.find("page_token=p2") != std::string::npos) {
          return ScriptedServer::answer(
              200,
              R"({"data":[{"id":"2","Deal_Name":"B","Modified_Time":"2026-03-02T09:15:01+00:00"}],
        "info":{"more_records":false}})");
        }
        return ScriptedServer::answer(
            200,
            R"({"data":[{"id":"1","Deal_Name":"A","Modified_Time":"2026-03-02T09:15:00+00:00"}],
      "info":{"more_records":true,"next_page_token":"p2"}})");
      },
      test::crm_catalog());
  zoho_crm::Connector connector(stage.session().settings());
  Json cursor;
  std::vector<std::string> ids;
  std::optional<std::int64_t> expected;
  bool more = true;
  for (int step = 0; more && step < 10; ++step) {
    Page page = stage.run(connector.read_page(stage.session(), "crm_deal", cursor));
    for (const auto &records : page.records) {
      for (const auto &record : records.records) ids.push_back(record.external_id);
    }
    if (page.expected) expected = page.expected;
    cursor = page.cursor;
    more = page.more;
  }
  BOOST_TEST(!more);
  const std::vector<std::string> both{"1", "2"};
  BOOST_TEST(ids == both, boost::test_tools::per_element());
  BOOST_TEST(expected.value() == 2);
  BOOST_TEST(scalar_text(cursor, "since") == "2026-03-02T09:15:01+00:00");
  BOOST_TEST(truthy(find(cursor, "settled")));
  // The next one asks from the second after: everything of that second was seen long afterwards.
  stage.run(connector.read_page(stage.session(), "crm_deal", cursor));
  BOOST_TEST(stage.seen().back().headers.find("If-Modified-Since: 2026-03-02T09:15:02+00:00") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
