# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T13: answers that end at any byte, are reset, drip, are huge, deep, compressed, sent elsewhere, or not text at all
rounds=400
reduced_rounds=2

# Round n ends answers after n bytes, by a close or by a reset; then each way to spoil an answer, for reads and for writes of both services.
# Reduced, three of the ways, chosen by the seed.
ways=(truncated empty no_object other_object strange_types huge deep gzip bad_utf8 lone_surrogate nul big_header redirect rows_missing rows_shuffled rows_failed)
choose_ways() { printf '%s\n' "${ways[@]}" | if [[ -n $reduced ]]; then shuf -n 3 --random-source=<(yes "$seed"); else cat; fi; }
nothing_is_due() { query_gives 0 "SELECT count(*) FROM crm_bridge.delivery WHERE state IN ('pending', 'in_flight')"; }
peak_memory() { awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$(process_id worker)/status"; }

touch_everything() {
  query "UPDATE crm_bridge.crm_deal SET next_step = '$1' WHERE deal_name = 'transport 1';
         UPDATE crm_bridge.crm_task SET subject = 'transport task 1 $1' WHERE subject LIKE 'transport task 1%'"
  as_person PATCH "/control/crm/Deals/$transport_deal" "{\"Description\":\"$1\"}" >/dev/null
}

torture() {
  local n way step=1 pid cases=0 peak
  make_deals transport 1
  make_tasks transport 2
  transport_deal=$(scalar "SELECT external_id FROM crm_bridge.crm_deal WHERE deal_name = 'transport 1'")
  pid=$(process_id worker)
  (($1 >= 400)) || step=$((400 / $1))
  for ((n = 0; n < 400; n += step)); do
    fault "[{\"service\":\"crm\",\"method\":\"PUT\",\"kind\":\"cut\",\"at\":$n,\"reset\":$( ((n / step % 2)) && echo true || echo false)},
            {\"service\":\"crm\",\"method\":\"GET\",\"kind\":\"cut\",\"at\":$((n * 3)),\"reset\":$( ((n / step % 2)) && echo false || echo true)},
            {\"service\":\"projects\",\"method\":\"PATCH\",\"kind\":\"cut\",\"at\":$n},
            {\"service\":\"projects\",\"method\":\"GET\",\"kind\":\"cut\",\"at\":$((n * 3))}]"
    touch_everything "byte $n"
    settle
    cases=$((cases + 4))
  done
  for way in $(choose_ways); do
    fault "[{\"service\":\"crm\",\"method\":\"PUT\",\"kind\":\"spoil\",\"how\":\"$way\"},{\"service\":\"crm\",\"method\":\"POST\",\"path_contains\":\"/Deals\",\"kind\":\"spoil\",\"how\":\"$way\"},
            {\"service\":\"projects\",\"method\":\"PATCH\",\"kind\":\"spoil\",\"how\":\"$way\"},{\"service\":\"projects\",\"method\":\"POST\",\"path_contains\":\"/tasks\",\"kind\":\"spoil\",\"how\":\"$way\"}]"
    # A text that was changed on its way is no fault that a client could see.
    [[ $way == bad_utf8 || $way == lone_surrogate || $way == nul ]] ||
      fault "[{\"service\":\"crm\",\"method\":\"GET\",\"kind\":\"spoil\",\"how\":\"$way\"},{\"service\":\"projects\",\"method\":\"GET\",\"kind\":\"spoil\",\"how\":\"$way\"}]"
    touch_everything "$way"
    query "INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES ('transport $way', 'Qualification');
           INSERT INTO crm_bridge.projects_task (name, project_id, task_list_id, portal_id)
           SELECT 'transport made $way', project_id, task_list_id, portal_id FROM crm_bridge.projects_task WHERE name = 'transport task 2'"
    wait_until "the attempts" 20 nothing_is_due || true
    clear_faults
    query "SELECT crm_bridge.retry(record_id) FROM crm_bridge.delivery WHERE state IN ('parked', 'dead')" >/dev/null
    settle
    cases=$((cases + 6))
  done
  if [[ -z $reduced ]]; then
    fault '[{"service":"crm","method":"PUT","kind":"drip","delay_ms":2},{"service":"crm","method":"GET","kind":"drip","delay_ms":1},{"service":"projects","method":"PATCH","kind":"delay","delay_ms":7000}]'
    touch_everything drip
    settle
    cases=$((cases + 3))
  fi
  peak=$(peak_memory)
  demand "the worker is still the one that began" test "$pid" = "$(process_id worker)" -a -d "/proc/$pid"
  demand "memory within 256 MB, not $peak" test "$peak" -le 256
  demand "no redirect was followed" test "$(as_person GET '/control/requests?limit=20000' | jq '[(.requests // .)[] | select(.path | contains("elsewhere"))] | length')" = 0
  conclude T13 "cases=$cases" "rss_max_mb=$peak" redirects_followed=0
}
