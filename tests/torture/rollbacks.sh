# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T11: what was rolled back leaves nothing, what was committed leaves exactly itself
rounds=10000
reduced_rounds=200

# All ways of writing, each tried and rolled back, some of it in savepoints; then history and the queue are what was committed.
torture() {
  local before
  make_deals rollbacks 20
  settle
  query "CREATE TABLE IF NOT EXISTS public.committed (id uuid, value text)" >/dev/null
  before=$(scalar "SELECT count(*) FROM crm_bridge.history")
  {
    printf 'TRUNCATE public.committed;\n'
    for ((i = 1; i <= $1; i++)); do
      draw 8
      case $drawn in
        0) printf "BEGIN; UPDATE crm_bridge.crm_deal SET next_step = 'phantom %d' WHERE deal_name LIKE 'rollbacks %%'; ROLLBACK;\n" "$i" ;;
        1) printf "BEGIN; INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES ('phantom %d', 'Qualification'); SAVEPOINT a; DELETE FROM crm_bridge.crm_deal WHERE deal_name = 'phantom %d'; ROLLBACK;\n" "$i" "$i" ;;
        2) printf "BEGIN; DELETE FROM crm_bridge.crm_deal WHERE deal_name = 'rollbacks 3'; ROLLBACK;\n" ;;
        3) printf "BEGIN; SAVEPOINT a; UPDATE crm_bridge.crm_deal SET next_step = 'phantom %d' WHERE deal_name = 'rollbacks 1'; ROLLBACK TO a; UPDATE crm_bridge.crm_deal SET next_step = 'real %d' WHERE deal_name = 'rollbacks 2'; INSERT INTO public.committed SELECT id, 'real %d' FROM crm_bridge.crm_deal WHERE deal_name = 'rollbacks 2'; COMMIT;\n" "$i" "$i" "$i" ;;
        4) printf "BEGIN; COPY crm_bridge.crm_deal (deal_name, stage) FROM STDIN;\nphantom %d\tQualification\n\\\\.\nROLLBACK;\n" "$i" ;;
        5) printf "BEGIN; MERGE INTO crm_bridge.crm_deal AS d USING (VALUES ('rollbacks 4')) AS v (n) ON d.deal_name = v.n WHEN MATCHED THEN UPDATE SET next_step = 'phantom %d'; ROLLBACK;\n" "$i" ;;
        6) printf "BEGIN; INSERT INTO crm_bridge.crm_deal (id, org_id, deal_name, stage) SELECT id, org_id, deal_name, stage FROM crm_bridge.crm_deal WHERE deal_name = 'rollbacks 5' ON CONFLICT (org_id, id) DO UPDATE SET next_step = 'phantom %d'; ROLLBACK;\n" "$i" ;;
        7) printf "UPDATE crm_bridge.crm_deal SET next_step = 'x %d', amount = 1 / 0 WHERE deal_name = 'rollbacks 6';\n" "$i" ;;
      esac
    done
  } >"$SESSION/rollbacks.sql"
  psql -X -q -f "$SESSION/rollbacks.sql" >/dev/null 2>"$SESSION/rollbacks.log" || true
  demand "only the division failed" test -z "$(grep ERROR "$SESSION/rollbacks.log" | grep -v 'division by zero' | head -n 1)"
  phantom=$(scalar "SELECT (SELECT count(*) FROM crm_bridge.history WHERE old::text LIKE '%phantom%') + (SELECT count(*) FROM crm_bridge.crm_deal WHERE deal_name LIKE 'phantom%' OR next_step LIKE 'phantom%')")
  missing=$(scalar "SELECT count(*) FROM public.committed AS c LEFT JOIN crm_bridge.crm_deal AS d ON d.id = c.id WHERE d.next_step IS DISTINCT FROM (SELECT value FROM public.committed ORDER BY substring(value FROM '\d+')::int DESC LIMIT 1)")
  # One history row a committed change by the app; those of before and what the service confirmed are not the app's.
  counted=$(scalar "SELECT count(*) FROM crm_bridge.history WHERE module = 'crm_deal' AND origin = 'app' AND operation = 'update' AND record_id IN (SELECT id FROM public.committed)")
  demand "history has the committed changes and no other ($counted of $(scalar "SELECT count(*) FROM public.committed"))" test "$counted" = "$(scalar "SELECT count(*) FROM public.committed")"
  demand "no phantom" test "$phantom" = 0
  demand "nothing missing" test "$missing" = 0
  conclude T11 "rolled_back=$1" "phantom=$phantom" "missing=$missing"
}
