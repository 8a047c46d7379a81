# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T05 K3: the first of several requests fails and later ones land
rounds=100
reduced_rounds=4

# Each round changes one record several times; the first request of the round fails in one of several ways, and the later ones land.
torture() {
  local round kinds n
  kinds=('"kind":"status","status":500' '"kind":"cut","at":30,"reset":true' '"kind":"drop_before"' '"kind":"drop_after"' '"kind":"delay","delay_ms":6000')
  make_deals heads 5
  make_tasks heads 3
  for ((round = 1; round <= $1; round++)); do
    draw ${#kinds[@]}
    fault "{\"service\":\"crm\",\"method\":\"PUT\",\"path_contains\":\"/Deals\",${kinds[drawn]}}"
    fault "{\"service\":\"projects\",\"method\":\"PATCH\",\"path_contains\":\"/tasks\",${kinds[drawn]}}"
    app_writer "heads$round" crm_deal next_step "deal_name LIKE 'heads %'" 40
    app_writer "htask$round" crm_task subject "subject ~ '^(heads task|htask)'" 12
    settle
  done
  conclude T05 "rounds=$1"
}
