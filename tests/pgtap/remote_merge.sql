-- SPDX-License-Identifier: PostgreSQL
-- Two records that somebody merges in a service: the link follows the survivor where it is known, and nothing is deleted on
-- the other face because of it (B9, D2).
BEGIN;
\ir fixture/tools.psql
SELECT plan(29);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
\ir fixture/history.psql
\ir fixture/linked_tasks.psql

CREATE FUNCTION pg_temp.told(records jsonb)
RETURNS SETOF text LANGUAGE sql AS $$ SELECT r.outcome FROM crm_bridge.receive('crm_task', records, clock_timestamp()) AS r $$;
CREATE FUNCTION pg_temp.external(record uuid)
RETURNS text LANGUAGE sql STABLE AS $$ SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.record_id = external.record $$;
CREATE FUNCTION pg_temp.id_of(external_id text)
RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT s.record_id FROM crm_bridge.shadow AS s WHERE s.module = 'crm_task' AND s.external_id = id_of.external_id $$;
-- A person deletes the twin's way out: with "delete" a deletion would carry over to Projects.
UPDATE crm_bridge.pairing SET on_delete = 'delete' WHERE pairing = 'task_task';

-- The survivor carries our id of the loser, and is seen first --------------------------------------------------------

SELECT pg_temp.told('[{"external_id": "s1", "version": "2026-03-01T09:00:00Z", "fields": {"subject": "Stranger", "priority": "Normal"}}]') \g /dev/null
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE left_id = pg_temp.id_of('s1')), 0::bigint, 'a task of the CRM that has no twin');
SELECT results_eq(format($$ SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', 's1', 'version', '2026-03-01T10:00:00Z', 'record_id', %L, 'fields', '{"subject": "Stranger", "priority": "Normal"}'::jsonb))) $$, :'crm_1'), ARRAY['unchanged'], 'comes to carry the id that we gave to another one');
SELECT is((SELECT survivor_id FROM crm_bridge.shadow WHERE record_id = :'crm_1'), pg_temp.id_of('s1'), 'so the CRM has merged the two');
SELECT is((SELECT left_id FROM crm_bridge.link WHERE link_id = :'link_1'), :'crm_1'::uuid, 'until the other one is gone nothing moves');
SELECT pg_temp.forget() AS forgotten \gset
SELECT results_eq(format($$ SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', %L, 'deleted', true))) $$, pg_temp.external(:'crm_1')), ARRAY['deleted'], 'the other one is gone');
SELECT results_eq(format('SELECT state, left_id, right_id FROM crm_bridge.link WHERE link_id = %L', :'link_1'), format($$ VALUES ('active', %L::uuid, %L::uuid) $$, pg_temp.id_of('s1'), :'projects_1'), 'the link follows the survivor');
SELECT is((SELECT count(*) FROM crm_bridge.projects_task WHERE id = :'projects_1'), 1::bigint, 'its twin stays');
SELECT is_empty($$ SELECT * FROM crm_bridge.delivery WHERE service = 'zoho_projects' AND operation = 'delete' $$, 'nothing is deleted at the other service');
SELECT is(crm_bridge.reconcile(), 0, 'the faces are merged');
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_1'), 'Stranger', 'the twin takes what the survivor has otherwise');
SELECT pg_temp.send_all(:'lease') AS sent \gset
UPDATE crm_bridge.projects_task SET name = 'Both ways' WHERE id = :'projects_1';
SELECT is((SELECT subject FROM crm_bridge.crm_task WHERE id = pg_temp.id_of('s1')), 'Both ways', 'from now on they are kept in step');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 0::bigint, 'without a conflict');

-- The deletion is seen first -----------------------------------------------------------------------------------------

UPDATE crm_bridge.pairing SET on_delete = 'unlink' WHERE pairing = 'task_task';
SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', pg_temp.external(:'crm_2'), 'deleted', true))) \g /dev/null
SELECT results_eq(format('SELECT state, reason FROM crm_bridge.link WHERE link_id = %L', :'link_2'), $$ VALUES ('archived', 'deleted') $$, 'seen alone, it is a deletion like any other');
SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', 's2', 'version', '2026-03-01T10:00:00Z', 'record_id', :'crm_2', 'fields', '{"subject": "Survivor"}'::jsonb))) \g /dev/null
SELECT results_eq(format('SELECT l.state, c.subject FROM crm_bridge.link AS l JOIN crm_bridge.crm_task AS c ON c.id = l.left_id WHERE l.link_id = %L', :'link_2'), $$ VALUES ('active', 'Survivor') $$, 'a survivor that nobody knew takes the link up again');

SELECT pg_temp.told('[{"external_id": "s3", "version": "2026-03-01T09:00:00Z", "fields": {"subject": "Another", "priority": "Normal"}}]') \g /dev/null
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', pg_temp.external(:'crm_3'), 'deleted', true))) \g /dev/null
SELECT results_eq(format('SELECT state, reason FROM crm_bridge.link WHERE link_id = %L', :'link_3'), $$ VALUES ('archived', 'deleted') $$, 'seen alone');
SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', 's3', 'version', '2026-03-01T10:00:00Z', 'record_id', :'crm_3', 'fields', '{"subject": "Another"}'::jsonb))) \g /dev/null
SELECT results_eq(format('SELECT state, reason, left_id FROM crm_bridge.link WHERE link_id = %L', :'link_3'), format($$ VALUES ('active', NULL, %L::uuid) $$, pg_temp.id_of('s3')), 'when the survivor shows up, the link is taken up again');
SELECT is(crm_bridge.reconcile(), 0, 'the faces are merged');
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_3'), 'Another', 'and the twin has what the survivor has');

-- The survivor has a twin of its own -----------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_task (subject) VALUES ('fourth');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT t.id AS crm_4 FROM crm_bridge.crm_task AS t WHERE t.subject = 'fourth' \gset
INSERT INTO crm_bridge.projects_task (name, project_id, portal_id) SELECT 'fourth', p.id, p.portal_id FROM crm_bridge.projects_project AS p;
SELECT pg_temp.send_all(:'lease') AS sent \gset
INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id) SELECT 1, 'task_task', :'crm_4', t.id FROM crm_bridge.projects_task AS t WHERE t.name = 'fourth';
UPDATE crm_bridge.pairing SET on_delete = 'delete' WHERE pairing = 'task_task';
SELECT crm_bridge.record_merged('crm_task', :'crm_4', pg_temp.id_of('s3')) \g /dev/null
SELECT pg_temp.forget() AS forgotten \gset
SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', pg_temp.external(:'crm_4'), 'deleted', true))) \g /dev/null
SELECT results_eq(format('SELECT state, reason FROM crm_bridge.link WHERE left_id = %L', :'crm_4'), $$ VALUES ('archived', 'merged') $$, 'where the survivor has a twin already, the other link ends as merged');
SELECT is((SELECT count(*) FROM crm_bridge.projects_task WHERE name = 'fourth'), 1::bigint, 'and its twin stays all the same');
SELECT is_empty($$ SELECT * FROM crm_bridge.delivery WHERE operation = 'delete' $$, 'nothing is deleted anywhere');

-- Changed here meanwhile -----------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_task (subject) VALUES ('fifth');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT t.id AS crm_5 FROM crm_bridge.crm_task AS t WHERE t.subject = 'fifth' \gset
UPDATE crm_bridge.crm_task SET subject = 'typed here' WHERE id = :'crm_5';
SELECT crm_bridge.record_merged('crm_task', :'crm_5', pg_temp.id_of('s3')) \g /dev/null
SELECT results_eq(format($$ SELECT pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', %L, 'deleted', true))) $$, pg_temp.external(:'crm_5')), ARRAY['deleted'], 'B3: a record that lives on in another is not created anew');
SELECT results_eq(format('SELECT field, winner, reason FROM crm_bridge.conflict WHERE record_id = %L', :'crm_5'), $$ VALUES ('*', 'right', 'merged') $$, 'D1: that its change is lost is on record');
SELECT ok((SELECT h.old ->> 'subject' = 'typed here' FROM crm_bridge.history AS h WHERE h.record_id = :'crm_5' AND h.operation = 'delete'), 'B2: and what was typed is in its history');

-- Said by a person -----------------------------------------------------------------------------------------------------

SELECT pg_temp.refused(format($$ SELECT crm_bridge.record_merged('crm_task', %L, %L) $$, crm_bridge.new_id(), :'crm_2'), '42704', 'no record of "crm_task"', 'record_merged: a record that nobody knows');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.record_merged('crm_deal', %L, %L) $$, :'crm_2', :'crm_3'), '42704', 'no record of "crm_deal"', 'record_merged: a record of another module');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.record_merged('crm_task', %L, %L) $$, :'crm_2', :'crm_2'), '22023', 'another one', 'record_merged: with itself');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.record_merged('crm_task', %L, %L) $$, :'crm_2', :'crm_5'), '22023', 'still has', 'record_merged: into one that is gone');
SELECT is((SELECT count(*) FROM crm_bridge.reconcile_request), 0::bigint, 'nothing is left to be settled');

SELECT * FROM finish();
ROLLBACK;
