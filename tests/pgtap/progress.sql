-- SPDX-License-Identifier: PostgreSQL
-- Projects out of leads and accounts, people who come along, how far everything is (R38, R53, R54, R56-R58, D14).
BEGIN;
\ir fixture/tools.psql
SELECT plan(28);
\ir fixture/organization.psql

INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme');
SELECT id AS account FROM crm_bridge.crm_account \gset
SELECT crm_bridge.new_id() AS lead, crm_bridge.new_id() AS other_lead, crm_bridge.new_id() AS person, crm_bridge.new_id() AS nobody \gset
INSERT INTO crm_bridge.crm_lead (id, first_name, last_name, company, phone, description) VALUES
  (:'lead', 'Lena', 'Archer', 'ACME ', NULL, 'wants routers'), (:'other_lead', NULL, 'Li', 'New & Co', '7', NULL), (:'person', 'Pat', 'Private', NULL, NULL, NULL), (:'nobody', NULL, NULL, ' ', NULL, NULL);
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_lead(%L)', :'lead'), '55000', 'not active', 'R53: no project before the integration is active');
\ir fixture/projects.psql

-- Leads and accounts -----------------------------------------------------------------------------------------------

SELECT crm_bridge.create_project_from_lead(:'lead') AS project \gset
SELECT results_eq(format($$ SELECT p.name, p.description, c.name, p.external_id, d.state FROM crm_bridge.projects_project AS p JOIN crm_bridge.projects_client AS c ON c.id = p.client_id JOIN crm_bridge.delivery AS d ON d.record_id = p.id WHERE p.id = %L $$, :'project'),
  $$ VALUES ('ACME', 'wants routers', 'Acme', NULL::text, 'pending') $$, 'R53, R54: a lead becomes a project, with the client of the account of the company''s name');
SELECT is(crm_bridge.create_project_from_lead(:'lead'), :'project'::uuid, 'a second call returns the same project');
SELECT results_eq(format($$ SELECT pairing FROM crm_bridge.link WHERE right_id = %L $$, :'project'), ARRAY['lead_project'], 'it is linked with the lead');
SELECT crm_bridge.create_project_from_lead(:'other_lead', 'Given') AS made \gset
SELECT results_eq(format($$ SELECT p.name, c.name, c.phone FROM crm_bridge.projects_project AS p JOIN crm_bridge.projects_client AS c ON c.id = p.client_id WHERE p.id = %L $$, :'made'), $$ VALUES ('Given', 'New & Co', '7') $$, 'a company without an account gets a client of its own');
SELECT crm_bridge.create_project_from_lead(:'person') AS made \gset
SELECT results_eq(format('SELECT name, client_id FROM crm_bridge.projects_project WHERE id = %L', :'made'), $$ VALUES ('Pat Private', NULL::uuid) $$, 'a person without a company gives the project his name');
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_lead(%L)', :'nobody'), '23502', 'has no name for the project', 'a lead without a name needs one for its project');
SELECT pg_temp.refused('SELECT crm_bridge.create_project_from_lead(crm_bridge.new_id())', '42704', 'lead .* does not exist', 'a lead that there is not');
SELECT crm_bridge.create_project_from_account(:'account', 'Care') AS care \gset
SELECT is(crm_bridge.create_project_from_account(:'account', 'Care'), :'care'::uuid, 'R53: a project for an account; one of the same name is returned instead');
SELECT is((SELECT count(DISTINCT client_id) FROM crm_bridge.projects_project WHERE id IN (:'care', :'project')), 1::bigint, 'its projects share its client');
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_account(%L, %L)', :'account', ' '), '23502', 'argument name', 'it needs a name');
SELECT pg_temp.refused('SELECT crm_bridge.create_project_from_account(crm_bridge.new_id(), ''x'')', '42704', 'account .* does not exist', 'an account that there is not');

-- People come along ------------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS known, crm_bridge.new_id() AS fresh, crm_bridge.new_id() AS known_deal, crm_bridge.new_id() AS fresh_deal, crm_bridge.new_id() AS invited_deal \gset
INSERT INTO crm_bridge.crm_contact (id, last_name, email, account_id) VALUES (:'known', 'Known', 'known@acme.example', :'account'), (:'fresh', 'Fresh', 'fresh@acme.example', :'account');
INSERT INTO crm_bridge.projects_client_user (last_name, email, client_id) SELECT 'Known', 'known@acme.example', p.client_id FROM crm_bridge.projects_project AS p WHERE p.id = :'care';
SELECT crm_bridge._match_client_users(NULL, 1) AS people \gset
SELECT is(:'people'::bigint, 1::bigint, 'R45: one client user is a contact');
INSERT INTO crm_bridge.crm_deal (id, deal_name, account_id, contact_id) VALUES (:'known_deal', 'With known', :'account', :'known'), (:'fresh_deal', 'With fresh', :'account', :'fresh'), (:'invited_deal', 'Invited', :'account', :'fresh');
SELECT crm_bridge.create_project_from_deal(:'known_deal') AS known_project \gset
SELECT results_eq('SELECT project, contact FROM crm_bridge.project_contact', $$ VALUES ('With known', 'Known') $$, 'R56: the deal''s contact comes along where he is a client user already');
SELECT crm_bridge.create_project_from_deal(:'fresh_deal') AS made \gset
SELECT is((SELECT count(*) FROM crm_bridge.projects_client_user), 1::bigint, 'D14: nobody is made a client user, and mailed, unasked');
SELECT crm_bridge.set_setting('client_users_for_projects', '"invite"') AS done \gset
SELECT crm_bridge.create_project_from_deal(:'invited_deal') AS invited \gset
SELECT results_eq(format('SELECT last_name, email, client_id IS NOT NULL, project_id FROM crm_bridge.projects_client_user WHERE last_name = %L', 'Fresh'), format($$ VALUES ('Fresh', 'fresh@acme.example', true, %L::uuid) $$, :'invited'), 'R56: with setting client_users_for_projects "invite" he is made one');

-- How far everything is --------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.projects_task (name, project_id, is_completed, end_date) VALUES
  ('open', :'care', false, now() + interval '1 day'), ('late', :'care', false, now() - interval '1 day'), ('done', :'care', true, now() - interval '1 day'), ('other', :'known_project', false, NULL);
SELECT results_eq($$ SELECT account, projects, open_tasks, closed_tasks, overdue_tasks, last_activity = now(), in_step FROM crm_bridge.account_progress WHERE account = 'Acme' $$,
  $$ VALUES ('Acme', 5::bigint, 3::bigint, 1::bigint, 1::bigint, true, false) $$, 'R58: progress, open and overdue tasks and last activity of an account');
SELECT results_eq($$ SELECT deal, account, projects, open_tasks, overdue_tasks FROM crm_bridge.deal_progress ORDER BY deal $$,
  $$ VALUES ('Invited', 'Acme', 1::bigint, 0::bigint, 0::bigint), ('With fresh', 'Acme', 1, 0, 0), ('With known', 'Acme', 1, 1, 0) $$, 'R58: and of a deal');
SELECT results_eq($$ SELECT project FROM crm_bridge.account_projects WHERE account = 'Acme' ORDER BY project $$, ARRAY['ACME', 'Care', 'Invited', 'With fresh', 'With known'], 'R57: all projects of an account in one place');
SELECT results_eq($$ SELECT count(*), count(DISTINCT project_id) FROM crm_bridge.project_progress $$, $$ VALUES (7::bigint, 7::bigint) $$, 'every project once, with an account or without');
UPDATE crm_bridge.projects_task SET name = 'later' WHERE name = 'late';
DELETE FROM crm_bridge.projects_task WHERE name = 'done';
SELECT results_eq($$ SELECT account, project, module, title, operation, fields FROM crm_bridge.activity_feed WHERE module = 'projects_task' AND operation <> 'insert' ORDER BY at, event_id $$,
  $$ VALUES ('Acme', 'Care', 'projects_task', 'later', 'update', ARRAY['name']), ('Acme', 'Care', 'projects_task', 'done', 'delete', '{}') $$, 'R57: activity_feed has what happens in the projects of an account, of deleted records too');
SELECT is((SELECT count(*) FROM crm_bridge.activity_feed), (SELECT count(*) FROM crm_bridge.history WHERE module LIKE 'projects\_%' AND module NOT IN ('projects_portal', 'projects_user', 'projects_client', 'projects_client_user', 'projects_task_status')), 'every event once');
SELECT is((SELECT account FROM crm_bridge.activity_feed WHERE record_id = :'known_project' AND operation = 'insert'), 'Acme', 'R57: projects of its deals are among them');

-- Young tables -----------------------------------------------------------------------------------------------------

-- Much has just come in, and nothing has been analysed: each join must probe a key, not read a table in a loop.
INSERT INTO crm_bridge.crm_account (id, account_name) SELECT md5('a' || n)::uuid, 'account ' || n FROM generate_series(1, 3000) AS n;
INSERT INTO crm_bridge.crm_deal (id, deal_name, account_id) SELECT md5('d' || n)::uuid, 'deal ' || n, md5('a' || n)::uuid FROM generate_series(1, 3000) AS n;
INSERT INTO crm_bridge.projects_project (id, name) SELECT md5('p' || n)::uuid, 'project ' || n FROM generate_series(1, 3000) AS n;
INSERT INTO crm_bridge.projects_task (name, project_id) SELECT 'task ' || n, md5('p' || n)::uuid FROM generate_series(1, 3000) AS n;
INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id) SELECT 1, 'deal_project', md5('d' || n)::uuid, md5('p' || n)::uuid FROM generate_series(1, 3000) AS n;
CREATE FUNCTION pg_temp.reads(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE answer json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO answer;
  RETURN QUERY
  WITH RECURSIVE node (plan) AS (
    SELECT answer #> '{0,Plan}' UNION ALL SELECT c FROM node, json_array_elements(node.plan -> 'Plans') AS c
  )
  SELECT concat_ws(' ', plan ->> 'Relation Name', plan ->> 'Node Type', plan ->> 'Index Cond') FROM node
   WHERE plan ->> 'Relation Name' IN ('link', 'crm_account', 'crm_deal', 'projects_task')
     AND COALESCE(plan ->> 'Index Cond', '') !~ 'org_id = [^()]*\) AND \((id|right_id|left_id|project_id) = ';
END $$;
SELECT is_empty(format('SELECT pg_temp.reads(%L)', 'SELECT * FROM crm_bridge.' || v.name), v.name || ' over young tables is a probe of a key for each join')
  FROM (VALUES ('project_progress'), ('account_projects'), ('account_progress'), ('activity_feed')) AS v (name);
SELECT results_eq($$ SELECT count(*), count(account) FROM crm_bridge.project_progress $$, $$ VALUES (3007::bigint, 3005::bigint) $$, 'and it gives every project');

SELECT * FROM finish();
ROLLBACK;
