#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What it costs an app to write a task that is linked: its twin in the other service is written too, both are logged and noted
# for their services.  Against the bare table, two bare tables, and the same outcome in plpgsql.  Every side is written by the
# role of a person, as apps are told to: neither rights nor row security would count for the owner.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"
# shellcheck source=tests/bench/linked_tasks.sh
source "$bench/linked_tasks.sh"

sides=(bare two_bare plpgsql crm_bridge)
tasks=${BENCH_RECORDS:-100000}
declare -A schema=([bare]=peer.bare_ [two_bare]=peer.bare_ [plpgsql]=peer. [crm_bridge]=crm_bridge.)
declare -A log=([plpgsql]=peer.log [crm_bridge]=crm_bridge.history)

# Queue and log are empty when a session plans its statements for good: nobody shall read them whole when they have grown.
make_person() {
  query "SELECT crm_bridge.receive('crm_profile', '[{\"external_id\": \"sales\", \"fields\": {\"name\": \"Sales\"}}]', now());
         SELECT crm_bridge.receive('crm_user', '[{\"external_id\": \"ben\", \"fields\": {\"email\": \"ben@zylker.example\", \"status\": \"active\", \"profile_id\": \"sales\"}}]', now());
         SELECT crm_bridge.set_profile_permission('Sales', true, true, true, true, true);
         CREATE ROLE ben LOGIN; ALTER ROLE ben SET enable_seqscan = off; SELECT crm_bridge.grant_app('ben', acts_as => 'ben@zylker.example');
         GRANT USAGE ON SCHEMA peer TO ben; GRANT SELECT ON peer.person TO ben;
         GRANT SELECT, UPDATE ON peer.bare_crm_task, peer.bare_projects_task, peer.crm_task, peer.projects_task TO ben;
         INSERT INTO peer.person VALUES ('ben', 1, 'ben@zylker.example', true, true, true, true)" >/dev/null
}

load() {
  load_tasks peer.bare_ "$tasks"
  local side
  for side in plpgsql crm_bridge; do
    load_tasks "${schema[$side]}" "$tasks"
    load_links "${schema[$side]}" "$tasks"
  done
  query 'VACUUM ANALYZE'
}

prepare_round() {
  [[ -z ${log[$1]:-} ]] || query "TRUNCATE ${log[$1]}"
  query "VACUUM ${schema[$1]}crm_task, ${schema[$1]}projects_task, crm_bridge.delivery, peer.delivery, crm_bridge.link, peer.link"
}

# script WORKLOAD SETTINGS FIELDS FIELDS_OF_THE_TWIN WHERE WHERE_OF_THE_TWIN : "two_bare" writes the twin by hand, in the same statement.
script() {
  local workload=$1 side
  for side in "${sides[@]}"; do
    printf '%s\n' "$2" >"$SESSION/$workload.$side.sql"
    if [[ $side == two_bare ]]; then
      printf '%s\n' "WITH twin AS (UPDATE peer.bare_projects_task SET $4 WHERE org_id = 1 AND $6)" "UPDATE peer.bare_crm_task SET $3 WHERE org_id = 1 AND $5;"
    else
      printf '%s\n' "UPDATE ${schema[$side]}crm_task SET $3 WHERE org_id = 1 AND $5;"
    fi >>"$SESSION/$workload.$side.sql"
  done
}

# tell WORKLOAD TITLE OF_BARE OF_PLPGSQL
tell() {
  local side
  printf '\n%s\n  %-12s %14s %10s %12s %12s\n' "$2" side "statements/s" "of bare" "of plpgsql" "server µs"
  for side in "${sides[@]}"; do
    printf '  %-12s %14.1f %10.2f %12.2f %12.1f\n' "$side" "$(median_of "$1.$side")" "$(ratio_of "$1.$side" "$1.bare")" \
      "$(ratio_of "$1.$side" "$1.plpgsql")" "$(median_of "$1.$side" 2)"
  done
  judge "crm_bridge / the bare table" "$(ratio_of "$1.crm_bridge" "$1.bare")" "$3"
  judge "crm_bridge / the same outcome in plpgsql" "$(ratio_of "$1.crm_bridge" "$1.plpgsql")" "$4"
}

print_circumstances
say "$tasks linked tasks; 1 client, prepared statements, medians of $rounds rounds of $seconds s"
make_organization
"$server/bin/psql" -X -q -v ON_ERROR_STOP=1 -f "$bench/linked_peer.sql" >/dev/null
make_person
load

settings="\\set n random(1, $tasks)
\\set a random(1, 1000000000)"
script one "$settings" "subject = 'Call ' || :a, due_date = date '2026-12-01' + :a % 300" \
  "name = 'Call ' || :a, end_date = timestamptz '2026-12-01 17:00+01' + :a % 300 * interval '1 day'" "external_id = 'l' || :n" "external_id = 'r' || :n"
settings="\\set n random(0, $((tasks / 1000 - 1)))
\\set a random(1, 1000000000)"
script many "$settings" "subject = 'Call ' || :a, due_date = date '2026-12-01' + :a % 300" \
  "name = 'Call ' || :a, end_date = timestamptz '2026-12-01 17:00+01' + :a % 300 * interval '1 day'" "deal_id = task_id(10000000 + :n)" "project_id = task_id(30000000 + :n)"

# What was compared did the same: the twins of both sides agree with their tasks, field by field.
check_outcome() {
  local at=$1
  [[ $(query "SELECT count(*) FROM ${at}link AS l JOIN ${at}crm_task AS t ON t.org_id = l.org_id AND t.id = l.left_id
                JOIN ${at}projects_task AS p ON p.org_id = l.org_id AND p.id = l.right_id
               WHERE t.subject IS DISTINCT FROM p.name OR (p.end_date AT TIME ZONE 'Europe/Berlin') IS DISTINCT FROM t.due_date + time '17:00'") == 0 ]] ||
    fail "the twins of $at differ"
}

# And both said who it was, on both faces.
check_people() {
  [[ $(query "SELECT count(*) FROM $1 WHERE actor = 'ben@zylker.example'") -gt 0 && $(query "SELECT count(*) FROM $1 WHERE actor <> 'ben@zylker.example'") == 0 &&
    $(query "SELECT count(DISTINCT module) FROM $1") == 2 ]] || fail "$1 does not name the person"
}

compare one prepare_round --username=ben
check_outcome peer.
check_outcome crm_bridge.
check_people peer.log
check_people crm_bridge.history
tell one "UPDATE of one linked task" 0.30 3
compare many prepare_round --username=ben
check_outcome peer.
check_outcome crm_bridge.
check_people peer.log
check_people crm_bridge.history
tell many "UPDATE of 1,000 linked tasks" 0.15 5
conclude
