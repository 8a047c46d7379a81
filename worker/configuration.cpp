// SPDX-License-Identifier: PostgreSQL
#include "configuration.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <toml.hpp>

#include "http/origin.hpp"
#include "mail/address.hpp"
#include "services/kinds.hpp"

namespace crm_bridge::worker {
namespace {

using std::chrono::milliseconds;

// One table of the file; remembers which keys were asked for, so that the others can be refused.
class Section {
 public:
  Section(const toml::value &table, std::string name) : table_(table), name_(std::move(name)) {
    if (!table.is_table()) fail(table, "[" + name_ + "] must be a table");
  }

  void read(const std::string &key, std::string &target) {
    if (const auto *value = take(key)) {
      if (!value->is_string()) fail(*value, "\"" + key + "\" must be a string");
      target = value->as_string().str;
    }
  }
  void read(const std::string &key, bool &target) {
    if (const auto *value = take(key)) {
      if (!value->is_boolean()) fail(*value, "\"" + key + "\" must be true or false");
      target = value->as_boolean();
    }
  }
  void read(const std::string &key, int &target, int least, int most) {
    if (const auto *value = take(key)) {
      if (!value->is_integer() || value->as_integer() < least || value->as_integer() > most) {
        fail(*value, "\"" + key + "\" must be a number from " + std::to_string(least) + " to " +
                         std::to_string(most));
      }
      target = static_cast<int>(value->as_integer());
    }
  }
  void read(const std::string &key, milliseconds &target, milliseconds least) {
    if (const auto *value = take(key)) {
      const auto duration = value->is_string() ? parse_duration(value->as_string().str)
                                               : std::optional<milliseconds>{};
      if (!duration || *duration < least) {
        fail(*value, "\"" + key + "\" must be a time like \"10s\", not below " +
                         std::to_string(least.count()) + "ms");
      }
      target = *duration;
    }
  }
  void finish() const {
    for (const auto &[key, value] : table_.as_table()) {
      if (!asked_.contains(key)) fail(value, "[" + name_ + "] has no setting \"" + key + "\"");
    }
  }
  [[noreturn]] static void fail(const toml::value &value, const std::string &message) {
    const auto &place = value.location();
    throw ConfigurationError(place.file_name() + ":" + std::to_string(place.line()) + ": " +
                             message);
  }

 private:
  const toml::value *take(const std::string &key) {
    asked_.insert(key);
    const auto &table = table_.as_table();
    const auto found = table.find(key);
    return found == table.end() ? nullptr : &found->second;
  }

  const toml::value &table_;
  std::string name_;
  std::set<std::string> asked_;
};

void check_url(const toml::value &table, const std::string &key, std::string &url) {
  while (url.ends_with('/')) url.pop_back();
  if (!parse_origin(url)) {
    Section::fail(
        table, "\"" + key + "\" must be an https URL (http is taken for loopback addresses only)");
  }
}

ListenSettings read_listen(const toml::value &table, const std::string &name) {
  ListenSettings settings;
  Section section(table, name);
  section.read("listen", settings.listen);
  section.read("port", settings.port, 0, 65535);
  section.read("port_file", settings.port_file);
  if (name == "receiver") {
    section.read("public_url", settings.public_url);
    if (!settings.public_url.empty()) check_url(table, "public_url", settings.public_url);
  }
  section.finish();
  return settings;
}

ServiceSettings read_service(const toml::value &table) {
  ServiceSettings settings;
  Section section(table, "service");
  section.read("kind", settings.kind);
  const ServiceKind *kind = find_kind(settings.kind);
  if (kind == nullptr) Section::fail(table, "\"kind\" must be one of " + kind_names());
  section.read("accounts_url", settings.accounts_url);
  section.read("api_url", settings.api_url);
  section.read("concurrency", settings.concurrency, 1, 100);
  int requests = -1;
  section.read("requests_per_window", requests, 0, 2'000'000'000);
  if (requests >= 0) settings.requests_per_window = requests;
  settings.window = kind->window;
  section.read("window", settings.window, milliseconds{1});
  section.read("tokens_per_window", settings.tokens_per_window, 0, 1000);
  section.read("assumed_calls", settings.assumed_calls);
  section.read("read_before_write", settings.read_before_write);
  if (kind->has_bridge_field) section.read("bridge_field", settings.bridge_field);
  if (kind->goes_round) {
    section.read("sweep_interval", settings.sweep_interval, milliseconds{50});
    section.read("webhook_path", settings.webhook_path);
    section.read("webhook_token", settings.webhook_token);
  }
  section.finish();
  check_url(table, "accounts_url", settings.accounts_url);
  check_url(table, "api_url", settings.api_url);
  return settings;
}

MailSettings read_mail(const toml::value &table) {
  MailSettings settings;
  std::string tls = "required";
  std::string from;
  Section section(table, "mail");
  section.read("server", settings.smtp.url);
  section.read("tls", tls);
  section.read("ca_file", settings.smtp.ca_file);
  section.read("timeout", settings.smtp.timeout, milliseconds{100});
  section.read("from", from);
  section.read("from_name", settings.from_name);
  section.finish();
  if (!is_smtp_url(settings.smtp.url)) {
    Section::fail(table, "\"server\" must be smtp://HOST:PORT, or smtps:// for TLS from the start");
  }
  if (tls == "opportunistic") {
    settings.smtp.tls = SmtpSettings::Tls::opportunistic;
  } else if (tls == "off") {
    settings.smtp.tls = SmtpSettings::Tls::off;
  } else if (tls != "required") {
    Section::fail(table, "\"tls\" must be \"required\", \"opportunistic\" or \"off\"");
  }
  const auto address = mail_address(from);
  if (!address) Section::fail(table, "\"from\" must be an e-mail address");
  settings.from = *address;
  return settings;
}

std::string host_and_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + ":" + std::to_string(::getpid());
}

}  // namespace

const ServiceSettings *Configuration::service(std::string_view kind) const {
  const auto found = std::find_if(services.begin(), services.end(),
                                  [&](const auto &one) { return one.kind == kind; });
  return found == services.end() ? nullptr : &*found;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  long long amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc{} || amount < 0 || amount > 1'000'000'000) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "ms") return milliseconds{amount};
  if (unit == "s") return std::chrono::seconds{amount};
  if (unit == "m") return std::chrono::minutes{amount};
  if (unit == "h") return std::chrono::hours{amount};
  return std::nullopt;
}

Configuration load_configuration(const std::string &file) {
  if (!std::ifstream(file))
    throw ConfigurationError("could not open the configuration \"" + file + "\"");
  toml::value root;
  try {
    root = toml::parse(file);
  } catch (const toml::exception &fault) {
    throw ConfigurationError(file + ":" + std::to_string(fault.location().line()) +
                             ": not TOML: " + fault.what());
  } catch (const std::exception &fault) {
    throw ConfigurationError(file + ": " + fault.what());
  }
  Configuration configuration;
  for (const auto &[name, value] : root.as_table()) {
    if (name == "database") {
      Section section(value, name);
      section.read("conninfo", configuration.conninfo);
      section.finish();
    } else if (name == "worker") {
      WorkerSettings &worker = configuration.worker;
      Section section(value, name);
      section.read("name", worker.name);
      section.read("secret_key_file", worker.secret_key_file);
      section.read("lease", worker.lease, milliseconds{1000});
      section.read("poll_interval", worker.poll_interval, milliseconds{50});
      section.read("idle_interval", worker.idle_interval, milliseconds{1});
      section.read("request_timeout", worker.request_timeout, milliseconds{100});
      section.finish();
    } else if (name == "receiver") {
      configuration.receiver = read_listen(value, name);
    } else if (name == "status") {
      configuration.status = read_listen(value, name);
    } else if (name == "mail") {
      configuration.mail = read_mail(value);
    } else if (name == "service") {
      if (!value.is_array())
        Section::fail(value, "write [[service]] with two brackets, once for each service");
      for (const auto &table : value.as_array())
        configuration.services.push_back(read_service(table));
    } else {
      Section::fail(value, "there is no section [" + name + "]");
    }
  }
  std::set<std::string> kinds;
  for (const auto &service : configuration.services) {
    if (!kinds.insert(service.kind).second) {
      throw ConfigurationError(file + ": service \"" + service.kind + "\" is configured twice");
    }
  }
  if (configuration.worker.name.empty()) configuration.worker.name = host_and_process();
  return configuration;
}

}  // namespace crm_bridge::worker
