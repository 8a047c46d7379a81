// SPDX-License-Identifier: PostgreSQL
#include "settings.hpp"

#include <charconv>

#include "functions/write_scope.hpp"

namespace crm_bridge::settings {

constinit bool notify = true;
constinit int notify_interval = 100;
constinit bool notify_changed = false;
constinit std::int64_t organization = 0;
constinit int propagate_limit = 10000;
constinit int write_origin = static_cast<int>(Origin::app);

namespace {

// Only what a writer may truly say of himself: nobody can pose as the service or the bridge.
constinit const config_enum_entry origins[] = {
    {"app", static_cast<int>(Origin::app), false},
    {"import", static_cast<int>(Origin::import), false},
    {"mass_update", static_cast<int>(Origin::mass_update), false},
    {nullptr, 0, false}};

// An organization's number is a bigint, and the server has no setting of that width: it is read
// from text.
constinit char *organization_text = nullptr;

std::optional<std::int64_t> parse_organization(std::string_view text) noexcept {
  std::int64_t number = 0;
  auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool const whole = problem == std::errc{} && end == text.data() + text.size() && number >= 0;
  return whole ? std::optional{number} : std::nullopt;
}

bool check_organization(char **text, void **, GucSource) noexcept {
  if (parse_organization(*text).has_value()) return true;
  GUC_check_errhint("The number that create_organization() was given, or 0.");
  return false;
}

void assign_organization(const char *text, void *) noexcept {
  organization = parse_organization(text).value_or(0);
}

}  // namespace

void register_all() {
  DefineCustomBoolVariable("crm_bridge.notify",
                           "Rings the workers' doorbell (NOTIFY) when there is something to send.",
                           "Switch it off where transactions are prepared (two-phase commit "
                           "forbids NOTIFY); the workers poll anyway.",
                           &notify, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable(
      "crm_bridge.notify_changed",
      "Also notifies channel crm_bridge_changed with the name of the module that changed.",
      "For apps that want to be told. Anyone may listen to any channel, so nothing but the "
      "module's name is in it.",
      &notify_changed, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable(
      "crm_bridge.notify_interval", "Shortest time between two doorbells of one session.",
      "NOTIFY makes committing sessions wait for each other; the workers keep looking for longer "
      "than this after each find, so nothing waits for a doorbell that was left out.",
      &notify_interval, 100, 0, 10000, PGC_SUSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomStringVariable(
      "crm_bridge.organization", "Chooses among the organizations that the role may work for.",
      "Needed only by roles that have several; it can narrow the choice and never widen it. 0 "
      "chooses none.",
      &organization_text, "0", PGC_USERSET, 0, check_organization, assign_organization, nullptr);
  DefineCustomIntVariable(
      "crm_bridge.propagate_limit",
      "Rows of one statement that are carried to their twins in the same transaction.",
      "Larger statements leave requests that the worker settles, so that a mass update does not "
      "lock both sides.",
      &propagate_limit, 10000, 0, PG_INT32_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomEnumVariable(
      "crm_bridge.write_origin",
      "What kind of write this session makes: app, import or mass_update.",
      "Imported records stay out of calendar and contact sync until they are edited (R113, R127).",
      &write_origin, static_cast<int>(Origin::app), origins, PGC_USERSET, 0, nullptr, nullptr,
      nullptr);
  MarkGUCPrefixReserved("crm_bridge");
}

}  // namespace crm_bridge::settings
