-- SPDX-License-Identifier: PostgreSQL
-- A transaction at REPEATABLE READ may see too little to merge: it leaves requests, and reconcile settles them (design §5).
BEGIN;
\ir fixture/tools.psql
SELECT plan(11);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql
COMMIT;

BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE crm_bridge.crm_task SET subject = 'Install', priority = 'High' WHERE id = :'crm_1';
SELECT results_eq('SELECT r.module, r.record_id, r.link_id, r.operation, r.fields, r.old FROM crm_bridge.reconcile_request AS r',
  format($$ VALUES ('crm_task', %L::uuid, %L::uuid, 'propagate', '{subject,priority}'::text[], '{"priority": "Normal", "subject": "task 1"}'::jsonb) $$, :'crm_1', :'link_1'),
  'a change leaves a request for its link, with the values before');
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_1'), 'task 1', 'the twin is not touched');
SELECT results_eq('SELECT operation, origin, module FROM events', $$ VALUES ('update', 'app', 'crm_task') $$, 'the change itself is captured as always');
SELECT pg_temp.refused(format($$ SELECT * FROM crm_bridge.claim('zoho_crm', 10, %L) $$, :'lease'), '25000', 'READ COMMITTED', 'claim does not run with an old snapshot');
COMMIT;

BEGIN;
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('zoho_crm', 10, %L) $$, :'lease'), 'and is not sent before both faces agree');
SELECT results_eq('SELECT * FROM crm_bridge.reconcile_backlog()', ARRAY[1::bigint], 'the worker sees where there is something to settle');
SELECT is(crm_bridge.reconcile(), 0, 'reconcile settles it');
SELECT results_eq(format('SELECT name, priority FROM crm_bridge.projects_task WHERE id = %L', :'projects_1'), $$ VALUES ('Install', 'high') $$, 'the twin has followed');
SELECT results_eq('SELECT h.operation, h.origin, h.actor FROM crm_bridge.history AS h WHERE h.module = ''projects_task''', $$ VALUES ('update', 'bridge', 'crm_bridge reconcile') $$, 'and history tells how');
SELECT is(pg_temp.send_all(:'lease'), 2, 'now both services get it');

SELECT r.outcome FROM crm_bridge.shadow AS s, crm_bridge.receive('projects_project', jsonb_build_array(jsonb_build_object('external_id', s.external_id, 'version', clock_timestamp(),
  'fields', '{"is_strict": true, "end_date": "2026-03-31"}'::jsonb)), clock_timestamp()) AS r WHERE s.record_id = :'project' \g /dev/null
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET due_date = '2026-04-15' WHERE id = %L $$, :'crm_1'), '23514', 'is strict', 'B5: what Projects is bound to refuse fails at once all the same');

SELECT * FROM finish();
ROLLBACK;
