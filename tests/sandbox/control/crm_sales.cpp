// SPDX-License-Identifier: PostgreSQL
#include "service.hpp"

#include <fstream>
#include <map>
#include <optional>

namespace crm_bridge::sandbox::control {
namespace {

using Row = std::map<std::string, std::string>;

// The files have neither quotes nor commas inside values, but carriage returns.
std::optional<std::vector<Row>> read_csv(const std::string &file) {
  std::ifstream input{file};
  if (!input) return std::nullopt;
  const auto split = [](std::string line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
    std::vector<std::string> parts(1);
    for (const char c : line) {
      if (c == ',') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    return parts;
  };
  std::string line;
  std::getline(input, line);
  const auto names = split(line);
  std::vector<Row> rows;
  while (std::getline(input, line)) {
    const auto values = split(line);
    if (values.size() < 2) continue;
    Row row;
    for (std::size_t i = 0; i < names.size(); ++i)
      row[names[i]] = i < values.size() ? values[i] : "";
    rows.push_back(std::move(row));
  }
  return rows;
}

// "01-03-17" is the first of March 2017.
std::string date_of(const std::string &text) {
  if (text.size() != 8) return {};
  return "20" + text.substr(6, 2) + "-" + text.substr(3, 2) + "-" + text.substr(0, 2);
}

std::string stage_of(const std::string &stage) {
  static const std::map<std::string, std::string> table{{"Won", "Closed Won"},
                                                        {"Lost", "Closed Lost"},
                                                        {"Engaging", "Negotiation/Review"},
                                                        {"Prospecting", "Qualification"}};
  const auto found = table.find(stage);
  return found == table.end() ? stage : found->second;
}

std::string add_agent(const std::string &name, crm::Service &crm) {
  const std::size_t space = name.find(' ');
  const std::string first = name.substr(0, space);
  const std::string last = space == std::string::npos ? "" : name.substr(space + 1);
  std::string email = first + "." + last + "@example.com";
  for (char &c : email) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == ' ') c = '.';
  }
  return crm.add_user(first, last, email);
}

// Names to ids of what went in; what did not is counted.
std::map<std::string, std::string> ids_by_name(const std::vector<std::string> &names,
                                               const Json &results, std::size_t &refused) {
  std::map<std::string, std::string> ids;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (results[i]["status"] == "success") {
      ids[names[i]] = results[i]["details"]["id"];
    } else {
      ++refused;
    }
  }
  return ids;
}

// Parents before their subsidiaries, in as many rounds as the tree is deep.
std::map<std::string, std::string> import_accounts(std::vector<Row> rows, crm::Service &crm,
                                                   std::size_t &refused) {
  std::map<std::string, std::string> ids;
  while (!rows.empty()) {
    std::vector<std::string> names;
    std::vector<Json> records;
    std::vector<Row> later;
    for (const auto &row : rows) {
      const std::string &parent = row.at("subsidiary_of");
      if (!parent.empty() && ids.count(parent) == 0) {
        later.push_back(row);
        continue;
      }
      Json account = {{"Account_Name", row.at("account")},
                      {"Industry", row.at("sector")},
                      {"Billing_Country", row.at("office_location")}};
      if (!row.at("revenue").empty())
        account["Annual_Revenue"] = std::stod(row.at("revenue")) * 1'000'000;
      if (!row.at("employees").empty()) account["Employees"] = std::stoll(row.at("employees"));
      if (!parent.empty()) account["Parent_Account"] = {{"id", ids[parent]}};
      names.push_back(row.at("account"));
      records.push_back(std::move(account));
    }
    if (names.empty()) {  // a parent that is not in the file
      for (auto &row : later) row["subsidiary_of"].clear();
    } else {
      ids.merge(ids_by_name(names, crm.import("Accounts", records), refused));
    }
    rows = std::move(later);
  }
  return ids;
}

}  // namespace

Json import_crm_sales(const std::string &directory, crm::Service &crm) {
  std::map<std::string, std::vector<Row>> files;
  for (const char *name : {"accounts", "sales_pipeline", "sales_teams", "products"}) {
    auto rows = read_csv(directory + "/" + name + ".csv");
    if (!rows) return {{"error", "could not read " + directory + "/" + name + ".csv"}};
    files[name] = std::move(*rows);
  }
  std::map<std::string, std::string> agents;
  for (const auto &row : files["sales_teams"])
    agents[row.at("sales_agent")] = add_agent(row.at("sales_agent"), crm);
  for (const auto &row : files["sales_pipeline"]) {
    auto &agent = agents[row.at("sales_agent")];
    if (agent.empty()) agent = add_agent(row.at("sales_agent"), crm);
  }

  std::size_t refused = 0;
  const auto accounts = import_accounts(files["accounts"], crm, refused);
  std::vector<std::string> names;
  std::vector<Json> records;
  std::size_t without_account = 0;
  std::map<std::string, std::size_t> stages;
  for (const auto &row : files["sales_pipeline"]) {
    const std::string &company = row.at("account");
    const std::string &key = row.at("opportunity_id");
    Json deal = {{"Deal_Name",
                  row.at("product") + (company.empty() ? "" : " – " + company) + " (" + key + ")"},
                 {"Stage", stage_of(row.at("deal_stage"))},
                 {"Owner", {{"id", agents.at(row.at("sales_agent"))}}}};
    if (!row.at("close_value").empty()) deal["Amount"] = std::stod(row.at("close_value"));
    if (const std::string date = date_of(row.at("close_date")); !date.empty())
      deal["Closing_Date"] = date;
    if (const auto account = accounts.find(company); account != accounts.end()) {
      deal["Account_Name"] = {{"id", account->second}};
    } else {
      ++without_account;
    }
    ++stages[row.at("deal_stage")];
    names.push_back(key);
    records.push_back(std::move(deal));
  }
  const auto deals = ids_by_name(names, crm.import("Deals", records), refused);
  return {{"accounts", accounts.size()},
          {"deals", deals.size()},
          {"deals_without_account", without_account},
          {"deals_by_stage", stages},
          {"users", agents.size()},
          {"products_read", files["products"].size()},
          {"refused", refused}};
}

}  // namespace crm_bridge::sandbox::control
