#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Deletions that are undone (D2), and what a service refuses when it is sent, because the mirror knew its rules too late or not at
# all: put back on both sides, told once, and sent again when it is edited again (R80-R86, D3, B2, B5).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --projects-limit 0 --oauth-limit 0
WORKER_POLL_INTERVAL=300ms PROJECTS_SWEEP_INTERVAL=100ms PROJECTS_REQUESTS_PER_WINDOW=100000 set_up_bridge

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
gives() { wait_until "$1" 60 query_gives "$2" "$3" || flunk "$1" "$(query "$3")"; check_query "$1" "$2" "$3"; }
person() { as_person "$1" "/control/projects/20639270/$2" "${@:3}"; }
in_crm() { as_person GET "/control/crm/Tasks/$(query "SELECT external_id FROM crm_bridge.crm_task WHERE id = '$1'")" | jq -r '[.Subject, .Due_Date, .Status, .Priority] | join("|")'; }
in_projects() { person GET "tasks/$1" | jq -r '(.tasks[0]? // .) | [.name, (.end_date // "" | .[0:10]), (.is_completed | tostring), .priority] | join("|")'; }
in_both() { printf '%s = %s' "$(in_crm "$crm")" "$(in_projects "$task")"; }
writes() { as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method != "GET" and (.path | test("oauth|actions") | not))] | length'; }
is_now() { [[ $("$2") == "$1" ]]; }
become() {
  wait_until "$1" 60 is_now "$2" "$3" || true
  check_equal "$1" "$2" "$("$3")"
}

start_worker worker --config "$SESSION/worker.toml" run
activate_portal
gives "B17 the worker has the database keep house" t "SELECT maintained_at IS NOT NULL FROM crm_bridge.installation"
deal=$(query "WITH a AS (INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme') RETURNING id)
  INSERT INTO crm_bridge.crm_deal (deal_name, stage, account_id) SELECT 'Routers', 'Qualification', id FROM a RETURNING id")
query "SELECT crm_bridge.create_project_from_deal('$deal')" >/dev/null
settle "the project"
project=$(query "SELECT external_id FROM crm_bridge.projects_project")
person PATCH "projects/$project" '{"start_date":"2027-01-01","end_date":"2027-01-31"}' >/dev/null
list=$(person POST tasklists "{\"project_id\":\"$project\",\"name\":\"Rollout\"}" | jq -r .id)
parent=$(person POST tasks "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"Parent\"}" | jq -r .id)
task=$(person POST tasks "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"Survey\",\"priority\":\"high\",\"end_date\":\"2027-01-15T00:00:00.000Z\",\"parental_info\":{\"parent_task_id\":\"$parent\"}}" | jq -r .id)
gives "the tasks" 2 "SELECT count(*) FROM crm_bridge.projects_task"
query "SELECT crm_bridge.add_task_to_crm(t.id, '$deal') FROM crm_bridge.projects_task AS t WHERE t.external_id = '$task'" >/dev/null
settle "the task in the CRM"
crm=$(query "SELECT id FROM crm_bridge.crm_task")
first=$(in_both)
check_equal "the task on both sides" 'Survey|2027-01-15|Not Started|High = Survey|2027-01-15|false|high' "$first"

# D2, third way: what a person deletes on one side is made anew there, once.
query "SELECT crm_bridge.set_on_delete('task_task', 'restore')"
lost=$(query "SELECT external_id FROM crm_bridge.crm_task")
as_person DELETE "/control/crm/Tasks/$lost" >/dev/null
gives "D2 a task that is deleted in the CRM is made anew there, with a new id" t "SELECT external_id <> '$lost' FROM crm_bridge.crm_task WHERE external_id IS NOT NULL"
settle "the new task"
check_equal "D2 with all that it had, in step with its twin" "$first" "$(in_both)"
person DELETE "tasks/$task" >/dev/null
gives "D2 so is one that is deleted in Projects" t "SELECT t.external_id <> '$task' FROM crm_bridge.projects_task AS t JOIN crm_bridge.link AS l ON l.right_id = t.id WHERE l.state = 'active' AND l.pairing = 'task_task' AND t.external_id IS NOT NULL"
settle "the new task"
task=$(query "SELECT t.external_id FROM crm_bridge.projects_task AS t JOIN crm_bridge.link AS l ON l.right_id = t.id WHERE l.pairing = 'task_task'")
check_equal "D2 with all that it had, in step with its twin" "$first" "$(in_both)"
check_equal "D2 each side has it once, and it is never made again" '1|2' "$(as_person GET /control/crm/Tasks | jq length)|$(person GET tasks | jq '(.tasks? // .) | length')"

# The project becomes strict while nobody looks: the mirror does not know it when the app writes.
stop_process worker
person PATCH "projects/$project" '{"is_strict_project":true}' >/dev/null
query "UPDATE crm_bridge.crm_task SET due_date = '2027-03-01', subject = 'Survey later'"
start_worker worker --config "$SESSION/worker.toml" run
gives "R81 the refusal is told, with old and new value and the last possible day" '1|Survey|2027-01-15|2027-03-01|2027-01-31' \
  "SELECT count(*), min(facts ->> 'task'), min(facts ->> 'old'), min(facts ->> 'new'), min(facts ->> 'limit') FROM crm_bridge.notification WHERE kind = 'due_date_refused'"
settle "the way back"
check_equal "R80 R86 D3 nothing of it is in Projects, and all of it is put back in the CRM" "$first" "$(in_both)"
check_query "B2 what was typed is on record" 'due_date|strict_schedule|"2027-03-01"|t;subject|refused|"Survey later"|t' \
  "SELECT string_agg(concat_ws('|', field, reason, value, reverted), ';' ORDER BY field) FROM crm_bridge.refusals"
gives "the mirror has learnt that the project is strict" t "SELECT is_strict FROM crm_bridge.projects_project"
check_refused "B5 the same write fails before its commit now" 23514 'is strict: its tasks are due from 2027-01-01 to 2027-01-31' "UPDATE crm_bridge.crm_task SET due_date = '2027-03-01'"
query "UPDATE crm_bridge.crm_task SET due_date = '2027-01-20'"
settle "a date within the schedule"
check_equal "a later edit that Projects can take is sent" 'Survey|2027-01-20|Not Started|High = Survey|2027-01-20|false|high' "$(in_both)"

# The parent is closed while nobody looks.
query "UPDATE crm_bridge.crm_task SET status = 'Completed'"
settle "the subtask is closed"
stop_process worker
closed=$(query "SELECT external_id FROM crm_bridge.projects_task_status WHERE is_closed LIMIT 1")
person PATCH "tasks/$parent" "{\"status\":{\"id\":\"${closed:-2063927000000016071}\"}}" >/dev/null
check_equal "the parent is closed" true "$(person GET "tasks/$parent" | jq '(.tasks[0]? // .).is_completed')"
query "UPDATE crm_bridge.crm_task SET status = 'In Progress'"
start_worker worker --config "$SESSION/worker.toml" run
gives "R84 the refusal is told" '1|Parent|Completed|In Progress' \
  "SELECT count(*), min(facts ->> 'parent'), min(facts ->> 'old'), min(facts ->> 'new') FROM crm_bridge.notification WHERE kind = 'status_refused'"
settle "the way back"
check_equal "R83 the subtask stays closed on both sides" 'Survey|2027-01-20|Completed|High = Survey|2027-01-20|true|high' "$(in_both)"

# A rule that the mirror does not know: Projects takes names of 250 characters.  Only the name is put back.
long=$(printf 'x%.0s' $(seq 253))
external=$(query "SELECT external_id FROM crm_bridge.crm_task")
as_person PATCH "/control/crm/Tasks/$external?person=george.tan@example.com" "{\"Subject\":\"$long\",\"Priority\":\"Normal\"}" >/dev/null
gives "B5 a refusal of another kind is told to whoever typed it, with the service's words" 'george.tan@example.com|Subject|t' \
  "SELECT recipient, facts ->> 'field', facts ->> 'words' LIKE '%Maximum length exceeded%' FROM crm_bridge.notification WHERE kind = 'update_refused'"
settle "the way back"
become "D3 what Projects named is put back, the other field is there" 'Survey|2027-01-20|Completed|Normal = Survey|2027-01-20|true|medium' in_both
check_query "three mails, three values and what came along on record, nothing for a person, no conflict" '3|4|0|0' \
  "SELECT (SELECT count(*) FROM crm_bridge.notification), (SELECT count(*) FROM crm_bridge.refusal), (SELECT count(*) FROM crm_bridge.dead_letters), (SELECT count(*) FROM crm_bridge.conflict)"
before=$(writes)
saved=$(query "SELECT max(saved_at) FROM crm_bridge.cursor")
gives "another poll" t "SELECT min(saved_at) > '$saved' FROM crm_bridge.cursor WHERE module IN ('projects_task', 'crm_task')"
check_equal "B9 nothing more is written" "$before" "$(writes)"
stop_process worker
finish
