#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Another user's portal by his ZSC key, the key grown stale and renewed under load, off and on again, another portal (R9-R15, R18-R23,
# R48-R52, D10, D15, D17, B11, B14, B16).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
# All that a careless server writes down.
query "ALTER SYSTEM SET log_statement = 'all'"
query "ALTER SYSTEM SET log_parameter_max_length = -1"
query "ALTER SYSTEM SET pg_stat_statements.track = 'all'"
query "SELECT pg_reload_conf()" >/dev/null
query "CREATE EXTENSION pg_stat_statements"
start_sandbox --projects-limit 0 --oauth-limit 0 --crm-credits 0
PROJECTS_REQUESTS_PER_WINDOW=1000000 set_up_bridge
start_worker worker --config "$SESSION/worker.toml" run

key=zsc-3f9a1c77e0b24d58
owner=omar.diaz@example.com
# seal_key REFRESH_TOKEN EMAIL
seal_key() {
  printf '{"zsc_key":"%s","client_id":"1000.SANDBOXCLIENT","client_secret":"sandbox-secret","refresh_token":"%s"}' "$key" "$1" |
    "$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" seal --service zoho_projects --kind zsc_key --email "$2" --org 1 >>"$SESSION/seal.log" 2>&1
}
# Runs a function that returns a command and waits for it.
obey() {
  local command
  command=$(query "SELECT $1")
  query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
}
projects_of() { as_person GET "/control/projects/$1/projects${2:+?person=$2}" | jq length; }

as_person POST /control/portals '{"id":"30000001","name":"Diaz Works","first_name":"Omar","last_name":"Diaz"}' >/dev/null
as_person POST /control/consents "{\"refresh_token\":\"1000.omar\",\"email\":\"$owner\"}" >/dev/null

obey 'crm_bridge.activate_projects()'
check_query "R10 the choice list shows the acting user's portals" 'Zylker Projects' "SELECT name FROM crm_bridge.projects_portal"
check_refused "R11 a key that nobody sealed opens nothing, and says what to do" 42704 "crm-bridge seal --service zoho_projects --kind zsc_key" \
  "SELECT crm_bridge.use_shared_portal('$owner')"
seal_key 1000.omar alicia.reyes@example.com
check_refused "R11 a key without its own address" 42704 "there is no ZSC key for" "SELECT crm_bridge.use_shared_portal('$owner')"
command=$(query "SELECT crm_bridge.use_shared_portal('alicia.reyes@example.com')")
check_refused "R13 a key that does not belong to the address fails" 58000 "key_of_another_address" "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
check_query "R13 and offers no portal" 0 "SELECT count(*) FROM crm_bridge.projects_portal WHERE name = 'Diaz Works'"
seal_key 1000.omar "$owner"
obey "crm_bridge.use_shared_portal('$owner')"
check_query "R12 with the right pair his portals are offered, and only his" 'Diaz Works' "SELECT name FROM crm_bridge.projects_portal"
obey "crm_bridge.choose_portal('Diaz Works')"
query "INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Contoso');
       INSERT INTO crm_bridge.crm_deal (deal_name, stage, closing_date, account_id) SELECT 'Switches', 'Qualification', '2027-03-31', id FROM crm_bridge.crm_account;
       SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal" >/dev/null
check_eventually "R11 work goes to his portal" 1 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NOT NULL"
check_equal "R11 where the project is" 1 "$(projects_of 30000001 $owner)"

# A new key is generated while work is under way (R19, B14).
query "INSERT INTO crm_bridge.projects_project (name, portal_id) SELECT 'early ' || n, portal_id FROM crm_bridge.integration, generate_series(1, 40) AS n WHERE service = 'zoho_projects'"
as_person DELETE /control/consents '{"refresh_token":"1000.omar"}' >/dev/null
query "INSERT INTO crm_bridge.projects_project (name, portal_id) SELECT 'late ' || n, portal_id FROM crm_bridge.integration, generate_series(1, 40) AS n WHERE service = 'zoho_projects'"
check_eventually "R20 a stale key stops the integration" 'stopped|zsc_key_stale' "SELECT state, stopped_reason FROM crm_bridge.integration WHERE service = 'zoho_projects'"
check_query "D10 the related list says so in place of projects" 'f|t|t' "SELECT bool_or(project IS NOT NULL), bool_or(message LIKE '%ZSC%'), bool_or(since IS NOT NULL)
  FROM crm_bridge.crm_account AS a, crm_bridge.related_list(a.id) WHERE a.account_name = 'Contoso'"
check_query "B14 nothing failed for it" "" "SELECT module, reason, detail FROM crm_bridge.dead_letters"
key=zsc-77aa1c77e0b24d99
as_person POST /control/consents "{\"refresh_token\":\"1000.omar2\",\"email\":\"$owner\"}" >/dev/null
seal_key 1000.omar2 "$owner"
check_query "R22, R23 renewed, it goes on without any new set-up" 'active|Diaz Works' "SELECT state, portal FROM crm_bridge.integration_overview WHERE service = 'zoho_projects'"
check_eventually "B14 what waited is sent" 0 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NULL"
check_equal "B14 once each" 81 "$(projects_of 30000001 $owner)"
check_query "R22 projects can be worked on from the CRM again" 'Switches' "SELECT project FROM crm_bridge.crm_deal AS d, crm_bridge.related_list(d.id) WHERE d.deal_name = 'Switches'"

# Writers go on while the key is regenerated, and while the portal gets another owner (R18, R19, B14).
# write_on NAME : makes projects and edits its earlier ones, until somebody takes the file "writing" away.
write_on() {
  local n=0
  while [[ -e $SESSION/writing ]]; do
    n=$((n + 1))
    query "INSERT INTO crm_bridge.projects_project (name, portal_id) SELECT '$1 $n', portal_id FROM crm_bridge.integration WHERE service = 'zoho_projects';
           UPDATE crm_bridge.projects_project SET description = '$n' WHERE name = '$1 ' || $n / 2" >/dev/null 2>>"$SESSION/not_written" || echo "$1 $n" >>"$SESSION/not_written"
    echo "$n" >"$SESSION/written.$1"
  done
}
written() { cat "$SESSION"/written.* 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'; }
more_written() { (($(written) >= $1)); }
more_sent() { query_gives t "SELECT count(*) >= $1 FROM crm_bridge.projects_project WHERE external_id IS NOT NULL AND name ~ '^(left|right) '"; }
goes_on() {
  local sent
  sent=$(query "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NOT NULL AND name ~ '^(left|right) '")
  wait_until "$1" 60 more_sent $((sent + 20)) || flunk "$1"
}
stopped_under_load() {
  local before
  check_eventually "R20 $1 the integration stops" 'stopped|zsc_key_stale' "SELECT state, stopped_reason FROM crm_bridge.integration WHERE service = 'zoho_projects'"
  before=$(written)
  wait_until "the writers to go on" 60 more_written $((before + 20)) || flunk "B14 $1 the writers go on"
}
touch "$SESSION/writing"
write_on left &
writers=($!)
write_on right &
writers+=($!)
goes_on "B14 two writers' projects are sent"

as_person DELETE /control/consents '{"refresh_token":"1000.omar2"}' >/dev/null
stopped_under_load "while they write and a new key is generated"
key=zsc-88bb1c77e0b24d55
as_person POST /control/consents "{\"refresh_token\":\"1000.omar3\",\"email\":\"$owner\"}" >/dev/null
seal_key 1000.omar3 "$owner"
goes_on "B14 with the new key it goes on under the writers"

new_owner=paula.ruiz@example.com
as_person POST "/control/projects/30000001/users?person=$owner" "{\"email\":\"$new_owner\",\"role\":\"2063927000000010001\"}" >/dev/null
as_person POST /control/consents "{\"refresh_token\":\"1000.paula\",\"email\":\"$new_owner\"}" >/dev/null
as_person DELETE /control/consents '{"refresh_token":"1000.omar3"}' >/dev/null
stopped_under_load "while they write and the portal gets another owner"
owner=$new_owner
key=zsc-99cc1c77e0b24d11
# Held while it stores the new key: whoever looks now sees all that there is to see.
query "BEGIN; LOCK TABLE crm_bridge.credential IN ACCESS EXCLUSIVE MODE; PREPARE TRANSACTION 'held'"
seal_key 1000.paula "$owner" &
sealing=$!
wait_until "the sealing to be held" 30 query_gives t "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%store_credential%'" || flunk "the sealing is held"
# The arguments and environments of our server's and our own processes, at this moment.
list_processes() {
  local folder
  for folder in /proc/[0-9]*; do
    [[ $(readlink "$folder/cwd" 2>/dev/null) == "$SESSION/cluster/data" ]] || grep -qaF "$CRM_BRIDGE_BIN" "$folder/cmdline" 2>/dev/null || continue
    cat "$folder/cmdline" "$folder/environ" 2>/dev/null | tr '\0' '\n'
  done
}
list_processes >"$SESSION/listing"
query "SELECT * FROM pg_stat_activity" >"$SESSION/activity"
query "COMMIT PREPARED 'held'"
wait "$sealing"
goes_on "B14 with the new owner's key it goes on under the writers"
rm "$SESSION/writing"
wait "${writers[@]}"
all=$((81 + $(written)))
check_equal "B14 no writer failed" "" "$(cat "$SESSION/not_written" 2>/dev/null)"
check_eventually "B14 nothing is lost" 0 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NULL" 60
wait_until "the way to be free" 60 nothing_is_on_its_way || flunk "the way is free" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"
check_equal "B14 nor doubled" "$all|$all" "$(as_person GET "/control/projects/30000001/projects?person=$owner" | jq -r '"\(length)|\([.[].name] | unique | length)"')"
check_equal "B14 every edit is there" "$(query "SELECT name, description FROM crm_bridge.projects_project WHERE name ~ '^(left|right) ' AND description IS NOT NULL ORDER BY name COLLATE \"C\"")" \
  "$(as_person GET "/control/projects/30000001/projects?person=$owner" | jq -r '[.[] | select((.name | test("^(left|right) ")) and (.description // "") != "")] | sort_by(.name)[] | "\(.name)|\(.description)"')"
check_query "B14 nothing failed for it" "" "SELECT module, reason, detail FROM crm_bridge.dead_letters"

# Secrets (B16).
"$server/bin/pg_dump" -U "$PGUSER" "$PGDATABASE" >"$SESSION/dump.sql"
query "SELECT query FROM pg_stat_statements" >"$SESSION/statements"
leaked() { grep -rlaF -e "zsc-" -e "1000.omar" -e "1000.paula" -e sandbox-secret "$@" 2>/dev/null | head -n 3; }
check_equal "B16 no secret is in dump, server log or worker log" "" "$(leaked "$SESSION/dump.sql" "$SESSION"/*.log "$SESSION/cluster"/*log*)"
check "B16 pg_stat_statements has seen a key being stored" grep -qF store_credential "$SESSION/statements"
check_equal "B16 and shows no secret" "" "$(leaked "$SESSION/statements")"
check "B16 the process listing shows whoever seals" grep -qxF "$owner" "$SESSION/listing"
check "B16 and the server's sessions" grep -qF store_credential "$SESSION/activity"
check_equal "B16 neither shows a secret, nor does an environment" "" "$(leaked "$SESSION/listing" "$SESSION/activity")"

# Off; people work on in both services; on again with the same portal.
query "SELECT crm_bridge.deactivate_projects()"
check_equal "R51 switched off, the projects stay in Projects" "$all" "$(projects_of 30000001 $owner)"
first=$(query "SELECT external_id FROM crm_bridge.projects_project WHERE name = 'Switches'")
as_person PATCH "/control/projects/30000001/projects/$first?person=$owner" '{"name":"Switches, renamed there"}' >/dev/null
obey 'crm_bridge.activate_projects()'
obey "crm_bridge.use_shared_portal('$owner')"
obey "crm_bridge.choose_portal('Diaz Works')"
check_query "D17 on again, what people did meanwhile is read, and the link resumed" 'Switches, renamed there|active' \
  "SELECT p.name, l.state FROM crm_bridge.projects_project AS p JOIN crm_bridge.link AS l ON l.right_id = p.id WHERE p.external_id = '$first'"
wait_until "the way to be free" 60 nothing_is_on_its_way || true
check_equal "B11 nothing is there twice" "$all" "$(projects_of 30000001 $owner)"

# Another portal: our own.
query "SELECT crm_bridge.deactivate_projects()"
obey 'crm_bridge.activate_projects()'
obey "crm_bridge.choose_portal('Zylker Projects')"
check_query "R52 another portal is linked" 'Zylker Projects|0' "SELECT o.portal, (SELECT count(*) FROM crm_bridge.projects_project) FROM crm_bridge.integration_overview AS o WHERE o.service = 'zoho_projects'"
query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal" >/dev/null
check_eventually "R52 and work goes there" 1 "SELECT count(*) FROM crm_bridge.projects_project WHERE external_id IS NOT NULL"
check_equal "R51 the first portal is as it was" "$all" "$(projects_of 30000001 $owner)"
check_equal "R52 the project is in the second" 1 "$(projects_of 20639270)"
finish
