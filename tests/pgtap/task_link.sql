-- SPDX-License-Identifier: PostgreSQL
-- Adding a task of a project to the CRM: what is offered is accepted, and nothing else (R68-R76).
BEGIN;
\ir fixture/tools.psql
SELECT plan(19);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql
\ir fixture/rights.psql

SELECT crm_bridge.new_id() AS task, crm_bridge.new_id() AS twin_account, crm_bridge.new_id() AS taken_account, crm_bridge.new_id() AS stranger,
       crm_bridge.new_id() AS other_deal, crm_bridge.new_id() AS clientless, crm_bridge.new_id() AS nowhere \gset
INSERT INTO crm_bridge.projects_task (id, name, project_id, portal_id) SELECT :'task', 'New one', p.id, p.portal_id FROM crm_bridge.projects_project AS p WHERE p.id = :'project';
CREATE TEMP VIEW offered AS SELECT t.section, t.kind, t.name, t.reason FROM crm_bridge.task_link_targets((SELECT id FROM crm_bridge.projects_task WHERE name = 'New one')) AS t;

SELECT results_eq('TABLE offered', $$ VALUES ('mapped_accounts', 'account', 'Acme', 'client_account'), ('deals', 'deal', 'Routers', 'deal_of_project') $$, 'R69, R70, R73: offered are the client''s account and the deal of the project');
INSERT INTO crm_bridge.crm_account (id, account_name) VALUES (:'twin_account', ' ACME '), (:'stranger', 'Acme Ltd');
INSERT INTO crm_bridge.crm_account (id, account_name) VALUES (:'taken_account', 'acme');
SELECT crm_bridge.new_id() AS other_client \gset
INSERT INTO crm_bridge.projects_client (id, name, portal_id) SELECT :'other_client', 'Acme', portal_id FROM crm_bridge.projects_project WHERE id = :'project';
SELECT crm_bridge.link_client(client_id => :'other_client', account_id => :'taken_account') AS pair \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, stage, account_id) VALUES (:'other_deal', 'Switches', 'Qualification', :'account');
SELECT results_eq('TABLE offered', $$ VALUES ('mapped_accounts', 'account', 'Acme', 'client_account'), ('unmapped_accounts', 'account', ' ACME ', 'same_name'), ('deals', 'deal', 'Routers', 'deal_of_project') $$,
  'R71, R72, D6: and an account of the same name that no client is linked with; no other account, no other deal');

-- Exactly what is offered is accepted -------------------------------------------------------------------------------

SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'task', t.target), '22023', 'is not offered as target[\s\S]*task_link_targets', t.why)
  FROM (VALUES (:'taken_account'::uuid, 'R72: not an account of the name that another client is linked with'), (:'stranger', 'R72: nor one of a similar name'),
               (:'other_deal', 'R73: nor a deal of the account that is not the project''s'), (NULL, 'R69: a target must be chosen'), (:'task', 'nor any other record')) AS t (target, why);
SELECT is((SELECT in_crm FROM crm_bridge.project_tasks WHERE task_id = :'task'), false, 'R75: it bears no mark');
SAVEPOINT before;
SELECT crm_bridge.add_task_to_crm(:'task', :'twin_account') AS twin \gset
SELECT results_eq(format('SELECT subject, account_id = %L, deal_id FROM crm_bridge.crm_task WHERE id = %L', :'twin_account', :'twin'), $$ VALUES ('New one', true, NULL::uuid) $$, 'R71: about the account of the same name');
SELECT results_eq(format('SELECT in_crm, crm_task_id = %L, crm_kind, crm_name, project FROM crm_bridge.project_tasks WHERE task_id = %L', :'twin', :'task'),
  $$ VALUES (true, true, 'account', ' ACME ', 'Routers') $$, 'R75: the task list shows the mark, and what it is about in the CRM');
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE left_id = :'twin_account' AND pairing = 'account_client'), 0::bigint, 'the account itself is linked with nothing by that');
ROLLBACK TO SAVEPOINT before;
SELECT crm_bridge.add_task_to_crm(:'task', :'account') AS twin \gset
SELECT is((SELECT crm_name FROM crm_bridge.project_tasks WHERE task_id = :'task'), 'Acme', 'R70: or about the account that the client is linked with');
DELETE FROM crm_bridge.crm_task WHERE id = :'twin';
SELECT is((SELECT in_crm FROM crm_bridge.project_tasks WHERE task_id = :'task'), false, 'R75, D2: when it is gone from the CRM the mark is gone');
SELECT isnt(crm_bridge.add_task_to_crm(:'task', :'deal'), :'twin'::uuid, 'R74: and it can be added anew');

-- Who has none ------------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.projects_project (id, name) VALUES (:'clientless', 'Internal');
INSERT INTO crm_bridge.projects_task (id, name, project_id) VALUES (:'nowhere', 'Nowhere', :'clientless');
SELECT is_empty(format('SELECT * FROM crm_bridge.task_link_targets(%L)', :'nowhere'), 'R68: a task whose project''s client has no account is offered nothing');
SELECT pg_temp.refused(format('SELECT crm_bridge.add_task_to_crm(%L, %L)', :'nowhere', :'account'), '55000', 'not linked with a CRM account', 'R68: and cannot be added');
SELECT pg_temp.refused('SELECT * FROM crm_bridge.task_link_targets(crm_bridge.new_id())', '42704', 'task .* does not exist', 'a task that there is not');
SELECT pg_temp.flags('Sales', 'tab') \g /dev/null
SELECT is(pg_temp.outcome('test_ben', NULL, format('SELECT * FROM crm_bridge.task_link_targets(%L)', :'task')), '42501', 'R36: who may not view tasks is offered nothing');
SELECT pg_temp.flags('Sales', 'tab', 'view') \g /dev/null
SELECT is(pg_temp.outcome('test_ben', NULL, format('SELECT * FROM crm_bridge.task_link_targets(%L)', :'task')), '3', 'who may, is');

SELECT * FROM finish();
ROLLBACK;
