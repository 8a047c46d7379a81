// SPDX-License-Identifier: PostgreSQL
#include "http/retry.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;
using namespace std::chrono_literals;

namespace {

HttpResult answered(int status, std::map<std::string, std::string> headers = {}) {
  HttpResult result;
  result.transport = Transport::answered;
  result.status = status;
  result.headers = std::move(headers);
  return result;
}

struct Case {
  int status;
  Outcome outcome;
};
std::ostream &operator<<(std::ostream &out, const Case &one) { return out << one.status; }

const Case cases[] = {{200, Outcome::done},     {201, Outcome::done},     {204, Outcome::done},
                      {207, Outcome::done},     {301, Outcome::in_doubt}, {400, Outcome::park},
                      {401, Outcome::retry},    {403, Outcome::park},     {404, Outcome::gone},
                      {408, Outcome::retry},    {410, Outcome::gone},     {412, Outcome::retry},
                      {413, Outcome::park},     {429, Outcome::retry},    {500, Outcome::in_doubt},
                      {501, Outcome::park},     {502, Outcome::in_doubt}, {503, Outcome::in_doubt},
                      {504, Outcome::in_doubt}, {599, Outcome::in_doubt}};

}  // namespace

BOOST_AUTO_TEST_SUITE(retry)

BOOST_DATA_TEST_CASE(each_status_has_its_outcome, data::make(cases), one) {
  BOOST_TEST(to_text(judge(answered(one.status)).outcome) == to_text(one.outcome));
}

BOOST_AUTO_TEST_CASE(what_was_not_sent_is_certain_and_what_was_not_answered_is_not) {
  HttpResult result;
  result.transport = Transport::not_sent;
  BOOST_TEST(to_text(judge(result).outcome) == "retry");
  result.transport = Transport::lost;
  result.status = 200;  // the headers arrived, the body did not
  BOOST_TEST(to_text(judge(result).outcome) == "in_doubt");
  result.transport = Transport::withheld;
  result.retry_after = 7s;
  BOOST_TEST(to_text(judge(result).outcome) == "release");
  BOOST_TEST(judge(result).retry_after.count() == 7000);
}

BOOST_AUTO_TEST_CASE(the_services_wait_is_kept) {
  BOOST_TEST(judge(answered(429, {{"retry-after", "30"}})).retry_after.count() == 30000);
  const Verdict busy = judge(answered(503, {{"retry-after", "5"}}));
  BOOST_TEST(to_text(busy.outcome) == "retry");
  BOOST_TEST(busy.retry_after.count() == 5000);
}

BOOST_AUTO_TEST_CASE(retry_after_is_seconds_or_a_date) {
  BOOST_TEST(parse_retry_after("0", 0)->count() == 0);
  BOOST_TEST(parse_retry_after("120", 0)->count() == 120000);
  BOOST_TEST(parse_retry_after("999999999999", 0)->count() == 86400000);
  BOOST_TEST(parse_retry_after("2.128", 0)->count() == 3000);
  BOOST_TEST(!parse_retry_after("2.x", 0));
  BOOST_TEST(parse_retry_after("Wed, 21 Oct 2015 07:28:10 GMT", 1445412480)->count() == 10000);
  BOOST_TEST(parse_retry_after("Wed, 21 Oct 2015 07:28:10 GMT", 1445412500)->count() == 0);
  for (const char *bad : {"", "-1", "soon", "1.", ".5", "12x"})
    BOOST_TEST(!parse_retry_after(bad, 0).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(waits_are_read_out_of_sentences) {
  BOOST_TEST(
      wait_in_words(
          "Cannot execute more than 100 requests per API in 2 minutes. Try again after 22 minutes.")
          ->count() == 22 * 60000);
  BOOST_TEST(wait_in_words("try again after 1 minute")->count() == 60000);
  BOOST_TEST(wait_in_words("TRY AGAIN AFTER 90 seconds")->count() == 90000);
  BOOST_TEST(wait_in_words("try again after 2 hours")->count() == 7200000);
  for (const char *none : {"", "try again later", "try again after some time", "again after 5",
                           "again after minutes", "again after 99999999999999999999 minutes"}) {
    BOOST_TEST(!wait_in_words(none).has_value(), none);
  }
}

BOOST_AUTO_TEST_SUITE_END()
