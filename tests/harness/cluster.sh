# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# A private PostgreSQL server in the session's folder, reached only through a socket that only its owner and root may open.

# PostgreSQL refuses to run as root; Debian's package brings the user "postgres".
as_server_user() {
  if ((EUID == 0)); then
    (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups --reset-env -- env LC_ALL=C.UTF-8 "$@")
  else
    (cd / && exec "$@")
  fi
}

make_server_folder() {
  if ((EUID == 0)); then
    install -d -m 0700 -o postgres -g postgres "$@"
  else
    install -d -m 0700 "$@"
  fi
}

# Starts a new server.  KIND "throwaway" (the default) does not wait for the disk; "durable" is configured as a server
# that matters.
start_cluster() {
  local kind=${1:-throwaway} folder=$SESSION/cluster
  make_server_folder "$folder" "$folder/socket"
  as_server_user "$server/bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --no-sync >"$SESSION/initdb.log" 2>&1 || {
    cat "$SESSION/initdb.log" >&2
    return 1
  }
  write_configuration "$kind" | as_server_user tee -a "$folder/data/postgresql.conf" >/dev/null
  start_server
  export PGHOST=$folder/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

write_configuration() {
  cat <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$SESSION/cluster/socket'
unix_socket_permissions = 0700
max_connections = 100
max_prepared_transactions = 10
shared_preload_libraries = 'pg_stat_statements'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d %a '
SETTINGS
  [[ $1 == durable ]] || cat <<SETTINGS
fsync = off
full_page_writes = off
SETTINGS
}

# Starts the session's server again, as after stop_server.
start_server() {
  local folder=$SESSION/cluster
  as_server_user "$server/bin/pg_ctl" start --silent --wait --timeout=60 --pgdata="$folder/data" --log="$folder/server.log" || {
    tail -n 20 "$folder/server.log" >&2
    return 1
  }
}

# Prints the id of the session's server.  Its working folder proves it: postmaster.pid may be older than the process.
server_process() {
  local pid
  pid=$(head -n 1 "$SESSION/cluster/data/postmaster.pid" 2>/dev/null) || return 1
  [[ $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$SESSION/cluster/data" ]] || return 1
  printf '%s\n' "$pid"
}

server_ended() { ! server_process >/dev/null; }

# MODE is fast (the default) or immediate, which is a crash.
stop_server() {
  local mode=${1:-fast} pid
  pid=$(server_process) || return 0
  as_server_user "$server/bin/pg_ctl" stop --silent --wait --timeout=60 --mode="$mode" --pgdata="$SESSION/cluster/data" && return 0
  # A shutdown that hangs ends here; its children see the postmaster gone and end too.
  kill -KILL "$pid" 2>/dev/null || true
  wait_until "the end of the server" 10 server_ended
}

# Makes a database with the extension in it and makes it the one that clients of this session use.
create_database() {
  local name=$1
  "$server/bin/createdb" "$name"
  export PGDATABASE=$name
  "$server/bin/psql" -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION crm_bridge'
}
