#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# The story that ./dev demo plays: Zylker sells routers.  Alicia wins a deal in the CRM, the project team gets a project
# in Projects, and a task keeps both sides in step.  With DEMO_DATA it plays real input instead.
set -euo pipefail

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

chapter() { printf '\n── %s\n' "$*"; }
tell() { printf '   %s\n' "$*"; }
show() { "$server/bin/psql" -X -q -P border=1 -P footer=off -v ON_ERROR_STOP=1 -c "$1" | sed 's/^/   /'; }

# The requests that changed something since the last look, as the service saw them.
wire_since=0
show_wire() {
  local log
  log=$(as_person GET "/control/requests?since=$wire_since&limit=2000")
  jq -r '(.requests // .)[] | select(.method != "GET" and (.path | contains("oauth") | not))
         | "\(.method) \(.path) → \(.status)   \(.body | gsub("\\s+"; " ") | .[0:150])"' <<<"$log" | tail -n "${1:-6}" | sed 's/^/   /'
  wire_since=$(jq -r '[(.requests // .)[].sequence] | max // '"$wire_since" <<<"$log")
}

projects_api() { as_person GET "/control/projects/20639270/$1"; }
settle() { wait_until "$1" 60 nothing_is_on_its_way; }

start() {
  chapter "Setting up: an organization, its sealed credentials, a worker, the portal"
  PROJECTS_REQUESTS_PER_WINDOW=95 set_up_bridge
  start_worker worker --config "$SESSION/worker.toml" run
  activate_portal
  wait_until "the CRM's users" 60 query_gives t "SELECT count(*) >= 3 FROM crm_bridge.crm_user"
  query "SELECT crm_bridge.set_automation('won_deal_becomes_project', true)"
  show "SELECT service, state, portal, in_step FROM crm_bridge.integration_overview ORDER BY service"
}

won_deal_becomes_project() {
  local account deal
  chapter "Alicia enters a customer and a deal in the CRM"
  account=$(as_person POST /control/crm/Accounts '{"Account_Name":"Northwind Software","Website":"https://northwind.example"}' | jq -r '.id // .details.id')
  deal=$(as_person POST /control/crm/Deals "{\"Deal_Name\":\"480 routers for Northwind\",\"Stage\":\"Negotiation/Review\",\"Amount\":96000,\"Closing_Date\":\"2027-02-26\",\"Description\":\"Two sites & a spare\",\"Account_Name\":{\"id\":\"$account\"}}" | jq -r '.id // .details.id')
  wait_until "the deal in the database" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.crm_deal AS d JOIN crm_bridge.crm_account AS a ON a.id = d.account_id WHERE d.external_id = '$deal' AND a.account_name IS NOT NULL"
  show "SELECT d.deal_name, d.stage, d.amount, d.closing_date, a.account_name, d.origin FROM crm_bridge.crm_deal AS d JOIN crm_bridge.crm_account AS a ON a.id = d.account_id"

  chapter "She wins it: the rule makes the project, in the transaction that brings the news"
  as_person PATCH "/control/crm/Deals/$deal" '{"Stage":"Closed Won"}' >/dev/null
  wait_until "the project" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NOT NULL"
  settle "the project in Projects"
  tell "in the database:"
  show "SELECT project, account, deal, end_date, in_step FROM crm_bridge.project_progress"
  show "SELECT pairing, left_name, right_name, state, in_step FROM crm_bridge.link_status ORDER BY pairing"
  tell "over the wire:"
  show_wire 6
  tell "in Projects:"
  projects_api projects | jq -c '(if type == "array" then . else (.projects // .data) end)[] | {id, name, description, end_date}' | sed 's/^/   /'
}

task_keeps_both_sides_in_step() {
  local project project_external list task task_external crm_external
  chapter "The project team adds a task; it is added to the CRM as well"
  project=$(query "SELECT id FROM crm_bridge.projects_project LIMIT 1")
  project_external=$(query "SELECT external_id FROM crm_bridge.projects_project LIMIT 1")
  list=$(as_person POST /control/projects/20639270/tasklists "{\"project_id\":\"$project_external\",\"name\":\"Rollout\"}" | jq -r .id)
  as_person POST /control/projects/20639270/tasks "{\"project_id\":\"$project_external\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"Survey the sites\",\"priority\":\"high\",\"description\":\"<p>Both sites<br>before Friday</p>\",\"end_date\":\"2027-01-15T00:00:00.000Z\"}" >/dev/null
  wait_until "the task in the database" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.projects_task"
  task=$(query "SELECT id FROM crm_bridge.projects_task")
  query "SELECT crm_bridge.add_task_to_crm('$task', (SELECT left_id FROM crm_bridge.link WHERE pairing = 'deal_project' AND right_id = '$project'))" >/dev/null
  settle "the task in the CRM"
  show "SELECT t.subject, t.description, t.due_date, t.priority, t.status, d.deal_name AS about FROM crm_bridge.crm_task AS t JOIN crm_bridge.crm_deal AS d ON d.id = t.deal_id"
  show_wire 2

  chapter "George moves the date and closes it in Projects; the CRM's task follows"
  task_external=$(query "SELECT external_id FROM crm_bridge.projects_task")
  crm_external=$(query "SELECT external_id FROM crm_bridge.crm_task")
  as_person PATCH "/control/projects/20639270/tasks/$task_external?person=george.tan@example.com" '{"end_date":"2027-01-20T00:00:00.000Z","status":{"name":"Closed"}}' >/dev/null
  wait_until "the change in the database" 60 query_gives 'Completed|2027-01-20' "SELECT status, due_date FROM crm_bridge.crm_task"
  settle "the change in the CRM"
  show_wire 2
  tell "in the CRM:"
  as_person GET "/control/crm/Tasks/$crm_external" | jq -c '(.data[0]? // .) | {Subject, Status, Due_Date, Priority}' | sed 's/^/   /'

  chapter "An app reopens it in the database and raises the priority: one UPDATE, both services follow"
  query "UPDATE crm_bridge.crm_task SET status = 'In Progress', priority = 'Highest', subject = 'Survey both sites'"
  show "SELECT t.name, t.is_completed, t.priority, t.origin FROM crm_bridge.projects_task AS t"
  settle "both services"
  show_wire 3
  tell "in Projects:"
  projects_api "tasks/$task_external" | jq -c '(.tasks[0]? // .) | {name, status: .status.name, priority, end_date}' | sed 's/^/   /'

  chapter "Who did what: the history of the CRM's task"
  show "SELECT operation, origin, actor, field, old_value FROM crm_bridge.record_history WHERE record_id = (SELECT id FROM crm_bridge.crm_task) ORDER BY at, field"
  show "SELECT service, state, waiting_to_be_sent, need_a_person, open_conflicts, in_step FROM crm_bridge.integration_overview ORDER BY service"
}

if [[ -n ${DEMO_DATA:-} ]]; then
  # shellcheck source=tests/end_to_end/demo_data.sh
  source "$folder/demo_data.sh"
  play_real_input
else
  start
  won_deal_becomes_project
  task_keeps_both_sides_in_step
fi
printf '\nThe demo is over.\n'
