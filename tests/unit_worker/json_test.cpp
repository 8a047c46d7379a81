// SPDX-License-Identifier: PostgreSQL
#include "json.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;

BOOST_AUTO_TEST_SUITE(json)

const std::string kept_texts[] = {R"({"amount":1234567890123456.123456789})",
                                  R"([9007199254740993,-9223372036854775808,18446744073709551615])",
                                  R"({"id":"4876876000000111001","n":null,"t":true})",
                                  R"([1.10,1e5,0.1,123456789012345678901234567890])"};

BOOST_DATA_TEST_CASE(numbers_keep_their_text, data::make(kept_texts), text) {
  BOOST_TEST(to_text(parse_json(text)) == text);
}

BOOST_AUTO_TEST_CASE(what_jsonb_cannot_hold_is_taken_out) {
  BOOST_TEST(parse_json(R"({"a":"x\u0000y"})")["a"].get<std::string>() == "xy");
  BOOST_TEST(parse_json(R"(["\ud83d"])")[0].get<std::string>() == "\xef\xbf\xbd");
  BOOST_TEST(parse_json(R"(["\udc00\ud83d\ude00"])")[0].get<std::string>() ==
             "\xef\xbf\xbd\xf0\x9f\x98\x80");
  BOOST_TEST(parse_json(R"(["\\ud83d"])")[0].get<std::string>() == "\\ud83d");
}

BOOST_AUTO_TEST_CASE(depth_is_limited) {
  const std::string fits = std::string(64, '[') + std::string(64, ']');
  BOOST_CHECK_NO_THROW(parse_json(fits));
  BOOST_CHECK_THROW(parse_json("[" + fits + "]"), MalformedJson);
  BOOST_CHECK_THROW(parse_json(std::string(100000, '[')), MalformedJson);
}

const std::string broken_texts[] = {"", "<html>", "{", "[1,]", "{\"a\":1}x", "\"\\u12\"", "nul"};
BOOST_DATA_TEST_CASE(broken_texts_are_refused, data::make(broken_texts), text) {
  BOOST_CHECK_THROW(parse_json(text), MalformedJson);
}

BOOST_AUTO_TEST_CASE(scalars_come_as_text_whatever_they_are) {
  const Json json =
      parse_json(R"({"a":{"b":2063927000000085005},"s":"x","d":1.50,"n":null,"o":{}})");
  BOOST_TEST(scalar_text(json, "a.b") == "2063927000000085005");
  BOOST_TEST(scalar_text(json, "s") == "x");
  BOOST_TEST(scalar_text(json, "d") == "1.50");
  BOOST_TEST(scalar_text(json, "n") == "");
  BOOST_TEST(scalar_text(json, "o") == "");
  BOOST_TEST(scalar_text(json, "a.missing.deeper") == "");
}

BOOST_AUTO_TEST_CASE(flags_come_in_many_forms) {
  const Json json = parse_json(R"([true,"true","yes",1,false,"false","no",0,null,"",[]])");
  for (std::size_t i = 0; i < json.size(); ++i) BOOST_TEST(truthy(&json[i]) == (i < 4));
  BOOST_TEST(!truthy(nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
