# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T06 P5: no notice ever arrives
rounds=20
reduced_rounds=1

# NOTIFY switched off; the sessions that listen ended.  The worker finds the work by looking, within its idle interval.
torture() {
  local round n=0 mode at longest=0 took
  make_deals notify 3
  for ((round = 1; round <= $1; round++)); do
    for mode in off killed; do
      if [[ $mode == off ]]; then
        query "ALTER DATABASE $PGDATABASE SET crm_bridge.notify = off"
      else
        query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR application_name LIKE 'crm-bridge relay%'" >/dev/null
      fi
      n=$((n + 1))
      at=$(now_in_microseconds)
      app_writer "notify$n" crm_deal next_step "deal_name LIKE 'notify %'" 5
      settle
      took=$(($(now_in_microseconds) - at))
      ((took <= longest)) || longest=$took
      query "ALTER DATABASE $PGDATABASE RESET crm_bridge.notify"
    done
  done
  conclude T06 modes=2 "runs=$n" "max_delay_s=$((longest / 1000000))"
}
