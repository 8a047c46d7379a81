// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>

#include "core/time_zone.hpp"
#include "core/value.hpp"

namespace crm_bridge::core {

// Values as a reader of a language writes them, by ICU's data.  `locale` is a tag like "de",
// "en_GB" or "zh-Hans-CN"; one that ICU does not know gives its language's form, or English.

std::string localized_date(Date date, const std::string &locale);  // "1. März 2026"
// Date and time of day in the zone, to the minute: "1. März 2026 um 10:15".
std::string localized_instant(Instant instant, const std::string &locale, const TimeZone &zone);
std::string localized_number(const Number &number, const std::string &locale);  // "1.234,5"

}  // namespace crm_bridge::core
