#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# The main job through a real server, the real worker and HTTP: a won deal becomes a project, a task keeps both sides in step.

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox
set_up_bridge
start_worker worker --config "$SESSION/worker.toml" run
activate_portal
query "SELECT crm_bridge.set_automation('won_deal_becomes_project', true)"

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
in_projects() { as_person GET "/control/projects/20639270/$1"; }
in_crm() { as_person GET "/control/crm/$1" | jq -c '(.data[0]? // .)'; }

# An app wins a deal by an UPDATE.
query "SELECT crm_bridge.map_field('account_project', 'description', 'description'), crm_bridge.confirm_field_mapping()" >/dev/null
account=$(query "INSERT INTO crm_bridge.crm_account (account_name, description) VALUES ('Acme & Söhne', 'customer since 1998') RETURNING id")
deal=$(query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, amount, closing_date, description, account_id)
              VALUES ('Routers', 'Negotiation/Review', 99.5, '2027-03-31', E'two lines\nof text', '$account') RETURNING id")
settle "the deal in the CRM"
check_equal "B6 parents travel before children: the deal names its account in the CRM" '"Acme & Söhne"' \
  "$(in_crm "Deals/$(query "SELECT external_id FROM crm_bridge.crm_deal WHERE id = '$deal'")" | jq -c '.Account_Name.name')"
query "UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE id = '$deal'"
check_query "R53 R55 a won deal has its project in the same transaction" 1 "SELECT count(*) FROM crm_bridge.projects_project"
settle "the project in Projects"
check_query "R54 the project exists in Projects" t "SELECT external_id IS NOT NULL FROM crm_bridge.projects_project"
check_equal "R27 mapped fields are filled" '["Routers","2027-03-31","two lines<br>of text"]' \
  "$(in_projects projects | jq -c '.[0] | [.name, .end_date, .description]')"
check_query "R38 the project is linked to deal and account" "$deal|$account" "SELECT deal_id, account_id FROM crm_bridge.project_progress"

# The CRM's own news: a person wins a deal there.
crm_account=$(query "SELECT external_id FROM crm_bridge.crm_account WHERE id = '$account'")
crm_deal=$(as_person POST /control/crm/Deals "{\"Deal_Name\":\"Switches\",\"Stage\":\"Qualification\",\"Account_Name\":{\"id\":\"$crm_account\"}}" | jq -r '.id // .details.id')
wait_until "the new deal" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.crm_deal WHERE external_id = '$crm_deal'"
check_query "D13 a deal that the CRM brings in is no transition" 1 "SELECT count(*) FROM crm_bridge.projects_project"
as_person PATCH "/control/crm/Deals/$crm_deal" '{"Stage":"Closed Won"}' >/dev/null
wait_until "the second project" 60 query_gives 2 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NOT NULL"
settle "both projects"
check_equal "R25 what the deal leaves empty comes from its account; what the deal says stands" '["Routers","two lines<br>of text"]
["Switches","customer since 1998"]' "$(in_projects projects | jq -c 'sort_by(.name)[] | [.name, .description]')"
check_query "one client stands for the account" 1 "SELECT count(*) FROM crm_bridge.projects_client"
check_equal "exactly one remote record for each create (B3)" 2 "$(in_projects projects | jq length)"

# A task of the project, added to the CRM.
project=$(query "SELECT p.external_id FROM crm_bridge.projects_project AS p JOIN crm_bridge.link AS l ON l.right_id = p.id WHERE l.left_id = '$deal'")
list=$(as_person POST /control/projects/20639270/tasklists "{\"project_id\":\"$project\",\"name\":\"Rollout\"}" | jq -r .id)
as_person POST /control/projects/20639270/tasks "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"Survey\",\"priority\":\"high\",\"end_date\":\"2027-01-15T00:00:00.000Z\"}" >/dev/null
wait_until "the task" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.projects_task"
task=$(query "SELECT id FROM crm_bridge.projects_task")
query "SELECT crm_bridge.add_task_to_crm('$task', '$deal')" >/dev/null
settle "the task in the CRM"
remote_task="Tasks/$(query "SELECT external_id FROM crm_bridge.crm_task")"
check_equal "R69 R74 the task is in the CRM, about the deal" '["Survey","High","2027-01-15","Not Started","Deals"]' \
  "$(in_crm "$remote_task" | jq -c '[.Subject, .Priority, .Due_Date, .Status, ."$se_module"]')"

# Both ways, the six fields.
projects_task="tasks/$(query "SELECT external_id FROM crm_bridge.projects_task")"
as_person PATCH "/control/projects/20639270/$projects_task" '{"name":"Survey the sites","end_date":"2027-01-20T00:00:00.000Z","status":{"name":"Closed"},"description":"<p>a<br>b</p>"}' >/dev/null
wait_until "Projects' change" 60 query_gives 'Survey the sites|2027-01-20|Completed' "SELECT subject, due_date, status FROM crm_bridge.crm_task"
settle "Projects' change in the CRM"
check_equal "R60-R65 a change in Projects reaches the CRM" '["Survey the sites","2027-01-20","Completed","a\nb"]' \
  "$(in_crm "$remote_task" | jq -c '[.Subject, .Due_Date, .Status, .Description]')"
as_person PATCH "/control/crm/$remote_task" '{"Status":"In Progress","Priority":"Lowest"}' >/dev/null
wait_until "the CRM's change" 60 query_gives 'f|low' "SELECT is_completed, priority FROM crm_bridge.projects_task"
settle "the CRM's change in Projects"
check_equal "R60 R64 R65 a change in the CRM reaches Projects" '["Open","low"]' \
  "$(in_projects "$projects_task" | jq -c '(.tasks[0]? // .) | [.status.name, .priority]')"
query "UPDATE crm_bridge.crm_task SET owner_id = (SELECT id FROM crm_bridge.crm_user WHERE email = 'george.tan@example.com')"
settle "the owner"
check_equal "R66 the owner follows by e-mail" '"george.tan@example.com"' \
  "$(in_projects "$projects_task" | jq -c '(.tasks[0]? // .) | .owners_and_work.owners[0].email')"

check_equal "B9 nothing is sent for an echo: the services are quiet once everything is in step" \
  "$(as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method != "GET")] | length')" \
  "$(query 'SELECT pg_sleep(0)' >/dev/null; before=$(query "SELECT max(saved_at) FROM crm_bridge.cursor")
     wait_until "another poll" 60 query_gives t "SELECT max(saved_at) > '$before' FROM crm_bridge.cursor WHERE module = 'crm_task'"
     as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method != "GET")] | length')"
check_query "no conflict, no refusal, nothing for a person" '0|0|0' "SELECT (SELECT count(*) FROM crm_bridge.conflict),
  (SELECT count(*) FROM crm_bridge.refusal), (SELECT count(*) FROM crm_bridge.dead_letters)"
check_query "every service is in step" 'zoho_crm|t
zoho_projects|t' "SELECT service, in_step FROM crm_bridge.integration_overview ORDER BY service"
check_equal "R55 the CRM's webhooks were sent and heard" 'true|t' "$(as_person GET /control/counters | jq '.webhooks_sent > 0')|$(query "SELECT count(*) = 0 FROM crm_bridge.inbox")"
check_equal "D14 only the three edits that persons made in the CRM started a workflow" 3 "$(as_person GET /control/counters | jq '.workflows_fired // 0')"

stop_process worker
check_equal "a worker that is asked to stop ends with status 0" 0 "$process_status"
check_query "nothing stays leased" 0 "SELECT count(*) FROM crm_bridge.delivery WHERE state = 'in_flight'"
finish
