-- SPDX-License-Identifier: PostgreSQL
-- B2, P9: a value that a write of ours replaced before anybody had read it is recorded, from what webhooks told.
BEGIN;
\ir fixture/tools.psql
SELECT plan(29);
\ir fixture/organization.psql
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset

CREATE FUNCTION pg_temp.read(fields jsonb, version timestamptz DEFAULT clock_timestamp()) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', 'd1', 'version', version, 'fields', fields)), clock_timestamp()) AS r $$;
-- A write of ours, and the service's answer to it.
CREATE FUNCTION pg_temp.write(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c,
         LATERAL crm_bridge.acknowledge(lease, jsonb_build_array(jsonb_build_object('module', c.module, 'record_id', c.record_id, 'external_id', 'd1', 'version', clock_timestamp())), 1) AS a $$;
CREATE FUNCTION pg_temp.entered(fields jsonb, at timestamptz DEFAULT clock_timestamp()) RETURNS integer LANGUAGE sql AS $$
  SELECT crm_bridge.record_lost_updates('crm_deal', jsonb_build_array(jsonb_build_object('external_id', 'd1', 'modified_at', at, 'fields', fields)), 1) $$;
CREATE TEMP VIEW conflicts AS SELECT c.field, c.left_value, c.right_value, c.winner, c.reason, c.left_by FROM crm_bridge.conflict AS c ORDER BY c.conflict_id DESC;

SELECT is(pg_temp.read('{"deal_name": "Routers", "amount": 10, "stage": "Qualification"}'), 'inserted', 'a deal is read');
SELECT is(pg_temp.entered('{"amount": 99}'), 0, 'a value that nothing of ours could have replaced: somebody else did, there');
UPDATE crm_bridge.crm_deal SET amount = 20;

-- What the service last told goes with the change: a worker compares it with what it finds before it writes.
SELECT results_eq(format($$ SELECT c.fields, c.base FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) AS c $$, :'lease'), $$ VALUES ('{"amount": 20}'::jsonb, '{"amount": 10}'::jsonb) $$, 'claim says what the service had');
SELECT results_eq(format($$ SELECT f.state FROM crm_bridge.delivery AS d, crm_bridge.fail(%L, jsonb_build_array(jsonb_build_object('module', d.module, 'record_id', d.record_id, 'outcome', 'release', 'reason', 'already_modified')), 1) AS f $$, :'lease'), ARRAY['pending'], 'what was found newer is not sent');
SELECT results_eq($$ SELECT d.attempts, d.fields FROM crm_bridge.delivery AS d $$, $$ VALUES (0, '{amount}'::text[]) $$, 'and costs no attempt');
SELECT results_eq(format('SELECT * FROM pg_temp.write(%L)', :'lease'), ARRAY['done'], 'then it is sent');

SELECT is(pg_temp.entered('{"amount": 15, "stage": "Qualification"}'), 1, 'P9: 15 was entered before our 20 came and is nowhere here');
SELECT results_eq('TABLE conflicts', $$ VALUES ('amount', '20'::jsonb, '15'::jsonb, 'left', 'unread', 'postgres') $$, 'B2: it is kept as a conflict that our write has won');
SELECT results_eq('SELECT o.losing_value, o.needs_decision FROM crm_bridge.open_conflicts AS o', $$ VALUES ('15'::jsonb, false) $$, 'B2: where an analyst finds it');
SELECT is(pg_temp.entered('{"amount": 15}'), 0, 'P11: told twice it is recorded once');
SELECT is(pg_temp.entered('{"amount": 15.00}'), 0, 'however it is written');
SELECT is(pg_temp.entered('{"amount": 20}'), 0, 'B9: our own write, told back, is not lost');
SELECT is(pg_temp.entered('{"amount": 10}'), 0, 'nor is what was here before');
SELECT is(pg_temp.entered('{"stage": "Closed Won"}'), 0, 'nor is a field that was never written from here');
SELECT is(pg_temp.entered('{"expected_revenue": 3}'), 0, 'nor one that only the service computes');
SELECT is(pg_temp.entered('{"amount": null}'), 1, 'that somebody emptied it is a value too');
SELECT is(pg_temp.entered('{"amount": 17}', clock_timestamp() + interval '1 minute'), 0, 'what was entered after our last write was not replaced by it');
SELECT is(crm_bridge.record_lost_updates('crm_deal', jsonb_build_array(
  jsonb_build_object('external_id', 'd1', 'modified_at', clock_timestamp(), 'fields', '{"amount": 41}'::jsonb),
  jsonb_build_object('external_id', 'd1', 'modified_at', clock_timestamp(), 'fields', '{"amount": 42}'::jsonb),
  jsonb_build_object('external_id', 'd1', 'modified_at', clock_timestamp(), 'fields', '{"amount": 41}'::jsonb),
  jsonb_build_object('external_id', 'unknown', 'modified_at', clock_timestamp(), 'fields', '{"amount": 43}'::jsonb),
  jsonb_build_object('external_id', 'd1', 'fields', '{"amount": 44}'::jsonb),
  jsonb_build_object('external_id', 'd1', 'modified_at', 'yesterday', 'fields', '{"amount": 45}'::jsonb), '7'::jsonb), 1), 3, 'several of one record, one without a time; strangers and nonsense among them');

-- The decision can be changed.
SELECT conflict_id AS conflict FROM crm_bridge.conflict WHERE right_value = '15' \gset
SELECT crm_bridge.resolve_conflict(:'conflict', 'right') AS resolved \gset
SELECT results_eq('SELECT amount FROM crm_bridge.crm_deal', ARRAY[15::numeric], 'B2: resolve_conflict puts it in force');
SELECT results_eq(format('SELECT * FROM pg_temp.write(%L)', :'lease'), ARRAY['done'], 'and it is sent');

-- Under way: the answer of a write that may have come first is not there yet.
SELECT is(pg_temp.read('{"deal_name": "Routers", "amount": 15}'), 'unchanged', 'read again');
UPDATE crm_bridge.crm_deal SET amount = 50;
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 10, :'lease', org_id => 1) \gset
SELECT is(pg_temp.entered('{"amount": 50}', clock_timestamp() + interval '1 minute'), 0, 'B9: a write under way, told back before its answer');
SELECT is(pg_temp.entered('{"amount": 49}', clock_timestamp() + interval '1 minute'), 1, 'P9: what it replaced');

-- Notices carry what was told.
SELECT is(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{d1,d2}', 'update', '{}', told => '{"at": "2026-11-01T10:00:00Z", "values": {"d1": {"Amount": 1}}}', org_id => 1), 2, 'a webhook with values');
SELECT is(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{d1}', 'update', '{}', told => '{"values": {"d1": {"Amount": 2}}}', org_id => 1), 0, 'another about the same record is no new notice');
SELECT is(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{d1}', 'update', '{}', told => '["nonsense"]', org_id => 1), 0, 'nonsense tells nothing');
SELECT results_eq(format($$ SELECT t.external_id, jsonb_path_query_array(t.told, '$[*].values') FROM crm_bridge.take_notices('zoho_crm', 10, %L, 1) AS t ORDER BY 1 $$, :'lease'),
  $$ VALUES ('d1', '[{"Amount": 1}, {"Amount": 2}]'::jsonb), ('d2', NULL) $$, 'P9: but each value that was entered is kept for whoever reads');
SELECT sum(crm_bridge.store_notice('zoho_crm', 'ch', 'crm_deal', '{d3}', 'update', '{}', told => jsonb_build_object('values', jsonb_build_object('d3', jsonb_build_object('Amount', n))), org_id => 1)) AS stored FROM generate_series(1, 30) AS n \gset
SELECT results_eq(format($$ SELECT jsonb_array_length(t.told), t.told #>> '{19,values,Amount}' FROM crm_bridge.take_notices('zoho_crm', 10, %L, 1) AS t $$, :'lease'), $$ VALUES (20, '30') $$, 'twenty at most, the newest');
SELECT pg_temp.refused($$ SELECT crm_bridge.record_lost_updates('crm_deal', '{}', 1) $$, '22023', 'array', 'what is no list is refused');
SELECT * FROM finish();
ROLLBACK;
