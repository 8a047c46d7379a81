// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_crm/results.hpp"

#include <boost/test/unit_test.hpp>

using namespace crm_bridge::worker;
using namespace crm_bridge::worker::zoho_crm;

namespace {

std::vector<Change> changes(Operation operation, int count) {
  std::vector<Change> list;
  for (int i = 0; i < count; ++i) {
    Change one;
    one.module = "crm_deal";
    one.record_id = "r" + std::to_string(i);
    one.operation = operation;
    if (operation != Operation::create) one.external_id = std::to_string(100 + i);
    list.push_back(one);
  }
  return list;
}

std::vector<Settled> settle_all(Operation operation, int count, int status, const std::string &body,
                                std::vector<std::string> *duplicates = nullptr) {
  HttpResult result;
  result.transport = Transport::answered;
  result.status = status;
  result.body = body;
  std::vector<std::string> found;
  auto settled = read_results(changes(operation, count), result, "Bridge_Id", found);
  if (duplicates != nullptr) *duplicates = found;
  return settled;
}

std::string outcomes(const std::vector<Settled> &settled) {
  std::string text;
  for (const auto &one : settled)
    text += (text.empty() ? "" : " ") + std::string(to_text(one.verdict.outcome));
  return text;
}

const std::string good0 =
    R"({"code":"SUCCESS","details":{"id":"100","Modified_Time":"2026-03-02T09:15:00+05:30"},"status":"success"})";
const std::string good1 =
    R"({"code":"SUCCESS","details":{"id":"101","Modified_Time":"2026-03-02T09:15:00+05:30"},"status":"success"})";
const std::string missing =
    R"({"code":"MANDATORY_NOT_FOUND","details":{"api_name":"Stage","json_path":"$.data[1].Stage"},"message":"required field not found","status":"error"})";

}  // namespace

BOOST_AUTO_TEST_SUITE(crm_results)

BOOST_AUTO_TEST_CASE(each_record_has_its_own_result) {
  const auto settled =
      settle_all(Operation::create, 2, 207, "{\"data\":[" + good0 + "," + missing + "]}");
  BOOST_TEST(outcomes(settled) == "done park");
  BOOST_TEST(settled[0].external_id == "100");
  BOOST_TEST(settled[0].version == "2026-03-02T03:45:00+00:00");
  BOOST_TEST(settled[1].verdict.detail == "MANDATORY_NOT_FOUND: required field not found (Stage)");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 400, "{\"data\":[" + missing + "]}")) ==
             "park");
}

// design §7: what may have arrived is looked up before it is sent again.
BOOST_AUTO_TEST_CASE(a_code_that_nobody_knows_is_in_doubt_in_a_good_answer_only) {
  const std::string strange =
      R"({"data":[{"code":"QUEUED_FOR_LATER","details":{},"message":"?","status":"error"}]})";
  const auto in_good = settle_all(Operation::create, 1, 202, strange);
  BOOST_TEST(outcomes(in_good) == "in_doubt");
  BOOST_TEST(in_good[0].verdict.detail == "QUEUED_FOR_LATER: ?");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 400, strange)) == "park");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 207, "{\"data\":[" + missing + "]}")) ==
             "park");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_matched_is_in_doubt) {
  BOOST_TEST(outcomes(settle_all(Operation::create, 2, 201, "{\"data\":[" + good0 + "]}")) ==
             "in_doubt in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 201,
                                 "{\"data\":[" + good0 + "," + good1 + "]}")) == "in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 201, "")) == "in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 201, "<html>")) == "in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 201,
                                 R"({"data":[{"code":"SUCCESS","details":{}}]})")) == "in_doubt");
  // Results in another order than asked for: nobody knows which is which.
  BOOST_TEST(
      outcomes(settle_all(Operation::update, 2, 200, "{\"data\":[" + good1 + "," + good0 + "]}")) ==
      "in_doubt in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::update, 2, 200,
                                 "{\"data\":[" + good0 + "," + good1 + "]}")) == "done done");
}

BOOST_AUTO_TEST_CASE(a_duplicate_on_our_own_field_is_ourselves) {
  std::vector<std::string> duplicates;
  const std::string ours =
      R"({"code":"DUPLICATE_DATA","details":{"api_name":"Bridge_Id","id":"777"},"message":"duplicate data","status":"error"})";
  const std::string theirs =
      R"({"code":"DUPLICATE_DATA","details":{"api_name":"Deal_Name","id":"778"},"message":"duplicate data","status":"error"})";
  const auto settled = settle_all(Operation::create, 2, 400,
                                  "{\"data\":[" + ours + "," + theirs + "]}", &duplicates);
  BOOST_TEST(duplicates[0] == "777");
  BOOST_TEST(duplicates[1] == "");
  BOOST_TEST(to_text(settled[1].verdict.outcome) == "park");
  BOOST_TEST(settled[1].verdict.reason == "duplicate");
}

BOOST_AUTO_TEST_CASE(records_that_are_not_there) {
  const std::string not_deleted =
      R"({"data":[{"code":"INVALID_DATA","details":{"id":"100"},"message":"record not deleted","status":"error"}]})";
  BOOST_TEST(outcomes(settle_all(Operation::remove, 1, 400, not_deleted)) == "done");
  const std::string bad_id =
      R"({"data":[{"code":"INVALID_DATA","details":{"api_name":"id","json_path":"$.data[0].id"},"message":"the id given seems to be invalid","status":"error"}]})";
  BOOST_TEST(outcomes(settle_all(Operation::update, 1, 400, bad_id)) == "gone");
  const std::string bad_value =
      R"({"data":[{"code":"INVALID_DATA","details":{"api_name":"Amount","json_path":"$.data[0].Amount"},"message":"invalid data","status":"error"}]})";
  BOOST_TEST(outcomes(settle_all(Operation::update, 1, 400, bad_value)) == "park");
}

// D3: only a word about the values of an update puts anything back.
BOOST_AUTO_TEST_CASE(a_refusal_of_values_names_its_fields) {
  const auto fields = [](Operation operation, int status, const std::string &body) {
    const auto refused = settle_all(operation, 1, status, body).front().verdict.refused_fields;
    if (!refused) return std::string("none");
    std::string text = "named:";
    for (const auto &field : *refused) text += " " + field;
    return text;
  };
  const auto one = [](const std::string &code, const std::string &details) {
    return R"({"data":[{"code":")" + code + R"(","details":)" + details +
           R"(,"message":"m","status":"error"}]})";
  };
  const std::string amount = one("INVALID_DATA", R"({"api_name":"Amount"})");
  BOOST_TEST(fields(Operation::update, 400, amount) == "named: Amount");
  BOOST_TEST(fields(Operation::update, 207, amount) == "named: Amount");
  BOOST_TEST(fields(Operation::create, 400, amount) == "none");
  BOOST_TEST(fields(Operation::update, 400, one("RECORD_LOCKED", "{}")) == "named:");
  BOOST_TEST(fields(Operation::update, 400, one("DUPLICATE_DATA", R"({"api_name":"Email"})")) ==
             "named: Email");
  BOOST_TEST(fields(Operation::update, 400,
                    one("MULTIPLE_OR_MULTI_ERRORS",
                        R"({"errors":[{"code":"INVALID_DATA","details":{"api_name":"Stage"}},
                            {"code":"MANDATORY_NOT_FOUND","details":{"api_name":"Subject"}},
                            {"code":"INVALID_DATA","details":{"api_name":"Stage"}}]})")) ==
             "named: Stage Subject");
  // Not about the values: nobody's edit is taken back for a quota, a permission or a proxy.
  BOOST_TEST(fields(Operation::update, 400, one("LIMIT_REACHED", "{}")) == "none");
  BOOST_TEST(fields(Operation::update, 400, one("NO_PERMISSION", "{}")) == "none");
  BOOST_TEST(fields(Operation::update, 400, "<html>bad request</html>") == "none");
  BOOST_TEST(fields(Operation::update, 400,
                    R"({"code":"INVALID_DATA","details":{"api_name":"Amount"},"message":"m"})") ==
             "none");
}

BOOST_AUTO_TEST_CASE(a_lost_race_is_read_again) {
  const auto settled = settle_all(
      Operation::update, 1, 412,
      R"({"data":[{"code":"ALREADY_MODIFIED","details":{"id":"100"},"message":"x","status":"error"}]})");
  BOOST_TEST(outcomes(settled) == "retry");
  BOOST_TEST(settled[0].read_again);
  BOOST_TEST(settled[0].external_id == "100");
}

BOOST_AUTO_TEST_CASE(faults_of_the_whole_request) {
  const auto root = [](const std::string &code) {
    return R"({"code":")" + code + R"(","details":{},"message":"m","status":"error"})";
  };
  BOOST_TEST(outcomes(settle_all(Operation::update, 2, 401, root("INVALID_TOKEN"))) ==
             "retry retry");
  BOOST_TEST(outcomes(settle_all(Operation::update, 1, 401, root("OAUTH_SCOPE_MISMATCH"))) ==
             "park");
  BOOST_TEST(outcomes(settle_all(Operation::update, 1, 429, root("TOO_MANY_REQUESTS"))) == "retry");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 500, root("INTERNAL_ERROR"))) == "in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 502, "<html>bad gateway</html>")) ==
             "in_doubt");
  BOOST_TEST(outcomes(settle_all(Operation::create, 1, 400, "<html>")) == "park");
  // An invalid module says nothing about records, least of all that they are deleted.
  BOOST_TEST(outcomes(settle_all(Operation::remove, 1, 400, root("INVALID_DATA"))) == "park");
}

BOOST_AUTO_TEST_SUITE_END()
