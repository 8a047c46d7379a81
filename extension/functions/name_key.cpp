// SPDX-License-Identifier: PostgreSQL
#include "core/name_key.hpp"

#include "pg/boundary.hpp"

namespace crm_bridge {

namespace {

// (name) → its key; declared STRICT.
Datum name_key(FunctionCallInfo fcinfo) {
  const text *name = pg::call([&] { return PG_GETARG_TEXT_PP(0); });
  std::string const key =
      core::name_key({VARDATA_ANY(name), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(name))});
  return pg::call([&] {
    return PointerGetDatum(cstring_to_text_with_len(key.data(), static_cast<int>(key.size())));
  });
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_name_key, name_key);

}  // namespace crm_bridge
