#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What the stored key of names costs who writes accounts: INSERT of one and of 1,000 rows into crm_account as it is, with the key
# stored but not indexed, and without it.  Three databases that differ in nothing else; nothing is judged.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

sides=(as_it_is no_index no_key)

make_side() {
  [[ $1 == as_it_is ]] || query 'DROP INDEX crm_bridge.crm_account_by_name_key'
  [[ $1 != no_key ]] || query 'ALTER TABLE crm_bridge.crm_account ALTER COLUMN name_key DROP EXPRESSION'
  query "SELECT crm_bridge.create_organization(1, 'Zylker')" >/dev/null
}

# compare WORKLOAD : all sides in turn, each round from an empty table.
compare() {
  local workload=$1 round side
  for ((round = 0; round < rounds; ++round)); do
    for side in "${sides[@]}"; do
      export PGDATABASE=$side
      query 'SET session_replication_role = replica; TRUNCATE crm_bridge.crm_account; TRUNCATE crm_bridge.history; TRUNCATE crm_bridge.delivery' >/dev/null
      measure "$workload.$side" "$SESSION/$workload.sql" 1
    done
  done
  printf '\n%-22s %10s %12s %12s\n' "$workload" '1/s' 'CPU µs' 'of no_key'
  for side in "${sides[@]}"; do
    printf '  %-20s %10.0f %12.1f %12.2f\n' "$side" "$(median_of "$workload.$side")" "$(median_of "$workload.$side" 2)" "$(ratio_of "$workload.$side" "$workload.no_key")"
  done
}

print_circumstances
for side in "${sides[@]}"; do
  create_database "$side"
  make_side "$side"
done
name="'Société Company ' || md5(random()::text) || ' GmbH'"
echo "INSERT INTO crm_bridge.crm_account (account_name, phone) VALUES ($name, '1');" >"$SESSION/insert_1.sql"
echo "INSERT INTO crm_bridge.crm_account (account_name, phone) SELECT $name, '1' FROM generate_series(1, 1000);" >"$SESSION/insert_1000.sql"
compare insert_1
compare insert_1000
