-- SPDX-License-Identifier: PostgreSQL
-- A pair of tasks is one thing with two faces: whoever writes one, the other follows (R60-R67, design §1, §5, §6).
BEGIN;
\ir fixture/tools.psql
SELECT plan(79);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

-- One row a face, in the words of the other side's person.
CREATE FUNCTION pg_temp.crm(task uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT concat_ws('|', t.subject, t.description, t.due_date, t.priority, t.status, u.full_name)
    FROM crm_bridge.crm_task AS t LEFT JOIN crm_bridge.crm_user AS u ON u.id = t.owner_id WHERE t.id = crm.task $$;
CREATE FUNCTION pg_temp.projects(task uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT concat_ws('|', t.name, t.description, t.end_date AT TIME ZONE 'America/New_York', t.priority, t.is_completed,
                   (SELECT string_agg(u.full_name, '+' ORDER BY o.n) FROM unnest(t.owner_ids) WITH ORDINALITY AS o (id, n) JOIN crm_bridge.projects_user AS u ON u.id = o.id))
    FROM crm_bridge.projects_task AS t WHERE t.id = projects.task $$;

SELECT is(pg_temp.crm(:'crm_1'), 'task 1|Normal|Not Started|Mira', 'R74: a task that is added to the CRM has the mapped fields there');
SELECT is((SELECT left_base || right_base FROM pair WHERE label = 'task 1'), '{}', 'both faces are in step: the link keeps no values');

-- From the CRM to Projects -----------------------------------------------------------------------------------------

UPDATE crm_bridge.crm_task SET subject = 'Install' WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|medium|f|Mira', 'R61: the title follows, in the same transaction');
SELECT results_eq('TABLE events', $$ VALUES ('update', 'app', 'crm_task', '{"subject": "task 1"}'::jsonb), ('update', 'bridge', 'projects_task', '{"name": "task 1"}'::jsonb) $$,
  'history tells the app''s write from what followed; nothing comes back over the same link');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{subject}'::text[]), ('projects_task', 'write', 'pending', '{name}') $$, 'both services lack exactly the title');
SELECT is((SELECT count(DISTINCT h.transaction_id) + count(DISTINCT h.actor) FROM crm_bridge.history AS h), 2::bigint, 'B6, D16: one transaction, one person');
UPDATE crm_bridge.crm_task SET description = E'two\nlines & <more>' WHERE id = :'crm_1';
SELECT is((SELECT description FROM crm_bridge.projects_task WHERE id = :'projects_1'), 'two<br>lines &amp; &lt;more&gt;', 'R62: the description follows, as markup that shows the same');
UPDATE crm_bridge.crm_task SET description = NULL, due_date = '2026-03-01' WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|2026-03-01 00:00:00|medium|f|Mira', 'R63, D18: the due date follows, as that day in the portal''s zone; an emptied description too');
UPDATE crm_bridge.crm_task SET priority = 'Low' WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|2026-03-01 00:00:00|low|f|Mira', 'R64: the priority follows');
UPDATE crm_bridge.crm_task SET status = 'Completed' WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|2026-03-01 00:00:00|low|t|Mira', 'R65: closing follows');
UPDATE crm_bridge.crm_task SET status = 'In Progress' WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|2026-03-01 00:00:00|low|f|Mira', 'R65: so does reopening');
UPDATE crm_bridge.crm_task SET owner_id = pg_temp.person('c-ben') WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|2026-03-01 00:00:00|low|f|Ben', 'R66: the owner follows, by e-mail address');
UPDATE crm_bridge.crm_task SET owner_id = NULL, due_date = NULL WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Install|low|f', 'what is emptied is emptied');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_task SET contact_id = crm_bridge.new_id(), custom_fields = '{"Any__c": 1}' WHERE id = :'crm_1';
SELECT results_eq('SELECT operation, module FROM events', $$ VALUES ('update', 'crm_task') $$, 'R67: no other field travels');

-- From Projects to the CRM -----------------------------------------------------------------------------------------

UPDATE crm_bridge.projects_task SET name = 'Install it', description = '<p>Do <b>this</b></p>', end_date = '2026-03-02 23:30 America/New_York',
  priority = 'high', is_completed = true, owner_ids = ARRAY[pg_temp.person('p-ben'), pg_temp.person('p-dora')] WHERE id = :'projects_1';
SELECT is(pg_temp.crm(:'crm_1'), 'Install it|Do this|2026-03-02|High|Completed|Ben', 'R60-R66: all six fields follow the other way; the day is the portal''s');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.projects_task SET completion_percentage = 50, start_date = now(), task_list_id = NULL WHERE id = :'projects_1';
SELECT results_eq('SELECT operation, module FROM events', $$ VALUES ('update', 'projects_task') $$, 'R67: no other field travels');
SELECT pg_temp.forget() AS forgotten \gset

-- What only one side can say is not worn away ----------------------------------------------------------------------

UPDATE crm_bridge.crm_task SET priority = 'Highest' WHERE id = :'crm_1';
SELECT results_eq('SELECT operation, module FROM events', $$ VALUES ('update', 'crm_task') $$, 'a finer priority is the same to the other side: nothing is written there');
SELECT is((SELECT array_agg(module) FROM dirty), ARRAY['crm_task'], 'and nothing is sent there');
UPDATE crm_bridge.projects_task SET name = 'Installed' WHERE id = :'projects_1';
SELECT is(pg_temp.crm(:'crm_1'), 'Installed|Do this|2026-03-02|Highest|Completed|Ben', 'lens: Highest survives a change of another field');
UPDATE crm_bridge.projects_task SET priority = 'medium' WHERE id = :'projects_1';
UPDATE crm_bridge.projects_task SET priority = 'high' WHERE id = :'projects_1';
SELECT is((SELECT priority FROM crm_bridge.crm_task WHERE id = :'crm_1'), 'High', 'a coarse value that is set anew becomes the one that the mapping prefers');
UPDATE crm_bridge.crm_task SET subject = 'Again', owner_id = pg_temp.person('c-mira') WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Again|<p>Do <b>this</b></p>|2026-03-02 23:30:00|high|t|Mira+Dora', 'lens: markup, time of day and further owners survive a change from the CRM');
UPDATE crm_bridge.crm_task SET due_date = '2026-03-20' WHERE id = :'crm_1';
SELECT is((SELECT end_date FROM crm_bridge.projects_task WHERE id = :'projects_1'), '2026-03-21 03:30:00+00'::timestamptz, 'lens: the time on the wall is kept over a change of daylight saving');
UPDATE crm_bridge.projects_task SET end_date = '2026-03-20 08:00 America/New_York', is_completed = false WHERE id = :'projects_1';
UPDATE crm_bridge.crm_task SET status = 'Waiting for input' WHERE id = :'crm_1';
UPDATE crm_bridge.projects_task SET description = '<div>Do <i>this</i></div>' WHERE id = :'projects_1';
SELECT is(pg_temp.crm(:'crm_1'), 'Again|Do this|2026-03-20|High|Waiting for input|Mira', 'lens: an open status of the CRM''s own survives; other markup of the same text is no change');
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'nothing of this needs a base in the link');

-- What cannot be carried -------------------------------------------------------------------------------------------

SELECT pg_temp.forget() AS forgotten \gset
-- Of changes that the services bring, and of apps where the organization lets them write so (D3; rejected: refusal.sql).
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
CREATE TEMP VIEW refused_last AS SELECT module, record_id, field, reason, link_id FROM crm_bridge.refusal ORDER BY refusal_id DESC LIMIT 1;
UPDATE crm_bridge.crm_task SET owner_id = pg_temp.person('c-carl'), subject = 'Carl''s' WHERE id = :'crm_1';
SELECT is(pg_temp.crm(:'crm_1'), 'Carl''s|Do this|2026-03-20|High|Waiting for input|Carl', 'the app''s write stands');
SELECT is(pg_temp.projects(:'projects_1'), 'Carl''s|<div>Do <i>this</i></div>|2026-03-20 08:00:00|high|f|Mira+Dora', 'what can be carried is carried, what cannot is not');
SELECT results_eq('TABLE refused_last', format($$ VALUES ('crm_task', %L::uuid, 'owner_id', 'user_unknown', %L::uuid) $$, :'crm_1', :'link_1'), 'design §2: a refusal is recorded');
SELECT alike((SELECT detail FROM crm_bridge.refusal LIMIT 1), 'No active user of "projects_user"%', 'with its reason in a sentence');
SELECT results_eq(format('SELECT left_base ->> ''owner_id'', jsonb_array_length(right_base -> ''owner_ids'') FROM crm_bridge.link WHERE link_id = %L', :'link_1'),
  format('VALUES (%L, 2)', pg_temp.person('c-mira')), 'the link keeps what both sides agreed on last');
UPDATE crm_bridge.crm_task SET owner_id = pg_temp.person('c-ben') WHERE id = :'crm_1';
SELECT is(pg_temp.projects(:'projects_1'), 'Carl''s|<div>Do <i>this</i></div>|2026-03-20 08:00:00|high|f|Ben+Dora', 'a later value that can be carried is');
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'and the link forgets');
UPDATE crm_bridge.projects_task SET owner_ids = ARRAY[pg_temp.person('p-dora')] WHERE id = :'projects_1';
SELECT results_eq('TABLE refused_last', format($$ VALUES ('projects_task', %L::uuid, 'owner_ids', 'user_unknown', %L::uuid) $$, :'projects_1', :'link_1'), 'the other way it is the other record that is refused');
UPDATE crm_bridge.projects_task SET owner_ids = ARRAY[pg_temp.person('p-ben'), pg_temp.person('p-dora')] WHERE id = :'projects_1';
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'putting it back puts it right');
UPDATE crm_bridge.projects_task SET name = repeat('x', 256) WHERE id = :'projects_1';
SELECT is((SELECT reason FROM refused_last), 'text_too_long', 'B5: a title that the CRM does not take (255)');
UPDATE crm_bridge.projects_task SET name = repeat('x', 255) WHERE id = :'projects_1';
SELECT is((SELECT length(subject) FROM crm_bridge.crm_task WHERE id = :'crm_1'), 255, 'one that it takes');
UPDATE crm_bridge.crm_task SET priority = 'Urgent' WHERE id = :'crm_1';
SELECT is((SELECT reason FROM refused_last), 'value_not_in_picklist', 'B5: a priority that the mapping does not know');
UPDATE crm_bridge.crm_task SET priority = 'Low' WHERE id = :'crm_1';
SELECT is((SELECT count(*) FROM crm_bridge.refusal), 4::bigint, 'one row for each refusal');
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'and all is in step again');
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.crm_task SET due_date = 'infinity' WHERE id = %L $$, :'crm_1'), 'design §5: a day without a counterpart does not fail the app''s write');
SELECT is((SELECT end_date FROM crm_bridge.projects_task WHERE id = :'projects_1'), NULL, 'it is no day to the other side');
UPDATE crm_bridge.crm_task SET due_date = NULL WHERE id = :'crm_1';
DELETE FROM crm_bridge.setting;

-- Many rows, the service, rollback ---------------------------------------------------------------------------------

SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_task SET due_date = '2026-05-05';
SELECT is((SELECT count(*) FROM crm_bridge.projects_task WHERE (end_date AT TIME ZONE 'America/New_York')::date = '2026-05-05'), 3::bigint, 'a statement on several tasks carries each to its twin');
SELECT is((SELECT count(*) FROM events), 6::bigint, 'with one event on each face');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() AS forgotten \gset

SELECT s.external_id AS service_id FROM crm_bridge.shadow AS s WHERE s.record_id = :'crm_2' \gset
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.receive('crm_task', jsonb_build_array(jsonb_build_object('external_id', %L, 'version', clock_timestamp() + interval '1 s',
  'modified_by', 'ben@zylker.example', 'fields', '{"subject": "From the CRM", "owner_id": "c-ben"}'::jsonb)), clock_timestamp()) $$, :'service_id'), ARRAY['updated'], 'a person edits the task in the CRM');
SELECT is(pg_temp.projects(:'projects_2'), 'From the CRM|2026-05-05 00:00:00|medium|f|Ben', 'R60: the task in Projects follows in the transaction of receive');
SELECT results_eq('SELECT h.module, h.origin, h.actor FROM crm_bridge.history AS h ORDER BY h.event_id', $$ VALUES ('crm_task', 'service', 'ben@zylker.example'), ('projects_task', 'bridge', 'ben@zylker.example') $$,
  'D16: history names the person also in what followed');
SELECT results_eq('TABLE dirty', $$ VALUES ('projects_task', 'write', 'pending', '{name,owner_ids}'::text[]) $$, 'P10: only the other service lacks it');

SAVEPOINT trial;
UPDATE crm_bridge.projects_task SET name = 'Tried' WHERE id = :'projects_2';
SELECT is((SELECT subject FROM crm_bridge.crm_task WHERE id = :'crm_2'), 'Tried', 'inside a savepoint both faces have it');
ROLLBACK TO SAVEPOINT trial;
SELECT is((SELECT subject FROM crm_bridge.crm_task WHERE id = :'crm_2'), 'From the CRM', 'B6: taken back, it never happened on either side');

CREATE ROLE test_mira;
SELECT crm_bridge.grant_app('test_mira', 1) AS done \gset
REVOKE INSERT, UPDATE, DELETE ON crm_bridge.projects_task FROM test_mira;
SELECT pg_temp.forget() AS forgotten \gset
SET LOCAL ROLE test_mira;
UPDATE crm_bridge.crm_task SET subject = 'Mira''s' WHERE id = :'crm_2';
RESET ROLE;
SELECT results_eq('SELECT h.module, h.origin, h.actor FROM crm_bridge.history AS h ORDER BY h.event_id', $$ VALUES ('crm_task', 'app', 'test_mira'), ('projects_task', 'bridge', 'test_mira') $$,
  'D16: what follows needs no right of the person''s, and history names the person');

-- What is left for reconcile ---------------------------------------------------------------------------------------

SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() AS forgotten \gset
CREATE TEMP VIEW requests AS SELECT r.module, r.operation, r.fields, r.old FROM crm_bridge.reconcile_request AS r ORDER BY r.request_id;
SET LOCAL crm_bridge.propagate_limit = 1;
UPDATE crm_bridge.crm_task SET subject = 'Mass ' || subject WHERE id IN (:'crm_2', :'crm_3');
SELECT results_eq('SELECT operation, fields, count(*) FROM requests GROUP BY 1, 2', $$ VALUES ('propagate', '{subject}'::text[], 2::bigint) $$, 'design §5: a statement over propagate_limit leaves requests');
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_3'), 'task 3', 'and no twin is touched');
RESET crm_bridge.propagate_limit;
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('zoho_crm', 10, %L) $$, :'lease'), 'design §5: two unreconciled faces are never sent');
UPDATE crm_bridge.crm_task SET subject = 'Once more', priority = 'High' WHERE id = :'crm_3';
SELECT is((SELECT count(*) FROM requests), 3::bigint, 'a link that waits for reconcile gets further requests, so that their order is kept');
UPDATE crm_bridge.projects_task SET end_date = '2026-06-06 12:00 America/New_York' WHERE id = :'projects_3';
UPDATE crm_bridge.projects_task SET name = 'Meanwhile' WHERE id = :'projects_2';
SELECT is(crm_bridge.reconcile(), 0, 'reconcile settles all of them');
SELECT is(pg_temp.crm(:'crm_3') || ' - ' || pg_temp.projects(:'projects_3'), 'Once more|2026-06-06|High|Not Started|Mira - Once more|2026-06-06 12:00:00|high|f|Mira', 'B1: different fields of both sides survive');
SELECT is((SELECT subject FROM crm_bridge.crm_task WHERE id = :'crm_2'), 'Meanwhile', 'D1: of one field the newest wins');
SELECT results_eq($$ SELECT module, record_id, link_id, field, other_field, base, left_value, right_value, winner, reason FROM crm_bridge.conflict $$,
  format($$ VALUES ('crm_task', %L::uuid, %L::uuid, 'subject', 'name', '"Mira''s"'::jsonb, '"Mass Mira''s"'::jsonb, '"Meanwhile"'::jsonb, 'right', 'newest') $$, :'crm_2', :'link_2'), 'B1: that is exactly one conflict, with base, both values, winner and reason');
SELECT is((SELECT count(*) FROM requests), 0::bigint, 'no request is left');
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_2'), '{}', 'and the faces are in step');
SELECT is((SELECT array_agg(module ORDER BY module) FROM dirty WHERE fields && '{subject,name,end_date,due_date,priority}'), '{crm_task,crm_task,projects_task,projects_task}', 'what each service lacks is to be sent now');
SELECT is(crm_bridge.reconcile(), 0, 'reconcile again changes nothing');
SELECT is(pg_temp.send_all(:'lease'), 4, 'and all four records are handed out');

-- Policies, with both sides changed since they agreed.
CREATE FUNCTION pg_temp.apart(crm uuid, projects uuid, subject text, name text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL crm_bridge.propagate_limit = 0;
  UPDATE crm_bridge.crm_task SET subject = apart.subject WHERE id = crm;
  UPDATE crm_bridge.projects_task SET name = apart.name WHERE id = projects;
  RESET crm_bridge.propagate_limit;
  RETURN crm_bridge.reconcile();
END
$$;
CREATE TEMP VIEW last_conflict AS SELECT winner, reason FROM crm_bridge.conflict ORDER BY conflict_id DESC LIMIT 1;
INSERT INTO crm_bridge.merge_policy VALUES (1, 'task_task', 'subject', 'left');
SELECT pg_temp.apart(:'crm_2', :'projects_2', 'left 1', 'right 1') AS rest \gset
SELECT results_eq(format('SELECT subject, name, winner, reason FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p, last_conflict WHERE c.id = %L AND p.id = %L', :'crm_2', :'projects_2'),
  $$ VALUES ('left 1', 'left 1', 'left', 'policy') $$, 'D1: policy left');
UPDATE crm_bridge.merge_policy SET field = '*', policy = 'right';
SELECT pg_temp.apart(:'crm_2', :'projects_2', 'left 2', 'right 2') AS rest \gset
SELECT results_eq(format('SELECT subject, name, winner, reason FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p, last_conflict WHERE c.id = %L AND p.id = %L', :'crm_2', :'projects_2'),
  $$ VALUES ('right 2', 'right 2', 'right', 'policy') $$, 'D1: policy right, for all fields of the pairing');
SELECT pg_temp.apart(:'crm_2', :'projects_2', 'same', 'same') AS rest \gset
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 3::bigint, 'B1: equal values are no conflict');
SELECT pg_temp.send_all(:'lease') AS sent \gset
UPDATE crm_bridge.merge_policy SET policy = 'manual';
SELECT pg_temp.apart(:'crm_2', :'projects_2', 'left 3', 'right 3') AS rest \gset
SELECT results_eq(format('SELECT subject, name, winner FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p, last_conflict WHERE c.id = %L AND p.id = %L', :'crm_2', :'projects_2'),
  $$ VALUES ('left 3', 'right 3', 'none') $$, 'D1: policy manual holds the field on both sides');
SELECT results_eq(format('SELECT left_base, right_base FROM crm_bridge.link WHERE link_id = %L', :'link_2'), $$ VALUES ('{"subject": "same"}'::jsonb, '{"name": "same"}'::jsonb) $$, 'the link keeps what they agreed on');
UPDATE crm_bridge.crm_task SET subject = 'left 4', due_date = '2026-07-07' WHERE id = :'crm_2';
SELECT results_eq(format('SELECT name, (end_date AT TIME ZONE %L)::date FROM crm_bridge.projects_task WHERE id = %L', 'America/New_York', :'projects_2'), $$ VALUES ('right 3', '2026-07-07'::date) $$,
  'other fields go on following');
SELECT is((SELECT count(*) FROM crm_bridge.conflict WHERE winner = 'none'), 1::bigint, 'and the open question is asked once');
UPDATE crm_bridge.projects_task SET name = 'left 4' WHERE id = :'projects_2';
SELECT results_eq(format('SELECT left_base, right_base FROM crm_bridge.link WHERE link_id = %L', :'link_2'), $$ VALUES ('{}'::jsonb, '{}'::jsonb) $$, 'who makes them equal by hand ends it');
DELETE FROM crm_bridge.merge_policy;

-- Links that end ---------------------------------------------------------------------------------------------------

UPDATE crm_bridge.pairing SET enabled = false WHERE pairing = 'task_task';
UPDATE crm_bridge.crm_task SET subject = 'Alone' WHERE id = :'crm_3';
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_3'), 'Once more', 'over a pairing that is switched off nothing travels');
UPDATE crm_bridge.crm_task SET subject = 'Once more' WHERE id = :'crm_3';
UPDATE crm_bridge.pairing SET enabled = true WHERE pairing = 'task_task';
UPDATE crm_bridge.link SET state = 'suspended' WHERE link_id = :'link_3';
UPDATE crm_bridge.crm_task SET subject = 'Suspended' WHERE id = :'crm_3';
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_3'), 'Once more', 'D17: nor over a suspended link');
UPDATE crm_bridge.link SET state = 'active' WHERE link_id = :'link_3';

DELETE FROM crm_bridge.projects_task WHERE id = :'projects_1';
SELECT results_eq(format('SELECT state, reason FROM crm_bridge.link WHERE link_id = %L', :'link_1'), $$ VALUES ('archived', 'deleted') $$, 'D2: a face that is deleted archives the link');
SELECT is((SELECT count(*) FROM crm_bridge.crm_task WHERE id = :'crm_1'), 1::bigint, 'D2: by default the twin stays');
SELECT lives_ok(format($$ UPDATE crm_bridge.crm_task SET subject = 'Widowed' WHERE id = %L $$, :'crm_1'), 'and lives on by itself');
UPDATE crm_bridge.pairing SET on_delete = 'delete' WHERE pairing = 'task_task';
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() AS forgotten \gset
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_2';
SELECT results_eq('SELECT operation, origin, module FROM events', $$ VALUES ('delete', 'app', 'crm_task'), ('delete', 'bridge', 'projects_task') $$, 'D2: with on_delete delete the twin goes too');
SELECT results_eq('SELECT module, operation FROM dirty', $$ VALUES ('crm_task', 'delete'), ('projects_task', 'delete') $$, 'and both services are told');
SET LOCAL crm_bridge.propagate_limit = 0;
UPDATE crm_bridge.crm_task SET subject = 'Late' WHERE id = :'crm_3';
RESET crm_bridge.propagate_limit;
DELETE FROM crm_bridge.projects_task WHERE id = :'projects_3';
SELECT is(crm_bridge.reconcile(), 0, 'a request whose link has ended is settled');
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE state = 'active' AND pairing = 'task_task'), 0::bigint, 'no link of a deleted task is left');

SELECT * FROM finish();
ROLLBACK;
