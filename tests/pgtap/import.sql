-- SPDX-License-Identifier: PostgreSQL
-- Imports of people into Projects by e-mail address (R131, R138-R142, R33, R34, T38).
BEGIN;
\ir fixture/tools.psql
SELECT plan(43);
\ir fixture/organization.psql

-- Refused ----------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('crm', '{a@b.example}') $$, '55000', 'zoho_projects', 'R140: not before Projects is active');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_client_users('crm', '{a@b.example}') $$, '55000', 'zoho_projects', 'R140: nor client users');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge._provision_users(1, '{a@b.example}') $$, '55000', 'zoho_projects', 'R32: nor by a profile''s permissions');
\ir fixture/projects.psql
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('gmail', '{a@b.example}') $$, '22023', 'crm, bigin or office365', 'a source that there is not');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_client_users(NULL, '{a@b.example}') $$, '22023', 'crm, bigin or office365', 'or none');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('bigin', '{a@b.example}') $$, '55000', 'bigin', 'R140: the source must be active too');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('office365', '{a@b.example}') $$, '55000', 'office365', 'R142: so must the directory');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('crm', '{carl@zylker.example}', crm_bridge.new_id()) $$, '42704', 'project', 'a project that there is not');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_client_users('crm', '{a@b.example}', project_id => crm_bridge.new_id()) $$, '42704', 'project', 'nor for client users');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_client_users('crm', '{a@b.example}', crm_bridge.new_id()) $$, '42704', 'client', 'a client that there is not');
SELECT crm_bridge.pause('zoho_projects', 'the ZSC key is no longer valid') AS paused \gset
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('crm', '{carl@zylker.example}') $$, '55000', 'stopped', 'R140: a stopped integration, as with a key that is no longer valid, imports nobody');
SELECT crm_bridge.resume('zoho_projects') AS resumed \gset
UPDATE crm_bridge.organization SET edition = 'crmplus';
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('crm', '{carl@zylker.example}') $$, '0A000', 'crmplus', 'R139: not from the CRM in CRM Plus');
UPDATE crm_bridge.organization SET edition = 'zohoone';
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.import_project_users('crm', '{carl@zylker.example}') $$, '0A000', 'zohoone', 'R139: nor in Zoho One');
SELECT is_empty($$ SELECT * FROM crm_bridge.delivery $$, 'nothing of this left anything behind');
SELECT pg_temp.refused($$ UPDATE crm_bridge.projects_user SET role = 'Manager' WHERE external_id = 'p-dora' $$, '428C9', 'role', 'R34: a role is Projects'' to change');
SELECT pg_temp.refused($$ DELETE FROM crm_bridge.projects_user $$, '0A000', 'deleted', 'nor is anybody removed from here');

\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/bigin.psql
SELECT crm_bridge.activate_office_directory() AS command \gset
SELECT pg_temp.refused('SELECT crm_bridge.activate_office_directory()', '55000', 'active already', 'switched on once');
SELECT count(*) AS received FROM crm_bridge.receive('office_user',
  '[{"external_id": "o-ilse", "fields": {"display_name": "Ilse Brandt", "given_name": "Ilse", "surname": "Brandt", "mail": "Ilse@zylker.example", "user_principal_name": "ilse@zylker.onmicrosoft.example", "is_enabled": true}},
    {"external_id": "o-nomail", "fields": {"display_name": "Tom", "mail": null, "user_principal_name": "tom@zylker.example", "is_enabled": true}},
    {"external_id": "o-off", "fields": {"display_name": "Off", "mail": "off@zylker.example", "is_enabled": false}}]', clock_timestamp()) \gset
SELECT pg_temp.forget() AS forgotten \gset
SELECT id AS project FROM crm_bridge.projects_project WHERE external_id = 'pr-acme' \gset

-- Into the portal --------------------------------------------------------------------------------------------------

SELECT results_eq($$ SELECT email, outcome, reason FROM crm_bridge.import_client_users('crm', '{}') $$, $$ SELECT NULL::text, NULL::text, NULL::text WHERE false $$, 'nobody is imported for nobody');
SELECT results_eq($$ SELECT email, outcome, reason FROM crm_bridge.import_project_users('bigin', '{Olga@zylker.example,mira@zylker.example,left@zylker.example,nobody@zylker.example,OLGA@zylker.example," "}') $$,
  $$ VALUES ('olga@zylker.example', 'imported', NULL), ('mira@zylker.example', 'existing', NULL), ('left@zylker.example', 'refused', 'inactive'),
            ('nobody@zylker.example', 'refused', 'unknown'), ('', 'refused', 'no_address') $$, 'R131, R138: one row an address, in their order, each once');
SELECT results_eq($$ SELECT role, portal_id IS NOT NULL, external_id, origin FROM crm_bridge.projects_user WHERE email = 'olga@zylker.example' $$, $$ VALUES ('Employee', true, NULL, 'app') $$, 'R33: with the role Employee');
SELECT results_eq(format($$ SELECT operation, fields, context FROM crm_bridge.claim('zoho_projects', 10, %L, org_id => 1) $$, :'lease'),
  $$ VALUES ('create', '{"email": "olga@zylker.example", "role": "Employee", "portal_id": "portal"}'::jsonb, '{"portal_id": "portal"}'::jsonb) $$, 'and is to be added to the portal');
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.acknowledge(%L, (SELECT jsonb_agg(jsonb_build_object('module', module, 'record_id', record_id, 'external_id', 'p-olga')) FROM crm_bridge.delivery), 1) $$, :'lease'), ARRAY['done'], 'which the service confirms');
SELECT results_eq($$ SELECT outcome, reason FROM crm_bridge.import_project_users('bigin', '{olga@zylker.example}') $$, $$ VALUES ('existing', NULL) $$, 'importing again changes nothing');
SELECT is_empty('SELECT * FROM crm_bridge.delivery', 'and sends nothing');
UPDATE crm_bridge.organization SET edition = 'enterprise';
SELECT results_eq($$ SELECT outcome FROM crm_bridge.import_project_users('crm', '{carl@zylker.example,ben@zylker.example}') $$, ARRAY['imported', 'existing'], 'R138: from the CRM');
SELECT results_eq($$ SELECT email, outcome, reason FROM crm_bridge.import_project_users('office365', '{ilse@zylker.example,tom@zylker.example,off@zylker.example,ilse@zylker.onmicrosoft.example}') $$,
  $$ VALUES ('ilse@zylker.example', 'imported', NULL), ('tom@zylker.example', 'imported', NULL), ('off@zylker.example', 'refused', 'inactive'), ('ilse@zylker.onmicrosoft.example', 'refused', 'unknown') $$,
  'R142: from Office 365''s directory, by the address that a person has');
SELECT count(*) AS received FROM crm_bridge.receive('projects_user', '[{"external_id": "p-boss", "fields": {"full_name": "Boss", "email": "boss@zylker.example", "role": "Manager", "is_active": true, "portal_id": "portal"}}]', clock_timestamp()) \gset
SELECT results_eq($$ SELECT email, outcome FROM crm_bridge._provision_users(1, '{BOSS@zylker.example,extra@zylker.example}', 'Contractor') $$, $$ VALUES ('boss@zylker.example', 'existing'), ('extra@zylker.example', 'made') $$, 'R32: permissions of a profile add whoever is missing');
SELECT results_eq($$ SELECT email, role FROM crm_bridge.projects_user WHERE email IN ('boss@zylker.example', 'extra@zylker.example') ORDER BY 1 $$, $$ VALUES ('boss@zylker.example', 'Manager'), ('extra@zylker.example', 'Contractor') $$, 'R34: whoever was there keeps his role');
SELECT is(pg_temp.send_all(:'lease'), 4, 'all of them reach the portal');

-- Into a project ---------------------------------------------------------------------------------------------------

SELECT results_eq(format($$ SELECT email, outcome, reason FROM crm_bridge.import_project_users('crm', '{mira@zylker.example,carl@zylker.example}', %L) $$, :'project'),
  $$ VALUES ('mira@zylker.example', 'imported', NULL), ('carl@zylker.example', 'imported', NULL) $$, 'R142: into a project');
SELECT results_eq(format($$ SELECT array_agg(u.email ORDER BY lower(u.email)) FROM crm_bridge.projects_project AS p JOIN crm_bridge.projects_user AS u ON u.id = ANY (p.user_ids) WHERE p.id = %L $$, :'project'),
  $$ VALUES (ARRAY['carl@zylker.example', 'mira@zylker.example']) $$, 'they work in it');
SELECT is(pg_temp.send_all(:'lease'), 1, 'one change of the project is sent');
SELECT results_eq(format($$ SELECT DISTINCT outcome FROM crm_bridge.import_project_users('crm', '{mira@zylker.example,carl@zylker.example}', %L) $$, :'project'), ARRAY['existing'], 'importing again changes nothing');
SELECT is_empty('SELECT * FROM crm_bridge.delivery', 'and sends nothing');
INSERT INTO crm_bridge.projects_project (name, portal_id) SELECT 'Unread', portal_id FROM crm_bridge.projects_project WHERE id = :'project';
SELECT results_eq($$ SELECT outcome, reason FROM crm_bridge.import_project_users('crm', '{mira@zylker.example}', (SELECT id FROM crm_bridge.projects_project WHERE name = 'Unread')) $$,
  $$ VALUES ('refused', 'members_unknown') $$, 'where it is not known who works in a project, nobody is put out of it by adding one');

-- Customers' people ------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme'), ('Unlinked');
INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id) SELECT 1, 'account_client', a.id, c.id FROM crm_bridge.crm_account AS a, crm_bridge.projects_client AS c WHERE a.account_name = 'Acme' AND c.external_id = 'cl-acme';
INSERT INTO crm_bridge.crm_contact (first_name, last_name, email, account_id) SELECT 'Kim', 'Ode', 'kim@acme.example', id FROM crm_bridge.crm_account WHERE account_name = 'Acme';
INSERT INTO crm_bridge.crm_contact (last_name, email, account_id) SELECT 'Far', 'far@other.example', id FROM crm_bridge.crm_account WHERE account_name = 'Unlinked';
SELECT results_eq($$ SELECT email, outcome, reason FROM crm_bridge.import_client_users('crm', '{KIM@acme.example,far@other.example,lin@acme.example,nobody@acme.example}') $$,
  $$ VALUES ('kim@acme.example', 'imported', NULL), ('far@other.example', 'refused', 'account_not_mapped'), ('lin@acme.example', 'refused', 'unknown'), ('nobody@acme.example', 'refused', 'unknown') $$, 'R141: chosen by address from the CRM''s contacts');
SELECT results_eq($$ SELECT u.first_name, u.last_name, c.name, p.name FROM crm_bridge.projects_client_user AS u JOIN crm_bridge.projects_client AS c ON c.id = u.client_id JOIN crm_bridge.projects_project AS p ON p.id = u.project_id WHERE u.email = 'kim@acme.example' $$,
  $$ VALUES ('Kim', 'Ode', ' ACME ', 'Routers') $$, 'R138: as people of the account''s client, invited to its project');
SELECT results_eq($$ SELECT email, outcome FROM crm_bridge.import_client_users('bigin', '{lin@acme.example}') $$, $$ VALUES ('lin@acme.example', 'existing') $$, 'R131: from Bigin''s contacts');
SELECT results_eq($$ SELECT DISTINCT outcome FROM crm_bridge.import_client_users('crm', '{kim@acme.example}') $$, ARRAY['existing'], 'importing again changes nothing');
SELECT results_eq(format($$ SELECT email, outcome, reason FROM crm_bridge.import_client_users('office365', '{ilse@zylker.example}', project_id => %L) $$, :'project'),
  $$ VALUES ('ilse@zylker.example', 'imported', NULL) $$, 'R142: a person of the directory as a client user of a project''s client');
INSERT INTO crm_bridge.projects_client (name, portal_id) SELECT 'Contoso', portal_id FROM crm_bridge.projects_client WHERE external_id = 'cl-acme';
SELECT results_eq($$ SELECT outcome, reason FROM crm_bridge.import_client_users('crm', '{far@other.example}', (SELECT id FROM crm_bridge.projects_client WHERE name = 'Contoso')) $$, $$ VALUES ('refused', 'no_project') $$, 'a client without a project has no place for a guest');
SELECT results_eq($$ SELECT outcome, reason FROM crm_bridge.import_client_users('crm', '{kim@acme.example}', (SELECT id FROM crm_bridge.projects_client WHERE name = 'Contoso')) $$, $$ VALUES ('refused', 'other_client') $$, 'whoever works for one client is not moved to another');
INSERT INTO crm_bridge.projects_project (name, client_id, portal_id) SELECT 'Second', client_id, portal_id FROM crm_bridge.projects_project WHERE id = :'project';
SELECT results_eq($$ SELECT outcome, reason FROM crm_bridge.import_client_users('crm', '{kim@acme.example}', project_id => (SELECT id FROM crm_bridge.projects_project WHERE name = 'Second')) $$, $$ VALUES ('imported', NULL) $$, 'a guest of one project is invited to another');

SELECT * FROM finish();
ROLLBACK;
