// SPDX-License-Identifier: PostgreSQL
#include "http/oauth.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "scripted_server.hpp"

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;

namespace {

TokenAnswer read(int status, const std::string &body) {
  HttpResult result;
  result.transport = Transport::answered;
  result.status = status;
  result.body = body;
  return read_token_answer(result);
}

Credential credential() { return {"1000.C", "secret&=", "1000.refresh", "", "the first"}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(oauth)

BOOST_AUTO_TEST_CASE(lifetimes) {
  BOOST_TEST(read(200, R"({"access_token":"t","expires_in":3600})").lifetime.count() == 3600);
  BOOST_TEST(read(200, R"({"access_token":"t","expires_in":"3600"})").lifetime.count() == 3600);
  BOOST_TEST(read(200, R"({"access_token":"t","expires_in":3600000,"expires_in_sec":3600})")
                 .lifetime.count() == 3600);
  BOOST_TEST(read(200, R"({"access_token":"t","expires_in":3600000})").lifetime.count() == 3600);
  BOOST_TEST(read(200, R"({"access_token":"t"})").lifetime.count() == 3600);
}

BOOST_DATA_TEST_CASE(errors_count_whatever_the_status, data::make({200, 400}), status) {
  for (const char *error : {"invalid_code", "invalid_client", "invalid_client_secret"}) {
    const TokenAnswer answer = read(status, std::string(R"({"error":")") + error + "\"}");
    BOOST_CHECK(answer.kind == TokenAnswer::Kind::broken);
    BOOST_TEST(answer.error == error);
  }
  BOOST_CHECK(read(status, R"({"error":"Access Denied","status":"failure"})").kind ==
              TokenAnswer::Kind::throttled);
  BOOST_CHECK(read(status, R"({"error":"general_error"})").kind == TokenAnswer::Kind::transient);
  BOOST_CHECK(read(status, "<html>").kind == TokenAnswer::Kind::transient);
}

BOOST_AUTO_TEST_CASE(many_threads_make_one_refresh) {
  ScriptedServer server([](const SeenRequest &) {
    return ScriptedServer::answer(200, R"({"access_token":"t1","expires_in":3600})");
  });
  AccessTokens tokens(server.url(), AllowedOrigins({server.url()}));
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { good += tokens.get(1, credential) == "t1" ? 1 : 0; });
  }
  for (auto &thread : threads) thread.join();
  BOOST_TEST(good == 8);
  BOOST_REQUIRE(server.seen().size() == 1);
  BOOST_TEST(server.seen()[0].target == "/oauth/v2/token");
  BOOST_TEST(server.seen()[0].body ==
             "grant_type=refresh_token&refresh_token=1000.refresh&client_id=1000.C&client_secret="
             "secret%26%3D");
}

BOOST_AUTO_TEST_CASE(a_refused_token_is_renewed_once_for_all) {
  std::atomic<int> number{0};
  ScriptedServer server([&](const SeenRequest &) {
    return ScriptedServer::answer(
        200, R"({"access_token":"t)" + std::to_string(++number) + R"(","expires_in":3600})");
  });
  AccessTokens tokens(server.url(), AllowedOrigins({server.url()}));
  BOOST_TEST(tokens.get(1, credential) == "t1");
  tokens.refused(1, "t1");
  BOOST_TEST(tokens.get(1, credential) == "t2");
  tokens.refused(1, "t1");  // another thread's late complaint about the old one
  BOOST_TEST(tokens.get(1, credential) == "t2");
  BOOST_TEST(tokens.get(2, credential) == "t3");  // organizations do not share
}

BOOST_AUTO_TEST_CASE(a_broken_credential_is_not_asked_for_again_at_once) {
  ScriptedServer server([](const SeenRequest &) {
    return ScriptedServer::answer(200, R"({"error":"invalid_code"})");
  });
  AccessTokens tokens(server.url(), AllowedOrigins({server.url()}));
  for (int i = 0; i < 3; ++i) {
    BOOST_CHECK_EXCEPTION(tokens.get(1, credential), NoToken, [](const NoToken &fault) {
      return fault.refused() == "the first" && fault.retry_after().count() > 0 &&
             std::string(fault.what()).find("1000.refresh") == std::string::npos;
    });
  }
  BOOST_TEST(server.seen().size() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
