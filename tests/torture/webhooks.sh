# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T18 T19 B9: webhooks doubled, shuffled, late and lost; stale reads; deletions among them
rounds=50
reduced_rounds=1

torture() {
  local round writer mode ids tasks dropped sent=0 conflicts edits=$((${#reduced} > 0 ? 20 : 60))
  make_deals webhooks 25
  make_tasks webhooks 6
  mapfile -t ids < <(query "SELECT external_id FROM crm_bridge.crm_deal WHERE deal_name LIKE 'webhooks %'")
  mapfile -t tasks < <(query "SELECT external_id FROM crm_bridge.projects_task WHERE name LIKE 'webhooks task %'")
  dropped=$(counter webhooks_dropped)
  conflicts=$(scalar "SELECT count(*) FROM crm_bridge.conflict")
  for ((round = 1; round <= $1; round++)); do
    for mode in duplicate shuffle delay drop; do
      [[ -z $reduced || $mode != delay ]] || continue
      as_person POST /control/webhooks "{\"mode\":\"$mode\",\"delay_ms\":2500}" >/dev/null
      fault '[{"service":"crm","method":"GET","path_contains":"/Deals","kind":"stale_read","times":6,"chance":40},
              {"service":"projects","method":"GET","path_contains":"/tasks","kind":"stale_read","times":6,"chance":40}]'
      # Both ways at once, each side its own field of the same records; several edits of one record fall into one second.
      app_writer "hook$round$mode" crm_deal next_step "deal_name LIKE 'webhooks %'" "$edits" & writer=$!
      person_writer "hand$round$mode" crm/Deals Description "$edits" "${ids[@]}"
      person_writer "thand$round$mode" "projects/$portal/tasks" name 12 "${tasks[@]}"
      wait_for_writers "$writer"
      sent=$((sent + edits + 12))
      as_person POST /control/crm/Deals "{\"Deal_Name\":\"born $round $mode\",\"Stage\":\"Qualification\"}" >/dev/null
      doomed=$(as_person POST /control/crm/Deals "{\"Deal_Name\":\"doomed $round $mode\",\"Stage\":\"Qualification\"}" | jq -r '.id // .details.id')
      as_person DELETE "/control/crm/Deals/$doomed" >/dev/null
      clear_faults
      settle
    done
  done
  as_person POST /control/webhooks '{"mode":"normal"}' >/dev/null
  conflicts=$(($(scalar "SELECT count(*) FROM crm_bridge.conflict") - conflicts))
  dropped=$(($(counter webhooks_dropped) - dropped))
  demand "notices were missed" test "$dropped" -gt 0
  conclude T18+T19 "sent=$sent" "modes=$((${#reduced} > 0 ? 3 : 4))" "missed=$dropped" "conflicts_recorded=$conflicts"
}
