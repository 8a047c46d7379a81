# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# An organization, its sealed credentials and a worker, set up the way the README tells an administrator to.

query() { "$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }

# Asks the sandbox as a person would use the services' screens: METHOD PATH [JSON].
as_person() {
  local method=$1 path=$2
  if (($# > 2)); then
    curl -sS --fail-with-body -X "$method" -H 'Content-Type: application/json' -d "$3" "$SANDBOX_CONTROL$path"
  else
    curl -sS --fail-with-body -X "$method" "$SANDBOX_CONTROL$path"
  fi
}

# A port of loopback that nobody listens on at the moment.
free_port() {
  perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

contract_proxy_listens() { grep -qF 'Prism is listening' "$SESSION/contract_$1.log"; }

# With CRM_CONTRACT (./dev contract) the worker talks to the CRM and its accounts through proxies that check both directions.
start_contract_proxies() {
  local name address port
  for name in crm accounts; do
    address=SANDBOX_${name^^}
    port=$(free_port)
    # Its log is looked at when the session is gone.
    : >>"$CRM_CONTRACT_LOG.$name"
    ln -s "$CRM_CONTRACT_LOG.$name" "$SESSION/contract_$name.log"
    start_process "contract_$name" "$PRISM" proxy --host 127.0.0.1 --port "$port" --multiprocess false "$CRM_CONTRACT" "${!address}"
    wait_until "the proxy of $name" 60 contract_proxy_listens "$name"
    printf -v "${name^^}_THROUGH" 'http://127.0.0.1:%s' "$port"
  done
}

# Makes organization 1, a role for the worker, its key, its configuration and its credentials.
# PROJECTS_REQUESTS_PER_WINDOW and CRM_REQUESTS_PER_WINDOW raise the workers' limits (0 lifts them) where the sandbox's are raised
# too; TOKENS_PER_WINDOW is how many access tokens all workers together may ask for in ten minutes, without it as many as they like.
set_up_bridge() {
  query "SELECT crm_bridge.create_organization(1, 'Zylker', time_zone => 'Asia/Kolkata')" >/dev/null
  query "CREATE ROLE crm_bridge_worker LOGIN" 2>/dev/null || true
  query "SELECT crm_bridge.grant_worker('crm_bridge_worker')" >/dev/null
  (umask 077 && "$CRM_BRIDGE_BIN" keygen --out "$SESSION/worker.key" >/dev/null)
  [[ -z ${CRM_CONTRACT:-} ]] || start_contract_proxies
  write_worker_configuration "$(free_port)" >"$SESSION/worker.toml"
  local service
  for service in zoho_crm zoho_projects; do
    printf '{"client_id":"1000.SANDBOXCLIENT","client_secret":"sandbox-secret","refresh_token":"1000.sandbox-refresh"}' |
      "$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" seal --service "$service" --org 1 >>"$SESSION/seal.log" 2>&1
  done
}

write_worker_configuration() {
  local receiver_port=$1
  cat <<TOML
[database]
conninfo = "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=crm_bridge_worker"

[worker]
secret_key_file = "$SESSION/worker.key"
poll_interval = "${WORKER_POLL_INTERVAL:-2s}"
idle_interval = "200ms"
lease = "${WORKER_LEASE:-10s}"
request_timeout = "${WORKER_REQUEST_TIMEOUT:-20s}"

[receiver]
listen = "127.0.0.1"
port = $receiver_port
public_url = "http://127.0.0.1:$receiver_port"

[[service]]
kind = "zoho_crm"
accounts_url = "${ACCOUNTS_THROUGH:-$SANDBOX_ACCOUNTS}"
api_url = "${CRM_THROUGH:-$SANDBOX_CRM}"
concurrency = 8
tokens_per_window = ${TOKENS_PER_WINDOW:-0}
${CRM_REQUESTS_PER_WINDOW:+requests_per_window = $CRM_REQUESTS_PER_WINDOW}

[[service]]
kind = "zoho_projects"
accounts_url = "$SANDBOX_ACCOUNTS"
api_url = "$SANDBOX_PROJECTS"
concurrency = 8
tokens_per_window = ${TOKENS_PER_WINDOW:-0}
requests_per_window = ${PROJECTS_REQUESTS_PER_WINDOW:-95}
window = "2m"
sweep_interval = "${PROJECTS_SWEEP_INTERVAL:-60s}"
assumed_calls = true
TOML
}

# webhook_door SERVICE : where the worker takes the service's webhooks, "URL TOKEN".
webhook_door() {
  "$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" doctor --show-webhooks | awk -v service="$1" '$0 == service ", organization 1" {getline; url = $2; getline; print url, $2}'
}

# set_up_projects_webhook PORTAL : what an administrator does in the screens: a webhook whose body holds what a record was given.
set_up_projects_webhook() {
  local door
  door=$(webhook_door zoho_projects)
  as_person POST /control/projects-webhook "{\"portal\":\"$1\",\"url\":\"${door% *}\",\"token\":\"${door#* }\",\"values\":true}" >/dev/null
}

# Services that few tests need: configured and sealed after set_up_bridge, before a worker starts.
with_bigin() {
  cat >>"$SESSION/worker.toml" <<TOML

[[service]]
kind = "bigin"
accounts_url = "$SANDBOX_ACCOUNTS"
api_url = "$SANDBOX_BIGIN"
tokens_per_window = 0
TOML
  printf '{"client_id":"1000.SANDBOXCLIENT","client_secret":"sandbox-secret","refresh_token":"1000.sandbox-refresh"}' |
    "$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" seal --service bigin --org 1 >>"$SESSION/seal.log" 2>&1
}

with_office_directory() {
  cat >>"$SESSION/worker.toml" <<TOML

[[service]]
kind = "office365"
accounts_url = "$SANDBOX_GRAPH"
api_url = "$SANDBOX_GRAPH"
tokens_per_window = 0
TOML
  printf '{"tenant":"zylker.example","client_id":"1c9d5a40-7d4e-4a51-9f0e-2f4c11c0ffee","client_secret":"graph-secret"}' |
    "$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" seal --service office365 --org 1 >>"$SESSION/seal.log" 2>&1
}

# Activates Projects and chooses the portal; a worker must be running.
activate_portal() {
  local portal=${1:-Zylker Projects} command
  command=$(query "SELECT crm_bridge.activate_projects()")
  query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
  command=$(query "SELECT crm_bridge.choose_portal('$portal')")
  query "CALL crm_bridge.wait_for_command('$command', '120 seconds')"
}

# Tells whether SQL gives the text; for wait_until.
query_gives() { [[ $(query "$2" 2>/dev/null) == "$1" ]]; }

nothing_is_on_its_way() {
  query_gives 0 "SELECT (SELECT count(*) FROM crm_bridge.delivery WHERE state IN ('pending', 'in_flight', 'waiting'))
                      + (SELECT count(*) FROM crm_bridge.reconcile_request) + (SELECT count(*) FROM crm_bridge.inbox)"
}
