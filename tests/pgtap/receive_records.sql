-- SPDX-License-Identifier: PostgreSQL
-- Which record is meant, references among records, and input that is not as it should be (design §7, T30b, T31, docs/protocol.md).
BEGIN;
\ir fixture/tools.psql
SELECT plan(69);
\ir fixture/organization.psql
\ir fixture/history.psql
SELECT crm_bridge.activate_projects() AS command \gset
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset
CREATE FUNCTION pg_temp.told(records jsonb, module text DEFAULT 'crm_deal')
RETURNS TABLE (outcome text, detail text) LANGUAGE sql AS $$ SELECT r.outcome, r.detail FROM crm_bridge.receive(module, records, clock_timestamp()) AS r $$;
-- One test: this one record is rejected, and the reason matches.
CREATE FUNCTION pg_temp.rejected(record jsonb, pattern text, description text, module text DEFAULT 'crm_deal')
RETURNS text LANGUAGE sql AS $$
  SELECT is(string_agg(r.outcome || CASE WHEN r.detail ~* pattern THEN '' ELSE ': ' || COALESCE(r.detail, 'no reason') END, ', '), 'rejected', description)
    FROM pg_temp.told(jsonb_build_array(record), module) AS r $$;

-- References -------------------------------------------------------------------------------------------------------

SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d1", "fields": {"deal_name": "Routers", "account_id": "a1", "owner_id": "u1", "contact_id": null}}]') $$, ARRAY['inserted'], 'a record may refer to records that nobody has read yet');
SELECT set_eq($$ SELECT module, external_id, state FROM crm_bridge.shadow WHERE state = 'expected' $$, $$ VALUES ('crm_account', 'a1', 'expected'), ('crm_user', 'u1', 'expected') $$, 'their ids are reserved');
SELECT results_eq('SELECT d.account_id = s.record_id, d.contact_id FROM crm_bridge.crm_deal AS d, crm_bridge.shadow AS s WHERE s.external_id = ''a1''', $$ VALUES (true, NULL::uuid) $$, 'and stand in the record');
SELECT is_empty('TABLE dirty', 'nothing is sent because of that');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "a1", "fields": {"account_name": "Acme"}}]', 'crm_account') $$, ARRAY['inserted'], 'the later record');
SELECT results_eq('SELECT a.account_name FROM crm_bridge.crm_deal AS d JOIN crm_bridge.crm_account AS a ON a.id = d.account_id', ARRAY['Acme'], 'takes the id that was kept for it');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "a2", "fields": {"account_name": "Child", "parent_account_id": "a3"}}, {"external_id": "a3", "fields": {"account_name": "Parent", "parent_account_id": "a2"}}]', 'crm_account') $$,
  ARRAY['inserted', 'inserted'], 'records of one call may refer to each other');
SELECT results_eq($$ SELECT p.account_name, g.account_name FROM crm_bridge.crm_account AS c JOIN crm_bridge.crm_account AS p ON p.id = c.parent_account_id JOIN crm_bridge.crm_account AS g ON g.id = p.parent_account_id WHERE c.external_id = 'a2' $$,
  $$ VALUES ('Parent', 'Child') $$, 'even in a circle');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "t1", "fields": {"name": "T", "owner_ids": ["p1", "p2", "p1"]}}, {"external_id": "t2", "fields": {"name": "T", "owner_ids": []}}]', 'projects_task') $$, ARRAY['inserted', 'inserted'], 'lists of references');
SELECT results_eq($$ SELECT array_agg(s.external_id ORDER BY o.n) FROM crm_bridge.projects_task AS t, unnest(t.owner_ids) WITH ORDINALITY AS o (id, n) JOIN crm_bridge.shadow AS s ON s.record_id = o.id WHERE t.external_id = 't1' $$, $$ VALUES ('{p1,p2,p1}'::text[]) $$, 'keep their order');

-- Whose record it is -----------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS ours, crm_bridge.new_id() AS lost \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, amount) VALUES (:'ours', 'Made here', 5);
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) \gset
SELECT results_eq(format($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d2", "record_id": "%s", "version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Made here", "amount": 5, "stage": "Qualification"}}]') $$, :'ours'), ARRAY['updated'], 'B3: a record that carries our own id is ours, though its answer is still on the way');
SELECT results_eq(format('SELECT external_id, stage FROM crm_bridge.crm_deal WHERE id = %L', :'ours'), $$ VALUES ('d2', 'Qualification') $$, 'it gets its external id');
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'external_id', 'd2')), 1) $$, :'lease', :'ours'), ARRAY['done'], 'the answer finds nothing left to do');
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal), 2::bigint, 'there is one record of it');

INSERT INTO crm_bridge.crm_deal (id, deal_name, amount) VALUES (:'lost', 'Answer lost', 6);
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) \gset
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d3", "fields": {"deal_name": "Answer lost", "amount": 6}}, {"external_id": "d4", "fields": {"deal_name": "Another"}}]') $$, ARRAY['inserted', 'inserted'], 'read before the answer and without our id, it looks like a stranger');
SELECT count(*) AS told FROM pg_temp.told(format('[{"external_id": "k1", "fields": {"subject": "about it", "deal_id": "d3"}}]')::jsonb, 'crm_task') \gset
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'external_id', 'd3')), 1) $$, :'lease', :'lost'), ARRAY['done'], 'B3: when the answer comes');
SELECT results_eq($$ SELECT id FROM crm_bridge.crm_deal WHERE external_id = 'd3' $$, format('VALUES (%L::uuid)', :'lost'), 'the two become one: ours');
SELECT is((SELECT deal_id FROM crm_bridge.crm_task WHERE external_id = 'k1'), :'lost'::uuid, 'and what referred to the stranger refers to it');

SELECT id AS account FROM crm_bridge.crm_account WHERE external_id = 'a1' \gset
SELECT results_eq(format($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d5", "record_id": "%s", "fields": {"deal_name": "Forged"}}]') $$, :'account'), ARRAY['inserted'], 'an id of ours that belongs to another module proves nothing');
SELECT is((SELECT count(*) FROM crm_bridge.crm_account WHERE id = :'account' AND account_name = 'Acme') + (SELECT count(*) FROM crm_bridge.crm_deal WHERE external_id = 'd5' AND id <> :'account'), 2::bigint, 'the account is as it was, the deal is a new one');
SELECT results_eq(format($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d6", "record_id": "%s", "fields": {"deal_name": "Copied there"}}]') $$, :'ours'), ARRAY['inserted'], 'a copy that somebody made there carries our id too');
SELECT results_eq(format('SELECT deal_name FROM crm_bridge.crm_deal WHERE id = %L', :'ours'), ARRAY['Made here'], 'and is another record');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d7", "record_id": "not a uuid", "fields": {"deal_name": "Odd"}}, {"external_id": "d8", "record_id": "00000000-0000-7000-8000-000000000000", "fields": {"deal_name": "Unknown"}}]') $$, ARRAY['inserted', 'inserted'], 'an id that is none, or nobody''s, is no reason to refuse a record');
INSERT INTO crm_bridge.crm_account (external_id, account_name) VALUES ('a7', 'Known to the app');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "a7", "fields": {"account_name": "Known to the app", "phone": "1"}}]', 'crm_account') $$, ARRAY['updated'], 'a record that the app inserted with its external id is that one');
SELECT is((SELECT phone FROM crm_bridge.crm_account WHERE external_id = 'a7'), '1', 'and is merged with what is read');

SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "m", "version": "2026-01-02T00:00:00Z", "fields": {"deal_name": "newer"}}, {"external_id": "m", "version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "older"}}, {"external_id": "m", "version": "2026-01-03T00:00:00Z", "fields": {"deal_name": "newest"}}]') $$,
  ARRAY['unchanged', 'unchanged', 'inserted'], 'of several states in one call the newest counts');
SELECT is((SELECT deal_name FROM crm_bridge.crm_deal WHERE external_id = 'm'), 'newest', 'whatever their order');

-- Custom fields, runs ----------------------------------------------------------------------------------------------

SELECT crm_bridge.store_fields('crm_deal', '[{"api_name": "Region__c", "type": "picklist", "writable": true}, {"api_name": "Weight__c", "type": "number", "writable": true},
  {"api_name": "Partner__c", "type": "reference", "reference_module": "crm_account", "writable": true}]') AS fields \gset
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d1", "version": "2026-02-01T00:00:00Z", "fields": {"Region__c": "EU", "Weight__c": 1.5, "Partner__c": "a9", "New__c": {"a": [1]}}}]') $$, ARRAY['updated'], 'fields that are no columns are custom fields');
SELECT is((SELECT custom_fields FROM crm_bridge.crm_deal WHERE external_id = 'd1'), '{"Region__c": "EU", "Weight__c": 1.5, "Partner__c": "a9", "New__c": {"a": [1]}}', 'kept as they are told; a lookup among them in the service''s own words');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d1", "version": "2026-02-02T00:00:00Z", "fields": {"Region__c": "EU", "Weight__c": 1.50, "Partner__c": "a9"}}]') $$, ARRAY['unchanged'], 'told again they are unchanged');
UPDATE crm_bridge.crm_deal SET custom_fields = custom_fields || '{"Region__c": "US", "Partner__c": "a8"}' WHERE external_id = 'd1';
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d1", "version": "2026-02-03T00:00:00Z", "fields": {"Region__c": "EU", "Weight__c": 2}}]') $$, ARRAY['updated'], 'they are merged one by one');
SELECT is((SELECT custom_fields FROM crm_bridge.crm_deal WHERE external_id = 'd1'), '{"Region__c": "US", "Weight__c": 2, "Partner__c": "a8", "New__c": {"a": [1]}}', 'our change and theirs both survive');
SELECT results_eq(format($$ SELECT c.fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) AS c WHERE c.external_id = 'd1' $$, :'lease'), $$ VALUES ('{"Region__c": "US", "Partner__c": "a8"}'::jsonb) $$, 'and ours is handed out under its API name');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "d9", "fields": {"deal_name": "Sly", "id": "00000000-0000-7000-8000-000000000009", "org_id": 7, "origin": "app", "external_id": "x", "custom_fields": {"a": 1}}}]') $$, ARRAY['inserted'], 'fields with the names of shared columns');
SELECT results_eq($$ SELECT org_id, origin, id::text = '00000000-0000-7000-8000-000000000009' FROM crm_bridge.crm_deal WHERE external_id = 'd9' $$, $$ VALUES (1::bigint, 'service', false) $$, 'set none of these');
SELECT crm_bridge.start_run('poll', 'zoho_crm', 'crm_deal') AS run \gset
SELECT pg_temp.forget() AS forgotten \gset
SELECT count(*) AS received FROM crm_bridge.receive('crm_deal', '[{"external_id": "d9", "version": "2026-02-01T00:00:00Z", "fields": {"amount": 1}}]', clock_timestamp(), run => :'run') \gset
SELECT results_eq('SELECT h.run_id FROM crm_bridge.history AS h', format('VALUES (%L::uuid)', :'run'), 'B6: what a run brings is known by it');

-- Input that is not as it should be --------------------------------------------------------------------------------

SELECT results_eq($$ SELECT outcome, detail FROM pg_temp.told('[5, "x", null, true, [], {}, {"external_id": ""}, {"external_id": null}, {"fields": {"deal_name": "no id"}}]') $$,
  $$ SELECT 'rejected', CASE WHEN n <= 5 THEN 'The record is not a JSON object.' ELSE 'The record has no external_id, or one of more than 255 bytes.' END FROM generate_series(1, 9) AS n $$, 'T30b: what is no record is rejected, one by one');
SELECT pg_temp.rejected(jsonb_build_object('external_id', repeat('x', 256)), 'more than 255', 'an id that is too long');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"amount": "much"}}', 'amount', 'a number that is none: the field is named');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"amount": true}}', 'amount', 'a boolean for a number');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"deal_name": {"x": 1}}}', 'deal_name', 'an object for a text');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"deal_name": ["x"]}}', 'deal_name', 'an array for a text');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"closing_date": "2026-13-01"}}', 'closing_date', 'a month 13');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"closing_date": "2026-02-30"}}', 'closing_date', 'a 30 February');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"closing_date": 20260201}}', 'closing_date', 'a date that is a number');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"closing_date": "9999999-01-01"}}', 'date', 'a date beyond what the database has');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"closed_at": "yesterday"}}', 'closed_at', 'an instant that is none', 'crm_task');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"is_completed": "yes"}}', 'is_completed', 'a text for a boolean', 'projects_task');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"account_id": {"id": "1"}}}', 'account_id', 'an object for a reference');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"account_id": ""}}', 'account_id', 'an empty reference');
SELECT pg_temp.rejected('{"external_id": "b", "fields": {"owner_ids": "p1"}}', 'owner_ids', 'a text for a list', 'projects_task');
SELECT pg_temp.rejected('{"external_id": "b", "version": "soon"}', 'version', 'a version that is no instant');
SELECT pg_temp.rejected('{"external_id": "b", "modified_at": "soon"}', 'modified_at', 'nor is the time of the change');
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal WHERE external_id = 'b') + (SELECT count(*) FROM crm_bridge.shadow WHERE external_id = 'b'), 0::bigint, 'nothing that was rejected left a trace');
SELECT results_eq(format($$ SELECT outcome FROM pg_temp.told(jsonb_build_array(jsonb_build_object('external_id', 4711, 'fields', jsonb_build_object('amount', %1$s, 'deal_name', 12.5)))) $$, repeat('9', 100) || '.' || repeat('3', 50)), ARRAY['inserted'], 'T31: a number of 150 digits; an id and a text that came as numbers');
SELECT results_eq($$ SELECT amount::text, deal_name FROM crm_bridge.crm_deal WHERE external_id = '4711' $$, format('VALUES (%L, %L)', repeat('9', 100) || '.' || repeat('3', 50), '12.5'), 'not a digit is lost');

ALTER TABLE crm_bridge.crm_deal ADD CONSTRAINT crm_deal_test_probability CHECK (probability <= 100);
SELECT results_eq($$ SELECT outcome, detail FROM pg_temp.told('[{"external_id": "c1", "fields": {"deal_name": "one", "account_id": "a1"}}, {"external_id": "c2", "fields": {"probability": 200}}, {"external_id": "c3", "fields": {"deal_name": "three"}}]') $$,
  $$ VALUES ('inserted', NULL), ('rejected', 'new row for relation "crm_deal" violates check constraint "crm_deal_test_probability"'), ('inserted', NULL) $$, 'P4: a record that the database refuses is rejected alone');
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal WHERE external_id IN ('c1', 'c2', 'c3')) + (SELECT count(*) FROM crm_bridge.shadow WHERE external_id IN ('c1', 'c2', 'c3')), 4::bigint, 'the others are here, whole');
SELECT results_eq($$ SELECT outcome FROM pg_temp.told('[{"external_id": "k2", "fields": {"subject": "two things", "account_id": "a1", "deal_id": "d1"}}]', 'crm_task') $$, ARRAY['rejected'], 'a task about two things');

SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_nothing', '[]', now()) $$, '42704', 'module "crm_nothing" does not exist', 'an unknown module');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', '{}', now()) $$, '22023', 'must be a JSON array', 'records that are no array');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', '5', now()) $$, '22023', 'must be a JSON array', 'nor a number');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', (SELECT jsonb_agg(n) FROM generate_series(1, 1001) AS n), now()) $$, '22023', 'at most 1000', '1,001 records');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', NULL, now()) $$, '22004', 'records must not be null', 'no records');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', '[]', NULL) $$, '22004', 'read_started_at must not be null', 'no instant of reading');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', '[]', now(), org_id => 9) $$, '42704', 'organization 9 does not exist', 'an unknown organization');
SELECT is_empty($$ SELECT * FROM crm_bridge.receive('crm_deal', '[]', now()) $$, 'no record at all is fine');
SELECT is((SELECT count(*) FROM crm_bridge.receive('crm_lead', (SELECT jsonb_agg(jsonb_build_object('external_id', n::text, 'fields', jsonb_build_object('last_name', n::text))) FROM generate_series(1, 1000) AS n), now()) WHERE outcome = 'inserted'), 1000::bigint, '1,000 records in a call');
DELETE FROM crm_bridge.installation;
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', '[]', now(), org_id => 1) $$, '55000', 'not armed[\s\S]*start_here\(''restored''\)', 'design §3: after a restore nothing is received');

SELECT * FROM finish();
ROLLBACK;
