# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: D12: real input under fire, with --data DIR (the demo's CSV files) or with input of its own; edits both ways, kills, faults
rounds=20
reduced_rounds=1

# ROUNDS kills, each under forty edits of either side, while the services fail one call in twenty.
torture() {
  local kill_round n=60 won began deals writers=()
  if [[ -n $data ]]; then
    as_person POST /control/import/crm-sales "{\"directory\":\"$data\"}" >/dev/null
    query "SELECT crm_bridge.resync('crm_deal')" >/dev/null
    n=$(as_person GET /control/crm/Deals | jq length)
    wait_until "the input" 900 query_gives t "SELECT count(*) >= $n FROM crm_bridge.crm_deal" || true
  else
    make_deals data "$n"
    query "UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE deal_name ~ '^data [0-9]*[05]\$'"
  fi
  query "ANALYZE"
  won=$(query "SELECT count(*) FROM crm_bridge.create_projects_from_won_deals(100000, dry_run => true)")
  began=$SECONDS
  query "SELECT crm_bridge.create_projects_from_won_deals(100000, dry_run => false)" >/dev/null
  mapfile -t deals < <(query "SELECT external_id FROM crm_bridge.crm_deal WHERE external_id IS NOT NULL ORDER BY id LIMIT 300")
  app_writer data crm_deal next_step "id IN (SELECT id FROM crm_bridge.crm_deal ORDER BY id LIMIT 300)" $(($1 * 40)) & writers+=($!)
  person_writer hand crm/Deals Description $(($1 * 40)) "${deals[@]}" & writers+=($!)
  for ((kill_round = 1; kill_round <= $1; kill_round++)); do
    fault "[{\"service\":\"crm\",\"kind\":\"status\",\"status\":503,\"times\":20,\"chance\":5,\"seed\":$((seed + kill_round))},
            {\"service\":\"crm\",\"kind\":\"drop_after\",\"times\":20,\"chance\":5},{\"service\":\"projects\",\"kind\":\"drop_after\",\"times\":20,\"chance\":5},
            {\"service\":\"projects\",\"kind\":\"cut\",\"at\":50,\"times\":20,\"chance\":5},{\"service\":\"crm\",\"kind\":\"stale_read\",\"times\":20,\"chance\":5}]"
    pause_up_to 3000
    kill_worker
    start_our_worker
  done
  wait_for_writers "${writers[@]}"
  clear_faults
  wait_until "everything to arrive" 1800 nothing_is_on_its_way || true
  demand "every won deal has its project or a reason (D12)" test "$(scalar "SELECT count(*) FROM crm_bridge.create_projects_from_won_deals(100000, dry_run => true) WHERE reason IS NULL")" = 0
  demand "every record that stays out has a reason" test "$(scalar "SELECT count(*) FROM crm_bridge.dead_letters WHERE reason IS NULL")" = 0
  printf '# %s projects took %s s here; at 100 requests in 2 minutes for each kind of request the real Projects takes about %s minutes\n' "$won" $((SECONDS - began)) $(((won * 2 + 99) / 100))
  conclude T01d "deals=$n" "projects=$won" "kills=$1" "edits=$(wc -l <"$SESSION/ledger")"
}
