-- SPDX-License-Identifier: PostgreSQL
-- D2, B2: deleted here and changed at its service before that was told: a conflict, the changed record is kept, and what was entered is not lost.
BEGIN;
\ir fixture/tools.psql
SELECT plan(26);
\ir fixture/organization.psql
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset

-- The deal "Routers" as the service has it; minutes count its versions.
CREATE FUNCTION pg_temp.told(external_id text, minutes integer, fields jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', external_id, 'version', '2100-01-01T00:00:00Z'::timestamptz + minutes * interval '1 minute',
    'modified_by', 'bob@zylker.example', 'fields', '{"deal_name": "Routers", "amount": 1}'::jsonb || fields)), clock_timestamp()) AS r $$;
CREATE FUNCTION pg_temp.claim(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws(' ', c.operation, c.external_id, NULLIF(c.fields, '{}')) FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c $$;
CREATE FUNCTION pg_temp.result(lease uuid, external_id text, more jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', s.record_id) || more) FROM crm_bridge.shadow AS s WHERE s.external_id = result.external_id $$;
CREATE TEMP VIEW deal AS SELECT d.external_id, d.amount, d.origin FROM crm_bridge.crm_deal AS d;
CREATE TEMP VIEW dirty AS SELECT d.operation, d.state, d.fields FROM crm_bridge.delivery AS d;
CREATE TEMP VIEW conflicts AS SELECT c.field, c.winner, c.reason, c.right_by FROM crm_bridge.conflict AS c;
SELECT pg_temp.told(i, 0, '{}') FROM unnest(ARRAY['d1', 'd2', 'd3', 'd4', 'd5']) AS i \g /dev/null

DELETE FROM crm_bridge.crm_deal WHERE external_id = 'd1';
SELECT is(pg_temp.told('d1', 1, '{}'), 'unchanged', 'what is read as it is known does not hinder the deletion');
SELECT is((SELECT count(*) FROM deal WHERE external_id = 'd1'), 0::bigint, 'nor bring it back');
SELECT is(pg_temp.told('d1', 2, '{"amount": 2}'), 'conflict', 'D2: deleted here, changed there');
SELECT results_eq($$ TABLE deal LIMIT 1 OFFSET 4 $$, $$ VALUES ('d1', 2::numeric, 'service') $$, 'D2: the changed record is kept, as the service has it');
SELECT results_eq('TABLE conflicts', $$ VALUES ('*', 'right', 'deleted', 'bob@zylker.example') $$, 'D2: and a conflict tells');
SELECT is_empty('TABLE dirty', 'the deletion is not sent');
SELECT is(pg_temp.told('d1', 2, '{"amount": 2}'), 'unchanged', 'B9: told again, nothing changes');
SELECT results_eq('SELECT winner, what_to_do ~ ''deletes it after all'' FROM crm_bridge.open_conflicts', $$ VALUES ('right', true) $$, 'open_conflicts says what can be done');
SELECT is(crm_bridge.resolve_conflict((SELECT c.conflict_id FROM crm_bridge.conflict AS c), 'left') ->> 'field', '*', 'D2: decided for the deletion');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['delete d1'], 'it is deleted after all');
SELECT is(pg_temp.told('d1', 3, '{"amount": 3}'), 'stale', 'a change told while the deletion is being sent is to be read again: nobody knows which came first');
SELECT crm_bridge.fail(:'lease', pg_temp.result(:'lease', 'd1', '{"outcome": "in_doubt"}'), 1) \g /dev/null
SELECT is(pg_temp.told('d1', 3, '{"amount": 3}'), 'conflict', 'D2: the deletion was not done, and the change is there');
SELECT is_empty('TABLE dirty', 'so it is kept');
SELECT is(crm_bridge.resolve_conflict((SELECT c.conflict_id FROM crm_bridge.conflict AS c WHERE c.resolved_at IS NULL), 'right') ->> 'field', '*', 'and may stay so');

-- What is ours is nobody's change ---------------------------------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 7 WHERE external_id = 'd2';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
DELETE FROM crm_bridge.crm_deal WHERE external_id = 'd2';
SELECT is(pg_temp.told('d2', 1, '{"amount": 7}'), 'unchanged', 'B9: our own write coming back while the deletion waits for its answer');
SELECT crm_bridge.fail(:'lease', pg_temp.result(:'lease', 'd2', '{"outcome": "retry"}'), 1) \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 8 WHERE external_id = 'd3';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT crm_bridge.fail(:'lease', pg_temp.result(:'lease', 'd3', '{"outcome": "in_doubt"}'), 1) \g /dev/null
DELETE FROM crm_bridge.crm_deal WHERE external_id = 'd3';
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT crm_bridge.fail(:'lease', pg_temp.result(:'lease', s, '{"outcome": "retry"}'), 1) FROM unnest(ARRAY['d2', 'd3']) AS s \g /dev/null
SELECT is(pg_temp.told('d3', 1, '{"amount": 8}'), 'unchanged', 'B9: nor a write whose answer was lost, done after the deletion was handed out');
SELECT is((SELECT count(*) FROM dirty WHERE operation = 'delete'), 2::bigint, 'both are to be deleted');
UPDATE crm_bridge.service_field SET writable = false WHERE module = 'crm_deal' AND field = 'amount';
DELETE FROM crm_bridge.crm_deal WHERE external_id = 'd4';
SELECT is(pg_temp.told('d4', 1, '{"amount": 9}'), 'unchanged', 'nor what the service reckons by itself');
UPDATE crm_bridge.service_field SET writable = true WHERE module = 'crm_deal' AND field = 'amount';

-- Deletions that wait for a person --------------------------------------------------------------------------------------

SELECT crm_bridge.set_setting('mass_change_limit', '1') \g /dev/null
DELETE FROM crm_bridge.crm_deal WHERE external_id = 'd5';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT cmp_ok((SELECT count(*) FROM crm_bridge.held_change), '>', 0::bigint, 'B7: deletions are held');
SELECT h.record_id AS held, s.external_id AS held_id FROM crm_bridge.held_change AS h JOIN crm_bridge.shadow AS s ON s.record_id = h.record_id LIMIT 1 \gset
SELECT is(pg_temp.told(:'held_id', 5, '{"amount": 99}'), 'conflict', 'D2: one of them is changed there');
SELECT is_empty(format('SELECT FROM crm_bridge.held_change WHERE record_id = %L', :'held'), 'B7: nobody is asked about it any more');
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal WHERE id = :'held'), 1::bigint, 'D2: it is kept');

-- Deleted there while a person is to decide about a field of it: what was typed here is a change ----------------------------

SELECT crm_bridge.set_merge_policy('crm_deal', 'amount', 'manual') \g /dev/null
SELECT pg_temp.told('d6', 0, '{}') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 60 WHERE external_id = 'd6';
SELECT is(pg_temp.told('d6', 1, '{"amount": 61}'), 'conflict', 'D1: both changed it, and nobody has decided');
SELECT is((SELECT r.outcome FROM crm_bridge.receive('crm_deal', '[{"external_id": "d6", "deleted": true}]', clock_timestamp()) AS r), 'conflict', 'D2: then it is deleted there');
SELECT results_eq('SELECT external_id, amount FROM crm_bridge.crm_deal WHERE amount = 60', $$ VALUES (NULL::text, 60::numeric) $$, 'D2: it is kept');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['create {"amount": 60, "deal_name": "Routers"}'], 'D2: and made anew');

SELECT * FROM finish();
ROLLBACK;
