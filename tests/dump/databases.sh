# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# What the tests of dump and restore ask a database, and further servers beside the session's own.

# shellcheck source=tests/harness/session.sh
source "$(dirname "${BASH_SOURCE[0]}")/../harness/session.sh"

further_sessions=()

# Servers are sessions of their own: whoever is killed leaves nothing behind.
close_everything_at_exit() {
  close_session_at_exit
  trap 'close_further_sessions; end_session $?' EXIT
}

close_further_sessions() {
  local session
  for session in "${further_sessions[@]}"; do
    (SESSION=$session && close_session)
  done
}

# Makes a session for another server; its folder is in other_session.
open_further_session() {
  local own=$SESSION
  open_session
  other_session=$SESSION
  further_sessions+=("$other_session")
  SESSION=$own
  use_server "$own"
}

# Lets the following commands ask the server of SESSION's folder.
use_server() { export PGHOST=$1/cluster/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres; }

use_database() { export PGDATABASE=$1; }

make_roles() {
  local role
  for role in dump_app dump_analyst dump_worker; do
    "$server/bin/createuser" "$role"
  done
}

# Every row of every table of the extension and of history's partitions elsewhere, as text in one order, into a file.  The
# identity of the installation, the workers' leases and what they say of themselves belong to the server and are never dumped.
note_contents() {
  "$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 >"$1" <<'SQL'
SET timezone = 'UTC';
SELECT format('SELECT %L, t::text FROM %s AS t ORDER BY 2', c.oid::regclass, c.oid::regclass)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname IN ('crm_bridge', 'archive') AND c.relname NOT IN ('installation', 'lease', 'capability')
 ORDER BY n.nspname, c.relname
\gexec
SQL
}

# check_contents DESCRIPTION : the current database has the rows of the original.
check_contents() {
  note_contents "$SESSION/contents"
  if cmp -s "$SESSION/original" "$SESSION/contents"; then
    pass "$1"
  else
    flunk "$1" "- expected, + got, the first lines that differ:" \
      "$(diff -U 0 "$SESSION/original" "$SESSION/contents" | grep -E '^[-+][^-+]' | cut -c 1-200 | head -n 20)"
  fi
}

list_empty_tables() {
  "$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 <<'SQL'
SELECT format('SELECT %L WHERE NOT EXISTS (SELECT FROM %s)', c.oid::regclass, c.oid::regclass)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname IN ('crm_bridge', 'archive')
 ORDER BY n.nspname, c.relname
\gexec
SQL
}

# What a server that is not the one in charge must not do.
check_fenced() {
  local where=$1 hint=$2
  check_refused "$where: claim refuses" 55000 "$hint" \
    "SELECT * FROM crm_bridge.claim('zoho_crm', 10, crm_bridge.new_id(), org_id => 1)"
  check_refused "$where: receive refuses" 55000 "$hint" \
    "SELECT * FROM crm_bridge.receive('crm_deal', '[{\"external_id\": \"2\", \"fields\": {\"amount\": 1}}]', now(), NULL, 1)"
  check_refused "$where: reconcile refuses" 55000 "$hint" "SELECT crm_bridge.reconcile(10, 1)"
  check_refused "$where: a worker gets no command" 55000 "$hint" \
    "SELECT * FROM crm_bridge.next_command('zoho_crm', crm_bridge.new_id(), 1)"
}

count_traces() {
  query "SELECT (SELECT count(*) FROM crm_bridge.history) || ' events, ' || (SELECT count(*) FROM crm_bridge.delivery)
             || ' deliveries, ' || (SELECT count(*) FROM crm_bridge.link) || ' links, '
             || (SELECT count(*) FROM crm_bridge.reconcile_request) || ' requests'"
}
