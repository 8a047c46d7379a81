# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T15: tokens expire under many calls at once, and the token endpoint fails
rounds=200
reduced_rounds=1

torture() {
  local round before issued worst=0 attempts
  make_deals tokens 20
  make_tasks tokens 12
  for ((round = 1; round <= $1; round++)); do
    settle
    before=$(counter tokens_issued)
    as_person POST /control/tokens/expire >/dev/null
    query "UPDATE crm_bridge.crm_task SET subject = left(subject, 20) || ' r$round' WHERE subject LIKE 'tokens task %'"
    as_person PATCH "/control/crm/Deals/$(scalar "SELECT external_id FROM crm_bridge.crm_deal WHERE deal_name = 'tokens 1'")" "{\"Description\":\"$round\"}" >/dev/null
    settle
    issued=$(($(counter tokens_issued) - before))
    ((issued <= worst)) || worst=$issued
    if ((round % 5 == 1)); then
      fault '[{"service":"accounts","kind":"status","status":500,"times":1},{"service":"accounts","kind":"drop_after","times":1},{"service":"accounts","kind":"spoil","how":"truncated","times":1}]'
      as_person POST /control/tokens/expire >/dev/null
      query "UPDATE crm_bridge.crm_deal SET next_step = 'token $round' WHERE deal_name LIKE 'tokens %'"
      settle
    fi
  done
  # A token endpoint that is down must not be hammered.
  before=$(as_person GET '/control/requests?limit=20000&service=accounts' | jq '(.requests // .) | length')
  fault '{"service":"accounts","kind":"status","status":500,"times":1000}'
  as_person POST /control/tokens/expire >/dev/null
  query "UPDATE crm_bridge.crm_deal SET next_step = 'endpoint down' WHERE deal_name LIKE 'tokens %'"
  wait_until "some attempts" 30 a_token_was_refused "$before"
  sleep 5
  attempts=$(($(as_person GET '/control/requests?limit=20000&service=accounts' | jq '(.requests // .) | length') - before))
  clear_faults
  # One for each of the two services.
  demand "a burst takes one refresh for each service, not $worst" test "$worst" -le 2
  demand "a dead token endpoint is not hammered: $attempts attempts" test "$attempts" -le 20
  conclude T15 "bursts=$1" "refreshes_per_burst=$worst" "attempts_while_down=$attempts"
}
a_token_was_refused() { (($(as_person GET '/control/requests?limit=20000&service=accounts' | jq '(.requests // .) | length') > $1)); }
