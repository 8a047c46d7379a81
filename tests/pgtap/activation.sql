-- SPDX-License-Identifier: PostgreSQL
-- The integration with Projects is activated, tried out, stopped, switched off and on again (R1-R7, R14, R15, R48-R52, D11, D17, B11).
BEGIN;
\ir fixture/tools.psql
SELECT plan(70);
\ir fixture/organization.psql
\ir fixture/history.psql
\ir fixture/protocol.psql

CREATE TEMP VIEW state AS SELECT i.state, i.stopped_reason, i.stopped_detail FROM crm_bridge.integration AS i WHERE i.org_id = 1 AND i.service = 'zoho_projects';
CREATE TEMP VIEW overview AS SELECT o.state, o.portal, o.tab_visible FROM crm_bridge.integration_overview AS o WHERE o.org_id = 1 AND o.service = 'zoho_projects';
CREATE FUNCTION pg_temp.forced(state text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.error_of(format('UPDATE crm_bridge.integration SET state = %L, activated_at = now(), portal_id = crm_bridge.new_id(), trial_ends_at = now() WHERE service = ''zoho_projects''', state)) ->> 'sqlstate' $$;
-- What the worker does: reads the portal, and says so.
CREATE FUNCTION pg_temp.finish_reading(lease uuid) RETURNS bigint LANGUAGE sql AS $$
  WITH command AS (SELECT c.command_id FROM crm_bridge.next_command('zoho_projects', lease, 1) AS c)
  SELECT count(crm_bridge.finish_command(c.command_id, 'done', '{}', 1)::text) FROM command AS c $$;
CREATE FUNCTION pg_temp.reconciled() RETURNS integer LANGUAGE sql AS $$ SELECT crm_bridge.reconcile(1000, 1) $$;

-- The states ---------------------------------------------------------------------------------------------------------

SELECT results_eq('TABLE overview', $$ VALUES ('off', NULL::text, false) $$, 'R3, R49: before activation nothing is integrated, and there is no tab');
SELECT pg_temp.refused($$ SELECT crm_bridge.choose_portal('x') $$, '42704', 'portal "x" does not exist', 'no portal is known before');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('projects_project', '[]', now()) $$, '55000', 'not active', 'R3: nothing is received before');
SELECT is(pg_temp.forced(s), '55000', format('off does not become %s', s)) FROM unnest(ARRAY['active', 'stopped', 'trial_expired']) AS s;
SELECT pg_temp.refused('SELECT crm_bridge.deactivate_projects()', '55000', 'is off already[\s\S]*activate_projects', 'what is off cannot be switched off');
\ir fixture/projects.psql
SELECT results_eq('TABLE overview', $$ VALUES ('active', 'Zylker', true) $$, 'R6: a portal is chosen');
SELECT pg_temp.refused('SELECT crm_bridge.activate_projects()', '55000', 'is active already', 'and cannot be activated twice');
SELECT pg_temp.refused($$ SELECT crm_bridge.choose_portal('Zylker') $$, '55000', 'One portal can be linked at a time', 'R6: nor linked with two portals at once');
SELECT is(pg_temp.forced('configuring'), '55000', 'active does not become configuring');
SELECT crm_bridge.pause('zoho_projects', 'holiday') AS done \gset
SELECT results_eq('TABLE state', $$ VALUES ('stopped', 'paused', 'holiday') $$, 'it can be paused, with words');
SELECT crm_bridge.resume('zoho_projects') AS done \gset
SELECT results_eq('TABLE state', $$ VALUES ('active', NULL::text, NULL::text) $$, 'and resumed');

-- A new portal -------------------------------------------------------------------------------------------------------

SELECT matches(string_agg(c.what_to_do, ' | ' ORDER BY c.step), 'create a portal named "Second".*no API call.*refresh_portals.*choose_portal\(''Second''\)', 'R14, R15, D15: a new portal is made by hand, with the next steps in words') FROM crm_bridge.create_portal('Second') AS c;
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.create_portal('Zylker') $$, '42710', 'already[\s\S]*choose_portal', 'one that is there is only to be chosen');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.create_portal('  ') $$, '22023', 'needs a name', 'one without a name');
SELECT is((SELECT count(*) FROM crm_bridge.receive('projects_portal', '[{"external_id": "second", "fields": {"name": "Second"}}]', clock_timestamp())), 1::bigint, 'then it is in the list');
SELECT results_eq('SELECT portal FROM overview', ARRAY['Zylker'], 'R15: and not linked');

-- Off, and on again with the same portal ------------------------------------------------------------------------------

\ir fixture/linked_tasks.psql
CREATE TEMP TABLE counted AS SELECT (SELECT count(*) FROM crm_bridge.link) AS links, (SELECT count(*) FROM crm_bridge.projects_task) AS tasks, (SELECT count(*) FROM crm_bridge.crm_task) AS crm_tasks, (SELECT count(*) FROM crm_bridge.projects_project) AS projects;
SELECT crm_bridge.resync('projects_task') AS asked \gset
SELECT crm_bridge.store_notice('zoho_projects', 'ch', 'projects_task', '{t1}', 'update', '{}', org_id => 1) AS noticed \gset
SELECT crm_bridge.deactivate_projects() AS off \gset
SELECT results_eq('TABLE overview', $$ VALUES ('off', 'Zylker', false) $$, 'R48, R49: switched off, the tab is gone');
SELECT is((SELECT count(*) FROM crm_bridge.integration AS i WHERE i.deactivated_by = current_user), 1::bigint, 'who did it is noted');
SELECT results_eq('SELECT DISTINCT l.state FROM crm_bridge.link AS l', ARRAY['suspended'], 'D17: links rest');
SELECT results_eq('SELECT links, tasks, crm_tasks, projects FROM counted', $$ SELECT (SELECT count(*) FROM crm_bridge.link), (SELECT count(*) FROM crm_bridge.projects_task), (SELECT count(*) FROM crm_bridge.crm_task), (SELECT count(*) FROM crm_bridge.projects_project) $$, 'R50, R51: no record is touched');
SELECT is_empty('TABLE dirty', 'R51: and nothing is sent for it');
SELECT results_eq('SELECT c.state, c.result ->> ''error'' FROM crm_bridge.command AS c', $$ VALUES ('failed', 'the integration was switched off') $$, 'scheduled work is called off');
SELECT is_empty('SELECT n.external_id FROM crm_bridge.inbox AS n', 'notices too');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('projects_task', '[]', now()) $$, '55000', 'not active', 'nothing is received');
UPDATE crm_bridge.crm_task SET subject = 'named in the CRM' WHERE id = :'crm_1';
UPDATE crm_bridge.projects_task SET priority = 'high' WHERE id = :'projects_1';
UPDATE crm_bridge.crm_task SET subject = 'twice' WHERE id = :'crm_1';
SELECT is((SELECT name FROM crm_bridge.projects_task WHERE id = :'projects_1'), 'task 1', 'D17: what is written on one side stays there');
SELECT is_empty(format('SELECT * FROM crm_bridge.claim(%L, 10, %L, org_id => 1)', 'zoho_projects', :'lease'), 'and nothing is sent to Projects');
UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE id = :'deal';
SELECT crm_bridge.set_automation('won_deal_becomes_project', true) AS on \gset
INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES ('Won meanwhile', 'Closed Won');
SELECT is((SELECT count(*) FROM crm_bridge.projects_project), (SELECT projects FROM counted), 'no rule acts meanwhile, and no app fails because of it');
SELECT crm_bridge.set_automation('won_deal_becomes_project', false) AS off \gset

SELECT crm_bridge.activate_projects() AS command \gset
DELETE FROM crm_bridge.command;
SELECT crm_bridge.choose_portal('portal') AS command \gset
SELECT is_empty(format('SELECT * FROM crm_bridge.claim(%L, 10, %L, org_id => 1)', 'zoho_projects', :'lease'), 'D17: on again, the portal is read before anything is sent');
SELECT is_empty('SELECT * FROM crm_bridge.backlog(''zoho_projects'')', 'nor is a worker called');
SELECT results_eq('SELECT DISTINCT l.state FROM crm_bridge.link AS l', ARRAY['suspended'], 'and links rest until then');
SELECT is((SELECT r.outcome FROM crm_bridge.shadow AS s, crm_bridge.receive('projects_task', jsonb_build_array(jsonb_build_object('external_id', s.external_id, 'version', now() + interval '1 hour', 'modified_at', now() + interval '1 hour', 'fields', '{"is_completed": true}'::jsonb)), clock_timestamp()) AS r WHERE s.record_id = :'projects_2'), 'updated', 'what a person did in Projects meanwhile is read');
SELECT is(pg_temp.finish_reading(:'lease'), 1::bigint, 'the reading is finished');
SELECT results_eq('SELECT DISTINCT l.state FROM crm_bridge.link AS l', ARRAY['active'], 'D17: links resume');
SELECT is(pg_temp.reconciled(), 0, 'and both sides are merged');
SELECT results_eq(format('SELECT c.subject, p.name, c.priority, p.priority FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p WHERE c.id = %L AND p.id = %L', :'crm_1', :'projects_1'), $$ VALUES ('twice', 'twice', 'High', 'high') $$, 'B1, D17: fields changed on either side while it was off');
SELECT is((SELECT status FROM crm_bridge.crm_task WHERE id = :'crm_2'), 'Completed', 'those of the service too');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 0::bigint, 'without a conflict');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT results_eq('SELECT links, tasks, crm_tasks, projects FROM counted', $$ SELECT (SELECT count(*) FROM crm_bridge.link), (SELECT count(*) FROM crm_bridge.projects_task), (SELECT count(*) FROM crm_bridge.crm_task), (SELECT count(*) FROM crm_bridge.projects_project) $$, 'B11: and no record or link is there twice');

-- The same field on both sides, and a task deleted on one side, while it is off.
SELECT pg_temp.forget() AS forgotten \gset
SELECT crm_bridge.deactivate_projects() AS off \gset
UPDATE crm_bridge.crm_task SET subject = 'here' WHERE id = :'crm_2';
SELECT pg_sleep(0.001) \g /dev/null
UPDATE crm_bridge.projects_task SET name = 'there' WHERE id = :'projects_2';
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_3';
SELECT crm_bridge.activate_projects() AS command \gset
DELETE FROM crm_bridge.command;
SELECT crm_bridge.choose_portal('portal') AS command \gset
SELECT pg_temp.finish_reading(:'lease') AS read \gset
SELECT pg_temp.reconciled() AS left \gset
SELECT results_eq(format('SELECT c.subject, p.name FROM crm_bridge.crm_task AS c, crm_bridge.projects_task AS p WHERE c.id = %L AND p.id = %L', :'crm_2', :'projects_2'), $$ VALUES ('there', 'there') $$, 'D1: of one field the newest wins');
SELECT results_eq('SELECT c.base #>> ''{}'', c.left_value #>> ''{}'', c.right_value #>> ''{}'', c.winner FROM crm_bridge.conflict AS c', $$ VALUES ('task 2', 'here', 'there', 'right') $$, 'B2: and the other one is kept, with the base');
SELECT results_eq(format('SELECT l.state, l.reason FROM crm_bridge.link AS l WHERE l.link_id = %L', :'link_3'), $$ VALUES ('archived', 'deleted') $$, 'D2: a task deleted meanwhile is unlinked');
SELECT isnt_empty(format('SELECT 1 FROM crm_bridge.projects_task WHERE id = %L', :'projects_3'), 'D2: its twin stays');
SELECT pg_temp.send_all(:'lease') AS sent \gset

-- Ten times, then another portal, then the first one again --------------------------------------------------------------

CREATE TEMP TABLE before_ten AS SELECT l.link_id, l.left_id, l.right_id, l.state FROM crm_bridge.link AS l;
CREATE TEMP TABLE tasks_before AS SELECT t.id, t.external_id, t.name FROM crm_bridge.projects_task AS t;
CREATE PROCEDURE pg_temp.off_and_on(lease uuid, portal text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM crm_bridge.deactivate_projects();
  PERFORM crm_bridge.activate_projects();
  DELETE FROM crm_bridge.command;
  PERFORM crm_bridge.choose_portal(portal);
END $$;
DO $$
DECLARE worker uuid := (SELECT lease FROM crm_bridge.lease LIMIT 1);
BEGIN
  FOR n IN 1 .. 10 LOOP
    CALL pg_temp.off_and_on(worker, 'portal');
    PERFORM pg_temp.finish_reading(worker);
    PERFORM pg_temp.reconciled();
  END LOOP;
END $$;
SELECT set_eq('SELECT l.link_id, l.left_id, l.right_id, l.state FROM crm_bridge.link AS l', 'TABLE before_ten', 'B11: off and on ten times leaves every link as it was');
SELECT set_eq('SELECT t.id, t.external_id, t.name FROM crm_bridge.projects_task AS t', 'TABLE tasks_before', 'B11: and every task');
SELECT is_empty('TABLE dirty', 'B11: and nothing to send');

UPDATE crm_bridge.projects_task SET description = 'never sent' WHERE id = :'projects_1';
INSERT INTO crm_bridge.projects_task (name, project_id, portal_id) SELECT 'never made', t.project_id, t.portal_id FROM crm_bridge.projects_task AS t WHERE t.id = :'projects_1';
-- More than the breaker for mass changes lets go without asking.
SELECT count(*) AS received FROM crm_bridge.receive('projects_project', (SELECT jsonb_agg(jsonb_build_object('external_id', 'many-' || n, 'fields', jsonb_build_object('name', 'Many ' || n, 'portal_id', 'portal'))) FROM generate_series(1, 150) AS n), clock_timestamp()) \gset
CALL pg_temp.off_and_on(:'lease', 'second');
SELECT is_empty('SELECT * FROM crm_bridge.held_change', 'R52, B7: whoever chooses another portal is not asked again');
SELECT results_eq('SELECT portal FROM overview', ARRAY['Second'], 'R52: another portal is linked');
SELECT is_empty('SELECT id FROM crm_bridge.projects_task UNION ALL SELECT id FROM crm_bridge.projects_project UNION ALL SELECT id FROM crm_bridge.projects_user', 'R50: the first one''s records leave the mirrors');
SELECT is_empty('SELECT * FROM dirty AS d WHERE d.module LIKE ''projects_%''', 'R51: without a word to Projects');
SELECT results_eq('SELECT DISTINCT l.state, l.reason FROM crm_bridge.link AS l WHERE l.reason <> ''deleted''', $$ VALUES ('archived', 'other_portal') $$, 'D17: their links are archived');
SELECT set_eq('SELECT r.module, r.field, r.reason FROM crm_bridge.refusal AS r', $$ VALUES ('projects_task', 'description', 'integration_inactive'), ('projects_task', '*', 'integration_inactive') $$, 'D12: what was never sent is noted');
SELECT is((SELECT h.old ->> 'description' FROM crm_bridge.history AS h WHERE h.record_id = :'projects_1' AND h.operation = 'delete'), 'never sent', 'B2: and in the history');
SELECT is((SELECT count(*) FROM crm_bridge.crm_task), 2::bigint, 'R51: the CRM''s records stay');
SELECT pg_temp.finish_reading(:'lease') AS read \gset
SELECT is_empty('SELECT * FROM crm_bridge.link AS l WHERE l.state = ''active''', 'B11: no link without both of its records');

CALL pg_temp.off_and_on(:'lease', 'portal');
SELECT count(*) AS received FROM crm_bridge.receive('projects_client', (SELECT jsonb_agg(jsonb_build_object('external_id', s.external_id, 'version', s.version, 'fields', '{"name": "Acme", "portal_id": "portal"}'::jsonb))
  FROM crm_bridge.shadow AS s WHERE s.module = 'projects_client'), clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_project', (SELECT jsonb_agg(jsonb_build_object('external_id', s.external_id, 'version', clock_timestamp(), 'fields', jsonb_build_object('name', 'Routers', 'portal_id', 'portal')))
  FROM crm_bridge.shadow AS s WHERE s.record_id = :'project'), clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_task', (SELECT jsonb_agg(jsonb_build_object('external_id', t.external_id, 'version', s2.version, 'fields', jsonb_build_object('name', t.name, 'portal_id', 'portal', 'project_id', (SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.record_id = :'project'))))
  FROM tasks_before AS t JOIN crm_bridge.shadow AS s2 ON s2.record_id = t.id), clock_timestamp()) \gset
SELECT set_eq('SELECT t.id, t.external_id, t.name FROM crm_bridge.projects_task AS t', 'TABLE tasks_before', 'B11: back with the first portal its records are the same ones');
SELECT pg_temp.finish_reading(:'lease') AS read \gset
SELECT set_eq('SELECT l.link_id, l.state FROM crm_bridge.link AS l', 'SELECT b.link_id, b.state FROM before_ten AS b', 'B11, D17: and so are their links');

-- The free edition ------------------------------------------------------------------------------------------------------

SELECT crm_bridge.create_organization(2, 'Free', 'free') AS org \gset
SELECT crm_bridge.activate_projects(2) AS command \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_portal', '[{"external_id": "p", "fields": {"name": "Free"}}]', clock_timestamp(), org_id => 2) \gset
SELECT crm_bridge.choose_portal('p', 2) AS command \gset
INSERT INTO crm_bridge.projects_project (org_id, name, portal_id) SELECT 2, 'P', p.id FROM crm_bridge.projects_portal AS p WHERE p.org_id = 2;
SELECT is((SELECT i.trial_ends_at - now() FROM crm_bridge.integration AS i WHERE i.org_id = 2 AND i.service = 'zoho_projects') BETWEEN interval '15 days' AND interval '15 days 1 minute', true, 'R2: the free edition has 15 days from the activation');
SET LOCAL crm_bridge.clock_offset = 1295940;   -- a minute less than 15 days
SELECT isnt_empty($$ SELECT 1 FROM crm_bridge.backlog('zoho_projects') AS b WHERE b = 2 $$, 'R2: until the last minute it works');
SET LOCAL crm_bridge.clock_offset = 1296060;
SELECT is_empty($$ SELECT 1 FROM crm_bridge.backlog('zoho_projects') AS b WHERE b = 2 $$, 'R2: a minute after it, no worker is called');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 2) $$, :'lease'), 'D11: nothing is sent');
SELECT is((SELECT w.state FROM crm_bridge.worker_organizations('zoho_projects') AS w WHERE w.org_id = 2), 'trial_expired', 'D11: nothing is polled');
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset
SELECT results_eq($$ SELECT i.state, (SELECT o.state FROM crm_bridge.integration AS o WHERE o.org_id = 1 AND o.service = 'zoho_projects') FROM crm_bridge.integration AS i WHERE i.org_id = 2 AND i.service = 'zoho_projects' $$, $$ VALUES ('trial_expired', 'active') $$, 'D11: which the next heartbeat notes; paid editions go on');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('projects_project', '[]', now(), org_id => 2) $$, '55000', 'trial is over', 'D11: nothing is received');
SELECT crm_bridge.deactivate_projects(2) AS off \gset
SELECT pg_temp.refused('SELECT crm_bridge.activate_projects(2)', '55000', 'trial .* is over[\s\S]*set_edition', 'R2: there is one trial, not one for each activation');
SELECT crm_bridge.set_edition('professional', 2) AS paid \gset
SELECT isnt(crm_bridge.activate_projects(2), NULL, 'a paid edition may activate it again');
SELECT crm_bridge.choose_portal('p', 2) AS command \gset
SELECT crm_bridge.set_edition('free', 2) AS free \gset
SELECT is((SELECT i.state FROM crm_bridge.integration AS i WHERE i.org_id = 2 AND i.service = 'zoho_projects'), 'trial_expired', 'back to the free one, the trial is still over');
SELECT crm_bridge.set_edition('enterprise', 2) AS paid \gset
SELECT results_eq($$ SELECT i.state, (SELECT count(*) FROM crm_bridge.delivery AS d WHERE d.org_id = 2) FROM crm_bridge.integration AS i WHERE i.org_id = 2 AND i.service = 'zoho_projects' $$, $$ VALUES ('active', 1::bigint) $$, 'D11: a paid edition resumes it, and nothing was lost');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_edition('platinum', 2) $$, '23514', 'organization_edition_known', 'an edition that there is not');
SELECT * FROM finish();
ROLLBACK;
