// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <string_view>

namespace crm_bridge::worker {

// How text travels in a mail (RFC 2045, 2047, 2231).  Every function takes any bytes: what is not
// UTF-8 becomes U+FFFD, controls become spaces, so that no value can end a line or a header.

// A header field, folded, ending with CRLF.  Text that is not plain ASCII becomes encoded words of
// at most 75 octets, none of which cuts a character.
std::string text_header(std::string_view name, std::string_view text);

// `name <address>`, for From and To; without a name the address alone.
std::string mailbox_header(std::string_view field, std::string_view name, std::string_view address);

// Lines of at most 76 octets that end with CRLF.
std::string base64_lines(std::string_view bytes);
std::string quoted_printable(std::string_view text);

// ;name="value" or, where that does not do, ;name*0*=UTF-8''… in as many lines as it takes.
std::string parameter(std::string_view name, std::string_view value);

// Well-formed UTF-8 with line ends as \n and no other controls but tabs.
std::string cleaned_text(std::string_view text);

}  // namespace crm_bridge::worker
