// SPDX-License-Identifier: PostgreSQL
#include "core/conversion.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "directory.hpp"
#include "printing.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using core::ConversionRequest;
using core::Field;
using core::FieldType;
using core::Value;
using crm_bridge::test::Directory;

namespace {

Value text(const char *value) { return std::string(value); }
Value date(const char *value) { return *core::parse_date(value); }
Value instant(const char *value) { return *core::parse_instant(value); }

core::Uuid id(int number) {
  core::Uuid uuid;
  uuid.bytes[15] = static_cast<std::uint8_t>(number);
  return uuid;
}

const Field deal_stage{
    "crm_deal", "stage", FieldType::picklist, 0, {"Qualification", "Closed Won", "Closed Lost"},
    {}};
const Field task_done{"projects_task", "completed", FieldType::boolean};
const Field closing_date{"crm_deal", "closing_date", FieldType::date};
const Field end_instant{"projects_project", "end_at", FieldType::instant};
const Field description{"crm_deal", "description", FieldType::text};
const Field markup{"projects_project", "description", FieldType::html};
const Field owner{"crm_task", "owner", FieldType::reference, 0, {}, "crm_user"};
const Field owners{"projects_task", "owners", FieldType::references, 0, {}, "projects_user"};
const Field account{"crm_deal", "account", FieldType::reference, 0, {}, "crm_account"};
const Field client{"projects_project", "client", FieldType::reference, 0, {}, "projects_client"};
const Field amount{"crm_deal", "amount", FieldType::money};

ConversionRequest request(const std::string &name, Field left, Field right,
                          std::map<std::string, std::string> parameters = {}) {
  ConversionRequest made{name, std::move(parameters), std::move(left), std::move(right)};
  return made;
}

std::string reason_of(const core::Lens &lens, const Value &canonical, const Value &old = {}) {
  try {
    lens.put(canonical, old);
  } catch (const core::Unmappable &why) {
    return why.reason;
  }
  return "";
}

struct Refusal {
  ConversionRequest request;
  std::string sqlstate;
};
std::ostream &operator<<(std::ostream &out, const Refusal &refusal) {
  out << refusal.sqlstate << " " << refusal.request.name;
  for (const auto &[name, value] : refusal.request.parameters) out << " " << name << "=" << value;
  return out;
}

const std::vector<Refusal> refusals{
    {request("", closing_date, amount), "42804"},
    {request("", account, description), "42804"},
    {request("copy", closing_date, end_instant), "42804"},
    {request("copy", account, client), "42804"},
    {request("text", description, amount), "42804"},
    {request("number", description, description), "42804"},
    {request("number", amount, markup), "42804"},
    {request("date_instant", closing_date, closing_date), "42804"},
    {request("date_instant", closing_date, description), "42804"},
    {request("picklist", deal_stage, task_done, {{"left:Closed Won", "won"}}), "42804"},
    {request("flag", deal_stage, description, {{"true", "a"}, {"false", "b"}}), "42804"},
    {request("user_email", owner, description), "42804"},
    {request("linked", account, owners, {{"pairing", "account_client"}}), "42804"},
    {request("uppercase", description, description), "22023"},
    {request("copy", description, description, {{"length", "5"}}), "22023"},
    {request("date_instant", closing_date, end_instant, {{"time_of_day", "9:30"}}), "22023"},
    {request("date_instant", closing_date, end_instant, {{"time_of_day", "24:00"}}), "22023"},
    {request("date_instant", closing_date, end_instant, {{"zone", "UTC"}}), "22023"},
    {request("picklist", deal_stage, description), "22023"},
    {request("picklist", deal_stage, description, {{"Closed Won", "won"}}), "22023"},
    {request("picklist", deal_stage, description, {{"left:Won", "won"}}), "22023"},
    {request("picklist", deal_stage, description,
             {{"left:Closed Won", "won"}, {"left>won", "Closed Lost"}}),
     "22023"},
    {request("", deal_stage, task_done), "22023"},
    {request("flag", task_done, deal_stage, {{"true", "Closed Won"}}), "22023"},
    {request("flag", task_done, deal_stage, {{"true", "Won"}, {"false", "Qualification"}}),
     "22023"},
    {request("flag", task_done, deal_stage, {{"true", "Closed Won"}, {"false", "Closed Won"}}),
     "22023"},
    {request("", account, client), "22023"},
};

struct Choice {
  Field left;
  Field right;
  std::string name;
};
std::ostream &operator<<(std::ostream &out, const Choice &choice) { return out << choice.name; }

const std::vector<Choice> choices{
    {description, description, "text"},
    {description, markup, "text"},
    {markup, markup, "copy"},
    {deal_stage, description, "copy"},
    {deal_stage, markup, "text"},
    {deal_stage, deal_stage, "copy"},
    {amount, amount, "copy"},
    {amount, description, "number"},
    {closing_date, end_instant, "date_instant"},
    {end_instant, end_instant, "copy"},
    {deal_stage, task_done, "flag"},
    {owner, owners, "user_email"},
    {owner, owner, "copy"},
    {account, client, "linked"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(conversion)

BOOST_DATA_TEST_CASE(r26_a_mapping_that_cannot_work_is_refused_naming_both_fields,
                     data::make(refusals)) {
  Directory directory;
  BOOST_CHECK_EXCEPTION(
      make_conversion(sample.request, &directory), core::Error, [&](const core::Error &error) {
        const core::Fault &fault = error.fault();
        const std::string all = fault.message + fault.detail;
        BOOST_TEST(fault.sqlstate == sample.sqlstate);
        for (const Field &field : {sample.request.left, sample.request.right}) {
          BOOST_TEST(all.find(field.module + "." + field.name) != std::string::npos);
          BOOST_TEST(fault.detail.find(to_text(field.type)) != std::string::npos);
        }
        return !fault.hint.empty();
      });
}

BOOST_DATA_TEST_CASE(the_conversion_that_fits_is_chosen_by_the_types, data::make(choices)) {
  BOOST_TEST(default_conversion(sample.left, sample.right) == sample.name);
}

BOOST_AUTO_TEST_CASE(r62_markup_stays_while_its_text_is_unchanged) {
  const auto conversion = make_conversion(request("", description, markup), nullptr);
  const Value html = text("<p style='x'>Call <b>back</b></p>");
  const Value plain = conversion.right->get(html);
  BOOST_TEST(plain == text("Call back"));
  BOOST_TEST(conversion.right->put(plain, html) == html);
  BOOST_TEST(conversion.right->put(text("Call\n5 < 6"), html) == text("Call<br>5 &lt; 6"));
  BOOST_TEST(conversion.left->get(text("two  blanks ")) == text("two blanks"));
  BOOST_TEST(conversion.left->put(text("two blanks"), text("two  blanks ")) ==
             text("two  blanks "));
}

BOOST_AUTO_TEST_CASE(b5_a_text_beyond_the_fields_length_is_unmappable_in_characters_not_bytes) {
  Field name{"projects_project", "name", FieldType::text, 5, {}, {}};
  const auto conversion = make_conversion(request("", description, name), nullptr);
  BOOST_TEST(conversion.right->put(text("äöüßé"), {}) == text("äöüßé"));
  BOOST_TEST(reason_of(*conversion.right, text("äöüßéx")) == "text_too_long");
  BOOST_TEST(conversion.right->put(text("is longer already"), text("is longer already")) ==
             text("is longer already"));
}

BOOST_AUTO_TEST_CASE(b5_a_value_that_is_no_choice_of_a_picklist_is_unmappable) {
  const auto conversion = make_conversion(request("", description, deal_stage), nullptr);
  BOOST_TEST(conversion.right->put(text("Closed Won"), {}) == text("Closed Won"));
  BOOST_TEST(reason_of(*conversion.right, text("closed won")) == "value_not_in_picklist");
  BOOST_TEST(conversion.right->put({}, text("Closed Won")) == Value{});
}

BOOST_AUTO_TEST_CASE(a_text_that_says_a_number_keeps_its_spelling_until_the_number_changes) {
  const auto conversion = make_conversion(request("", amount, description), nullptr);
  BOOST_TEST(conversion.right->get(text(" 007.50 ")) == Value{core::Number{"7.5"}});
  BOOST_TEST(conversion.right->put(core::Number{"7.5"}, text(" 007.50 ")) == text(" 007.50 "));
  BOOST_TEST(conversion.right->put(core::Number{"8"}, text(" 007.50 ")) == text("8"));
  BOOST_CHECK_EXCEPTION(
      conversion.right->get(text("seven")), core::Unmappable,
      [](const core::Unmappable &why) { return why.reason == "not_representable"; });
}

BOOST_AUTO_TEST_CASE(d18_a_date_moves_an_instant_in_the_zone_of_its_side_and_keeps_the_hour) {
  auto asked = request("", closing_date, end_instant, {{"time_of_day", "17:30"}});
  asked.right_zone = core::TimeZone("Europe/Berlin");
  const auto conversion = make_conversion(asked, nullptr);
  BOOST_TEST(conversion.right->get(instant("2024-07-14T22:30:00Z")) == date("2024-07-15"));
  BOOST_TEST(conversion.right->put(date("2024-07-15"), {}) == instant("2024-07-15T15:30:00Z"));
  BOOST_TEST(conversion.right->put(date("2024-12-01"), instant("2024-07-15T07:00:00.25Z")) ==
             instant("2024-12-01T08:00:00.25Z"));
  BOOST_TEST(conversion.right->put({}, instant("2024-07-15T07:00:00Z")) == Value{});
}

BOOST_AUTO_TEST_CASE(d18_a_day_that_a_zone_skipped_is_unmappable) {
  auto asked = request("", closing_date, end_instant);
  asked.right_zone = core::TimeZone("Pacific/Apia");
  const auto conversion = make_conversion(asked, nullptr);
  BOOST_TEST(reason_of(*conversion.right, date("2011-12-30")) == "not_representable");
  BOOST_TEST(reason_of(*conversion.right, date("2011-12-31")).empty());
}

BOOST_AUTO_TEST_CASE(r64_a_value_map_keeps_the_finer_choice_and_prefers_the_marked_one) {
  const Field crm{"crm_task",
                  "priority",
                  FieldType::picklist,
                  0,
                  {"Highest", "High", "Normal", "Low", "Lowest"},
                  {}};
  const Field projects{
      "projects_task", "priority", FieldType::picklist, 0, {"none", "low", "medium", "high"}, {}};
  const auto conversion = make_conversion(request("picklist", crm, projects,
                                                  {{"left:Highest", "high"},
                                                   {"left:High", "high"},
                                                   {"left>high", "Highest"},
                                                   {"left:Normal", "medium"},
                                                   {"left:Low", "low"},
                                                   {"left:Lowest", "low"},
                                                   {"right:high", "high"},
                                                   {"right:medium", "medium"},
                                                   {"right:low", "low"},
                                                   {"right:none", ""}}),
                                          nullptr);
  BOOST_TEST(conversion.left->put(text("high"), text("High")) == text("High"));
  BOOST_TEST(conversion.left->put(text("high"), text("Low")) == text("Highest"));
  BOOST_TEST(conversion.left->put(text("low"), {}) == text("Low"));
  BOOST_TEST(conversion.right->get(text("none")) == Value{});
  BOOST_TEST(conversion.left->put({}, text("Low")) == Value{});
  BOOST_TEST(conversion.right->put({}, text("none")) == text("none"));
  BOOST_CHECK_EXCEPTION(
      conversion.left->get(text("Urgent")), core::Unmappable,
      [](const core::Unmappable &why) { return why.reason == "value_not_in_picklist"; });
  BOOST_TEST(reason_of(*conversion.right, text("urgent")) == "value_not_in_picklist");
}

BOOST_AUTO_TEST_CASE(r65_closed_and_reopened_follow_a_status_that_knows_more_than_two_words) {
  const auto conversion = make_conversion(
      request("", task_done, deal_stage,
              {{"true", "Closed Won"}, {"false", "Qualification"}, {"true_values", "Closed Lost"}}),
      nullptr);
  BOOST_TEST(conversion.right->get(text("Closed Lost")) == Value{true});
  BOOST_TEST(conversion.right->get(text("anything else")) == Value{false});
  BOOST_TEST(conversion.right->put(true, text("Closed Lost")) == text("Closed Lost"));
  BOOST_TEST(conversion.right->put(true, text("Qualification")) == text("Closed Won"));
  BOOST_TEST(conversion.right->put(false, text("Closed Lost")) == text("Qualification"));
}

BOOST_AUTO_TEST_CASE(r66_the_first_of_several_owners_follows_by_email_and_the_others_stay) {
  Directory directory;
  directory.add_user("crm_user", id(1), "ann@example.com");
  directory.add_user("crm_user", id(2), "bob@example.com");
  directory.add_user("crm_user", id(3), "crm-only@example.com");
  directory.add_user("projects_user", id(11), "ann@example.com");
  directory.add_user("projects_user", id(12), "bob@example.com");
  directory.add_user("projects_user", id(13), "left@example.com", false);
  const auto conversion = make_conversion(request("", owner, owners), &directory);
  using Users = std::vector<core::Uuid>;
  const Value both = Users{id(11), id(12), id(13)};
  BOOST_TEST(conversion.right->get(both) == text("ann@example.com"));
  BOOST_TEST(conversion.right->put(conversion.left->get(id(1)), both) == both);
  BOOST_TEST(
      (conversion.right->put(conversion.left->get(id(2)), both) == Value{Users{id(12), id(13)}}));
  BOOST_TEST((conversion.right->put(conversion.left->get(id(2)), Users{}) == Value{Users{id(12)}}));
  BOOST_TEST(conversion.left->put(conversion.right->get(both), id(2)) == Value{id(1)});
  BOOST_TEST(reason_of(*conversion.right, conversion.left->get(id(3)), both) == "user_unknown");
  BOOST_CHECK_EXCEPTION(conversion.left->get(id(99)), core::Unmappable,
                        [](const core::Unmappable &why) { return why.reason == "user_unknown"; });
}

BOOST_AUTO_TEST_CASE(a_reference_travels_through_the_active_link) {
  Directory directory;
  directory.link("account_client", id(1), id(11));
  const auto conversion =
      make_conversion(request("", account, client, {{"pairing", "account_client"}}), &directory);
  BOOST_TEST(conversion.right->put(conversion.left->get(id(1)), {}) == Value{id(11)});
  BOOST_TEST(conversion.left->put(conversion.right->get(id(11)), {}) == Value{id(1)});
  BOOST_TEST(reason_of(*conversion.right, id(2)) == "not_linked");
  BOOST_CHECK_THROW(conversion.right->get(id(12)), core::Unmappable);
}

BOOST_AUTO_TEST_CASE(a_mapping_can_be_checked_with_nobody_to_ask) {
  const auto users = make_conversion(request("", owner, owners), nullptr);
  BOOST_CHECK_THROW(users.left->get(id(1)), core::Unmappable);
  const auto linked =
      make_conversion(request("", account, client, {{"pairing", "account_client"}}), nullptr);
  BOOST_TEST(reason_of(*linked.right, id(1)) == "not_linked");
}

BOOST_AUTO_TEST_SUITE_END()
