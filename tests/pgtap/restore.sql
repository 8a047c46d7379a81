-- SPDX-License-Identifier: PostgreSQL
-- D2, third way: a linked record that is deleted on one side is made anew, whichever side it was and whoever deleted it.
BEGIN;
\ir fixture/tools.psql
SELECT plan(48);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

-- A service says that a record of ours is not there any more.
CREATE FUNCTION pg_temp.lose(module text, external_id text) RETURNS text LANGUAGE sql AS $$
  SELECT outcome FROM crm_bridge.receive(lose.module, jsonb_build_array(jsonb_build_object('external_id', lose.external_id, 'deleted', true)), clock_timestamp(), org_id => 1) $$;
CREATE FUNCTION pg_temp.external(record uuid) RETURNS text LANGUAGE sql STABLE AS $$ SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.record_id = record $$;
CREATE FUNCTION pg_temp.names(task uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT concat_ws('|', c.subject, p.name, l.state) FROM crm_bridge.link AS l LEFT JOIN crm_bridge.crm_task AS c ON c.id = l.left_id LEFT JOIN crm_bridge.projects_task AS p ON p.id = l.right_id
   WHERE l.pairing = 'task_task' AND task IN (l.left_id, l.right_id) $$;

SELECT pg_temp.refused($$ SELECT crm_bridge.set_on_delete('task_task', 'keep') $$, '22023', 'delete, unlink or restore', 'D2: there are three ways');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_on_delete('tasks', 'restore') $$, '42704', 'crm_bridge.pairing', 'D2: of a pairing that there is');
SELECT crm_bridge.set_on_delete('task_task', 'restore') \g /dev/null

-- Deleted at a service: made anew there, with an id of its own --------------------------------------------------------

SELECT pg_temp.external(:'crm_1') AS old_crm, pg_temp.external(:'projects_2') AS old_projects \gset
SELECT is(pg_temp.lose('crm_task', :'old_crm'), 'deleted', 'the CRM has deleted a linked task');
SELECT is(pg_temp.names(:'crm_1'), 'task 1|task 1|active', 'D2: it is here still, and its link goes on');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{}'::text[]) $$, 'it is to be made anew in the CRM, and nothing goes to Projects');
SELECT is((SELECT external_id FROM crm_bridge.crm_task WHERE id = :'crm_1'), NULL, 'the old id is forgotten');
SELECT results_eq(format($$ SELECT operation, external_id, fields ->> 'subject', fields ->> 'priority' FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'),
  $$ VALUES ('create', NULL, 'task 1', 'Normal') $$, 'D2: it goes out as a creation, with all that it had');
SELECT is(pg_temp.lose('crm_task', :'old_crm'), 'unchanged', 'the deletion told once more is nothing new');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'crm_1', 'external_id', 'anew-1', 'version', clock_timestamp())), 1) \g /dev/null
SELECT is(pg_temp.external(:'crm_1'), 'anew-1', 'D2: the link''s record has a new remote id');
SELECT is(pg_temp.lose('crm_task', :'old_crm'), 'unchanged', 'B9: nor is it days later');
SELECT is((SELECT count(*) FROM dirty), 0::bigint, 'nothing is left to send: no loop');
UPDATE crm_bridge.projects_task SET name = 'Renamed' WHERE id = :'projects_1';
SELECT is(pg_temp.names(:'crm_1'), 'Renamed|Renamed|active', 'changes travel over the link as before');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT is(pg_temp.lose('crm_task', 'anew-1'), 'deleted', 'deleted once more');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{}'::text[]) $$, 'D2: is made once more');
SELECT pg_temp.send_all(:'lease') AS sent \gset

SELECT is(pg_temp.lose('projects_task', :'old_projects'), 'deleted', 'Projects has deleted a linked task');
SELECT is(pg_temp.names(:'crm_2'), 'task 2|task 2|active', 'D2: likewise in the other direction');
SELECT results_eq(format($$ SELECT module, operation, fields ->> 'name', context ->> 'project_id' IS NOT NULL FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'),
  $$ VALUES ('projects_task', 'create', 'task 2', true) $$, 'D2: it is made anew in its project');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'projects_task', 'record_id', :'projects_2', 'external_id', 'anew-2', 'version', clock_timestamp())), 1) \g /dev/null
SELECT results_eq(format($$ SELECT t.external_id, pg_temp.external(t.id), (SELECT count(*) FROM dirty) FROM crm_bridge.projects_task AS t WHERE t.id = %L $$, :'projects_2'), $$ VALUES ('anew-2', 'anew-2', 0::bigint) $$, 'with an id of its own, and that is all');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 0::bigint, 'nobody else was at it: no conflict');

-- Deleted by an app: as if it had not been ---------------------------------------------------------------------------

DELETE FROM crm_bridge.crm_task WHERE id = :'crm_2';
SELECT is(pg_temp.names(:'projects_2'), 'task 2|task 2|active', 'D2: what an app deletes is back at once');
SELECT is((SELECT count(*) FROM dirty), 0::bigint, 'and no service is told anything');
DELETE FROM crm_bridge.projects_task WHERE id = :'projects_2';
SELECT is(pg_temp.names(:'crm_2'), 'task 2|task 2|active', 'D2: from the other side too');
SELECT results_eq(format($$ SELECT external_id, (SELECT count(*) FROM dirty) FROM crm_bridge.projects_task WHERE id = %L $$, :'projects_2'), $$ VALUES ('anew-2', 0::bigint) $$, 'under its id at the service');
SELECT results_eq(format($$ SELECT operation, origin FROM crm_bridge.history WHERE record_id = %L ORDER BY at DESC, event_id DESC LIMIT 2 $$, :'projects_2'), $$ VALUES ('insert', 'bridge'), ('delete', 'app') $$, 'B17: history has both');
-- The deletion is on its way already.
UPDATE crm_bridge.crm_task SET subject = 'On its way' WHERE id = :'crm_3';
SELECT pg_temp.send('zoho_projects', :'lease') AS sent \gset
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) \gset
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_3';
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'crm_3', 'external_id', pg_temp.external(:'crm_3'), 'version', clock_timestamp())), 1) \g /dev/null
SELECT is(pg_temp.names(:'projects_3'), 'On its way|On its way|active', 'D2: also while it was being sent');
SELECT is((SELECT count(*) FROM dirty WHERE operation = 'delete'), 0::bigint, 'nothing is to be deleted');
SELECT pg_temp.send_all(:'lease') AS sent \gset
-- What is being sent is not sent once more, and what was emptied is emptied there.
UPDATE crm_bridge.crm_task SET description = 'Two pallets' WHERE id = :'crm_3';
SELECT pg_temp.send_all(:'lease') AS sent \gset
UPDATE crm_bridge.crm_task SET subject = 'Being sent' WHERE id = :'crm_3';
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) \gset
UPDATE crm_bridge.crm_task SET description = NULL WHERE id = :'crm_3';
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_3';
SELECT is(pg_temp.names(:'projects_3'), 'Being sent|Being sent|active', 'D2: deleted while it is being sent, and emptied meanwhile');
SELECT results_eq(format('SELECT d.fields FROM crm_bridge.delivery AS d WHERE d.record_id = %L', :'crm_3'), $$ VALUES ('{description}'::text[]) $$, 'B9: only what the service does not have is due');
SELECT results_eq(format($$ SELECT a.outcome FROM crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', %L, 'external_id', pg_temp.external(%L), 'version', clock_timestamp())), 1) AS a $$, :'lease', :'crm_3', :'crm_3'), ARRAY['pending'], 'when the first is confirmed');
SELECT results_eq(format($$ SELECT c.fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) AS c $$, :'lease'), $$ VALUES ('{"description": null}'::jsonb) $$, 'B9: the other goes out');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'crm_3', 'external_id', pg_temp.external(:'crm_3'), 'version', clock_timestamp())), 1) \g /dev/null
SELECT pg_temp.send_all(:'lease') AS sent \gset
-- All of a statement.
DELETE FROM crm_bridge.crm_task;
SELECT is((SELECT count(*) FROM crm_bridge.crm_task), 3::bigint, 'D2: many at once');
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE pairing = 'task_task' AND state = 'active'), 3::bigint, 'with their links');

-- Deleted here, changed there, at a moment when nothing travels at once -------------------------------------------------

SET LOCAL crm_bridge.propagate_limit = 0;
UPDATE crm_bridge.projects_task SET name = 'Changed meanwhile' WHERE id = :'projects_3';
RESET crm_bridge.propagate_limit;
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_3';
SELECT is((SELECT count(*) FROM crm_bridge.crm_task WHERE id = :'crm_3'), 0::bigint, 'a change of the twin is on its way: reconcile decides');
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) AS c WHERE c.record_id = :'crm_3'), 0::bigint, 'and until then the service is told nothing');
SELECT is(crm_bridge.reconcile(), 0, 'reconcile settles it');
SELECT is(pg_temp.names(:'crm_3'), 'Changed meanwhile|Changed meanwhile|active', 'D2: the changed record is kept, and the deleted one is made anew with what it says now');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{subject}'::text[]), ('projects_task', 'write', 'pending', '{name}') $$, 'each service gets the change, none a deletion');
SELECT pg_temp.send_all(:'lease') AS sent \gset

-- And its service has changed it, too.
SET LOCAL crm_bridge.propagate_limit = 0;
UPDATE crm_bridge.projects_task SET name = 'Changed again' WHERE id = :'projects_3';
RESET crm_bridge.propagate_limit;
UPDATE crm_bridge.crm_task SET priority = 'High' WHERE id = :'crm_3';
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_3';
SELECT is((SELECT r.outcome FROM crm_bridge.receive('crm_task', jsonb_build_array(jsonb_build_object('external_id', pg_temp.external(:'crm_3'), 'version', '2100-01-01T00:00:00Z',
  'fields', '{"subject": "Changed meanwhile", "description": "Three pallets"}'::jsonb)), clock_timestamp(), org_id => 1) AS r), 'conflict', 'D2: changed there before the service was told: it is kept');
SELECT is(crm_bridge.reconcile(), 0, 'reconcile settles its link');
SELECT is(pg_temp.names(:'crm_3'), 'Changed again|Changed again|active', 'D2: what was changed at the twin is here');
SELECT is((SELECT t.description FROM crm_bridge.projects_task AS t WHERE t.id = :'projects_3'), 'Three pallets', 'B9: and what the service changed is at the twin');
SELECT results_eq(format($$ SELECT c.priority, p.priority FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p WHERE c.id = %L AND p.id = %L $$, :'crm_3', :'projects_3'), $$ VALUES ('High', 'high') $$, 'B2: what was typed here and not sent yet is not taken back');
SELECT results_eq($$ SELECT d.module, d.operation, d.fields FROM crm_bridge.delivery AS d ORDER BY 1 $$, $$ VALUES ('crm_task', 'write', '{priority,subject}'::text[]), ('projects_task', 'write', '{name,description,priority}') $$, 'each service gets what it does not have, none a deletion');
SELECT pg_temp.send_all(:'lease') AS sent \gset

-- What cannot be restored ---------------------------------------------------------------------------------------------

DELETE FROM crm_bridge.link WHERE link_id = :'link_1';
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_1';
SELECT is((SELECT count(*) FROM crm_bridge.crm_task WHERE id = :'crm_1'), 0::bigint, 'what is not linked is deleted');
SELECT crm_bridge.set_on_delete('task_task', 'unlink') \g /dev/null
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_2';
SELECT results_eq(format($$ SELECT count(*), (SELECT state FROM crm_bridge.link WHERE link_id = %L) FROM crm_bridge.crm_task WHERE id = %L $$, :'link_2', :'crm_2'), $$ VALUES (0::bigint, 'archived') $$, 'D2: unlink is unlink again');
SELECT crm_bridge.set_on_delete('task_task', 'restore') \g /dev/null
SELECT pg_temp.send_all(:'lease') AS sent \gset
-- Its history is gone: nobody knows what it was.
DELETE FROM crm_bridge.history;
ALTER TABLE crm_bridge.crm_task ADD CONSTRAINT test_no_more_tasks CHECK (status <> 'Not Started') NOT VALID;
SELECT is(pg_temp.lose('crm_task', pg_temp.external(:'crm_3')), 'deleted', 'a record that a rule of the database forbids to make again');
SELECT results_eq(format($$ SELECT count(*), (SELECT state FROM crm_bridge.link WHERE link_id = %L) FROM crm_bridge.crm_task WHERE id = %L $$, :'link_3', :'crm_3'), $$ VALUES (0::bigint, 'archived') $$, 'is let go, and the twin stays by itself');
SELECT is((SELECT count(*) FROM crm_bridge.projects_task WHERE id = :'projects_3'), 1::bigint, 'which is there');

SELECT * FROM finish();
ROLLBACK;
