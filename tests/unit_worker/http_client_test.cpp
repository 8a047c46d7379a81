// SPDX-License-Identifier: PostgreSQL
#include "http/client.hpp"

#include <boost/test/unit_test.hpp>

#include "http/retry.hpp"
#include "scripted_server.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;

namespace {

HttpRequest request(const ScriptedServer &server, const std::string &method,
                    const std::string &path, const std::string &body = "") {
  HttpRequest one;
  one.method = method;
  one.url = server.url() + path;
  one.body = body;
  return one;
}

Task<std::vector<HttpResult>> in_turn(HttpClient &client, std::vector<HttpRequest> requests) {
  std::vector<HttpResult> results;
  for (auto &one : requests) results.push_back(co_await client.send(std::move(one)));
  co_return results;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_client)

BOOST_AUTO_TEST_CASE(connections_are_kept_and_bodies_arrive) {
  ScriptedServer server(
      [](const SeenRequest &seen) { return ScriptedServer::answer(200, seen.method + seen.body); });
  HttpClient client(AllowedOrigins({server.url()}));
  std::vector<HttpRequest> requests{
      request(server, "GET", "/a"), request(server, "PATCH", "/b", "x"),
      request(server, "DELETE", "/c"), request(server, "POST", "/d", "y"),
      request(server, "POST", "/e")};
  requests[3].repeatable = false;
  const auto results = client.run(in_turn(client, requests));
  const std::vector<std::string> expected{"GET", "PATCHx", "DELETE", "POSTy", "POST"};
  for (std::size_t i = 0; i < expected.size(); ++i) BOOST_TEST(results[i].body == expected[i]);
  for (const auto &seen : server.seen()) BOOST_TEST(seen.connection == 1);
}

BOOST_AUTO_TEST_CASE(an_unrepeatable_request_is_never_sent_twice) {
  // A kept connection that dies after the work was done, before the first byte of an answer:
  // libcurl by itself would send the request again.
  ScriptedServer server([](const SeenRequest &seen) {
    return seen.method == "GET" ? ScriptedServer::answer(200, "{}") : std::string{};
  });
  HttpClient client(AllowedOrigins({server.url()}));
  std::vector<HttpRequest> requests{request(server, "GET", "/warm-up"),
                                    request(server, "POST", "/create", "{}")};
  requests[1].repeatable = false;
  const auto results = client.run(in_turn(client, requests));
  BOOST_TEST(server.seen().size() == 2);
  BOOST_CHECK(results[1].transport == Transport::lost);
  BOOST_TEST(to_text(judge(results[1]).outcome) == "in_doubt");
}

BOOST_AUTO_TEST_CASE(nothing_listening_is_not_in_doubt) {
  std::string url;
  {
    ScriptedServer server([](const SeenRequest &) { return std::string{}; });
    url = server.url();
  }
  HttpClient client(AllowedOrigins({url}));
  HttpRequest one;
  one.url = url + "/";
  BOOST_CHECK(client.run(client.send(one)).transport == Transport::not_sent);
}

BOOST_AUTO_TEST_CASE(other_hosts_and_redirects_get_nothing) {
  ScriptedServer other([](const SeenRequest &) { return ScriptedServer::answer(200, "{}"); });
  ScriptedServer server([&](const SeenRequest &) {
    return ScriptedServer::answer(302, "", "Location: " + other.url() + "/steal\r\n");
  });
  HttpClient client(AllowedOrigins({server.url()}));
  BOOST_CHECK(client.run(client.send(request(other, "GET", "/"))).transport == Transport::withheld);
  const HttpResult result = client.run(client.send(request(server, "GET", "/")));
  BOOST_TEST(result.status == 302);
  BOOST_TEST(to_text(judge(result).outcome) == "in_doubt");
  BOOST_TEST(other.seen().empty());
}

BOOST_AUTO_TEST_CASE(an_answer_cut_short_or_too_long_is_lost) {
  ScriptedServer server([](const SeenRequest &seen) -> std::string {
    if (seen.target == "/long")
      return ScriptedServer::answer(200, std::string((16U << 20) + 1, 'x'));
    if (seen.target == "/headers")
      return ScriptedServer::answer(200, "{}", "X: " + std::string(70000, 'x') + "\r\n");
    return ScriptedServer::answer(200, "{}");
  });
  HttpClient client(AllowedOrigins({server.url()}));
  BOOST_CHECK(client.run(client.send(request(server, "GET", "/long"))).transport ==
              Transport::lost);
  BOOST_CHECK(client.run(client.send(request(server, "GET", "/headers"))).transport ==
              Transport::lost);
  BOOST_CHECK(client.run(client.send(request(server, "GET", "/good"))).ok());
}

BOOST_AUTO_TEST_CASE(a_dropped_task_drops_its_request) {
  ScriptedServer server([](const SeenRequest &) { return ScriptedServer::answer(200, "{}"); });
  HttpClient client(AllowedOrigins({server.url()}));
  {
    Task<HttpResult> task = client.send(request(server, "GET", "/"));
    task.start();
    Task<void> sleeper = client.sleep(std::chrono::hours{1});
    sleeper.start();
  }
  BOOST_CHECK(client.run(client.send(request(server, "GET", "/after"))).ok());
}

BOOST_AUTO_TEST_CASE(waiting_ends_when_asked_to_stop) {
  HttpClient client{AllowedOrigins{}};
  BOOST_CHECK_THROW(client.run(client.sleep(std::chrono::hours{1}), [] { return true; }),
                    HttpClient::Stopped);
}

BOOST_AUTO_TEST_SUITE_END()
