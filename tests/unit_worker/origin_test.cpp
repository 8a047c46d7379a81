// SPDX-License-Identifier: PostgreSQL
#include "http/origin.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;

BOOST_AUTO_TEST_SUITE(origin)

// Forms by which a token could be led astray from https://www.zohoapis.com.
const std::string refused[] = {"http://www.zohoapis.com/crm",
                               "HTTPS://www.zohoapis.com/crm",
                               "https://www.zohoapis.com.evil.test/",
                               "https://www.zohoapis.com@evil.test/",
                               "https://user:word@www.zohoapis.com/",
                               "https://evil.test/www.zohoapis.com",
                               "https://evil.test#www.zohoapis.com",
                               "https://evil.test?www.zohoapis.com",
                               "https://www.zohoapis.com:8443/",
                               "https://www.zohoapis.com:0/",
                               "https://www.zohoapis.com:65536/",
                               "https://www.zohoapis.com:/",
                               "https://www.zohoapis.com:0443/",
                               "https://www.zohoapis.com\\@evil.test/",
                               "https://www.zohoapis.com./",
                               "https://www.zohoapis%2ecom/",
                               "https://www.zohoapis.com\t/",
                               "https://www.zohoapis.com /",
                               "https:///www.zohoapis.com",
                               "https:/www.zohoapis.com",
                               "//www.zohoapis.com/",
                               "ftp://www.zohoapis.com/",
                               "file:///etc/passwd",
                               "https://2130706433/",
                               "https://0x7f.0.0.1/",
                               "https://0177.0.0.1/",
                               "https://127.1/",
                               "https://127.0.0.1/",
                               "https://[::1]/",
                               "https://[::ffff:127.0.0.1]/",
                               "https://169.254.169.254/latest",
                               "https://10.0.0.1/",
                               "https://www.zohoapis.com,evil.test/",
                               "https://\xd0\xb7oho.com/",
                               "https://-x.com/",
                               "https://a..b/",
                               ""};

BOOST_DATA_TEST_CASE(only_configured_origins_are_allowed, data::make(refused), url) {
  const AllowedOrigins allowed({"https://www.zohoapis.com", "https://accounts.zoho.com"});
  BOOST_TEST(!allowed.allows(url));
}

BOOST_AUTO_TEST_CASE(the_configured_ones_are) {
  const AllowedOrigins allowed({"https://www.zohoapis.com", "http://127.0.0.1:8080"});
  BOOST_TEST(allowed.allows("https://www.zohoapis.com/crm/v8/Deals?x=@y"));
  BOOST_TEST(allowed.allows("https://www.zohoapis.com:443/"));
  BOOST_TEST(allowed.allows("http://127.0.0.1:8080/x"));
  BOOST_TEST(!allowed.allows("http://127.0.0.1:8081/x"));
}

BOOST_AUTO_TEST_CASE(plain_http_is_for_loopback_only) {
  for (const char *url : {"http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1"}) {
    BOOST_TEST(parse_origin(url).has_value(), url);
  }
  for (const char *url : {"http://127.0.0.1.evil.test", "http://localhost.evil.test",
                          "http://10.0.0.1", "http://x.test"}) {
    BOOST_TEST(!parse_origin(url).has_value(), url);
  }
  BOOST_CHECK_THROW(AllowedOrigins({"http://www.zohoapis.com"}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(encoding_leaves_nothing_that_could_end_a_parameter) {
  BOOST_TEST(url_encode("a b&c=d+e/\xc3\xa9~") == "a%20b%26c%3Dd%2Be%2F%C3%A9~");
}

BOOST_AUTO_TEST_SUITE_END()
