// SPDX-License-Identifier: PostgreSQL
// Answers that try to lead the worker, and its token, to another host.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "catalogs.hpp"
#include "scripted_server.hpp"
#include "services/zoho_crm/connector.hpp"
#include "services/zoho_projects/connector.hpp"

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;

namespace {

// EVIL stands for the other host's address and port.
const std::string forms[] = {"http://EVIL",
                             "http://EVIL/",
                             "https://EVIL",
                             "//EVIL/crm/v8",
                             "http://www.zohoapis.com@EVIL/",
                             "http://user:word@EVIL/",
                             "http://EVIL#www.zohoapis.com",
                             "http://EVIL?www.zohoapis.com",
                             "http://EVIL\\\\@www.zohoapis.com",
                             "http:\\\\\\\\EVIL",
                             "HTTP://EVIL",
                             "ftp://EVIL/",
                             "file:///etc/passwd",
                             "gopher://EVIL/_x",
                             "javascript:alert(1)",
                             "data:text/plain,x",
                             "http://2130706433/",
                             "http://0x7f000001/",
                             "http://0177.0.0.1/",
                             "http://127.1/",
                             "http://[::ffff:127.0.0.1]/",
                             "http://169.254.169.254/latest/meta-data",
                             "https://www.zohoapis.com.evil.test",
                             "https://www.zohoapis.com./",
                             "https://www.zohoapis.com:8443/",
                             "https://www.zohoapis.com%2eevil.test/",
                             "https://www.zoho\\u0430pis.com/",
                             "https://xn--zohapis-lfg.com/",
                             "http://localhost.evil.test/",
                             "http://EVIL/%2e%2e/",
                             "../../EVIL",
                             "?next=http://EVIL",
                             "",
                             "\\u0000"};

struct Stage {
  Stage(const std::string &kind, const std::string &form, Catalog catalog)
      : evil([](const SeenRequest &) { return ScriptedServer::answer(200, "{}"); }),
        server([this](const SeenRequest &seen) { return reply(seen); }) {
    hostile = form;
    const std::string address = evil.url().substr(7);
    for (std::size_t at = 0; (at = hostile.find("EVIL", at)) != std::string::npos;)
      hostile.replace(at, 4, address);
    settings.kind = kind;
    settings.accounts_url = settings.api_url = server.url();
    context = std::make_unique<ServiceContext>(settings, std::chrono::seconds{5}, metrics);
    client = std::make_unique<HttpClient>(context->allowed());
    session = std::make_unique<Session>(
        *context, *client, Organization{1, "Org", "active", "1", "UTC"}, std::move(catalog),
        [] {
          return Credential{"c", "s", "r"};
        },
        [](const std::string &, const std::vector<std::string> &ids) { return ids; },
        std::chrono::milliseconds{0});
  }

  // Everything that an answer could carry an address in, it does.
  std::string reply(const SeenRequest &seen) const {
    const std::string quoted = "\"" + hostile + "\"";
    if (seen.target == "/oauth/v2/token") {
      return ScriptedServer::answer(200, R"({"access_token":"t","api_domain":)" + quoted +
                                             R"(,"location":)" + quoted + R"(,"accounts-server":)" +
                                             quoted + "}");
    }
    const std::string body =
        R"({"data":[{"id":"1","Modified_Time":"2026-03-02T09:15:00+00:00","$uri":)" + quoted +
        R"(}],"projects":[],"tasks":[],"users":[],"@odata.nextLink":)" + quoted + R"(,"next":)" +
        quoted + R"(,"page_info":{"has_next_page":false,"next_page_url":)" + quoted +
        R"(},"info":{"more_records":false,"next_page_url":)" + quoted + "}}";
    return ScriptedServer::answer(200, body,
                                  "Link: <" + evil.url() + ">; rel=\"next\"\r\n" +
                                      "Refresh: 0; url=" + evil.url() + "\r\n" +
                                      "Content-Location: " + evil.url() + "\r\n");
  }

  ScriptedServer evil;
  std::string hostile;
  ServiceSettings settings;
  Metrics metrics;
  ScriptedServer server;
  std::unique_ptr<ServiceContext> context;
  std::unique_ptr<HttpClient> client;
  std::unique_ptr<Session> session;
};

template <typename Connector>
void read_all(Stage &stage, const std::string &module) {
  Connector connector(stage.session->settings());
  Json cursor;
  for (int page = 0; page < 5; ++page) {
    try {
      const Page answer =
          stage.client->run(connector.read_page(*stage.session, module, std::move(cursor)));
      if (!answer.more) break;
      cursor = answer.cursor;
    } catch (const ServiceFailure &) {
      break;  // what it makes of such an answer is not the question here
    } catch (const MalformedJson &) {
      break;
    }
  }
  BOOST_TEST(!stage.server.seen().empty());
  BOOST_TEST(stage.evil.seen().empty());
  // Nor does the address come into a path of ours.
  for (const auto &seen : stage.server.seen())
    BOOST_TEST(seen.target.find("://") == std::string::npos);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile)

BOOST_DATA_TEST_CASE(no_answer_of_the_crm_leads_elsewhere, data::make(forms), form) {
  Stage stage("zoho_crm", form, test::crm_catalog());
  read_all<zoho_crm::Connector>(stage, "crm_deal");
}

BOOST_DATA_TEST_CASE(no_answer_of_projects_leads_elsewhere, data::make(forms), form) {
  Stage stage("zoho_projects", form, test::projects_catalog());
  read_all<zoho_projects::Connector>(stage, "projects_task");
}

BOOST_DATA_TEST_CASE(no_notice_leads_elsewhere, data::make(forms), form) {
  Stage stage("zoho_crm", form, test::crm_catalog());
  zoho_crm::Connector connector(stage.session->settings());
  std::optional<Webhook> webhook;
  try {
    webhook = connector.parse_webhook(parse_json(
        R"({"module":"Deals","ids":["1"],"operation":"update","token":"t","resource_uri":")" +
        stage.hostile + R"(","query_params":{"next":")" + stage.hostile + R"("}})"));
  } catch (const MalformedJson &) {
    return;
  }
  BOOST_REQUIRE(webhook.has_value());
  Notice notice;
  notice.module = "crm_deal";
  notice.external_id = webhook->external_ids.front();
  notice.event = "update";
  try {
    stage.client->run(connector.read_records(*stage.session, "crm_deal", {notice}));
  } catch (const ServiceFailure &) {
  } catch (const MalformedJson &) {
  }
  BOOST_TEST(!stage.server.seen().empty());
  BOOST_TEST(stage.evil.seen().empty());
}

BOOST_AUTO_TEST_SUITE_END()
