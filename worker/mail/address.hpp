// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace crm_bridge::worker {

// An address as it may stand in an envelope and a header: ASCII, no spaces, no quotes, an
// internationalized domain in its ASCII form ("mira@xn--bcher-kva.example").  nullopt for what mail
// cannot be sent to, among it local parts that are not ASCII: few servers take them.
std::optional<std::string> mail_address(std::string_view text);

// The part after the @ of an address that mail_address gave.
std::string_view domain_of(std::string_view address);

}  // namespace crm_bridge::worker
