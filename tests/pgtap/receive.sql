-- SPDX-License-Identifier: PostgreSQL
-- What a service tells is merged field by field: outcomes, echoes, conflicts, deletions (design §6, §7, B1, B9, D1, D2).
BEGIN;
\ir fixture/tools.psql
SELECT plan(83);
\ir fixture/organization.psql
\ir fixture/history.psql
SELECT crm_bridge.new_id() AS lease \gset
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset

-- One deal as the service tells it: its id there, what is said about the reading, its fields.  Result: the outcome.
CREATE FUNCTION pg_temp.told(external_id text, about jsonb, fields jsonb DEFAULT '{}', read_started_at timestamptz DEFAULT clock_timestamp())
RETURNS text LANGUAGE sql AS $$
  SELECT r.outcome FROM crm_bridge.receive('crm_deal', jsonb_build_array(jsonb_build_object('external_id', external_id, 'fields', fields) || about), read_started_at) AS r $$;
CREATE FUNCTION pg_temp.claim(lease uuid) RETURNS SETOF text LANGUAGE sql AS $$ SELECT c.operation || ' ' || c.fields FROM crm_bridge.claim('zoho_crm', 10, lease, org_id => 1) AS c $$;
CREATE FUNCTION pg_temp.confirm(lease uuid, record uuid, external_id text, version timestamptz) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.acknowledge(lease, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', record, 'external_id', external_id, 'version', version)), 1) AS a $$;
CREATE TEMP VIEW deal AS SELECT d.deal_name, d.amount, d.stage, d.origin, d.modified_by FROM crm_bridge.crm_deal AS d;
CREATE TEMP VIEW conflicts AS SELECT c.field, c.base, c.left_value, c.right_value, c.winner, c.reason, c.left_by, c.right_by FROM crm_bridge.conflict AS c ORDER BY c.conflict_id DESC;

-- Nothing changed here ---------------------------------------------------------------------------------------------

SELECT is(pg_temp.told('d1', '{"version": "2026-01-01T10:00:00+05:30", "modified_at": "2026-01-01T10:00:00+05:30", "modified_by": "ann@zylker.example"}', '{"deal_name": "Routers", "amount": 10}'), 'inserted', 'a record that is new is inserted');
SELECT results_eq('SELECT deal_name, amount, origin, modified_by, modified_at, created_at FROM crm_bridge.crm_deal', $$ VALUES ('Routers', 10::numeric, 'service', 'ann@zylker.example', '2026-01-01 04:30+00'::timestamptz, '2026-01-01 04:30+00'::timestamptz) $$, 'with the service''s person and instant');
SELECT results_eq('SELECT external_id, state, version, fields, read_at IS NOT NULL FROM crm_bridge.shadow', $$ VALUES ('d1', 'live', '2026-01-01 04:30+00'::timestamptz, '{"amount": 10, "deal_name": "Routers"}'::jsonb, true) $$, 'the shadow has what was told');
SELECT pg_temp.forget() AS forgotten \gset
SELECT is(pg_temp.told('d1', '{"version": "2026-01-01T10:00:00+05:30"}', '{"deal_name": "Routers", "amount": 10.00}'), 'unchanged', 'B9: told again, nothing changes');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-01T11:00:00Z"}', '{"deal_name": "Routers", "amount": 10}'), 'unchanged', 'T14: a newer version of the same');
SELECT is((SELECT version FROM crm_bridge.shadow), '2026-01-01 11:00+00'::timestamptz, 'T14: is noted, or a conditional write would be refused for ever');
SELECT is_empty('TABLE events', 'and nothing else is written');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-02T10:00:00Z", "modified_at": "2026-01-02T10:00:00Z", "modified_by": "bob@zylker.example"}', '{"amount": 20}'), 'updated', 'a newer version updates');
SELECT results_eq('TABLE events', $$ VALUES ('update', 'service', 'crm_deal', '{"amount": 10}'::jsonb) $$, 'B17: with history');
SELECT is_empty('TABLE dirty', 'P10: and nothing to send');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-01T12:00:00Z"}', '{"amount": 15}'), 'stale', 'an older version is stale');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-01T12:00:00Z"}', '{"amount": 20}'), 'unchanged', 'unless it says what is known anyway');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-03T10:00:00Z"}', '{"stage": "Qualification"}'), 'updated', 'a read without the person');
SELECT results_eq('SELECT h.actor FROM crm_bridge.history AS h ORDER BY h.event_id', ARRAY['bob@zylker.example', 'zoho_crm'], 'B17: is not put down to whoever came before');
SELECT results_eq('TABLE deal', $$ VALUES ('Routers', 20::numeric, 'Qualification', 'service', 'zoho_crm') $$, 'a field that was not read stays as it is');
SELECT is((SELECT modified_at FROM crm_bridge.crm_deal), '2026-01-03 10:00+00'::timestamptz, 'and its instant is the version''s');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-04T10:00:00Z"}', '{"stage": null}'), 'updated', 'a field that was read empty is emptied');
SELECT is((SELECT stage FROM crm_bridge.crm_deal), NULL, 'here too');

-- Changed here, and an echo ----------------------------------------------------------------------------------------

SELECT record_id AS deal FROM crm_bridge.shadow WHERE external_id = 'd1' \gset
UPDATE crm_bridge.crm_deal SET amount = 30;
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"amount": 30}'], 'a write of ours is in flight');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-05T10:00:00Z", "modified_at": "2026-01-05T10:00:00Z"}', '{"amount": 30, "stage": "Qualification"}'), 'updated', 'B9: its echo comes before its answer, with a field that another person set');
SELECT results_eq('SELECT d.amount, d.stage FROM deal AS d', $$ VALUES (30::numeric, 'Qualification') $$, 'the echo changes nothing, the other field does');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 0::bigint, 'B9: an echo is no conflict');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L, %L)', :'lease', :'deal', 'd1', '2026-01-05T10:00:00Z'), ARRAY['done'], 'then the answer comes');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-05T10:00:00Z"}', '{"amount": 30}'), 'unchanged', 'B9: reflected once more, days later, nothing happens');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-05T10:00:00Z"}', '{"amount": 20}', '2026-01-01'), 'stale', 'a read that began before the answer and brings no newer version is stale');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-06T10:00:00Z", "modified_at": "2026-01-06T10:00:00Z"}', '{"amount": 31}', '2026-01-01'), 'updated', 'one that brings a newer version counts');
UPDATE crm_bridge.crm_deal SET amount = 30;
SELECT is((SELECT fields FROM dirty), '{amount}', 'B9: a genuine edit back to an old value is no echo');

-- Both sides changed -----------------------------------------------------------------------------------------------

SELECT is(pg_temp.told('d1', '{"version": "2026-01-07T10:00:00Z", "modified_at": "2026-01-07T10:00:00Z"}', '{"amount": 30}'), 'unchanged', 'B1: both sides changed a field to the same: no conflict');
SELECT is_empty('TABLE dirty', 'B1: and no request');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 0::bigint, 'nor a row about it');
UPDATE crm_bridge.crm_deal SET amount = 40;
SELECT is(pg_temp.told('d1', '{"version": "2026-01-08T10:00:00Z", "modified_at": "2026-01-08T10:00:00Z"}', '{"stage": "Closed Lost", "amount": 30}'), 'updated', 'B1: different fields');
SELECT results_eq('SELECT d.amount, d.stage FROM deal AS d', $$ VALUES (40::numeric, 'Closed Lost') $$, 'both survive');
SELECT is((SELECT fields FROM dirty), '{amount}', 'and ours is still to be sent');
SELECT is(pg_temp.told('d1', '{"version": "2026-01-09T10:00:00Z", "modified_at": "2026-01-09T10:00:00Z", "modified_by": "bob@zylker.example"}', '{"amount": 50}'), 'conflict', 'B1: the same field');
SELECT results_eq('TABLE conflicts', $$ VALUES ('amount', '30'::jsonb, '40'::jsonb, '50'::jsonb, 'left', 'newest', 'postgres', 'bob@zylker.example') $$, 'D1: the newest wins: ours; base, both values and persons are kept');
SELECT results_eq('SELECT amount FROM deal', ARRAY[40::numeric], 'our value is in force');
SELECT is((SELECT fields FROM dirty), '{amount}', 'and is sent');
SELECT is(pg_temp.told('d1', jsonb_build_object('version', '2100-01-01T00:00:00Z', 'modified_at', '2100-01-01T00:00:00Z'), '{"amount": 60}'), 'conflict', 'theirs is newer');
SELECT results_eq('SELECT amount FROM deal', ARRAY[60::numeric], 'D1: then theirs is in force');
SELECT is_empty('TABLE dirty', 'and nothing is sent');
UPDATE crm_bridge.crm_deal SET amount = 70;
SELECT is(pg_temp.told('d1', jsonb_build_object('version', '2100-01-02T00:00:00Z', 'modified_at', (SELECT max(at) FROM crm_bridge.history)), '{"amount": 80}'), 'conflict', 'both at one instant');
SELECT results_eq('SELECT winner, reason FROM conflicts LIMIT 1', $$ VALUES ('right', 'tie') $$, 'D1: on a tie against the service its value wins');
INSERT INTO crm_bridge.merge_policy VALUES (1, 'crm_deal', 'amount', 'left');
UPDATE crm_bridge.crm_deal SET amount = 71;
SELECT is(pg_temp.told('d1', '{"version": "2100-01-03T00:00:00Z", "modified_at": "2100-01-03T00:00:00Z"}', '{"amount": 81}'), 'conflict', 'policy left');
SELECT results_eq('SELECT d.amount, c.winner, c.reason FROM deal AS d, (SELECT * FROM conflicts LIMIT 1) AS c', $$ VALUES (71::numeric, 'left', 'policy') $$, 'D1: the mirror''s value wins, however old');
UPDATE crm_bridge.merge_policy SET field = '*', policy = 'right';
SELECT is(pg_temp.told('d1', '{"version": "2100-01-04T00:00:00Z", "modified_at": "2000-01-01T00:00:00Z"}', '{"amount": 82}'), 'conflict', 'policy right');
SELECT results_eq('SELECT d.amount, c.winner, c.reason FROM deal AS d, (SELECT * FROM conflicts LIMIT 1) AS c', $$ VALUES (82::numeric, 'right', 'policy') $$, 'D1: the service''s value wins, however old');
UPDATE crm_bridge.merge_policy SET policy = 'manual';
UPDATE crm_bridge.crm_deal SET amount = 72;
SELECT is(pg_temp.told('d1', '{"version": "2100-01-05T00:00:00Z"}', '{"amount": 83}'), 'conflict', 'policy manual');
SELECT results_eq('SELECT d.amount, c.winner FROM deal AS d, (SELECT * FROM conflicts LIMIT 1) AS c', $$ VALUES (72::numeric, 'none') $$, 'D1: the field is held: here it stays');
SELECT is_empty('TABLE dirty', 'and is not sent either');
SELECT is(pg_temp.told('d1', '{"version": "2100-01-06T00:00:00Z"}', '{"amount": 83}'), 'conflict', 'told again it is still held');
SELECT is((SELECT count(*) FROM conflicts WHERE winner = 'none'), 1::bigint, 'and asked once');
DELETE FROM crm_bridge.merge_policy;
SELECT is(pg_temp.told('d1', '{"version": "2100-01-07T00:00:00Z", "modified_at": "2000-01-01T00:00:00Z"}', '{"expected_revenue": 7.5}'), 'updated', 'a field that only the service computes always follows it');
SELECT is((SELECT expected_revenue FROM crm_bridge.crm_deal), 7.5, 'whatever was here');

-- In flight, and another value comes -------------------------------------------------------------------------------

SELECT is(pg_temp.told('f1', '{"version": "2026-01-01T00:00:00Z"}', '{"deal_name": "F", "amount": 1}'), 'inserted', 'another deal');
SELECT record_id AS flying FROM crm_bridge.shadow WHERE external_id = 'f1' \gset
UPDATE crm_bridge.crm_deal SET amount = 2 WHERE external_id = 'f1';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT is(pg_temp.told('f1', '{"version": "2100-01-01T00:00:00Z", "modified_at": "2100-01-01T00:00:00Z"}', '{"amount": 3}'), 'conflict', 'while a write of ours is in flight another person''s comes');
SELECT results_eq($$ SELECT d.amount FROM crm_bridge.crm_deal AS d WHERE d.external_id = 'f1' $$, ARRAY[3::numeric], 'theirs is newer and in force');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L, %L)', :'lease', :'flying', 'f1', '2100-01-01T00:00:01Z'), ARRAY['pending'], 'ours may have landed after it');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['update {"amount": 3}'], 'so what is in force is sent once more: P3');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L, %L)', :'lease', :'flying', 'f1', '2100-01-01T00:00:02Z'), ARRAY['done'], 'and that is that');

-- Deletions --------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.told('nobody', '{"deleted": true}'), 'unchanged', 'a deletion of what nobody knows');
SELECT is(pg_temp.told('f1', '{"deleted": true}', '{}', '2100-01-02'), 'deleted', 'a deletion there deletes here');
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal WHERE id = :'flying'), 0::bigint, 'the row is gone');
SELECT is((SELECT state FROM crm_bridge.shadow WHERE record_id = :'flying'), 'gone', 'the shadow remembers');
SELECT is_empty('TABLE dirty', 'and nothing is sent back');
SELECT is(pg_temp.told('f1', '{"deleted": true}'), 'unchanged', 'told twice');
SELECT is(pg_temp.told('f1', '{"version": "2100-01-01T00:00:02Z"}', '{"deal_name": "F", "amount": 3}', '2100-01-01'), 'stale', 'a read that began before the deletion does not bring the record back');
SELECT is(pg_temp.told('f1', '{"version": "2100-01-01T00:00:05Z"}', '{"deal_name": "F", "amount": 3}', '2100-01-01'), 'stale', 'whatever its version');
SELECT is(pg_temp.told('f1', '{"version": "2100-01-01T00:00:02Z"}', '{"deal_name": "F", "amount": 3}', '2100-01-03'), 'inserted', 'one that began later does: it was taken out of the bin');
SELECT is((SELECT id FROM crm_bridge.crm_deal WHERE external_id = 'f1'), :'flying'::uuid, 'and it is the same record');

UPDATE crm_bridge.crm_deal SET amount = 99 WHERE external_id = 'f1';
SELECT is(pg_temp.told('f1', '{"deleted": true, "modified_by": "bob@zylker.example"}', '{}', '2100-01-04'), 'conflict', 'D2: deleted there, changed here');
SELECT results_eq('SELECT field, winner, reason FROM conflicts LIMIT 1', $$ VALUES ('*', 'left', 'deleted') $$, 'D2: is a conflict about the whole record');
SELECT results_eq(format('SELECT deal_name, amount, external_id FROM crm_bridge.crm_deal WHERE id = %L', :'flying'), $$ VALUES ('F', 99::numeric, NULL::text) $$, 'D2: the changed record is kept');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['create {"amount": 99, "deal_name": "F"}'], 'and is created anew');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L, %L)', :'lease', :'flying', 'f2', '2100-01-05T00:00:00Z'), ARRAY['done'], 'under a new id');
SELECT results_eq(format('SELECT external_id FROM crm_bridge.crm_deal WHERE id = %L', :'flying'), ARRAY['f2'], 'which it keeps');

UPDATE crm_bridge.crm_deal SET amount = 98 WHERE external_id = 'f2';
SELECT count(*) AS claimed FROM pg_temp.claim(:'lease') \gset
SELECT is(pg_temp.told('f2', '{"deleted": true}', '{}', '2100-01-06'), 'conflict', 'D2: a change that is in flight is a change too');
SELECT results_eq(format($$ SELECT state FROM crm_bridge.fail(%L, jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', %L, 'outcome', 'gone')), 1) $$, :'lease', :'flying'), ARRAY['pending'], 'the service says that there is no such record any more');
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['create {"amount": 98, "deal_name": "F"}'], 'and it is created anew');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, %L, %L)', :'lease', :'flying', 'f3', '2100-01-07T00:00:00Z'), ARRAY['done'], 'under its third id');

DELETE FROM crm_bridge.crm_deal WHERE external_id = 'f3';
SELECT is(pg_temp.told('f3', '{"version": "2100-01-08T00:00:00Z", "modified_at": "2100-01-08T00:00:00Z"}', '{"amount": 98}', '2100-01-08'), 'unchanged', 'deleted here, and read there as it is known: the deletion is on its way');
SELECT results_eq(format('SELECT * FROM pg_temp.claim(%L)', :'lease'), ARRAY['delete {}'], 'and is handed out');
SELECT results_eq(format('SELECT pg_temp.confirm(%L, %L, NULL, NULL)', :'lease', :'flying'), ARRAY['done'], 'and done');
SELECT is(pg_temp.told('f3', '{"version": "2100-01-08T00:00:00Z"}', '{"amount": 1}', '2000-01-01'), 'stale', 'a read from before our deletion does not bring it back');

SELECT * FROM finish();
ROLLBACK;
