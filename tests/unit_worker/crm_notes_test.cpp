// SPDX-License-Identifier: PostgreSQL
// Notes, which the CRM treats otherwise than its other records, and what is believed of a deletion.
#include <boost/test/unit_test.hpp>

#include <cctype>
#include <map>
#include <set>

#include "crm_stage.hpp"
#include "services/field_value.hpp"
#include "services/zoho_crm/translation.hpp"

using namespace crm_bridge::worker;
using crm_bridge::worker::test::CrmStage;
using crm_bridge::worker::test::ScriptedServer;
using crm_bridge::worker::test::SeenRequest;

namespace {

Change note(const std::string &record_id, Operation operation, const std::string &fields) {
  Change change;
  change.module = "crm_note";
  change.record_id = record_id;
  change.operation = operation;
  if (operation != Operation::create) change.external_id = "70";
  change.fields = parse_json(fields);
  return change;
}

std::string listed(const std::string &id, const std::string &time, const std::string &text) {
  return R"({"id":")" + id + R"(","Note_Content":")" + text +
         R"(","Note_Title":null,"Modified_Time":")" + time + R"(","Created_Time":")" + time +
         R"(","Parent_Id":{"id":"7","module":{"api_name":"Deals"}}})";
}

std::string list(const std::string &notes, const std::string &next = {}) {
  return "{\"data\":[" + notes + R"(],"info":{"more_records":)" +
         (next.empty() ? "false" : "true") +
         (next.empty() ? "" : R"(,"next_page_token":")" + next + "\"") + "}}";
}

std::vector<std::string> ids_of(const std::vector<Record> &records, bool deleted) {
  std::vector<std::string> ids;
  for (const auto &record : records) {
    if (record.deleted == deleted) ids.push_back(record.external_id);
  }
  return ids;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crm_notes)

BOOST_AUTO_TEST_CASE(what_a_note_hangs_on_is_one_lookup_there_and_one_reference_a_module_here) {
  const Catalog catalog = test::crm_catalog();
  BOOST_TEST(to_text(zoho_crm::to_service(
                 catalog, note("r", Operation::create, R"({"content":"x","deal_id":"7"})"), "")) ==
             R"({"Note_Content":"x","Parent_Id":{"id":"7","module":{"api_name":"Deals"}}})");
  const auto read = [&](const std::string &record) {
    return to_text(zoho_crm::from_service(catalog, "crm_note", parse_json(record), "").fields);
  };
  BOOST_TEST(read(R"({"id":"1","Parent_Id":{"id":"7","module":{"api_name":"Tasks"}}})") ==
             R"({"account_id":null,"deal_id":null,"task_id":"7"})");
  // As older versions of the API write it.
  BOOST_TEST(read(R"({"id":"1","Parent_Id":{"id":"7"},"$se_module":"Accounts"})") ==
             R"({"account_id":"7","deal_id":null,"task_id":null})");
  // On something that has no mirror; and not told on what.
  BOOST_TEST(read(R"({"id":"1","Parent_Id":{"id":"7","module":{"api_name":"Products"}}})") ==
             R"({"account_id":null,"deal_id":null,"task_id":null})");
  BOOST_TEST(read(R"({"id":"1","Parent_Id":{"id":"7"}})") == "{}");
  const Record record = zoho_crm::from_service(
      catalog, "crm_note",
      parse_json(
          R"({"id":"1","Created_By":{"id":"99","name":"M"},"Created_Time":"2025-03-02T09:15:00+05:30"})"),
      "");
  BOOST_TEST(to_text(record.fields) == R"({"author_id":"99"})");
  BOOST_TEST(record.created_at == "2025-03-02T03:45:00+00:00");
}

BOOST_AUTO_TEST_CASE(a_note_carries_no_id_of_ours_and_no_guard) {
  CrmStage stage([](const SeenRequest &) {
    return ScriptedServer::answer(
        200,
        R"({"data":[{"code":"SUCCESS","details":{"id":"70","Modified_Time":"2026-03-02T09:15:00+00:00"}}]})");
  });
  Change update = note("r", Operation::update, R"({"content":"y"})");
  update.version = "2026-03-02 03:45:00+00";
  stage.deliver({note("r", Operation::create, R"({"content":"x","deal_id":"7"})")});
  stage.deliver({update});
  stage.deliver({note("r", Operation::remove, "{}")});
  const std::vector<std::string> expected{
      R"(POST /crm/v8/Notes {"data":[{"Note_Content":"x","Parent_Id":{"id":"7","module":{"api_name":"Deals"}}}],"trigger":[]})",
      R"(PUT /crm/v8/Notes {"data":[{"Note_Content":"y","id":"70"}],"trigger":[]})",
      "DELETE /crm/v8/Notes?ids=70"};
  BOOST_TEST(stage.calls() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(B3_a_doubtful_note_finds_itself_among_the_notes_of_its_record) {
  const std::string now = now_in_utc();
  CrmStage stage([&](const SeenRequest &seen) {
    if (seen.method == "GET") {
      return ScriptedServer::answer(
          200, list(listed("71", now, "same words\\r\\n") + "," + listed("72", now, "same words") +
                    "," + listed("73", now, "same words") + "," +
                    listed("74", "2020-01-01T00:00:00+00:00", "old words")));
    }
    const auto done = [](const std::string &id) {
      return R"({"code":"SUCCESS","details":{"id":")" + id + "\"}}";
    };
    std::string results = seen.method == "POST" ? done("75") : done("71");
    if (contains(seen.body, R"("id":"73")")) results += "," + done("73");
    return ScriptedServer::answer(200, "{\"data\":[" + results + "]}");
  });
  stage.known = {"72"};  // another record of ours
  std::vector<Change> lost;
  for (const char *id : {"r1", "r2"})
    lost.push_back(note(id, Operation::create, R"({"content":"same words","deal_id":"7"})"));
  lost.push_back(note("r3", Operation::create, R"({"content":"old words","deal_id":"7"})"));
  for (auto &change : lost) change.in_doubt = true;
  const Delivered delivered = stage.deliver(lost);
  BOOST_TEST(stage.calls().at(0).starts_with("GET /crm/v8/Deals/7/Notes?"));
  std::map<std::string, std::string> ids;
  for (const auto &one : delivered.settled) {
    BOOST_TEST(to_text(one.verdict.outcome) == "done");
    ids[one.record_id] = one.external_id;
  }
  BOOST_TEST(ids["r1"] == "71");
  BOOST_TEST(ids["r2"] == "73");
  // The same words from years ago are somebody else's.
  BOOST_TEST(ids["r3"] == "75");
  // A batch beside this one, before the answers are told to the database: nothing is left for it.
  Change beside = lost.front();
  beside.record_id = "r4";
  BOOST_TEST(stage.deliver({beside}).settled.at(0).external_id == "75");
  // One that was found and is tried once more finds itself again.
  BOOST_TEST(stage.deliver({lost.front()}).settled.at(0).external_id == "71");
}

BOOST_AUTO_TEST_CASE(a_failed_lookup_of_a_note_leaves_the_doubt) {
  CrmStage stage([](const SeenRequest &) { return ScriptedServer::answer(500, ""); });
  Change lost = note("r", Operation::create, R"({"content":"x","deal_id":"7"})");
  lost.in_doubt = true;
  BOOST_TEST(to_text(stage.deliver({lost}).settled.at(0).verdict.outcome) == "in_doubt");
  BOOST_TEST(stage.calls().size() == 1);
}

BOOST_AUTO_TEST_CASE(moving_a_note_rests_on_an_undocumented_call) {
  const auto script = [](const SeenRequest &) {
    return ScriptedServer::answer(200, R"({"data":[{"code":"SUCCESS","details":{"id":"70"}}]})");
  };
  const Change move = note("r", Operation::update, R"({"deal_id":null,"task_id":"8"})");
  CrmStage careful(script);
  const Delivered parked =
      careful.deliver({move, note("s", Operation::update, R"({"content":"y"})")});
  BOOST_REQUIRE(parked.settled.size() == 2);
  BOOST_TEST(to_text(parked.settled[0].verdict.outcome) == "park");
  BOOST_TEST(parked.settled[0].verdict.reason == "assumed_call");
  BOOST_TEST(to_text(parked.settled[1].verdict.outcome) == "done");
  CrmStage bold(script, true);
  BOOST_TEST(to_text(bold.deliver({move}).settled.at(0).verdict.outcome) == "done");
  BOOST_TEST(
      contains(bold.calls().at(0), R"("Parent_Id":{"id":"8","module":{"api_name":"Tasks"}})"));
}

BOOST_AUTO_TEST_CASE(changes_are_found_newest_first_back_to_the_last_poll) {
  CrmStage stage([](const SeenRequest &seen) {
    if (contains(seen.target, "/deleted")) return ScriptedServer::answer(204, "");
    if (contains(seen.target, "page_token=p2")) {
      return ScriptedServer::answer(200, list(listed("2", "2026-03-02T10:00:00+00:00", "b") + "," +
                                                  listed("1", "2026-03-01T00:00:00+00:00", "a"),
                                              "p3"));
    }
    return ScriptedServer::answer(200, list(listed("3", "2026-03-02T11:00:00+00:00", "c"), "p2"));
  });
  std::vector<Record> records;
  const Json cursor = stage.read_all("crm_note",
                                     {{"since", "2026-03-02T09:00:00+00:00"},
                                      {"settled", false},
                                      {"deleted_since", "2026-03-02T09:00:00+00:00"}},
                                     records);
  const std::vector<std::string> changed{"3", "2"};
  BOOST_TEST(ids_of(records, false) == changed, boost::test_tools::per_element());
  BOOST_TEST(scalar_text(cursor, "since") == "2026-03-02T11:00:00+00:00");
  BOOST_TEST(stage.calls().size() == 3);  // the third page is not asked for
  BOOST_TEST(contains(stage.calls()[0], "sort_by=Modified_Time&sort_order=desc"));
}

BOOST_AUTO_TEST_CASE(where_deletions_are_not_listed_known_notes_are_asked_for) {
  CrmStage stage([](const SeenRequest &seen) {
    if (contains(seen.target, "/deleted")) {
      return ScriptedServer::answer(
          400, R"({"code":"NOT_SUPPORTED","details":{},"message":"m","status":"error"})");
    }
    if (contains(seen.target, "ids="))
      return ScriptedServer::answer(200, list(listed("11", "2026-03-02T10:00:00+00:00", "a")));
    // A list may be incomplete: only the record's own address counts.
    if (seen.target == "/crm/v8/Notes/12")
      return ScriptedServer::answer(200, list(listed("12", "2026-03-02T10:00:00+00:00", "b")));
    return ScriptedServer::answer(204, "");
  });
  stage.recorded = {"11", "12", "13"};
  std::vector<Record> records;
  const Json cursor = stage.read_all("crm_note", {{"since", "2026-03-02T09:00:00+00:00"}}, records);
  const std::vector<std::string> gone{"13"};
  BOOST_TEST(ids_of(records, true) == gone, boost::test_tools::per_element());
  BOOST_TEST(truthy(find(cursor, "unlisted")));
  // From then on the missing list is not asked for any more.
  const std::size_t before = stage.calls().size();
  stage.recorded.clear();
  stage.read_all("crm_note", cursor, records);
  for (std::size_t i = before; i < stage.calls().size(); ++i)
    BOOST_TEST(!contains(stage.calls()[i], "/deleted"));
}

BOOST_AUTO_TEST_CASE(a_sweep_takes_several_polls_and_begins_again_after_the_last) {
  CrmStage stage([](const SeenRequest &seen) {
    if (!contains(seen.target, "ids=")) return ScriptedServer::answer(204, "");
    // Every number of four digits behind "ids=" is one.
    std::string notes;
    std::string digits;
    for (const char c : seen.target.substr(seen.target.find("ids=") + 4) + "&") {
      if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
        digits += c;
        continue;
      }
      if (digits.size() >= 4) {
        notes += (notes.empty() ? "" : ",") +
                 listed(digits.substr(digits.size() - 4), "2026-03-02T10:00:00+00:00", "a");
      }
      digits.clear();
      if (c == '&') break;
    }
    return ScriptedServer::answer(200, list(notes));
  });
  for (int i = 1000; i < 1720; ++i) stage.recorded.push_back(std::to_string(i));
  std::vector<Record> records;
  const Json first = stage.read_all(
      "crm_note", {{"since", "2026-03-02T09:00:00+00:00"}, {"unlisted", true}}, records);
  BOOST_TEST(scalar_text(first, "swept") == "1499");
  const Json second = stage.read_all("crm_note", first, records);
  BOOST_TEST(find(second, "swept") == nullptr);
  BOOST_TEST(ids_of(records, true).empty());
}

BOOST_AUTO_TEST_CASE(a_notice_of_a_deletion_is_a_hint) {
  CrmStage stage([](const SeenRequest &) { return ScriptedServer::answer(204, ""); });
  const Reading reading = stage.read_records("crm_deal", {{{}, "crm_deal", "5", "delete", {}}});
  BOOST_TEST(reading.records.at(0).records.empty());
  const std::vector<std::string> poll{"crm_deal"};
  BOOST_TEST(reading.poll == poll, boost::test_tools::per_element());
  BOOST_TEST(stage.read_records("crm_deal", {{{}, "crm_deal", "5", "update", {}}}).poll.empty());
}

BOOST_AUTO_TEST_CASE(behind_the_hundred_thousandth_record_reading_begins_again_from_what_was_seen) {
  CrmStage stage([](const SeenRequest &) {
    return ScriptedServer::answer(
        400, R"({"code":"PAGINATION_LIMIT_EXCEEDED","details":{},"message":"m","status":"error"})");
  });
  const Json cursor = {{"begun", "2026-03-02T12:00:00+00:00"},
                       {"token", "p501"},
                       {"newest", "2026-03-02T10:00:00+00:00"}};
  const Page page = stage.read_page("crm_deal", cursor);
  BOOST_TEST(page.more);
  BOOST_TEST(scalar_text(page.cursor, "since") == "2026-03-02T10:00:00+00:00");
  BOOST_TEST(find(page.cursor, "token") == nullptr);
  // More than that in one second: a person has to know.
  Json stuck = cursor;
  stuck["since"] = "2026-03-02T10:00:00+00:00";
  BOOST_CHECK_EXCEPTION(
      stage.read_page("crm_deal", stuck), ServiceFailure,
      [](const ServiceFailure &fault) { return fault.verdict().reason == "too_many_at_once"; });
}

BOOST_AUTO_TEST_CASE(the_capability_table_says_what_is_in_use) {
  CrmStage stage([](const SeenRequest &) { return ScriptedServer::answer(204, ""); });
  ServiceSettings settings;
  const Json table = to_json(stage.connector().capabilities(), settings);
  std::map<std::string, bool> in_use;
  std::set<std::string> creates;
  for (const auto &line : table) {
    in_use[scalar_text(line, "module") + " " + scalar_text(line, "call")] = line["in_use"];
    if (scalar_text(line, "call") == "create") creates.insert(scalar_text(line, "module"));
    for (const char *name : {"module", "call", "how", "requests", "contract"})
      BOOST_TEST(!scalar_text(line, name).empty());
  }
  BOOST_TEST(creates.size() == 6);
  BOOST_TEST(in_use.size() == table.size());  // each call once
  BOOST_TEST(in_use["crm_note create"]);
  BOOST_TEST(!in_use["crm_note move to another record"]);
  BOOST_TEST(!in_use["crm_note notifications"]);
  settings.assumed_calls = true;
  for (const auto &line : to_json(stage.connector().capabilities(), settings)) {
    if (scalar_text(line, "contract") == "assumed") BOOST_TEST(line["in_use"] == true);
    if (scalar_text(line, "contract") == "absent") BOOST_TEST(line["in_use"] == false);
  }
}

BOOST_AUTO_TEST_SUITE_END()
