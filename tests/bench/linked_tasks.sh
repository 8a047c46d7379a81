# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Many linked tasks for the benchmarks, as they are after a sync: pairs in step, 1,000 about one deal and in one strict project.

make_organization() {
  query "SELECT crm_bridge.create_organization(1, 'Bench', time_zone => 'Europe/Berlin')" >/dev/null
  query "CREATE FUNCTION public.task_id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
         RETURN ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
}

# load_tasks PREFIX COUNT : into the tables PREFIX""crm_task and PREFIX""projects_task.
load_tasks() {
  query "SET session_replication_role = replica;
    INSERT INTO $1crm_task (org_id, id, external_id, subject, description, due_date, status, priority, deal_id)
    SELECT 1, task_id(n), 'l' || n, 'Task ' || n, repeat('words about the task ', 5), '2026-12-01', 'Not Started', 'High',
           task_id(10000000 + n / 1000) FROM generate_series(1, $2) AS n;
    INSERT INTO $1projects_task (org_id, id, external_id, name, description, end_date, is_completed, priority, project_id)
    SELECT 1, task_id(20000000 + n), 'r' || n, 'Task ' || n, repeat('words about the task ', 5), '2026-12-01 17:00+01', false, 'high',
           task_id(30000000 + n / 1000) FROM generate_series(1, $2) AS n" >/dev/null
}

# load_links PREFIX COUNT : the projects of the tasks and the links of the pairs.
load_links() {
  query "SET session_replication_role = replica;
    INSERT INTO $1projects_project (org_id, id, external_id, name, is_strict, start_date, end_date)
    SELECT 1, task_id(30000000 + n), 'p' || n, 'Project ' || n, true, '2026-01-01', '2099-12-31' FROM generate_series(0, $2 / 1000) AS n;
    INSERT INTO $1link (org_id, pairing, left_id, right_id)
    SELECT 1, 'task_task', task_id(n), task_id(20000000 + n) FROM generate_series(1, $2) AS n" >/dev/null
}
