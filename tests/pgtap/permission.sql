-- SPDX-License-Identifier: PostgreSQL
-- Rights: five flags a profile, who acts, administrators, provisioning, the portal's administrator (R1, R30-R36, R143, R144, D8, D16, B13).
BEGIN;
\ir fixture/tools.psql
SELECT plan(208);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
\ir fixture/history.psql
\ir fixture/linked_tasks.psql
\ir fixture/rights.psql

-- The matrix -------------------------------------------------------------------------------------------------------
-- 5 flags × 4 statements × 4 ways in which Ben comes: an app that acts for him, a role that stands for him, one that reads
-- for him, an administrator's role that acts for him.  One flag at a time, then what it takes together.

CREATE TEMP TABLE statements (name, text) AS VALUES
  ('SELECT', 'SELECT id FROM crm_bridge.projects_task'),
  ('INSERT', $$ INSERT INTO crm_bridge.projects_task (name, project_id) SELECT 'new', '018f0000-0000-7000-8000-000000000001' $$),
  ('UPDATE', $$ UPDATE crm_bridge.projects_task SET name = 'changed' $$),
  ('DELETE', $$ DELETE FROM crm_bridge.projects_task $$);
CREATE TEMP TABLE ways (way, role, person) AS VALUES
  ('an app that acts for him', 'test_app', 'ben@zylker.example'), ('his own role', 'test_ben', NULL),
  ('his role to read', 'test_ben_reads', NULL), ('an administrator''s role that acts for him', 'test_administrator', 'ben@zylker.example');
CREATE TEMP TABLE settings (flags, can) AS VALUES
  (ARRAY['none'], '{}'::text[]), (ARRAY['tab'], '{}'), (ARRAY['view'], '{}'), (ARRAY['create'], '{INSERT}'), (ARRAY['edit'], '{}'), (ARRAY['delete'], '{}'),
  (ARRAY['tab', 'view'], '{SELECT}'), (ARRAY['tab', 'view', 'edit'], '{SELECT,UPDATE}'), (ARRAY['tab', 'view', 'delete'], '{SELECT,DELETE}'),
  (ARRAY['tab', 'view', 'create'], '{SELECT,INSERT}');

-- Who may not: nothing is read, nothing is written; whether that is an error or no row is settled below.
CREATE FUNCTION pg_temp.cell(flags text[], role text, person text, statement text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.flags('Sales', VARIADIC flags);
  RETURN pg_temp.outcome(role, person, statement) NOT IN ('42501', '0');
END
$$;
SELECT is(pg_temp.cell(s.flags, w.role, w.person, t.text), t.name = ANY (s.can) AND (t.name = 'SELECT' OR w.role <> 'test_ben_reads'),
          format('R36, B13: with %s Ben, by %s: %s', array_to_string(s.flags, ', '), w.way, t.name))
  FROM settings AS s, ways AS w, statements AS t WHERE cardinality(s.flags) = 1 ORDER BY s.flags, w.way, t.name;
SELECT is_empty($$
  SELECT s.flags, w.way, t.name FROM settings AS s, ways AS w, statements AS t
   WHERE cardinality(s.flags) > 1 AND pg_temp.cell(s.flags, w.role, w.person, t.text)
         <> (t.name = ANY (s.can) AND (t.name = 'SELECT' OR w.role <> 'test_ben_reads')) $$,
  'R31: with tab and View each further flag gives its own statement and no other, to each of the four');

-- Denials by each way of writing -----------------------------------------------------------------------------------

SELECT pg_temp.flags('Sales', 'tab', 'view') \g /dev/null
SELECT id AS task FROM crm_bridge.projects_task WHERE name = 'task 1' \gset
GRANT CREATE, USAGE ON SCHEMA public TO test_ben;
SET LOCAL ROLE test_ben;
CREATE VIEW public.own_view AS SELECT * FROM crm_bridge.projects_task;
CREATE VIEW public.own_invoker_view WITH (security_invoker = true) AS SELECT * FROM crm_bridge.projects_task;
CREATE FUNCTION public.own_definer() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ UPDATE crm_bridge.projects_task SET name = 'x' $$;
CREATE FUNCTION public.own_rule_target(n text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE crm_bridge.projects_task SET name = n; END $$;
RESET ROLE;
CREATE VIEW public.dba_view AS SELECT * FROM crm_bridge.projects_task;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.dba_view TO test_ben;
SELECT is(pg_temp.outcome('test_ben', NULL, s.text), '42501', 'B13: without the flag ' || s.name || ' is refused') FROM (VALUES
  ('a plain UPDATE', $$ UPDATE crm_bridge.projects_task SET name = 'x' $$),
  ('an UPDATE that changes nothing', $$ UPDATE crm_bridge.projects_task SET name = name $$),
  ('an UPDATE from a join', $$ UPDATE crm_bridge.projects_task AS t SET name = d.deal_name FROM crm_bridge.crm_deal AS d $$),
  ('an UPDATE by ctid', $$ UPDATE crm_bridge.projects_task SET name = 'x' WHERE ctid = (SELECT min(ctid) FROM crm_bridge.projects_task) $$),
  ('an UPDATE ONLY', $$ UPDATE ONLY crm_bridge.projects_task SET name = 'x' $$),
  ('DELETE', 'DELETE FROM crm_bridge.projects_task'),
  ('DELETE in a WITH', 'WITH gone AS (DELETE FROM crm_bridge.projects_task RETURNING id) SELECT count(*) FROM gone'),
  ('MERGE that updates', $$ MERGE INTO crm_bridge.projects_task AS t USING crm_bridge.projects_project AS p ON t.project_id = p.id WHEN MATCHED THEN UPDATE SET name = 'x' $$),
  ('MERGE that deletes', $$ MERGE INTO crm_bridge.projects_task AS t USING crm_bridge.projects_project AS p ON t.project_id = p.id WHEN MATCHED THEN DELETE $$),
  ('MERGE that inserts', $$ MERGE INTO crm_bridge.projects_task AS t USING (SELECT 1) AS n ON false WHEN NOT MATCHED THEN INSERT (name) VALUES ('x') $$),
  ('INSERT … ON CONFLICT DO UPDATE', $$ INSERT INTO crm_bridge.projects_task AS t (org_id, external_id, name) SELECT org_id, external_id, 'x' FROM crm_bridge.projects_task ON CONFLICT (org_id, external_id) DO UPDATE SET name = 'x' $$),
  ('INSERT … ON CONFLICT DO NOTHING', $$ INSERT INTO crm_bridge.projects_task (org_id, external_id, name) SELECT org_id, external_id, 'x' FROM crm_bridge.projects_task ON CONFLICT DO NOTHING $$),
  ('a write through a view of one''s own', $$ UPDATE public.own_view SET name = 'x' $$),
  ('a write through an invoker''s view', $$ UPDATE public.own_invoker_view SET name = 'x' $$),
  ('a write through the owner''s view', $$ UPDATE public.dba_view SET name = 'x' $$),
  ('an INSERT through the owner''s view', $$ INSERT INTO public.dba_view (name) VALUES ('x') $$),
  ('a DELETE through the owner''s view', $$ DELETE FROM public.dba_view $$),
  ('a SECURITY DEFINER function of one''s own', 'SELECT public.own_definer()'),
  ('a DO block', $$ DO 'BEGIN UPDATE crm_bridge.projects_task SET name = ''x''; END' $$),
  ('dynamic SQL', $$ SELECT public.own_rule_target('x') $$),
  ('a client', $$ INSERT INTO crm_bridge.projects_client (name) VALUES ('x') $$),
  ('a project', $$ INSERT INTO crm_bridge.projects_project (name) VALUES ('x') $$),
  ('create_project_from_deal', format('SELECT crm_bridge.create_project_from_deal(%L)', :'deal')),
  ('add_task_to_crm', format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'task', :'deal'))) AS s (name, text);
-- COPY FROM a file is a superuser's; what a client copies goes the same way, which tests/end_to_end shows.
SELECT set_eq($$ SELECT name FROM crm_bridge.projects_task $$, ARRAY['task 1', 'task 2', 'task 3'], 'and nothing of all that was written');

CREATE TEMP TABLE said AS SELECT pg_temp.told('test_ben', NULL, $$ SELECT pg_temp.error_of('UPDATE crm_bridge.projects_task SET name = ''x''') $$)::jsonb AS error;
SELECT is(error ->> 'message', '"ben@zylker.example" may not edit a task', 'the refusal names person and deed') FROM said;
SELECT is(error ->> 'detail', 'Profile "Sales" lacks the flag can_edit.', 'and what is missing') FROM said;
SELECT matches(error ->> 'hint', 'An administrator .*set_profile_permission', 'and who can mend it') FROM said;

-- View and tab -----------------------------------------------------------------------------------------------------

CREATE TEMP TABLE told_of_projects (name, query) AS VALUES
  ('tasks', 'SELECT count(*) FROM crm_bridge.projects_task'), ('projects', 'SELECT count(*) FROM crm_bridge.projects_project'),
  ('clients', 'SELECT count(*) FROM crm_bridge.projects_client'), ('users of the portal', 'SELECT count(*) FROM crm_bridge.projects_user'),
  ('portals', 'SELECT count(*) FROM crm_bridge.projects_portal'), ('progress', 'SELECT count(*) FROM crm_bridge.project_progress'),
  ('account_projects', 'SELECT count(*) FROM crm_bridge.account_projects'), ('link_status', 'SELECT count(*) FROM crm_bridge.link_status'),
  ('links', 'SELECT count(*) FROM crm_bridge.link'), ('shadows', $$ SELECT count(*) FROM crm_bridge.shadow WHERE module LIKE 'projects%' $$),
  ('history', $$ SELECT count(*) FROM crm_bridge.history WHERE module LIKE 'projects%' $$),
  ('history_default', $$ SELECT count(*) FROM crm_bridge.history_default WHERE module LIKE 'projects%' $$),
  ('record_history', $$ SELECT count(*) FROM crm_bridge.record_history WHERE module LIKE 'projects%' $$),
  ('deliveries', $$ SELECT count(*) FROM crm_bridge.delivery WHERE module LIKE 'projects%' $$),
  ('sync_backlog', $$ SELECT count(*) FROM crm_bridge.sync_backlog WHERE module LIKE 'projects%' $$),
  ('explain_sync', format('SELECT count(*) FROM crm_bridge.explain_sync(%L)', :'task'));
UPDATE crm_bridge.projects_task SET priority = 'high' WHERE name = 'task 2';
SELECT is_empty($$ SELECT name FROM told_of_projects WHERE pg_temp.told('test_ben_reads', NULL, query) = '0' $$, 'R31: with tab and View all of Projects is there, the notes of it too');
SELECT pg_temp.flags('Sales', 'view', 'create', 'edit', 'delete') \g /dev/null
SELECT is_empty($$ SELECT name FROM told_of_projects WHERE pg_temp.told('test_ben_reads', NULL, query) <> '0' $$, 'R36: without the tab nothing of it, in no table, view or function');
SELECT is_empty($$ SELECT name FROM told_of_projects WHERE pg_temp.told('test_app', 'ben@zylker.example', query) <> '0' $$, 'also for an app that acts for him');
SELECT pg_temp.flags('Sales', 'tab', 'create', 'edit', 'delete') \g /dev/null
SELECT is_empty($$ SELECT name FROM told_of_projects WHERE pg_temp.told('test_ben', NULL, query) <> '0' $$, 'R36: nor without View');
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.crm_task'), '3', 'what the CRM holds is not Projects''s to hide');
SELECT is(pg_temp.told('test_ben', NULL, $$ SELECT count(*) FROM crm_bridge.shadow WHERE module = 'crm_task' $$), '3', 'nor what is noted of it');
SELECT is(pg_temp.outcome('test_ben', NULL, $$ UPDATE crm_bridge.projects_task SET name = 'unseen' $$), '0', 'what he does not see he does not change, whatever Edit says');
SELECT is(pg_temp.outcome('test_ben', NULL, $$ INSERT INTO crm_bridge.projects_task (name) VALUES ('blind') $$), '1', 'Create alone writes');
SELECT is(pg_temp.outcome('test_ben', NULL, $$ INSERT INTO crm_bridge.projects_task (name) VALUES ('blind') RETURNING id $$), '42501', 'but reads nothing back');

-- The related list beside a deal or an account -------------------------------------------------------------------------

CREATE TEMP TABLE listed AS SELECT format('SELECT string_agg(COALESCE(project, message), '','') FROM crm_bridge.related_list(%L)', r.id) AS query
  FROM (VALUES (:'deal'::uuid), ((SELECT d.account_id FROM crm_bridge.crm_deal AS d WHERE d.id = :'deal'))) AS r (id) WHERE r.id IS NOT NULL;
SELECT is_empty($$ SELECT w.way, f.flags FROM listed, ways AS w, (VALUES (ARRAY['none']), (ARRAY['tab', 'create', 'edit', 'delete'])) AS f (flags)
                    WHERE (SELECT true FROM pg_temp.flags('Sales', VARIADIC f.flags)) AND pg_temp.outcome(w.role, w.person, listed.query) <> '42501' $$,
  'R36: without View nobody has the list, in whichever way he comes');
SELECT pg_temp.flags('Sales', 'view') \g /dev/null
SELECT is_empty($$ SELECT w.way FROM listed, ways AS w WHERE pg_temp.told(w.role, w.person, listed.query) <> 'Routers' $$, 'R31: beside the record View alone opens it: it is no tab');
SELECT is_empty($$ SELECT r.role FROM listed, unnest(ARRAY['test_app', 'test_analyst', 'test_administrator']) AS r (role) WHERE pg_temp.told(r.role, NULL, listed.query) <> 'Routers' $$, 'a role that acts for nobody has the rights of its binding');
SAVEPOINT alone;
SELECT crm_bridge.create_organization(2, 'Other') AS other \gset
SELECT is(pg_temp.outcome('test_ben', NULL, format('SELECT FROM crm_bridge.related_list(%L, NULL, 2)', :'deal')), '42501', 'R36: nor does he have another organization''s');
ROLLBACK TO alone;
INSERT INTO crm_bridge.crm_contact (last_name, account_id) SELECT 'Archer', d.account_id FROM crm_bridge.crm_deal AS d WHERE d.id = :'deal';
SELECT is(pg_temp.told('test_ben', NULL, $$ SELECT string_agg(l.project, ',') FROM crm_bridge.crm_contact AS c, crm_bridge.related_list(c.id) AS l WHERE c.last_name = 'Archer' $$), 'Routers', 'R7: a contact has the projects of its account');
SELECT is(pg_temp.outcome('test_ben', NULL, $$ SELECT FROM crm_bridge.related_list(crm_bridge.new_id()) $$), '42704', 'what is no record has no list');
-- Stopped because of a key that grew stale: the message is the list's, and hidden with it.
INSERT INTO crm_bridge.credential (org_id, service, kind, key_id, sealed, email) VALUES (1, 'zoho_projects', 'zsc_key', 'k', '\x00', 'owner@other.example');
UPDATE crm_bridge.integration SET credential_kind = 'zsc_key' WHERE org_id = 1 AND service = 'zoho_projects';
SAVEPOINT valid;
SELECT crm_bridge.mark_key_stale(org_id => 1) AS stale \gset
SELECT is_empty($$ SELECT w.way FROM listed, ways AS w WHERE pg_temp.told(w.role, w.person, listed.query) !~ '^The integration with Zoho Projects has been stopped since .* renewed by Mira@zylker.example' $$,
  'R21, D10: whoever may view is told why there are no projects, and no project');
SELECT pg_temp.flags('Sales', 'tab', 'create', 'edit', 'delete') \g /dev/null
SELECT is_empty($$ SELECT w.way FROM listed, ways AS w WHERE pg_temp.outcome(w.role, w.person, listed.query) <> '42501' $$, 'R21, R36: whoever may not is not told that either');
SELECT pg_temp.refused('SET LOCAL ROLE test_ben; SELECT FROM crm_bridge._why_stopped(''en'', 1)', '42501', '_why_stopped', 'R36: nor past the list');
ROLLBACK TO valid;
SELECT crm_bridge.deactivate_projects(1) AS off \gset
SELECT pg_temp.flags('Sales', 'view') \g /dev/null
SELECT is_empty($$ SELECT w.way FROM listed, ways AS w WHERE pg_temp.told(w.role, w.person, listed.query) IS NOT NULL $$, 'R49: when the integration is off there is no list');
ROLLBACK TO valid;

-- Set, clear, default ----------------------------------------------------------------------------------------------

SELECT pg_temp.flags('Sales', 'none') \g /dev/null
SELECT crm_bridge.set_profile_permission('Sales', tab_visible => true, can_view => true) \g /dev/null
SELECT is(pg_temp.outcome('test_ben', NULL, 'SELECT FROM crm_bridge.projects_task'), '3', 'R35: a flag that is set counts from the next statement on');
SELECT crm_bridge.set_profile_permission('Sales', can_view => false) \g /dev/null
SELECT is(pg_temp.outcome('test_ben', NULL, 'SELECT FROM crm_bridge.projects_task'), '0', 'D8: one that is cleared too');
SELECT results_eq($$ SELECT tab_visible, can_view, can_create, can_edit, can_delete FROM crm_bridge.permission_matrix WHERE profile = 'Sales' $$,
  $$ VALUES (true, false, false, false, false) $$, 'R35: NULL leaves a flag as it is');
SELECT results_eq($$ SELECT profile, administers, tab_visible, can_view, can_create, can_edit, can_delete, users, changed_by FROM crm_bridge.permission_matrix ORDER BY 1 $$,
  $$ VALUES ('Administrator'::text, true, true, true, true, true, true, 1::bigint, NULL::text), ('Sales', false, true, false, false, false, false, 2, 'postgres') $$,
  'permission_matrix shows what holds, administrators without a row have all flags');
DELETE FROM crm_bridge.profile_permission;
SELECT is(pg_temp.outcome('test_ben', NULL, 'SELECT FROM crm_bridge.projects_task'), '0', 'R36: a profile that was never saved denies');
SELECT is(pg_temp.outcome('test_ben', NULL, $$ INSERT INTO crm_bridge.projects_task (name) VALUES ('x') $$), '42501', 'each action');
SELECT is(pg_temp.outcome('test_app', 'mira@zylker.example', $$ UPDATE crm_bridge.projects_task SET name = 'x' $$), '3', 'but an administrators'' one');
SELECT crm_bridge.set_profile_permission('chiefs', can_delete => false) \g /dev/null
SELECT is(pg_temp.outcome('test_app', 'mira@zylker.example', 'DELETE FROM crm_bridge.projects_task'), '42501', 'R35: any flag of any profile can be cleared, an administrator''s too');
SELECT is(pg_temp.outcome('test_app', 'mira@zylker.example', $$ UPDATE crm_bridge.projects_task SET name = 'x' $$), '3', 'and the others stay');
SELECT pg_temp.flags('Sales', 'tab', 'view', 'edit') \g /dev/null
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-ben", "fields": {"profile_id": null}}]', clock_timestamp()) \gset
SELECT is(pg_temp.outcome('test_ben', NULL, 'SELECT FROM crm_bridge.projects_task'), '0', 'R36: who has no profile any more has no flags');
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-ben", "fields": {"profile_id": "sales", "status": "inactive"}}]', clock_timestamp()) \gset
SELECT is(pg_temp.outcome('test_ben', NULL, 'SELECT FROM crm_bridge.projects_task'), '0', 'nor has one whom the CRM has switched off');
SELECT is(pg_temp.outcome('test_ben', NULL, $$ INSERT INTO crm_bridge.projects_task (name) VALUES ('x') $$), '42501', 'he writes nothing');
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-ben", "fields": {"status": "active"}}]', clock_timestamp()) \gset
SELECT is(pg_temp.outcome('test_ben', NULL, $$ UPDATE crm_bridge.projects_task SET name = 'x' $$), '3', 'until he is back');

-- Acting -----------------------------------------------------------------------------------------------------------

SELECT is(crm_bridge.acting_user(), NULL, 'nobody acts for anybody by himself');
SELECT is(pg_temp.told('test_app', NULL, 'SELECT crm_bridge.acting_user()'), NULL, 'an app neither');
SELECT is(pg_temp.told('test_app', 'BEN@zylker.example', 'SELECT crm_bridge.acting_user()'), :'ben', 'act_as takes an e-mail address in any case');
SELECT is(pg_temp.told('test_app', :'ben', 'SELECT crm_bridge.acting_user()'), :'ben', 'or the id');
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT crm_bridge.acting_user()'), :'ben', 'a role that stands for a person acts for him always');
SELECT is(pg_temp.outcome('test_ben', :'ben', 'SELECT 1'), '1', 'and may say so');
SELECT is(pg_temp.outcome('test_ben', :'carl', 'SELECT 1'), '42501', 'but for nobody else');
SELECT is(pg_temp.outcome('test_analyst', :'ben', 'SELECT 1'), '42501', 'an analyst acts for nobody');
SELECT is(pg_temp.outcome('test_app', 'nobody@zylker.example', 'SELECT 1'), '42704', 'nor anybody for a person who is not there');
SELECT is(pg_temp.outcome('test_app', NULL, 'SELECT crm_bridge.act_as(NULL)'), '22004', 'act_as(NULL) does not make an app of a person that could not be found');
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-carl", "fields": {"status": "inactive"}}]', clock_timestamp()) \gset
SELECT is(pg_temp.outcome('test_app', :'carl', 'SELECT 1'), '55000', 'nor for one who is not active');
SELECT is(pg_temp.outcome('test_app', NULL, $$ UPDATE crm_bridge.projects_task SET name = 'x' $$), '3', 'an app that acts for nobody has the rights of its binding');
SELECT crm_bridge.set_setting('require_acting_user', 'true') \g /dev/null
SELECT is(pg_temp.outcome('test_app', NULL, $$ UPDATE crm_bridge.projects_task SET name = 'x' $$), '0', 'unless the organization demands a person: then it reads nothing');
SELECT is(pg_temp.outcome('test_app', NULL, $$ INSERT INTO crm_bridge.projects_task (name) VALUES ('x') $$), '42501', 'and writes nothing');
SELECT is(pg_temp.outcome('test_app', 'ben@zylker.example', $$ UPDATE crm_bridge.projects_task SET name = 'x' $$), '3', 'without saying for whom');
SELECT crm_bridge.set_setting('require_acting_user', 'false') \g /dev/null

SAVEPOINT nobody;
SET LOCAL ROLE test_app;
SELECT crm_bridge.act_as('ben@zylker.example') \g /dev/null
SAVEPOINT later;
SELECT crm_bridge.act_as('mira@zylker.example') \g /dev/null
SELECT is(crm_bridge.acting_user(), :'mira'::uuid, 'the last act_as counts');
ROLLBACK TO later;
SELECT is(crm_bridge.acting_user(), :'ben'::uuid, 'what a savepoint set ends with it, and the one before counts again');
SELECT crm_bridge.act_as('mira@zylker.example') \g /dev/null
RELEASE later;
SELECT is(crm_bridge.acting_user(), :'mira'::uuid, 'what is released stays');
SELECT crm_bridge.act_as('ben@zylker.example') \g /dev/null
UPDATE crm_bridge.projects_task SET priority = 'low' WHERE name = 'task 1';
SELECT is((SELECT modified_by FROM crm_bridge.projects_task WHERE name = 'task 1'), 'ben@zylker.example', 'D16: a record names the person who changed it');
SELECT results_eq($$ SELECT DISTINCT module, origin, actor FROM crm_bridge.history WHERE old ? 'priority' AND at >= (SELECT max(at) - interval '1 second' FROM crm_bridge.history) AND module IN ('crm_task', 'projects_task') AND actor <> 'postgres' ORDER BY 1 $$,
  $$ VALUES ('crm_task'::text, 'bridge'::text, 'ben@zylker.example'::text), ('projects_task', 'app', 'ben@zylker.example') $$, 'D16: so does history, also where the change went on to the twin');
ROLLBACK TO nobody;
SELECT is(crm_bridge.acting_user(), NULL, 'nobody acts when all of that is rolled back');

-- D16: what follows over a link is the bridge's; Ben may edit nothing in Projects.
SELECT pg_temp.flags('Sales', 'none') \g /dev/null
SET LOCAL ROLE test_ben;
UPDATE crm_bridge.crm_task SET priority = 'High' WHERE subject = 'task 3';
RESET ROLE;
SELECT is((SELECT priority || ' by ' || modified_by FROM crm_bridge.projects_task WHERE name = 'task 3'), 'high by ben@zylker.example', 'D16: an edit in the CRM reaches the twin in Projects without a flag there');
SELECT crm_bridge.set_automation('won_deal_becomes_project', true) \g /dev/null
SELECT is(pg_temp.outcome('test_ben', NULL, $$ INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES ('Won by Ben', 'Closed Won') $$), '1', 'D16: and a rule makes the project of a deal that he wins');
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.pending_changes() WHERE service = ''zoho_projects'''), '0', 'pending_changes tells him nothing of Projects');

-- Administrators (R1) ----------------------------------------------------------------------------------------------

CREATE TEMP TABLE set_up (call) AS SELECT unnest(ARRAY['activate_projects()', 'refresh_portals()', 'choose_portal(''Zylker'')', 'resync(''crm_deal'')', 'pause(''zoho_crm'')',
  'resume(''zoho_crm'')', 'retry()', 'set_automation(''won_deal_becomes_project'', true)', 'set_setting(''maximum_attempts'', ''1'')', 'create_projects_from_won_deals()',
  'map_field(''deal_project'', ''next_step'', ''description'')', 'unmap_field(''deal_project'', ''deal_name'', ''name'')', 'set_budget(''zoho_crm'', 10)',
  'record_merged(''crm_deal'', crm_bridge.new_id(), crm_bridge.new_id())', 'set_profile_permission(''Sales'', true)']);
SELECT is(pg_temp.outcome('test_administrator', 'ben@zylker.example', 'SELECT crm_bridge.' || call), '42501', 'R1: a plain user is refused ' || split_part(call, '(', 1) || ' through an administrator''s role') FROM set_up;
SELECT isnt(pg_temp.outcome('test_administrator', 'mira@zylker.example', 'SELECT crm_bridge.' || call), '42501', 'R1: an administrator is not refused ' || split_part(call, '(', 1))
  FROM set_up WHERE call ~ '^(resync|set_automation|set_setting|map_field|set_profile)';
SELECT is(pg_temp.outcome('test_administrator', 'ben@zylker.example', s.text), '42501', 'R1: nor does he write ' || s.name || ' himself') FROM (VALUES
  ('settings', $$ INSERT INTO crm_bridge.setting VALUES (1, 'require_acting_user', 'true') $$),
  ('mappings', $$ DELETE FROM crm_bridge.field_mapping $$), ('policies', $$ INSERT INTO crm_bridge.merge_policy VALUES (1, 'crm_deal', '*', 'left') $$)) AS s (name, text);
SELECT is(pg_temp.outcome('test_administrator', NULL, $$ INSERT INTO crm_bridge.setting VALUES (1, 'won_stages', '[]') $$), '1', 'the role by itself does');
SELECT crm_bridge.set_setting('administrator_profiles', '["Sales"]') \g /dev/null
SELECT is(pg_temp.outcome('test_administrator', 'ben@zylker.example', $$ SELECT crm_bridge.set_setting('maximum_attempts', '1') $$), '1', 'administrator_profiles says whose profiles are administrators''');
SELECT is(pg_temp.outcome('test_administrator', 'mira@zylker.example', $$ SELECT crm_bridge.set_setting('maximum_attempts', '1') $$), '42501', 'and whose are not');
DELETE FROM crm_bridge.setting WHERE name = 'administrator_profiles';
SELECT is(pg_temp.outcome('postgres', NULL, $$ SELECT crm_bridge.set_profile_permission('Nobody', true) $$), '42704', 'a profile that is not there is said');

SELECT * FROM finish();
ROLLBACK;
