# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# A session is a folder with everything that one test or one demo started: a server, a sandbox, workers.  Whoever opened
# it closes it, at the latest in the EXIT trap; what a killed run left behind is closed by the next one.

harness=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/harness/paths.sh
source "$harness/paths.sh"
# shellcheck source=tests/harness/processes.sh
source "$harness/processes.sh"
# shellcheck source=tests/harness/cluster.sh
source "$harness/cluster.sh"
# shellcheck source=tests/harness/services.sh
source "$harness/services.sh"
# shellcheck source=tests/harness/check.sh
source "$harness/check.sh"

SESSION=${SESSION:-}

# Opens a session in FOLDER, or in a new folder of its own.
open_session() {
  forget_the_callers_database
  make_state_folder
  if [[ -n ${1:-} ]]; then
    SESSION=$1
    mkdir "$SESSION"
  else
    SESSION=$(mktemp -d "$state/runs/run.XXXXXXXX")
  fi
  chmod 0711 "$SESSION"
  identify_process $$ >"$SESSION/owner"
  export SESSION
}

# Ends what the session started and removes its folder.  Safe to call twice, and for half-opened sessions.
close_session() {
  [[ -n $SESSION && -d $SESSION ]] || return 0
  stop_all_processes
  stop_server || true
  rm -rf "$SESSION"
  SESSION=
}

# Closes the sessions whose owners died without doing so.
close_abandoned_sessions() {
  local folder
  end_abandoned_steps
  for folder in "$state"/runs/*/ "$state"/demo/; do
    folder=${folder%/}
    [[ -d $folder ]] || continue
    recorded_process_lives "$folder/owner" && continue
    [[ ! -e $folder/kept ]] || continue
    # Just made, not yet signed: its owner is about to.
    [[ -e $folder/owner || -z $(find "$folder" -maxdepth 0 -mmin -1) ]] || continue
    (SESSION=$folder && close_session)
  done
}

# Makes sure that the session is closed however the script ends.
close_session_at_exit() {
  trap 'end_session $?' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

end_session() {
  trap '' HUP INT TERM
  end_step
  close_session
  exit "$1"
}
