// SPDX-License-Identifier: PostgreSQL
#include "pg/postgres.hpp"
#include "settings.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
void _PG_init(void) { crm_bridge::settings::register_all(); }
}
