// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <string_view>

namespace crm_bridge::core {

// The form in which two names are the same (D6): Unicode NFKC with full case folding, white space
// trimmed and its runs made one space, nothing else stripped.  Computed as NFKC_Casefold, which
// also drops what is invisible by definition (default ignorables: zero-width space and joiners,
// soft hyphen, byte order mark, bidirectional marks, variation selectors).
// Total: malformed UTF-8 counts as U+FFFD.  name_key(name_key(x)) == name_key(x).
std::string name_key(std::string_view name);

}  // namespace crm_bridge::core
