-- SPDX-License-Identifier: PostgreSQL
-- Comments: what is said about a linked task is said on both sides, once, and names its author (R77-R79, D2, D9, D13, B9).
BEGIN;
\ir fixture/tools.psql
SELECT plan(45);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

SELECT external_id AS crm_task FROM crm_bridge.shadow WHERE record_id = :'crm_1' \gset
SELECT external_id AS task FROM crm_bridge.shadow WHERE record_id = :'projects_1' \gset
CREATE FUNCTION pg_temp.told(module text, id text, fields jsonb, at timestamptz DEFAULT clock_timestamp(), person text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive(told.module, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('external_id', told.id, 'version', clock_timestamp(), 'created_at', at, 'modified_by', person, 'fields', told.fields))), clock_timestamp(), org_id => 1) AS r $$;
CREATE FUNCTION pg_temp.gone(module text, id text) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive(gone.module, jsonb_build_array(jsonb_build_object('external_id', gone.id, 'deleted', true)), clock_timestamp(), org_id => 1) AS r $$;
-- What is said about the linked tasks, as each side has it.
CREATE TEMP VIEW said AS
  SELECT n.title AS note_title, n.content AS note, c.content AS comment, c.task_id = l.right_id AND n.task_id = l.left_id AS of_the_pair
    FROM crm_bridge.link AS p
    JOIN crm_bridge.crm_note AS n ON n.id = p.left_id JOIN crm_bridge.projects_comment AS c ON c.id = p.right_id
    JOIN crm_bridge.link AS l ON l.pairing = 'task_task' AND l.left_id = n.task_id AND l.state = 'active'
   WHERE p.pairing = 'note_comment' AND p.state = 'active' ORDER BY p.link_id;
CREATE TEMP VIEW counts AS SELECT (SELECT count(*) FROM crm_bridge.crm_note) AS notes, (SELECT count(*) FROM crm_bridge.projects_comment) AS comments;

-- From the CRM to Projects ------------------------------------------------------------------------------------------

SELECT is(pg_temp.told('crm_note', 'n1', jsonb_build_object('title', 'Call', 'content', E'Asked <twice>\ntoday', 'task_id', :'crm_task', 'author_id', 'c-mira')), 'inserted', 'the CRM has a new note on a linked task');
SELECT results_eq('TABLE said', $$ VALUES ('Call', E'Asked <twice>\ntoday', '[Zoho CRM: Mira: Call]<br>Asked &lt;twice&gt;<br>today', true) $$, 'R77: it is a comment on the task in Projects, which names the author and the title');
SELECT results_eq('TABLE dirty', $$ VALUES ('projects_comment', 'write', 'pending', '{}'::text[]) $$, 'R77: which is sent to Projects; the CRM is sent nothing');
SELECT results_eq(format($$ SELECT c.fields ->> 'content', c.context ->> 'task_id' FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) AS c $$, :'lease'),
  format($$ VALUES ('[Zoho CRM: Mira: Call]<br>Asked &lt;twice&gt;<br>today', %L) $$, :'task'), 'to the task');

-- Projects tells of it before its creation is confirmed.
SELECT is(pg_temp.told('projects_comment', 'pc1', jsonb_build_object('content', '<p>[Zoho CRM: Mira: Call]</p><p>Asked &lt;twice&gt;<br>today</p>', 'task_id', :'task', 'author_name', 'The worker')), 'inserted', 'a poll may be faster than the answer');
SELECT results_eq('TABLE counts', $$ VALUES (1::bigint, 2::bigint) $$, 'B9: it is not taken for a new one');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'projects_comment', 'record_id', (SELECT right_id FROM crm_bridge.link WHERE pairing = 'note_comment'), 'external_id', 'pc1', 'version', clock_timestamp())), 1) \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (1::bigint, 1::bigint) $$, 'B3: the two are one');
SELECT is(pg_temp.told('projects_comment', 'pc1', jsonb_build_object('content', '<p>[Zoho CRM: Mira: Call]</p><p>Asked &lt;twice&gt;<br>today</p>', 'task_id', :'task', 'author_name', 'The worker')), 'updated', 'Projects writes the markup as it likes');
SELECT is((SELECT count(*) FROM dirty), 0::bigint, 'B9: and nothing is sent for that');

SELECT is(pg_temp.told('crm_note', 'n1', '{"content": "Asked once"}'), 'updated', 'the note is edited');
SELECT is((SELECT comment FROM said), '[Zoho CRM: Mira: Call]<br>Asked once', 'D9: the comment follows and still names its author');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT is(pg_temp.told('projects_comment', 'pc1', '{"content": "<p>[Zoho CRM: Mira: Call]</p><p>Asked <b>never</b></p>"}'), 'updated', 'somebody edits the comment');
SELECT is((SELECT note FROM said), 'Asked never', 'D9: the note follows, without the author line');
SELECT is_empty($$ SELECT e.subject FROM crm_bridge.crm_note AS n, crm_bridge.explain_sync(n.id) AS e WHERE n.external_id = 'n1' AND e.topic = 'field' $$, 'B4: nothing of the note stays behind');
SELECT is(pg_temp.told('crm_note', 'n1', '{"title": "Called back"}'), 'updated', 'the note gets another title');
SELECT is((SELECT comment FROM said), '<p>[Zoho CRM: Mira: Call]</p><p>Asked <b>never</b></p>', 'R77: a comment has none: it stays as it is');
SELECT results_eq($$ SELECT e.subject, e.state, e.reason, e.detail ->> 'value' FROM crm_bridge.crm_note AS n, crm_bridge.explain_sync(n.id) AS e WHERE n.external_id = 'n1' AND e.topic = 'field' $$, $$ VALUES ('title', 'not_carried', 'field_read_only', 'Called back') $$, 'B4: and explain_sync says so');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT is(pg_temp.gone('crm_note', 'n1'), 'deleted', 'the note is deleted in the CRM');
SELECT results_eq('TABLE counts', $$ VALUES (0::bigint, 0::bigint) $$, 'D9: the comment with it');
SELECT results_eq(format($$ SELECT module, operation, external_id FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('projects_comment', 'delete', 'pc1') $$, 'D9: in Projects too');
SELECT pg_temp.send_all(:'lease') AS sent \gset
DELETE FROM crm_bridge.delivery;

-- From Projects to the CRM ------------------------------------------------------------------------------------------

SELECT is(pg_temp.told('projects_comment', 'pc2', jsonb_build_object('content', '<p>Done &amp; tested</p>', 'task_id', :'task', 'author_name', 'Dora', 'posted_at', clock_timestamp())), 'inserted', 'Projects has a new comment on a linked task');
SELECT results_eq('TABLE said', $$ VALUES ('Dora (Zoho Projects)', 'Done & tested', '<p>Done &amp; tested</p>', true) $$, 'R78: it is a note on the task in the CRM, whose title names the author');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_note', 'write', 'pending', '{}'::text[]) $$, 'R78: which is sent to the CRM; Projects is sent nothing');
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) \gset
SELECT pg_temp.told('crm_note', 'n2', jsonb_build_object('title', 'Dora (Zoho Projects)', 'content', 'Done & tested', 'task_id', :'crm_task')) \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (2::bigint, 1::bigint) $$, 'B9: ours read before its creation is confirmed is not taken for a new one');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_note', 'record_id', (SELECT left_id FROM crm_bridge.link WHERE pairing = 'note_comment' AND state = 'active'), 'external_id', 'n2', 'version', clock_timestamp())), 1) \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (1::bigint, 1::bigint) $$, 'B3: the two are one');
SELECT pg_temp.gone('projects_comment', 'pc2') \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (0::bigint, 0::bigint) $$, 'D9: deleted there it is deleted here');
SELECT pg_temp.send_all(:'lease') AS sent \gset
DELETE FROM crm_bridge.delivery;

-- Apps --------------------------------------------------------------------------------------------------------------

SAVEPOINT apps;
INSERT INTO crm_bridge.crm_note (title, content, task_id) VALUES (NULL, 'From an app', :'crm_1');
INSERT INTO crm_bridge.projects_comment (content, task_id) VALUES ('From [an] app', :'projects_1');
SELECT results_eq('TABLE said', $$ VALUES (NULL, 'From an app', '[Zoho CRM]<br>From an app', true), ('Zoho Projects', 'From [an] app', 'From [an] app', true) $$, 'R77, R78: of apps likewise, in the same transaction');
UPDATE crm_bridge.crm_note SET content = 'Corrected' WHERE content = 'From an app';
SELECT is((SELECT comment FROM said LIMIT 1), '[Zoho CRM]<br>Corrected', 'D9: an edit follows');
DELETE FROM crm_bridge.projects_comment WHERE content = 'From [an] app';
SELECT results_eq('TABLE counts', $$ VALUES (1::bigint, 1::bigint) $$, 'D9: so does a deletion');
SELECT pg_temp.refused($$ UPDATE crm_bridge.projects_comment SET content = repeat('x', 65536) $$, '23514', 'cannot be carried', 'B5: what the other side cannot hold is refused');
ROLLBACK TO SAVEPOINT apps;
SAVEPOINT acting;
SELECT crm_bridge.act_as('ben@zylker.example') \g /dev/null
INSERT INTO crm_bridge.crm_note (content, task_id) VALUES ('By Ben', :'crm_1');
SELECT is((SELECT comment FROM said), '[Zoho CRM: Ben]<br>By Ben', 'D16: an app''s note names the person for whom it acts');
ROLLBACK TO SAVEPOINT acting;

-- An app's comment is on its way, and Projects tells of one with the same words.
SAVEPOINT same_words;
INSERT INTO crm_bridge.projects_comment (id, content, task_id) VALUES ('018f0000-0000-7000-8000-00000000c001', 'OK', :'projects_1');
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1) \gset
SELECT pg_temp.told('projects_comment', 'pc8', jsonb_build_object('content', '<p>OK</p>', 'task_id', :'task', 'author_name', 'Dora')) \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (1::bigint, 2::bigint) $$, 'B9: it may be ours: it gets no note yet');
SAVEPOINT ours;
SELECT crm_bridge.acknowledge(:'lease', '[{"module": "projects_comment", "record_id": "018f0000-0000-7000-8000-00000000c001", "external_id": "pc8", "version": "2026-12-01T00:00:00Z"}]', 1) \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (1::bigint, 1::bigint) $$, 'B3: it was');
ROLLBACK TO SAVEPOINT ours;
SELECT crm_bridge.acknowledge(:'lease', '[{"module": "projects_comment", "record_id": "018f0000-0000-7000-8000-00000000c001", "external_id": "pc9", "version": "2026-12-01T00:00:00Z"}]', 1) \g /dev/null
SELECT results_eq('TABLE counts', $$ VALUES (2::bigint, 2::bigint) $$, 'R78: or it was not, and then it gets its note');
ROLLBACK TO SAVEPOINT same_words;

-- Who gets none -----------------------------------------------------------------------------------------------------

SELECT pg_temp.told('crm_note', 'n3', jsonb_build_object('content', 'Of old', 'task_id', :'crm_task'), now() - interval '1 day') \g /dev/null
SELECT pg_temp.told('projects_comment', 'pc3', jsonb_build_object('content', 'Of old', 'task_id', :'task', 'posted_at', now() - interval '1 day')) \g /dev/null
SELECT is_empty('TABLE said', 'D13: what was said before the task was linked stays where it is');
INSERT INTO crm_bridge.crm_note (content, deal_id) VALUES ('About the deal', :'deal');
INSERT INTO crm_bridge.crm_task (id, subject) VALUES ('018f0000-0000-7000-8000-00000000d001', 'Not linked');
INSERT INTO crm_bridge.crm_note (content, task_id) VALUES ('About another', '018f0000-0000-7000-8000-00000000d001');
SELECT is_empty('TABLE said', 'R77: notes on a deal or on a task that is not linked have no twin');
SELECT crm_bridge.set_automation('comments_of_linked_tasks', false) \g /dev/null
INSERT INTO crm_bridge.crm_note (content, task_id) VALUES ('While it is off', :'crm_1');
SELECT is_empty('TABLE said', 'the rule can be switched off');
SELECT crm_bridge.set_automation('comments_of_linked_tasks', true) \g /dev/null
SELECT is_empty('TABLE said', 'and on again: what came meanwhile stays where it is');
SELECT pg_temp.accepted(format($$ INSERT INTO crm_bridge.projects_comment (content, task_id) VALUES (repeat('y', 70000), %L) $$, :'projects_1'), 'a comment that no note can hold is accepted');
SELECT results_eq($$ SELECT module, field, reason FROM crm_bridge.refusals $$, $$ VALUES ('projects_comment', 'content', 'not_representable') $$, 'D12: and the reason why it has no twin is on record');

-- Deleted tasks and deleted comments --------------------------------------------------------------------------------

DELETE FROM crm_bridge.crm_note; DELETE FROM crm_bridge.projects_comment;
INSERT INTO crm_bridge.crm_note (content, task_id) VALUES ('Stays', :'crm_1'), ('Goes', :'crm_2');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT is((SELECT count(*) FROM said), 2::bigint, 'two tasks are spoken of');
SELECT pg_temp.gone('projects_task', :'task') \g /dev/null
SELECT is((SELECT count(*) FROM said), 1::bigint, 'one is deleted in Projects');
SELECT pg_temp.gone('projects_comment', s.external_id) FROM crm_bridge.projects_comment AS c JOIN crm_bridge.shadow AS s ON s.record_id = c.id WHERE c.task_id = :'projects_1' \g /dev/null
SELECT set_eq('SELECT content FROM crm_bridge.crm_note WHERE task_id IS NOT NULL', ARRAY['Stays', 'Goes'], 'D2: its comments go with it, the CRM keeps its task and the notes');
UPDATE crm_bridge.crm_note SET content = 'Changed here' WHERE content = 'Goes';
SELECT is((SELECT comment FROM said), '[Zoho CRM]<br>Changed here', 'the other task''s keep step');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 0::bigint, 'no conflict comes of any of this');

SELECT * FROM finish();
ROLLBACK;
