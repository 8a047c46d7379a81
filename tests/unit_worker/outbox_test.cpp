// SPDX-License-Identifier: PostgreSQL
#include "relay/outbox.hpp"

#include <boost/test/unit_test.hpp>

#include "database.hpp"
#include "log.hpp"
#include "relay/lease.hpp"
#include "status/page.hpp"

using namespace crm_bridge::worker;

BOOST_AUTO_TEST_SUITE(outbox)

BOOST_AUTO_TEST_CASE(results_have_the_protocols_form) {
  Settled settled;
  settled.module = "crm_deal";
  settled.record_id = "r";
  BOOST_TEST(to_text(acknowledgement(settled)) == R"({"module":"crm_deal","record_id":"r"})");
  settled.external_id = "5";
  settled.version = "2026-03-02T03:45:00+00:00";
  BOOST_TEST(
      to_text(acknowledgement(settled)) ==
      R"({"external_id":"5","module":"crm_deal","record_id":"r","version":"2026-03-02T03:45:00+00:00"})");
  settled.verdict = {Outcome::retry, "rate_limited", "HTTP 429", std::chrono::milliseconds{1500}};
  BOOST_TEST(
      to_text(failure(settled)) ==
      R"({"detail":"HTTP 429","module":"crm_deal","outcome":"retry","reason":"rate_limited","record_id":"r","retry_after":1500})");
}

BOOST_AUTO_TEST_CASE(arrays_survive_hostile_ids) {
  BOOST_TEST(array_literal({}) == "{}");
  BOOST_TEST(array_literal({"1", "a\"b\\c,}{"}) == R"({"1","a\"b\\c,}{"})");
}

BOOST_AUTO_TEST_CASE(a_lease_that_was_not_renewed_is_not_fresh) {
  Lease lease(std::chrono::milliseconds{10000});
  BOOST_TEST(!lease.fresh());
  lease.renewed(Lease::Clock::now());
  BOOST_TEST(lease.fresh());
  lease.renewed(Lease::Clock::now() - std::chrono::seconds{11});
  BOOST_TEST(!lease.fresh());
  BOOST_TEST(Lease(std::chrono::milliseconds{1}).id() != lease.id());
}

BOOST_AUTO_TEST_CASE(log_values_stay_on_their_line) {
  BOOST_TEST(quoted_if_needed("plain") == "plain");
  BOOST_TEST(quoted_if_needed("") == "\"\"");
  BOOST_TEST(quoted_if_needed("two words") == "\"two words\"");
  BOOST_TEST(quoted_if_needed("a\nevent=forged\t\"x\"") == R"("a\nevent=forged?\"x\"")");
}

BOOST_AUTO_TEST_CASE(tables_are_aligned_and_escaped) {
  const ResultTable table{{"name", "n"}, {{"Zo\xc3\xab", "1"}, {"<b>", "22"}}};
  BOOST_TEST(text_table(table) == "name  n\nZo\xc3\xab   1\n<b>   22\n");
  BOOST_TEST(html_table(table).find("<b>") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
