# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T01 P1 P6: the worker is killed at random instants while changes flow both ways
rounds=200
reduced_rounds=3

torture() {
  local kills=$1 kill_round at deals writers=()
  make_deals kills 30
  make_tasks kills 6
  mapfile -t deals < <(query "SELECT external_id FROM crm_bridge.crm_deal WHERE deal_name LIKE 'kills %'")
  mapfile -t remote_tasks < <(query "SELECT external_id FROM crm_bridge.projects_task WHERE name ~ 'kills task [4-6]'")
  app_writer one crm_deal next_step "deal_name LIKE 'kills %'" $((kills * 250)) & writers+=($!)
  app_writer two crm_task subject "subject ~ '^(kills task [1-3]|two )'" $((kills * 15)) & writers+=($!)
  person_writer three crm/Deals Description $((kills * 25)) "${deals[@]}" & writers+=($!)
  person_writer four "projects/$portal/tasks" name $((kills * 5)) "${remote_tasks[@]}" & writers+=($!)
  for ((kill_round = 0; kill_round < kills; kill_round++)); do
    pause_up_to 1500
    kill_worker
    at=$(now_in_microseconds)
    start_our_worker
    measure_resumption "$at"
  done
  wait_for_writers "${writers[@]}"
  conclude T01 "kills=$kills" "out=$(grep -c '^app' "$SESSION/ledger")" "in=$(grep -c '^person' "$SESSION/ledger")" "max_resume_s=$(resumption)"
}
