# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Where things are and how the harness speaks.  Every other part sources this one; it starts nothing.

set -euo pipefail
umask 022
export LC_ALL=C.UTF-8

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# A build under the sanitizers is another one, with a server of its own.
CRM_BRIDGE_SANITIZE=${CRM_BRIDGE_SANITIZE:-}
build=$project/build${CRM_BRIDGE_SANITIZE:+/sanitized}
logs=$build/logs

# What a checkout leaves on the machine lies here, outside the checkout: the server runs as another user, who need
# not be able to enter the home folder that the checkout may be in.  The hash keeps checkouts, and their users, apart.
state=${CRM_BRIDGE_STATE:-/var/tmp/crm_bridge-$(printf '%s %s' "$EUID" "$project" | sha256sum | cut -c 1-12)}${CRM_BRIDGE_SANITIZE:+.sanitized}

# The server that Debian installs, and this checkout's own copy of it: the extension is installed into the copy, so
# that two checkouts never run each other's code.
installed_server=/usr/lib/postgresql/15
server=$state/server$installed_server
sandbox_program=$build/tests/sandbox/crm-bridge-sandbox
export CRM_BRIDGE_BIN=$build/worker/crm-bridge

say() { printf '%s\n' "$*"; }

complain() { printf 'dev: %s\n' "$*" >&2; }

fail() {
  complain "$@"
  exit 1
}

# The state folder has a name that anybody can guess in a folder that anybody can write to.
make_state_folder() {
  mkdir -p "$state/runs" "$state/steps"
  [[ $(stat -c %u "$state") == "$EUID" ]] || fail "$state belongs to another user; set CRM_BRIDGE_STATE to a folder of yours"
  chmod 0711 "$state" "$state/runs" "$state/steps"
}

# A newcomer's own PGHOST must not lead a test to a database that matters, nor a proxy swallow what is meant for loopback.
forget_the_callers_database() {
  local variable
  for variable in $(compgen -v PG || true); do
    unset "$variable"
  done
  export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}"
  export NO_PROXY=$no_proxy
}
