# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T14: batches of which some records are refused, some results missing, in another order, or failed
rounds=500
reduced_rounds=3

torture() {
  local round how bad=0 names=(rows_missing rows_shuffled rows_failed)
  for ((round = 1; round <= $1; round++)); do
    draw 3
    how=${names[drawn]}
    fault "[{\"service\":\"crm\",\"method\":\"POST\",\"path_contains\":\"/Contacts\",\"kind\":\"spoil\",\"how\":\"$how\",\"times\":1},
            {\"service\":\"crm\",\"method\":\"PUT\",\"path_contains\":\"/Contacts\",\"kind\":\"spoil\",\"how\":\"$how\",\"times\":1}]"
    # Every tenth has no last name, which the service demands.
    query "INSERT INTO crm_bridge.crm_contact (first_name, last_name, description)
           SELECT 'batch $round', CASE WHEN n % 10 > 0 THEN format('batch %s-%s', $round, n) END, 'made' FROM generate_series(1, 100) AS n"
    wait_until "the batch" 60 query_gives 0 "SELECT count(*) FROM crm_bridge.delivery WHERE state IN ('pending', 'in_flight')" || true
    bad=$((bad + $(scalar "SELECT abs(10 - count(*)) FROM crm_bridge.delivery AS d JOIN crm_bridge.crm_contact AS c ON c.id = d.record_id WHERE c.first_name = 'batch $round' AND d.state = 'parked'")))
    query "UPDATE crm_bridge.crm_contact SET description = 'changed $round ' || last_name, last_name = COALESCE(last_name, 'mended ' || id) WHERE first_name = 'batch $round'"
    settle
  done
  demand "exactly the records without a name were parked ($bad others)" test "$bad" = 0
  misattributed=$(as_person GET /control/crm/Contacts | jq '[.[] | select(.Last_Name // "" | startswith("batch")) | select(.Description != "changed \(.First_Name[6:]) \(.Last_Name)")] | length')
  demand "every result went to its record" test "$misattributed" = 0
  conclude T14 "batches=$1" "misattributed=$misattributed"
}
