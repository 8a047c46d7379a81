// SPDX-License-Identifier: PostgreSQL
//
// Values of a mail as its reader writes them.
#include "core/localized.hpp"
#include "pg/datum.hpp"

namespace crm_bridge {

namespace {

// Arguments: kind (date, instant, number), value in the form that jsonb gives it, locale, time
// zone. What is not of that kind is given back as it is: a mail goes out whatever stands in it.
Datum localized(FunctionCallInfo fcinfo) {
  std::string const kind = pg::text_of(fcinfo->args[0].value);
  std::string const value = pg::text_of(fcinfo->args[1].value);
  std::string const locale = pg::text_of(fcinfo->args[2].value);
  std::string const zone_name = pg::text_of(fcinfo->args[3].value);
  std::string text = value;
  if (kind == "number") {
    if (auto const number = core::parse_number(value))
      text = core::localized_number(*number, locale);
  } else if (auto const date = core::parse_date(value)) {
    text = core::localized_date(*date, locale);
  } else if (auto const instant = core::parse_instant(value)) {
    core::TimeZone const zone{zone_name};
    text = kind == "date" ? core::localized_date(zone.date_of(*instant), locale)
                          : core::localized_instant(*instant, locale, zone);
  }
  return pg::argument(text).value;
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_localized, localized);

}  // namespace crm_bridge
