# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T09: a worker that is asked to stop finishes or gives back its work; asked twice, it goes at once
rounds=100
reduced_rounds=2

torture() {
  local round writer at took longest=0 longest_second=0 leased=0 bad_status=0
  make_deals stop 30
  for ((round = 1; round <= $1; round++)); do
    app_writer "stop$round" crm_deal next_step "deal_name LIKE 'stop %'" 300 & writer=$!
    pause_up_to 500
    at=$(now_in_microseconds)
    stop_process worker
    took=$(($(now_in_microseconds) - at))
    ((took <= longest)) || longest=$took
    ((process_status == 0)) || bad_status=$((bad_status + 1))
    leased=$((leased + $(scalar "SELECT count(*) FROM crm_bridge.delivery WHERE state = 'in_flight'")))
    start_our_worker
    wait_for_writers "$writer"
    settle
    # A service that does not answer, and somebody who does not want to wait.
    fault '{"service":"crm","method":"PUT","path_contains":"/Deals","kind":"delay","delay_ms":60000}'
    query "UPDATE crm_bridge.crm_deal SET closing_date = closing_date + 1 WHERE deal_name = 'stop 1'"
    wait_until "the request" 20 query_gives t "SELECT EXISTS (SELECT 1 FROM crm_bridge.delivery WHERE state = 'in_flight')"
    kill -TERM "$(process_id worker)"
    at=$(now_in_microseconds)
    stop_process worker
    took=$(($(now_in_microseconds) - at))
    ((took <= longest_second)) || longest_second=$took
    ((process_status == 6)) || bad_status=$((bad_status + 1))
    clear_faults
    start_our_worker
    settle
  done
  demand "every stop ended with its status (0 asked once, 6 asked twice)" test "$bad_status" = 0
  demand "nothing stayed leased after a stop" test "$leased" = 0
  [[ -n $reduced ]] || demand "a stop within 10 s, a second signal within 2 s" test "$((longest < 10500000 && longest_second < 2500000))" = 1
  conclude T09 "runs=$1" "max_exit_s=$((longest / 1000000))" "max_second_exit_s=$((longest_second / 1000000))" "leased_after=$leased"
}
