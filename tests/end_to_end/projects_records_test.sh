#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Comments, client users, members and custom fields of Projects go both ways; what leaves no trace in the bin is found; the first
# reading goes on after a kill (R24, R37, B1, B3, B9; P1, P10; T01 reduced).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --projects-limit 0 --oauth-limit 0
WORKER_POLL_INTERVAL=300ms PROJECTS_SWEEP_INTERVAL=100ms PROJECTS_REQUESTS_PER_WINDOW=100000 WORKER_LEASE=2s set_up_bridge

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
gives() { wait_until "$1" 60 query_gives "$2" "$3" || flunk "$1" "$(query "$3")"; check_query "$1" "$2" "$3"; }
person() { as_person "$1" "/control/projects/20639270/$2" "${@:3}"; }
writes() { as_person GET '/control/requests?service=projects&limit=20000' | jq '[(.requests // .)[] | select(.method != "GET")] | length'; }

# What is there before anybody connects: a project with a custom field, an empty list, 60 tasks, 2 comments.
project=$(person POST projects '{"name":"Routers","cf_region":"North"}' | jq -r .id)
list=$(person POST tasklists "{\"project_id\":\"$project\",\"name\":\"Rollout\"}" | jq -r .id)
empty_list=$(person POST tasklists "{\"project_id\":\"$project\",\"name\":\"Ideas\"}" | jq -r .id)
for n in $(seq 1 60); do
  task=$(person POST tasks "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"task $n\"}" | jq -r .id)
done
comments="projects/$project/tasks/$task/comments"
comment=$(person POST "$comments" '{"comment":"<p>First</p>"}' | jq -r '.[0].id')
person POST "$comments" '{"comment":"Second"}' >/dev/null

# The first reading, in which the worker is killed.
start_worker worker --config "$SESSION/worker.toml" run
command=$(query "SELECT crm_bridge.activate_projects()")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
as_person POST /control/faults '{"service":"projects","method":"GET","path_contains":"/20639270/tasks","times":1,"kind":"delay","delay_ms":8000}' >/dev/null
command=$(query "SELECT crm_bridge.choose_portal('Zylker Projects')")
wait_until "the reading of the projects" 60 query_gives t "SELECT count(*) = 1 FROM crm_bridge.projects_project"
wait_until "the reading of the tasks to begin" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.cursor WHERE module = 'projects_task_list' AND value ? 'read_for'"
stop_process worker KILL
as_person DELETE /control/faults >/dev/null
start_worker worker --config "$SESSION/worker.toml" run
query "CALL crm_bridge.wait_for_command('$command', '120 seconds')"
gives "R7 the first reading brings all tasks" 60 "SELECT count(*) FROM crm_bridge.projects_task"
check_query "the first reading went on after the kill with the modules that were not done" t \
  "SELECT bool_and(state = 'finished') FROM crm_bridge.run WHERE kind = 'initial_sync' AND module = 'projects_task'"
check_query "none is left running but what goes round" 0 \
  "SELECT count(*) FROM crm_bridge.run WHERE state = 'running' AND module NOT IN ('projects_comment', 'projects_client_user', 'projects_task_list')"
check_query "P1 what was read before the kill is not read again as a whole" 1 \
  "SELECT count(*) FROM crm_bridge.run WHERE kind = 'initial_sync' AND module = 'projects_project'"
gives "an empty task list is found going round" Ideas "SELECT name FROM crm_bridge.projects_task_list WHERE external_id = '$empty_list'"
gives "comments are found going round, with author and task" "<p>First</p>|Alicia Reyes|task 60" \
  "SELECT c.content, c.author_name, t.name FROM crm_bridge.projects_comment AS c JOIN crm_bridge.projects_task AS t ON t.id = c.task_id WHERE c.external_id = '$comment'"
gives "the first rounds are finished" 0 "SELECT count(*) FROM crm_bridge.run WHERE state = 'running'"
check_query "R24 a custom field of the project is read in the first reading" North "SELECT custom_fields ->> 'cf_region' FROM crm_bridge.projects_project"

# Comments, both ways.
query "INSERT INTO crm_bridge.projects_comment (content, task_id) SELECT '<p>From the app</p>', t.id FROM crm_bridge.projects_task AS t WHERE t.external_id = '$task'"
settle "the app's comment"
check_equal "B1 a comment of an app is in Projects, once" 1 "$(person GET "$comments" | jq '[.[] | select(.comment == "<p>From the app</p>")] | length')"
query "UPDATE crm_bridge.projects_comment SET content = '<p>Corrected</p>' WHERE content = '<p>From the app</p>'"
settle "its correction"
check_equal "B1 so is its correction" 1 "$(person GET "$comments" | jq '[.[] | select(.comment == "<p>Corrected</p>")] | length')"
person PATCH "$comments/$comment" '{"comment":"<p>Edited</p>"}' >/dev/null
gives "B1 a person's edit of a comment reaches the mirror" '<p>Edited</p>' "SELECT content FROM crm_bridge.projects_comment WHERE external_id = '$comment'"
person DELETE "$comments/$comment" >/dev/null
gives "B1 a comment that a person deletes leaves the mirror" 0 "SELECT count(*) FROM crm_bridge.projects_comment WHERE external_id = '$comment'"
as_person POST /control/faults '{"service":"projects","method":"POST","path_contains":"/comments","times":1,"kind":"drop_after"}' >/dev/null
query "INSERT INTO crm_bridge.projects_comment (content, task_id) SELECT '<p>Answer lost</p>', t.id FROM crm_bridge.projects_task AS t WHERE t.external_id = '$task'"
settle "a comment whose answer is lost"
check_equal "B3 a comment whose answer was lost exists once" 1 "$(person GET "$comments" | jq '[.[] | select(.comment == "<p>Answer lost</p>")] | length')"
query "DELETE FROM crm_bridge.projects_comment WHERE content = '<p>Answer lost</p>'"
settle "its deletion"
check_equal "B1 a comment that an app deletes leaves Projects" 2 "$(person GET "$comments" | jq length)"

# A customer's person, both ways, and who works in the project.
query "WITH c AS (INSERT INTO crm_bridge.projects_client (name) VALUES ('Acme') RETURNING id) UPDATE crm_bridge.projects_project SET client_id = (SELECT id FROM c)"
settle "the customer of the project"
query "INSERT INTO crm_bridge.projects_client_user (first_name, last_name, email, client_id, project_id)
       SELECT 'Lin', 'Wu', 'lin@acme.example', p.client_id, p.id FROM crm_bridge.projects_project AS p"
settle "the customer's person"
check_equal "B1 a client user of an app is in the project" '["lin@acme.example","Acme"]' "$(person GET "projects/$project/clients/users" | jq -c '(.users? // .)[0] | [.email, .client.name]')"
gives "R33 the project's people come back" 'lin@acme.example|1' \
  "SELECT u.email, cardinality(p.user_ids) FROM crm_bridge.projects_project AS p JOIN crm_bridge.projects_client_user AS u ON u.id = p.client_user_ids[1]"
client=$(query "SELECT external_id FROM crm_bridge.projects_client")
person POST "projects/$project/clientuser" "{\"email\":\"kim@acme.example\",\"first_name\":\"Kim\",\"client\":{\"id\":\"$client\"}}" >/dev/null
gives "B1 a client user whom a person invites reaches the mirror" 'kim@acme.example|Acme|2' \
  "SELECT u.email, c.name, cardinality(p.client_user_ids) FROM crm_bridge.projects_client_user AS u JOIN crm_bridge.projects_client AS c ON c.id = u.client_id, crm_bridge.projects_project AS p WHERE u.first_name = 'Kim'"
query "UPDATE crm_bridge.projects_project SET user_ids = user_ids || ARRAY(SELECT id FROM crm_bridge.projects_user WHERE email = 'george.tan@example.com'),
       client_user_ids = ARRAY(SELECT id FROM crm_bridge.projects_client_user WHERE first_name = 'Kim')"
settle "the members"
check_equal "B1 members of the project follow the mirror" '["kim@acme.example"]|["alicia.reyes@example.com","george.tan@example.com"]' \
  "$(person GET "projects/$project/clients/users" | jq -c '[(.users? // .)[].email]')|$(person GET "projects/$project/users" | jq -c '[.[].email] | sort')"
check_equal "D14 nobody was mailed by that" 1 "$(as_person GET /control/counters | jq '.mails // 0')"

# A custom field of the project, both ways.
query "UPDATE crm_bridge.projects_project SET custom_fields = custom_fields || '{\"cf_region\": \"South\"}'"
settle "the custom field"
check_equal "R24 a project's custom field reaches Projects" '"South"' "$(person GET "projects/$project" | jq .cf_region)"
person PATCH "projects/$project" '{"cf_region":"West"}' >/dev/null
gives "R24 and comes back" West "SELECT custom_fields ->> 'cf_region' FROM crm_bridge.projects_project"

# What leaves no trace: deleted and emptied out of the bin while nobody looked.
stop_process worker
person DELETE "tasks/$task" >/dev/null
person DELETE "tasklists/$empty_list" >/dev/null
person DELETE empty-bin >/dev/null
start_worker worker --config "$SESSION/worker.toml" run
gives "B1 a task that left no trace in the bin leaves the mirror, its comments with it" '59|0' \
  "SELECT count(*), (SELECT count(*) FROM crm_bridge.projects_comment) FROM crm_bridge.projects_task"
gives "B1 so does a task list" 0 "SELECT count(*) FROM crm_bridge.projects_task_list WHERE external_id = '$empty_list'"
stop_process worker
person DELETE "projects/$project" >/dev/null
person DELETE empty-bin >/dev/null
start_worker worker --config "$SESSION/worker.toml" run
gives "B1 and a project with all that is in it" '0|0|0' \
  "SELECT (SELECT count(*) FROM crm_bridge.projects_project), (SELECT count(*) FROM crm_bridge.projects_task), (SELECT count(*) FROM crm_bridge.projects_task_list)"

settle "everything"
before=$(writes)
saved=$(query "SELECT max(saved_at) FROM crm_bridge.cursor")
gives "another poll" t "SELECT min(saved_at) > '$saved' FROM crm_bridge.cursor WHERE module IN ('projects_comment', 'projects_task')"
check_equal "B9 P10 nothing is sent for an echo" "$before" "$(writes)"
check_query "no conflict, nothing for a person" '0|0' "SELECT (SELECT count(*) FROM crm_bridge.conflict), (SELECT count(*) FROM crm_bridge.dead_letters)"
stop_process worker
finish
