#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What rights cost: the flags on a write of a person, row security with tab and View on a scan of 1,000,000 rows.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

scanned=${BENCH_ROWS:-1000000}

# Rows of a mirror without its triggers: what is measured is reading them.
set_up() {
  query "SELECT crm_bridge.create_organization(1, 'Bench')" >/dev/null
  query "SELECT crm_bridge.receive('crm_profile', '[{\"external_id\": \"sales\", \"fields\": {\"name\": \"Sales\"}}]', now());
         SELECT crm_bridge.receive('crm_user', '[{\"external_id\": \"ben\", \"fields\": {\"email\": \"ben@zylker.example\", \"status\": \"active\", \"profile_id\": \"sales\"}}]', now())" >/dev/null
  query "SELECT crm_bridge.set_profile_permission('Sales', true, true, true, true, true);
         CREATE ROLE app LOGIN; SELECT crm_bridge.grant_app('app');
         CREATE ROLE ben LOGIN; SELECT crm_bridge.grant_app('ben', acts_as => 'ben@zylker.example')" >/dev/null
  query "SET session_replication_role = replica;
         INSERT INTO crm_bridge.projects_task (org_id, external_id, name, priority, description)
         SELECT 1, n, 'Task ' || n, 'low', repeat('words about the task ', 5) FROM generate_series(1, $scanned) AS n" >/dev/null
  query "CREATE TABLE public.bare (LIKE crm_bridge.projects_task); INSERT INTO public.bare SELECT * FROM crm_bridge.projects_task;
         GRANT SELECT ON public.bare TO app, ben; GRANT CREATE ON SCHEMA public TO app" >/dev/null
  query 'VACUUM ANALYZE crm_bridge.projects_task' && query 'VACUUM ANALYZE public.bare'
}

print_circumstances
say "$scanned tasks; medians of $rounds rounds of $seconds s; neither parallel query nor JIT, so that what is compared is a row's cost"
set_up
query "ALTER DATABASE $PGDATABASE SET max_parallel_workers_per_gather = 0; ALTER DATABASE $PGDATABASE SET jit = off"

printf '\\set n random(1, %d)\n%s\n' "$scanned" "UPDATE crm_bridge.projects_task SET priority = CASE priority WHEN 'low' THEN 'high' ELSE 'low' END WHERE org_id = 1 AND external_id = :n::text;" >"$SESSION/write.sql"
printf '\\set n random(1, %d)\n%s\n' $((scanned / 1000)) "UPDATE crm_bridge.projects_task SET priority = CASE priority WHEN 'low' THEN 'high' ELSE 'low' END WHERE org_id = 1 AND external_id = ANY (ARRAY(SELECT (1000 * (:n - 1) + g)::text FROM generate_series(1, 1000) AS g));" >"$SESSION/write_many.sql"
echo 'SELECT count(*), max(name) FROM public.bare;' >"$SESSION/scan_bare.sql"
echo 'SELECT count(*), max(name) FROM public.bare WHERE org_id = 1;' >"$SESSION/scan_filter.sql"
echo 'SELECT count(*), max(name) FROM crm_bridge.projects_task;' >"$SESSION/scan.sql"
as() { PGUSER=$1 measure "${@:2}"; }

for ((round = 1; round <= rounds; round++)); do
  as postgres write.owner "$SESSION/write.sql" 1
  as app write.app "$SESSION/write.sql" 1
  as ben write.person "$SESSION/write.sql" 1
  query 'VACUUM crm_bridge.projects_task, crm_bridge.delivery; TRUNCATE crm_bridge.history' 2>/dev/null || true
  as app many.app "$SESSION/write_many.sql" 1
  as ben many.person "$SESSION/write_many.sql" 1
done
query 'VACUUM FULL crm_bridge.projects_task' && query 'VACUUM ANALYZE crm_bridge.projects_task'
for ((round = 1; round <= rounds; round++)); do
  as ben scan.bare "$SESSION/scan_bare.sql" 1
  as ben scan.filter "$SESSION/scan_filter.sql" 1
  as ben scan.person "$SESSION/scan.sql" 1
  as postgres scan.owner "$SESSION/scan.sql" 1
done

printf '\n  %-32s %14s %14s\n' '' 'statements/s' 'server µs'
for side in write.owner write.app write.person many.app many.person scan.bare scan.filter scan.owner scan.person; do
  printf '  %-32s %14.1f %14.1f\n' "$side" "$(median_of $side)" "$(median_of $side 2)"
done
judge "µs a person's flags add to a row, of 1,000 rows" "$(paste -d ' ' "$results/many.person" "$results/many.app" | awk '{ print ($2 - $4) / 1000 }' | median)" 2 at_most
judge "scan with row security, tab and View / the bare table" "$(ratio_of scan.person scan.bare 2)" 1.10 at_most
judge "the same / the bare table with a plain WHERE org_id = 1" "$(ratio_of scan.person scan.filter 2)" 1.10 at_most
judge "the same / the same table as its owner" "$(ratio_of scan.person scan.owner 2)" 1.10 at_most
conclude
