# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T02 P1 P2 P6: the worker is killed at every step of its work, named one by one
rounds=10
reduced_rounds=1

# What the points have in common: the services keep a request or its answer back, or the database keeps a table locked; once the worker is
# caught there, it is killed, what was held goes on without it, and a new worker takes over.

no_fault_left() { [[ $(as_person GET /control/faults) == '[]' ]]; }

# at_service FAULT : killed once the fault has caught a request.
at_service() {
  wait_until "a request to be caught" 20 no_fault_left
  kill_worker
  clear_faults
  start_our_worker
}

# A request that the service got, and does only after the next worker has had time to look.
late_at_service() {
  wait_until "a request to be caught" 20 no_fault_left
  kill_worker
  start_our_worker
  wait_until "the next worker's attempt" 30 query_gives t "SELECT NOT EXISTS (SELECT 1 FROM crm_bridge.delivery WHERE state = 'in_flight' AND sent_at < now() - interval '2 seconds')"
  clear_faults
}

lock_table() {
  start_process locker psql -X -q -v ON_ERROR_STOP=1 -c "SET application_name = 'torture locker'; BEGIN; LOCK TABLE crm_bridge.$1 IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"
  wait_until "the lock" 10 query_gives t "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'crm_bridge.$1'::regclass)"
}
unlock_table() {
  query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'torture locker'" >/dev/null
  stop_process locker KILL
}
a_call_waits() { query_gives t "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'crm-bridge %' AND query LIKE '%$1%')"; }

# in_call FUNCTION TABLE committed|rolled_back ACTION… : killed within a call of the database, which commits after the worker's death or
# ends without.
in_call() {
  local call=$1 table=$2 fate=$3
  shift 3
  lock_table "$table"
  "$@" >/dev/null
  wait_until "$call to wait" 30 a_call_waits "$call" || complain "$call was not caught"
  [[ $fate == committed ]] || query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'crm-bridge %' AND wait_event_type = 'Lock'" >/dev/null
  kill_worker
  unlock_table
  start_our_worker
}

new_deal() { query "INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES ('points $1', 'Qualification')"; }
new_project_task() {
  query "INSERT INTO crm_bridge.projects_task (name, project_id, task_list_id, portal_id)
         SELECT 'points $1', t.project_id, t.task_list_id, t.portal_id FROM crm_bridge.projects_task AS t WHERE t.name = 'points task 1'"
}
edit_deal() { query "UPDATE crm_bridge.crm_deal SET next_step = '$1' WHERE deal_name = 'points 1'"; }
persons_edit() { as_person PATCH "/control/crm/Deals/$points_deal" "{\"Description\":\"points $1\"}" >/dev/null; }
caught() {
  local action=$2
  fault "$1"
  shift 2
  "$action" "$@"
}

# Reduced, every third point, beginning with the one that the seed says.
is_chosen() {
  point=$((point + 1))
  [[ -z $reduced ]] || ((point % 3 == seed % 3)) || return 1
  played=$((played + 1))
}

all_points() {
  local n=$1
  if is_chosen; then kill_worker && new_deal "$n idle" && start_our_worker && settle; fi
  if is_chosen; then caught '{"service":"crm","method":"POST","path_contains":"/Deals","kind":"delay","delay_ms":600000}' new_deal "$n sent" && at_service && settle; fi
  if is_chosen; then caught '{"service":"crm","method":"POST","path_contains":"/Deals","kind":"delay","delay_ms":600000}' new_deal "$n sent, done late" && late_at_service && settle; fi
  if is_chosen; then caught '{"service":"crm","method":"POST","path_contains":"/Deals","kind":"hold_answer","delay_ms":600000}' new_deal "$n done" && at_service && settle; fi
  if is_chosen; then caught '[{"service":"crm","method":"POST","path_contains":"/Deals","kind":"drop_after"},{"service":"crm","method":"POST","path_contains":"/coql","kind":"delay","delay_ms":600000}]' new_deal "$n looked up" && at_service && settle; fi
  if is_chosen; then caught '{"service":"crm","method":"PUT","path_contains":"/Deals","kind":"hold_answer","delay_ms":600000}' edit_deal "$n" && at_service && settle; fi
  if is_chosen; then caught '{"service":"projects","method":"POST","path_contains":"/tasks","kind":"delay","delay_ms":600000}' new_project_task "$n sent" && at_service && settle; fi
  if is_chosen; then caught '{"service":"projects","method":"POST","path_contains":"/tasks","kind":"hold_answer","delay_ms":600000}' new_project_task "$n done" && at_service && settle; fi
  if is_chosen; then caught '[{"service":"projects","method":"POST","path_contains":"/tasks","kind":"drop_after"},{"service":"projects","method":"GET","path_contains":"/tasks","kind":"delay","delay_ms":600000}]' new_project_task "$n looked up" && at_service && settle; fi
  if is_chosen; then as_person POST /control/tokens/expire >/dev/null && caught '{"service":"accounts","kind":"hold_answer","delay_ms":600000}' edit_deal "$n token" && at_service && settle; fi
  local fate
  for fate in committed rolled_back; do
    if is_chosen; then in_call claim delivery "$fate" as_person PATCH "/control/crm/Deals/$points_deal" "{\"Description\":\"points $n claim $fate\"}" && settle; fi
    if is_chosen; then
      # A table that is locked before the change would keep the writer out: the answer is held until the lock is there.
      fault '{"service":"crm","method":"POST","path_contains":"/Deals","kind":"hold_answer","delay_ms":600000}'
      new_deal "$n acknowledged, $fate"
      wait_until "a request to be caught" 20 no_fault_left
      in_call acknowledge shadow "$fate" clear_faults
      settle
    fi
    if is_chosen; then in_call store_notice inbox "$fate" persons_edit "$n notice $fate" && settle; fi
    if is_chosen; then in_call receive crm_deal "$fate" persons_edit "$n receive $fate" && settle; fi
  done
  query "DELETE FROM crm_bridge.crm_deal WHERE deal_name = 'points $n idle'"
  settle
}

torture() {
  local round point=0 played=0
  make_deals points 1
  make_tasks points 1
  points_deal=$(scalar "SELECT external_id FROM crm_bridge.crm_deal WHERE deal_name = 'points 1'")
  for ((round = 1; round <= $1; round++)); do all_points "$round"; done
  conclude T02 "points=$((point / $1))" "runs=$played"
}
