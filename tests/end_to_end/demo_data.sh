# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Real input: a CRM full of deals is read, and every won deal gets its project.

sandbox_projects_limit=1000000    # requests in two minutes that the demo's Projects takes; the real one takes 100

# Prints how far it is until COMMAND succeeds.
watch_until() {
  local description=$1 seconds=$2 progress=$3 last='' now
  shift 3
  local deadline=$((SECONDS + seconds))
  until "$@"; do
    ((SECONDS < deadline)) || { complain "gave up after $seconds s waiting for: $description"; return 1; }
    now=$(query "$progress" 2>/dev/null || true)
    [[ $now == "$last" ]] || tell "$description: $now"
    last=$now
    sleep 1
  done
}

play_real_input() {
  local won began
  chapter "A CRM with real sales data: $DEMO_DATA"
  as_person POST /control/import/crm-sales "{\"directory\":\"$DEMO_DATA\"}" | jq -c . | sed 's/^/   /'
  tell "Projects' request limit is raised to $sandbox_projects_limit in two minutes for this demo (the real one is 100)."

  chapter "The worker reads it"
  PROJECTS_REQUESTS_PER_WINDOW=$sandbox_projects_limit set_up_bridge
  began=$SECONDS
  start_worker worker --config "$SESSION/worker.toml" run
  activate_portal
  query "SELECT crm_bridge.resync('crm_deal')" >/dev/null
  watch_until "deals read" 300 "SELECT COALESCE(string_agg(module || ' ' || done || COALESCE(' of ' || expected, ''), ', ' ORDER BY module), 'starting')
      FROM crm_bridge.run WHERE kind = 'initial_sync' AND service = 'zoho_crm' AND state = 'running'" \
    query_gives t "SELECT count(*) >= $(as_person GET /control/crm/Deals | jq 'if type == "array" then length else ((.data // .records) | length) end') FROM crm_bridge.crm_deal"
  tell "read in $((SECONDS - began)) s"
  show "SELECT (SELECT count(*) FROM crm_bridge.crm_account) AS accounts, (SELECT count(*) FROM crm_bridge.crm_user) AS users,
               count(*) AS deals, count(*) FILTER (WHERE stage = 'Closed Won') AS won,
               count(*) FILTER (WHERE account_id IS NULL) AS without_account FROM crm_bridge.crm_deal"

  chapter "What would be done: create_projects_from_won_deals(dry_run => true)"
  won=$(query "SELECT count(*) FROM crm_bridge.create_projects_from_won_deals(100000, dry_run => true)")
  tell "$won deals are won and have no project; at Projects' real limit (100 requests in 2 minutes for each kind of request)"
  tell "making $won projects takes about $((won * 2 / 100)) minutes."

  chapter "Doing it"
  began=$SECONDS
  query "SELECT crm_bridge.create_projects_from_won_deals(100000, dry_run => false)" >/dev/null
  tell "in the database after $((SECONDS - began)) s; the worker sends"
  watch_until "projects made" 1200 "SELECT count(*) FILTER (WHERE external_id IS NOT NULL) || ' of ' || count(*) FROM crm_bridge.projects_project" nothing_is_on_its_way
  tell "in Projects after $((SECONDS - began)) s"

  chapter "The result"
  show "SELECT count(*) AS projects, count(*) FILTER (WHERE in_step) AS in_step, count(deal_id) AS linked_to_deal, count(account_id) AS linked_to_account,
               count(DISTINCT deal_id) AS deals FROM crm_bridge.project_progress"
  tell "Projects itself counts $(projects_api projects | jq 'if type == "array" then length else ((.projects // .data) | length) end') projects."
  chapter "Won deals that have none, and why"
  show "SELECT COALESCE(reason, 'none') AS reason, count(*) FROM crm_bridge.create_projects_from_won_deals(100000, dry_run => true) GROUP BY 1 ORDER BY 2 DESC"
  chapter "Records that need a person"
  show "SELECT module, state, reason, count(*) FROM crm_bridge.dead_letters GROUP BY 1, 2, 3 ORDER BY 4 DESC"
  show "SELECT account, count(*) AS projects FROM crm_bridge.account_projects GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5"
}
