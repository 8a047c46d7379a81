#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# A database is dumped and restored in every format, beside its original and on a new server; its server's standby is
# promoted; it is copied.  Nothing is lost, nothing is doubled, and no copy sends before somebody says that it shall.

# shellcheck source=tests/dump/databases.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/databases.sh"
tests=$project/tests/dump

in_flight="SELECT org_id, module, record_id FROM crm_bridge.delivery WHERE state = 'in_flight' ORDER BY 1, 2, 3"

# After start_here: what was on its way may have arrived, everything is read first, and life goes on.
check_started() {
  local where=$1 reason=$2 were_in_flight=$3 deliveries=$4
  check_query "$where: it is noted why this server is in charge" "$reason" "SELECT reason FROM crm_bridge.installation"
  check_query "$where: what was in flight is in doubt" "$were_in_flight" \
    "SELECT org_id, module, record_id FROM crm_bridge.delivery WHERE state = 'pending' AND in_doubt AND sent IS NOT NULL ORDER BY 1, 2, 3"
  check_query "$where: nothing is left in flight, no delivery is lost or doubled" "0|$deliveries" \
    "SELECT count(*) FILTER (WHERE state = 'in_flight'), count(*) FROM crm_bridge.delivery"
  if [[ $reason != upgraded ]]; then
    check_query "$where: nothing is sent before the services have been read" 0 "SELECT count(*) FROM crm_bridge.claim('zoho_projects', 100, crm_bridge.new_id(), org_id => 1)"
    query "SELECT crm_bridge.finish_command(c.command_id, 'done', '{}', c.org_id) FROM crm_bridge.command AS c WHERE c.kind = 'initial_sync' AND c.finished_at IS NULL" >/dev/null
  fi
  check_query "$where: a lookup is asked for before a create is sent again" "projects_client|create|t" \
    "SELECT module, operation, in_doubt FROM crm_bridge.claim('zoho_projects', 100, crm_bridge.new_id(), org_id => 1) WHERE module = 'projects_client'"
  check_query "$where: our own write coming back is known as ours" "unchanged" \
    "SELECT outcome FROM crm_bridge.receive('crm_deal', (SELECT jsonb_build_array(jsonb_build_object('external_id', '2', 'version', now(), 'fields', jsonb_build_object('stage', 'Closed Won')))), now(), NULL, 1)"
  check_capture "$where" crm_bridge.history_recent
}

# An app's write leaves one event, in the partition of its time, and one delivery.
check_capture() {
  query "UPDATE crm_bridge.crm_lead SET city = 'Pune' WHERE org_id = 1"
  check_query "$1: capture works and writes to the partition of the day" "$2|update|app|{\"city\": null}" \
    "SELECT tableoid::regclass, operation, origin, old FROM crm_bridge.history WHERE at > now() - interval '1 minute' AND old ? 'city'"
  check_query "$1: the change is due" "{city}" \
    "SELECT array_remove(array_remove(fields, 'company'), 'last_name') FROM crm_bridge.delivery WHERE org_id = 1 AND module = 'crm_lead'"
}

# A restored database is exactly the original, and quiet until somebody says that it is in charge.
check_restored() {
  local where=$1 before
  check_contents "$where: every row of every table"
  check_query "$where: the identity of the installation is not restored" 0 "SELECT count(*) FROM crm_bridge.installation"
  check_fenced "$where" "start_here('restored')"
  check_refused "$where: no organization is made before" 55000 "start_here('restored')" \
    "SELECT crm_bridge.create_organization(3, 'Another')"
  before=$(count_traces)
  query "UPDATE crm_bridge.crm_deal SET stage = 'Closed Won', amount = 1 WHERE org_id = 2; DELETE FROM crm_bridge.crm_contact WHERE org_id = 2"
  check_equal "$where: a write before start_here leaves nothing" "$before" "$(count_traces)"
  check_query "$where: an app sees its own organization, and only that" "1" \
    "SET ROLE dump_app; SELECT DISTINCT org_id FROM crm_bridge.crm_deal"
  check_query "$where: an analyst likewise" "2" "SET ROLE dump_analyst; SELECT DISTINCT org_id FROM crm_bridge.history"
  check_sealed "$where"
  check_query "$where: start_here begins to count" 1 "SELECT crm_bridge.start_here('restored')"
  check_query "$where: every active service is to be read first" "1|zoho_crm
1|zoho_projects
2|zoho_crm
2|zoho_projects" \
    "SELECT org_id, service FROM crm_bridge.command WHERE kind = 'initial_sync' AND state = 'requested' AND requested_at > '$dumped_at' ORDER BY 1, 2"
  check_started "$where" restored "$original_in_flight" "$original_deliveries"
}

check_sealed() {
  local answer
  answer=$(query "SET ROLE dump_app; SELECT * FROM crm_bridge.credential" 2>&1) || true
  check_equal "$1: a sealed credential is nobody's to read" "ERROR:  permission denied for table credential" "$answer"
}

restore_plain() { "$server/bin/psql" -X -q -v ON_ERROR_STOP=1 --single-transaction -d "$1" -f "$SESSION/plain.sql" >/dev/null; }
restore_custom() { "$server/bin/pg_restore" --exit-on-error --single-transaction -d "$1" "$SESSION/custom.dump"; }
restore_directory() { "$server/bin/pg_restore" --exit-on-error --jobs=2 -d "$1" "$SESSION/directory"; }
restore_two_steps() {
  "$server/bin/pg_restore" --exit-on-error --schema-only -d "$1" "$SESSION/custom.dump"
  "$server/bin/pg_restore" --exit-on-error --data-only -d "$1" "$SESSION/custom.dump"
}

refuses_to_dump() { ! "$server/bin/pg_dump" --username="$1" --file=/dev/null shop; }

dump_all_formats() {
  check "pg_dump writes plain text" "$server/bin/pg_dump" --file="$SESSION/plain.sql" shop
  check "pg_dump writes its custom format" "$server/bin/pg_dump" --format=custom --file="$SESSION/custom.dump" shop
  check "pg_dump writes a folder with two jobs" "$server/bin/pg_dump" --format=directory --jobs=2 --file="$SESSION/directory" shop
  check "a role that row security binds dumps nothing rather than a part" refuses_to_dump dump_analyst
  check_equal "no secret is in the dump but as ciphertext" 2 "$(grep -c '00ff5ea1ed' "$SESSION/plain.sql")"
}

restore_and_check() {
  local where=$1 format=$2 database=restored_$2
  "$server/bin/createdb" --template=template0 "$database"
  check "$where: the ${format/_/ } dump is restored without an error" "restore_$format" "$database"
  use_database "$database"
  check_restored "$where, $format"
  use_database postgres
}

check_clone() {
  "$server/bin/createdb" --template=shop clone
  use_database clone
  check_contents "a clone has every row"
  check_fenced "a clone" "start_here("
  check_capture "a clone before start_here" crm_bridge.history_recent
  query "SELECT crm_bridge.start_here('upgraded')" >/dev/null
  check_query "after an upgrade nothing needs to be read anew" 0 \
    "SELECT count(*) FROM crm_bridge.command WHERE kind = 'initial_sync' AND requested_at > '$dumped_at'"
  check_query "after an upgrade the count goes on" "2|upgraded|0" \
    "SELECT epoch, reason, (SELECT count(*) FROM crm_bridge.lease) FROM crm_bridge.installation"
  check_query "after an upgrade what was in flight is in doubt" "$original_in_flight" \
    "SELECT org_id, module, record_id FROM crm_bridge.delivery WHERE state = 'pending' AND in_doubt AND sent IS NOT NULL ORDER BY 1, 2, 3"
}

# shellcheck source=tests/dump/promotion.sh
source "$tests/promotion.sh"
# shellcheck source=tests/dump/partitions.sh
source "$tests/partitions.sh"

open_session
close_everything_at_exit
start_cluster
make_roles
create_database shop
"$server/bin/psql" -X -f "$tests/scene.sql"
check_equal "the scene has something in every table" "" "$(list_empty_tables)"
note_contents "$SESSION/original"
original_in_flight=$(query "$in_flight")
original_deliveries=$(query "SELECT count(*) FROM crm_bridge.delivery")
dumped_at=$(query "SELECT clock_timestamp()")
check "the scene has deliveries in flight" test -n "$original_in_flight"
dump_all_formats

for format in plain custom directory two_steps; do
  restore_and_check "beside the original" "$format"
done
use_database shop
check_contents "the original is as it was"

open_further_session
(SESSION=$other_session && start_cluster)
use_server "$other_session"
make_roles
for format in plain custom directory; do
  restore_and_check "on a new server" "$format"
done

use_server "$SESSION"
check_clone
check_partitions
check_promotion
finish
