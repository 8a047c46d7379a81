-- SPDX-License-Identifier: PostgreSQL
-- Mass changes wait for a person, a no is remembered, and what a run did can be taken back (B6, B7, B8).
BEGIN;
\ir fixture/tools.psql
SELECT plan(65);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
\ir fixture/history.psql
\ir fixture/linked_tasks.psql

SELECT crm_bridge.set_setting('mass_change_limit', '3') AS set \gset
SELECT count(*) AS received FROM crm_bridge.receive('crm_lead', (SELECT jsonb_agg(jsonb_build_object('external_id', 'l' || n, 'version', '2026-01-01T00:00:00Z', 'fields', jsonb_build_object('last_name', 'Lead ' || n)))
  FROM generate_series(1, 9) AS n), clock_timestamp()) \gset
CREATE FUNCTION pg_temp.gone(variadic ids text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(r.outcome, ' ' ORDER BY r.external_id) FROM crm_bridge.receive('crm_lead', (SELECT jsonb_agg(jsonb_build_object('external_id', i, 'deleted', true)) FROM unnest(ids) AS i), clock_timestamp()) AS r $$;
CREATE FUNCTION pg_temp.told(run uuid, version text, variadic ids text[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(r.outcome, ' ' ORDER BY r.external_id) FROM crm_bridge.receive('crm_lead', (SELECT jsonb_agg(jsonb_build_object('external_id', i, 'version', version || 'T00:00:00Z', 'fields', jsonb_build_object('company', version))) FROM unnest(ids) AS i), clock_timestamp(), run) AS r $$;
CREATE FUNCTION pg_temp.held() RETURNS uuid LANGUAGE sql AS $$ SELECT run_id FROM crm_bridge.run WHERE kind = 'mass_change' ORDER BY run_id DESC LIMIT 1 $$;

-- Deletions from the service ---------------------------------------------------------------------------------------

SELECT is(pg_temp.gone('l1', 'l2'), 'deleted deleted', 'B7: a few deletions pass');
SELECT is(pg_temp.gone('l3', 'l4'), 'held held', 'B7: the excess is held');
SELECT is((SELECT count(*) FROM crm_bridge.crm_lead), 7::bigint, 'B7: nothing of it happens');
SELECT results_eq('SELECT kind, state, module, expected FROM crm_bridge.run WHERE run_id = pg_temp.held()', $$ VALUES ('mass_change', 'held', 'crm_lead', 2::bigint) $$, 'B7: a run waits');
SELECT is(pg_temp.gone('l3', 'l4', 'l5'), 'held held held', 'B7: told again it is still held');
SELECT results_eq('SELECT count(*), max(expected) FROM crm_bridge.run WHERE kind = ''mass_change''', $$ VALUES (1::bigint, 3::bigint) $$, 'B7: and asked once, with what came to it');
SELECT results_eq($$ SELECT topic, state, reason FROM crm_bridge.explain_sync((SELECT id FROM crm_bridge.crm_lead WHERE external_id = 'l3')) WHERE topic = 'held' $$, $$ VALUES ('held', 'held', 'held') $$, 'B4: explain_sync says that a deletion is held');
SELECT pg_temp.refused(format('SELECT crm_bridge.approve_run(%L)', crm_bridge.new_id()), '42704', 'does not exist', 'a run that there is not');
SELECT is(crm_bridge.approve_run(pg_temp.held()), 3, 'B7: approved');
SELECT set_eq($$ SELECT external_id, event FROM crm_bridge.inbox $$, $$ VALUES ('l3', 'missing'), ('l4', 'missing'), ('l5', 'missing') $$, 'B7: what was held is read again');
SELECT is(pg_temp.gone('l3', 'l4', 'l5'), 'deleted deleted deleted', 'B7: and then it passes');
SELECT pg_temp.refused(format('SELECT crm_bridge.reject_run(%L)', pg_temp.held()), '55000', 'is not held\nIts state is finished', 'decided once');
SELECT is(pg_temp.gone('l6', 'l7'), 'held held', 'B7: the next excess is a new question');
SELECT is(crm_bridge.reject_run(pg_temp.held()), 2, 'B7: rejected');
SELECT is(pg_temp.gone('l6', 'l7'), 'held held', 'B7: the no is remembered');
SELECT is((SELECT count(*) FROM crm_bridge.run WHERE state = 'held'), 0::bigint, 'B7: and nobody is asked again');
SELECT is((SELECT count(*) FROM crm_bridge.crm_lead WHERE external_id IN ('l6', 'l7')), 2::bigint, 'B7: the records stay');

-- Overwrites of a run ----------------------------------------------------------------------------------------------

SELECT crm_bridge.set_setting('mass_overwrite_limit', '1') AS set \gset
SELECT crm_bridge.start_run('poll', 'zoho_crm', 'crm_lead') AS poll \gset
SELECT is(pg_temp.told(:'poll', '2026-02-01', 'l8'), 'updated', 'B7: an overwrite passes');
SELECT is(pg_temp.told(:'poll', '2026-02-01', 'l6', 'l9'), 'held held', 'B7: the excess of the run does not');
SELECT is(crm_bridge.reject_run(pg_temp.held()), 2, 'B7: rejected');
SELECT is(pg_temp.told(:'poll', '2026-02-01', 'l9'), 'held', 'B7: that version is not asked again');
SELECT is(pg_temp.told(NULL, '2026-03-01', 'l9'), 'updated', 'B7: a person''s newer edit counts');
SELECT crm_bridge.finish_run(:'poll', 'finished') AS finished \gset

-- Deletions for the service ----------------------------------------------------------------------------------------

SELECT crm_bridge.set_setting('mass_change_limit', '2') AS set \gset
SELECT pg_temp.forget() AS forgotten \gset
CREATE TEMP TABLE before AS SELECT id, external_id, last_name, company FROM crm_bridge.crm_lead;
DELETE FROM crm_bridge.crm_lead;
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_crm', 100, :'lease', org_id => 1)), 0::bigint, 'B7: many deletions here are not sent');
SELECT results_eq('SELECT state, reason, count(*) FROM crm_bridge.delivery GROUP BY 1, 2', $$ VALUES ('held', 'mass_change', 4::bigint) $$, 'B7: they are held');
SELECT is(crm_bridge.reject_run(pg_temp.held()), 4, 'B7: a no');
SELECT set_eq('SELECT id, external_id, last_name, company FROM crm_bridge.crm_lead', 'SELECT * FROM before', 'B7: brings them back as they were');
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_crm', 100, :'lease', org_id => 1)), 0::bigint, 'B7: and the service has nothing to delete or create');
DELETE FROM crm_bridge.crm_lead;
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_crm', 100, :'lease', org_id => 1)), 0::bigint, 'B7: deleted again they are a new question');
SELECT is(crm_bridge.approve_run(pg_temp.held()), 4, 'B7: a yes');
SELECT results_eq(format($$ SELECT operation, count(*) FROM crm_bridge.claim('zoho_crm', 100, %L, org_id => 1) GROUP BY 1 $$, :'lease'), $$ VALUES ('delete', 4::bigint) $$, 'B7: and they are deleted at the service');
SELECT crm_bridge.acknowledge(:'lease', (SELECT jsonb_agg(jsonb_build_object('module', module, 'record_id', record_id)) FROM crm_bridge.delivery), 1) \g /dev/null
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 0::bigint, 'B7: for good');
SELECT crm_bridge.set_setting('mass_change_limit', '1000') AS set \gset

-- Overwrites that are approved.
SELECT crm_bridge.start_run('poll', 'zoho_crm', 'crm_task') AS poll \gset
CREATE FUNCTION pg_temp.described(run uuid) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(r.outcome, ' ' ORDER BY r.outcome) FROM crm_bridge.receive('crm_task', (SELECT jsonb_agg(jsonb_build_object('external_id', t.external_id, 'version', '2090-01-01T00:00:00Z', 'fields', jsonb_build_object('description', 'overwritten')))
    FROM crm_bridge.crm_task AS t), clock_timestamp(), run) AS r $$;
SELECT is(pg_temp.described(:'poll'), 'held held held', 'B7: overwrites beyond the limit wait');
SELECT is(crm_bridge.approve_run(pg_temp.held()), 3, 'B7: a yes');
SELECT results_eq($$ SELECT event, count(*) FROM crm_bridge.inbox WHERE module = 'crm_task' GROUP BY 1 $$, $$ VALUES ('update', 3::bigint) $$, 'B7: they are read again');
SELECT is(pg_temp.described(NULL), 'updated updated updated', 'B7: and taken');
SELECT crm_bridge.finish_run(:'poll', 'finished') AS finished \gset
UPDATE crm_bridge.crm_task SET description = NULL;
SELECT pg_temp.send_all(:'lease') AS sent \gset

-- Creations of the bridge for the other side -----------------------------------------------------------------------

SELECT crm_bridge.set_setting('mass_create_limit', '3') AS set \gset
INSERT INTO crm_bridge.crm_deal (deal_name, stage) SELECT 'Deal ' || n, 'Closed Won' FROM generate_series(1, 5) AS n;
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
SELECT is(:sent, 5, 'B7: what an app inserts is its own doing, however much it is');
SELECT count(crm_bridge.create_project_from_deal(d.id)) AS made FROM crm_bridge.crm_deal AS d WHERE d.deal_name LIKE 'Deal %' \gset
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_projects', 2, :'lease', org_id => 1)), 2::bigint, 'B7: some projects for deals pass (one was made before)');
SELECT crm_bridge.fail(:'lease', (SELECT jsonb_agg(jsonb_build_object('module', module, 'record_id', record_id, 'outcome', 'retry', 'reason', 'rate_limited')) FROM crm_bridge.delivery WHERE state = 'in_flight'), 1) \g /dev/null
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1)), 2::bigint, 'B7: tried again they count once, and the excess is not sent');
SELECT results_eq($$ SELECT reason, count(*) FROM crm_bridge.delivery WHERE state = 'held' GROUP BY 1 $$, $$ VALUES ('mass_change', 3::bigint) $$, 'B7: it is held');
SELECT results_eq('SELECT kind, state, module, expected FROM crm_bridge.run WHERE run_id = pg_temp.held()', $$ VALUES ('mass_change', 'held', 'projects_project', 3::bigint) $$, 'B7: a run waits');
UPDATE crm_bridge.projects_project SET description = 'edited meanwhile' WHERE name LIKE 'Deal %';
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1)), 0::bigint, 'B7: an edit does not release it');
SELECT is(crm_bridge.reject_run(pg_temp.held()), 3, 'B7: a no');
SELECT is((SELECT count(*) FROM crm_bridge.projects_project WHERE name LIKE 'Deal %'), 5::bigint, 'B7: the projects stay here');
SELECT results_eq($$ SELECT state, reason, count(*) FROM crm_bridge.dead_letters GROUP BY 1, 2 $$, $$ VALUES ('parked', 'rejected', 3::bigint) $$, 'B7: and are not sent');
SELECT record_id AS one FROM crm_bridge.dead_letters LIMIT 1 \gset
UPDATE crm_bridge.projects_project SET description = 'edited again' WHERE name LIKE 'Deal %';
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1)), 0::bigint, 'B7: the no is remembered, also when they are edited');
SELECT is((SELECT count(*) FROM crm_bridge.run WHERE state = 'held'), 0::bigint, 'B7: and nobody is asked again');
SELECT is(crm_bridge.retry(), 0, 'B7: retry() of all leaves them alone');
SELECT crm_bridge.retry(:'one') \g /dev/null
SELECT results_eq(format($$ SELECT record_id, operation FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'), format($$ VALUES (%L::uuid, 'create') $$, :'one'), 'B7: retry() of one sends it after all');
INSERT INTO crm_bridge.crm_deal (deal_name, stage) SELECT 'More ' || n, 'Closed Won' FROM generate_series(1, 2) AS n;
SELECT count(crm_bridge.create_project_from_deal(d.id)) AS made FROM crm_bridge.crm_deal AS d WHERE d.deal_name LIKE 'More %' \gset
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1)), 0::bigint, 'B7: the next excess is a new question');
SELECT is(crm_bridge.approve_run(pg_temp.held()), 2, 'B7: a yes');
SELECT results_eq(format($$ SELECT operation, fields ->> 'name' FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) ORDER BY 2 $$, :'lease'), $$ VALUES ('create', 'More 1'), ('create', 'More 2') $$, 'B7: and they are made');
SELECT crm_bridge.set_setting('mass_create_limit', '0') AS set \gset
DELETE FROM crm_bridge.delivery;

-- A run taken back -------------------------------------------------------------------------------------------------

SELECT crm_bridge.set_setting('mass_overwrite_limit', '0') AS set \gset
SELECT pg_temp.forget() AS forgotten \gset
SELECT external_id AS remote_1 FROM crm_bridge.crm_task WHERE id = :'crm_1' \gset
SELECT external_id AS remote_2 FROM crm_bridge.crm_task WHERE id = :'crm_2' \gset
SELECT external_id AS remote_3 FROM crm_bridge.crm_task WHERE id = :'crm_3' \gset
SELECT crm_bridge.start_run('poll', 'zoho_crm', 'crm_task') AS bad \gset
SELECT pg_temp.refused(format('SELECT crm_bridge.undo_run(%L)', :'bad'), '55000', 'cannot be undone\nIts state is running', 'B8: a run that goes on is not undone');
SELECT count(*) AS received FROM crm_bridge.receive('crm_task', jsonb_build_array(
  jsonb_build_object('external_id', :'remote_1', 'version', '2100-01-01T00:00:00Z', 'fields', '{"subject": "bad 1", "priority": "High"}'::jsonb),
  jsonb_build_object('external_id', :'remote_2', 'version', '2100-01-01T00:00:00Z', 'fields', '{"subject": "bad 2", "due_date": "2027-01-01"}'::jsonb),
  jsonb_build_object('external_id', :'remote_3', 'deleted', true)), '2100-01-01', :'bad') \gset
SELECT crm_bridge.finish_run(:'bad', 'finished') AS finished \gset
UPDATE crm_bridge.crm_task SET due_date = '2027-02-02' WHERE id = :'crm_2';
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT results_eq('SELECT label FROM pair WHERE projects_id IS NOT NULL ORDER BY 1', ARRAY['bad 1', 'bad 2', 'task 3'], 'B8: the run did harm, on both faces');
SELECT crm_bridge.undo_run(:'bad') AS undone \gset
SELECT is(:'undone'::jsonb - 'run_id' - 'changed_since' - 'not_restored', '{"restored": 4, "recreated": 1, "inserted": 0}'::jsonb, 'B8: undone on both faces');
SELECT is(:'undone'::jsonb -> 'changed_since', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'crm_2', 'fields', '["due_date"]'::jsonb),
  jsonb_build_object('module', 'projects_task', 'record_id', :'projects_2', 'fields', '["end_date"]'::jsonb)), 'B8: what changed since is listed, on both faces');
SELECT is(:'undone'::jsonb -> 'not_restored', jsonb_build_array(jsonb_build_object('record_id', :'crm_3', 'pairing', 'task_task', 'twin', :'projects_3')), 'B8: and what hung on what it deleted');
SELECT results_eq('SELECT subject, due_date FROM crm_bridge.crm_task ORDER BY subject', $$ VALUES ('task 1', NULL::date), ('task 2', '2027-02-02'), ('task 3', NULL) $$, 'B8: the values from before are back, but what changed since');
SELECT results_eq('SELECT name FROM crm_bridge.projects_task ORDER BY 1', ARRAY['task 1', 'task 2', 'task 3'], 'B8: on the other face too');
SELECT is((SELECT external_id FROM crm_bridge.crm_task WHERE id = :'crm_3'), NULL, 'B8: what is made anew has no remote id yet');
SELECT set_eq(format('SELECT operation, record_id::text FROM crm_bridge.claim(%L, 100, %L, org_id => 1)', 'zoho_crm', :'lease'),
  format($$ VALUES ('update', %L), ('update', %L), ('create', %L) $$, :'crm_1', :'crm_2', :'crm_3'), 'B8: the compensation is sent');
SELECT is((SELECT state FROM crm_bridge.run WHERE run_id = :'bad'), 'undone', 'B8: the run is undone');
SELECT pg_temp.refused(format('SELECT crm_bridge.undo_run(%L)', :'bad'), '55000', 'Its state is undone', 'B8: once');
SELECT results_eq(format('SELECT kind, state, done FROM crm_bridge.run WHERE run_id = %L', :'undone'::jsonb ->> 'run_id'), $$ VALUES ('undo', 'finished', 5::bigint) $$, 'B8: undoing is a run itself');
SELECT crm_bridge.undo_run((:'undone'::jsonb ->> 'run_id')::uuid) AS redone \gset
SELECT results_eq(format('SELECT subject FROM crm_bridge.crm_task WHERE id IN (%L, %L) ORDER BY 1', :'crm_1', :'crm_2'), ARRAY['bad 1', 'bad 2'], 'B8: and can be undone in its turn');
SELECT is((SELECT count(*) FROM crm_bridge.history AS h WHERE h.run_id IS NULL AND h.at > (SELECT r.started_at FROM crm_bridge.run AS r WHERE r.run_id = (:'undone'::jsonb ->> 'run_id')::uuid) AND h.old ? 'priority'), 0::bigint, 'B6: every row of history that it caused is known by it');

SELECT * FROM finish();
ROLLBACK;
