-- SPDX-License-Identifier: PostgreSQL
-- Comments, client users and the members of a project; what lists do not show, and going round (design §3, §7, R33, R37, B1, B6, B9).
BEGIN;
\ir fixture/tools.psql
SELECT plan(45);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
SELECT count(*) AS received FROM crm_bridge.receive('projects_client', '[{"external_id": "cl1", "fields": {"name": "Acme", "portal_id": "portal"}}]', clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_project', '[{"external_id": "pr1", "fields": {"name": "Routers", "portal_id": "portal"}}, {"external_id": "pr2", "fields": {"name": "Switches", "portal_id": "portal"}}]', clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_task', '[{"external_id": "t1", "fields": {"name": "Survey", "project_id": "pr1", "portal_id": "portal"}}, {"external_id": "t2", "fields": {"name": "Order", "project_id": "pr1", "portal_id": "portal"}}, {"external_id": "t3", "fields": {"name": "Build", "project_id": "pr2", "portal_id": "portal"}}]', clock_timestamp()) \gset
SELECT id AS task FROM crm_bridge.projects_task WHERE external_id = 't1' \gset
SELECT id AS project FROM crm_bridge.projects_project WHERE external_id = 'pr1' \gset
SELECT id AS client FROM crm_bridge.projects_client \gset
SELECT pg_temp.forget() AS forgotten \gset

CREATE FUNCTION pg_temp.claimed(lease uuid) RETURNS TABLE (operation text, fields jsonb, context jsonb) LANGUAGE sql AS $$
  SELECT c.operation, c.fields, c.context FROM crm_bridge.claim('zoho_projects', 10, lease, org_id => 1) AS c ORDER BY c.module, c.record_id $$;
CREATE FUNCTION pg_temp.confirm(lease uuid, external_id text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.acknowledge(lease, (SELECT jsonb_agg(jsonb_build_object('module', d.module, 'record_id', d.record_id, 'version', '2026-04-02T09:10:11Z')
    || CASE WHEN d.operation = 'delete' THEN '{}' ELSE jsonb_build_object('external_id', confirm.external_id) END) FROM crm_bridge.delivery AS d WHERE d.state = 'in_flight'), 1) AS a $$;

-- A comment by an app ----------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.projects_comment (content, task_id) VALUES ('<p>Done</p>', :'task');
SELECT results_eq('SELECT project_id, portal_id IS NOT NULL, origin FROM crm_bridge.projects_comment', format('SELECT %L::uuid, true, ''app''', :'project'), 'a comment names its task; its project follows');
SELECT results_eq('TABLE dirty', $$ VALUES ('projects_comment', 'write', 'pending', '{}'::text[]) $$, 'B1: a new comment is to be sent');
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'),
  $$ VALUES ('create', '{"content": "<p>Done</p>", "task_id": "t1", "project_id": "pr1", "portal_id": "portal"}'::jsonb, '{"task_id": "t1", "project_id": "pr1", "portal_id": "portal"}'::jsonb) $$, 'with everything that its URL needs');
SELECT is(pg_temp.confirm(:'lease', 'c1'), 'done', 'and is confirmed');
SELECT pg_temp.forget() AS forgotten \gset
SELECT results_eq($$ SELECT r.outcome FROM crm_bridge.receive('projects_comment', '[{"external_id": "c1", "version": "2026-04-02T09:10:11Z", "fields": {"content": "<p>Done</p>", "author_id": "p-mira", "author_name": "Mira", "posted_at": "2026-04-02T09:10:11Z", "task_id": "t1", "project_id": "pr1", "portal_id": "portal"}}]', clock_timestamp()) AS r $$,
  ARRAY['updated'], 'B9: read back, it brings its author and instant');
SELECT results_eq('SELECT content, author_name, posted_at FROM crm_bridge.projects_comment', $$ VALUES ('<p>Done</p>', 'Mira', '2026-04-02 09:10:11+00'::timestamptz) $$, 'as the service tells them');
SELECT is_empty('TABLE dirty', 'P10: and nothing is sent for that');
UPDATE crm_bridge.projects_comment SET content = '<p>Not done</p>';
SELECT results_eq('TABLE events', $$ VALUES ('update', 'service', 'projects_comment', '{"author_id": null, "posted_at": null, "author_name": null}'::jsonb), ('update', 'app', 'projects_comment', '{"content": "<p>Done</p>"}') $$, 'B17: who changed what is in the history');
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"content": "<p>Not done</p>"}'::jsonb, '{"task_id": "t1", "project_id": "pr1", "portal_id": "portal"}'::jsonb) $$, 'B1: a change sends what changed');
SELECT is(pg_temp.confirm(:'lease', 'c1'), 'done', 'and is confirmed');
DELETE FROM crm_bridge.projects_comment;
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('delete', '{}'::jsonb, '{"task_id": "t1", "project_id": "pr1", "portal_id": "portal"}'::jsonb) $$, 'B1: a deletion knows the URL of what is not there any more');
SELECT is(pg_temp.confirm(:'lease', NULL), 'done', 'and is confirmed');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.projects_comment (content, task_id, author_name) VALUES ('x', %L, 'Nobody') $$, :'task'), '428C9', 'author_name', 'who wrote a comment is the service''s to say');
SELECT count(*) AS received FROM crm_bridge.receive('projects_comment', '[{"external_id": "c2", "fields": {"content": "Hello", "task_id": "t9", "project_id": "pr1", "portal_id": "portal"}}]', clock_timestamp()) \gset
SELECT results_eq('SELECT c.content, s.state FROM crm_bridge.projects_comment AS c JOIN crm_bridge.shadow AS s ON s.record_id = c.task_id', $$ VALUES ('Hello', 'expected') $$, 'a comment may come before its task');
SELECT crm_bridge.new_id() AS new_task \gset
INSERT INTO crm_bridge.projects_task (id, name, project_id, portal_id) SELECT :'new_task', 'New', p.id, p.portal_id FROM crm_bridge.projects_project AS p WHERE p.external_id = 'pr1';
INSERT INTO crm_bridge.projects_comment (content, task_id) VALUES ('About the new task', :'new_task');
SELECT results_eq(format('SELECT operation, fields ->> ''name'' FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('create', 'New') $$, 'B6: a comment waits for its task');
SELECT is(pg_temp.confirm(:'lease', 't4'), 'done', 'when the task is there');
SELECT results_eq(format('SELECT context ->> ''task_id'' FROM pg_temp.claimed(%L)', :'lease'), ARRAY['t4'], 'the comment follows');
SELECT is(pg_temp.confirm(:'lease', 'c3'), 'done', 'and is confirmed');

-- Client users and members -----------------------------------------------------------------------------------------

SELECT pg_temp.forget() AS forgotten \gset
INSERT INTO crm_bridge.projects_client_user (first_name, last_name, email, client_id, project_id, portal_id)
SELECT 'Lin', 'Wu', 'lin@acme.example', :'client', p.id, p.portal_id FROM crm_bridge.projects_project AS p WHERE p.external_id = 'pr1';
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'),
  $$ VALUES ('create', '{"first_name": "Lin", "last_name": "Wu", "email": "lin@acme.example", "client_id": "cl1", "project_id": "pr1", "portal_id": "portal"}'::jsonb, '{"portal_id": "portal"}'::jsonb) $$, 'a client user is invited for a customer, to a project');
SELECT is(pg_temp.confirm(:'lease', 'g1'), 'done', 'and is confirmed');
SELECT pg_temp.refused($$ UPDATE crm_bridge.projects_client_user SET full_name = 'X' $$, '428C9', 'full_name', 'what Projects composes is not written');
SELECT results_eq($$ SELECT r.outcome FROM crm_bridge.receive('projects_project', '[{"external_id": "pr1", "fields": {"user_ids": ["p-ben", "p-mira"], "client_user_ids": ["g1"]}}]', clock_timestamp()) AS r $$, ARRAY['updated'], 'the members of a project are read on their own');
SELECT results_eq($$ SELECT p.name, cardinality(p.user_ids), (SELECT u.email FROM crm_bridge.projects_client_user AS u WHERE u.id = p.client_user_ids[1]) FROM crm_bridge.projects_project AS p WHERE p.external_id = 'pr1' $$, $$ VALUES ('Routers', 2, 'lin@acme.example') $$, 'and leave its other fields alone');
SELECT is_empty('TABLE dirty', 'P10: nothing is sent for that');
UPDATE crm_bridge.projects_project SET user_ids = array_append(user_ids, pg_temp.person('p-dora')) WHERE external_id = 'pr1';
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"user_ids": ["p-ben", "p-mira", "p-dora"]}'::jsonb, '{"portal_id": "portal"}'::jsonb) $$, 'B1: a changed list of members is sent whole');
SELECT is(pg_temp.confirm(:'lease', 'pr1'), 'done', 'and is confirmed');
SELECT pg_temp.forget() AS forgotten \gset
SELECT crm_bridge.store_fields('projects_project', '[{"api_name": "cf_region", "type": "text", "writable": true}]', 1) AS stored \gset
SELECT results_eq($$ SELECT r.outcome FROM crm_bridge.receive('projects_project', '[{"external_id": "pr1", "fields": {"cf_region": "North"}}]', clock_timestamp()) AS r $$, ARRAY['updated'], 'R24: a custom field of a project is read');
UPDATE crm_bridge.projects_project SET custom_fields = custom_fields || '{"cf_region": "South"}' WHERE external_id = 'pr1';
SELECT results_eq(format('SELECT fields FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('{"cf_region": "South"}'::jsonb) $$, 'R24: and written');
SELECT is(pg_temp.confirm(:'lease', 'pr1'), 'done', 'and is confirmed');

-- What a list does not show ----------------------------------------------------------------------------------------

CREATE TEMP VIEW noted AS SELECT n.module, n.external_id, n.event FROM crm_bridge.inbox AS n ORDER BY n.module, n.external_id;
SELECT is(crm_bridge.note_unlisted('projects_task', '{"project_id": "pr1"}', '{t1}', clock_timestamp() + interval '1 second', org_id => 1), 1, 'B1: of the tasks of a place');
SELECT results_eq('TABLE noted', $$ VALUES ('projects_task', 't2', 'missing') $$, 'the one that the list does not show is noted; the one just confirmed is left alone, and so are other places');
SELECT results_eq(format($$ SELECT t.external_id, t.event, t.context FROM crm_bridge.take_notices('zoho_projects', 10, %L, 1) AS t $$, :'lease'), $$ VALUES ('t2', 'missing', '{"project_id": "pr1", "portal_id": "portal"}'::jsonb) $$, 'to be read again on its own');
DELETE FROM crm_bridge.inbox;
SELECT is(crm_bridge.note_unlisted('projects_task', '{"project_id": "pr1"}', '{}', clock_timestamp() - interval '1 hour', org_id => 1), 0, 'B9: what was read since the listing began is left alone');
SELECT is(crm_bridge.note_unlisted('projects_task', '{"project_id": "unknown"}', '{}', clock_timestamp() + interval '1 hour', org_id => 1), 0, 'a place where nothing of ours is');
SELECT is(crm_bridge.note_unlisted('projects_task', '{"project_id": "pr1"}', NULL, clock_timestamp() - interval '1 hour', 'delete', 1), 3, 'a place that is gone: everything in it');
SELECT is((SELECT count(*) FROM noted WHERE event = 'delete'), 3::bigint, 'for certain');
SELECT pg_temp.refused($$ SELECT crm_bridge.note_unlisted('projects_task', '{"name": "x"}', '{}', now(), org_id => 1) $$, '22023', 'field "name" addresses no "projects_task"', 'a place is named by what addresses records');
SELECT pg_temp.refused($$ SELECT crm_bridge.note_unlisted('projects_task', '{}', '{}', now(), 'gone', 1) $$, '22023', 'event "gone" is not known[\s\S]*missing or delete', 'an event that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.note_unlisted('tasks', '{}', '{}', now(), org_id => 1) $$, '42704', 'module "tasks" does not exist', 'a module that there is not');

-- Webhooks that say where, and going round -------------------------------------------------------------------------

DELETE FROM crm_bridge.inbox;
SELECT crm_bridge.store_notice('zoho_projects', 'webhook', 'projects_task', '{t8}', 'insert', '{}', '{"project_id": "pr2"}', org_id => 1) AS stored \gset
SELECT crm_bridge.store_notice('zoho_projects', 'webhook', 'projects_task', '{t1}', 'update', '{}', '{"project_id": "wrong"}', org_id => 1) AS stored \gset
SELECT results_eq(format($$ SELECT t.external_id, t.context FROM crm_bridge.take_notices('zoho_projects', 10, %L, 1) AS t ORDER BY 1 $$, :'lease'),
  $$ VALUES ('t1', '{"project_id": "pr1", "portal_id": "portal"}'::jsonb), ('t8', '{"project_id": "pr2"}') $$, 'R55: where an unknown record lives is the webhook''s word, where a known one lives is ours');
SELECT results_eq($$ SELECT n.external_id, n.context FROM crm_bridge.next_records('projects_task', '', 2, 1) AS n $$,
  $$ VALUES ('t1', '{"project_id": "pr1", "portal_id": "portal"}'::jsonb), ('t2', '{"project_id": "pr1", "portal_id": "portal"}') $$, 'a worker goes round the records that the service has');
SELECT results_eq($$ SELECT n.external_id FROM crm_bridge.next_records('projects_task', 't2', 5, 1) AS n $$, ARRAY['t3', 't4'], 'in their order');
SELECT is_empty($$ SELECT n.external_id FROM crm_bridge.next_records('projects_task', 't4', 5, 1) AS n $$, 'to the end');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.next_records('tasks', '', 5, 1) $$, '42704', 'module "tasks" does not exist', 'of a module that there is');
SELECT crm_bridge.create_organization(2, 'Other') AS org \gset
SELECT is_empty($$ SELECT n.external_id FROM crm_bridge.next_records('projects_task', '', 5, 2) AS n $$, 'T39: each organization its own');

SELECT * FROM finish();
ROLLBACK;
