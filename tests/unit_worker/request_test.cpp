// SPDX-License-Identifier: PostgreSQL
#include "receive/request.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;

namespace {

const std::string post = "POST /hooks/zoho_crm/1/s HTTP/1.1\r\nHost: h\r\n";

struct Refused {
  std::string bytes;
  int status;
};
std::ostream &operator<<(std::ostream &out, const Refused &one) {
  return out << one.status << " " << one.bytes.substr(0, 80);
}

const Refused refused[] = {
    {"GET\r\n\r\n", 400},
    {"POST /x\r\n\r\n", 400},
    {"POST x HTTP/1.1\r\n\r\n", 400},
    {"POST http://evil.test/ HTTP/1.1\r\n\r\n", 400},
    {"POST /\x01 HTTP/1.1\r\n\r\n", 400},
    {"P OST / HTTP/1.1\r\n\r\n", 400},
    {"POST / HTTP/2.0\r\n\r\n", 505},
    {"POST / HTTP/1.1 \r\n\r\n", 505},
    // What two readers could understand differently.
    {post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {post + "Content-Length: 1\r\ncontent-length: 2\r\n\r\n", 400},
    {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
    {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
    {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {post + "Transfer-Encoding: identity\r\n\r\n", 501},
    {post + "Content-Length: +1\r\n\r\n", 400},
    {post + "Content-Length: 0x1\r\n\r\n", 400},
    {post + "Content-Length: 1, 1\r\n\r\n", 400},
    {post + "Content-Length:\r\n\r\n", 400},
    {post + "Content-Length : 1\r\n\r\n", 400},
    {post + " folded\r\n\r\n", 400},
    {post + "no colon\r\n\r\n", 400},
    {post + "X: a\nContent-Length: 5\r\n\r\n", 400},
    {post + "X: a\rb\r\n\r\n", 400},
    {post + std::string("X: a\0b\r\n\r\n", 10), 400},
    {post + "Expect: tea\r\n\r\n", 417},
    // Too much of anything.
    {post + "Content-Length: 1048577\r\n\r\n", 413},
    {post + "Content-Length: 99999999999999999999999\r\n\r\n", 413},
    {post + "Transfer-Encoding: chunked\r\n\r\n100001\r\n", 413},
    {post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", 413},
    {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400},
    {post + "Transfer-Encoding: chunked\r\n\r\n\r\n", 400},
    {post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400},
    {post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x'), 400},
    {std::string(20000, 'A'), 431},
    {post + "X: " + std::string(20000, 'x') + "\r\n\r\n", 431},
};

std::string many_headers() {
  std::string bytes = post;
  for (int i = 0; i < 200; ++i) bytes += "X: y\r\n";
  return bytes + "\r\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(request)

BOOST_DATA_TEST_CASE(what_cannot_be_trusted_is_refused, data::make(refused), one) {
  RequestReader whole;
  whole.feed(one.bytes);
  BOOST_TEST(whole.refused() == one.status);
  BOOST_TEST(!whole.complete());
  // However it is cut.
  RequestReader bytewise;
  for (const char c : one.bytes) {
    if (bytewise.refused() == 0) bytewise.feed({&c, 1});
  }
  BOOST_TEST(bytewise.refused() == one.status);
}

BOOST_AUTO_TEST_CASE(a_flood_of_headers_is_refused) {
  RequestReader reader;
  reader.feed(many_headers());
  BOOST_TEST(reader.refused() == 431);
}

BOOST_AUTO_TEST_CASE(a_body_arrives_however_it_is_cut_and_sent) {
  for (const std::string &bytes :
       {post + "Content-Length: 11\r\n\r\nhello world",
        post + "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: "
               "x\r\n\r\n"}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      RequestReader reader;
      for (std::size_t at = 0; at < bytes.size(); at += step) {
        BOOST_TEST(!reader.complete());
        reader.feed(std::string_view(bytes).substr(at, step));
      }
      BOOST_TEST(reader.complete());
      BOOST_TEST(reader.refused() == 0);
      BOOST_TEST(reader.body() == "hello world");
      BOOST_TEST(reader.target() == "/hooks/zoho_crm/1/s");
      BOOST_TEST(reader.keep_alive());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_largest_body_is_taken) {
  RequestReader reader;
  reader.feed(post + "Content-Length: 1048576\r\n\r\n");
  for (int i = 0; i < 16; ++i) reader.feed(std::string(65536, 'x'));
  BOOST_TEST(reader.complete());
  BOOST_TEST(reader.body().size() == 1048576U);
}

BOOST_AUTO_TEST_CASE(requests_follow_each_other_on_one_connection) {
  RequestReader reader;
  reader.feed(post + "Content-Length: 1\r\n\r\na" + post + "Connection: close\r\n\r\n");
  BOOST_TEST(reader.body() == "a");
  reader.next();
  BOOST_TEST(reader.complete());
  BOOST_TEST(reader.body().empty());
  BOOST_TEST(!reader.keep_alive());
  reader.next();
  BOOST_TEST(reader.empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_for_leave_gets_it_once) {
  RequestReader reader;
  reader.feed(post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  BOOST_TEST(reader.take_expectation());
  BOOST_TEST(!reader.take_expectation());
  reader.feed("ab");
  BOOST_TEST(reader.complete());
}

BOOST_AUTO_TEST_SUITE_END()
