# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# ./dev demo and what speaks to a demo that was kept.  The story itself is tests/end_to_end/demo.sh.

demo_folder=$state/demo

run_demo() {
  local keep='' data=''
  while (($# > 0)); do
    case $1 in
      --keep) keep=yes ;;
      --data)
        (($# > 1)) || refuse "--data needs a folder"
        data=$2
        shift
        ;;
      --data=*) data=${1#*=} ;;
      *) refuse "demo does not know \"$1\"" ;;
    esac
    shift
  done
  if [[ -n $data ]]; then
    [[ -d $data && -r $data ]] || refuse "--data: cannot read the folder \"$data\""
    data=$(realpath "$data")
  fi
  prepare
  close_abandoned_sessions
  replace_kept_demo
  open_session "$demo_folder"
  start_cluster durable
  create_database crm_bridge
  # Real input makes thousands of projects: at the service's own limit that takes hours, so the sandbox's is raised.
  if [[ -n $data ]]; then start_sandbox --projects-limit 1000000 --crm-credits 0; else start_sandbox; fi
  write_demo_addresses
  DEMO_STATE=$SESSION DEMO_DATA=$data run_step "$project/tests/end_to_end/demo.sh"
  [[ -z $keep ]] || keep_demo
}

# A kept demo makes room for the next; one that somebody is watching does not.
replace_kept_demo() {
  [[ -d $demo_folder ]] || return 0
  if recorded_process_lives "$demo_folder/owner"; then
    fail "a demo of this checkout is running (process $(cut -d ' ' -f 1 "$demo_folder/owner")); ./dev stop ends it"
  fi
  say "ending the demo that was kept"
  (SESSION=$demo_folder && close_session)
}

write_demo_addresses() {
  local variable
  for variable in PGHOST PGPORT PGDATABASE PGUSER SANDBOX_ACCOUNTS SANDBOX_CRM SANDBOX_PROJECTS SANDBOX_CONTROL SANDBOX_PID; do
    printf 'export %s=%q\n' "$variable" "${!variable}"
  done >"$SESSION/addresses"
}

keep_demo() {
  touch "$SESSION/kept"
  SESSION=    # nothing left for the EXIT trap to close
  cat <<KEPT

The demo keeps running: a PostgreSQL server, the sandbox, the worker.
  ./dev psql              its database
  eval "\$(./dev env)"     its addresses as shell variables
  ./dev stop              ends it
Logs: $demo_folder
KEPT
}

find_kept_demo() {
  [[ -e $demo_folder/addresses ]] && (SESSION=$demo_folder && server_process >/dev/null) && return 0
  fail "no demo is running; ./dev demo --keep starts one"
}

print_demo_addresses() {
  find_kept_demo
  cat "$demo_folder/addresses"
}

connect_to_demo() {
  find_kept_demo
  # shellcheck source=/dev/null
  source "$demo_folder/addresses"
  exec "$server/bin/psql" "$@"
}

stop_demo() {
  local owner
  if [[ ! -d $demo_folder ]]; then
    say "no demo is running"
    return 0
  fi
  if recorded_process_lives "$demo_folder/owner"; then
    owner=$(cut -d ' ' -f 1 "$demo_folder/owner")
    kill -TERM "$owner"
    wait_until "the end of the demo of process $owner" 60 test ! -d "$demo_folder"
  else
    end_abandoned_steps
    (SESSION=$demo_folder && close_session)
  fi
  say "the demo has ended"
}
