-- SPDX-License-Identifier: PostgreSQL
-- T05: a request that timed out here is done by the service after a newer write of ours.  The older values that come back are ours,
-- not a person's: the newer ones go out again, once.
BEGIN;
\ir fixture/tools.psql
SELECT plan(40);
\ir fixture/organization.psql
\ir fixture/history.psql
\ir fixture/protocol.psql

CREATE FUNCTION pg_temp.told(about jsonb, fields jsonb, read_started_at timestamptz DEFAULT clock_timestamp())
RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', 'd1', 'fields', fields) || about), read_started_at) AS r $$;
CREATE FUNCTION pg_temp.claimed(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$ SELECT c.operation || ' ' || c.fields FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c $$;
CREATE FUNCTION pg_temp.confirmed(lease uuid, version text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.shadow AS s, crm_bridge.acknowledge(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', s.record_id, 'external_id', 'd1', 'version', version)), 1) AS a $$;
-- A write of ours that times out: its answer never comes, and it is due again at once.
CREATE FUNCTION pg_temp.time_out(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT c.operation FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c;
  SELECT f.state FROM crm_bridge.shadow AS s, crm_bridge.fail(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', s.record_id, 'outcome', 'in_doubt', 'reason', 'timed_out')), 1) AS f;
  UPDATE crm_bridge.delivery SET not_before = '-infinity';
  SELECT 'due again' $$;
CREATE TEMP VIEW deal AS SELECT d.deal_name, d.amount, d.stage FROM crm_bridge.crm_deal AS d;

SELECT pg_temp.told('{"version": "2026-01-01T10:00:00Z"}', '{"deal_name": "Routers", "amount": 10, "stage": "Qualification"}') AS told \gset
UPDATE crm_bridge.crm_deal SET amount = 20;
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 30;
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), ARRAY['update {"amount": 30}'], 'a newer value overtakes a write whose answer was lost');
SELECT is((SELECT doubted FROM crm_bridge.shadow), '[{"amount": 20}]', 'T05: the older one is remembered');
SELECT results_eq(format('SELECT * FROM pg_temp.confirmed(%L, %L)', :'lease', '2026-01-01T10:01:00Z'), ARRAY['done'], 'the newer one is confirmed');
SELECT pg_temp.forget() AS forgotten \gset

SELECT is(pg_temp.told('{"version": "2026-01-01T10:02:00Z", "modified_by": "ann@zylker.example"}', '{"deal_name": "Routers", "amount": 20, "stage": "Qualification"}'), 'unchanged', 'T05: then the service does the older one after all');
SELECT results_eq('TABLE deal', $$ VALUES ('Routers', 30::numeric, 'Qualification') $$, 'T05: what was entered last stays');
SELECT results_eq('SELECT d.fields FROM dirty AS d', $$ VALUES ('{amount}'::text[]) $$, 'T05: and goes out again');
SELECT is_empty('SELECT c.field FROM crm_bridge.conflict AS c', 'B9: our own late write is no conflict');
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), ARRAY['update {"amount": 30}'], 'once more the newer value');
SELECT results_eq(format('SELECT * FROM pg_temp.confirmed(%L, %L)', :'lease', '2026-01-01T10:03:00Z'), ARRAY['done'], 'and both sides are equal');
SELECT is((SELECT doubted FROM crm_bridge.shadow), NULL, 'an attempt explains one appearance');
SELECT is(pg_temp.told('{"version": "2026-01-01T10:04:00Z", "modified_by": "ann@zylker.example"}', '{"amount": 20}'), 'updated', 'B9: a person who enters the same value later is believed');
SELECT is((SELECT amount FROM deal), 20::numeric, 'B9: here too');

-- Another field of the same attempt is different: then it was somebody else.
UPDATE crm_bridge.crm_deal SET amount = 40, stage = 'Negotiation';
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 50, stage = 'Proposal';
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '1 minute'), '{"amount": 40, "stage": "Closed Lost"}'), 'updated', 'one field of an old attempt beside another''s is no late echo');
SELECT results_eq('TABLE deal', $$ VALUES ('Routers', 40::numeric, 'Closed Lost') $$, 'and is taken as what it is');

-- In flight once more while it comes.
UPDATE crm_bridge.crm_deal SET amount = 60;
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 70;
SELECT * FROM pg_temp.claimed(:'lease') \g /dev/null
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '2 minutes'), '{"amount": 60}'), 'unchanged', 'T05: a late write comes while the newer one is in flight');
SELECT results_eq(format('SELECT * FROM pg_temp.confirmed(%L, %L)', :'lease', clock_timestamp() + interval '2 minutes'), ARRAY['pending'], 'T05: nobody knows which came last, so the newer one is sent again');
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
SELECT is((SELECT amount FROM deal), 70::numeric, 'and stays');

-- A person was later than a write in doubt.
UPDATE crm_bridge.crm_deal SET amount = 80;
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '1 hour', 'modified_at', clock_timestamp() + interval '1 hour', 'modified_by', 'bob@zylker.example'), '{"amount": 90}'), 'conflict', 'a person enters something newer than a write in doubt');
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), ARRAY['update {"amount": 90}'], 'which is sent once more, for the write in doubt may come after it');
SELECT results_eq(format('SELECT * FROM pg_temp.confirmed(%L, %L)', :'lease', clock_timestamp() + interval '90 minutes'), ARRAY['done'], 'and confirmed');
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '2 hours'), '{"amount": 80}'), 'unchanged', 'T05: then the service does it after all');
SELECT results_eq('SELECT e.amount, d.fields FROM deal AS e, dirty AS d', $$ VALUES (90::numeric, '{amount}'::text[]) $$, 'T05: and the person''s value goes out again');

-- For a while only.
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
UPDATE crm_bridge.crm_deal SET amount = 100;
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 110;
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
UPDATE crm_bridge.shadow SET doubted_until = clock_timestamp();
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '3 hours'), '{"amount": 100}'), 'updated', 'after ten minutes nothing is late any more');

-- An attempt whose answer was lost, handed out again with more and not sent after all: what may have arrived is still the first one.
CREATE FUNCTION pg_temp.given_back(lease uuid, outcome text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT c.operation FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c;
  SELECT f.state FROM crm_bridge.delivery AS d, crm_bridge.fail(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', d.record_id, 'outcome', outcome, 'reason', 'rate_limited')), 1) AS f;
  UPDATE crm_bridge.delivery SET not_before = '-infinity';
  SELECT 'due again' $$;
UPDATE crm_bridge.crm_deal SET amount = 200, stage = 'Qualification';
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
UPDATE crm_bridge.crm_deal SET deal_name = 'Switches';
SELECT * FROM pg_temp.given_back(:'lease', 'release') \g /dev/null
SELECT is((SELECT sent FROM crm_bridge.delivery), '{"amount": 200, "stage": "Qualification"}', 'T05: what was not sent is not in doubt, what was before still is');
UPDATE crm_bridge.crm_deal SET amount = 210, deal_name = 'Hubs';
SELECT * FROM pg_temp.given_back(:'lease', 'retry') \g /dev/null
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '4 hours', 'modified_at', clock_timestamp() + interval '4 hours'), '{"deal_name": "Routers", "amount": 200, "stage": "Qualification"}'), 'unchanged', 'B9: and is no conflict when it comes back');
SELECT results_eq('TABLE deal', $$ VALUES ('Hubs', 210::numeric, 'Qualification') $$, 'B9: the newer values stay');
SELECT is(pg_temp.send('zoho_crm', :'lease'), 1, 'and go out');

-- The answer to a write comes after a reading that is newer than the write: what the reading showed stays the base, so that the person's next
-- edit is one, and no conflict with himself.
UPDATE crm_bridge.crm_deal SET amount = 300;
SELECT * FROM pg_temp.claimed(:'lease') \g /dev/null
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '6 hours', 'modified_at', clock_timestamp() + interval '6 hours', 'modified_by', 'ann@zylker.example'), '{"amount": 310}'), 'conflict', 'B1: a person edits while a write of ours is under way');
SELECT results_eq(format($$ SELECT a.outcome FROM crm_bridge.delivery AS d, crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', d.record_id, 'external_id', 'd1', 'version', clock_timestamp() + interval '5 hours')), 1) AS a $$, :'lease'), ARRAY['pending'], 'the write was before that');
SELECT is((SELECT fields -> 'amount' FROM crm_bridge.shadow), '310', 'B1: the answer does not take back what a newer reading showed');
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '7 hours', 'modified_at', '2020-01-01T00:00:00Z', 'modified_by', 'ann@zylker.example'), '{"amount": 320}'), 'updated', 'B1: his next edit conflicts with nobody''s');
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset

-- The answer of a worker that was given up raises the version too, and is no reading: it decides on nothing.
CREATE FUNCTION pg_temp.answered(lease uuid, version timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.shadow AS s, crm_bridge.acknowledge(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', s.record_id, 'external_id', 'd1', 'version', version)), 1) AS a WHERE s.external_id = 'd1' $$;
UPDATE crm_bridge.crm_deal SET amount = 330;
SELECT * FROM pg_temp.claimed(:'lease') \g /dev/null
UPDATE crm_bridge.crm_deal SET amount = 340;
SELECT * FROM pg_temp.answered('00000000-0000-0000-0000-00000000dead', clock_timestamp() + interval '7 hours 30 minutes') \g /dev/null
SELECT * FROM pg_temp.answered(:'lease', clock_timestamp() + interval '7 hours 15 minutes') \g /dev/null
SELECT is((SELECT s.fields -> 'amount' FROM crm_bridge.shadow AS s WHERE s.external_id = 'd1'), '330', 'B1: what was confirmed is what the service has, though another answer had a later version');
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '7 hours 30 minutes', 'modified_at', '2020-01-01T00:00:00Z'), '{"amount": 330}'), 'unchanged', 'B1: and is no conflict with what was typed since');
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset

-- An attempt whose values the next one sent again, and a third one overtook: its own late appearance is still its own.
UPDATE crm_bridge.crm_deal SET amount = 400;
SELECT * FROM pg_temp.time_out(:'lease') \g /dev/null
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
UPDATE crm_bridge.crm_deal SET amount = 410;
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
SELECT is(pg_temp.told(jsonb_build_object('version', clock_timestamp() + interval '8 hours', 'modified_at', clock_timestamp() + interval '8 hours'), '{"amount": 400}'), 'unchanged', 'T05: a write that was repeated with success is done a second time, late');
SELECT is((SELECT amount FROM deal), 410::numeric, 'T05, B9: and is not taken for a person''s edit');
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset

-- A create whose answer was lost, edited before it is tried again (B3).
INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Made');
SELECT results_eq(format('SELECT c.operation, c.doubted FROM crm_bridge.claim(%L, 10, %L, org_id => 1) AS c', 'zoho_crm', :'lease'), $$ VALUES ('create', NULL::jsonb) $$, 'B3: a create');
SELECT f.state FROM crm_bridge.delivery AS d, crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', d.record_id, 'outcome', 'in_doubt', 'reason', 'timed_out')), 1) AS f WHERE d.state = 'in_flight' \g /dev/null
UPDATE crm_bridge.delivery SET not_before = '-infinity';
UPDATE crm_bridge.crm_deal SET deal_name = 'Edited' WHERE deal_name = 'Made';
SELECT results_eq(format('SELECT c.fields, c.in_doubt, c.doubted FROM crm_bridge.claim(%L, 10, %L, org_id => 1) AS c', 'zoho_crm', :'lease'), $$ VALUES ('{"deal_name": "Edited"}'::jsonb, true, '[{"deal_name": "Made"}]'::jsonb) $$, 'B3: whose answer was lost is handed out with what it said then');
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset

-- What was empty when the service made it, and is first read while a change of it is under way: nobody has emptied it there.
INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Empty');
SELECT pg_temp.send('zoho_crm', :'lease') AS sent \gset
SELECT d.id AS empty, d.external_id AS empty_id FROM crm_bridge.crm_deal AS d WHERE d.deal_name = 'Empty' \gset
UPDATE crm_bridge.crm_deal SET amount = 5 WHERE id = :'empty';
SELECT count(*) AS claimed FROM pg_temp.claimed(:'lease') \gset
SELECT is((SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', :'empty_id', 'version', clock_timestamp() + interval '1 day', 'modified_at', clock_timestamp() + interval '1 day',
  'fields', '{"deal_name": "Empty", "amount": null}'::jsonb)), clock_timestamp()) AS r), 'unchanged', 'B1: a reading of what the service had before our change came');
SELECT is((SELECT d.amount FROM crm_bridge.crm_deal AS d WHERE d.id = :'empty'), 5::numeric, 'B1: does not take the change back');
SELECT is((SELECT count(*) FROM crm_bridge.conflict AS c WHERE c.record_id = :'empty'), 0::bigint, 'and is no conflict');

SELECT * FROM finish();
ROLLBACK;
