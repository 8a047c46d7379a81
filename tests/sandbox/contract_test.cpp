// SPDX-License-Identifier: PostgreSQL
// What all services share: tokens, faults, the log, the journal, starting and stopping.
#define BOOST_TEST_MODULE sandbox_contract
#include "contract_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace crm_bridge::sandbox;

namespace {

// A folder of its own, gone afterwards.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sandbox-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string &file, const std::string &text) const {
    std::ofstream{path / file} << text;
  }

  std::filesystem::path path;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(accounts, Contract)

BOOST_AUTO_TEST_CASE(a_refresh_gives_a_token_and_no_new_refresh_token) {
  const Reply reply = refresh();
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.body["token_type"] == "Bearer");
  BOOST_TEST(reply.body["expires_in"] == 3600);
  BOOST_TEST(!reply.body.contains("refresh_token"));
  BOOST_TEST(reply.body["scope"].get<std::string>().find(' ') != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_api_domain_is_the_crm_and_not_projects) {
  BOOST_TEST(refresh().body["api_domain"] == sandbox.crm());
  BOOST_TEST(sandbox.crm() != sandbox.projects());
}

BOOST_AUTO_TEST_CASE(token_errors_come_with_status_200) {
  const Reply secret = refresh("wrong");
  BOOST_TEST(secret.status == 200);
  BOOST_TEST(secret.body == (Json{{"error", "invalid_client_secret"}}));
  BOOST_TEST(refresh("sandbox-secret", "1000.other").body["error"] == "invalid_code");
}

BOOST_AUTO_TEST_CASE(the_eleventh_token_in_ten_minutes_is_refused) {
  for (int i = 0; i < 9; ++i)
    BOOST_TEST(refresh().body.contains("access_token"));  // the fixture took one
  const Reply refused = refresh();
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.body["error"] == "Access Denied");
  advance(601);
  BOOST_TEST(refresh().body.contains("access_token"));
}

BOOST_AUTO_TEST_CASE(a_missing_wrong_or_expired_token_is_refused_in_each_service_s_words) {
  const auto bare = Contract::read(crm.Get("/crm/v8/org"));
  BOOST_TEST(bare.status == 401);
  BOOST_TEST(bare.body["code"] == "INVALID_TOKEN");
  const std::string token = authorization;
  authorization = "Bearer " + token.substr(token.find(' ') + 1);
  BOOST_TEST(get(crm, "/crm/v8/org").status == 401);
  const Reply wrong = get(projects, "/api/v3/portals");
  BOOST_TEST(wrong.status == 401);
  BOOST_TEST(wrong.body["error"]["title"] == "INVALID_OAUTHTOKEN");
  authorization = token;
  BOOST_TEST(get(crm, "/crm/v8/org").status == 200);
  advance(3601);
  BOOST_TEST(get(crm, "/crm/v8/org").status == 401);
}

BOOST_AUTO_TEST_CASE(all_tokens_can_be_expired_at_once) {
  post(control, "/control/tokens/expire", nullptr);
  BOOST_TEST(get(crm, "/crm/v8/org").status == 401);
  sign_in();
  BOOST_TEST(get(crm, "/crm/v8/org").status == 200);
}

BOOST_AUTO_TEST_CASE(a_revoked_refresh_token_gives_nothing_any_more) {
  BOOST_TEST(Contract::read(accounts.Post("/oauth/v2/token/revoke",
                                          httplib::Params{{"token", "1000.sandbox-refresh"}}))
                 .body["status"] == "success");
  BOOST_TEST(refresh().body["error"] == "invalid_code");
  BOOST_TEST(get(crm, "/crm/v8/org").status == 401);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(faults, Contract)

BOOST_AUTO_TEST_CASE(drop_after_keeps_the_effect_and_sends_no_answer) {
  fault({{"service", "crm"},
         {"method", "POST"},
         {"path_contains", "/Deals"},
         {"kind", "drop_after"}});
  const Json body = {
      {"data", {{{"Deal_Name", "Routers"}, {"Stage", "Qualification"}, {"Bridge_Id", "b-1"}}}}};
  BOOST_TEST(post(crm, "/crm/v8/Deals", body).status == 0);
  const Reply again = post(crm, "/crm/v8/Deals", body);
  BOOST_TEST(again.status == 400);
  BOOST_TEST(again.body["data"][0]["code"] == "DUPLICATE_DATA");
  BOOST_TEST(get(control, "/control/crm/Deals").body.size() == 1U);
}

BOOST_AUTO_TEST_CASE(drop_before_does_nothing_and_sends_no_answer) {
  fault({{"service", "crm"}, {"method", "POST"}, {"kind", "drop_before"}});
  const Json body = {{"data", {{{"Deal_Name", "Routers"}, {"Stage", "Qualification"}}}}};
  BOOST_TEST(post(crm, "/crm/v8/Deals", body).status == 0);
  BOOST_TEST(get(control, "/control/crm/Deals").body.size() == 0U);
}

BOOST_AUTO_TEST_CASE(faults_are_used_up_and_can_be_taken_back) {
  fault({{"service", "crm"}, {"kind", "status"}, {"status", 503}, {"times", 2}});
  BOOST_TEST(get(crm, "/crm/v8/org").status == 503);
  BOOST_TEST(get(crm, "/crm/v8/org").status == 503);
  BOOST_TEST(get(crm, "/crm/v8/org").status == 200);
  fault({{"service", "projects"}, {"kind", "status"}, {"times", 100}});
  BOOST_TEST(get(projects, "/api/v3/portals").status == 500);
  remove(control, "/control/faults");
  BOOST_TEST(get(projects, "/api/v3/portals").status == 200);
}

BOOST_AUTO_TEST_CASE(each_service_refuses_a_rate_in_its_own_way) {
  fault({{"service", "crm"}, {"kind", "rate_limited"}});
  const Reply crm_reply = get(crm, "/crm/v8/org");
  BOOST_TEST(crm_reply.status == 429);
  BOOST_TEST(crm_reply.body["code"] == "TOO_MANY_REQUESTS");
  BOOST_TEST(crm_reply.headers.count("Retry-After") == 0U);
  fault({{"service", "projects"}, {"kind", "rate_limited"}, {"retry_after", "7"}});
  const Reply projects_reply = get(projects, "/api/v3/portals");
  BOOST_TEST(projects_reply.status == 400);
  BOOST_TEST(projects_reply.headers.find("Retry-After")->second == "7");
}

BOOST_AUTO_TEST_CASE(an_html_page_and_an_expired_token_can_be_had) {
  fault({{"service", "crm"}, {"kind", "html"}});
  const Reply page = get(crm, "/crm/v8/org");
  BOOST_TEST(page.status == 502);
  BOOST_TEST(page.body.is_discarded());
  fault({{"service", "crm"}, {"kind", "expire_token"}});
  BOOST_TEST(get(crm, "/crm/v8/org").status == 401);
  BOOST_TEST(get(crm, "/crm/v8/org").status == 401);
}

BOOST_AUTO_TEST_CASE(an_answer_can_be_cut_spoilt_and_held_while_its_effect_stays) {
  const auto insert_named = [this](const std::string &name) {
    return post(crm, "/crm/v8/Accounts", {{"data", {{{"Account_Name", name}}}}});
  };
  fault({{"service", "crm"}, {"kind", "cut"}, {"at", 40}});
  BOOST_TEST(insert_named("Cut").status == 0);
  fault({{"service", "crm"}, {"kind", "cut"}, {"at", 40}, {"reset", true}});
  BOOST_TEST(insert_named("Reset").status == 0);
  fault({{"service", "crm"}, {"kind", "spoil"}, {"how", "truncated"}});
  BOOST_TEST(insert_named("Truncated").body.is_discarded());
  fault({{"service", "crm"}, {"kind", "spoil"}, {"how", "rows_missing"}});
  BOOST_TEST(insert_named("Missing").body["data"].size() == 0U);
  fault({{"service", "crm"}, {"kind", "drip"}, {"delay_ms", 1}});
  BOOST_TEST(insert_named("Dripped").status == 201);
  fault({{"service", "crm"}, {"kind", "hold_answer"}, {"delay_ms", 600000}});
  std::thread held{[&] { BOOST_TEST(insert_named("Held").status == 201); }};
  while (!get(control, "/control/counters").body.contains("answers_held"))
    std::this_thread::yield();
  BOOST_TEST(get(control, "/control/crm/Accounts").body.size() == 6U);
  remove(control, "/control/faults");
  held.join();
  BOOST_TEST(post(control, "/control/faults", {{"kind", "spoil"}, {"how", "unheard of"}}).status ==
             400);
}

BOOST_AUTO_TEST_CASE(a_fault_can_meet_some_of_the_requests) {
  fault({{"service", "crm"}, {"kind", "status"}, {"times", 1000}, {"chance", 50}, {"seed", 7}});
  int met = 0;
  for (int i = 0; i < 100; ++i) met += get(crm, "/crm/v8/org").status == 500 ? 1 : 0;
  BOOST_TEST(met > 20);
  BOOST_TEST(met < 80);
}

BOOST_AUTO_TEST_CASE(a_stale_read_shows_what_was_before_the_last_change) {
  const std::string id = insert("Accounts", {{"Account_Name", "Zylker"}});
  put(crm, "/crm/v8/Accounts/" + id, {{"data", {{{"Account_Name", "Zylker Inc"}}}}});
  fault({{"service", "crm"}, {"kind", "stale_read"}});
  BOOST_TEST(record("Accounts", id)["Account_Name"] == "Zylker");
  BOOST_TEST(record("Accounts", id)["Account_Name"] == "Zylker Inc");
}

BOOST_AUTO_TEST_CASE(requests_are_logged_with_time_and_status) {
  const auto before = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const Json first = get(control, "/control/requests").body;
  get(crm, "/crm/v8/Deals?fields=Stage&per_page=7");
  const Json log =
      get(control, "/control/requests?service=crm&since=" + first["last_sequence"].dump())
          .body["requests"];
  BOOST_REQUIRE(log.size() == 1U);
  BOOST_TEST(log[0]["path"] == "/crm/v8/Deals");
  BOOST_TEST(log[0]["query"] == "fields=Stage&per_page=7");
  BOOST_TEST(log[0]["status"] == 204);
  BOOST_TEST(log[0]["arrived_at"].get<std::int64_t>() >= before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(the_journal_has_every_accepted_effect_and_no_other) {
  const Folder folder;
  const std::string file = folder.path / "journal";
  Options options;
  options.journal = file;
  options.journal_sync = true;
  {
    Contract contract{options};
    const std::string id = contract.insert("Accounts", {{"Account_Name", "Zylker"}});
    contract.post(contract.crm, "/crm/v8/Accounts", {{"data", {{{"Phone", "1"}}}}});  // refused
    contract.remove(contract.crm, "/crm/v8/Accounts/" + id);
    contract.post(contract.projects, "/api/v3/portal/20639270/clients", {{"name", "Zylker"}});
  }
  std::ifstream journal{file};
  std::vector<std::string> operations;
  for (std::string line; std::getline(journal, line);) {
    const Json effect = Json::parse(line);
    operations.push_back(effect["module"].get<std::string>() + " " +
                         effect["operation"].get<std::string>());
  }
  const std::vector<std::string> expected{"Accounts insert", "Accounts delete", "clients create"};
  BOOST_TEST(operations == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sixty_four_kept_connections_are_served_at_once) {
  Options options;
  options.crm_concurrency = 0;
  Contract contract{options};
  std::vector<std::unique_ptr<httplib::Client>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<httplib::Client>(contract.sandbox.crm()));
    clients.back()->set_keep_alive(true);
    BOOST_TEST(contract.get(*clients.back(), "/crm/v8/org").status == 200);
  }
  for (auto &client : clients) BOOST_TEST(contract.get(*client, "/crm/v8/org").status == 200);
}

BOOST_AUTO_TEST_CASE(the_ready_file_names_all_addresses) {
  const Folder folder;
  Options options;
  options.ready_file = folder.path / "ready";
  const Sandbox sandbox{options};
  std::ifstream file{options.ready_file};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  BOOST_TEST(text == "SANDBOX_ACCOUNTS=" + sandbox.accounts() + "\nSANDBOX_CRM=" + sandbox.crm() +
                         "\nSANDBOX_PROJECTS=" + sandbox.projects() + "\nSANDBOX_BIGIN=" +
                         sandbox.bigin() + "\nSANDBOX_GRAPH=" + sandbox.graph() +
                         "\nSANDBOX_CONTROL=" + sandbox.control() + "\n");
}

BOOST_FIXTURE_TEST_CASE(the_sales_data_comes_in_with_its_flaws, Contract) {
  const Folder folder;
  folder.write("accounts.csv",
               "account,sector,year_established,revenue,employees,office_location,subsidiary_of\r\n"
               "Child,technolgy,1996,1.5,20,Kenya,Parent\r\n"
               "Parent,medical,1999,251.41,495,Italy,\r\n");
  folder.write("sales_teams.csv",
               "sales_agent,manager,regional_office\r\nAnna Snelling,Dustin Brinkmann,Central\r\n");
  folder.write("products.csv", "product,series,sales_price\r\nGTX Pro,GTX,4821\r\n");
  folder.write("sales_pipeline.csv",
               "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,"
               "close_value,engage_quarter,close_quarter\r\n"
               "1C1I7A6R,Anna Snelling,GTXPro,Child,Won,20-10-16,01-03-17,1054,Q4 2016,Q1 2017\r\n"
               "6CWZFOHJ,Anna Snelling,GTX Basic,,Prospecting,,,,,\r\n");
  const Json counts =
      post(control, "/control/import/crm-sales", {{"directory", folder.path.string()}}).body;
  BOOST_TEST(counts["deals"] == 2);
  BOOST_TEST(counts["accounts"] == 2);
  BOOST_TEST(counts["deals_without_account"] == 1);
  BOOST_TEST(counts["refused"] == 0);
  const Reply found = get(crm,
                          "/crm/v8/Deals?sort_order=asc&fields="
                          "Deal_Name,Stage,Closing_Date,Amount,Owner,Account_Name");
  const Json &won = found.body["data"][0];
  BOOST_TEST(won["Deal_Name"] == "GTXPro – Child (1C1I7A6R)");
  BOOST_TEST(won["Stage"] == "Closed Won");
  BOOST_TEST(won["Closing_Date"] == "2017-03-01");
  BOOST_TEST(won["Amount"] == 1054);
  BOOST_TEST(won["Owner"]["email"] == "anna.snelling@example.com");
  BOOST_TEST(won["Account_Name"]["name"] == "Child");
  const Json &open = found.body["data"][1];
  BOOST_TEST(open["Deal_Name"] == "GTX Basic (6CWZFOHJ)");
  BOOST_TEST(open["Amount"].is_null());
  const Json child = record("Accounts", won["Account_Name"]["id"]);
  BOOST_TEST(child["Industry"] == "technolgy");
  BOOST_TEST(child["Parent_Account"]["name"] == "Parent");
  BOOST_TEST(post(control, "/control/import/crm-sales", {{"directory", "/nowhere"}}).status == 400);
}
