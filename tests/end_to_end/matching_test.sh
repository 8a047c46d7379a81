#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# A matching between the sandbox's services: what is there on both sides before anybody connects is linked, the worker does the
# background part, and what hangs on it works (R37-R41, R45-R47, R57, R58, D6, D7, B11).

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

gives() { wait_until "$1" 60 query_gives "$2" "$3" || flunk "$1" "$(query "$3")"; check_query "$1" "$2" "$3"; }
person() { as_person "$1" "/control/projects/20639270/$2" "${@:3}"; }
writes() { as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method != "GET" and (.path | contains("/oauth/") or contains("watch") | not))] | length'; }

account() { as_person POST /control/crm/Accounts "{\"Account_Name\":\"$1\"}" | jq -r '.id // .details.id'; }
acme=$(account "Société ACME")
account "Twin" >/dev/null
account "twin" >/dev/null
account "Initech GmbH" >/dev/null
as_person POST /control/crm/Contacts "{\"Last_Name\":\"Ada\",\"Email\":\"Ada@acme.example\",\"Account_Name\":{\"id\":\"$acme\"}}" >/dev/null
client=$(person POST clients '{"name":"ＳＯＣＩＥ\u0301ＴＥ\u0301  Acme"}' | jq -r .id)
person POST clients '{"name":"TWIN"}' >/dev/null
person POST clients '{"name":"Initech Ltd."}' >/dev/null
project=$(person POST projects '{"name":"Rollout"}' | jq -r .id)

start_worker worker --config "$SESSION/worker.toml" run
query "SELECT crm_bridge.resync('crm_account'), crm_bridge.resync('crm_contact'), crm_bridge.resync('crm_user'), crm_bridge.resync('crm_profile')" >/dev/null
command=$(query "SELECT crm_bridge.activate_projects()")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
command=$(query "SELECT crm_bridge.choose_portal('Zylker Projects')")
query "CALL crm_bridge.wait_for_command('$command', '120 seconds')"
gives "both sides are read" "4|3|1|1" "SELECT (SELECT count(*) FROM crm_bridge.crm_account), (SELECT count(*) FROM crm_bridge.projects_client), (SELECT count(*) FROM crm_bridge.projects_project), (SELECT count(*) FROM crm_bridge.crm_contact)"
query "UPDATE crm_bridge.projects_project SET client_id = (SELECT c.id FROM crm_bridge.projects_client AS c WHERE c.external_id = '$client') WHERE external_id = '$project'"
wait_until "the project's client" 60 nothing_is_on_its_way
query "INSERT INTO crm_bridge.projects_client_user (last_name, email, client_id, portal_id, project_id)
       SELECT 'Ada', 'ada@ACME.example', c.id, c.portal_id, p.id FROM crm_bridge.projects_client AS c, crm_bridge.projects_project AS p WHERE c.external_id = '$client' AND p.external_id = '$project'"
wait_until "the client user" 60 nothing_is_on_its_way
before=$(writes)

check_query "R40 the matching links the one pair and tells the reasons of all others" "linked||1|1
not_linked|account_not_mapped|0|1
not_linked|ambiguous|1|2
not_linked|no_account_of_that_name|1|0" "SELECT * FROM crm_bridge.match_clients()"
command=$(query "SELECT command_id FROM crm_bridge.client_matching")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
check_query "R46 the worker has done the background part" "done|1|1|1|2" \
  "SELECT state, result ->> 'matched', result ->> 'people', result ->> 'proposed', result ->> 'unmatched' FROM crm_bridge.command WHERE command_id = '$command'"
check_query "R38 the client's project is associated with the account" "Société ACME|Rollout" "SELECT account, project FROM crm_bridge.account_projects"
gives "R47 the client user of the project is the account's contact" "Rollout|Ada|Ada@acme.example" "SELECT project, contact, email FROM crm_bridge.project_contact"
check_query "R41 the administrators are told, with the unmatched and their reasons" t \
  "SELECT count(*) > 0 AND bool_and(kind = 'clients_matched' AND attachment LIKE '%Initech Ltd.,Initech GmbH,proposed,no_account_of_that_name%' AND attachment LIKE '%TWIN,,not_linked,ambiguous%') FROM crm_bridge.notification"
check_query "B11 a rematch finds nothing new" 0 "SELECT count(*) FROM crm_bridge.match_clients(rematch => true) WHERE outcome = 'linked'"
wait_until "the end of what is on its way" 60 nothing_is_on_its_way
if [[ "$(writes)" == "$before" ]]; then pass "D7 a match writes nothing at either service"; else flunk "D7 a match writes nothing at either service" "$(writes) instead of $before"; fi

# Links survive renames, whoever renames (D6).
as_person PATCH "/control/crm/Accounts/$acme" '{"Account_Name":"Acme Holding"}' >/dev/null
gives "the account's new name comes in" "Acme Holding" "SELECT account_name FROM crm_bridge.crm_account WHERE external_id = '$acme'"
check_query "D6 a link survives the rename, and the client keeps its own name" "Acme Holding|t|active" \
  "SELECT a.account_name, c.name <> a.account_name, l.state FROM crm_bridge.link AS l JOIN crm_bridge.crm_account AS a ON a.id = l.left_id JOIN crm_bridge.projects_client AS c ON c.id = l.right_id WHERE l.pairing = 'account_client'"
check_query "R58 progress of the account" "Acme Holding|1" "SELECT account, projects FROM crm_bridge.account_progress"
check_query "R57 its activity in one place" t "SELECT count(*) > 0 FROM crm_bridge.activity_feed WHERE account = 'Acme Holding' AND project = 'Rollout'"
finish
