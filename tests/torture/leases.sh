# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T08: two workers at once, one of them stopped for longer than its lease and woken again
rounds=100
reduced_rounds=2

torture() {
  local round deals n
  make_deals leases 60
  # One host, one door for webhooks: the second worker has none.
  sed '/^\[receiver\]/,/^$/d' "$SESSION/worker.toml" >"$SESSION/second.toml"
  start_worker second --config "$SESSION/second.toml" run
  for ((round = 1; round <= $1; round++)); do
    fault '{"service":"crm","method":"POST","path_contains":"/Accounts","kind":"delay","delay_ms":1000}'
    query "INSERT INTO crm_bridge.crm_account (account_name) SELECT 'leases $round-' || n FROM generate_series(1, 250) AS n"
    wait_until "work in flight" 20 query_gives t "SELECT EXISTS (SELECT 1 FROM crm_bridge.delivery WHERE state = 'in_flight')" || true
    kill -STOP "$(process_id worker)"
    app_writer "leases$round" crm_deal next_step "deal_name LIKE 'leases %'" 100
    # The lease of the stopped one runs out, and the other finishes everything.
    wait_until "the other worker to take over" 30 nothing_is_on_its_way || extra_failures=$((extra_failures + 1))
    kill -CONT "$(process_id worker)"
    settle
  done
  stop_process second
  conclude T08 "stops=$1" "workers=2" "duplicate_findings=$(scalar "SELECT count(*) FROM crm_bridge.shadow WHERE state = 'duplicate'")"
}
