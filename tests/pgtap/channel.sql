-- SPDX-License-Identifier: PostgreSQL
-- Notification channels: made, renewed before they lapse, made again after a loss, always caught up afterwards.
BEGIN;
\ir fixture/tools.psql
\ir fixture/organization.psql
\ir fixture/protocol.psql
SELECT plan(27);

CREATE FUNCTION pg_temp.at(passed interval)
RETURNS text
LANGUAGE sql
AS $$ SELECT set_config('crm_bridge.clock_offset', EXTRACT(epoch FROM passed)::bigint::text, true) $$;
CREATE FUNCTION pg_temp.step(lease uuid, token text DEFAULT 'a')
RETURNS text
LANGUAGE sql
AS $$ SELECT step FROM crm_bridge.next_channel_step('zoho_crm', '1000', token::bytea, lease, 1) $$;
CREATE FUNCTION pg_temp.tell(outcome text, lasts interval DEFAULT NULL, detail text DEFAULT NULL)
RETURNS void
LANGUAGE sql
AS $$ SELECT crm_bridge.record_channel('zoho_crm', '1000', outcome, crm_bridge._clock() + lasts, detail, 1) $$;
CREATE FUNCTION pg_temp.state()
RETURNS text
LANGUAGE sql
AS $$ SELECT state FROM crm_bridge.webhook_channel WHERE channel = '1000' $$;
SELECT crm_bridge.new_id() AS other \gset
SELECT crm_bridge.heartbeat(:'other', 'another', '1 hour') AS beat \gset

SELECT pg_temp.refused($$ SELECT crm_bridge.record_channel('zoho_crm', '1000', 'made', org_id => 1) $$, '42704', 'does not exist', 'an unknown channel is told');
SELECT is(pg_temp.step(:'lease'), 'make', 'a channel that was never made is made');
SELECT is(pg_temp.step(:'other'), 'none', 'of two workers one makes it');
SELECT is(pg_temp.step(:'lease'), 'make', 'whoever was interrupted may begin again');
SELECT pg_temp.refused($$ SELECT pg_temp.tell('opened') $$, '22023', 'made, renewed', 'an unknown outcome is refused');
SELECT pg_temp.tell('made', '6 days');
SELECT is(pg_temp.step(:'other'), 'catch_up', 'B9 what happened before it was made is caught up, by whoever comes');
SELECT is(pg_temp.step(:'lease'), 'none', 'of two workers one catches up');
SELECT pg_temp.tell('caught_up');
SELECT is(pg_temp.step(:'lease'), 'none', 'then nothing is due');
SELECT pg_temp.at('16 minutes');
SELECT is(pg_temp.step(:'lease'), 'check', 'now and then the service is asked whether it still has it');
SELECT pg_temp.tell('found', '6 days');
SELECT is(pg_temp.step(:'lease'), 'none', 'and it has');
SELECT pg_temp.at('95 hours');
SELECT is(pg_temp.step(:'lease'), 'check', 'before two thirds of its life it is not renewed');
SELECT pg_temp.at('97 hours');
SELECT is(pg_temp.step(:'lease'), 'renew', 'from then on it is, long before it lapses');
SELECT pg_temp.tell('renewed', '6 days');
SELECT is(pg_temp.step(:'lease'), 'none', 'a renewal has nothing to catch up');
SELECT pg_temp.at('98 hours');
SELECT pg_temp.step(:'lease') AS step \gset
SELECT pg_temp.tell('lost');
SELECT is(:'step' || ' ' || pg_temp.state(), 'check lost', 'a channel that the service has no more is lost');
SELECT is(pg_temp.step(:'lease'), 'make', 'and made again');
SELECT pg_temp.tell('made', '6 days');
SELECT is(pg_temp.step(:'lease'), 'catch_up', 'and caught up');
SELECT pg_temp.tell('caught_up');
SELECT is((SELECT losses FROM crm_bridge.webhook_channel), 1, 'the loss is counted');

-- Nobody was there for a week.
SELECT pg_temp.at('300 hours');
SELECT is(pg_temp.step(:'lease'), 'make', 'one that lapsed meanwhile is made again');
SELECT is(pg_temp.state(), 'lost', 'and counts as lost');
SELECT pg_temp.tell('refused', NULL, 'no permission');
SELECT is(pg_temp.step(:'lease'), 'none', 'a refusal is not repeated at once');
SELECT pg_temp.at('301 hours');
SELECT is(pg_temp.step(:'lease'), 'make', 'but later: a person may have mended it');
SELECT pg_temp.tell('made');
SELECT is((SELECT expires_at - made_at FROM crm_bridge.webhook_channel), interval '1 hour', 'a service that does not say how long means an hour');
SELECT pg_temp.step(:'lease') AS step \gset
SELECT pg_temp.tell('caught_up');

SELECT is(pg_temp.step(:'lease', 'b'), 'make', 'with another key the token is another: it is made anew');
SELECT pg_temp.tell('manual');
SELECT is(pg_temp.step(:'lease', 'b'), 'none', 'where a service has no call for it, a person sets it up');

-- Notices.
SELECT crm_bridge.store_notice('zoho_crm', '1000', 'crm_deal', ARRAY['1', '1', '2'], 'update', '{}', org_id => 1) AS stored \gset
SELECT is(:stored, 2, 'duplicates in a notice are one');
SELECT ok((SELECT last_notice_at > crm_bridge._clock() - interval '1 minute' FROM crm_bridge.webhook_channel), 'the channel shows when it was heard last');
SELECT is(crm_bridge.store_notice('zoho_crm', 'relay', 'crm_deal', ARRAY['1'], 'update', '', org_id => 1), 0, 'what waits to be read again needs no second notice');

SELECT * FROM finish();
ROLLBACK;
