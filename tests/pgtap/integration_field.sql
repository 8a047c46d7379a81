-- SPDX-License-Identifier: PostgreSQL
-- A field of a project shows a field of its deal, and whoever changes the one changes the other (R135-R137).
BEGIN;
\ir fixture/tools.psql
SELECT plan(19);
\ir fixture/organization.psql
\ir fixture/history.psql
\ir fixture/protocol.psql

SELECT crm_bridge.store_fields('projects_project', '[{"api_name": "Budget", "type": "number", "writable": true}, {"api_name": "Computed", "type": "number", "writable": false}, {"api_name": "When", "type": "date", "writable": true}]') AS fields \gset
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Budget', 'amount') $$, '55000', 'zoho_projects" is not active', 'R137: not before both are integrated');
\ir fixture/projects.psql
INSERT INTO crm_bridge.crm_deal (deal_name, amount) VALUES ('Routers', 10), ('No amount', NULL), ('No project', 3);
SELECT count(crm_bridge.create_project_from_deal(d.id)) AS made FROM crm_bridge.crm_deal AS d WHERE d.deal_name <> 'No project' \gset
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Budget', 'amount', module => 'crm_account') $$, '0A000', 'cannot show module "crm_account"[\s\S]*many projects[\s\S]*account_project', 'R136: of accounts: the error says why, and what there is instead');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Budget', 'amount', module => 'crm_contact') $$, '0A000', 'cannot show module "crm_contact"[\s\S]*Use module crm_deal', 'R136: nor of another module');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Budget', 'amount', service => 'bigin') $$, '0A000', 'service "bigin"', 'R136: nor of another service');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Budget', 'nope') $$, '42704', 'field "nope"', 'R136: a field that deals do not have');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Nope', 'amount') $$, '42704', 'projects have no custom field "Nope"[\s\S]*resync', 'R136: a field that the layout does not have');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('x', 'amount', 'Computed') $$, '428C9', '"Computed"', 'R135: one that takes no value');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('x', 'amount', 'When') $$, '42804', 'amount', 'types that do not fit');
SELECT is(crm_bridge.add_integration_field('Deal amount', 'amount', 'Budget'), 1, 'R136: added by name, module and field');
SELECT set_eq('SELECT name, custom_fields FROM crm_bridge.projects_project', $$ VALUES ('Routers', '{"Budget": 10}'::jsonb), ('No amount', '{}') $$, 'R135: it shows what is in the CRM');
SELECT is((SELECT amount FROM crm_bridge.crm_deal WHERE deal_name = 'Routers'), 10::numeric, 'and leaves that as it is');
SELECT pg_temp.refused($$ SELECT crm_bridge.add_integration_field('Deal amount', 'expected_revenue', 'When') $$, '42710', 'already', 'a name stands once');
SELECT pg_temp.send_all(:'lease') AS sent \gset
UPDATE crm_bridge.projects_project SET custom_fields = '{"Budget": 12}' WHERE name = 'Routers';
SELECT is((SELECT amount FROM crm_bridge.crm_deal WHERE deal_name = 'Routers'), 12::numeric, 'R135: a user of Projects updates data in the CRM');
SELECT results_eq($$ SELECT d.fields FROM dirty AS d WHERE d.module = 'crm_deal' $$, $$ VALUES ('{amount}'::text[]) $$, 'which is sent');
UPDATE crm_bridge.crm_deal SET amount = 15 WHERE deal_name IN ('Routers', 'No amount');
SELECT set_eq('SELECT custom_fields FROM crm_bridge.projects_project', $$ VALUES ('{"Budget": 15}'::jsonb) $$, 'R135: and sees what the CRM changes');
SELECT crm_bridge.deactivate_projects() AS off \gset
UPDATE crm_bridge.crm_deal SET amount = 16 WHERE deal_name = 'Routers';
SELECT is((SELECT custom_fields FROM crm_bridge.projects_project WHERE name = 'Routers'), '{"Budget": 15}', 'R137: not while they are apart');
SELECT pg_temp.accepted($$ SELECT crm_bridge.remove_integration_field('Deal amount') $$, 'it can be taken away');
SELECT is((SELECT count(*) FROM crm_bridge.field_mapping WHERE right_field = 'Budget'), 0::bigint, 'with its mapping');
SELECT pg_temp.refused($$ SELECT crm_bridge.remove_integration_field('Deal amount') $$, '42704', 'does not exist', 'once');
SELECT * FROM finish();
ROLLBACK;
