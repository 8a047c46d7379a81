// SPDX-License-Identifier: PostgreSQL
#include "configuration.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "options.hpp"

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;

namespace {

Configuration load(const std::string &text) {
  std::string name = (std::filesystem::temp_directory_path() / "crm_bridge_toml_XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0) throw std::runtime_error("no file");
  ::close(descriptor);
  std::ofstream(name) << text;
  struct Remove {
    std::string name;
    ~Remove() { std::filesystem::remove(name); }
  } const remove{name};
  return load_configuration(name);
}

const std::string service =
    "accounts_url = \"https://accounts.zoho.eu\"\napi_url = \"https://www.zohoapis.eu/\"\n";

const std::string wrong[] = {
    "[worker]\nlaese = \"10s\"",
    "[worker]\nlease = 10",
    "[worker]\nlease = \"10\"",
    "[worker]\nlease = \"0s\"",
    "[wroker]",
    "[service]\nkind = \"zoho_crm\"",
    "[[service]]\nkind = \"salesforce\"\n" + service,
    "[[service]]\nkind = \"zoho_crm\"\naccounts_url = \"http://accounts.zoho.eu\"\napi_url = "
    "\"https://x.test\"",
    "[[service]]\nkind = \"zoho_crm\"",
    "[receiver]\nport = 70000",
    "not toml",
    "[mail]\nserver = \"http://mail.example.com\"\nfrom = \"a@b.example\"",
    "[mail]\nserver = \"smtp://mail.example.com\"",
    "[mail]\nserver = \"smtp://mail.example.com\"\nfrom = \"a@b.example\"\ntls = \"maybe\"",
    "[mail]\nserver = \"smtp://mail.example.com\"\nfrom = \"a@b.example\"\npassword = \"x\"",
    "[[service]]\nkind = \"zoho_crm\"\n" + service + "[[service]]\nkind = \"zoho_crm\"\n" + service,
    "[[service]]\nkind = \"zoho_crm\"\nwebhook_token = \"x\"\n" + service};

int parse(std::vector<const char *> arguments, ParsedOptions &parsed) {
  arguments.insert(arguments.begin(), "crm-bridge");
  parsed = parse_options(static_cast<int>(arguments.size()), arguments.data());
  return static_cast<int>(parsed.exit_code);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(a_whole_file) {
  const Configuration read = load(
      "[database]\nconninfo = \"host=a,b dbname=crm\"\n[worker]\nlease = \"3s\"\n"
      "[receiver]\nport = 8080\npublic_url = \"https://hooks.example.com/\"\n"
      "[[service]]\nkind = \"zoho_crm\"\nbridge_field = \"\"\n" +
      service + "[[service]]\nkind = \"zoho_projects\"\nassumed_calls = true\nwindow = \"2m\"\n" +
      service);
  BOOST_TEST(read.conninfo == "host=a,b dbname=crm");
  BOOST_TEST(read.worker.lease.count() == 3000);
  BOOST_TEST(!read.worker.name.empty());
  BOOST_TEST(read.receiver->public_url == "https://hooks.example.com");
  BOOST_TEST(!read.status.has_value());
  BOOST_REQUIRE(read.services.size() == 2);
  BOOST_TEST(read.service("zoho_crm")->api_url == "https://www.zohoapis.eu");
  BOOST_TEST(read.service("zoho_crm")->bridge_field == "");
  BOOST_TEST(!read.service("zoho_crm")->requests_per_window.has_value());
  BOOST_TEST(!read.service("zoho_projects")->requests_per_window.has_value());
  BOOST_TEST(read.service("zoho_projects")->assumed_calls);
}

BOOST_DATA_TEST_CASE(mistakes_are_named, data::make(wrong), text) {
  BOOST_CHECK_THROW(load(text), ConfigurationError);
}

BOOST_AUTO_TEST_CASE(durations) {
  BOOST_TEST(parse_duration("250ms")->count() == 250);
  BOOST_TEST(parse_duration("2m")->count() == 120000);
  BOOST_TEST(parse_duration("1h")->count() == 3600000);
  for (const char *bad : {"", "s", "10", "-1s", "1.5s", "1 s", "1d", "99999999999999s"}) {
    BOOST_TEST(!parse_duration(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(the_example_is_a_configuration) {
  const Configuration example = load_configuration(CRM_BRIDGE_EXAMPLE_CONFIGURATION);
  BOOST_TEST(example.services.size() == 2);
}

BOOST_AUTO_TEST_CASE(command_lines) {
  ParsedOptions parsed;
  BOOST_TEST(parse({"run", "--once", "-c", "x.toml"}, parsed) == 0);
  BOOST_TEST(parsed.options->once);
  BOOST_TEST(parsed.options->configuration_file == "x.toml");
  BOOST_TEST(parse({"--config", "y.toml", "seal", "--service", "zoho_crm", "--org", "1"}, parsed) ==
             0);
  BOOST_TEST(parsed.options->org_id == 1);
  BOOST_TEST(parsed.options->configuration_file == "y.toml");
  BOOST_TEST(parse({"bogus"}, parsed) == 2);
  BOOST_TEST(parse({}, parsed) == 2);
  BOOST_TEST(parse({"seal", "--org", "1"}, parsed) == 2);
  BOOST_TEST(parse({"run", "--twice"}, parsed) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
