#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Two workers share what Projects takes: a service that locks out at the 101st call in two minutes never does (B10, T21).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox                 # with the real limits: 100 in two minutes for a URL pattern, then half an hour of lock-out
export PROJECTS_REQUESTS_PER_WINDOW=100 TOKENS_PER_WINDOW=10 WORKER_POLL_INTERVAL=30s
set_up_bridge
start_worker one --config "$SESSION/worker.toml" run
activate_portal

# A share is held for five seconds of a worker's own clock, which cannot be moved: nothing that was granted before time passes may be
# sent after it.
shares_have_lapsed() {
  as_person GET '/control/requests?service=projects&limit=20000' |
    jq -e --argjson now "$(date +%s%6N)" '[.requests[].arrived_at] | max < $now - 6000000' >/dev/null
}

moved=0
# Two minutes and a little pass, first for the service: the other way round the workers would be ahead of it.
let_time_pass() {
  wait_until "the shares in hand to lapse" 90 shares_have_lapsed || true
  moved=$((moved + $1))
  as_person POST /control/clock "{\"advance_seconds\": $1}" >/dev/null
  psql -X -q -c "LOAD 'crm_bridge'" -c "ALTER SYSTEM SET crm_bridge.clock_offset = $moved" -c 'SELECT pg_reload_conf()' >/dev/null
}
projects() { as_person GET "/control/projects/20639270/$1" | jq length; }
throttled() { as_person GET /control/counters | jq '.throttled // 0'; }
used() { query "SELECT COALESCE(sum(used), 0) FROM crm_bridge.quota_status WHERE pattern = 'POST /api/v3/portal/{}/projects'"; }
all_used() { (($(used) >= 100)); }
sent_at_least() { (($(projects projects) >= $1)); }

sed "s/^port = .*/port = $(free_port)/" "$SESSION/worker.toml" >"$SESSION/other.toml"
start_worker two --config "$SESSION/other.toml" run
query "INSERT INTO crm_bridge.projects_project (name, portal_id) SELECT 'project ' || n, id FROM generate_series(1, 250) AS n, crm_bridge.projects_portal"

wait_until "the first window used" 60 all_used || true
wait_until "what was handed out sent" 30 sent_at_least 90 || true
check_equal "B10 in one window no more is sent than the service takes" t "$( (($(projects projects) <= 100)) && echo t)"
check_query "B10 quota_status tells what waits, and for how long" 't|t|t' "SELECT \"left\" < 5, changes_waiting >= 150, forecast ~ '^[0-9]+ changes, [0-9]+ minutes at this limit\$'
  FROM crm_bridge.quota_status WHERE pattern = 'POST /api/v3/portal/{}/projects'"
check_query "B10 nothing is parked and nothing counted as an attempt" '0|0' "SELECT count(*) FILTER (WHERE state IN ('parked', 'dead')),
  COALESCE(max(attempts) FILTER (WHERE state = 'pending'), 0) FROM crm_bridge.delivery"

query "INSERT INTO crm_bridge.projects_task_list (name, project_id) SELECT 'meanwhile', id FROM crm_bridge.projects_project WHERE external_id IS NOT NULL LIMIT 1"
check_eventually "B10 what goes by another URL pattern does not wait for the one that is used up" t \
  "SELECT external_id IS NOT NULL FROM crm_bridge.projects_task_list WHERE name = 'meanwhile'"

# One of them is killed with a share in its hands.
let_time_pass 135
wait_until "the second window" 60 sent_at_least 120 || true
stop_process one KILL
wait_until "the second window used" 60 all_used || true
check_equal "B10 in two windows no more than twice as much" t "$( (($(projects projects) <= 200)) && echo t)"
start_worker one --config "$SESSION/worker.toml" run
for _ in 1 2 3; do
  ! nothing_is_on_its_way || break
  let_time_pass 135
  wait_until "the next window" 40 nothing_is_on_its_way || true
done
check_equal "B10 every project is there once" 250 "$(projects projects)"
check_equal "B10 two workers, one of them killed, were never locked out" 0 "$(throttled)"

# Told to wait, all wait: whichever worker was told.
as_person POST /control/faults '{"service":"projects","method":"PATCH","times":1,"kind":"rate_limited"}' >/dev/null
before=$(as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method == "PATCH")] | length')
query "UPDATE crm_bridge.projects_project SET description = 'new' WHERE name = 'project 1'"
check_eventually "B10 a wait that the service asks for stands in the database, with its words" t \
  "SELECT blocked_because LIKE '%Try again after%' FROM crm_bridge.quota_status WHERE pattern = 'PATCH /api/v3/portal/{}/projects/{}' AND blocked_until IS NOT NULL"
query "UPDATE crm_bridge.projects_project SET description = 'newer' WHERE name IN ('project 2', 'project 3', 'project 4')"
asked=$(query "SELECT clock_timestamp()")
wait_until "a worker asked for more" 30 query_gives t "SELECT asked_at > '$asked' FROM crm_bridge.budget WHERE pattern = 'PATCH /api/v3/portal/{}/projects/{}'" || true
check_equal "B10 while one was told to wait, nobody sends" "$((before + 1))" \
  "$(as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method == "PATCH")] | length')"
let_time_pass 1900
check_eventually "B10 and goes on afterwards" 0 "SELECT count(*) FROM crm_bridge.delivery WHERE state = 'pending' AND not_before < now() + interval '1 minute'"

# The CRM: more hands than places, and credits.
query "INSERT INTO crm_bridge.crm_account (account_name) SELECT 'account ' || n FROM generate_series(1, 3000) AS n"
wait_until "3,000 accounts in the CRM" 90 query_gives 0 "SELECT count(*) FROM crm_bridge.crm_account WHERE external_id IS NULL" || true
check_query "B10 3,000 accounts arrived" 0 "SELECT count(*) FROM crm_bridge.crm_account WHERE external_id IS NULL"
check_equal "B10 no more calls at once than the CRM takes, and no more costly ones" 1 "$(throttled)"
check_query "B10 the CRM's credits are counted: one for ten records" t "SELECT used >= 300 FROM crm_bridge.quota_status WHERE service = 'zoho_crm' AND pattern = '*'"
stop_process one
stop_process two
check_query "workers that stopped hold no places" 0 "SELECT count(*) FROM crm_bridge.budget_place AS p JOIN crm_bridge.lease AS l ON l.lease = p.lease
  WHERE l.renewed_at > now() - l.lasts"
finish
