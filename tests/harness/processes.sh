# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Starting and ending processes.  A process is known by its id together with the instant it started: an id alone may
# have been given to a stranger since, and strangers are never signalled.

step=    # the command that run_step is waiting for

# Prints "PID START", or fails when there is no such process or it is only waiting to be reaped.
identify_process() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The command's name stands in parentheses and may hold anything: count from behind it.
  read -ra fields <<<"${line##*) }"
  [[ ${fields[0]} != Z ]] || return 1
  printf '%s %s\n' "$1" "${fields[19]}"
}

# Tells whether the process recorded in FILE is still that process.
recorded_process_lives() {
  local recorded
  [[ -s $1 ]] || return 1
  recorded=$(cat "$1")
  [[ $(identify_process "${recorded%% *}") == "$recorded" ]]
}

recorded_process_ended() { ! recorded_process_lives "$1"; }

# Runs COMMAND at most SECONDS until it succeeds.
wait_until() {
  local description=$1 seconds=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@"; do
    if ((SECONDS >= deadline)); then
      complain "gave up after $seconds s waiting for: $description"
      return 1
    fi
    sleep 0.05
  done
}

# Starts a command in the background as NAME of the session: output in NAME.log, identity in processes/NAME.
start_process() {
  local name=$1
  shift
  mkdir -p "$SESSION/processes"
  setsid "$@" >>"$SESSION/$name.log" 2>&1 </dev/null &
  local pid=$!
  identify_process "$pid" >"$SESSION/processes/$name" || printf '%s ended\n' "$pid" >"$SESSION/processes/$name"
}

process_id() { cut -d ' ' -f 1 "$SESSION/processes/$1"; }

process_lives() { recorded_process_lives "$SESSION/processes/$1"; }

process_ended() { ! process_lives "$1"; }

# Ends NAME: first as asked (default TERM), after ten seconds for good.  Leaves its exit status, where it was a child
# of this shell, in process_status.
stop_process() {
  local name=$1 signal=${2:-TERM} pid
  process_status=0
  [[ -e $SESSION/processes/$name ]] || return 0
  pid=$(process_id "$name")
  if process_lives "$name"; then
    kill -s "$signal" "$pid" 2>/dev/null || true
    if ! wait_until "the end of $name" 10 process_ended "$name"; then
      kill -KILL "$pid" 2>/dev/null || true
      wait_until "the end of $name" 10 process_ended "$name"
    fi
  fi
  { wait "$pid" || process_status=$?; } 2>/dev/null
  rm -f "$SESSION/processes/$name"
}

# The last to start is the first to go: a worker may still have something to tell the sandbox.
stop_all_processes() {
  local names name
  [[ -d $SESSION/processes ]] || return 0
  mapfile -t names < <(find "$SESSION/processes" -type f -printf '%T@ %f\n' | sort -rn | cut -d ' ' -f 2)
  for name in "${names[@]}"; do
    stop_process "$name"
  done
}

# Runs a long command so that Ctrl-C and TERM are obeyed at once: the shell answers signals while it waits, but not
# while a command runs in the foreground.  A group of its own lets end_step end what the command started.
run_step() {
  local status=0
  setsid "$@" </dev/null &
  step=$!
  { identify_process "$step" && identify_process $$; } >"$state/steps/$step" || true
  wait "$step" || status=$?
  rm -f "$state/steps/$step"
  step=
  return "$status"
}

end_step() {
  [[ -n $step ]] || return 0
  kill -TERM -- "-$step" 2>/dev/null || kill -TERM "$step" 2>/dev/null || true
  { wait "$step" || true; } 2>/dev/null
  rm -f "$state/steps/$step"
  step=
}

step_ended() { [[ $(identify_process "${1%% *}") != "$1" ]]; }

# Ends the steps whose run was killed: nobody waits for them.
end_abandoned_steps() {
  local record identity owner
  for record in "$state"/steps/*; do
    [[ -e $record ]] || continue
    { read -r identity && read -r owner; } <"$record" || continue
    step_ended "$owner" || continue
    if ! step_ended "$identity"; then
      kill -TERM -- "-${identity%% *}" 2>/dev/null || true
      wait_until "the end of step ${identity%% *}" 30 step_ended "$identity" || true
    fi
    rm -f "$record"
  done
}

# Runs a step of the preparation: its output is shown to a person who watches, and kept for everybody else.
run_logged() {
  local name=$1
  shift
  if [[ -t 1 ]]; then
    run_step "$@" || fail "could not finish: $name"
    return
  fi
  mkdir -p "$logs"
  run_step "$@" >"$logs/$name.log" 2>&1 || {
    tail -n 60 "$logs/$name.log" >&2
    fail "could not finish: $name; the whole log: $logs/$name.log"
  }
}
