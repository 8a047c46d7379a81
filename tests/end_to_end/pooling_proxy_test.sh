#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Apps behind PgBouncer in transaction mode: who acts ends with the transaction (R30-R36, B13); the worker refuses to run there.

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --oauth-limit 0
set_up_bridge

query "SELECT crm_bridge.receive('crm_profile', '[{\"external_id\": \"sales\", \"fields\": {\"name\": \"Sales\"}}]', now())" >/dev/null
query "SELECT crm_bridge.receive('crm_user', '[{\"external_id\": \"ben\", \"fields\": {\"email\": \"ben@zylker.example\", \"status\": \"active\", \"profile_id\": \"sales\"}},
  {\"external_id\": \"carl\", \"fields\": {\"email\": \"carl@zylker.example\", \"status\": \"active\", \"profile_id\": \"sales\"}}]', now())" >/dev/null
query "CREATE ROLE app LOGIN; SELECT crm_bridge.grant_app('app')" >/dev/null
query "SELECT crm_bridge.set_profile_permission('Sales', tab_visible => true, can_view => true, can_edit => true)" >/dev/null
query "INSERT INTO crm_bridge.projects_client (name) VALUES ('Acme')"

# One connection for all clients, so that each gets what the one before left behind.
proxy_port=$(free_port)
proxy_folder=$SESSION/cluster/proxy
make_server_folder "$proxy_folder"
printf '"app" ""\n"crm_bridge_worker" ""\n' | as_server_user tee "$proxy_folder/users.txt" >/dev/null
as_server_user tee "$proxy_folder/pgbouncer.ini" >/dev/null <<INI
[databases]
crm_bridge = host=$PGHOST port=$PGPORT dbname=$PGDATABASE
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $proxy_port
unix_socket_dir =
auth_type = trust
auth_file = $proxy_folder/users.txt
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = extra_float_digits
INI
as_user=()
((EUID != 0)) || as_user=(--user postgres)
start_process proxy pgbouncer "${as_user[@]}" "$proxy_folder/pgbouncer.ini"

# Each call is a client of its own.
through() { PGOPTIONS='' "$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -h 127.0.0.1 -p "$proxy_port" -U app -d crm_bridge "$@" 2>&1; }
proxy_answers() { [[ $(through -c 'SELECT 1') == 1 ]]; }
wait_until "the proxy" 30 proxy_answers || tail -n 5 "$SESSION/proxy.log"
ben=$(query "SELECT id FROM crm_bridge.crm_user WHERE email LIKE 'ben%'")
carl=$(query "SELECT id FROM crm_bridge.crm_user WHERE email LIKE 'carl%'")

session=$(through -c 'SELECT pg_backend_pid()')
check_equal "in its transaction a client acts for a person" "$ben" "$(through -c 'BEGIN' -c "SELECT crm_bridge.act_as('ben@zylker.example')" -c 'COMMIT')"
check_equal "the next client on the connection acts for nobody" "|$session" "$(through -c 'SELECT crm_bridge.acting_user(), pg_backend_pid()')"
check_equal "nor after a rollback" '' "$(through -c 'BEGIN' -c "SELECT crm_bridge.act_as('ben@zylker.example')" -c 'ROLLBACK' >/dev/null; through -c 'SELECT crm_bridge.acting_user()')"
check_equal "nor after an error" '' "$(through -c 'BEGIN' -c "SELECT crm_bridge.act_as('ben@zylker.example')" -c 'SELECT 1/0' >/dev/null; through -c 'SELECT crm_bridge.acting_user()')"
check_equal "another client, another person" "$carl" "$(through -c 'BEGIN' -c "SELECT crm_bridge.act_as('carl@zylker.example')" -c 'COMMIT')"
check_equal "one client, transaction after transaction" "$(printf '%s\n' "$ben" '' "$carl")" "$(through -c 'BEGIN' -c "SELECT crm_bridge.act_as('ben@zylker.example')" -c 'COMMIT' \
  -c 'SELECT crm_bridge.acting_user()' -c 'BEGIN' -c "SELECT crm_bridge.act_as('carl@zylker.example')" -c 'COMMIT')"
check "act_as outside of a transaction is refused, it would be forgotten at once" grep -q '25P01' <<<"$(through -c "SELECT crm_bridge.act_as('ben@zylker.example')")"
check "B13 the setting behind it cannot be set" grep -q '42501' <<<"$(through -c "SET crm_bridge.acting_user = '1/$ben'")"

through -c 'BEGIN' -c "SELECT crm_bridge.act_as('ben@zylker.example')" -c "UPDATE crm_bridge.projects_client SET phone = '1'" -c 'COMMIT' >/dev/null
check_query "D16 the record names the person" 'ben@zylker.example' "SELECT modified_by FROM crm_bridge.projects_client"
query "SELECT crm_bridge.set_profile_permission('Sales', can_edit => false)" >/dev/null
check "D8 a flag that is cleared counts on the pooled connection at once" grep -q '42501.*may not edit' \
  <<<"$(through -c 'BEGIN' -c "SELECT crm_bridge.act_as('ben@zylker.example')" -c "UPDATE crm_bridge.projects_client SET phone = '2'" -c 'COMMIT')"
# The server itself refuses COPY FROM to whoever is under row security; the guard meets those who are not.
query "CREATE ROLE loader LOGIN BYPASSRLS; SELECT crm_bridge.grant_app('loader', acts_as => 'ben@zylker.example')" >/dev/null
copied=$'COPY crm_bridge.projects_client (name) FROM STDIN;\nCopied\n\\.\n'
check "B13 COPY is refused under row security" grep -q '0A000' <<<"$(through <<<"$copied")"
check "B13 and by the flags to a person whose role bypasses it" grep -q '42501.*may not create' \
  <<<"$(PGUSER=loader "$server/bin/psql" -X -q -v VERBOSITY=verbose 2>&1 <<<"$copied")"
query "SELECT crm_bridge.set_profile_permission('Sales', can_create => true)" >/dev/null
PGUSER=loader "$server/bin/psql" -X -q <<<"$copied" >"$SESSION/copy.log" 2>&1 || true
check_query "until he has the flag" '1|ben@zylker.example' "SELECT count(*), min(modified_by) FROM crm_bridge.projects_client WHERE name = 'Copied'"

# The worker.
sed "s|^conninfo = .*|conninfo = \"host=127.0.0.1 port=$proxy_port dbname=crm_bridge user=crm_bridge_worker\"|" "$SESSION/worker.toml" >"$SESSION/through.toml"
status=0
timeout 60 "$CRM_BRIDGE_BIN" --config "$SESSION/through.toml" run >"$SESSION/refused.log" 2>&1 || status=$?
check_equal "the worker does not run through the proxy" 3 "$status"
check "and says why, and what to do" grep -q 'pooling proxy.*conninfo name the server itself' "$SESSION/refused.log"
status=0
timeout 60 "$CRM_BRIDGE_BIN" --config "$SESSION/through.toml" doctor >"$SESSION/doctor.log" 2>&1 || status=$?
check_equal "so does the doctor" 3 "$status"
check "in its list" grep -q 'FAIL  database.*pooling proxy' "$SESSION/doctor.log"
timeout 60 "$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" doctor >"$SESSION/doctor.log" 2>&1 || true
check "which has nothing against the server itself" grep -q 'ok    database: reachable' "$SESSION/doctor.log"
finish
