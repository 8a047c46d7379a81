# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# The sandbox that imitates the services, and the worker.

sandbox_answers() {
  process_lives sandbox || return 0
  [[ -s $SESSION/sandbox.ready ]]
}

# Starts the sandbox with the given options, on ports that the kernel chooses.
start_sandbox() {
  rm -f "$SESSION/sandbox.ready"
  start_process sandbox "$sandbox_program" --ready-file "$SESSION/sandbox.ready" "$@"
  wait_until "the sandbox" 20 sandbox_answers
  process_lives sandbox || {
    tail -n 20 "$SESSION/sandbox.log" >&2
    return 1
  }
  # The ready file sets SANDBOX_ACCOUNTS, _CRM, _PROJECTS, _BIGIN, _GRAPH and _CONTROL.
  set -a
  # shellcheck source=/dev/null
  source "$SESSION/sandbox.ready"
  set +a
  SANDBOX_PID=$(process_id sandbox)
  export SANDBOX_PID
}

# start_worker NAME ARGUMENTS… : several may run in a session, each under its own name.
start_worker() {
  local name=$1
  shift
  start_process "$name" "$CRM_BRIDGE_BIN" "$@"
}
