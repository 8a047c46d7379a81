// SPDX-License-Identifier: PostgreSQL
#include "fields.hpp"

#include <cstdio>
#include <ctime>
#include <map>
#include <stdexcept>
#include <vector>

namespace crm_bridge::convergence {

namespace {

const std::array<std::array<std::string, field_count>, 2> names{
    {{"subject", "description", "due_date", "priority", "status", "owner_id"},
     {"name", "description", "end_date", "priority", "is_completed", "owner_ids"}}};

// Days of January and February only: then the portal in New York is five hours behind UTC.
constexpr int first_year = 2027;
constexpr int days_a_year = 50;
constexpr std::int64_t portal_offset = 5 * 3600;

std::string day(int serial) {
  const int of_year = serial % days_a_year;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", first_year + serial / days_a_year,
                of_year < 31 ? 1 : 2, of_year < 31 ? of_year + 1 : of_year - 30);
  return text.data();
}

// A day of the portal at one of a few hours, as PostgreSQL writes it in UTC.
std::string instant(int serial, Random &random) {
  static const std::vector<std::string> hours{"05:00:00", "14:00:00", "22:30:00"};
  return day(serial) + "T" + random.pick(hours) + "+00:00";
}

std::string day_of_instant(const std::string &text) {
  std::tm parts{};
  if (strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr)
    throw std::runtime_error("no instant: " + text);
  const std::time_t moment = timegm(&parts) - portal_offset;
  gmtime_r(&moment, &parts);
  std::array<char, 32> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%d", &parts);
  return day.data();
}

void replace_all(std::string &text, const std::string &from, const std::string &to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// As markup in which the two lines are shown; people's editors differ.
std::string marked_up(std::string first, std::string second, Random &random) {
  for (std::string *line : {&first, &second}) {
    replace_all(*line, "&", "&amp;");
    replace_all(*line, "<", "&lt;");
    replace_all(*line, ">", "&gt;");
  }
  switch (random.below(4)) {
    case 0:
      return first + "<br>" + second;
    case 1:
      return "<div>" + first + "</div><div>" + second + "</div>";
    case 2:
      return "<p><b>" + first + "</b></p><p>" + second + "</p>";
    default:
      return "<span style=\"color: red\">" + first + "</span><br/>" + second;
  }
}

// What a browser shows of the markup above and of the little that the bridge writes itself.
std::string shown(std::string html) {
  for (const char *tag : {"<br>", "<br/>", "</div><div>", "</p><p>"}) replace_all(html, tag, "\n");
  for (std::size_t open = html.find('<'); open != std::string::npos; open = html.find('<'))
    html.erase(open, html.find('>', open) - open + 1);
  replace_all(html, "&lt;", "<");
  replace_all(html, "&gt;", ">");
  replace_all(html, "&quot;", "\"");
  replace_all(html, "&amp;", "&");
  return html;
}

std::string text_of(int serial) { return "value " + std::to_string(serial); }

}  // namespace

const char *service_of(Side side) { return side == Side::crm ? "zoho_crm" : "zoho_projects"; }
const char *module_of(Side side) { return side == Side::crm ? "crm_task" : "projects_task"; }

const std::string &name_of(Side side, std::size_t field) { return names[index(side)][field]; }

std::size_t field_named(Side side, const std::string &name) {
  std::size_t field = 0;
  while (field < field_count && names[index(side)][field] != name) ++field;
  return field;
}

Json typed_value(Side side, std::size_t field, int serial, Random &random) {
  const bool crm = side == Side::crm;
  static const std::vector<std::string> endings{"", " & more", " < all", " \u00e9t\u00e9"};
  switch (field) {
    case subject:
      return text_of(serial) + random.pick(endings);
    case description: {
      if (random.chance(10)) return nullptr;
      const std::string first = text_of(serial);
      const std::string second = "and" + random.pick(endings);
      return crm ? first + "\n" + second : marked_up(first, second, random);
    }
    case due:
      if (random.chance(10)) return nullptr;
      return crm ? day(serial) : instant(serial, random);
    case priority: {
      static const std::vector<Json> in_crm{"Highest", "High", "Normal", "Low", "Lowest", nullptr};
      static const std::vector<Json> in_projects{"none", "low", "medium", "high"};
      return random.pick(crm ? in_crm : in_projects);
    }
    case status: {
      static const std::vector<Json> in_crm{"Not Started", "Deferred", "In Progress",
                                            "Waiting for input", "Completed"};
      if (crm) return random.pick(in_crm);
      return random.chance(50);
    }
    default: {
      const int first = random.below(static_cast<int>(people.size()));
      if (crm) return std::string("c-") + people[static_cast<std::size_t>(first)];
      Json list = Json::array({std::string("p-") + people[static_cast<std::size_t>(first)]});
      if (random.chance(40))
        list.push_back(std::string("p-") +
                       people[static_cast<std::size_t>(first + 1) % people.size()]);
      return list;
    }
  }
}

Json meaning(Side side, std::size_t field, const Json &value) {
  const bool crm = side == Side::crm;
  if (field == priority) {
    static const std::map<std::string, std::string> of_crm{{"Highest", "high"},
                                                           {"High", "high"},
                                                           {"Normal", "medium"},
                                                           {"Low", "low"},
                                                           {"Lowest", "low"}};
    if (value.is_null()) return "none";
    return crm ? of_crm.at(value.get<std::string>()) : value.get<std::string>();
  }
  if (value.is_null()) return nullptr;
  switch (field) {
    case description:
      return crm ? value.get<std::string>() : shown(value.get<std::string>());
    case due:
      return crm ? value.get<std::string>() : day_of_instant(value.get<std::string>());
    case status:
      return crm ? value.get<std::string>() == "Completed" : value.get<bool>();
    case owner:
      if (!crm && value.empty()) return nullptr;
      return (crm ? value : value.front()).get<std::string>().substr(2);
    default:
      return value;
  }
}

}  // namespace crm_bridge::convergence
