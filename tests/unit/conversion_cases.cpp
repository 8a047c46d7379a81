// SPDX-License-Identifier: PostgreSQL
#include "conversion_cases.hpp"

#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

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

// Values of one type that are as long as the services take, or just beyond.
Generator long_or_not(Generator generator) {
  return [generator](Random &random) -> Value {
    if (!random.chance(3)) return generator(random);
    return std::string(static_cast<std::size_t>(random.between(31'990, 32'010)), 'x');
  };
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
  // What a comment looks like that names its author, or not.
  const Generator said = [html](Random &random) -> Value {
    const Value plain = html(random);
    if (core::is_null(plain) || random.chance(50)) return plain;
    static const std::vector<std::string> lines{"[Zoho CRM: Mira Novak]<br>",
                                                "<p>[Zoho CRM: Mira: Call]</p>", "[Zoho CRM]<br>",
                                                "[Zoho CRM]", "[Zoho CRMs]<br>"};
    return random.pick(lines) + std::get<std::string>(plain);
  };
  add("comment", "text html", field(FieldType::text), field(FieldType::html), text, said,
      {{"author_line", "Zoho CRM"}});

  // The shipped mappings of a task, with the services' own choices, lengths and zones (R61-R67).
  const Field crm_priority =
      field(FieldType::picklist, {"Highest", "High", "Normal", "Low", "Lowest"});
  const Field projects_priority = field(FieldType::picklist, {"none", "low", "medium", "high"});
  const Field crm_status = field(FieldType::picklist, {"Not Started", "Deferred", "In Progress",
                                                       "Completed", "Waiting for input"});
  // A choice that an organization added is met too, and stays where it is.
  std::vector<std::string> priorities = crm_priority.picklist;
  priorities.emplace_back("Urgent");
  priorities.emplace_back("");
  add("picklist", "task priority", crm_priority, projects_priority, one_of(priorities),
      one_of(projects_priority.picklist), shipped_parameters("task_task", "priority", "priority"));
  std::vector<std::string> statuses = crm_status.picklist;
  statuses.emplace_back("On Hold");
  add("flag", "task status", crm_status, field(FieldType::boolean), one_of(statuses), flag,
      shipped_parameters("task_task", "status", "is_completed"));
  Field subject = field(FieldType::text);
  subject.maximum_length = 255;
  add("copy", "task name", subject, field(FieldType::text), text, text);
  Field description = field(FieldType::text);
  description.maximum_length = 32'000;
  add("text", "task description", description, field(FieldType::html), long_or_not(text),
      long_or_not(html));
  for (const char *zone : {"America/New_York", "Asia/Kolkata", "Europe/London", "Pacific/Apia",
                           "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo"})
    add("date_instant", std::string{"task due date, "} + zone, field(FieldType::date),
        field(FieldType::instant), date, instant, {}, "Asia/Kolkata", zone);
  return cases;
}

}  // namespace

std::map<std::string, std::string> shipped_parameters(const std::string &pairing,
                                                      const std::string &left,
                                                      const std::string &right) {
  std::ifstream file(CRM_BRIDGE_MAPPINGS);
  const std::string source{std::istreambuf_iterator<char>(file), {}};
  const std::size_t call =
      source.find("map_field('" + pairing + "', '" + left + "', '" + right + "'");
  const std::size_t end = source.find(";\n", call);
  if (call == std::string::npos || end == std::string::npos)
    throw std::runtime_error("no shipped mapping " + pairing + " " + left + " " + right);
  const std::string text = source.substr(call, end - call);
  std::map<std::string, std::string> parameters;
  static const std::regex member{"\"([^\"]*)\": \"([^\"]*)\""};
  for (std::sregex_iterator each(text.begin(), text.end(), member), none; each != none; ++each)
    parameters.emplace((*each)[1], (*each)[2]);
  return parameters;
}

const std::vector<ConversionCase> &conversion_cases() {
  static const std::vector<ConversionCase> cases = build();
  return cases;
}

}  // namespace crm_bridge::test
