#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What is said about a linked task is said on both sides, once; and what Projects refuses is put back in the CRM, with one mail
# (R75, R77-R86, B3, B9, D2, D3, D9).

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
in_crm() { as_person GET "/control/crm/$1"; }
writes() { as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.method != "GET" and (.path | test("oauth") | not))] | length'; }
note_words() { in_crm Notes | jq -c '[.[] | [.Note_Title, .Note_Content]] | sort_by(.[1])'; }
comment_words() { person GET "$comments" | jq -c '[.[].comment] | sort'; }
is_now() { [[ $("$2") == "$1" ]]; }
become() {
  wait_until "$1" 60 is_now "$2" "$3" || true
  check_equal "$1" "$2" "$("$3")"
}

start_worker worker --config "$SESSION/worker.toml" run
command=$(query "SELECT crm_bridge.activate_projects()")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
command=$(query "SELECT crm_bridge.choose_portal('Zylker Projects')")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
deal=$(query "WITH a AS (INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme') RETURNING id)
  INSERT INTO crm_bridge.crm_deal (deal_name, stage, account_id) SELECT 'Routers', 'Qualification', id FROM a RETURNING id")
query "SELECT crm_bridge.create_project_from_deal('$deal')" >/dev/null
settle "the project"
project=$(query "SELECT external_id FROM crm_bridge.projects_project")
person PATCH "projects/$project" '{"start_date":"2027-01-01","end_date":"2027-01-31"}' >/dev/null
list=$(person POST tasklists "{\"project_id\":\"$project\",\"name\":\"Rollout\"}" | jq -r .id)
task=$(person POST tasks "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"Survey\",\"priority\":\"high\",\"end_date\":\"2027-01-15T00:00:00.000Z\"}" | jq -r .id)
gives "the task" 1 "SELECT count(*) FROM crm_bridge.projects_task"
query "SELECT crm_bridge.add_task_to_crm(t.id, '$deal') FROM crm_bridge.projects_task AS t" >/dev/null
settle "the task in the CRM"
check_query "R75 the task list shows the CRM's mark" "t|deal|Routers" "SELECT in_crm, crm_kind, crm_name FROM crm_bridge.project_tasks"
crm_task=$(query "SELECT external_id FROM crm_bridge.crm_task")
comments="projects/$project/tasks/$task/comments"

# Comments, from both sides.
note=$(as_person POST /control/crm/Notes "{\"Note_Title\":\"Call\",\"Note_Content\":\"Asked for a discount\",\"Parent_Id\":{\"id\":\"$crm_task\",\"module\":{\"api_name\":\"Tasks\"}}}" | jq -r '.id // .details.id')
author=$(in_crm Notes | jq -r '.[0].Created_By.name')
become "R77 a note on a linked task is a comment in Projects that names its author" "[\"[Zoho CRM: $author: Call]<br>Asked for a discount\"]" comment_words
comment=$(person POST "$comments" '{"comment":"<p>Done &amp; tested</p>"}' | jq -r '.[0].id')
writer=$(person GET "$comments" | jq -r '.[] | select(.comment | test("Done")) | .created_by.full_name // .created_by.name')
become "R78 a comment is a note in the CRM whose title names its author" "[[\"Call\",\"Asked for a discount\"],[\"$writer (Zoho Projects)\",\"Done & tested\"]]" note_words
as_person PATCH "/control/crm/Notes/$note" '{"Note_Content":"Asked once"}' >/dev/null
become "D9 an edited note edits the comment" "[\"<p>Done &amp; tested</p>\",\"[Zoho CRM: $author: Call]<br>Asked once\"]" comment_words
person PATCH "$comments/$comment" '{"comment":"<p>Done</p>"}' >/dev/null
become "D9 an edited comment edits the note" "[[\"Call\",\"Asked once\"],[\"$writer (Zoho Projects)\",\"Done\"]]" note_words
as_person POST /control/faults '{"service":"projects","method":"POST","path_contains":"/comments","times":1,"kind":"drop_after"}' >/dev/null
query "INSERT INTO crm_bridge.crm_note (content, task_id) SELECT 'Answer lost', id FROM crm_bridge.crm_task"
settle "a comment whose answer is lost"
check_equal "B3 it is in Projects once" 1 "$(person GET "$comments" | jq '[.[] | select(.comment | test("Answer lost"))] | length')"
person DELETE "$comments/$comment" >/dev/null
become "D9 a deleted comment deletes the note" '[[null,"Answer lost"],["Call","Asked once"]]' note_words
as_person DELETE "/control/crm/Notes/$note" >/dev/null
become "D9 a deleted note deletes the comment" '["[Zoho CRM]<br>Answer lost"]' comment_words
settle "all that was said"
before=$(writes)
saved=$(query "SELECT max(saved_at) FROM crm_bridge.cursor")
gives "another poll" t "SELECT min(saved_at) > '$saved' FROM crm_bridge.cursor WHERE module IN ('projects_comment', 'crm_note')"
check_equal "B9 nothing is written for an echo" "$before" "$(writes)"
check_query "one note, one comment, one pair" '1|1|1' "SELECT (SELECT count(*) FROM crm_bridge.crm_note), (SELECT count(*) FROM crm_bridge.projects_comment), (SELECT count(*) FROM crm_bridge.link WHERE pairing = 'note_comment' AND state = 'active')"

# What Projects refuses.
person PATCH "projects/$project" '{"is_strict_project":true}' >/dev/null
gives "the project is strict" t "SELECT is_strict FROM crm_bridge.projects_project"
in_both() { printf '%s|%s' "$(in_crm "Tasks/$crm_task" | jq -r '"\(.Due_Date)|\(.Subject)"')" "$(person GET "tasks/$task" | jq -r '(.tasks[0]? // .) | "\(.end_date[0:10])|\(.name)"')"; }
as_person PATCH "/control/crm/Tasks/$crm_task" '{"Due_Date":"2027-03-01","Subject":"Survey later"}' >/dev/null
gives "R81 the person is told, once" '1|2027-03-01' "SELECT count(*), min(facts ->> 'new') FROM crm_bridge.notification WHERE kind = 'due_date_refused'"
settle "the way back"
check_equal "R80 R86 D3 the date is not in Projects and is put back in the CRM, and so is what came with it" '2027-01-15|Survey|2027-01-15|Survey' "$(in_both)"
as_person PATCH "/control/crm/Tasks/$crm_task" '{"Due_Date":"2027-01-31"}' >/dev/null
become "R80 a date within the schedule is applied" '2027-01-31|Survey|2027-01-31|Survey' in_both
person PATCH "projects/$project" '{"is_strict_project":false}' >/dev/null
gives "the project is strict no more" f "SELECT is_strict FROM crm_bridge.projects_project"
as_person PATCH "/control/crm/Tasks/$crm_task" '{"Due_Date":"2027-03-01"}' >/dev/null
become "R82 in a project that is not strict the same date is applied" '2027-03-01|Survey|2027-03-01|Survey' in_both
check_query "R81 one mail in all, no conflict, nothing for a person" '1|0|0' "SELECT (SELECT count(*) FROM crm_bridge.notification), (SELECT count(*) FROM crm_bridge.conflict), (SELECT count(*) FROM crm_bridge.dead_letters)"
stop_process worker
finish
