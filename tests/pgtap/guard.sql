-- SPDX-License-Identifier: PostgreSQL
-- Before each row of a mirror: what may be written, and who wrote it (design §5, B5).
BEGIN;
\ir fixture/tools.psql
SELECT plan(38);
\ir fixture/organization.psql

-- What the service manages -----------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (deal_name, expected_revenue) VALUES ('Routers', 5) $$,
  '428C9', 'cannot set field "expected_revenue" of "crm_deal".*takes no value for it', 'B5: a read-only field is not inserted');
SELECT pg_temp.accepted($$ INSERT INTO crm_bridge.crm_deal (deal_name, expected_revenue) VALUES ('Routers', NULL) $$,
  'nothing is no value: it may be named');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_deal SET expected_revenue = 5 $$,
  '428C9', 'expected_revenue', 'B5: a read-only field is not updated');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_task SET closed_at = now(); INSERT INTO crm_bridge.crm_task (subject, closed_at) VALUES ('x', now()) $$,
  '428C9', '"closed_at" of "crm_task"', 'B5: nor an instant that the CRM sets');
SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_deal SET expected_revenue = expected_revenue, deal_name = 'Switches' $$,
  'a read-only field may be written as it is');

SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.%I (external_id) VALUES ('1') $$, m.module),
  '0A000', format('a %s cannot be inserted in table "%s"', m.label, m.module), format('no row is made in %s', m.module))
  FROM crm_bridge.module AS m WHERE NOT m.creatable ORDER BY m.service, m.position;

SELECT read_started AS read_started FROM clock_timestamp() AS read_started \gset
SELECT count(*) AS received FROM crm_bridge.receive('crm_user',
  '[{"external_id": "u1", "modified_at": "2020-02-02T00:00:00Z", "modified_by": "boss@zylker.example",
     "fields": {"full_name": "Mira", "email": "mira@zylker.example", "status": "active"}}]', :'read_started') \gset
SELECT results_eq($$ SELECT full_name, origin, modified_by, modified_at FROM crm_bridge.crm_user $$,
  $$ VALUES ('Mira', 'service', 'boss@zylker.example', '2020-02-02T00:00:00Z'::timestamptz) $$, 'what the service tells is stamped with its own person and instant');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_user SET full_name = 'Myra' $$, '428C9', '"full_name" of "crm_user"', 'a user is not updated here');
SELECT pg_temp.refused($$ DELETE FROM crm_bridge.crm_user $$, '0A000', 'a user cannot be deleted', 'nor deleted');

-- Identity ---------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_deal SET id = crm_bridge.new_id() $$, '0A000', 'cannot change org_id or id.*for life', 'a record keeps its id');
SELECT crm_bridge.create_organization(2, 'Other') AS org \gset
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_deal SET org_id = 2 $$, '0A000', 'cannot change org_id or id', 'and its organization');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_deal SET external_id = '4711' $$, '428C9', 'cannot change external_id.*The service gives it', 'external_id is the service''s to give');
SELECT pg_temp.accepted($$ INSERT INTO crm_bridge.crm_account (org_id, external_id, account_name) VALUES (1, 'known', 'Acme') $$,
  'a record that the app knows by its external id may be inserted with it');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_account SET external_id = NULL WHERE external_id = 'known' $$, '428C9', 'external_id', 'and keeps it');
SELECT pg_temp.accepted($$
  INSERT INTO crm_bridge.crm_account (org_id, external_id, account_name) VALUES (1, 'known', 'Acme Ltd')
  ON CONFLICT (org_id, external_id) DO UPDATE SET account_name = EXCLUDED.account_name $$,
  'design §3: an app may upsert by (org_id, external_id)');
SELECT is((SELECT account_name FROM crm_bridge.crm_account WHERE external_id = 'known'), 'Acme Ltd', 'and the row is the same one');

-- The organization -------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Whose?') $$, '55000', 'not settled which organization.*Name org_id', 'with two organizations a row must say whose it is');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (9, 'Nobody''s') $$, '42704', 'organization 9 does not exist', 'an organization that does not exist has no rows');
SELECT pg_temp.accepted($$ INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (2, 'Theirs') $$, 'one that is named has');
SET LOCAL crm_bridge.organization = 2;
SELECT pg_temp.accepted($$ INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Chosen') $$, 'so has one that is chosen');
SELECT is((SELECT org_id FROM crm_bridge.crm_deal WHERE deal_name = 'Chosen'), 2::bigint, 'the row is its');
SET LOCAL crm_bridge.organization = 1;

-- The stamp --------------------------------------------------------------------------------------------------------

CREATE ROLE test_mira;
SELECT crm_bridge.grant_app('test_mira', 1) AS done \gset

SELECT count(*) AS received FROM crm_bridge.receive('crm_lead',
  '[{"external_id": "l1", "modified_at": "2020-02-02T00:00:00Z", "modified_by": "boss@zylker.example", "fields": {"last_name": "Li", "annual_revenue": 1.0}}]',
  :'read_started') \gset
CREATE TEMP VIEW stamp AS SELECT origin, modified_by, modified_at FROM crm_bridge.crm_lead WHERE external_id = 'l1';
GRANT SELECT ON stamp TO test_mira;
PREPARE by_boss AS VALUES ('service', 'boss@zylker.example', '2020-02-02T00:00:00Z'::timestamptz);

SET LOCAL ROLE test_mira;
UPDATE crm_bridge.crm_lead SET last_name = 'Li', company = NULL;
SELECT results_eq('TABLE stamp', 'EXECUTE by_boss', 'a write that changes nothing leaves the stamp as it is');
UPDATE crm_bridge.crm_lead SET annual_revenue = 1.00;
SELECT results_eq('TABLE stamp', 'EXECUTE by_boss', 'the same number with more zeros changes nothing');
UPDATE crm_bridge.crm_lead SET origin = 'bridge', modified_by = 'nobody', modified_at = '1999-09-09';
SELECT results_eq('TABLE stamp', 'EXECUTE by_boss', 'B17: where nothing else changes, nobody changes the stamp by hand');
SELECT is((SELECT annual_revenue::text FROM crm_bridge.crm_lead WHERE external_id = 'l1'), '1.00', 'the spelling of a number is the writer''s, though');
UPDATE crm_bridge.crm_lead SET company = 'Acme', origin = 'service', modified_by = 'boss@zylker.example', modified_at = '1999-09-09';
SELECT results_eq('TABLE stamp', $$ VALUES ('app', 'test_mira', now()) $$, 'B17: a change is stamped with the role and the transaction, whatever the statement says');
INSERT INTO crm_bridge.crm_lead (last_name, origin, modified_by, modified_at) VALUES ('Forger', 'service', 'boss', '1999-09-09');
SELECT results_eq($$ SELECT origin, modified_by, modified_at FROM crm_bridge.crm_lead WHERE last_name = 'Forger' $$,
  $$ VALUES ('app', 'test_mira', now()) $$, 'B17: so is a new row');
UPDATE crm_bridge.crm_lead SET custom_fields = '{"Region__c": "EU"}' WHERE last_name = 'Forger';
SELECT results_eq($$ SELECT modified_by FROM crm_bridge.crm_lead WHERE last_name = 'Forger' $$, ARRAY['test_mira'], 'a custom field is a field like others');

SET LOCAL crm_bridge.write_origin = import;
INSERT INTO crm_bridge.crm_lead (last_name) VALUES ('Imported');
SELECT is((SELECT origin FROM crm_bridge.crm_lead WHERE last_name = 'Imported'), 'import', 'D4: an import says so with crm_bridge.write_origin');
SET LOCAL crm_bridge.write_origin = mass_update;
UPDATE crm_bridge.crm_lead SET city = 'Chennai' WHERE last_name = 'Imported';
SELECT is((SELECT origin FROM crm_bridge.crm_lead WHERE last_name = 'Imported'), 'mass_update', 'D4: so does a mass update');
RESET crm_bridge.write_origin;
SELECT pg_temp.refused($$ SET crm_bridge.write_origin = service $$, '22023', 'write_origin.*app, import, mass_update', 'nobody poses as the service');
SELECT pg_temp.refused($$ SET crm_bridge.write_origin = bridge $$, '22023', 'write_origin', 'nor as the bridge');
UPDATE crm_bridge.crm_lead SET city = 'Madurai' WHERE last_name = 'Imported';
SELECT is((SELECT origin FROM crm_bridge.crm_lead WHERE last_name = 'Imported'), 'app', 'an edit by hand is the app''s again');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
