# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T03 P1: the server is killed, stopped at once, loses a backend, and ends the worker's sessions
rounds=50
reduced_rounds=1

disturb_server() {
  local backend
  case $1 in
    postmaster) kill -KILL "$(server_process)" && wait_until "the end of the server" 20 server_ended && wait_until "the server again" 60 start_server ;;
    immediate) stop_server immediate && start_server ;;
    backend)
      backend=$(scalar "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'crm-bridge %' ORDER BY random() LIMIT 1")
      kill -KILL "$backend"
      ;;
    terminate) query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'crm-bridge %'" >/dev/null ;;
  esac
  wait_until "the server" 30 query_gives 1 "SELECT 1"
}
torture() {
  local round way at writers=() deals
  make_deals server 20
  mapfile -t deals < <(query "SELECT external_id FROM crm_bridge.crm_deal WHERE deal_name LIKE 'server %'")
  app_writer srv crm_deal next_step "deal_name LIKE 'server %'" $(($1 * 2000)) & writers+=($!)
  person_writer srv2 crm/Deals Description $(($1 * 150)) "${deals[@]}" & writers+=($!)
  for ((round = 0; round < $1; round++)); do
    for way in postmaster immediate backend terminate; do
      pause_up_to 1000
      disturb_server "$way"
      at=$(now_in_microseconds)
      measure_resumption "$at"
    done
  done
  wait_for_writers "${writers[@]}"
  conclude T03 "postmaster=$1" "immediate=$1" "backend=$1" "terminate=$1" "max_resume_s=$(resumption)"
}
