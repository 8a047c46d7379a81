// SPDX-License-Identifier: PostgreSQL
#include "conversion_cases.hpp"

#include "directory.hpp"

namespace crm_bridge::test {

namespace {

using core::ConversionRequest;
using core::Field;
using core::FieldType;
using core::Value;

Field field(FieldType type, std::vector<std::string> picklist = {},
            std::string reference_module = {}) {
  return {"module", std::string(to_text(type)), type,
          0,        std::move(picklist),        std::move(reference_module)};
}

Generator sometimes_null(Generator generator) {
  return [generator](Random &random) { return random.chance(8) ? Value{} : generator(random); };
}
Generator one_of(const std::vector<std::string> &words) {
  return sometimes_null([words](Random &random) -> Value { return random.pick(words); });
}

const std::vector<std::string> stages{"Open", "In Progress", "Waiting", "Closed", "Done"};
const std::vector<std::string> spaced{"Two  Blanks", " Edge ", "Plain"};

// Fifty people, some known on one side only, some inactive.
struct People {
  Directory directory;
  std::vector<core::Uuid> crm;
  std::vector<core::Uuid> projects;
  std::vector<core::Uuid> accounts;
  std::vector<core::Uuid> clients;
  People() {
    Random random("people");
    for (int i = 0; i < 50; ++i) {
      const std::string email = "person" + std::to_string(i) + "@example.com";
      crm.push_back(random.uuid());
      projects.push_back(random.uuid());
      accounts.push_back(random.uuid());
      clients.push_back(random.uuid());
      if (i % 10 != 0) directory.add_user("crm_user", crm.back(), email, i % 7 != 0);
      if (i % 9 != 0) directory.add_user("projects_user", projects.back(), email);
      if (i % 5 != 0) directory.link("account_client", accounts.back(), clients.back());
    }
  }
};

People &people() {
  static People instance;
  return instance;
}

Generator several_of(const std::vector<core::Uuid> &ids) {
  return sometimes_null([ids](Random &random) -> Value {
    std::vector<core::Uuid> some;
    for (auto left = random.between(0, 4); left > 0; --left) some.push_back(random.pick(ids));
    return some;
  });
}

std::vector<ConversionCase> build() {
  const Generator text = sometimes_null([](Random &random) -> Value { return random.text(); });
  const Generator html = sometimes_null([](Random &random) -> Value { return random.html(); });
  const Generator number = sometimes_null([](Random &random) -> Value { return random.number(); });
  const Generator date = sometimes_null([](Random &random) -> Value { return random.date(); });
  const Generator instant =
      sometimes_null([](Random &random) -> Value { return random.instant(); });
  const Generator flag = sometimes_null([](Random &random) -> Value { return random.chance(50); });
  const Generator json =
      sometimes_null([](Random &random) -> Value { return core::Json{random.text()}; });
  const Generator number_text = sometimes_null([](Random &random) -> Value {
    static const std::vector<std::string> around{"", "", " ", "\t", "00"};
    const std::string digits = random.number().digits;
    if (digits.front() == '-') return digits + random.pick(std::vector<std::string>{"", "e0", " "});
    return random.pick(around) + digits;
  });
  const auto one_id = [](const std::vector<core::Uuid> &ids) {
    return sometimes_null([ids](Random &random) -> Value { return random.pick(ids); });
  };
  const People &known = people();

  std::vector<ConversionCase> cases;
  const auto add =
      [&](const std::string &name, const std::string &note, Field left, Field right,
          Generator of_left, Generator of_right, std::map<std::string, std::string> parameters = {},
          const std::string &left_zone = "UTC", const std::string &right_zone = "UTC") {
        const ConversionRequest request{name,
                                        std::move(parameters),
                                        std::move(left),
                                        std::move(right),
                                        core::TimeZone(left_zone),
                                        core::TimeZone(right_zone)};
        cases.push_back({name + " " + note, make_conversion(request, &people().directory),
                         std::move(of_left), std::move(of_right)});
      };
  add("copy", "text", field(FieldType::text), field(FieldType::text), text, text);
  add("copy", "html", field(FieldType::html), field(FieldType::html), html, html);
  add("copy", "text picklist", field(FieldType::text), field(FieldType::picklist, stages),
      one_of({"Open", "Done", "Lost", ""}), one_of(stages));
  add("copy", "number", field(FieldType::number), field(FieldType::number), number, number);
  add("copy", "boolean", field(FieldType::boolean), field(FieldType::boolean), flag, flag);
  add("copy", "date", field(FieldType::date), field(FieldType::date), date, date);
  add("copy", "instant", field(FieldType::instant), field(FieldType::instant), instant, instant);
  add("copy", "reference", field(FieldType::reference, {}, "crm_user"),
      field(FieldType::reference, {}, "crm_user"), one_id(known.crm), one_id(known.crm));
  add("copy", "references", field(FieldType::references, {}, "crm_user"),
      field(FieldType::references, {}, "crm_user"), several_of(known.crm), several_of(known.crm));
  add("copy", "json", field(FieldType::json), field(FieldType::json), json, json);
  add("text", "text html", field(FieldType::text), field(FieldType::html), text, html);
  add("text", "html text", field(FieldType::html), field(FieldType::text), html, text);
  add("text", "html html", field(FieldType::html), field(FieldType::html), html, html);
  add("text", "text text", field(FieldType::text), field(FieldType::text), text, text);
  add("text", "picklist html", field(FieldType::picklist, spaced), field(FieldType::html),
      one_of(spaced), one_of({"<b>Plain</b>", "Two Blanks", "<p>Edge</p>", "Other", "<br>"}));
  add("number", "number money", field(FieldType::number), field(FieldType::money), number, number);
  add("number", "money text", field(FieldType::money), field(FieldType::text), number, number_text);
  add("date_instant", "Berlin", field(FieldType::date), field(FieldType::instant), date, instant,
      {}, "UTC", "Europe/Berlin");
  add("date_instant", "Sao Paulo, 09:30", field(FieldType::instant), field(FieldType::date),
      instant, date, {{"time_of_day", "09:30"}}, "America/Sao_Paulo", "UTC");
  add("date_instant", "New York Apia", field(FieldType::instant), field(FieldType::instant),
      instant, instant, {}, "America/New_York", "Pacific/Apia");
  add("picklist", "both mapped", field(FieldType::picklist, stages), field(FieldType::text),
      one_of(stages), one_of({"todo", "doing", "finished", "unknown"}),
      {{"left:Open", "open"},
       {"left:Waiting", "open"},
       {"left:In Progress", "doing"},
       {"left:Closed", "closed"},
       {"left:Done", "closed"},
       {"left>closed", "Done"},
       {"right:todo", "open"},
       {"right:doing", "doing"},
       {"right:finished", "closed"}});
  add("picklist", "one mapped, empty means something", field(FieldType::picklist, {"None", "High"}),
      field(FieldType::picklist), one_of({"None", "High"}), one_of({"none", "High", "low"}),
      {{"left:None", "none"}, {"left:", "none"}, {"left:High", "High"}});
  add("flag", "boolean picklist", field(FieldType::boolean), field(FieldType::picklist, stages),
      flag, one_of(stages), {{"true", "Closed"}, {"false", "Open"}, {"true_values", "Done|Won"}});
  add("flag", "text boolean", field(FieldType::text), field(FieldType::boolean), text, flag,
      {{"true", "yes"}, {"false", "no"}});
  add("user_email", "one many", field(FieldType::reference, {}, "crm_user"),
      field(FieldType::references, {}, "projects_user"), one_id(known.crm),
      several_of(known.projects));
  add("user_email", "one one", field(FieldType::reference, {}, "projects_user"),
      field(FieldType::reference, {}, "crm_user"), one_id(known.projects), one_id(known.crm));
  add("linked", "account client", field(FieldType::reference, {}, "crm_account"),
      field(FieldType::reference, {}, "projects_client"), one_id(known.accounts),
      one_id(known.clients), {{"pairing", "account_client"}});
  return cases;
}

}  // namespace

const std::vector<ConversionCase> &conversion_cases() {
  static const std::vector<ConversionCase> cases = build();
  return cases;
}

}  // namespace crm_bridge::test
