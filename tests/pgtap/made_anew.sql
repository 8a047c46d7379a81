-- SPDX-License-Identifier: PostgreSQL
-- A record that its service has deleted and that is made anew there (D2): whatever stopped it is over, and what is told late of its first
-- life is no record of its own (B3, B9).
BEGIN;
\ir fixture/tools.psql
SELECT plan(25);
\ir fixture/organization.psql
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset

CREATE FUNCTION pg_temp.told(external_id text, about jsonb, read_started_at timestamptz DEFAULT clock_timestamp()) RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', external_id) || about), read_started_at) AS r $$;
CREATE FUNCTION pg_temp.claim(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT c.operation || ' ' || c.fields FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c $$;
CREATE FUNCTION pg_temp.confirm(lease uuid, record uuid, external_id text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.acknowledge(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', record, 'external_id', external_id, 'version', clock_timestamp())), 1) AS a $$;
CREATE FUNCTION pg_temp.fail(lease uuid, record uuid, outcome text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT f.state FROM crm_bridge.fail(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', record, 'outcome', outcome)), 1) AS f $$;

-- The service says that there is no such record before anybody reads that it is deleted ---------------------------------

SELECT is(pg_temp.told('first', '{"version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Routers", "amount": 1}}'), 'inserted', 'a deal');
SELECT record_id AS deal FROM crm_bridge.shadow WHERE external_id = 'first' \gset
SELECT clock_timestamp() AS before_deletion \gset
UPDATE crm_bridge.crm_deal SET amount = 2;
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT results_eq(format('SELECT pg_temp.fail(%L, %L, %L)', :'lease', :'deal', 'gone'), ARRAY['parked'], 'a change of a record that is not there any more is parked');
SELECT is(pg_temp.told('first', '{"deleted": true}'), 'conflict', 'D2: deleted there, changed here');
SELECT is(pg_temp.told('first', '{"version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Routers", "amount": 1}}', :'before_deletion'), 'stale', 'B3: a reading from before the deletion, told before it is made anew, is stale');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['create {"amount": 2, "deal_name": "Routers"}'], 'D2: it is made anew and does not stay parked');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L)', :'lease', :'deal', 'second'), ARRAY['done'], 'under another id');
SELECT is(pg_temp.told('first', '{"version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Routers", "amount": 1}}', :'before_deletion'), 'stale', 'B3: a reading from before the deletion, told now, is stale');
SELECT is(pg_temp.told('first', '{"deleted": true}'), 'unchanged', 'B9: the deletion told once more is nothing new');
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal), 1::bigint, 'B3: the deal is there once');

-- Made anew, and read under its new id before the answer came ------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 3;
SELECT is(pg_temp.told('second', '{"deleted": true}'), 'conflict', 'D2: deleted once more');
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT is(pg_temp.told('third', jsonb_build_object('version', clock_timestamp(), 'record_id', :'deal', 'fields', '{"deal_name": "Routers", "amount": 3}'::jsonb)), 'unchanged', 'the service shows what was made, and that it is ours');
SELECT is(pg_temp.told('second', '{"version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Routers", "amount": 2}}', :'before_deletion'), 'stale', 'B3: a late reading of the second life is stale too');
SELECT is(pg_temp.told('second', '{"version": "2026-01-01T00:00:00Z", "fields": {"deal_name": "Routers", "amount": 2}}', clock_timestamp() + interval '1 minute'), 'inserted', 'one that began later is a record that was taken out of the bin');

-- The answer to a change comes after the deletion was read ---------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 5 WHERE id = :'deal';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT is(pg_temp.told('third', '{"deleted": true}'), 'conflict', 'D2: deleted while our change is under way');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L)', :'lease', :'deal', 'third'), ARRAY['pending'], 'the service had done it before, and says so now');
SELECT results_eq(format('SELECT s.state, d.external_id FROM crm_bridge.shadow AS s JOIN crm_bridge.crm_deal AS d ON d.id = s.record_id WHERE s.record_id = %L', :'deal'), $$ VALUES ('gone', NULL::text) $$, 'D2: that does not make it live again');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['create {"amount": 5, "deal_name": "Routers"}'], 'D2: it is made anew');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L)', :'lease', :'deal', 'fourth'), ARRAY['done'], 'once');

-- A late reading that names our record as the service kept it: what is gone has not taken the place of what was made anew ------

SELECT is(pg_temp.told('third', jsonb_build_object('version', '2026-01-01T00:00:00Z', 'record_id', :'deal', 'fields', '{"deal_name": "Routers", "amount": 3}'::jsonb), :'before_deletion'), 'stale', 'B3: a late reading of the third life, with our id in it');
SELECT results_eq(format('SELECT s.survivor_id FROM crm_bridge.shadow AS s WHERE s.record_id = %L', :'deal'), $$ VALUES (NULL::uuid) $$, 'is no sign that the service has merged records');

-- A person's no stays one ------------------------------------------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 4 WHERE id = :'deal';
UPDATE crm_bridge.delivery SET state = 'parked', stopped = true, reason = 'rejected', lease = NULL, sent = NULL WHERE record_id = :'deal';
SELECT pg_temp.told('fourth', '{"deleted": true}') AS told \gset
SELECT results_eq(format('SELECT d.state FROM crm_bridge.delivery AS d WHERE d.record_id = %L', :'deal'), ARRAY['parked'], 'B7: what reject_run() said no to is not made anew');

-- Created by a worker that was given up, which says so when another one is at it, and after an edit here --------------------

SELECT crm_bridge.new_id() AS lost, crm_bridge.new_id() AS anew \gset
SELECT crm_bridge.heartbeat(:'lost', 'the lost one', '1 hour') AS beat \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name, amount) VALUES (:'anew', 'Switches', 70);
SELECT count(*) AS claimed FROM pg_temp.claim(:'lost') \gset
SELECT crm_bridge.end_lease(:'lost') AS given_back \gset
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L)', :'lost', :'anew', 'fifth'), ARRAY['late'], 'the lost worker has created it');
SELECT pg_temp.fail(:'lease', :'anew', 'release') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 71 WHERE id = :'anew';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT pg_temp.fail(:'lease', :'anew', 'release') \g /dev/null
SELECT is(pg_temp.told('fifth', jsonb_build_object('version', clock_timestamp(), 'fields', '{"deal_name": "Switches", "amount": 70}'::jsonb)), 'unchanged', 'B1: what was created comes back: nobody else entered it');
SELECT results_eq(format('SELECT d.amount, d.external_id FROM crm_bridge.crm_deal AS d WHERE d.id = %L', :'anew'), $$ VALUES (71::numeric, 'fifth') $$, 'B2: what was typed since stands');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"amount": 71, "deal_name": "Switches"}'], 'B2: and is sent, with what was in doubt when it was handed out');

SELECT * FROM finish();
ROLLBACK;
