#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What capture costs the app's write: the same table, columns and indexes, bare, with PgQ's C trigger, with a plpgsql
# trigger that logs old and new as jsonb, and as a mirror of crm_bridge.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

sides=(bare pgq plpgsql crm_bridge)
records=100000
declare -A table=([bare]=peer.bare [pgq]=peer.pgq [plpgsql]=peer.plpgsql [crm_bridge]=crm_bridge.crm_deal)

make_tables() {
  query 'CREATE EXTENSION pgq' >/dev/null
  "$server/bin/psql" -X -q -v ON_ERROR_STOP=1 -f "$bench/capture_tables.sql" >/dev/null
}

# Empties a side's table and what its trigger wrote, then loads the records; 1,000 share an account.
load() {
  local side
  for side in "${sides[@]}"; do
    query "SET session_replication_role = replica; TRUNCATE ${table[$side]}"
    query "INSERT INTO ${table[$side]} (org_id, external_id, deal_name, stage, closing_date, amount, probability, account_id, next_step, description)
           SELECT 1, n, 'Deal ' || n, 'Qualification', '2026-12-01', n, 10, peer.account(n / 1000), 'call', repeat('words about the deal ', 5)
             FROM generate_series(1, $records) AS n" >/dev/null
  done
  empty_logs
}

empty_logs() {
  query "TRUNCATE crm_bridge.history; TRUNCATE crm_bridge.delivery; TRUNCATE peer.log; TRUNCATE pgq.event_template CASCADE;
         SELECT peer.truncate_queue()" >/dev/null
}

# Brings a side to where a round begins.
prepare_update() { query "VACUUM ${table[$1]}, crm_bridge.delivery"; }

prepare_first_touch() {
  query 'TRUNCATE crm_bridge.delivery'
  prepare_update "$1"
}

prepare_insert() {
  query "SET session_replication_role = replica; TRUNCATE ${table[$1]}"
  empty_logs
}

# Writes the script of WORKLOAD for each side to $SESSION/WORKLOAD.SIDE.sql.
write_scripts() {
  local workload=$1 side text
  text=$(cat)
  for side in "${sides[@]}"; do
    printf '%s\n' "${text//TABLE/${table[$side]}}" >"$SESSION/$workload.$side.sql"
  done
}

# tell WORKLOAD TITLE TARGET
tell() {
  local side
  printf '\n%s\n  %-12s %14s %10s %12s %10s\n' "$2" side "statements/s" "of bare" "server µs" "of PgQ's"
  for side in "${sides[@]}"; do
    printf '  %-12s %14.1f %10.2f %12.1f %10.2f\n' "$side" "$(median_of "$1.$side")" "$(ratio_of "$1.$side" "$1.bare")" \
      "$(median_of "$1.$side" 2)" "$(ratio_of "$1.$side" "$1.pgq" 2)"
  done
  judge "crm_bridge / PgQ" "$(ratio_of "$1.crm_bridge" "$1.pgq")" "$3"
}

print_circumstances
say "$records records, 22 columns, 4 indexes; 1 client, prepared statements, medians of $rounds rounds of $seconds s"
make_tables
load

# The keys are the service's ids, as an app may use them; the values are new each time.
write_scripts update <<'SQL'
\set n random(1, 100000)
\set a random(1, 1000000000)
UPDATE TABLE SET amount = :a, next_step = 'call ' || :a WHERE org_id = 1 AND external_id = :n::text;
SQL
write_scripts first_touch <<'SQL'
\set n (:n % 100000) + 1
\set a random(1, 1000000000)
UPDATE TABLE SET amount = :a, next_step = 'call ' || :a WHERE org_id = 1 AND external_id = :n::text;
SQL
write_scripts update_many <<'SQL'
\set n (:n % 99) + 1
\set a random(1, 1000000000)
UPDATE TABLE SET amount = amount + :a, next_step = 'call ' || :a WHERE org_id = 1 AND account_id = peer.account(:n);
SQL
for side in "${sides[@]}"; do
  cp "$SESSION/update_many.$side.sql" "$SESSION/update_many_first.$side.sql"
done
write_scripts insert <<'SQL'
\set a random(1, 1000000000)
INSERT INTO TABLE (deal_name, stage, closing_date, amount, probability, account_id, next_step, description)
VALUES ('Deal ' || :a, 'Qualification', '2026-12-01', :a, 10, '018f0000-0000-7000-8000-000000000001', 'call', 'words about the deal words about the deal');
SQL
write_scripts insert_many <<'SQL'
\set a random(1, 1000000000)
INSERT INTO TABLE (deal_name, stage, closing_date, amount, probability, account_id, next_step, description)
SELECT 'Deal ' || n, 'Qualification', '2026-12-01', :a, 10, '018f0000-0000-7000-8000-000000000001', 'call', 'words about the deal words about the deal'
  FROM generate_series(1, 1000) AS n;
SQL
write_scripts scaling <<'SQL'
\set n :client_id * 12500 + random(1, 12500)
\set a random(1, 1000000000)
UPDATE TABLE SET amount = :a, next_step = 'call ' || :a WHERE org_id = 1 AND external_id = :n::text;
SQL

compare first_touch prepare_first_touch --define=n=0
tell first_touch "UPDATE of a record that was in step (a delivery row is made)" 1.0

query "UPDATE crm_bridge.crm_deal SET amount = amount + 1, next_step = next_step || '.'" >/dev/null
compare update prepare_update
tell update "UPDATE of a record that is pending already (coalesced)" 1.0

compare update_many prepare_update --define=n=0
tell update_many "UPDATE of 1,000 records, pending already" 1.5

compare update_many_first prepare_first_touch --define=n=0
tell update_many_first "UPDATE of 1,000 records that were in step" 1.5

# Sampled while eight clients write: sessions that wait for a heavyweight lock.
watch_locks() {
  query "DO \$\$
    DECLARE
      waiting bigint := 0;
      samples bigint := 0;
      until timestamptz := clock_timestamp() + interval '$seconds s';
    BEGIN
      WHILE clock_timestamp() < until LOOP
        PERFORM pg_stat_clear_snapshot();
        waiting := waiting + (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench' AND wait_event_type = 'Lock');
        samples := samples + 1;
        PERFORM pg_sleep(0.02);
      END LOOP;
      INSERT INTO peer.lock_wait VALUES ('$1', waiting, samples);
    END \$\$"
}

compare_scaling() {
  local round side watcher
  for ((round = 1; round <= rounds; round++)); do
    for side in bare crm_bridge; do
      prepare_update "$side"
      measure "one.$side" "$SESSION/scaling.$side.sql" 1
      watch_locks "$side" &
      watcher=$!
      measure "eight.$side" "$SESSION/scaling.$side.sql" 8
      wait "$watcher"
    done
  done
}

tell_scaling() {
  local side
  printf '\n%s\n  %-12s %14s %14s %10s %22s\n' "UPDATE with 8 writers, each its own records" side "1 client/s" "8 clients/s" scaling "lock waits / samples"
  for side in bare crm_bridge; do
    paste -d ' ' "$results/eight.$side" "$results/one.$side" | awk '{ print $1 / $3 }' >"$results/scaling.$side"
    printf '  %-12s %14.1f %14.1f %10.2f %22s\n' "$side" "$(median_of "one.$side")" "$(median_of "eight.$side")" "$(median_of "scaling.$side")" \
      "$(query "SELECT sum(waiting) || ' / ' || sum(samples) FROM peer.lock_wait WHERE side = '$side'")"
  done
  judge "crm_bridge's scaling / the bare table's" "$(ratio_of scaling.crm_bridge scaling.bare)" 0.75
  judge "lock waits seen with crm_bridge" "$(query "SELECT sum(waiting) FROM peer.lock_wait WHERE side = 'crm_bridge'")" 0 at_most
}

compare_scaling
tell_scaling

compare insert prepare_insert
tell insert "INSERT of one record" 1.0

compare insert_many prepare_insert
tell insert_many "INSERT of 1,000 records" 1.5

conclude
