-- SPDX-License-Identifier: PostgreSQL
-- Which field feeds which: defaults, checks when a mapping is made, what a new twin is filled with (R24-R29, D7).
BEGIN;
\ir fixture/tools.psql
SELECT plan(79);
\ir fixture/organization.psql
\ir fixture/projects.psql

-- Defaults ---------------------------------------------------------------------------------------------------------

SELECT results_eq($$ SELECT pairing, left_module, right_module, on_delete, enabled FROM crm_bridge.pairing ORDER BY position $$,
  $$ VALUES ('account_client', 'crm_account', 'projects_client', 'unlink', true), ('deal_project', 'crm_deal', 'projects_project', 'unlink', true),
            ('task_task', 'crm_task', 'projects_task', 'unlink', true),
            ('contact_client_user', 'crm_contact', 'projects_client_user', 'unlink', true), ('lead_project', 'crm_lead', 'projects_project', 'unlink', true),
            ('client_company', 'projects_client', 'bigin_company', 'unlink', true), ('client_user_contact', 'projects_client_user', 'bigin_contact', 'unlink', true),
            ('note_comment', 'crm_note', 'projects_comment', 'delete', true), ('account_project', 'crm_account', 'projects_project', 'unlink', true) $$,
  'an organization starts with nine pairings, unlinking on delete, but comments (D2)');
SELECT results_eq('SELECT pairing FROM crm_bridge.pairing WHERE NOT links', ARRAY['account_project'], 'R25: an account feeds projects and is not linked with them');
SELECT set_eq($$ SELECT left_field, right_field, direction, keep_in_step, conversion FROM crm_bridge.field_mapping WHERE pairing = 'deal_project' $$,
  $$ VALUES ('deal_name', 'name', 'left_to_right', false, 'text'), ('description', 'description', 'left_to_right', false, 'text'),
            ('account_id', 'client_id', 'left_to_right', false, 'linked'), ('closing_date', 'end_date', 'left_to_right', false, 'copy') $$,
  'R27: deal to project as the field''s practice has it, filled once (D7)');
SELECT set_eq($$ SELECT left_field, right_field, direction, keep_in_step, conversion FROM crm_bridge.field_mapping WHERE pairing = 'task_task' $$,
  $$ VALUES ('subject', 'name', 'both', true, 'text'), ('description', 'description', 'both', true, 'text'), ('due_date', 'end_date', 'both', true, 'date_instant'),
            ('priority', 'priority', 'both', true, 'picklist'), ('status', 'is_completed', 'both', true, 'flag'), ('owner_id', 'owner_ids', 'both', true, 'user_email') $$,
  'R61-R67: exactly six fields of a task, both ways, kept in step');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.field_mapping AS f JOIN crm_bridge.pairing AS p USING (org_id, pairing)
   WHERE crm_bridge._check_conversion(f.pairing, f.left_field, f.right_field, f.conversion, f.parameters, 1) <> f.conversion $$,
  'every default passes the check that a new mapping has to pass');
SELECT set_eq($$ SELECT DISTINCT module FROM crm_bridge.service_field $$, $$ SELECT DISTINCT module FROM crm_bridge.standard_field $$, 'the catalog starts with all standard fields (R24)');

-- Refusals when a mapping is made ----------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'closing_date', 'is_completed') $$, '42804',
  '(?=[\s\S]*crm_deal.closing_date)(?=[\s\S]*projects_project.is_completed)(?=[\s\S]*date)(?=[\s\S]*boolean)', 'types that do not fit: the error names both fields and types');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'amount', 'end_date') $$, '42804',
  '(?=[\s\S]*crm_deal.amount)(?=[\s\S]*projects_project.end_date)(?=[\s\S]*money)(?=[\s\S]*date)', 'money is no date');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('task_task', 'owner_id', 'end_date', conversion => 'user_email') $$, '42804', 'owner_id[\s\S]*end_date', 'a conversion that is named must fit too');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_task', 'deal_name', 'name') $$, '42704', 'pairing "deal_task" does not exist.*\s.*crm_bridge.pairing', 'an unknown pairing');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_nam', 'name') $$, '42704', 'field "deal_nam" of "crm_deal" does not exist', 'an unknown field of the left side');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'title') $$, '42704', 'field "title" of "projects_project" does not exist', 'an unknown field of the right side');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'stage', 'status') $$, '428C9', '"status" of "projects_project" is read-only', 'a field that the service computes is not written');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'probability', 'percent_complete', 'both') $$, '428C9', '"percent_complete"', 'nor in both directions');
SELECT is(crm_bridge.map_field('deal_project', 'probability', 'percent_complete', 'right_to_left'), 'copy', 'but it may be read');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'expected_revenue', 'percent_complete', 'right_to_left') $$, '428C9', '"expected_revenue" of "crm_deal"', 'the left side''s read-only fields likewise');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', 'backwards') $$, '22023', 'direction "backwards".*\s*.*left_to_right', 'an unknown direction');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', NULL) $$, '22023', 'direction', 'no direction');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', conversion => 'magic') $$, '22023', 'magic', 'an unknown conversion');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('task_task', 'priority', 'priority', 'both', true, 'picklist', '{"left:Urgent": "high"}') $$, '22023', 'Urgent', 'a value map with a choice that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('task_task', 'priority', 'priority', 'both', true, 'picklist', '{"upper": "high"}') $$, '22023', 'upper', 'an unknown parameter');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('task_task', 'priority', 'priority', 'both', true, 'picklist', '{"left:High": ["high"]}') $$, '22023', 'left:High', 'a parameter that is no text');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('task_task', 'status', 'is_completed', 'both', true, 'flag', '{"true": "Completed"}') $$, '22023', 'false', 'a flag needs both its choices');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('task_task', 'due_date', 'end_date', 'both', true, 'date_instant', '{"time_of_day": "25:00"}') $$, '22023', 'time_of_day', 'a time of day that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'account_id', 'client_id', conversion => 'linked') $$, '22023', 'pairing', 'a lookup needs the pairing that it goes through');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', NULL, 'name') $$, '22004', 'left_field must not be null', 'a field must be named');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', org_id => 7) $$, '42704', 'organization 7', 'an unknown organization');
SELECT is((SELECT count(*) FROM crm_bridge.field_mapping), 26::bigint, 'nothing that was refused left a trace');

-- What a new twin is filled with -----------------------------------------------------------------------------------

SELECT crm_bridge.store_fields('crm_deal', '[{"api_name": "Region__c", "type": "picklist", "writable": true, "picklist": ["EU", "US"]},
  {"api_name": "Weight__c", "type": "number", "writable": true}, {"api_name": "Deal_Name", "type": "number", "writable": false}]') AS fields \gset
SELECT crm_bridge.store_fields('projects_project', '[{"api_name": "Territory", "type": "text", "writable": true, "maximum_length": 5},
  {"api_name": "Load", "type": "number", "writable": true}]') AS fields \gset
SELECT set_eq($$ SELECT module, field, type, custom FROM crm_bridge.service_field WHERE custom $$,
  $$ VALUES ('crm_deal', 'Region__c', 'picklist', true), ('crm_deal', 'Weight__c', 'number', true), ('projects_project', 'Territory', 'text', true), ('projects_project', 'Load', 'number', true) $$,
  'R24: custom fields join the catalog; a standard field is not redefined');
SELECT is(crm_bridge.map_field('deal_project', 'Region__c', 'Territory'), 'copy', 'R24: custom fields are mapped by their API names');
SELECT is(crm_bridge.map_field('deal_project', 'Weight__c', 'Load'), 'copy', 'of any type');

SELECT is((SELECT count(*) FROM crm_bridge.field_mapping WHERE NOT in_force), 3::bigint, 'R28: a mapping is a draft');
SELECT is(crm_bridge.confirm_field_mapping('deal_project'), 3, 'R28: until it is confirmed');
SELECT is(crm_bridge.confirm_field_mapping(), 0, 'once');
SELECT pg_temp.refused($$ SELECT crm_bridge.confirm_field_mapping('deal_task') $$, '42704', 'pairing "deal_task" does not exist', 'R28: of a pairing that there is');
SELECT crm_bridge.new_id() AS account, crm_bridge.new_id() AS deal \gset
INSERT INTO crm_bridge.crm_account (id, account_name, phone, website) VALUES (:'account', 'Acme', '+91 44 1', 'acme.example');
INSERT INTO crm_bridge.crm_deal (id, deal_name, description, closing_date, account_id, stage, amount, custom_fields)
VALUES (:'deal', 'Routers & more', E'line one\nline <two>', '2026-12-24', :'account', 'Negotiation/Review', 12.5, '{"Region__c": "EU", "Weight__c": 1.50, "Other__c": 1}');
SELECT crm_bridge.create_project_from_deal(:'deal') AS project \gset
SELECT results_eq(format($$ SELECT p.name, p.end_date, p.start_date, p.custom_fields FROM crm_bridge.projects_project AS p WHERE p.id = %L $$, :'project'),
  $$ VALUES ('Routers & more', '2026-12-24'::date, NULL::date, '{"Territory": "EU", "Load": 1.5}'::jsonb) $$, 'R26, R27: a new project has its mapped fields, custom ones too, and no others');
SELECT alike((SELECT description FROM crm_bridge.projects_project WHERE id = :'project'), '%line one<br%line &lt;two&gt;%', 'plain text becomes markup that shows the same');
SELECT results_eq(format($$ SELECT c.name, c.phone, c.website FROM crm_bridge.projects_project AS p JOIN crm_bridge.projects_client AS c ON c.id = p.client_id WHERE p.id = %L $$, :'project'),
  $$ VALUES ('Acme', '+91 44 1', 'acme.example') $$, 'R27: the account''s client is the project''s');

UPDATE crm_bridge.crm_deal SET deal_name = 'Renamed', description = 'other', custom_fields = '{}' WHERE id = :'deal';
SELECT is((SELECT name FROM crm_bridge.projects_project WHERE id = :'project'), 'Routers & more', 'D7: a mapping fills at creation; later changes stay where they are');

-- Edited defaults change what the next project is filled with.
SELECT crm_bridge.unmap_field('deal_project', 'description', 'description') AS done \gset
SELECT crm_bridge.unmap_field('deal_project', 'closing_date', 'end_date') AS done \gset
SELECT is(crm_bridge.map_field('deal_project', 'closing_date', 'start_date'), 'copy', 'R26: another field may be chosen');
SELECT is(crm_bridge.map_field('deal_project', 'next_step', 'description'), 'text', 'for each field of the project');
SELECT is(crm_bridge.map_field('deal_project', 'deal_name', 'name', keep_in_step => true), 'text', 'D7: a mapping may be changed to keep in step');
SELECT pg_temp.refused($$ SELECT crm_bridge.unmap_field('deal_project', 'description', 'description') $$, '42704', '"description" is not mapped to "description" in pairing "deal_project"', 'a mapping that there is not cannot be ended');
SELECT set_eq($$ SELECT left_field, right_field, draft ->> 'remove' AS removed, draft ->> 'keep_in_step' AS kept, in_force FROM crm_bridge.field_mapping WHERE pairing = 'deal_project' AND (draft IS NOT NULL OR NOT in_force) $$,
  $$ VALUES ('description', 'description', 'true', NULL, true), ('closing_date', 'end_date', 'true', NULL, true), ('closing_date', 'start_date', NULL, NULL, false), ('next_step', 'description', NULL, NULL, false), ('deal_name', 'name', NULL, 'true', true) $$,
  'R28: changes of what is in force are drafts too');
SELECT crm_bridge.new_id() AS between \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, closing_date) VALUES (:'between', 'Between', '2026-09-01');
SELECT crm_bridge.create_project_from_deal(:'between') AS between_project \gset
SELECT results_eq(format($$ SELECT p.start_date, p.end_date FROM crm_bridge.projects_project AS p WHERE p.id = %L $$, :'between_project'), $$ VALUES (NULL::date, '2026-09-01'::date) $$, 'R28: until they are confirmed the old ones act');
SELECT is(crm_bridge.confirm_field_mapping(), 5, 'R28: all of them are confirmed together');
SELECT crm_bridge.new_id() AS second \gset
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
INSERT INTO crm_bridge.crm_deal (id, deal_name, description, next_step, closing_date, custom_fields)
VALUES (:'second', 'Switches', 'not mapped', 'call', '2026-10-01', '{"Region__c": "Antarctica"}');
SELECT crm_bridge.create_project_from_deal(:'second') AS second_project \gset
SELECT results_eq(format($$ SELECT p.name, p.description, p.start_date, p.end_date, p.client_id, p.custom_fields FROM crm_bridge.projects_project AS p WHERE p.id = %L $$, :'second_project'),
  $$ VALUES ('Switches', 'call', '2026-10-01'::date, NULL::date, NULL::uuid, '{}'::jsonb) $$, 'R24-R28: the next project is filled as the mapping says now; what does not fit its field (5 characters) is left out');
UPDATE crm_bridge.crm_deal SET deal_name = 'Switches II' WHERE id = :'second';
SELECT is((SELECT name FROM crm_bridge.projects_project WHERE id = :'second_project'), 'Switches II', 'D7: keep_in_step carries later changes');
UPDATE crm_bridge.projects_project SET name = 'Named there' WHERE id = :'second_project';
SELECT is((SELECT deal_name FROM crm_bridge.crm_deal WHERE id = :'second'), 'Switches II', 'and only in the mapping''s direction');

-- Custom fields that are kept in step.
SELECT crm_bridge.map_field('deal_project', 'Weight__c', 'Load', 'both', true), crm_bridge.confirm_field_mapping() \g /dev/null
UPDATE crm_bridge.crm_deal SET custom_fields = custom_fields || '{"Weight__c": 7}' WHERE id = :'second';
SELECT is((SELECT custom_fields FROM crm_bridge.projects_project WHERE id = :'second_project'), '{"Load": 7}', 'a custom field keeps in step with a custom field');
UPDATE crm_bridge.projects_project SET custom_fields = '{"Load": 8, "Own": true}' WHERE id = :'second_project';
SELECT is((SELECT custom_fields FROM crm_bridge.crm_deal WHERE id = :'second'), '{"Region__c": "Antarctica", "Weight__c": 8}', 'and back; the others are left alone');
SELECT is(crm_bridge.map_field('deal_project', 'amount', 'Load', 'both', true), 'number', 'a column may feed a custom field');
SELECT crm_bridge.confirm_field_mapping() AS done \gset
UPDATE crm_bridge.crm_deal SET amount = 42 WHERE id = :'second';
SELECT is((SELECT custom_fields -> 'Load' FROM crm_bridge.projects_project WHERE id = :'second_project'), '42', 'across the two kinds');

-- The services change their fields.
SELECT is_empty('SELECT * FROM crm_bridge.check_field_mapping()', 'R24: all mappings work');
SELECT crm_bridge.store_fields('projects_project', '[{"api_name": "Territory", "type": "date", "writable": true}, {"api_name": "New", "type": "text", "writable": true}]') AS fields \gset
SELECT set_eq('SELECT left_field, right_field, problem FROM crm_bridge.check_field_mapping()',
  $$ VALUES ('Region__c', 'Territory', 'type_changed'), ('Weight__c', 'Load', 'field_gone'), ('amount', 'Load', 'field_gone') $$, 'R24: drift is noticed: a field of another type, fields that are gone');
SELECT matches((SELECT detail FROM crm_bridge.check_field_mapping() WHERE problem = 'field_gone' LIMIT 1), 'has not listed field "Load" of a projects_project since', 'and it says why');
SELECT pg_temp.accepted(format($$ UPDATE crm_bridge.crm_deal SET amount = 43 WHERE id = %L $$, :'second'), 'nobody''s write fails for it');
SELECT crm_bridge.store_fields('projects_project', '[{"api_name": "Territory", "type": "text", "writable": false}, {"api_name": "Load", "type": "number", "writable": true}]') AS fields \gset
SELECT set_eq('SELECT left_field, right_field, problem FROM crm_bridge.check_field_mapping()', $$ VALUES ('Region__c', 'Territory', 'field_read_only') $$, 'what comes back works again; what takes no value any more does not');
SELECT crm_bridge.map_field('deal_project', 'stage', 'description') AS draft \gset
SELECT is(crm_bridge.discard_field_mapping(), 1, 'drafts may be forgotten');

-- Fields of the account, at the creation of a project for it or for a deal of it (R25).
SELECT crm_bridge.store_fields('crm_account', '[{"api_name": "Tier__c", "type": "picklist", "writable": true, "picklist": ["Gold", "Silver"]}, {"api_name": "Debtor__c", "type": "text", "writable": false}]') AS fields \gset
SELECT crm_bridge.store_fields('projects_project', '[{"api_name": "Territory", "type": "text", "writable": true, "maximum_length": 20}, {"api_name": "Tier", "type": "text", "writable": true}, {"api_name": "Debtor", "type": "text", "writable": true}]') AS fields \gset
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('account_project', 'industry', 'Territory', keep_in_step => true) $$, '0A000', 'account_project" cannot be kept in step[\s\S]*not linked[\s\S]*left_to_right', 'R25, D7: an account has many projects: nothing keeps them in step');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.map_field('account_project', 'industry', 'Territory', %L) $$, d), '0A000', 'account_project', 'R25: nor does a project write to it: ' || d) FROM unnest(ARRAY['both', 'right_to_left']) AS d;
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('account_project', 'nope', 'Territory') $$, '42704', 'field "nope" of "crm_account"', 'R25, R26: a field that accounts do not have');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('account_project', 'industry', 'end_date') $$, '42804', 'crm_account.industry', 'R26: types that do not fit');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.link (pairing, left_id, right_id, org_id) VALUES ('account_project', %L, %L, 1) $$, :'account', :'project'), '23503', 'makes no links', 'R25: nobody links an account with a project');
SELECT is(array_agg(crm_bridge.map_field('account_project', m[1], m[2]) ORDER BY n), ARRAY['copy', 'text', 'copy', 'text', 'text'], 'R24, R25: standard and custom fields of accounts are mapped like those of deals')
  FROM (VALUES (1, ARRAY['industry', 'Territory']), (2, ARRAY['description', 'description']), (3, ARRAY['Tier__c', 'Tier']), (4, ARRAY['account_name', 'name']), (5, ARRAY['Debtor__c', 'Debtor'])) AS f (n, m);
UPDATE crm_bridge.crm_account SET industry = 'Rail', description = 'of the account', custom_fields = '{"Tier__c": "Gold", "Debtor__c": "D7"}' WHERE id = :'account';
CREATE TEMP VIEW filled AS SELECT p.id, p.name, p.description, p.custom_fields FROM crm_bridge.projects_project AS p;
CREATE FUNCTION pg_temp.project_of(deal text) RETURNS uuid LANGUAGE sql AS $$
  WITH made AS (INSERT INTO crm_bridge.crm_deal (deal_name, next_step, account_id) SELECT deal, CASE deal WHEN 'Speaks' THEN 'of the deal' END, a.id FROM crm_bridge.crm_account AS a WHERE a.account_name = 'Acme' RETURNING id)
  SELECT id FROM made $$;
SELECT pg_temp.project_of('Draft') AS made \gset
SELECT crm_bridge.create_project_from_deal(:'made') AS project \gset
SELECT results_eq(format('SELECT name, description, custom_fields FROM filled WHERE id = %L', :'project'), $$ VALUES ('Draft', NULL::text, '{}'::jsonb) $$, 'R28: drafts fill nothing');
SELECT is(crm_bridge.confirm_field_mapping('account_project'), 5, 'R28: they are confirmed as the deals'' are');
SELECT pg_temp.project_of('Silent') AS made \gset
SELECT crm_bridge.create_project_from_deal(:'made') AS project \gset
SELECT results_eq(format('SELECT name, description, custom_fields FROM filled WHERE id = %L', :'project'), $$ VALUES ('Silent', 'of the account', '{"Territory": "Rail", "Tier": "Gold", "Debtor": "D7"}'::jsonb) $$,
  'R25, R27: a project made of a deal has its account''s fields');
SELECT pg_temp.project_of('Speaks') AS made \gset
SELECT crm_bridge.create_project_from_deal(:'made') AS project \gset
SELECT results_eq(format('SELECT name, description FROM filled WHERE id = %L', :'project'), $$ VALUES ('Speaks', 'of the deal') $$, 'R25: what the deal says stands above it');
SELECT crm_bridge.create_project_from_account(:'account', 'For the account') AS project \gset
SELECT results_eq(format('SELECT name, description, custom_fields FROM filled WHERE id = %L', :'project'), $$ VALUES ('For the account', 'of the account', '{"Territory": "Rail", "Tier": "Gold", "Debtor": "D7"}'::jsonb) $$,
  'R25, R27: so has one made of the account, under the name that was given');
SELECT is(crm_bridge.create_project_from_account(:'account', 'For the account'), :'project'::uuid, 'which is made once');
INSERT INTO crm_bridge.crm_lead (last_name, company, description) VALUES ('Wu', 'ACME', 'of the lead'), ('Ng', 'Nobody Ltd', NULL);
SELECT crm_bridge.create_project_from_lead(id) AS lead_project FROM crm_bridge.crm_lead WHERE company = 'ACME' \gset
SELECT crm_bridge.create_project_from_lead(id) AS stranger_project FROM crm_bridge.crm_lead WHERE company = 'Nobody Ltd' \gset
SELECT results_eq(format('SELECT name, description, custom_fields ->> ''Tier'' FROM filled WHERE id = %L', :'lead_project'), $$ VALUES ('ACME', 'of the lead', 'Gold') $$, 'R25: so has one made of a lead whose company is an account, below what the lead says');
SELECT results_eq(format('SELECT name, custom_fields FROM filled WHERE id = %L', :'stranger_project'), $$ VALUES ('Nobody Ltd', '{}'::jsonb) $$, 'and nothing of anybody else''s');
UPDATE crm_bridge.crm_account SET industry = 'Air' WHERE id = :'account';
SELECT is((SELECT custom_fields ->> 'Territory' FROM filled WHERE id = :'project'), 'Rail', 'D7: later changes of the account stay where they are');
INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('No account');
SELECT crm_bridge.create_project_from_deal(id) AS project FROM crm_bridge.crm_deal WHERE deal_name = 'No account' \gset
SELECT is((SELECT custom_fields FROM filled WHERE id = :'project'), '{}', 'R25: a deal without an account has its own fields only');
SELECT crm_bridge.store_fields('crm_account', '[{"api_name": "Tier__c", "type": "picklist", "writable": true, "picklist": ["Gold", "Silver"]}]') AS fields \gset
SELECT results_eq($$ SELECT pairing, left_field, problem, detail ~ 'field "Debtor__c" of a crm_account since' FROM crm_bridge.check_field_mapping() WHERE pairing = 'account_project' $$, $$ VALUES ('account_project', 'Debtor__c', 'field_gone', true) $$, 'R24: drift of the account''s fields is noticed');
UPDATE crm_bridge.pairing SET enabled = false WHERE pairing = 'account_project';
SELECT pg_temp.project_of('Switched off') AS made \gset
SELECT crm_bridge.create_project_from_deal(:'made') AS project \gset
SELECT is((SELECT custom_fields FROM filled WHERE id = :'project'), '{}', 'R25: a pairing that is switched off gives nothing, and fails nobody');

DELETE FROM crm_bridge.field_mapping WHERE pairing = 'deal_project';
SELECT crm_bridge.new_id() AS bare \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, closing_date) VALUES (:'bare', 'Bare', '2026-10-01');
SELECT crm_bridge.create_project_from_deal(:'bare') AS bare_project \gset
SELECT results_eq(format($$ SELECT p.name, p.end_date FROM crm_bridge.projects_project AS p WHERE p.id = %L $$, :'bare_project'),
  $$ VALUES ('Bare', NULL::date) $$, 'R29: an integration without any mapping is valid');

SELECT * FROM finish();
ROLLBACK;
