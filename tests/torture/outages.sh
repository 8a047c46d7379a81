# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T12: the services refuse and fail half of all calls, in all their ways; nobody comes back earlier than told
rounds=100
reduced_rounds=1

# told_to_wait RETRY_AFTER MILLISECONDS : one call is refused with that header; the next of its kind must not come before.
told_to_wait() {
  local since first second header=$1
  settle
  # A date has whole seconds: four of them are more than three from now.
  [[ $header != date ]] || header=$(date -u -d '+4 seconds' '+%a, %d %b %Y %H:%M:%S GMT')
  since=$(as_person GET '/control/requests?limit=20000' | jq -r '[(.requests // .)[].sequence] | max')
  fault "{\"service\":\"crm\",\"method\":\"PUT\",\"path_contains\":\"/Deals\",\"kind\":\"rate_limited\",\"retry_after\":\"$header\"}"
  query "UPDATE crm_bridge.crm_deal SET closing_date = closing_date + 1 WHERE deal_name = 'outages 1'"
  settle
  read -r first second < <(as_person GET "/control/requests?limit=20000&since=$since" |
    jq -r '[(.requests // .)[] | select(.method == "PUT" and (.path | contains("/Deals"))) | .arrived_at] | "\(.[0]) \(.[1])"')
  calls=$((calls + 2))
  if ((second - first < $2 * 1000)); then
    printf '# told to wait "%s", came after %d ms\n' "$1" $(((second - first) / 1000))
    early=$((early + 1))
  fi
}

torture() {
  local round status early=0 calls=0
  make_deals outages 40
  make_tasks outages 4
  for ((round = 1; round <= $1; round++)); do
    for status in 500 502 503 504 408 409 412 423; do
      fault "[{\"service\":\"crm\",\"path_contains\":\"/Deals\",\"kind\":\"status\",\"status\":$status,\"times\":6,\"chance\":6,\"seed\":$((seed + round))},
              {\"service\":\"projects\",\"path_contains\":\"/tasks\",\"kind\":\"status\",\"status\":$status,\"times\":6,\"chance\":6}]"
    done
    fault '[{"service":"crm","kind":"rate_limited","times":4,"chance":10},{"service":"crm","kind":"drop_before","times":4,"chance":10},
            {"service":"crm","kind":"html","times":4,"chance":10},{"service":"crm","kind":"expire_token","times":2,"chance":10},
            {"service":"projects","kind":"drop_after","times":3,"chance":10},{"service":"projects","kind":"rate_limited","retry_after":"1","times":1,"chance":10},
            {"service":"accounts","kind":"status","status":500,"times":2,"chance":50}]'
    app_writer "outage$round" crm_deal next_step "deal_name LIKE 'outages %'" $((${#reduced} > 0 ? 30 : 120))
    app_writer "otask$round" crm_task subject "subject ~ '^(outages task|otask)'" 12
    make_deals "outages round $round" 5
    clear_faults_when_quiet
    # What the services refused for good waits for a person; here he looks.
    query "SELECT crm_bridge.retry(record_id) FROM crm_bridge.delivery WHERE state IN ('parked', 'dead')" >/dev/null
  done
  clear_faults
  told_to_wait 2 2000
  told_to_wait date 2000
  if [[ -z $reduced ]]; then
    told_to_wait -5 0
    told_to_wait 2.628 2628
    told_to_wait 7 7000
  fi
  demand "never earlier than told" test "$early" = 0
  calls=$(as_person GET /control/counters | jq '[.patterns[][]] | add')
  conclude T12 "calls=$calls" "early=$early"
}
clear_faults_when_quiet() {
  wait_until "the storm to pass" 40 query_gives 0 "SELECT count(*) FROM crm_bridge.delivery WHERE state IN ('pending', 'in_flight')" 2>/dev/null || true
  clear_faults
  settle
}
