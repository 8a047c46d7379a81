-- SPDX-License-Identifier: PostgreSQL
-- What should never come, through every function that a worker calls: precise errors, the rest of the batch goes on, nothing is lost.
BEGIN;
\ir fixture/tools.psql
SET client_min_messages = error;
SELECT plan(101);
\ir fixture/organization.psql
SELECT crm_bridge.create_organization(2, 'Another', 'enterprise', 'UTC') AS other \gset
SELECT crm_bridge.new_id() AS lease, crm_bridge.new_id() AS deal, crm_bridge.new_id() AS second, crm_bridge.new_id() AS theirs \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset

-- Of one deal: the outcome and why.  Beside it in the same call stands a good one, which must come in.
CREATE FUNCTION pg_temp.received(record jsonb, OUT outcome text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE
  good text := 'good ' || crm_bridge.new_id();
  came_in boolean;
BEGIN
  SELECT max(r.outcome) FILTER (WHERE r.external_id IS DISTINCT FROM good), max(r.detail) FILTER (WHERE r.external_id IS DISTINCT FROM good),
         bool_or(r.external_id = good AND r.outcome = 'inserted')
    INTO outcome, detail, came_in
    FROM crm_bridge.receive('crm_deal', jsonb_build_array(record, jsonb_build_object('external_id', good, 'fields', '{"deal_name": "good"}'::jsonb)), clock_timestamp(), org_id => 1) AS r;
  IF NOT came_in THEN
    outcome := 'the good record was held back: ' || outcome;
  END IF;
END $$;
CREATE FUNCTION pg_temp.rejected(record jsonb, pattern text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  got record;
BEGIN
  SELECT * INTO got FROM pg_temp.received(record);
  RETURN ok(got.outcome = 'rejected' AND got.detail ~ pattern, 'receive rejects ' || what || '; the other record comes in') || CASE WHEN got.outcome = 'rejected' AND got.detail ~ pattern THEN '' ELSE E'\n' || diag(got::text) END;
END $$;

-- receive ----------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.receive('nope', '[]', now(), org_id => 1) $$, '42704', 'module "nope" does not exist', 'receive: an unknown module');
SELECT pg_temp.refused($$ SELECT crm_bridge.receive('crm_deal', '[]', now(), org_id => 99) $$, '42704', 'organization 99 does not exist', 'an unknown organization');
SELECT pg_temp.refused($$ SELECT crm_bridge.receive('crm_deal', NULL, now(), org_id => 1) $$, '22004', 'records', 'no records');
SELECT pg_temp.refused($$ SELECT crm_bridge.receive('crm_deal', '{}', now(), org_id => 1) $$, '22023', 'JSON array', 'an object');
SELECT pg_temp.refused($$ SELECT crm_bridge.receive('crm_deal', '3', now(), org_id => 1) $$, '22023', 'JSON array', 'a number');
SELECT pg_temp.refused($$ SELECT crm_bridge.receive('crm_deal', (SELECT jsonb_agg(n) FROM generate_series(1, 1001) AS n), now(), org_id => 1) $$, '22023', 'at most 1000', 'too many records');
SELECT pg_temp.refused($$ SELECT crm_bridge.receive('crm_deal', (repeat('[', 100000) || repeat(']', 100000))::jsonb, now(), org_id => 1) $$, '54001', 'stack depth', 'nested 100,000 deep');
SELECT pg_temp.refused($$ SELECT '[{"external_id": "n", "fields": {"deal_name": "\u0000"}}]'::jsonb $$, '22P05', 'u0000', 'a NUL');
SELECT pg_temp.refused($$ SELECT '[{"external_id": "n", "fields": {"deal_name": "\ud83d"}}]'::jsonb $$, '22P02', 'surrogate|Unicode', 'a lone surrogate');
SELECT pg_temp.refused($$ SELECT convert_from('\xc328', 'UTF8') $$, '22021', 'UTF8', 'invalid UTF-8');
SELECT pg_temp.rejected('3', 'not a JSON object', 'a number');
SELECT pg_temp.rejected('null', 'not a JSON object', 'null');
SELECT pg_temp.rejected('[]', 'not a JSON object', 'an array');
SELECT pg_temp.rejected('{}', 'no external_id', 'a record without id');
SELECT pg_temp.rejected('{"external_id": {"id": 1}}', 'no external_id', 'an id that is an object');
SELECT pg_temp.rejected(jsonb_build_object('external_id', repeat('x', 256)), '255', 'an id of 256 bytes');
SELECT pg_temp.rejected('{"external_id": "a", "fields": []}', 'fields is not an object', 'fields that are a list');
SELECT pg_temp.rejected('{"external_id": "a", "fields": "x"}', 'fields is not an object', 'fields that are a text');
SELECT pg_temp.rejected('{"external_id": "a", "deleted": "yes"}', 'deleted', 'a deletion that is a text');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"deal_name": {"a": 1}}}', 'deal_name.*text', 'an object for a text');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"amount": "many"}}', 'amount.*money', 'a word for a number');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"amount": [1]}}', 'amount.*money', 'a list for a number');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"closing_date": "2026-02-30"}}', 'closing_date.*date', 'a day that is none');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"closing_date": "99999-01-01"}}', 'closing_date.*date', 'a year out of range');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"closing_date": "infinity"}}', 'closing_date.*date', 'the end of all days');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"account_id": {"id": "5"}}}', 'account_id', 'an object for a reference');
SELECT pg_temp.rejected('{"external_id": "a", "fields": {"account_id": ""}}', 'empty', 'an empty reference');
SELECT pg_temp.rejected('{"external_id": "a", "version": "294277-01-01T00:00:00Z"}', 'version', 'a version out of range');
SELECT pg_temp.rejected('{"external_id": "a", "modified_at": "gestern"}', 'modified_at', 'an instant in words');
SELECT results_eq($$ SELECT outcome FROM pg_temp.received(jsonb_build_object('external_id', 'digits', 'fields', jsonb_build_object('amount', (repeat('9', 100) || '.' || repeat('9', 100))::numeric))) $$,
  ARRAY['inserted'], 'a number of 200 digits comes in');
SELECT is((SELECT amount::text FROM crm_bridge.crm_deal WHERE external_id = 'digits'), repeat('9', 100) || '.' || repeat('9', 100), 'digit by digit');
SELECT results_eq($$ SELECT outcome FROM pg_temp.received(jsonb_build_object('external_id', 'large', 'fields', jsonb_build_object('description', repeat('d', 50 * 1024 * 1024)))) $$,
  ARRAY['inserted'], 'a payload of 50 MB comes in');
SELECT is((SELECT length(description) FROM crm_bridge.crm_deal WHERE external_id = 'large'), 50 * 1024 * 1024, 'whole');
SELECT results_eq($$ SELECT outcome FROM pg_temp.received('{"external_id": "odd", "fields": {"org_id": 2, "id": "x", "external_id": "zzz", "origin": "app", "No_Such_Field": [1]}}') $$,
  ARRAY['inserted'], 'fields that nobody knows come in');
SELECT results_eq($$ SELECT org_id, external_id, origin, custom_fields -> 'No_Such_Field' FROM crm_bridge.crm_deal WHERE external_id = 'odd' $$, $$ VALUES (1::bigint, 'odd', 'service', '[1]'::jsonb) $$,
  'as custom fields: they reach no column of ours');

-- Another organization's ------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_deal (org_id, id, deal_name) VALUES (2, :'theirs', 'theirs');
SELECT results_eq(format($$ SELECT outcome FROM pg_temp.received(jsonb_build_object('external_id', 'hijack', 'record_id', %L, 'fields', '{"deal_name": "mine now"}'::jsonb)) $$, :'theirs'),
  ARRAY['inserted'], 'receive with the id of another organization''s record makes a record of one''s own');
SELECT results_eq(format('SELECT deal_name, external_id FROM crm_bridge.crm_deal WHERE id = %L', :'theirs'), $$ VALUES ('theirs', NULL::text) $$, 'theirs is as it was');
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'external_id', 'stolen')), 1) $$, :'lease', :'theirs'),
  ARRAY['rejected'], 'acknowledge of another organization''s record');
SELECT is((SELECT count(*) FROM crm_bridge.shadow WHERE external_id = 'stolen'), 0::bigint, 'leaves nothing');
SELECT results_eq(format($$ SELECT state FROM crm_bridge.fail(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'outcome', 'park')), 1) $$, :'lease', :'theirs'),
  ARRAY['rejected'], 'fail of another organization''s record');
SELECT is((SELECT state FROM crm_bridge.delivery WHERE record_id = :'theirs'), 'pending', 'stops nothing');

-- acknowledge ------------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_deal (org_id, id, deal_name) VALUES (1, :'deal', 'first'), (1, :'second', 'second');
CREATE FUNCTION pg_temp.claim(lease uuid) RETURNS bigint LANGUAGE sql AS $$
  UPDATE crm_bridge.delivery SET not_before = '-infinity' WHERE org_id = 1;
  SELECT count(*) FROM crm_bridge.claim('zoho_crm', 100, lease, org_id => 1) $$;
-- A bad result beside a good one of the second deal.  Result: the bad one's outcome, then the good one's.
CREATE FUNCTION pg_temp.told(lease uuid, bad jsonb, second uuid) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(a.outcome ORDER BY COALESCE(a.record_id = second, false)) FROM crm_bridge.acknowledge(lease, jsonb_build_array(bad, jsonb_build_object('module', 'crm_deal', 'record_id', second, 'external_id', 's2')), 1) AS a $$;
SELECT is(pg_temp.claim(:'lease'), 2::bigint, 'two deals are in flight');
SELECT pg_temp.refused(format('SELECT crm_bridge.acknowledge(%L, NULL, 1)', :'lease'), '22023', 'JSON array', 'acknowledge: no results');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.acknowledge(%L, '{}', 1) $$, :'lease'), '22023', 'JSON array', 'an object');
SELECT is(pg_temp.told(:'lease', '3', :'second'), ARRAY['rejected', 'done'], 'a number is rejected, the other result counts');
SELECT is(pg_temp.told(:'lease', '{}', :'second'), ARRAY['rejected', 'late'], 'an empty object');
SELECT is(pg_temp.told(:'lease', '{"module": "crm_deal", "record_id": "x"}', :'second'), ARRAY['rejected', 'late'], 'what is no uuid');
SELECT is(pg_temp.told(:'lease', '{"module": "crm_deal", "record_id": "00000000-0000-7000-8000-000000000001", "external_id": "e"}', :'second'), ARRAY['rejected', 'late'], 'a record that nobody knows');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'nope', 'record_id', :'deal', 'external_id', 'e'), :'second'), ARRAY['rejected', 'late'], 'an unknown module');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'crm_account', 'record_id', :'deal', 'external_id', 'e'), :'second'), ARRAY['rejected', 'late'], 'another module than the record''s');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'crm_deal', 'record_id', :'deal', 'external_id', ''), :'second'), ARRAY['rejected', 'late'], 'an empty external id');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'crm_deal', 'record_id', :'deal', 'external_id', repeat('e', 300)), :'second'), ARRAY['rejected', 'late'], 'an external id of 300 bytes');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'crm_deal', 'record_id', :'deal', 'external_id', '{"id": 1}'::jsonb), :'second'), ARRAY['rejected', 'late'], 'an external id that is an object');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'crm_deal', 'record_id', :'deal', 'external_id', 'e', 'version', 'soon'), :'second'), ARRAY['rejected', 'late'], 'a version in words');
SELECT is(pg_temp.told(:'lease', jsonb_build_object('module', 'crm_deal', 'record_id', :'deal', 'external_id', 'e', 'version', '2026-13-45T00:00:00Z'), :'second'), ARRAY['rejected', 'late'], 'a version out of range');
SELECT results_eq(format('SELECT module, state FROM crm_bridge.delivery WHERE record_id = %L', :'deal'), $$ VALUES ('crm_deal', 'in_flight') $$, 'P1: after all of them the deal is still to be delivered');
SELECT is((SELECT count(*) FROM crm_bridge.shadow WHERE record_id = :'deal'), 0::bigint, 'and no id was put down to it');

-- fail -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.failed(lease uuid, failure jsonb) RETURNS text LANGUAGE sql AS $$ SELECT f.state FROM crm_bridge.fail(lease, jsonb_build_array(failure), 1) AS f $$;
SELECT pg_temp.refused(format($$ SELECT crm_bridge.fail(%L, '{}', 1) $$, :'lease'), '22023', 'JSON array', 'fail: an object');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.fail(%L, '[3]', 1) $$, :'lease'), '22023', 'outcome', 'a number');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.fail(%L, '[{"outcome": "explode"}]', 1) $$, :'lease'), '22023', 'explode', 'an unknown outcome');
SELECT is(pg_temp.failed(:'lease', '{"outcome": "park"}'), 'rejected', 'a failure of nothing');
SELECT is(pg_temp.failed(:'lease', '{"outcome": "park", "module": "crm_deal", "record_id": "x"}'), 'rejected', 'of what is no uuid');
SELECT is(pg_temp.failed(:'lease', jsonb_build_object('outcome', 'retry', 'module', 'crm_account', 'record_id', :'deal')), 'rejected', 'of another module');
SELECT is((SELECT array_agg(f.state ORDER BY f.state) FROM crm_bridge.fail(:'lease', jsonb_build_array('{"outcome": "retry"}'::jsonb, jsonb_build_object('outcome', 'retry', 'module', 'crm_deal', 'record_id', :'deal', 'retry_after', 'soon')), 1) AS f),
  ARRAY['pending', 'rejected'], 'beside a good one, whose wait is a word');
SELECT is(pg_temp.claim(:'lease'), 1::bigint, 'it is handed out again');
SELECT is(pg_temp.failed(:'lease', jsonb_build_object('outcome', 'retry', 'module', 'crm_deal', 'record_id', :'deal', 'retry_after', 1e30)), 'pending', 'a wait of 10^30');
SELECT ok((SELECT not_before BETWEEN now() + interval '23 hours' AND now() + interval '25 hours' FROM crm_bridge.delivery WHERE record_id = :'deal'), 'is a day');
SELECT is(pg_temp.claim(:'lease'), 1::bigint, 'again');
SELECT is(pg_temp.failed(:'lease', jsonb_build_object('outcome', 'retry', 'module', 'crm_deal', 'record_id', :'deal', 'retry_after', 9223372036854775807)), 'pending', 'the longest wait that a number holds');
SELECT ok((SELECT not_before > now() + interval '23 hours' FROM crm_bridge.delivery WHERE record_id = :'deal'), 'T12: does not come around to now');
SELECT is(pg_temp.claim(:'lease'), 1::bigint, 'again');
SELECT is(pg_temp.failed(:'lease', jsonb_build_object('outcome', 'park', 'module', 'crm_deal', 'record_id', :'deal', 'reason', repeat('r', 10000), 'detail', repeat('d', 50 * 1024 * 1024))), 'parked', 'words of 50 MB');
SELECT ok((SELECT length(detail) <= 4000 AND length(reason) <= 200 FROM crm_bridge.delivery WHERE record_id = :'deal'), 'are cut');

-- store_notice -----------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.store_notice('zoho_crm', 'c', 'nope', ARRAY['1'], 'update', '', org_id => 1) $$, '42704', 'module "nope"', 'store_notice: an unknown module');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_notice('nope', 'c', 'crm_deal', ARRAY['1'], 'update', '', org_id => 1) $$, '42704', 'service "nope"', 'an unknown service');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_notice('zoho_crm', 'c', 'crm_deal', ARRAY['1'], 'update', '', org_id => 99) $$, '42704', 'organization 99', 'an unknown organization');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_notice('zoho_crm', NULL, 'crm_deal', ARRAY['1'], 'update', '', org_id => 1) $$, '22004', 'channel', 'no channel');
SELECT is(crm_bridge.store_notice('zoho_crm', 'c', 'crm_deal', NULL, 'update', '', org_id => 1), 0, 'no ids');
SELECT is(crm_bridge.store_notice('zoho_crm', 'c', 'crm_deal', ARRAY[NULL, '', repeat('x', 100000), 'n1'], 'update', '', org_id => 1), 1, 'of a null, an empty one, one of 100 KB and a good one the good one counts');
SELECT is(crm_bridge.store_notice('zoho_crm', 'c', 'crm_deal', ARRAY['n2'], 'update', repeat('b', 50 * 1024 * 1024), org_id => 1), 1, 'a body of 50 MB');
SELECT is((SELECT length(body) FROM crm_bridge.inbox WHERE external_id = 'n2'), 65536, 'is cut: it is a hint');

-- store_fields -----------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.store_fields('nope', '[{"api_name": "A", "type": "text"}]', 1) $$, '42704', 'module "nope"', 'store_fields: an unknown module');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_fields('crm_deal', '[{"api_name": "A", "type": "text"}]', 99) $$, '23503|42704', 'organization 99', 'an unknown organization');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_fields('crm_deal', '{}', 1) $$, '22023', 'JSON array', 'an object');
SELECT pg_temp.refused($$ SELECT crm_bridge.store_fields('crm_deal', NULL, 1) $$, '22023', 'JSON array', 'nothing');
SELECT is(crm_bridge.store_fields('crm_deal', jsonb_build_array(3, '{}'::jsonb, '{"api_name": ""}'::jsonb, '{"api_name": 5}'::jsonb, '{"api_name": "id", "type": "text"}'::jsonb, '{"api_name": "org_id", "type": "text"}'::jsonb,
    jsonb_build_object('api_name', repeat('n', 300), 'type', 'text'),
    '{"api_name": "Strange", "type": "hologram", "writable": "perhaps", "maximum_length": "long", "picklist": 3}'::jsonb,
    '{"api_name": "Huge", "type": "text", "maximum_length": 99999999999}'::jsonb,
    '{"api_name": "Choice", "type": "picklist", "picklist": ["a", null, 3, {"x": 1}]}'::jsonb,
    '{"api_name": "Twice", "type": "text"}'::jsonb, '{"api_name": "Twice", "type": "number", "writable": true}'::jsonb), 1), 4, 'of twelve fields the four that have a name are taken');
SELECT results_eq($$ SELECT field, type, writable, maximum_length, picklist FROM crm_bridge.service_field WHERE org_id = 1 AND module = 'crm_deal' AND custom ORDER BY field $$,
  $$ VALUES ('Choice', 'picklist', false, NULL::integer, '{a,3,"{\"x\": 1}"}'::text[]), ('Huge', 'text', false, NULL, NULL), ('Strange', 'json', false, NULL, NULL), ('Twice', 'number', true, NULL, NULL) $$, 'as far as they can be understood');

-- The rest of the protocol ----------------------------------------------------------------------------------------

SELECT pg_temp.refused(format($$ SELECT crm_bridge.claim('zoho_crm', 0, %L, org_id => 1) $$, :'lease'), '22023', 'limit', 'claim of nothing');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('nope', 1, %L, org_id => 1) $$, :'lease'), 'claim for an unknown service');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('zoho_crm', 1, %L, org_id => 99) $$, :'lease'), 'claim for an unknown organization');
SELECT pg_temp.refused($$ SELECT crm_bridge.save_cursor('zoho_crm', 'crm_deal', '{}', 99) $$, '23503', 'organization 99', 'a cursor of an unknown organization');
SELECT pg_temp.refused($$ SELECT crm_bridge.start_run('poll', 'zoho_crm', 'crm_deal', NULL, 99) $$, '23503', 'organization 99', 'a run of an unknown organization');
SELECT pg_temp.refused(format($$ SELECT crm_bridge.heartbeat(%L, 'x', '-1 second') $$, :'lease'), '23514', 'lease_lasts', 'a heartbeat that lasts less than nothing');

-- Mappings --------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('nope', 'a', 'b', org_id => 1) $$, '42704', 'pairing "nope"', 'map_field: an unknown pairing');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'nope', 'name', org_id => 1) $$, '42704', 'field "nope" of "crm_deal"', 'an unknown field');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', NULL, 'name', org_id => 1) $$, '22004', 'left_field', 'no field');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'amount', 'end_date', org_id => 1) $$, '22023|42846|42804', 'amount.*end_date', 'types that no conversion joins');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', conversion => 'magic', org_id => 1) $$, '22023|42704', 'magic', 'an unknown conversion');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', parameters => '{"a": {"b": 1}}', org_id => 1) $$, '22023', 'not a text', 'a parameter that is an object');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', parameters => '[1]', org_id => 1) $$, '22023', 'object', 'parameters that are a list');
SELECT pg_temp.refused($$ SELECT crm_bridge.map_field('deal_project', 'deal_name', 'name', org_id => 99) $$, '42704', 'organization 99', 'an unknown organization');

SELECT * FROM finish();
ROLLBACK;
