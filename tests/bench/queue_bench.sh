#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Reported, without a target: how many records a second are claimed and acknowledged, beside the jobs a second of
# graphile-worker and pg-boss and the events a second of PgQ.  With one and with ten changes a record: here ten changes
# of a record are one request, in a queue they are ten jobs.  What is counted is changes.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

records=20000

psql_quiet() { "$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# Appends "changes a second" of a round to SIDE's results, from "COUNT SECONDS" on standard input.
keep() { awk '{ printf "%.1f 0\n", $1 / $2 }' >>"$results/$1" || fail "$1 measured nothing"; }

fill_crm_bridge() {
  query "UPDATE crm_bridge.crm_deal SET next_step = 'step ' || $1" >/dev/null
  for ((change = 2; change <= $2; change++)); do query "UPDATE crm_bridge.crm_deal SET next_step = 'step $1 ' || $change" >/dev/null; done
  query 'VACUUM ANALYZE crm_bridge.delivery'
}

# As the worker does it: claims of 400, each record acknowledged with a version.
drain_crm_bridge() {
  psql_quiet -v changes="$1" <<'SQL'
CREATE TEMP TABLE drained AS SELECT 0::bigint AS records, clock_timestamp() AS began, clock_timestamp() AS ended;
DO $$
DECLARE
  lease uuid := crm_bridge.new_id();
  results jsonb;
  taken integer := 0;
BEGIN
  PERFORM crm_bridge.heartbeat(lease, 'bench', '1 hour');
  LOOP
    SELECT jsonb_agg(jsonb_build_object('module', c.module, 'record_id', c.record_id, 'external_id', c.external_id, 'version', clock_timestamp()))
      INTO results FROM crm_bridge.claim('zoho_crm', 400, lease, org_id => 1) AS c;
    COMMIT;
    EXIT WHEN results IS NULL;
    PERFORM crm_bridge.acknowledge(lease, results, 1);
    COMMIT;
    taken := taken + jsonb_array_length(results);
  END LOOP;
  UPDATE drained SET records = taken, ended = clock_timestamp();
END
$$;
SELECT records * :changes || ' ' || extract(epoch FROM ended - began) FROM drained;
SQL
}

fill_pgq() {
  query "SELECT count(pgq.insert_event('bench', 'change', n::text)) FROM generate_series(1, $records * $2) AS n" >/dev/null
  query "SELECT pgq.force_tick('bench')" >/dev/null
  query 'SELECT pgq.ticker()' >/dev/null
}

drain_pgq() {
  psql_quiet <<'SQL'
CREATE TEMP TABLE drained AS SELECT 0::bigint AS events, clock_timestamp() AS began, clock_timestamp() AS ended;
DO $$
DECLARE
  batch bigint;
  taken bigint := 0;
BEGIN
  LOOP
    batch := pgq.next_batch('bench', 'bench');
    EXIT WHEN batch IS NULL;
    taken := taken + (SELECT count(e.ev_data) FROM pgq.get_batch_events(batch) AS e);
    PERFORM pgq.finish_batch(batch);
    COMMIT;
  END LOOP;
  UPDATE drained SET events = taken, ended = clock_timestamp();
END
$$;
SELECT events || ' ' || extract(epoch FROM ended - began) FROM drained;
SQL
}

fill_graphile() {
  query "SELECT count(graphile_worker.add_job('bench', json_build_object('record', n))) FROM generate_series(1, $records * $2) AS n" >/dev/null
}
drain_graphile() { node "$bench/peers.mjs" graphile-drain; }

fill_pgboss() { node "$bench/peers.mjs" pgboss-fill "$((records * $2))"; }
drain_pgboss() { node "$bench/peers.mjs" pgboss-drain; }

make_peers() {
  query 'CREATE EXTENSION pgq' >/dev/null
  query "SELECT pgq.create_queue('bench'), pgq.register_consumer('bench', 'bench')" >/dev/null
  query "SELECT pgq.set_queue_config('bench', 'ticker_max_count', '1')" >/dev/null
  node "$BENCH_NODE_MODULES/graphile-worker/dist/cli.js" --schema-only --connection "socket:$PGHOST?db=$PGDATABASE&user=$PGUSER" >"$SESSION/graphile.log" 2>&1 ||
    fail "$(cat "$SESSION/graphile.log")"
}

# Deals that the service has already, as most records are.
make_records() {
  query "SELECT crm_bridge.create_organization(1, 'bench')" >/dev/null
  query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, external_id) SELECT 'deal ' || n, 'Qualification', n::text FROM generate_series(1, $records) AS n;
         INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, version)
         SELECT d.org_id, d.id, 'crm_deal', d.external_id, now() FROM crm_bridge.crm_deal AS d;
         TRUNCATE crm_bridge.delivery"
  query 'VACUUM ANALYZE'
}

print_circumstances
make_peers
make_records
for changes in 1 10; do
  for ((round = 1; round <= rounds; round++)); do
    for side in crm_bridge graphile pgboss pgq; do
      "fill_$side" "$round" "$changes"
      "drain_$side" "$changes" | keep "$side.$changes"
    done
  done
  printf '\nchanges settled a second, %s records, %s change(s) each, medians of %s rounds\n' "$records" "$changes" "$rounds"
  for side in crm_bridge graphile pgboss pgq; do
    printf '  %-16s %12.0f %10.2f of ours\n' "$side" "$(median_of "$side.$changes")" "$(ratio_of "$side.$changes" "crm_bridge.$changes")"
  done
done
conclude
