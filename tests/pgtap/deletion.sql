-- SPDX-License-Identifier: PostgreSQL
-- B3, B9: deletions leave nothing behind: not at the service, whose answer to the creation was lost, and not in the queue.
BEGIN;
\ir fixture/tools.psql
SELECT plan(7);
\ir fixture/organization.psql
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset

-- The deal "Routers" as the service has it; minutes count its versions.
CREATE FUNCTION pg_temp.told(external_id text, minutes integer, fields jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', external_id, 'version', '2100-01-01T00:00:00Z'::timestamptz + minutes * interval '1 minute',
    'modified_by', 'bob@zylker.example', 'fields', '{"deal_name": "Routers", "amount": 1}'::jsonb || fields)), clock_timestamp()) AS r $$;
CREATE FUNCTION pg_temp.claim(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT concat_ws(' ', c.operation, c.external_id, NULLIF(c.fields, '{}')) FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c $$;

-- Of one that lives on in another record of the service an open question is over: it is not made anew, and leaves nothing to be sent --------

SELECT crm_bridge.set_merge_policy('crm_deal', 'amount', 'manual') \g /dev/null
SELECT pg_temp.told(i, 0, '{}') FROM unnest(ARRAY['d1', 'd7']) AS i \g /dev/null
SELECT id AS merged FROM crm_bridge.crm_deal WHERE external_id = 'd7' \gset
UPDATE crm_bridge.crm_deal SET amount = 70 WHERE id = :'merged';
SELECT is(pg_temp.told('d7', 1, '{"amount": 71}'), 'conflict', 'D1: both changed it, and nobody has decided');
SELECT crm_bridge.record_merged('crm_deal', :'merged', (SELECT id FROM crm_bridge.crm_deal WHERE external_id = 'd1')) \g /dev/null
SELECT is((SELECT r.outcome FROM crm_bridge.receive('crm_deal', '[{"external_id": "d7", "deleted": true}]', clock_timestamp()) AS r), 'deleted', 'then the service has merged it into another');
SELECT is_empty(format('SELECT FROM crm_bridge.delivery WHERE record_id = %L', :'merged'), 'B9: nothing of it is left to be sent');

SELECT crm_bridge.set_merge_policy('crm_deal', 'amount', NULL) \g /dev/null

-- Deleted here before its creation was answered: the service may have it or not ----------------------------------------------

SELECT crm_bridge.new_id() AS lost \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name) VALUES (:'lost', 'Lost');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['create {"deal_name": "Lost"}'], 'a creation');
SELECT count(*) AS failed FROM crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'lost', 'outcome', 'in_doubt')), 1) \gset
DELETE FROM crm_bridge.crm_deal WHERE id = :'lost';
UPDATE crm_bridge.delivery SET not_before = '-infinity' WHERE record_id = :'lost';
SELECT results_eq(format('SELECT c.operation, c.external_id, c.in_doubt FROM crm_bridge.claim(%L, 10, %L, org_id => 1) AS c', 'zoho_crm', :'lease'), $$ VALUES ('delete', NULL::text, true) $$, 'B3: whose answer was lost is to be looked for and deleted');
SELECT count(*) AS told FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'lost')), 1) \gset
SELECT results_eq(format('SELECT c.operation, c.external_id FROM crm_bridge.claim(%L, 10, %L, org_id => 1) AS c', 'zoho_crm', :'lease'), $$ VALUES ('delete', NULL::text) $$, 'B3: deleted there, it is looked for once more: the creation may come late');
SELECT count(*) AS failed FROM crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'lost', 'outcome', 'gone')), 1) \gset
SELECT is_empty(format('SELECT FROM crm_bridge.delivery WHERE record_id = %L', :'lost'), 'B3: until it is not there');

SELECT * FROM finish();
ROLLBACK;
