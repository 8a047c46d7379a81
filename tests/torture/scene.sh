# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# What every torture plays in: a server, both services, a worker, projects with tasks that have a twin in the CRM.  All
# chance comes from one seed.

portal=20639270

fault() { as_person POST /control/faults "$1" >/dev/null; }
clear_faults() { as_person DELETE /control/faults >/dev/null; }
counter() { as_person GET /control/counters | jq -r ".[\"$1\"] // 0"; }
scalar() { query "$1" | head -n 1; }

# A number below $1, from the seed.  Sets "drawn": a subshell would draw the same number again and again.
draw() {
  seed_state=$(((seed_state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff))
  drawn=$(((seed_state >> 33) % $1))
}

# Waits for an instant that nobody chose: in the torture itself the moment of a kill is the point of it.
pause_up_to() {
  draw "$1"
  sleep "$((drawn / 1000)).$(printf '%03d' $((drawn % 1000)))"
}

start_our_worker() { start_worker "${1:-worker}" --config "$SESSION/worker.toml" run; }
kill_worker() { stop_process "${1:-worker}" KILL; }

open_scene() {
  open_session
  start_cluster
  create_database crm_bridge
  start_sandbox --projects-limit 0 --oauth-limit 0 --crm-credits 0 --journal "$SESSION/journal.jsonl"
  WORKER_LEASE=${lease:-2s} WORKER_REQUEST_TIMEOUT=5s WORKER_POLL_INTERVAL=1s PROJECTS_REQUESTS_PER_WINDOW=1000000 set_up_bridge
  start_our_worker
  activate_portal
  wait_until "the CRM's users" 60 query_gives t "SELECT count(*) >= 3 FROM crm_bridge.crm_user"
  : >"$SESSION/ledger"
}

# make_deals PREFIX COUNT : deals under one account, by an app.
make_deals() {
  query "INSERT INTO crm_bridge.crm_account (account_name) VALUES ('$1 account');
         INSERT INTO crm_bridge.crm_deal (deal_name, stage, closing_date, account_id)
         SELECT '$1 ' || n, 'Qualification', '2027-03-31', a.id
           FROM crm_bridge.crm_account AS a, generate_series(1, $2) AS n WHERE a.account_name = '$1 account'"
}

# make_tasks PREFIX COUNT : a project made of a deal, with tasks in it that are in the CRM as well.
make_tasks() {
  local project list n
  make_deals "$1 project" 1
  query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal WHERE deal_name = '$1 project 1'" >/dev/null
  wait_until "the project $1" 60 query_gives t "SELECT external_id IS NOT NULL FROM crm_bridge.projects_project WHERE name = '$1 project 1'"
  project=$(scalar "SELECT external_id FROM crm_bridge.projects_project WHERE name = '$1 project 1'")
  list=$(as_person POST "/control/projects/$portal/tasklists" "{\"project_id\":\"$project\",\"name\":\"$1 list\"}" | jq -r .id)
  for ((n = 1; n <= $2; n++)); do
    as_person POST "/control/projects/$portal/tasks" \
      "{\"project_id\":\"$project\",\"tasklist\":{\"id\":\"$list\"},\"name\":\"$1 task $n\",\"end_date\":\"2027-01-15T00:00:00.000Z\"}" >/dev/null
  done
  wait_until "the tasks of $1" 60 query_gives "$2" "SELECT count(*) FROM crm_bridge.projects_task WHERE name LIKE '$1 task %'"
  query "SELECT crm_bridge.add_task_to_crm(t.id, d.id) FROM crm_bridge.projects_task AS t, crm_bridge.crm_deal AS d
          WHERE t.name LIKE '$1 task %' AND d.deal_name = '$1 project 1'" >/dev/null
  settle
}

quiet() { nothing_is_on_its_way && no_difference; }
settle() { wait_until "both sides to agree" "${1:-${patience:-60}}" quiet 2>/dev/null || true; }

# The ledger: "side TAB record TAB field TAB value" of every write that its writer was told had succeeded.  An app's record is our id,
# a person's the service's.  Each writer has its own records, so that the last line of a record and field is what must stand.

# app_writer NAME TABLE FIELD WHERE COUNT : an app's session that writes COUNT values, each greater than the one before, into the records
# that WHERE names.  It goes on where it was when the server comes back.
app_writer() {
  local name=$1 table=$2 field=$3 condition=$4 count=$5 done_so_far=0 deadline=$((SECONDS + 300))
  local out=$SESSION/writer.$name
  : >"$out"
  while ((done_so_far < count && SECONDS < deadline)); do
    # A statement whose answer was lost is written again with the next value: the ledger need not know which.
    seq -f '%06.0f' $((done_so_far + 1)) "$count" | sed "s/.*/UPDATE crm_bridge.$table SET $field = '$name &' WHERE id = (SELECT id FROM crm_bridge.$table WHERE $condition ORDER BY id OFFSET (hashtext('$name &') \\& 1048575) % (SELECT count(*) FROM crm_bridge.$table WHERE $condition) LIMIT 1) RETURNING 'app', id, '$table.$field', $field;/" |
      psql -X -q -A -t -F $'\t' -v ON_ERROR_STOP=1 >>"$out" 2>>"$SESSION/writer.log" || true
    done_so_far=$(wc -l <"$out")
  done
  cat "$out" >>"$SESSION/ledger"
}

# person_writer NAME PATH FIELD COUNT ID… : a person's edits, through the service's own screens.
person_writer() {
  local name=$1 path=$2 field=$3 count=$4 n id value
  shift 4
  local ids=("$@") out=$SESSION/writer.$name
  : >"$out"
  for ((n = 1; n <= count; n++)); do
    id=${ids[n % ${#ids[@]}]}
    value=$(printf '%s %06d' "$name" "$n")
    if as_person PATCH "/control/$path/$id" "{\"$field\":\"$value\"}" >/dev/null 2>>"$SESSION/writer.log"; then
      printf 'person\t%s\t%s.%s\t%s\n' "$id" "$path" "$field" "$value" >>"$out"
    fi
  done
  cat "$out" >>"$SESSION/ledger"
}

wait_for_writers() {
  local writer
  for writer in "$@"; do wait "$writer" || true; done
}

# The instant of the first request that a service saw after INSTANT (µs), in tenths of a second; "none" if there was none.
first_request_after() {
  as_person GET '/control/requests?limit=20000' |
    jq -r "[(.requests // .)[] | select(.arrived_at > $1)] | if length == 0 then \"none\" else ((.[0].arrived_at - $1) / 100000 | floor) end"
}
now_in_microseconds() { printf '%s' "$((${EPOCHREALTIME/./}))"; }
a_request_came_after() { [[ $(first_request_after "$1") != none ]]; }

# measure_resumption : how long after the kill the service heard of the worker again; keeps the longest in slowest_resumption.
slowest_resumption=0
measure_resumption() {
  local took
  wait_until "the worker to resume" 30 a_request_came_after "$1" || { slowest_resumption=300; return 0; }
  took=$(first_request_after "$1")
  ((took <= slowest_resumption)) || slowest_resumption=$took
}
resumption() { printf '%d.%d' $((slowest_resumption / 10)) $((slowest_resumption % 10)); }
