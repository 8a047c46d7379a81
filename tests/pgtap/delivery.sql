-- SPDX-License-Identifier: PostgreSQL
-- The protocol played from SQL alone: what is handed out, confirmed, repeated, parked, given up (design §7, docs/protocol.md).
BEGIN;
\ir fixture/tools.psql
SELECT plan(107);
\ir fixture/organization.psql
\ir fixture/history.psql

SELECT crm_bridge.new_id() AS lease, crm_bridge.new_id() AS other \gset
SELECT crm_bridge.heartbeat(:'lease', 'one', '1 hour') AS beat \gset
SELECT crm_bridge.heartbeat(:'other', 'two', '1 hour') AS beat \gset
SELECT crm_bridge.new_id() AS account, crm_bridge.new_id() AS deal \gset

CREATE FUNCTION pg_temp.acknowledged(lease uuid, record uuid, external_id text DEFAULT NULL, version timestamptz DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql AS $$
  SELECT a.outcome FROM crm_bridge.acknowledge(lease, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
    'module', 'crm_deal', 'record_id', record, 'external_id', external_id, 'version', version))), 1) AS a $$;
CREATE FUNCTION pg_temp.failed(lease uuid, record uuid, outcome text, retry_after bigint DEFAULT NULL, reason text DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql AS $$
  SELECT f.state FROM crm_bridge.fail(lease, jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
    'module', 'crm_deal', 'record_id', record, 'outcome', outcome, 'retry_after', retry_after, 'reason', reason, 'detail', 'the service''s words'))), 1) AS f $$;
CREATE FUNCTION pg_temp.claimed(lease uuid, OUT operation text, OUT fields jsonb, OUT attempt integer, OUT in_doubt boolean)
RETURNS SETOF record LANGUAGE sql AS $$
  SELECT c.operation, c.fields, c.attempt, c.in_doubt FROM crm_bridge.claim('zoho_crm', 100, lease, org_id => 1) AS c $$;
CREATE TEMP VIEW row_of AS SELECT d.state, d.fields, d.generation, d.attempts, d.in_doubt, d.sent, d.lease, d.reason, d.detail, d.not_before FROM crm_bridge.delivery AS d;

-- Coalescing and handing out ---------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_deal (id, deal_name) VALUES (:'deal', 'Routers');
DO $$ BEGIN FOR n IN 1 .. 50 LOOP UPDATE crm_bridge.crm_deal SET amount = n; END LOOP; END $$;
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 1::bigint, 'B10: fifty updates of a record are one row');
SELECT is((SELECT generation FROM row_of), 1::bigint, 'the generation need not move while nobody has it');
SELECT results_eq($$ SELECT * FROM crm_bridge.backlog('zoho_crm') $$, ARRAY[1::bigint], 'backlog names the organization');
SELECT is_empty($$ SELECT * FROM crm_bridge.backlog('zoho_projects') $$, 'for the service that lacks it only');
SELECT is_empty(format($$ SELECT * FROM crm_bridge.claim('zoho_crm', 10, %L, '{crm_deal}', 1) $$, :'lease'), 'B10: a module whose budget is used up is passed over');
SELECT results_eq(format($$ SELECT module, record_id, operation, external_id, version, fields, context, attempt, in_doubt FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'),
  format($$ VALUES ('crm_deal', %L::uuid, 'create', NULL, NULL::timestamptz, '{"deal_name": "Routers", "amount": 50}'::jsonb, '{}'::jsonb, 1, false) $$, :'deal'),
  'a create is handed out with all that is not empty');
SELECT results_eq('SELECT state, fields, sent, lease FROM row_of', format($$ VALUES ('in_flight', '{}'::text[], '{"deal_name": "Routers", "amount": 50}'::jsonb, %L::uuid) $$, :'lease'), 'design §7: what is sent is stored before it is handed out');
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'other'), 'one record is with one worker');
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), 'and is handed out once');
SELECT is_empty($$ SELECT * FROM crm_bridge.backlog('zoho_crm') $$, 'nothing is due any more');

-- Edited while it is in flight -------------------------------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 60, next_step = 'call';
SELECT results_eq('SELECT state, fields, generation FROM row_of', $$ VALUES ('in_flight', '{amount,next_step}'::text[], 2::bigint) $$, 'an edit in flight is noted for later');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L, %L, %L)', :'lease', :'deal', 'd1', '2026-03-01 09:15:00+05:30'), ARRAY['pending'], 'acknowledge: the record was changed again');
SELECT results_eq('SELECT external_id, state, version, fields FROM crm_bridge.shadow', $$ VALUES ('d1', 'live', '2026-03-01 03:45:00+00'::timestamptz, '{"deal_name": "Routers", "amount": 50}'::jsonb) $$, 'design §7: what was sent and the version are folded into the shadow');
SELECT is((SELECT external_id FROM crm_bridge.crm_deal), 'd1', 'and the row has its external id');
SELECT is((SELECT origin FROM crm_bridge.crm_deal), 'app', 'which is no change of the record');
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'other'), $$ VALUES ('update', '{"amount": 60, "next_step": "call"}'::jsonb, 1, false) $$, 'then the rest is handed out, as an update of the changed fields');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L, %L, %L)', :'other', :'deal', 'd1', '2026-03-01 09:16:00+05:30'), ARRAY['done'], 'acknowledge: done');
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 0::bigint, 'the row is gone');
SELECT is((SELECT fields FROM crm_bridge.shadow), '{"deal_name": "Routers", "amount": 60, "next_step": "call"}', 'the shadow has all of it');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L, %L, %L)', :'other', :'deal', 'd1', '2026-03-01 09:10:00+05:30'), ARRAY['late'], 'acknowledge again does no harm');
SELECT is((SELECT version FROM crm_bridge.shadow), '2026-03-01 03:46:00+00'::timestamptz, 'and a version never goes back');

-- The trap of design §11: an edit between two claims is sent with its own value.
UPDATE crm_bridge.crm_deal SET amount = 61;
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"amount": 61}'::jsonb, 1, false) $$, 'an update sends what changed, as it is now');
UPDATE crm_bridge.crm_deal SET amount = 60;
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L)', :'lease', :'deal'), ARRAY['pending'], 'a value that is changed back in flight is due again');
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"amount": 60}'::jsonb, 1, false) $$, 'and is sent again');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L)', :'lease', :'deal'), ARRAY['done'], 'without a version or an id the answer counts as well');

-- Failures ---------------------------------------------------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 1;
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
UPDATE crm_bridge.crm_deal SET stage = 'Qualification';
SELECT results_eq(format('SELECT pg_temp.failed(%L, %L, %L, 60000, %L)', :'lease', :'deal', 'retry', 'rate_limited'), ARRAY['pending'], 'fail retry: later again');
SELECT results_eq('SELECT state, fields, attempts, in_doubt, sent, reason, detail, not_before >= now() + interval ''60 s'' FROM row_of',
  $$ VALUES ('pending', '{amount,stage}'::text[], 1, false, NULL::jsonb, 'rate_limited', 'the service''s words', true) $$, 'with what was sent dirty again, the service''s own words, and not before its Retry-After');
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), 'it is not due yet');
SELECT is_empty($$ SELECT * FROM crm_bridge.backlog('zoho_crm') $$, 'nor in the backlog');
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"amount": 1, "stage": "Qualification"}'::jsonb, 2, false) $$, 'when it is due it is the second attempt');
SELECT results_eq(format('SELECT pg_temp.failed(%L, %L, %L)', :'lease', :'deal', 'in_doubt'), ARRAY['pending'], 'fail in_doubt: the answer was lost');
SELECT results_eq('SELECT state, in_doubt, sent FROM row_of', $$ VALUES ('pending', true, '{"amount": 1, "stage": "Qualification"}'::jsonb) $$, 'B9: what may have arrived stays known');
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT results_eq(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"amount": 1, "stage": "Qualification"}'::jsonb, 3, true) $$, 'and the next attempt is told of the doubt');
SELECT results_eq(format('SELECT pg_temp.failed(%L, %L, %L)', :'lease', :'deal', 'release'), ARRAY['pending'], 'fail release: it was not sent');
SELECT results_eq('SELECT attempts, not_before FROM row_of', $$ VALUES (2, '-infinity'::timestamptz) $$, 'which is no attempt and costs no wait');
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
SELECT results_eq(format('SELECT pg_temp.failed(%L, %L, %L, NULL, %L)', :'lease', :'deal', 'park', 'invalid_data'), ARRAY['parked'], 'fail park: a person must look');
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), 'a parked record is not handed out');
SELECT results_eq('SELECT d.record_id, d.state, d.reason, d.detail FROM crm_bridge.dead_letters AS d', format($$ VALUES (%L::uuid, 'parked', 'invalid_data', 'the service''s words') $$, :'deal'), 'and is listed with the service''s words');
SELECT is(crm_bridge.retry(:'deal'), 1, 'retry makes it due again');
SELECT results_eq('SELECT state, attempts FROM row_of', $$ VALUES ('pending', 0) $$, 'from the first attempt');
SELECT pg_temp.refused(format('SELECT crm_bridge.retry(%L)', :'deal'), '42704', 'neither parked nor dead', 'retry of what is neither parked nor dead is a mistake');
SELECT is(crm_bridge.retry(), 0, 'retry of all of them may find none');
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
SELECT * FROM pg_temp.failed(:'lease', :'deal', 'park') \gset
UPDATE crm_bridge.crm_deal SET amount = 2;
SELECT results_eq('SELECT state, attempts FROM row_of', $$ VALUES ('pending', 0) $$, 'editing a parked record makes it due too: what had to be mended may be');
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
SELECT results_eq(format('SELECT pg_temp.failed(%L, %L, %L)', :'lease', :'deal', 'gone'), ARRAY['parked'], 'fail gone, of an update: a person must look');
SELECT crm_bridge.set_setting('maximum_attempts', '3') AS done \gset
SELECT crm_bridge.retry() AS retried \gset
DO $$
DECLARE
  worker uuid := (SELECT l.lease FROM crm_bridge.lease AS l WHERE l.worker = 'one');
BEGIN
  FOR n IN 1 .. 3 LOOP
    UPDATE crm_bridge.delivery SET not_before = '-infinity';
    PERFORM pg_temp.failed(worker, c.record_id, 'retry') FROM crm_bridge.claim('zoho_crm', 1, worker, org_id => 1) AS c;
  END LOOP;
END
$$;
SELECT results_eq('SELECT state, attempts FROM row_of', $$ VALUES ('dead', 3) $$, 'P4: after maximum_attempts it is a dead letter');
SELECT is((SELECT count(*) FROM crm_bridge.dead_letters WHERE state = 'dead'), 1::bigint, 'and is listed');
SELECT is(crm_bridge.retry(), 1, 'retry without an argument takes dead ones too');
SELECT pg_temp.refused(format('SELECT * FROM pg_temp.failed(%L, %L, %L)', :'lease', :'deal', 'exploded'), '22023', 'outcome "exploded" is not known.*\s*.*retry, in_doubt, release, park or gone', 'an unknown outcome');
SELECT pg_temp.refused(format('SELECT * FROM crm_bridge.fail(%L, %L)', :'lease', '{}'), '22023', 'failures must be a JSON array', 'failures that are no array');
SELECT pg_temp.refused(format('SELECT * FROM crm_bridge.acknowledge(%L, %L)', :'lease', '{}'), '22023', 'results must be a JSON array', 'results that are no array');
SELECT is_empty(format('SELECT * FROM pg_temp.failed(%L, %L, %L)', :'other', :'deal', 'retry'), 'who does not hold a record cannot fail it');

-- Leases -----------------------------------------------------------------------------------------------------------

SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
UPDATE crm_bridge.lease SET renewed_at = renewed_at - interval '2 hours' WHERE lease = :'lease';
SELECT results_eq($$ SELECT * FROM crm_bridge.backlog('zoho_crm') $$, ARRAY[1::bigint], 'P6: what a dead worker held is due again');
SELECT results_eq(format('SELECT operation, attempt, in_doubt FROM pg_temp.claimed(%L)', :'other'), $$ VALUES ('update', 2, true) $$, 'and is handed out again, in doubt');
SELECT is_empty(format('SELECT * FROM pg_temp.failed(%L, %L, %L)', :'lease', :'deal', 'park'), 'T08: the late worker settles nothing');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L, %L, %L)', :'lease', :'deal', 'd1', '2026-04-01'), ARRAY['late'], 'T08: its answer is late');
SELECT is((SELECT version FROM crm_bridge.shadow), '2026-04-01'::timestamptz, 'but the version is taken all the same');
SELECT is((SELECT lease FROM row_of), :'other'::uuid, 'the other one still has it');
SELECT is(crm_bridge.end_lease(:'other'), 1, 'end_lease gives back what a worker holds');
SELECT results_eq('SELECT state, in_doubt FROM row_of', $$ VALUES ('pending', true) $$, 'in doubt, since nobody knows whether it was sent');
SELECT crm_bridge.heartbeat(:'lease', 'one', '1 hour') AS beat \gset
SELECT is((SELECT lasts FROM crm_bridge.lease WHERE lease = :'lease'), interval '1 hour', 'a heartbeat revives a lease');
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L)', :'lease', :'deal'), ARRAY['done'], 'and all is well');
SELECT pg_temp.refused(format('SELECT * FROM crm_bridge.claim(%L, 0, %L)', 'zoho_crm', :'lease'), '22023', 'limit', 'a limit of none');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.claim('zoho_crm', 1, NULL) $$, '22023', 'lease must not be null', 'no lease');
SELECT pg_temp.refused($$ SELECT crm_bridge.heartbeat(crm_bridge.new_id(), 'w', '0') $$, '23514', 'lease_lasts', 'a heartbeat that does not last');

-- References -------------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_account (id, account_name) VALUES (:'account', 'Acme');
UPDATE crm_bridge.crm_deal SET account_id = :'account', amount = 3;
SELECT results_eq(format($$ SELECT module, operation, fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'),
  $$ VALUES ('crm_account', 'create', '{"account_name": "Acme"}'::jsonb) $$, 'B6: parents first: a deal waits for its account');
SELECT results_eq(format('SELECT d.state, d.waits_for, d.stopped, d.attempts, d.lease FROM crm_bridge.delivery AS d WHERE d.record_id = %L', :'deal'),
  format($$ VALUES ('waiting', %L::uuid, true, 0, NULL::uuid) $$, :'account'), 'it says for whom it waits, and no attempt is counted');
SELECT results_eq(format($$ SELECT outcome FROM crm_bridge.acknowledge(%L, jsonb_build_array(jsonb_build_object('module', 'crm_account', 'record_id', %L, 'external_id', 'a1')), 1) $$, :'lease', :'account'), ARRAY['done'], 'the account is created');
SELECT results_eq(format($$ SELECT module, operation, external_id, fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'),
  $$ VALUES ('crm_deal', 'update', 'd1', '{"account_id": "a1", "amount": 3}'::jsonb) $$, 'which wakes the deal; references travel as external ids');
SELECT is((SELECT d.sent ->> 'account_id' FROM crm_bridge.delivery AS d), :'account', 'and are kept as our own');
SELECT * FROM pg_temp.acknowledged(:'lease', :'deal') \gset
UPDATE crm_bridge.crm_deal SET contact_id = crm_bridge.new_id();
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), 'a reference to nobody is waited for');
UPDATE crm_bridge.crm_deal SET contact_id = NULL;
SELECT results_eq(format('SELECT operation, fields FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('update', '{"contact_id": null}'::jsonb) $$, 'until it is taken back: an emptied field is sent as null');
SELECT * FROM pg_temp.acknowledged(:'lease', :'deal') \gset

-- External ids -----------------------------------------------------------------------------------------------------

UPDATE crm_bridge.crm_deal SET amount = 4;
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L, %L)', :'lease', :'deal', 'd2'), ARRAY['duplicate'], 'B3: a second external id is a duplicate');
SELECT is((SELECT external_id FROM crm_bridge.crm_deal), 'd1', 'the record keeps its first');
SELECT results_eq(format('SELECT operation, external_id, fields FROM crm_bridge.claim(%L, 10, %L, org_id => 1)', 'zoho_crm', :'lease'), $$ VALUES ('delete', 'd2', '{}'::jsonb) $$, 'and the second is to be deleted at the service');
SELECT results_eq(format($$ SELECT s FROM (SELECT record_id FROM crm_bridge.delivery) AS d CROSS JOIN LATERAL pg_temp.acknowledged(%L, d.record_id) AS s $$, :'lease'), ARRAY['done'], 'which is done');
SELECT is((SELECT state FROM crm_bridge.shadow WHERE external_id = 'd2'), 'gone', 'and remembered');
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 0::bigint, 'nothing is left');

-- Deletions --------------------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS short \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name) VALUES (:'short', 'Short-lived');
DELETE FROM crm_bridge.crm_deal WHERE id = :'short';
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 0::bigint, 'what was never created need not be deleted');
INSERT INTO crm_bridge.crm_deal (id, deal_name) VALUES (:'short', 'In flight');
SELECT * FROM pg_temp.claimed(:'lease') \gset claimed_
DELETE FROM crm_bridge.crm_deal WHERE id = :'short';
SELECT results_eq('SELECT d.operation, d.state FROM crm_bridge.delivery AS d', $$ VALUES ('delete', 'in_flight') $$, 'deleted while its create is in flight');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L, %L)', :'lease', :'short', 'd3'), ARRAY['pending'], 'when the create is confirmed the deletion is due');
SELECT results_eq(format('SELECT operation, external_id FROM crm_bridge.claim(%L, 10, %L, org_id => 1)', 'zoho_crm', :'lease'), $$ VALUES ('delete', 'd3') $$, 'and is handed out with the new id');
SELECT results_eq(format('SELECT pg_temp.acknowledged(%L, %L)', :'lease', :'short'), ARRAY['done'], 'and done');
DELETE FROM crm_bridge.crm_deal WHERE id = :'deal';
SELECT results_eq(format('SELECT operation, external_id, version FROM crm_bridge.claim(%L, 10, %L, org_id => 1)', 'zoho_crm', :'lease'), $$ VALUES ('delete', 'd1', '2026-04-01'::timestamptz) $$, 'a live record''s deletion is handed out');
SELECT results_eq(format('SELECT pg_temp.failed(%L, %L, %L)', :'lease', :'deal', 'gone'), ARRAY['done'], 'deleting what is gone already is done');
SELECT results_eq(format('SELECT state, fields FROM crm_bridge.shadow WHERE record_id = %L', :'deal'), $$ VALUES ('gone', '{}'::jsonb) $$, 'the shadow remembers that it is gone, not what it was');
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 0::bigint, 'nothing is left');

-- A service that is paused, an installation that is not armed ------------------------------------------------------

SELECT crm_bridge.new_id() AS next \gset
INSERT INTO crm_bridge.crm_deal (id, deal_name) VALUES (:'next', 'Next');
SELECT crm_bridge.pause('zoho_crm', 'maintenance') AS done \gset
SELECT is_empty($$ SELECT * FROM crm_bridge.backlog('zoho_crm') $$, 'D11: a paused service has no backlog');
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), 'and hands out nothing');
SELECT pg_temp.refused($$ SELECT crm_bridge.pause('zoho_crm') $$, '55000', 'service "zoho_crm" is not active', 'it is not paused twice');
SELECT crm_bridge.resume('zoho_crm') AS done \gset
SELECT results_eq(format('SELECT operation FROM pg_temp.claimed(%L)', :'lease'), ARRAY['create'], 'nothing is lost');
SELECT pg_temp.refused($$ SELECT crm_bridge.resume('zoho_crm') $$, '55000', 'is not stopped', 'nor resumed twice');

UPDATE crm_bridge.installation SET system_identifier = 1;
SELECT pg_temp.refused(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), '55000', 'another server[\s\S]*start_here\(''promoted''\)', 'design §3: a copy of the database does not send');
SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.receive('crm_deal', '[]', now()) $$, '55000', 'another server', 'nor receive');
UPDATE crm_bridge.crm_deal SET amount = 9;
SELECT is((SELECT d.fields FROM crm_bridge.delivery AS d), '{amount}', 'but goes on capturing');
SELECT pg_temp.refused($$ SELECT crm_bridge.start_here('moved') $$, '22023', 'reason "moved"[\s\S]*restored, promoted or upgraded', 'start_here wants a reason that it knows');
SELECT is(crm_bridge.start_here('promoted'), 2, 'start_here arms it, in a new epoch');
SELECT results_eq('SELECT state, in_doubt, fields FROM row_of', $$ VALUES ('pending', true, '{amount,deal_name}'::text[]) $$, 'what was in flight is in doubt: it is looked up, not repeated');
SELECT set_eq('SELECT c.service, c.kind FROM crm_bridge.command AS c', $$ VALUES ('zoho_crm', 'initial_sync') $$, 'and every active service is read first');
SELECT is_empty(format('SELECT * FROM pg_temp.claimed(%L)', :'lease'), 'nothing is sent before that');
SELECT crm_bridge.finish_command(c.command_id, 'done', NULL, 1) FROM crm_bridge.next_command('zoho_crm', :'lease', 1) AS c \g /dev/null
SELECT results_eq(format('SELECT operation, attempt, in_doubt FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('create', 2, true) $$, 'then it sends again');

-- Custom fields -----------------------------------------------------------------------------------------------------

DELETE FROM crm_bridge.crm_deal;
DELETE FROM crm_bridge.delivery;
SELECT crm_bridge.store_fields('crm_deal', '[{"api_name": "Region", "type": "text", "writable": true}, {"api_name": "Score", "type": "number", "writable": false}]', 1) AS stored \gset
INSERT INTO crm_bridge.crm_deal (deal_name, custom_fields) VALUES ('Routers', '{"Region": "North", "Score": 7, "Regoin": "East", "Empty": null}');
SELECT results_eq(format('SELECT fields FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES ('{"deal_name": "Routers", "Region": "North"}'::jsonb) $$, 'R25: of custom fields those are sent that the service takes');
SELECT results_eq('SELECT field, reason, detail, value FROM crm_bridge.refusal ORDER BY field', $$ VALUES
  ('Regoin', 'field_unknown', 'The service has no field "Regoin" for a deal.', '"East"'::jsonb),
  ('Score', 'field_read_only', 'The service takes no value for field "Score".', '7') $$, 'D12: what stays here is noted with its reason');
SELECT is((SELECT f.state FROM crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', (SELECT d.id FROM crm_bridge.crm_deal AS d), 'outcome', 'retry', 'reason', 'outage')), 1) AS f), 'pending', 'an attempt fails');
UPDATE crm_bridge.delivery SET not_before = '-infinity';
SELECT results_eq(format('SELECT attempt, (SELECT count(*) FROM crm_bridge.refusal) FROM pg_temp.claimed(%L)', :'lease'), $$ VALUES (2, 2::bigint) $$, 'and the next one does not note it again');

-- Backoff ----------------------------------------------------------------------------------------------------------

SELECT ok(every(crm_bridge.retry_delay(n % 40 + 1) BETWEEN '0' AND least(interval '1 s' * 2 ^ least(n % 40, 20), '15 min')), 'T12: exponential with full jitter, at most 15 minutes') FROM generate_series(0, 3999) AS n;
SELECT ok(max(crm_bridge.retry_delay(11)) > interval '7 min' AND min(crm_bridge.retry_delay(11)) < interval '8 min', 'T12: spread over the whole range') FROM generate_series(1, 500) AS n;
SELECT ok(every(crm_bridge.retry_delay(1, 90000) >= '90 s'), 'T12: never earlier than the service said') FROM generate_series(1, 500) AS n;

SELECT * FROM finish();
ROLLBACK;
