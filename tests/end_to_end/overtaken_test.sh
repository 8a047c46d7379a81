#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What somebody enters in a service while a write of ours is on its way is neither overwritten unread nor forgotten, although Projects has
# no conditional writes (B2, P9).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --projects-limit 0 --oauth-limit 0
WORKER_POLL_INTERVAL=300ms PROJECTS_REQUESTS_PER_WINDOW=100000 set_up_bridge

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
gives() { wait_until "$1" 60 query_gives "$2" "$3" || true; check_query "$1" "$2" "$3"; }
person() { as_person "$1" "/control/projects/20639270/$2" "${@:3}"; }
task_there() { person GET "tasks/$task" | jq -r '(.tasks[0]? // .) | .name + "|" + .priority'; }
edit_here() { query "UPDATE crm_bridge.projects_task SET name = '$1' WHERE external_id = '$task'"; }
write_is_held() { as_person GET /control/faults | jq -e 'length == 0' >/dev/null; }

start_worker worker --config "$SESSION/worker.toml" run
activate_portal
set_up_projects_webhook 20639270
query "WITH a AS (INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme') RETURNING id)
  INSERT INTO crm_bridge.crm_deal (deal_name, stage, account_id) SELECT 'Routers', 'Qualification', id FROM a"
query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal" >/dev/null
settle "the project"
project=$(query "SELECT external_id FROM crm_bridge.projects_project")
list=$(person POST tasklists "{\"project_id\":\"$project\",\"name\":\"Rollout\"}" | jq -r .id)
task=$(person POST tasks "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"Survey\"}" | jq -r .id)
gives "the task" 1 "SELECT count(*) FROM crm_bridge.projects_task"
stop_process worker

# Edited there and here while no worker was there: the one that comes looks before it writes.
person PATCH "tasks/$task" '{"name":"theirs, unread"}' >/dev/null
edit_here 'ours, later'
sed -i 's/^poll_interval = .*/poll_interval = "1h"/' "$SESSION/worker.toml"
start_worker worker --config "$SESSION/worker.toml" run
gives "P9 what was entered there before our write is a conflict" 'ours, later theirs, unread left newest' "$(printf '%s' "SELECT string_agg(c.left_value #>> '{}' || ' ' || (c.right_value #>> '{}') || ' ' || c.winner || ' ' || c.reason, ', ') FROM crm_bridge.conflict AS c")"
settle "our write"
check_equal "D1 and the later one is in force on both sides" 'ours, later|none' "$(task_there)"

# Another field is no obstacle, and is not touched.
person PATCH "tasks/$task" '{"priority":"high"}' >/dev/null
edit_here 'ours again'
settle "the second write"
gives "B1 different fields meet" 'ours again|high' "SELECT name || '|' || priority FROM crm_bridge.projects_task"
check_equal "B1 on both sides" 'ours again|high' "$(task_there)"

# Between the look and the write: the write wins, and the webhook, which comes later, tells what it replaced.
as_person POST /control/webhooks '{"mode":"drop"}' >/dev/null
fault() { as_person POST /control/faults "$1" >/dev/null; }
fault '{"service":"projects","method":"PATCH","path_contains":"/tasks","kind":"delay","delay_ms":600000,"times":1}'
edit_here 'ours at last'
wait_until "the write to be on its way" 60 write_is_held
person PATCH "tasks/$task" '{"name":"theirs, in between"}' >/dev/null
as_person DELETE /control/faults >/dev/null
settle "the third write"
check_equal "our write stands" 'ours at last|high' "$(task_there)"
door=$(webhook_door zoho_projects)
printf '{"module":"tasks","id":"%s","project_id":"%s","event":"update","token":"%s","values":{"name":"theirs, in between"}}' "$task" "$project" "${door#* }" |
  curl -sS -o /dev/null -H 'Content-Type: application/json' --data-binary @- "${door% *}"
gives "P9 what came between the look and the write is known from its webhook" 'ours at last theirs, in between left unread' "SELECT string_agg(c.left_value #>> '{}' || ' ' || (c.right_value #>> '{}') || ' ' || c.winner || ' ' || c.reason, ', ') FROM crm_bridge.conflict AS c WHERE c.reason = 'unread'"
check_query "B2 and an administrator can put the other in force" t "SELECT what_to_do LIKE '%theirs, in between%' FROM crm_bridge.open_conflicts WHERE reason = 'unread'"
query "SELECT crm_bridge.resolve_conflict(conflict_id, 'right') FROM crm_bridge.open_conflicts WHERE reason = 'unread'" >/dev/null
settle "the decision"
check_equal "which it then is" 'theirs, in between|high' "$(task_there)"

# More values than one call takes: none is left behind.
query "INSERT INTO crm_bridge.crm_account (account_name) SELECT 'Storm ' || n FROM generate_series(1, 60) AS n"
settle "sixty accounts"
stop_process worker
query "SELECT count(crm_bridge.store_notice('zoho_crm', 'storm', 'crm_account', ARRAY[a.external_id], 'update', '{}', org_id => 1,
         told => jsonb_build_object('values', jsonb_build_object(a.external_id, jsonb_build_object('Account_Name', 'storm ' || n)))))
         FROM crm_bridge.crm_account AS a, generate_series(1, 20) AS n WHERE a.account_name LIKE 'Storm %'" >/dev/null
start_worker worker --config "$SESSION/worker.toml" run
gives "P11 a storm of webhooks is followed up" 0 "SELECT count(*) FROM crm_bridge.inbox"
check_query "P9 and each value in it" 1200 "SELECT count(*) FROM crm_bridge.conflict WHERE reason = 'unread' AND module = 'crm_account'"
finish
