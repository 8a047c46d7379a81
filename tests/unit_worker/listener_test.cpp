// SPDX-License-Identifier: PostgreSQL
// The door for webhooks against clients that are slow, many, or rude.
#include "receive/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace crm_bridge::worker;
using namespace std::chrono_literals;

namespace {

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  void send(const std::string &bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }
  // Everything until the listener closes the connection.
  std::string rest() const {
    std::string all;
    char bytes[4096];
    ssize_t count = 0;
    while ((count = ::recv(socket_, bytes, sizeof bytes, 0)) > 0)
      all.append(bytes, static_cast<std::size_t>(count));
    return all;
  }
  // One answer's head.
  std::string answer() const {
    std::string all;
    char byte = 0;
    while (all.find("\r\n\r\n") == std::string::npos && ::recv(socket_, &byte, 1, 0) == 1)
      all += byte;
    return all.substr(0, 12);
  }

 private:
  int socket_;
};

std::string notice(const std::string &body, const std::string &headers = "") {
  return "POST /hooks/x HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

const ListenSettings anywhere{};
const WebhookListener::Handler echo = [](const std::string &, const std::string &body) {
  return body == "good" ? 200 : 404;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listener)

BOOST_AUTO_TEST_CASE(notices_are_answered_one_after_the_other_on_one_connection) {
  WebhookListener listener(anywhere, echo);
  const Client client(listener.port());
  for (int i = 0; i < 3; ++i) {
    client.send(notice("good"));
    BOOST_TEST(client.answer() == "HTTP/1.1 200");
    client.send(notice("bad"));
    BOOST_TEST(client.answer() == "HTTP/1.1 404");
  }
  client.send(notice("good") + notice("bad", "Connection: close\r\n"));
  const std::string both = client.rest();
  BOOST_TEST(both.find("HTTP/1.1 200") == 0U);
  BOOST_TEST(both.find("HTTP/1.1 404") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_refused_before_it_is_read) {
  WebhookListener listener(anywhere, echo);
  const Client client(listener.port());
  client.send("POST /hooks/x HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n" +
              std::string(100000, 'x'));
  BOOST_TEST(client.rest().find("HTTP/1.1 413") == 0U);
}

BOOST_AUTO_TEST_CASE(other_methods_are_refused) {
  WebhookListener listener(anywhere, echo);
  for (const char *method : {"GET", "PUT", "OPTIONS"}) {
    const Client client(listener.port());
    client.send(std::string(method) + " /hooks/x HTTP/1.1\r\n\r\n");
    BOOST_TEST(client.rest().find("HTTP/1.1 405") == 0U);
  }
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += "GET / HTTP/1.1\r\n\r\n";
  const Client client(listener.port());
  client.send(flood);
  BOOST_TEST(client.rest().find("HTTP/1.1 405") == 0U);
}

BOOST_AUTO_TEST_CASE(a_slow_client_is_cut_off_however_it_trickles) {
  WebhookListener::Limits limits;
  limits.request = 100ms;
  WebhookListener listener(anywhere, echo, limits);
  // Neither head nor body ever ends; that of the second goes on for as long as anybody listens.
  const Client head(listener.port());
  head.send("POST /hooks/x HT");
  const Client body(listener.port());
  body.send("POST /hooks/x HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
  std::atomic<bool> cut{false};
  std::thread trickle([&] {
    while (!cut) {
      body.send("x");
      std::this_thread::yield();
    }
  });
  BOOST_TEST(body.rest().find("HTTP/1.1 408") == 0U);
  cut = true;
  trickle.join();
  BOOST_TEST(head.rest().find("HTTP/1.1 408") == 0U);
}

BOOST_AUTO_TEST_CASE(many_slow_clients_hold_up_nobody) {
  WebhookListener::Limits limits;
  limits.connections = 20;
  limits.request = 1h;
  WebhookListener listener(anywhere, echo, limits);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(std::make_unique<Client>(listener.port()));
    slow.back()->send("POST /hooks/x HTTP/1.1\r\nContent-Length: 5\r\n\r\n");
    if (i % 10 != 0) continue;
    const Client good(listener.port());
    good.send(notice("good"));
    BOOST_TEST(good.answer() == "HTTP/1.1 200");
  }
  // The first to come was the first to go.
  BOOST_TEST(slow.front()->rest().empty());
}

BOOST_AUTO_TEST_CASE(while_the_handler_is_stuck_clients_are_told_to_come_again) {
  std::mutex stuck;
  stuck.lock();
  WebhookListener::Limits limits;
  limits.answer = 100ms;
  limits.waiting = 1;
  WebhookListener listener(
      anywhere,
      [&](const std::string &, const std::string &) {
        const std::lock_guard wait(stuck);
        return 200;
      },
      limits);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(listener.port()));
    clients.back()->send(notice("good"));
  }
  for (const auto &client : clients) BOOST_TEST(client->answer() == "HTTP/1.1 503");
  stuck.unlock();
  // Nothing is wrong with the next one.
  std::string status;
  while (status != "HTTP/1.1 200") {
    const Client next(listener.port());
    next.send(notice("good"));
    status = next.answer();
    BOOST_TEST((status == "HTTP/1.1 200" || status == "HTTP/1.1 503"));
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_away_disturbs_nobody) {
  WebhookListener listener(anywhere, echo);
  for (int i = 0; i < 50; ++i) {
    const Client gone(listener.port());
    gone.send(notice("good").substr(0, static_cast<std::size_t>(i)));
  }
  const Client client(listener.port());
  client.send(notice("good"));
  BOOST_TEST(client.answer() == "HTTP/1.1 200");
}

BOOST_AUTO_TEST_SUITE_END()
