#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# One worker and 1,000,000 records that wait, against a service that does nothing: how fast it sends, when the first
# request leaves, and that its memory does not grow with what waits; then records that go one a request.  Beside it a bare
# libcurl multi loop.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"

records=${BENCH_RECORDS:-1000000}
singles=$((records / 10))
null_service=$build/tests/bench/crm_bridge_null_service

left() { query "SELECT count(*) FROM crm_bridge.delivery WHERE NOT stopped"; }
resident_kilobytes() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(process_id worker)/status"; }
nothing_waits() { [[ $(left) == 0 ]]; }
seconds_since() { awk -v began="$1" -v now="$(date +%s.%N)" 'BEGIN { printf "%.1f\n", now - began }'; }

print_circumstances
start_process null_service "$null_service" "$SESSION/null.port"
wait_until "the service" 20 test -s "$SESSION/null.port"
SANDBOX_ACCOUNTS=http://127.0.0.1:$(cat "$SESSION/null.port")
SANDBOX_CRM=$SANDBOX_ACCOUNTS SANDBOX_PROJECTS=$SANDBOX_ACCOUNTS
export SANDBOX_ACCOUNTS SANDBOX_CRM SANDBOX_PROJECTS
WORKER_POLL_INTERVAL=10m CRM_REQUESTS_PER_WINDOW=0 PROJECTS_REQUESTS_PER_WINDOW=0 set_up_bridge
query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, amount) SELECT 'deal ' || n, 'Qualification', n FROM generate_series(1, $records) AS n"
query 'VACUUM ANALYZE'

bare=$("$null_service" --load 100000 "$SANDBOX_CRM/nothing")
began=$(date +%s.%N)
start_worker worker --config "$SESSION/worker.toml" run
something_is_confirmed() { query_gives t "SELECT EXISTS (SELECT 1 FROM crm_bridge.shadow)"; }
wait_until "the first answer" 60 something_is_confirmed
first=$(seconds_since "$began")

# Memory at each tenth of the way.
: >"$SESSION/memory"
waiting=$records
for ((tenth = 9; tenth >= 0; tenth--)); do
  while waiting=$(left) && ((waiting > records * tenth / 10)); do
    process_lives worker || fail "the worker ended: $(tail -n 5 "$SESSION/worker.log")"
    sleep 0.5
  done
  resident_kilobytes >>"$SESSION/memory"
done
took=$(seconds_since "$began")
stop_process worker

# Projects' task lists go one a request.
query "SELECT crm_bridge.activate_projects()" >/dev/null
query "SELECT crm_bridge.receive('projects_portal', '[{\"external_id\": \"1\", \"fields\": {\"name\": \"Null\", \"time_zone\": \"UTC\"}}]', clock_timestamp())" >/dev/null
query "SELECT crm_bridge.choose_portal('Null')" >/dev/null
query "DELETE FROM crm_bridge.command"
query "SELECT crm_bridge.receive('projects_project', '[{\"external_id\": \"1\", \"fields\": {\"name\": \"Null\", \"portal_id\": \"1\"}}]', clock_timestamp())" >/dev/null
query "INSERT INTO crm_bridge.projects_task_list (name, portal_id, project_id)
       SELECT 'list ' || n, p.portal_id, p.id FROM crm_bridge.projects_project AS p, generate_series(1, $singles) AS n"
query 'VACUUM ANALYZE'
single_began=$(date +%s.%N)
start_worker worker --config "$SESSION/worker.toml" run
wait_until "the task lists" 600 nothing_waits
single_took=$(seconds_since "$single_began")
[[ $(query "SELECT count(*) FROM crm_bridge.projects_task_list WHERE external_id IS NOT NULL") == "$singles" ]] || fail "not every task list was sent"

printf '\n  %-44s %10s\n' "records a second, 100 a request" "$(awk -v n="$records" -v s="$took" 'BEGIN { printf "%.0f", n / s }')"
printf '  %-44s %10s\n' "records a second, one a request" "$(awk -v n="$singles" -v s="$single_took" 'BEGIN { printf "%.0f", n / s }')"
printf '  %-44s %10s\n' "bare libcurl multi loop, requests a second" "$bare"
printf '  %-44s %s\n' "resident MiB at each tenth of the way" "$(awk '{ printf "%.0f ", $1 / 1024 }' "$SESSION/memory")"
judge "first record confirmed after s" "$first" 10 at_most
judge "most resident MiB" "$(sort -n "$SESSION/memory" | tail -n 1 | awk '{ print $1 / 1024 }')" 128 at_most
conclude
