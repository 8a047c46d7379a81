-- SPDX-License-Identifier: PostgreSQL
-- The main job: activation, a portal, a won deal becomes a project, a task of it is added to the CRM (R3-R8, R53-R59, R68-R76, D13).
BEGIN;
\ir fixture/tools.psql
SELECT plan(96);
\ir fixture/organization.psql
\ir fixture/history.psql
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset
SELECT crm_bridge.new_id() AS account, crm_bridge.new_id() AS deal, crm_bridge.new_id() AS early \gset
INSERT INTO crm_bridge.crm_account (id, account_name) VALUES (:'account', 'Acme');
INSERT INTO crm_bridge.crm_deal (id, deal_name, stage, account_id, closing_date) VALUES (:'deal', 'Routers', 'Negotiation/Review', :'account', '2026-12-24');
CREATE TEMP VIEW state AS SELECT i.state, i.portal_id IS NOT NULL AS has_portal, i.activated_by FROM crm_bridge.integration AS i WHERE i.service = 'zoho_projects';
CREATE TEMP VIEW asked AS SELECT c.service, c.kind, c.state FROM crm_bridge.command AS c ORDER BY c.command_id;

-- Activation -------------------------------------------------------------------------------------------------------

SELECT results_eq('SELECT * FROM state', $$ VALUES ('off', false, NULL::text) $$, 'R3: nothing is integrated before somebody begins');
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_deal(%L)', :'deal'), '55000', 'integration with Projects is not active[\s\S]*activate_projects', 'R3: a project needs the integration');
SELECT pg_temp.refused($$ SELECT crm_bridge.choose_portal('Zylker') $$, '42704', 'portal "Zylker" does not exist[\s\S]*refresh_portals', 'R10: only portals that were read can be chosen');
SELECT crm_bridge.activate_projects() AS command \gset
SELECT results_eq('TABLE asked', $$ VALUES ('zoho_projects', 'refresh_portals', 'requested') $$, 'R3: it begins with reading the portals');
SELECT is((SELECT state FROM state), 'configuring', 'and is being configured');
SELECT results_eq(format($$ SELECT command_id, kind FROM crm_bridge.next_command('zoho_projects', %L, 1) $$, :'lease'), format($$ VALUES (%L::uuid, 'refresh_portals') $$, :'command'), 'a worker takes the command');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.next_command('zoho_projects', %L, 1) $$, :'lease'), 'one worker');
SELECT pg_temp.refused(format($$ CALL crm_bridge.wait_for_command(%L, '0') $$, :'command'), '57014', 'is not done yet[\s\S]*Is a worker running', 'who waits for it is told when it takes too long');
SELECT count(*) AS received FROM crm_bridge.receive('projects_portal', '[{"external_id": "p1", "fields": {"name": "Zylker"}}, {"external_id": "p2", "fields": {"name": "Twin"}}, {"external_id": "p3", "fields": {"name": "Twin"}}]', clock_timestamp()) \gset
SELECT crm_bridge.finish_command(:'command', 'done', '{"portals": 3}') AS done \gset
SELECT pg_temp.accepted(format('CALL crm_bridge.wait_for_command(%L)', :'command'), 'when it is done the wait is over');
SELECT pg_temp.refused('CALL crm_bridge.wait_for_command(crm_bridge.new_id())', '42704', 'command .* does not exist', 'a command that nobody gave');
SELECT crm_bridge.refresh_portals() AS second \gset
SELECT count(*) AS taken FROM crm_bridge.next_command('zoho_projects', :'lease', 1) \gset
SELECT crm_bridge.finish_command(:'second', 'failed', '{"error": "the token was revoked"}') AS done \gset
SELECT pg_temp.refused(format('CALL crm_bridge.wait_for_command(%L)', :'second'), '58000', 'command refresh_portals failed\s+the token was revoked', 'one that failed says why');

SELECT pg_temp.refused($$ SELECT crm_bridge.choose_portal('Twin') $$, '21000', '2 portals named "Twin"[\s\S]*external id', 'two portals of one name are told apart by their ids');
SELECT crm_bridge.choose_portal('p1') AS command \gset
SELECT results_eq('TABLE state', $$ VALUES ('active', true, 'postgres') $$, 'R6: the portal is linked');
SELECT results_eq('SELECT * FROM asked OFFSET 2', $$ VALUES ('zoho_projects', 'initial_sync', 'requested') $$, 'R7: all its projects are asked for');
SELECT pg_temp.refused($$ SELECT crm_bridge.choose_portal('p2') $$, '55000', 'is not being set up', 'R6: one portal at a time');
SELECT pg_temp.refused($$ SELECT crm_bridge.activate_projects() $$, '55000', 'active already', 'what is active is not begun again');
SELECT crm_bridge.resync('projects_task') AS command \gset
SELECT results_eq('SELECT c.arguments FROM crm_bridge.command AS c ORDER BY c.command_id DESC LIMIT 1', $$ VALUES ('{"modules": ["projects_task"]}'::jsonb) $$, 'resync asks for one module again');
SELECT pg_temp.refused($$ SELECT crm_bridge.resync('tasks') $$, '42704', 'module "tasks" does not exist', 'resync of what is no module');
SELECT results_eq($$ SELECT org_id, name, state, portal_id FROM crm_bridge.worker_organizations('zoho_projects') $$, $$ VALUES (1::bigint, 'Zylker', 'active', 'p1') $$, 'a worker sees whom to poll');

-- A project by call ------------------------------------------------------------------------------------------------

SELECT pg_temp.forget() AS forgotten \gset
SELECT crm_bridge.create_project_from_deal(:'deal') AS project \gset
SELECT results_eq(format('SELECT name, end_date, origin, external_id FROM crm_bridge.projects_project WHERE id = %L', :'project'), $$ VALUES ('Routers', '2026-12-24'::date, 'app', NULL::text) $$, 'R53, R27: a project is made out of the deal, mapped fields filled');
SELECT results_eq($$ SELECT pairing, left_id, right_id, state, created_by FROM crm_bridge.link ORDER BY link_id $$,
  format($$ SELECT 'account_client', %L::uuid, p.client_id, 'active', 'postgres' FROM crm_bridge.projects_project AS p UNION ALL SELECT 'deal_project', %L, p.id, 'active', 'postgres' FROM crm_bridge.projects_project AS p $$, :'account', :'deal'),
  'linked to the deal, and its client to the account');
SELECT is((SELECT portal_id FROM crm_bridge.projects_project), (SELECT portal_id FROM crm_bridge.integration WHERE service = 'zoho_projects'), 'in the chosen portal');
SELECT is(crm_bridge.create_project_from_deal(:'deal'), :'project'::uuid, 'a second call returns the same project');
SELECT is((SELECT count(*) FROM crm_bridge.projects_project) + (SELECT count(*) FROM crm_bridge.projects_client), 2::bigint, 'and makes nothing');
SELECT results_eq('SELECT module, operation FROM dirty', $$ VALUES ('projects_client', 'write'), ('projects_project', 'write') $$, 'R54: both are to be made in Projects');
SELECT results_eq(format($$ SELECT module, operation, fields, context FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('projects_client', 'create', '{"name": "Acme", "portal_id": "p1"}'::jsonb, '{"portal_id": "p1"}'::jsonb) $$, 'B6: the client first');
SELECT count(*) AS done FROM crm_bridge.acknowledge(:'lease', (SELECT jsonb_agg(jsonb_build_object('module', d.module, 'record_id', d.record_id, 'external_id', 'cl1')) FROM crm_bridge.delivery AS d WHERE d.state = 'in_flight'), 1) \gset
SELECT results_eq(format($$ SELECT module, operation, fields ->> 'client_id', context FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('projects_project', 'create', 'cl1', '{"portal_id": "p1"}'::jsonb) $$, 'then the project, with the client''s id');
SELECT count(*) AS done FROM crm_bridge.acknowledge(:'lease', (SELECT jsonb_agg(jsonb_build_object('module', d.module, 'record_id', d.record_id, 'external_id', 'pr1')) FROM crm_bridge.delivery AS d WHERE d.state = 'in_flight'), 1) \gset

SELECT crm_bridge.new_id() AS named, crm_bridge.new_id() AS nameless, crm_bridge.new_id() AS sibling \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, account_id) VALUES (:'named', 'Dull', NULL), (:'nameless', NULL, NULL), (:'sibling', 'Switches', :'account');
SELECT crm_bridge.create_project_from_deal(:'named', 'Bright') AS made \gset
SELECT results_eq(format('SELECT name, client_id FROM crm_bridge.projects_project WHERE id = %L', :'made'), $$ VALUES ('Bright', NULL::uuid) $$, 'the project may be given another name; without an account it has no client');
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_deal(%L)', :'nameless'), '23502', 'has no name for the project[\s\S]*argument name', 'a deal without a name needs one for its project');
SELECT isnt(crm_bridge.create_project_from_deal(:'nameless', 'Given'), NULL, 'given here');
SELECT pg_temp.refused('SELECT crm_bridge.create_project_from_deal(crm_bridge.new_id())', '42704', 'deal .* does not exist', 'a deal that there is not');
SELECT crm_bridge.create_project_from_deal(:'sibling') AS made \gset
SELECT is((SELECT count(*) FROM crm_bridge.projects_client), 1::bigint, 'two deals of an account share its client');
SELECT crm_bridge.set_setting('clients_for_projects', 'false') AS done \gset
INSERT INTO crm_bridge.crm_account (account_name) VALUES ('No client');
SELECT crm_bridge.new_id() AS clientless \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, account_id) SELECT :'clientless', 'Clientless', a.id FROM crm_bridge.crm_account AS a WHERE a.account_name = 'No client';
SELECT crm_bridge.create_project_from_deal(:'clientless') AS clientless_project \gset
SELECT results_eq(format('SELECT name, client_id FROM crm_bridge.projects_project WHERE id = %L', :'clientless_project'), $$ VALUES ('Clientless', NULL::uuid) $$, 'an organization may do without clients');
SELECT crm_bridge.set_setting('clients_for_projects', 'true') AS done \gset
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
UPDATE crm_bridge.crm_deal SET deal_name = repeat('long ', 50) WHERE id = :'named';
DELETE FROM crm_bridge.setting WHERE name = 'rule_mode';
SELECT pg_temp.refused($$ SELECT crm_bridge.set_setting('clients_for_project', 'true') $$, '22023', 'setting "clients_for_project" is not known', 'a setting that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_setting('won_stages', '"Closed Won"') $$, '22023', 'takes a JSON value of type array', 'a setting of another type');

-- A project by rule ------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.has_project(deal uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM crm_bridge.link AS l JOIN crm_bridge.projects_project AS p ON p.id = l.right_id WHERE l.left_id = deal AND l.pairing = 'deal_project') $$;
CREATE FUNCTION pg_temp.new_deal(name text, stage text) RETURNS uuid LANGUAGE sql AS $$ INSERT INTO crm_bridge.crm_deal (deal_name, stage) VALUES (name, stage) RETURNING id $$;
SELECT pg_temp.new_deal('Before the rule', 'Qualification') AS before \gset
UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE id = :'before';
SELECT ok(NOT pg_temp.has_project(:'before'), 'D13: a deal that is won before the rule is on gets no project');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_automation('lost_deal', true) $$, '42704', 'rule "lost_deal" does not exist', 'a rule that there is not');
SELECT crm_bridge.set_automation('won_deal_becomes_project', true) AS done \gset
UPDATE crm_bridge.crm_deal SET amount = 5 WHERE id = :'before';
UPDATE crm_bridge.crm_deal SET stage = stage WHERE id = :'before';
SELECT ok(NOT pg_temp.has_project(:'before'), 'D13: nor when it is edited afterwards: that is no transition');
SELECT pg_temp.new_deal('Won by an app', 'Qualification') AS won \gset
UPDATE crm_bridge.crm_deal SET stage = 'Negotiation/Review' WHERE id = :'won';
SELECT ok(NOT pg_temp.has_project(:'won'), 'another stage makes no project');
UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE id = :'won';
SELECT ok(pg_temp.has_project(:'won'), 'R55: an UPDATE to won makes one, in the same transaction');
UPDATE crm_bridge.crm_deal SET stage = 'Closed Lost' WHERE id = :'won';
UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE id = :'won';
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE left_id = :'won'), 1::bigint, 'won once more it keeps the one that it has');
SELECT pg_temp.new_deal('Born won', 'Closed Won') AS born_won \gset
SELECT ok(pg_temp.has_project(:'born_won'), 'R55: an app may insert a deal that is won');
SELECT pg_temp.new_deal(NULL, 'Closed Won') AS unnamed \gset
SELECT ok(NOT pg_temp.has_project(:'unnamed'), 'without a name it stays without a project, and the app''s write stands');
SAVEPOINT trial;
SELECT pg_temp.new_deal('Tried', 'Closed Won') AS tried \gset
ROLLBACK TO SAVEPOINT trial;
SELECT is((SELECT count(*) FROM crm_bridge.projects_project WHERE name = 'Tried'), 0::bigint, 'B6: what is rolled back made no project');

SELECT count(*) AS received FROM crm_bridge.receive('crm_deal', '[{"external_id": "e1", "version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Old and won", "stage": "Closed Won"}},
  {"external_id": "e2", "version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Open there", "stage": "Qualification"}}]', clock_timestamp()) \gset
SELECT record_id AS old_won FROM crm_bridge.shadow WHERE external_id = 'e1' \gset
SELECT record_id AS open_there FROM crm_bridge.shadow WHERE external_id = 'e2' \gset
SELECT ok(NOT pg_temp.has_project(:'old_won'), 'D13: what an initial sync brings may have been won for years');
SELECT count(*) AS received FROM crm_bridge.receive('crm_deal', '[{"external_id": "e2", "version": "2026-01-02T00:00:00Z", "modified_by": "bob@zylker.example", "fields": {"stage": "Closed Won"}}]', clock_timestamp()) \gset
SELECT ok(pg_temp.has_project(:'open_there'), 'R55: a deal that a person wins in the CRM gets its project when that is read');
SELECT is((SELECT count(*) FROM crm_bridge.delivery AS d WHERE d.module = 'crm_deal' AND d.record_id = :'open_there'), 0::bigint, 'P10: and nothing is sent back to the CRM');

CREATE ROLE test_app;
SELECT crm_bridge.grant_app('test_app', 1) AS done \gset
SELECT pg_temp.new_deal('Won by a role', 'Qualification') AS by_role \gset
SET LOCAL ROLE test_app;
UPDATE crm_bridge.crm_deal SET stage = 'Closed Won' WHERE id = :'by_role';
RESET ROLE;
SELECT results_eq($$ SELECT h.actor FROM crm_bridge.history AS h JOIN crm_bridge.projects_project AS p ON p.id = h.record_id WHERE p.name = 'Won by a role' $$, ARRAY['test_app'], 'D16: history names the person who won the deal');

SELECT crm_bridge.set_setting('won_stages', '["Signed", "Paid"]') AS done \gset
SELECT pg_temp.new_deal('Signed', 'Closed Won') AS signed \gset
SELECT ok(NOT pg_temp.has_project(:'signed'), 'an organization says itself what won means');
UPDATE crm_bridge.crm_deal SET stage = 'Signed' WHERE id = :'signed';
SELECT ok(pg_temp.has_project(:'signed'), 'in its own stages');
SELECT crm_bridge.set_automation('won_deal_becomes_project', false) AS done \gset
SELECT pg_temp.new_deal('Rule off', 'Signed') AS rule_off \gset
SELECT ok(NOT pg_temp.has_project(:'rule_off'), 'and may switch the rule off again');
DELETE FROM crm_bridge.setting;

-- Projects for older deals -----------------------------------------------------------------------------------------

CREATE TEMP TABLE dry AS SELECT * FROM crm_bridge.create_projects_from_won_deals();
SELECT results_eq('SELECT deal_name, project_id, reason FROM dry ORDER BY 1', $$ VALUES ('Before the rule', NULL::uuid, 'not_requested'), ('Old and won', NULL, 'not_requested'), (NULL, NULL, 'no_name') $$, 'D13, D12: a dry run lists the deals without a project, with the reason of each');
SELECT is((SELECT count(*) FROM crm_bridge.run), 0::bigint, 'and is no run');
CREATE TEMP TABLE wet AS SELECT * FROM crm_bridge.create_projects_from_won_deals("limit" => 1, dry_run => false);
SELECT results_eq('SELECT w.deal_id = d.deal_id, w.project_id IS NOT NULL, w.reason FROM wet AS w, (SELECT * FROM dry LIMIT 1) AS d', $$ VALUES (true, true, NULL::text) $$, 'the real one makes as many as it is told, oldest first');
INSERT INTO wet SELECT * FROM crm_bridge.create_projects_from_won_deals(dry_run => false) WHERE project_id IS NOT NULL;
SELECT results_eq('SELECT w.deal_name, p.name FROM wet AS w JOIN crm_bridge.projects_project AS p ON p.id = w.project_id ORDER BY 1', $$ VALUES ('Before the rule', 'Before the rule'), ('Old and won', 'Old and won') $$, 'then the rest');
SELECT results_eq('SELECT r.kind, r.state, r.done FROM crm_bridge.run AS r ORDER BY r.run_id', $$ VALUES ('projects_from_deals', 'finished', 1::bigint), ('projects_from_deals', 'finished', 1) $$, 'B6: each is a run');
SELECT results_eq('SELECT deal_name, reason FROM crm_bridge.create_projects_from_won_deals(dry_run => false)', $$ VALUES (NULL::text, 'no_name') $$, 'once more makes nothing twice');

-- Tasks in the CRM -------------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS task, crm_bridge.new_id() AS second_task, crm_bridge.new_id() AS stray, crm_bridge.new_id() AS clientless_task, crm_bridge.new_id() AS other \gset
INSERT INTO crm_bridge.projects_task (id, name, project_id, portal_id) SELECT t.id, t.name, p.id, p.portal_id FROM crm_bridge.projects_project AS p,
  (VALUES (:'task'::uuid, 'Install'), (:'second_task'::uuid, 'Test')) AS t (id, name) WHERE p.id = :'project';
INSERT INTO crm_bridge.projects_task (id, name) VALUES (:'stray', 'Stray');
INSERT INTO crm_bridge.projects_task (id, name, project_id) VALUES (:'clientless_task', 'Clientless', :'clientless_project');
INSERT INTO crm_bridge.crm_account (id, account_name) VALUES (:'other', 'Acme Holding');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'clientless_task', :'clientless'), '55000', 'cannot be added to the CRM[\s\S]*not linked with a CRM account', 'R68: a task whose project''s client has no account is not added');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'stray', :'deal'), '55000', 'cannot be added', 'R68: nor one without a project');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'task', :'other'), '22023', 'is not offered as target', 'R72: an account that is neither the client''s nor of its name is not offered');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'task', :'sibling'), '22023', 'is not offered as target', 'R73: nor a deal of another project');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, NULL)', :'task'), '22023', 'is not offered', 'R69: a target must be chosen');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(crm_bridge.new_id(), %L)', :'deal'), '42704', 'task .* does not exist', 'a task that there is not');
SELECT is((SELECT count(*) FROM crm_bridge.crm_task), 0::bigint, 'R76: none is added by itself');
SELECT crm_bridge.add_task_to_crm(:'task', :'deal') AS crm_task \gset
SELECT results_eq(format('SELECT subject, deal_id, account_id FROM crm_bridge.crm_task WHERE id = %L', :'crm_task'), format('VALUES (%L, %L::uuid, NULL::uuid)', 'Install', :'deal'), 'R69, R73: about the deal of the project');
SELECT is(crm_bridge.add_task_to_crm(:'task', :'account'), :'crm_task'::uuid, 'R74: added once');
SELECT crm_bridge.add_task_to_crm(:'second_task', :'account') AS account_task \gset
SELECT results_eq(format('SELECT subject, deal_id, account_id FROM crm_bridge.crm_task WHERE id = %L', :'account_task'), format('VALUES (%L, NULL::uuid, %L::uuid)', 'Test', :'account'), 'R70: or about the mapped account');
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE pairing = 'task_task' AND state = 'active'), 2::bigint, 'both are linked');
UPDATE crm_bridge.crm_task SET status = 'Completed' WHERE id = :'crm_task';
SELECT is((SELECT is_completed FROM crm_bridge.projects_task WHERE id = :'task'), true, 'R60: from then on they keep step');

-- Paused and many organizations ------------------------------------------------------------------------------------

SELECT crm_bridge.pause('zoho_projects', 'maintenance') AS done \gset
SELECT pg_temp.new_deal('While paused', 'Qualification') AS paused \gset
SELECT isnt(crm_bridge.create_project_from_deal(:'paused'), NULL, 'while Projects is paused projects can be made');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'), 'and wait to be sent');
SELECT crm_bridge.create_organization(2, 'Other') AS org \gset
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_deal(%L)', :'deal'), '55000', 'not settled which organization', 'with two organizations one must be named');
SELECT pg_temp.refused(format('SELECT crm_bridge.create_project_from_deal(%L, org_id => 2)', :'deal'), '55000', 'not active', 'each has its own integration');
SELECT is(crm_bridge.create_project_from_deal(:'deal', org_id => 1), :'project'::uuid, 'and its own deals');

-- What a worker asks, with two organizations and plans of every kind: none of it asks whose organization is meant.
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT pg_temp.accepted($$ SELECT crm_bridge.save_cursor('zoho_crm', 'crm_deal', '{"a": 1}', 1), crm_bridge.save_cursor('zoho_crm', 'crm_deal', '{"a": 2}', 2) $$, 'save_cursor');
SELECT is(crm_bridge.read_cursor('zoho_crm', 'crm_deal', 1) || crm_bridge.read_cursor('zoho_crm', 'crm_deal', 2), '{"a": 2}', 'read_cursor');
SELECT is(crm_bridge.read_cursor('zoho_crm', 'crm_lead', 2), NULL, 'null at first');
SELECT is(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{e1,e2,e1,""}', 'update', '{}', org_id => 1), 2, 'store_notice counts what is new');
SELECT is(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{e2,e3}', 'update', '{}', org_id => 1), 1, 'P11: a record that waits to be read again is noted once');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_notice('zoho_projects', 'ch', 'crm_deal', '{e1}', 'update', '{}', org_id => 1) $$, '42704', 'module "crm_deal" of service "zoho_projects"', 'of a module that the service has');
SELECT results_eq($$ SELECT * FROM crm_bridge.notice_backlog('zoho_crm') $$, ARRAY[1::bigint], 'notice_backlog');
SELECT crm_bridge.new_id() AS reader, crm_bridge.new_id() AS other_reader \gset
SELECT crm_bridge.heartbeat(:'reader', 'reader', '1 hour'), crm_bridge.heartbeat(:'other_reader', 'other reader', '1 hour') \g /dev/null
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.take_notices('zoho_crm', 10, NULL, 1) $$, '22023', 'lease must not be null', 'take_notices: for a lease');
SELECT is((SELECT count(*) FROM crm_bridge.take_notices('zoho_crm', 10, :'other_reader', 1)), 3::bigint, 'a worker takes them');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.take_notices('zoho_crm', 10, %L, 1) $$, :'reader'), 'they are not given to another');
SELECT crm_bridge.end_lease(:'other_reader') \g /dev/null
SELECT results_eq($$ SELECT * FROM crm_bridge.notice_backlog('zoho_crm') $$, ARRAY[1::bigint], 'P6: those of a worker that is gone are to be read again at once');
CREATE TEMP TABLE taken AS SELECT * FROM crm_bridge.take_notices('zoho_crm', 10, :'reader', 1);
SELECT set_eq('SELECT module, external_id, event FROM taken', $$ VALUES ('crm_deal', 'e1', 'update'), ('crm_deal', 'e2', 'update'), ('crm_deal', 'e3', 'update') $$, 'take_notices: one row a record');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.take_notices('zoho_crm', 10, %L, 1) $$, :'reader'), 'once');
SELECT is(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{e1}', 'update', '{}', org_id => 1), 1, 'what comes while it is read is read again');
SELECT crm_bridge.finish_notices(t.notice_ids, 1) AS done FROM taken AS t \g /dev/null
SELECT is((SELECT count(*) FROM crm_bridge.inbox), 1::bigint, 'finish_notices');
SELECT is((SELECT count(*) FROM crm_bridge.worker_fields('zoho_crm', 2)), (SELECT count(*) FROM crm_bridge.standard_field AS f JOIN crm_bridge.module AS m USING (module) WHERE m.service = 'zoho_crm'), 'worker_fields');
SELECT results_eq($$ SELECT * FROM crm_bridge.known_external_ids('projects_project', '{pr1,pr9}', 1) $$, ARRAY['pr1'], 'known_external_ids: what was confirmed');
SELECT crm_bridge.start_run('poll', 'zoho_crm', 'crm_deal', 10, 2) AS run \gset
SELECT pg_temp.accepted(format('SELECT crm_bridge.report_progress(%L, 5, NULL, 2), crm_bridge.finish_run(%L, %L, NULL, 2)', :'run', :'run', 'finished'), 'report_progress, finish_run');
SELECT results_eq(format('SELECT org_id, state, done, expected FROM crm_bridge.run WHERE run_id = %L', :'run'), $$ VALUES (2::bigint, 'finished', 5::bigint, 10::bigint) $$, 'a run tells how far it came');
SELECT pg_temp.accepted($$ SELECT crm_bridge.store_credential('zoho_crm', 'oauth', 'k', '\x01', org_id => 2) $$, 'store_credential');
SELECT results_eq($$ SELECT kind, key_id, sealed FROM crm_bridge.sealed_credential('zoho_crm', 2) $$, $$ VALUES ('oauth', 'k', '\x01'::bytea) $$, 'sealed_credential');
SELECT is_empty($$ SELECT * FROM crm_bridge.sealed_credential('zoho_crm', 1) $$, 'each organization has its own');

SELECT * FROM finish();
ROLLBACK;
