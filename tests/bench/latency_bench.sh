#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# From an app's statement to the request that arrives at the service, at 100 changes a second, beside graphile-worker's
# way from add_job to the handler and a bare NOTIFY.  Each stamp is taken inside the statement, so that the commit counts.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"

rate=100
records=1000

start_bridge() {
  start_sandbox --crm-credits 0 --projects-limit 0
  # The safety net's polls are as rare as on a server that matters.
  WORKER_POLL_INTERVAL=5m set_up_bridge
  start_worker worker --config "$SESSION/worker.toml" run
  query "INSERT INTO crm_bridge.crm_deal (deal_name, stage) SELECT 'deal ' || n, 'Qualification' FROM generate_series(1, $records) AS n"
  wait_until "the deals at the service" 120 nothing_is_on_its_way
  query "VACUUM ANALYZE"
}

# load SCRIPT : runs a pgbench script at the rate for a round.
load() {
  "$server/bin/pgbench" --no-vacuum --protocol=prepared --rate=$rate --time="$seconds" --file="$1" >"$SESSION/pgbench.log" 2>&1 ||
    fail "$(cat "$SESSION/pgbench.log")"
}

# Keeps median and 99th percentile of the milliseconds on standard input as one round of SIDE.
keep() {
  sort -g | awk '{ value[NR] = $1 } END { if (NR == 0) exit 1; print value[int((NR + 1) / 2)], value[int(NR * 0.99 + 0.5)] }' >>"$results/$1" ||
    fail "$1 measured nothing"
}

newest_request() { as_person GET '/control/requests?limit=1' | jq .last_sequence; }

measure_bridge() {
  local since
  since=$(newest_request)
  load "$SESSION/change.sql"
  wait_until "the changes at the service" 60 nothing_is_on_its_way
  as_person GET "/control/requests?limit=20000&service=crm&since=$since" |
    jq -r '.requests[] | select(.method == "PUT") | .arrived_at as $at | (.body | fromjson).data[] | $at / 1000 - (.Next_Step | tonumber) * 1000' |
    keep crm_bridge
}

# measure_peer SIDE SCRIPT : what the peer's process writes to its file while the load runs.
measure_peer() {
  local side=$1 file=$SESSION/$1.latency
  rm -f "$file" "$file.ready"
  start_process "$side" node "$bench/peers.mjs" "$side-latency" "$file"
  wait_until "$side" 30 test -e "$file.ready"
  load "$2"
  stop_process "$side"
  keep "$side" <"$file"
}

print_circumstances
cat >"$SESSION/change.sql" <<SQL
\set n random(1, $records)
UPDATE crm_bridge.crm_deal SET next_step = extract(epoch FROM clock_timestamp())::text WHERE deal_name = 'deal ' || :n;
SQL
printf '%s\n' "SELECT graphile_worker.add_job('bench', json_build_object('at', extract(epoch FROM clock_timestamp())));" >"$SESSION/job.sql"
printf '%s\n' "SELECT pg_notify('bench', extract(epoch FROM clock_timestamp())::text);" >"$SESSION/notify.sql"
query 'CREATE INDEX ON crm_bridge.crm_deal (deal_name)'
node "$BENCH_NODE_MODULES/graphile-worker/dist/cli.js" --schema-only --connection "socket:$PGHOST?db=$PGDATABASE&user=$PGUSER" >"$SESSION/graphile.log" 2>&1 ||
  fail "$(cat "$SESSION/graphile.log")"
start_bridge
for ((round = 1; round <= rounds; round++)); do
  measure_bridge
  measure_peer graphile "$SESSION/job.sql"
  measure_peer notify "$SESSION/notify.sql"
done

printf '\n%s changes a second, %s rounds of %s s\n  %-16s %12s %12s\n' "$rate" "$rounds" "$seconds" "ms" "median" "99 of 100"
for side in crm_bridge graphile notify; do
  printf '  %-16s %12.2f %12.2f\n' "$side" "$(median_of "$side")" "$(median_of "$side" 2)"
done
judge "crm_bridge (request arrives) / graphile-worker (handler)" "$(ratio_of crm_bridge graphile)" 1.0 at_most
conclude
