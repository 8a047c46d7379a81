#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# How long an answer takes about one record among 1,000,000 links: explain_sync(), record_at(), open_conflicts; and the end of one
# of the links, when its task is deleted.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"
# shellcheck source=tests/bench/linked_tasks.sh
source "$bench/linked_tasks.sh"

links=${BENCH_RECORDS:-1000000}

# What a system in use holds besides links: shadows of all records, a change in 100 waits, one in 1,000 has a conflict; history.
load_state() {
  query "SET session_replication_role = replica;
    INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, version, fields, read_at)
    SELECT 1, task_id(n), 'crm_task', 'l' || n, now(), jsonb_build_object('subject', 'Task ' || n), now() FROM generate_series(1, $links) AS n
    UNION ALL
    SELECT 1, task_id(20000000 + n), 'projects_task', 'r' || n, now(), jsonb_build_object('name', 'Task ' || n), now() FROM generate_series(1, $links) AS n;
    INSERT INTO crm_bridge.delivery (org_id, record_id, module, service, fields)
    SELECT 1, task_id(n), 'crm_task', 'zoho_crm', '{subject}' FROM generate_series(1, $links, 100) AS n;
    INSERT INTO crm_bridge.conflict (org_id, module, record_id, link_id, field, other_field, left_value, right_value, left_at, right_at, winner, reason)
    SELECT 1, 'crm_task', l.left_id, l.link_id, 'subject', 'name', '\"mine\"', '\"yours\"', now(), now(), 'left', 'newest'
      FROM generate_series(1, $links, 1000) AS n JOIN crm_bridge.link AS l ON l.org_id = 1 AND l.left_id = task_id(n);
    INSERT INTO crm_bridge.history (org_id, record_id, module, operation, origin, actor, transaction_id, at, event_id, old)
    SELECT 1, task_id(n), 'crm_task', 'update', 'app', 'bench', pg_current_xact_id(), now(), crm_bridge.new_id(), '{\"subject\": \"before\"}' FROM generate_series(1, $links) AS n" >/dev/null
  query 'VACUUM ANALYZE'
}

print_circumstances
say "$links links, $((2 * links)) records; medians of $rounds rounds of $seconds s"
make_organization
load_tasks crm_bridge. "$links"
load_links crm_bridge. "$links"
load_state

printf '\\set n random(1, %d)\n%s\n' "$links" 'SELECT * FROM crm_bridge.explain_sync(task_id(:n));' >"$SESSION/explain.sql"
printf '\\set n 100 * random(0, %d) + 1\n%s\n' $((links / 100 - 1)) 'SELECT * FROM crm_bridge.explain_sync(task_id(:n));' >"$SESSION/explain_pending.sql"
printf '\\set n random(1, %d)\n%s\n' "$links" 'SELECT * FROM crm_bridge.record_at(task_id(:n), now());' >"$SESSION/record_at.sql"
echo 'SELECT * FROM crm_bridge.open_conflicts LIMIT 50;' >"$SESSION/open_conflicts.sql"
printf '\\set n :n + 1\n%s\n' 'DELETE FROM crm_bridge.crm_task WHERE org_id = 1 AND id = task_id(:n);' >"$SESSION/delete_linked.sql"

scripts=(explain explain_pending record_at open_conflicts delete_linked)
for ((round = 1; round <= rounds; round++)); do
  for script in "${scripts[@]}"; do measure "$script" "$SESSION/$script.sql" 1 --define=n=$((round * links / 20)); done
done
for script in "${scripts[@]}"; do
  judge "ms a call of $script" "$(awk '{ print 1000 / $1 }' "$results/$script" | median)" 5 at_most
done
conclude
