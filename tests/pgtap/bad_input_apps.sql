-- SPDX-License-Identifier: PostgreSQL
-- What an app writes that no service can take: refused where it is certain, otherwise reported, never silently dropped (D12, B4).
BEGIN;
\ir fixture/tools.psql
SELECT plan(22);
\ir fixture/organization.psql
SELECT crm_bridge.new_id() AS lease, crm_bridge.new_id() AS deal \gset
SELECT crm_bridge.store_fields('crm_deal', '[{"api_name": "Color", "type": "text", "writable": true}, {"api_name": "Rank", "type": "number", "writable": false}]', 1) AS fields \gset

SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (deal_name, custom_fields) VALUES ('x', '[]') $$, '22023', 'custom_fields.*JSON object', 'custom fields that are a list are refused');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (deal_name, custom_fields) VALUES ('x', '3') $$, '22023', 'JSON object', 'or a number');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (deal_name, custom_fields) VALUES ('x', 'null') $$, '22023', 'JSON object', 'or a JSON null');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (deal_name, custom_fields) VALUES ('x', NULL) $$, '23502', 'custom_fields', 'or nothing');
INSERT INTO crm_bridge.crm_deal (id, deal_name, custom_fields) VALUES (:'deal', 'Routers', '{"Color": "red", "Colour": "red", "Rank": 1}');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_deal SET custom_fields = '[]' $$, '22023', 'JSON object', 'in an update too');
SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_deal SET custom_fields = custom_fields || '{"Color": "blue"}' $$, 'an object is not');
SELECT results_eq(format($$ SELECT fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('{"Color": "blue", "deal_name": "Routers"}'::jsonb) $$, 'what the service can take is sent');
SELECT results_eq(format($$ SELECT subject, state, reason, detail ->> 'why' FROM crm_bridge.explain_sync(%L) WHERE topic = 'field' $$, :'deal'),
  $$ VALUES ('Colour', 'not_sent', 'refused', 'field_unknown'), ('Rank', 'not_sent', 'field_read_only', 'field_read_only') $$, 'B4, D12: what it cannot take is named with the reason');
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'external_id', 'd1')), 1) $$, :'lease', :'deal'), ARRAY['done'], 'the record is delivered');
SELECT is((SELECT count(*) FROM crm_bridge.explain_sync(:'deal') WHERE topic = 'field'), 2::bigint, 'and the two fields are still named');
SELECT is((SELECT r.outcome FROM crm_bridge.receive('crm_deal', '[{"external_id": "d1", "version": "2100-01-01T00:00:00Z", "modified_at": "2100-01-01T00:00:00Z", "fields": {"Rank": 7}}]', clock_timestamp(), org_id => 1) AS r), 'updated', 'the service tells its own rank');
SELECT results_eq(format($$ SELECT subject FROM crm_bridge.explain_sync(%L) WHERE topic = 'field' $$, :'deal'), ARRAY['Colour'], 'a field that has the service''s value is in step');
SELECT crm_bridge.store_fields('crm_deal', '[{"api_name": "Colour", "type": "text", "writable": true}]', 1) AS fields \gset
SELECT is_empty(format($$ SELECT subject FROM crm_bridge.explain_sync(%L) WHERE topic = 'field' $$, :'deal'), 'one that the service came to know is not named any more');

-- Who made a record, and when, is not the writer's to say ----------------------------------------------------------

SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_deal SET created_at = '1999-01-01' $$, 'a write of created_at alone');
SELECT ok((SELECT created_at > now() - interval '1 hour' FROM crm_bridge.crm_deal), 'changes nothing');
SELECT pg_temp.accepted($$ UPDATE crm_bridge.crm_deal SET created_at = '1999-01-01', amount = 5 $$, 'nor with a field beside it');
SELECT results_eq($$ SELECT created_at > now() - interval '1 hour', amount FROM crm_bridge.crm_deal $$, $$ VALUES (true, 5::numeric) $$, 'which is written');

-- Values at the edges ---------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS edge \gset
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.crm_deal (id, deal_name) VALUES (%L, repeat('n', 100000)) $$, :'edge'), '23514', '"deal_name" of "crm_deal" is too long', 'B5: what the service is known to refuse fails at once');
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
SELECT pg_temp.accepted(format($$ INSERT INTO crm_bridge.crm_deal (id, deal_name, description, amount, closing_date) VALUES (%L, repeat('n', 100000), repeat('w', 10 * 1024 * 1024), repeat('9', 100)::numeric, '0001-01-01 BC') $$, :'edge'), 'P8: with rule_mode = send an app may write what no service takes');
SELECT is((SELECT count(*) FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1)), 2::bigint, 'it is handed out');
SELECT results_eq(format($$ SELECT state FROM crm_bridge.fail(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'outcome', 'park', 'reason', 'refused', 'detail', 'INVALID_DATA: maximum length (Deal_Name)')), 1) $$, :'lease', :'edge'), ARRAY['parked'], 'refused');
SELECT results_eq(format($$ SELECT state, reason, detail ->> 'detail' FROM crm_bridge.explain_sync(%L) WHERE topic = 'delivery' $$, :'edge'), $$ VALUES ('parked', 'parked', 'INVALID_DATA: maximum length (Deal_Name)') $$, 'D12: and has its reason, in the service''s words');

SELECT * FROM finish();
ROLLBACK;
