#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Every module of the CRM, both ways: the first reading survives kills at any page, changes and deletions are found, notes hang on
# their records, a merge in the CRM deletes nothing elsewhere (P1, P2, B3, B9; R77 and R78 stand on the notes; T01 reduced).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
# Tokens are the business of other tests, and every worker asks for its own.
start_sandbox --oauth-limit 0 --projects-limit 0
PROJECTS_REQUESTS_PER_WINDOW=100000 set_up_bridge

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
in_crm() { as_person GET "/control/crm/$1" | jq -c '(.data[0]? // .)'; }
made() { as_person POST "/control/crm/$1" "$2" | jq -r '.details.id'; }
external() { query "SELECT external_id FROM crm_bridge.$1 WHERE $2"; }

# A CRM that has been in use for years: more leads than can be paged without a token.
seed_leads() {
  local first
  local token
  token=$(curl -sS -d 'grant_type=refresh_token&refresh_token=1000.sandbox-refresh&client_id=1000.SANDBOXCLIENT&client_secret=sandbox-secret' \
    "$SANDBOX_ACCOUNTS/oauth/v2/token" | jq -r .access_token)
  for ((first = 1; first <= 2300; first += 100)); do
    jq -nc --argjson first "$first" '{trigger: [], data: [range($first; $first + 100) | {Last_Name: "Lead \(.)", Company: "Company \(. % 7)", Email: "lead\(.)@example.com"}]}' |
      curl -sS --fail-with-body -o /dev/null -H "Authorization: Zoho-oauthtoken $token" -H 'Content-Type: application/json' -d @- "$SANDBOX_CRM/crm/v8/Leads"
  done
}
seed_leads
account=$(made Accounts '{"Account_Name":"Zylker"}')
contact=$(made Contacts "{\"Last_Name\":\"Archer\",\"First_Name\":\"Lena\",\"Email\":\"lena@example.com\",\"Account_Name\":{\"id\":\"$account\"}}")
deal=$(made Deals "{\"Deal_Name\":\"Routers\",\"Stage\":\"Qualification\",\"Account_Name\":{\"id\":\"$account\"}}")
task=$(made Tasks "{\"Subject\":\"Ship\",\"What_Id\":{\"id\":\"$deal\"},\"\$se_module\":\"Deals\"}")
lead=$(as_person GET /control/crm/Leads | jq -r '.[0].id')
for parent in "Accounts $account" "Contacts $contact" "Leads $lead" "Deals $deal" "Tasks $task"; do
  read -r module id <<<"$parent"
  made Notes "{\"Note_Title\":\"about $module\",\"Note_Content\":\"words\",\"Parent_Id\":{\"id\":\"$id\",\"module\":{\"api_name\":\"$module\"}}}" >/dev/null
done

# The first reading, killed at whatever page it has reached.
page_was_read() { query_gives t "SELECT COALESCE(max((value -> 'reading' ->> 'done')::bigint), 0) > $1 FROM crm_bridge.cursor WHERE module = 'crm_lead'"; }
as_person POST /control/faults '{"service":"crm","method":"GET","path_contains":"/Leads","times":1000,"kind":"delay","delay_ms":150}' >/dev/null
for least in 0 400 900; do
  start_worker worker --config "$SESSION/worker.toml" run
  wait_until "a page behind $least leads" 60 page_was_read "$least" || flunk "a page behind $least leads"
  stop_process worker KILL
done
runs=$(query "SELECT count(DISTINCT run_id) FROM crm_bridge.run WHERE module = 'crm_lead' AND kind = 'initial_sync'")
as_person DELETE /control/faults >/dev/null
start_worker worker --config "$SESSION/worker.toml" run
check_eventually "P2 the first reading goes on where the killed worker stood, to the end" 'finished|2300|2300' \
  "SELECT state, done, expected FROM crm_bridge.run WHERE module = 'crm_lead' AND kind = 'initial_sync'" 90
check_equal "it is one run, whoever works on it" 1 "$runs"
check_query "P1 every lead is here once" '2300|2300' "SELECT count(*), count(DISTINCT email) FROM crm_bridge.crm_lead"
check_eventually "a person can watch the other modules too" 'finished' \
  "SELECT string_agg(DISTINCT state, ',') FROM crm_bridge.run WHERE kind = 'initial_sync' AND service = 'zoho_crm'" 60
first_readings_end() { query_gives 8 "SELECT count(*) FROM crm_bridge.cursor WHERE service = 'zoho_crm' AND value IS NOT NULL AND NOT value ? 'reading'"; }
wait_until "all first readings" 60 first_readings_end || flunk "all first readings"
check_query "every kind of record is here" 'crm_account|1
crm_contact|1
crm_deal|1
crm_lead|2300
crm_note|5
crm_profile|2
crm_task|1
crm_user|3' "SELECT module, count(*) FROM crm_bridge.shadow WHERE module LIKE 'crm_%' AND state = 'live' GROUP BY 1 ORDER BY 1"
check_query "each note hangs on its record" 'about Accounts|Zylker
about Contacts|Archer
about Deals|Routers
about Leads|Lead
about Tasks|Ship' "SELECT n.title, COALESCE(a.account_name, c.last_name, left(l.last_name, 4), d.deal_name, t.subject) FROM crm_bridge.crm_note AS n
  LEFT JOIN crm_bridge.crm_account AS a ON a.id = n.account_id LEFT JOIN crm_bridge.crm_contact AS c ON c.id = n.contact_id
  LEFT JOIN crm_bridge.crm_lead AS l ON l.id = n.lead_id LEFT JOIN crm_bridge.crm_deal AS d ON d.id = n.deal_id
  LEFT JOIN crm_bridge.crm_task AS t ON t.id = n.task_id ORDER BY 1"
check_equal "a note's author is known" "$(as_person GET /control/crm/Notes | jq -r '.[] | "\(.Note_Title)|\(.Created_By.email)"' | sort)" \
  "$(query "SELECT n.title, a.email FROM crm_bridge.crm_note AS n JOIN crm_bridge.crm_user AS a ON a.id = n.author_id ORDER BY 1")"
check_query "nothing is sent because of a first reading" 0 "SELECT count(*) FROM crm_bridge.delivery"

# Leads, contacts and notes made here.
query "INSERT INTO crm_bridge.crm_lead (last_name, company, email, annual_revenue) VALUES ('Stern', 'Contoso', 'stern@contoso.example', 1250000.5);
       INSERT INTO crm_bridge.crm_contact (last_name, first_name, account_id) SELECT 'Holm', 'Ida', id FROM crm_bridge.crm_account"
query "INSERT INTO crm_bridge.crm_note (title, content, contact_id) SELECT 'Hello', E'two lines\nof text', id FROM crm_bridge.crm_contact WHERE last_name = 'Holm';
       INSERT INTO crm_bridge.crm_note (content, task_id) SELECT 'from here', id FROM crm_bridge.crm_task"
settle "records made here"
check_equal "a lead made here is in the CRM" '["Contoso",1250000.5]' "$(in_crm "Leads/$(external crm_lead "last_name = 'Stern'")" | jq -c '[.Company, .Annual_Revenue]')"
check_equal "B6 a note made with its contact is on it in the CRM" '["Hello","two lines\nof text","Ida Holm","Contacts"]' \
  "$(in_crm "Notes/$(external crm_note "title = 'Hello'")" | jq -c '[.Note_Title, .Note_Content, .Parent_Id.name, .Parent_Id.module.api_name]')"
query "UPDATE crm_bridge.crm_note SET content = 'edited here' WHERE content = 'from here'"
query "UPDATE crm_bridge.crm_contact SET title = 'Buyer' WHERE last_name = 'Holm'"
settle "edits made here"
check_equal "an edited note is edited in the CRM" '"edited here"' "$(in_crm "Notes/$(external crm_note "content = 'edited here'")" | jq -c .Note_Content)"

# A note whose answer was lost is found again by its words, not made twice.
as_person POST /control/faults '{"service":"crm","method":"POST","path_contains":"/Notes","times":1,"kind":"drop_after"}' >/dev/null
query "INSERT INTO crm_bridge.crm_note (content, deal_id) SELECT 'said once', d.id FROM crm_bridge.crm_deal AS d, generate_series(1, 2)"
settle "notes whose answers were lost"
check_equal "B3 two notes of the same words whose answers were lost are two in the CRM" 2 "$(as_person GET /control/crm/Notes | jq '[.[] | select(.Note_Content == "said once")] | length')"
check_query "and each has its own here" '2|2' "SELECT count(*), count(DISTINCT external_id) FROM crm_bridge.crm_note WHERE content = 'said once'"

# The CRM's own changes and deletions.
as_person PATCH "/control/crm/Contacts/$contact" '{"Department":"Sales"}' >/dev/null
as_person PATCH "/control/crm/Notes/$(external crm_note "title = 'about Tasks'")" '{"Note_Content":"changed there"}' >/dev/null
check_eventually "a change of a contact comes in" Sales "SELECT department FROM crm_bridge.crm_contact WHERE external_id = '$contact'"
check_eventually "a change of a note comes in, though nothing tells of it" 'changed there' "SELECT content FROM crm_bridge.crm_note WHERE title = 'about Tasks'"
as_person DELETE "/control/crm/Notes/$(external crm_note "title = 'about Contacts'")" >/dev/null
as_person DELETE "/control/crm/Leads/$lead" >/dev/null
check_eventually "a deleted lead is gone" 0 "SELECT count(*) FROM crm_bridge.crm_lead WHERE external_id = '$lead'"
check_eventually "a deleted note is gone, though the CRM lists no deleted notes, and so is the deleted lead's" 'about Accounts,about Deals,about Tasks' \
  "SELECT string_agg(title, ',' ORDER BY title) FROM crm_bridge.crm_note WHERE title LIKE 'about%'"
query "DELETE FROM crm_bridge.crm_note WHERE title = 'Hello'"
settle "a deletion made here"
check_equal "a note deleted here is deleted in the CRM" 0 "$(as_person GET /control/crm/Notes | jq '[.[] | select(.Note_Title == "Hello")] | length')"

# Two deals are merged in the CRM; the one that goes has a project.
activate_portal
query "INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES ('Switches', 'Closed Won')"
settle "a deal made here"
query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal WHERE deal_name = 'Switches'" >/dev/null
settle "its project"
query "UPDATE crm_bridge.pairing SET on_delete = 'delete' WHERE pairing = 'deal_project'"
loser=$(external crm_deal "deal_name = 'Switches'")
as_person POST /control/crm-merge/Deals "{\"master\":\"$deal\",\"loser\":\"$loser\"}" >/dev/null
check_eventually "B9 the link follows the survivor of a merge in the CRM" "Routers|active" \
  "SELECT d.deal_name, l.state FROM crm_bridge.link AS l JOIN crm_bridge.crm_deal AS d ON d.id = l.left_id WHERE l.pairing = 'deal_project'"
check_eventually "the other one is gone" 0 "SELECT count(*) FROM crm_bridge.crm_deal WHERE external_id = '$loser'"
settle "the merge"
check_query "nothing is deleted on the other face because of it" 1 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NOT NULL"
check_equal "nor in Projects" 1 "$(as_person GET /control/projects/20639270/projects | jq length)"

# What the connectors can do, for people to read.
check_query "design §8: the capability table is told by the worker and says how a create is made safe" \
  'zoho_crm|documented|POST, up to 100; a lost one is looked for by its words among the notes of its record' \
  "SELECT service, contract, how FROM crm_bridge.capability WHERE module = 'crm_note' AND call = 'create'"
check_query "of both services" 't|t' "SELECT bool_or(service = 'zoho_crm'), bool_or(service = 'zoho_projects') FROM crm_bridge.capability"
printed=$("$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" doctor 2>&1 || true)
check "doctor prints it, and looks whether the user may list notes" grep -qF 'ok    zoho_crm notes' <<<"$printed"
check_query "no conflict, nothing for a person" '0|0' "SELECT (SELECT count(*) FROM crm_bridge.conflict), (SELECT count(*) FROM crm_bridge.dead_letters)"
stop_process worker
finish
