-- SPDX-License-Identifier: PostgreSQL
-- What a service refuses of an update of a linked record when it is sent: put back or kept, on record, and told once (R80-R86, D3, B2, B5).
BEGIN;
\ir fixture/tools.psql
SELECT plan(46);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

CREATE FUNCTION pg_temp.tell(module text, record uuid, fields jsonb, person text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.shadow AS s, crm_bridge.receive(tell.module, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('external_id', s.external_id,
    'version', clock_timestamp(), 'modified_at', clock_timestamp(), 'modified_by', person, 'fields', tell.fields))), clock_timestamp(), org_id => 1) AS r WHERE s.record_id = record $$;
-- The worker is handed what is due for a service, and one record of it is refused: those fields, with those words; the others are taken.
CREATE FUNCTION pg_temp.refuse(service text, record uuid, named text, words text, lease uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  handed jsonb;
  outcome text;
BEGIN
  handed := (SELECT jsonb_agg(jsonb_build_object('module', c.module, 'record_id', c.record_id, 'external_id', c.external_id, 'version', clock_timestamp()))
               FROM crm_bridge.claim(refuse.service, 100, refuse.lease, org_id => 1) AS c);
  SELECT f.state INTO outcome FROM jsonb_array_elements(handed) AS h, crm_bridge.fail(refuse.lease, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
      'module', h -> 'module', 'record_id', h -> 'record_id', 'outcome', 'park', 'reason', 'refused', 'detail', words, 'refused_fields', to_jsonb(string_to_array(named, ','))))), 1) AS f
   WHERE h ->> 'record_id' = refuse.record::text;
  PERFORM * FROM jsonb_array_elements(handed) AS h, crm_bridge.acknowledge(refuse.lease, jsonb_build_array(h), 1) WHERE h ->> 'record_id' <> refuse.record::text;
  RETURN outcome;
END $$;
CREATE FUNCTION pg_temp.faces(task uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT concat_ws('|', c.due_date, (p.end_date AT TIME ZONE 'America/New_York')::date, c.subject, p.name, c.priority, p.priority, c.status, p.is_completed)
    FROM crm_bridge.crm_task AS c JOIN crm_bridge.link AS l ON l.left_id = c.id AND l.pairing = 'task_task' JOIN crm_bridge.projects_task AS p ON p.id = l.right_id WHERE c.id = task $$;
CREATE TEMP VIEW mails AS SELECT recipient, kind, facts FROM crm_bridge.notification WHERE kind ~ '_(refused|kept)$' ORDER BY notification_id;
CREATE TEMP VIEW told AS SELECT module, record, field, reason, value, agreed, refused_for, reverted FROM crm_bridge.refusals ORDER BY refusal_id;
CREATE FUNCTION pg_temp.clear(lease uuid) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM crm_bridge.refusal;
  DELETE FROM crm_bridge.notification;
  DELETE FROM crm_bridge.inbox;
  UPDATE crm_bridge.delivery SET not_before = '-infinity';  -- nobody waits here for a second attempt
  RETURN pg_temp.send_all(clear.lease);
END $$;
SELECT pg_temp.tell('crm_user', pg_temp.person('c-ben'), '{"full_name": "Ben", "email": "ben@zylker.example", "status": "active", "locale": "de_DE"}') \g /dev/null
SELECT pg_temp.tell('projects_project', :'project', '{"is_strict": false, "start_date": "2026-03-01", "end_date": "2026-03-31"}') \g /dev/null
UPDATE crm_bridge.crm_task SET due_date = '2026-03-10', status = 'Not Started', priority = 'Normal';
SELECT pg_temp.clear(:'lease') AS sent \gset
SELECT pg_temp.forget() \g /dev/null

-- A strict schedule that the mirror did not know of -------------------------------------------------------------------

SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15", "subject": "Renamed"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.faces(:'crm_1'), '2026-04-15|2026-04-15|Renamed|Renamed|Normal|medium|Not Started|f', 'the mirror knows of no strict schedule: what a person did in the CRM goes on');
SELECT is(pg_temp.refuse('zoho_projects', :'projects_1', 'end_date', 'INVALID_PARAMETER_VALUE: Task dates should be within the project''s start and end dates (end_date)', :'lease'), 'done', 'Projects refuses it: that is settled');
SELECT is(pg_temp.faces(:'crm_1'), '2026-03-10|2026-03-10|task 1|task 1|Normal|medium|Not Started|f', 'R80, R86, D3: both faces are put back, with what came along');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_task', 'write', 'pending', '{due_date,subject}'::text[]) $$, 'D3: the CRM is sent what Projects has; nothing is parked, nothing goes to Projects');
SELECT results_eq('TABLE told', $$ VALUES ('crm_task', 'task 1', 'due_date', 'strict_schedule', '"2026-04-15"'::jsonb, '"2026-03-10"'::jsonb, 'ben@zylker.example', true),
  ('crm_task', 'task 1', 'subject', 'refused', '"Renamed"', '"task 1"', 'ben@zylker.example', true) $$, 'B2: what was typed is on record, each value where it was typed');
SELECT results_eq('TABLE mails', $$ VALUES ('ben@zylker.example', 'due_date_refused', '{"task": "task 1", "project": "Routers", "parent": null, "old": "2026-03-10", "new": "2026-04-15", "limit": "2026-03-31"}'::jsonb) $$,
  'R81: the person is told once, with task, project, old and new value and the last day that is possible');
SELECT is((SELECT left_base || right_base FROM pair WHERE crm_id = :'crm_1'), '{}', 'the two are in step');
SELECT results_eq($$ SELECT module, event FROM crm_bridge.inbox $$, $$ VALUES ('projects_project', 'update') $$, 'the project is read again: the mirror is to know next time');
SELECT is((SELECT actor FROM crm_bridge.record_history WHERE record_id = :'projects_1' ORDER BY at DESC LIMIT 1), 'refused by zoho_projects', 'B17: history says who put it back');
SELECT results_eq(format($$ SELECT module, fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('crm_task', '{"due_date": "2026-03-10", "subject": "task 1"}'::jsonb) $$, 'D3: and is on its way');
SELECT is((SELECT count(*) FROM crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'projects_task', 'record_id', :'projects_1', 'outcome', 'park', 'reason', 'refused', 'detail', 'x', 'refused_fields', '[]'::jsonb)), 1)), 0::bigint, 'the refusal told twice: nothing is in flight any more');
SELECT is((SELECT count(*) FROM mails), 1::bigint, 'R81: and nobody is told twice');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'crm_1', 'version', clock_timestamp())), 1) \g /dev/null
SELECT is(pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-03-10", "subject": "task 1"}', 'ben@zylker.example'), 'unchanged', 'B9: the CRM''s echo is nothing new');
SELECT pg_temp.tell('crm_task', :'crm_1', '{"due_date": "2026-04-15"}', 'ben@zylker.example') \g /dev/null
SELECT results_eq('SELECT module, fields FROM dirty', $$ VALUES ('projects_task', '{end_date}'::text[]) $$, 'a later genuine edit is sent again');
SELECT pg_temp.refuse('zoho_projects', :'projects_1', 'end_date', 'Task dates should be within the project''s start and end dates', :'lease') \g /dev/null
SELECT is((SELECT count(*) FROM mails), 2::bigint, 'R81: and if it is refused too, it is told too');
SELECT pg_temp.clear(:'lease') AS sent \gset

-- An app's write, and an edit while the refusal was on its way.
UPDATE crm_bridge.crm_task SET due_date = '2026-04-20' WHERE id = :'crm_1';
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1) \gset
UPDATE crm_bridge.crm_task SET due_date = '2026-03-20' WHERE id = :'crm_1';
SELECT results_eq(format($$ SELECT state FROM crm_bridge.fail(%L, jsonb_build_array(jsonb_build_object('module', 'projects_task', 'record_id', %L, 'outcome', 'park', 'reason', 'refused', 'detail', 'project', 'refused_fields', '["end_date"]'::jsonb)), 1) $$, :'lease', :'projects_1'),
  $$ VALUES ('pending') $$, 'edited meanwhile: the newer value is sent');
SELECT is(pg_temp.faces(:'crm_1'), '2026-03-20|2026-03-20|task 1|task 1|Normal|medium|Not Started|f', 'and nothing is put back');
SELECT is((SELECT count(*) FROM mails), 0::bigint, 'nor told');
SELECT pg_temp.clear(:'lease') AS sent \gset

-- A closed parent that the mirror did not know of ---------------------------------------------------------------------

UPDATE crm_bridge.projects_task SET parent_task_id = :'projects_3' WHERE id = :'projects_2';
UPDATE crm_bridge.crm_task SET status = 'Completed' WHERE id = :'crm_2';
SELECT pg_temp.clear(:'lease') AS sent \gset
SELECT pg_temp.tell('crm_task', :'crm_2', '{"status": "In Progress", "priority": "High"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.refuse('zoho_projects', :'projects_2', 'is_completed', 'Subtask cannot be reopened as its parent task is closed (status)', :'lease'), 'done', 'Projects refuses to reopen a subtask');
SELECT is(pg_temp.faces(:'crm_2'), '2026-03-10|2026-03-10|task 2|task 2|Normal|medium|Completed|t', 'R83, R86, D3: it is closed again in the CRM, and no other field of that update is applied');
SELECT results_eq('TABLE mails', $$ VALUES ('ben@zylker.example', 'status_refused', '{"task": "task 2", "project": "Routers", "parent": "task 3", "old": "Completed", "new": "In Progress", "limit": null}'::jsonb) $$, 'R84: he is told');
SELECT results_eq($$ SELECT DISTINCT module FROM crm_bridge.inbox $$, $$ VALUES ('projects_task') $$, 'the parent is read again');
SELECT pg_temp.clear(:'lease') AS sent \gset

-- Any other refusal: only what the service names ------------------------------------------------------------------------

SELECT pg_temp.tell('crm_task', :'crm_1', '{"subject": "Half", "priority": "High"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.refuse('zoho_projects', :'projects_1', 'name', 'INVALID_PARAMETER_VALUE: Maximum length exceeded (name)', :'lease'), 'pending', 'Projects names one of two fields');
SELECT is(pg_temp.faces(:'crm_1'), '2026-03-20|2026-03-20|task 1|task 1|High|high|Not Started|f', 'D3: that one is put back, the other stays');
SELECT results_eq('SELECT module, fields FROM dirty', $$ VALUES ('crm_task', '{subject}'::text[]), ('projects_task', '{priority}') $$, 'D3: the other goes to Projects, the old name to the CRM');
SELECT results_eq('TABLE told', $$ VALUES ('crm_task', 'task 1', 'subject', 'refused', '"Half"'::jsonb, '"task 1"'::jsonb, 'ben@zylker.example', true) $$, 'B2: it is on record');
SELECT results_eq('TABLE mails', $$ VALUES ('ben@zylker.example', 'update_refused', jsonb_build_object('record', 'task 1', 'module', 'crm_task', 'field', 'Subject', 'old', 'task 1', 'new', 'Half', 'others', '[]'::jsonb,
  'service', 'Zoho Projects', 'words', 'INVALID_PARAMETER_VALUE: Maximum length exceeded (name)')) $$, 'B5: and told, with record, field, value and the service''s words');
SELECT matches((SELECT p.body FROM crm_bridge.notification AS n, crm_bridge.preview_notification(n.notification_id) AS p), 'Zoho Projects hat Ihre letzte Änderung abgelehnt.*task 1 \(Aufgabe im CRM\)\nFeld: Subject\nBisheriger Wert: task 1\nVon Ihnen eingegeben: Half\n', 'D10: in his language');
SELECT pg_temp.clear(:'lease') AS sent \gset

-- From Projects, refused by the CRM, which names no field: all of the request.
SELECT pg_temp.tell('projects_task', :'projects_1', '{"name": "From Projects", "priority": "low"}', 'p-mira') \g /dev/null
SELECT is(pg_temp.refuse('zoho_crm', :'crm_1', '', 'RECORD_LOCKED: record is locked', :'lease'), 'done', 'the CRM refuses the whole record');
SELECT is(pg_temp.faces(:'crm_1'), '2026-03-20|2026-03-20|task 1|task 1|High|high|Not Started|f', 'D3: it is put back in Projects too');
SELECT results_eq('SELECT module, field, value, agreed FROM told', $$ VALUES ('projects_task', 'priority', '"low"'::jsonb, '"high"'::jsonb), ('projects_task', 'name', '"From Projects"', '"task 1"') $$, 'B2: the values stand where they were entered');
SELECT results_eq($$ SELECT kind, facts ->> 'field', facts -> 'others' FROM mails $$, $$ VALUES ('update_refused', 'priority', '["name"]'::jsonb) $$, 'one mail for the whole update');
-- Two services that refuse each other's values.
SELECT is(pg_temp.refuse('zoho_projects', :'projects_1', '', 'FORBIDDEN_FOR_EVER', :'lease'), 'parked', 'what a refusal put back and is refused in its turn waits for a person: no loop');
SELECT results_eq($$ SELECT module, state FROM dirty $$, $$ VALUES ('projects_task', 'parked') $$, 'and nothing else is on its way');
SELECT crm_bridge.retry(:'projects_1') \g /dev/null
SELECT pg_temp.clear(:'lease') AS sent \gset

-- An app's own write to the face that is refused.
UPDATE crm_bridge.projects_task SET completion_percentage = 50, name = 'By an app' WHERE id = :'projects_1';
SELECT pg_temp.refuse('zoho_projects', :'projects_1', 'name', 'no', :'lease') \g /dev/null
SELECT results_eq('SELECT module, field, value, agreed, reverted FROM told', $$ VALUES ('projects_task', 'name', '"By an app"'::jsonb, '"task 1"'::jsonb, true) $$, 'of an app''s write the record itself is named');
SELECT is((SELECT recipient FROM mails), 'Mira@zylker.example', 'and the owner is told, where nobody has the writer''s address');
SELECT results_eq($$ SELECT module, fields FROM dirty $$, $$ VALUES ('crm_task', '{subject}'::text[]), ('projects_task', '{completion_percentage}') $$, 'the rest goes out');
SELECT pg_temp.clear(:'lease') AS sent \gset

-- refusal = keep -----------------------------------------------------------------------------------------------------

SELECT crm_bridge.set_setting('refusal', '"keep"') \g /dev/null
SELECT pg_temp.tell('crm_task', :'crm_1', '{"subject": "Kept"}', 'ben@zylker.example') \g /dev/null
SELECT is(pg_temp.refuse('zoho_projects', :'projects_1', 'name', 'Maximum length exceeded', :'lease'), 'parked', 'D3: with refusal = keep it stays parked');
SELECT is(pg_temp.faces(:'crm_1'), '2026-03-20|2026-03-20|Kept|Kept|High|high|Not Started|f', 'D3: both keep the value');
SELECT results_eq('SELECT field, value, agreed, reverted FROM told', $$ VALUES ('subject', '"Kept"'::jsonb, '"task 1"'::jsonb, false) $$, 'it is on record, not put back');
SELECT results_eq($$ SELECT kind, facts ->> 'new' FROM mails $$, $$ VALUES ('update_kept', 'Kept') $$, 'and the mail says so');
SELECT crm_bridge.retry(:'projects_1') \g /dev/null
SELECT pg_temp.refuse('zoho_projects', :'projects_1', 'name', 'Maximum length exceeded', :'lease') \g /dev/null
SELECT results_eq('SELECT (SELECT count(*) FROM mails), (SELECT count(*) FROM told)', $$ VALUES (1::bigint, 1::bigint) $$, 'tried again and refused again: nobody is told again');
UPDATE crm_bridge.crm_task SET subject = 'Short' WHERE id = :'crm_1';
SELECT results_eq($$ SELECT module, state, fields FROM dirty WHERE module = 'projects_task' $$, $$ VALUES ('projects_task', 'pending', '{name}'::text[]) $$, 'edited again it is due again');
DELETE FROM crm_bridge.setting;
SELECT pg_temp.clear(:'lease') AS sent \gset

-- What is no such refusal ----------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.projects_task (name, project_id, portal_id) SELECT 'Alone', id, portal_id FROM crm_bridge.projects_project WHERE id = :'project';
SELECT is(pg_temp.refuse('zoho_projects', (SELECT id FROM crm_bridge.projects_task WHERE name = 'Alone'), 'name', 'no', :'lease'), 'parked', 'a refused creation has nothing to go back to: it is parked');
DELETE FROM crm_bridge.delivery;
UPDATE crm_bridge.crm_task SET subject = 'Not a word' WHERE id = :'crm_1';
SELECT is(pg_temp.refuse('zoho_projects', :'projects_1', NULL, 'HTTP 400', :'lease'), 'parked', 'an answer that does not speak of values puts nothing back');
SELECT is((SELECT count(*) FROM mails) + (SELECT count(*) FROM told), 0::bigint, 'and nobody is told');

SELECT * FROM finish();
ROLLBACK;
