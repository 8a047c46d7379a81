// SPDX-License-Identifier: PostgreSQL
#include "settings.hpp"

#include <charconv>

#include "functions/write_scope.hpp"
#include "pg/boundary.hpp"

namespace crm_bridge::settings {

ActingUser acting_user;
constinit std::uint64_t identity_changes = 0;
constinit int clock_offset = 0;
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
  ++identity_changes;
}

// "7/018f…": an organization and one of its users.  A setting, because settings are what the server
// carries into parallel workers and takes back at the end of a transaction or savepoint; but one
// that nobody can SET: not a superuser, not ALTER ROLE, not a client's options.
constinit char *acting_text = nullptr;
constinit bool written_by_act_as = false;

ActingUser parse_acting(std::string_view text) noexcept {
  auto const slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  auto const org_id = parse_organization(text.substr(0, slash));
  auto const id = core::parse_uuid(text.substr(slash + 1));
  if (!org_id.has_value() || !id.has_value()) return {};
  return {*org_id, *id};
}

bool check_acting(char **text, void **, GucSource) noexcept {
  if (**text == '\0' || written_by_act_as || InitializingParallelWorker) return true;
  GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
  GUC_check_errmsg("parameter \"crm_bridge.acting_user\" cannot be set");
  GUC_check_errhint("Call crm_bridge.act_as() in the transaction.");
  return false;
}

void assign_acting(const char *text, void *) noexcept {
  acting_user = parse_acting(text);
  ++identity_changes;
}

}  // namespace

void act_as(const ActingUser &user) {
  std::string const text = std::to_string(user.org_id) + "/" + core::to_text(user.id);
  struct Permission {
    Permission() { written_by_act_as = true; }
    ~Permission() { written_by_act_as = false; }
  } const permission;
  pg::call([&] {
    (void)set_config_option("crm_bridge.acting_user", text.c_str(), PGC_SUSET, PGC_S_SESSION,
                            GUC_ACTION_LOCAL, true, ERROR, false);
  });
}

void register_all() {
  DefineCustomStringVariable(
      "crm_bridge.acting_user", "The CRM user whom the transaction acts for.",
      "Written by crm_bridge.act_as() and gone at the end of the transaction; nobody can set it.",
      &acting_text, "", PGC_SUSET, GUC_NO_RESET_ALL | GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE,
      check_acting, assign_acting, nullptr);
  DefineCustomIntVariable(
      "crm_bridge.clock_offset",
      "Moves the clock by which budgets and notification channels lapse.",
      "For tests: two minutes, or a week, pass at once. Leave it at 0 where the services are real: "
      "with the clock moved, more requests are handed out than they take.",
      &clock_offset, 0, 0, PG_INT32_MAX, PGC_SUSET, GUC_UNIT_S | GUC_NOT_IN_SAMPLE, nullptr,
      nullptr, nullptr);
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
