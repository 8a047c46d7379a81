-- SPDX-License-Identifier: PostgreSQL
-- What Projects refuses: strict schedules and closed parents, before the commit for apps, afterwards for people in the CRM (R80-R86, D3, B5).
BEGIN;
\ir fixture/tools.psql
SELECT plan(80);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

-- A service tells fields of a record of ours, whose external id we know.
CREATE FUNCTION pg_temp.tell(module text, record uuid, fields jsonb, person text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.shadow AS s, crm_bridge.receive(tell.module, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('external_id', s.external_id,
    'version', clock_timestamp(), 'modified_at', clock_timestamp(), 'modified_by', person, 'fields', tell.fields))), clock_timestamp(), org_id => 1) AS r WHERE s.record_id = record $$;
CREATE FUNCTION pg_temp.due(task uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT c.due_date || '|' || (p.end_date AT TIME ZONE 'America/New_York')::date || '|' || c.subject || '|' || p.name
    FROM crm_bridge.crm_task AS c JOIN crm_bridge.link AS l ON l.left_id = c.id AND l.pairing = 'task_task' JOIN crm_bridge.projects_task AS p ON p.id = l.right_id WHERE c.id = task $$;
CREATE FUNCTION pg_temp.state(task uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT c.status || '|' || p.is_completed
    FROM crm_bridge.crm_task AS c JOIN crm_bridge.link AS l ON l.left_id = c.id AND l.pairing = 'task_task' JOIN crm_bridge.projects_task AS p ON p.id = l.right_id WHERE c.id = task $$;
CREATE TEMP VIEW mails AS SELECT recipient, kind, facts FROM crm_bridge.notification WHERE kind ~ '(refused|kept)$' ORDER BY notification_id;
CREATE TEMP VIEW told AS SELECT module, record, project, field, reason, value, agreed, refused_for, reverted FROM crm_bridge.refusals ORDER BY refusal_id;
SELECT pg_temp.tell('crm_user', pg_temp.person('c-ben'), '{"full_name": "Ben", "email": "ben@zylker.example", "status": "active", "locale": "de_DE"}') \g /dev/null
SELECT pg_temp.tell('projects_project', :'project', '{"is_strict": true, "start_date": "2026-03-01", "end_date": "2026-03-31"}') \g /dev/null
UPDATE crm_bridge.crm_task SET due_date = '2026-03-10';
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() \g /dev/null

-- A strict schedule, in the CRM -------------------------------------------------------------------------------------

SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-03-31"}', 'ben@zylker.example'), 'updated', 'the service brings a date within the schedule');
SELECT is(pg_temp.due(:'crm_1'), '2026-03-31|2026-03-31|task 1|task 1', 'R63: which is applied');
SELECT is((SELECT count(*) FROM crm_bridge.refusal), 0::bigint, 'the last day belongs to the schedule');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() \g /dev/null
SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15", "subject": "Renamed"}', 'ben@zylker.example'), 'updated', 'the service brings one beyond it');
SELECT is(pg_temp.due(:'crm_1'), '2026-03-31|2026-03-31|task 1|task 1', 'R80, R86, D3: no field changes in Projects, and the CRM''s record is put back to what both agree on');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{due_date,subject}'::text[]) $$, 'D3: which goes to the CRM; to Projects goes nothing');
SELECT results_eq('TABLE told', $$ VALUES ('crm_task', 'task 1', 'Routers', 'due_date', 'strict_schedule', '"2026-04-15"'::jsonb, '"2026-03-31"'::jsonb, 'ben@zylker.example', true),
  ('crm_task', 'task 1', 'Routers', 'subject', 'refused', '"Renamed"', '"task 1"', 'ben@zylker.example', true) $$, 'B2: what was refused is on record, each value with whoever wrote it');
SELECT results_eq('TABLE mails', $$ VALUES ('ben@zylker.example', 'due_date_refused', '{"task": "task 1", "project": "Routers", "parent": null, "old": "2026-03-31", "new": "2026-04-15", "limit": "2026-03-31"}'::jsonb) $$,
  'R81: the person who made the change is told, with task, project, old and new value');
SELECT matches((SELECT p.body FROM crm_bridge.notification AS n, crm_bridge.preview_notification(n.notification_id) AS p), 'außerhalb des Zeitplans.*Bisheriges Fälligkeitsdatum: 31. März 2026\nVon Ihnen eingegeben: 15. April 2026', 'R81: in his language');
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'and both sides are in step');

SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15", "subject": "Renamed"}', 'ben@zylker.example'), 'unchanged', 'B9: the same told again is nothing new');
SELECT results_eq('SELECT (SELECT count(*) FROM mails), (SELECT count(*) FROM told)', $$ VALUES (1::bigint, 2::bigint) $$, 'R81: one mail, exactly');
SELECT results_eq(format($$ SELECT module, fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('crm_task', '{"due_date": "2026-03-31", "subject": "task 1"}'::jsonb) $$, 'D3: the CRM is sent the agreed values');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'crm_1', 'version', clock_timestamp())), 1) \g /dev/null
SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-03-31", "subject": "task 1"}', 'ben@zylker.example'), 'unchanged', 'B9: and its echo is nothing new');
SELECT is((SELECT count(*) FROM dirty), 0::bigint, 'nothing is left to send');
SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15"}', 'ben@zylker.example'), 'updated', 'the same person tries again');
SELECT is((SELECT count(*) FROM mails), 2::bigint, 'R81: and is told again');
SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-02-28"}', 'Mira') \g /dev/null
SELECT results_eq($$ SELECT recipient, facts ->> 'limit' FROM mails OFFSET 2 $$, $$ VALUES ('Mira@zylker.example', '2026-03-01') $$, 'R81: a day before the schedule likewise; a person whom the CRM names by name is found');
SELECT pg_temp.send_all(:'lease') AS sent \gset
DELETE FROM crm_bridge.refusal; DELETE FROM crm_bridge.notification;

-- Two people in one reading.
SELECT count(*) AS received FROM crm_bridge.receive('crm_task', (SELECT jsonb_agg(jsonb_build_object('external_id', s.external_id, 'version', clock_timestamp(), 'modified_by', x.person, 'fields', '{"due_date": "2026-05-01"}'::jsonb))
  FROM (VALUES (:'crm_1'::uuid, 'ben@zylker.example'), (:'crm_2', 'mira@zylker.example')) AS x (id, person) JOIN crm_bridge.shadow AS s ON s.record_id = x.id), clock_timestamp()) \gset
SELECT set_eq('SELECT recipient, facts ->> ''task'' FROM mails', $$ VALUES ('ben@zylker.example', 'task 1'), ('mira@zylker.example', 'task 2') $$, 'R81: each person is told of his own change');
SELECT pg_temp.send_all(:'lease') AS sent \gset
DELETE FROM crm_bridge.refusal; DELETE FROM crm_bridge.notification;

-- Both sides since the base: the CRM's newer date would win, but is refused.
SELECT pg_temp.forget() \g /dev/null
SELECT crm_bridge.set_setting('refusal', '"keep"') \g /dev/null
SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.due(:'crm_1'), '2026-04-15|2026-03-31|task 1|task 1', 'D3: with refusal = keep the CRM keeps its value, Projects has its own');
SELECT results_eq(format('SELECT left_base, reverted, (SELECT count(*) FROM mails) FROM crm_bridge.link JOIN crm_bridge.refusal USING (link_id) WHERE left_id = %L', :'crm_1'), $$ VALUES ('{"due_date": "2026-03-31"}'::jsonb, false, 1::bigint) $$, 'the link knows what both agreed on, and the person is told');
SELECT is((SELECT count(*) FROM dirty), 0::bigint, 'nothing is sent');
SELECT crm_bridge.set_setting('refusal', '"revert"') \g /dev/null
SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-03-31"}', 'ben@zylker.example') \g /dev/null
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'once he puts it right it is right');

-- What is left to reconcile obeys the rules too.
INSERT INTO crm_bridge.reconcile_request (org_id, record_id, module, link_id, operation, old) VALUES (1, :'crm_2', 'crm_task', :'link_2', 'propagate', '{"due_date": "2026-03-10"}');
SELECT pg_temp.tell('crm_task', :'crm_2', '{"due_date": "2026-04-15"}', 'ben@zylker.example') \g /dev/null
SELECT crm_bridge.reconcile() AS left_over \gset
SELECT is(pg_temp.due(:'crm_2'), '2026-03-10|2026-03-10|task 2|task 2', 'R80: a change that was left to reconcile is refused there');
SELECT is((SELECT count(*) FROM crm_bridge.notification WHERE facts ->> 'task' = 'task 2'), 1::bigint, 'R81: with its mail');
SELECT pg_temp.send_all(:'lease') AS sent \gset
DELETE FROM crm_bridge.refusal; DELETE FROM crm_bridge.notification;

SELECT pg_temp.tell('projects_project', :'project', '{"is_strict": false}') \g /dev/null
SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15", "subject": "Renamed"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.due(:'crm_1'), '2026-04-15|2026-04-15|Renamed|Renamed', 'R82: in a project that is not strict the same change is applied');
SELECT is((SELECT count(*) FROM crm_bridge.refusal) + (SELECT count(*) FROM mails), 0::bigint, 'R82: and nobody is told anything');

-- A strict schedule, for apps ---------------------------------------------------------------------------------------

SELECT pg_temp.tell('projects_project', :'project', '{"is_strict": true}') \g /dev/null
SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-03-31", "subject": "task 1"}', 'ben@zylker.example') \g /dev/null
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() \g /dev/null
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET due_date = '2026-04-15' WHERE id = %L $$, :'crm_1'), '23514',
  'due date of task "task 1" is beyond the schedule[\s\S]*"Routers" is strict: its tasks are due from 2026-03-01 to 2026-03-31[\s\S]*within it', 'B5, D3: an app''s write in the CRM''s face fails at once, and says what would do');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.projects_task SET end_date = '2026-03-31 23:59:59 America/New_York'::timestamptz + interval '1 second' WHERE id = %L $$, :'projects_1'), '23514', 'beyond the schedule', 'B5, D18: so does one in Projects'' face, by the portal''s day');
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.projects_task SET end_date = '2026-03-31 23:59:59 America/New_York' WHERE id = %L $$, :'projects_1'), 'D18: the last second of the last day is within');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.projects_task (name, project_id, end_date) VALUES ('Late', %L, '2026-06-01') $$, :'project'), '23514', 'task "Late"', 'B5: a new task likewise');
-- Ben has no profile with View: his own task in the CRM he may write, but not learn from it what is in Projects.
CREATE ROLE test_narrow;
SELECT crm_bridge.grant_app('test_narrow', acts_as => 'ben@zylker.example') \g /dev/null
SET LOCAL ROLE test_narrow;
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET due_date = '2026-04-15' WHERE id = %L $$, :'crm_1'), '23514',
  '^(?!.*(Routers|task 1|2026-03)).*linked task.*may not view', 'R36, B5: whoever may not view projects is told that the rule holds, without name or date');
RESET ROLE;
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.crm_task SET due_date = NULL WHERE id = %L $$, :'crm_1'), 'a date may be emptied');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_task SET due_date = '2026-04-01' $$, '23514', 'beyond the schedule', 'B5: of many rows one that breaks a rule fails all');
SELECT set_config('crm_bridge.propagate_limit', '1', true) \g /dev/null
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_task SET due_date = '2026-04-01' $$, '23514', 'beyond the schedule', 'B5: also of a statement that is too large to travel at once');
RESET crm_bridge.propagate_limit;
SELECT is((SELECT count(*) FROM crm_bridge.refusal) + (SELECT count(*) FROM mails), 0::bigint, 'D3: what fails leaves nothing behind');
SELECT crm_bridge.set_setting('rule_mode', '"warn"') \g /dev/null
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.crm_task SET due_date = '2026-04-15' WHERE id = %L $$, :'crm_1'), 'D3: with rule_mode = warn the write stands');
SELECT is(pg_temp.due(:'crm_1'), '2026-04-15|2026-04-15|task 1|task 1', 'D3: and goes on to Projects, which decides');
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.projects_task SET end_date = '2026-05-15' WHERE id = %L $$, :'projects_1'), 'D3: with send likewise');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_setting('rule_mode', '"perhaps"') $$, '22023', 'does not take "perhaps"[\s\S]*reject', 'D3: there are three modes');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_setting('refusal', '"forget"') $$, '22023', 'revert', 'D3: and two ways after a refusal');
DELETE FROM crm_bridge.setting;

-- A closed parent ---------------------------------------------------------------------------------------------------

UPDATE crm_bridge.projects_task SET parent_task_id = :'projects_3' WHERE id = :'projects_2';
UPDATE crm_bridge.crm_task SET status = 'Completed' WHERE id IN (:'crm_2', :'crm_3');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.forget() \g /dev/null
SELECT is(pg_temp.tell('crm_task', :'crm_2', '{"status": "In Progress", "priority": "High"}', 'ben@zylker.example'), 'updated', 'a person reopens a subtask in the CRM');
SELECT is(pg_temp.state(:'crm_2'), 'Completed|true', 'R83, D3: while its parent is closed it stays closed in Projects, and is closed again in the CRM');
SELECT is((SELECT priority FROM crm_bridge.projects_task WHERE id = :'projects_2'), 'medium', 'R86: no other field of that update is applied');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{priority,status}'::text[]) $$, 'D3: the CRM is sent what both agree on');
SELECT results_eq('TABLE mails', $$ VALUES ('ben@zylker.example', 'status_refused', '{"task": "task 2", "project": "Routers", "parent": "task 3", "old": "Completed", "new": "In Progress", "limit": null}'::jsonb) $$, 'R84: he is told, with task, project, parent, old and new value');
SELECT results_eq('SELECT field, reason FROM told', $$ VALUES ('priority', 'refused'), ('status', 'parent_closed') $$, 'R84: it is on record');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET status = 'Not Started' WHERE id = %L $$, :'crm_2'), '23514', 'task "task 2" cannot be reopened[\s\S]*parent task "task 3" is closed[\s\S]*Reopen the parent', 'B5: an app cannot either, in the CRM''s face');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.projects_task SET is_completed = false WHERE id = %L $$, :'projects_2'), '23514', 'cannot be reopened', 'B5: nor in Projects'' face');
SELECT pg_temp.send_all(:'lease') AS sent \gset
UPDATE crm_bridge.crm_task SET status = 'In Progress' WHERE id = :'crm_3';
SELECT pg_temp.tell('crm_task', :'crm_2', '{"status": "In Progress", "priority": "High"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.state(:'crm_2'), 'In Progress|false', 'R85: once the parent is open it can be reopened from the CRM');
SELECT is((SELECT count(*) FROM mails), 1::bigint, 'R85: and nobody is told anything more');
UPDATE crm_bridge.crm_task SET status = 'Completed' WHERE id IN (:'crm_2', :'crm_3');
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.crm_task SET status = 'Not Started' WHERE id IN (%L, %L) $$, :'crm_2', :'crm_3'), 'R85: both together can be reopened by one statement');
SELECT is(pg_temp.state(:'crm_2'), 'Not Started|false', 'and are');

-- What cannot be said on the other side -----------------------------------------------------------------------------

SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET owner_id = pg_temp.person('c-carl') WHERE id = %L $$, :'crm_1'), '23514', '"owner_id" of "crm_task" cannot be carried[\s\S]*No active user of "projects_user"[\s\S]*rule_mode', 'B5: an owner who is unknown to Projects');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.projects_task SET owner_ids = ARRAY[pg_temp.person('p-dora')] WHERE id = %L $$, :'projects_1'), '23514', '"owner_ids" of "projects_task"', 'B5: or to the CRM');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET priority = 'Urgent' WHERE id = %L $$, :'crm_1'), '23514', 'no choice', 'B5: a choice that the other side does not have');
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.projects_task SET name = repeat('x', 256) WHERE id = %L $$, :'projects_1'), '23514', '256 characters[\s\S]*holds 255', 'B5: a text that is too long for it');
DELETE FROM crm_bridge.notification; DELETE FROM crm_bridge.refusal;
CREATE TEMP VIEW kept AS SELECT recipient, facts ->> 'record' AS record, facts ->> 'field' AS field, facts -> 'new' AS new, facts ->> 'words' AS words FROM mails WHERE kind = 'update_kept';
SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"owner_id": "c-carl", "subject": "Handed over"}', 'ben@zylker.example'), 'updated', 'of what a person did in the CRM');
SELECT results_eq($$ SELECT field, reason, reverted FROM told $$, $$ VALUES ('owner_id', 'user_unknown', false) $$, 'what cannot be said in Projects is on record, and stays in the CRM');
SELECT results_eq(format($$ SELECT owner_ids = ARRAY[pg_temp.person('p-mira')], name FROM crm_bridge.projects_task WHERE id = %L $$, :'projects_1'), $$ VALUES (true, 'Handed over') $$, 'B5: the twin keeps its owner, the other field travels');
SELECT results_eq('SELECT recipient, record, field, words FROM kept', $$ VALUES ('ben@zylker.example', 'Handed over', 'Owner', 'No active user of "projects_user" has the e-mail address of this one.') $$, 'B5: the person is told');
SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"owner_id": "c-carl", "subject": "Handed over"}', 'ben@zylker.example'), 'unchanged', 'B9: the same told again is nothing new');
SELECT is((SELECT count(*) FROM mails), 1::bigint, 'B5: and he is told once');
SELECT pg_temp.tell('crm_task', :'crm_1', '{"priority": "Urgent"}', 'ben@zylker.example') \g /dev/null
SELECT pg_temp.tell('projects_task', :'projects_2', jsonb_build_object('name', repeat('x', 256), 'priority', 'low'), 'p-mira') \g /dev/null
SELECT results_eq('SELECT field, reason FROM told OFFSET 1', $$ VALUES ('priority', 'value_not_in_picklist'), ('name', 'text_too_long') $$, 'B5: a choice that Projects does not have, a text that the CRM does not hold');
SELECT results_eq('SELECT recipient, field FROM kept OFFSET 1', $$ VALUES ('ben@zylker.example', 'Priority'), ('mira@zylker.example', 'name') $$, 'B5: each is told');
SELECT results_eq(format($$ SELECT subject, priority FROM crm_bridge.crm_task WHERE id = %L $$, :'crm_2'), $$ VALUES ('task 2', 'Low') $$, 'B5: the twin keeps what it has, the other field travels');
UPDATE crm_bridge.service_field SET writable = false WHERE module = 'projects_task' AND field = 'priority';
SELECT pg_temp.refused(format($$ UPDATE crm_bridge.crm_task SET priority = 'High' WHERE id = %L $$, :'crm_3'), '23514', '"priority" of "crm_task" cannot be carried[\s\S]*takes no value for "projects_task.priority"', 'B5: a field that Projects does not let anybody write any more');
SELECT pg_temp.tell('crm_task', :'crm_3', '{"priority": "High", "subject": "Urgent one"}', 'ben@zylker.example') \g /dev/null
SELECT results_eq(format($$ SELECT priority, name FROM crm_bridge.projects_task WHERE id = %L $$, :'projects_3'), $$ VALUES ('medium', 'Urgent one') $$, 'B5: done in the CRM the twin keeps it, the other field travels');
SELECT results_eq('SELECT field, reason FROM told OFFSET 3', $$ VALUES ('priority', 'field_read_only') $$, 'B5: on record');
SELECT is((SELECT count(*) FROM kept), 4::bigint, 'B5: and told');
UPDATE crm_bridge.service_field SET writable = true WHERE module = 'projects_task' AND field = 'priority';
SELECT crm_bridge.set_setting('rule_mode', '"warn"') \g /dev/null
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.crm_task SET priority = 'Urgent', subject = 'Warned' WHERE id = %L $$, :'crm_3'), 'D3: with rule_mode = warn an app''s write stands');
SELECT results_eq(format($$ SELECT c.priority, p.priority, p.name FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p WHERE c.id = %L AND p.id = %L $$, :'crm_3', :'projects_3'), $$ VALUES ('Urgent', 'medium', 'Warned') $$, 'D3: the twin keeps what it has');
SELECT is((SELECT count(*) FROM kept), 4::bigint, 'D3: an app was warned, nobody is mailed');
DELETE FROM crm_bridge.setting;

-- What the record's own service does not take -----------------------------------------------------------------------

SELECT crm_bridge.store_fields('crm_task', '[{"api_name": "Region", "type": "picklist", "writable": true, "picklist": ["North", "South"]}, {"api_name": "Code", "type": "text", "writable": true, "maximum_length": 5}]', 1) \g /dev/null
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_task (subject) VALUES (repeat('é', 256)) $$, '23514', '"subject" of "crm_task" is too long[\s\S]*256 characters, and the service takes 255', 'B5: a text that is too long for the record''s own service');
SELECT pg_temp.accepted($$ INSERT INTO crm_bridge.crm_task (subject) VALUES (repeat('é', 255)) $$, 'B5: characters are counted, not bytes');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_task (subject, custom_fields) VALUES ('a', '{"Region": "West"}') $$, '23514', '"Region" of "crm_task" is none of its choices[\s\S]*North, South', 'B5: a choice of a custom field that there is not');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_task SET custom_fields = '{"Code": "123456"}' $$, '23514', '"Code" of "crm_task" is too long', 'B5: a custom text');
SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_task SET custom_fields = '{"Region": "South", "Code": "12345", "Other": "anything"}' $$, 'B5: what fits is written');
SELECT crm_bridge.store_fields('crm_task', '[{"api_name": "Region", "type": "picklist", "writable": true, "picklist": ["North"]}]', 1) \g /dev/null
SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_task SET custom_fields = custom_fields || '{"Other": "else"}' $$, 'B5: what was there before is not looked at again');
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_task SET subject = repeat('x', 300) WHERE subject LIKE 'é%' $$, 'D3: with rule_mode = send the service decides');
DELETE FROM crm_bridge.setting;

SELECT * FROM finish();
ROLLBACK;
