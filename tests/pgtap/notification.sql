-- SPDX-License-Identifier: PostgreSQL
-- Mails: queued once, handed to one worker, sent at most once, in nobody's way.
BEGIN;
\ir fixture/tools.psql
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
SELECT plan(77);

CREATE FUNCTION pg_temp.at(passed interval)
RETURNS text
LANGUAGE sql
AS $$ SELECT set_config('crm_bridge.clock_offset', EXTRACT(epoch FROM passed)::bigint::text, true) $$;
CREATE FUNCTION pg_temp.notify(recipient text, cause uuid DEFAULT NULL, task text DEFAULT 'Routers')
RETURNS uuid
LANGUAGE sql
AS $$ SELECT crm_bridge._notify(1, recipient, 'due_date_refused', jsonb_build_object('task', task), cause => cause) $$;
CREATE FUNCTION pg_temp.take(lease uuid, "limit" integer DEFAULT 100)
RETURNS SETOF text
LANGUAGE sql
AS $$ SELECT format('%s|%s|%s', t.recipient, t.locale, t.subject) FROM crm_bridge.take_notifications(lease, "limit", 1) AS t ORDER BY t.queued_at, t.notification_id $$;
CREATE FUNCTION pg_temp.state(id uuid)
RETURNS text
LANGUAGE sql
AS $$ SELECT concat_ws(' ', n.state, n.reason, n.attempts) FROM crm_bridge.notification AS n WHERE n.notification_id = id $$;
SELECT crm_bridge.new_id() AS cause, crm_bridge.new_id() AS other \gset
SELECT crm_bridge.heartbeat(:'other', 'another', '1 hour') AS beat \gset

-- Queued ---------------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge._notify(1, 'a@b.example', 'gossip', '{}') $$, '22023', 'message_text', 'an unknown kind is refused');
SELECT pg_temp.refused($$ SELECT crm_bridge._notify(1, 'a@b.example', 'key_stale', '[]') $$, '22023', 'object', 'so are facts that are no object');
SELECT pg_temp.notify('mira@zylker.example', :'cause') AS first \gset
SELECT is(pg_temp.notify('mira@zylker.example', :'cause'), :'first'::uuid, 'R81: of one cause a person gets one mail, however often it is processed');
SELECT isnt(pg_temp.notify('ben@zylker.example', :'cause'), :'first'::uuid, 'another person gets one too');
SELECT is((SELECT count(*) FROM crm_bridge.notification), 2::bigint, 'which makes two');
SELECT is(pg_temp.state(pg_temp.notify(a)), 'undeliverable bad_address 0', format('"%s" is no address: the mail is kept for people to see, and its cause is not failed', a))
  FROM unnest(ARRAY[NULL, '', 'mira', 'a@b@c.example', E'a@b.example\r\nBcc: c@d.example', 'a b@c.example', 'mïra@zylker.example', '<a@b.example>', 'a@b.example,c@d.example', '"a b"@c.example', repeat('a', 250) || '@b.example']) AS a;
SELECT is(pg_temp.state(pg_temp.notify('  o''hara+x@zylker.example  ')), 'queued 0', 'what a person may have is taken');
SELECT is(pg_temp.state(pg_temp.notify('mira@bücher.example')), 'queued 0', 'an internationalized domain too');
DELETE FROM crm_bridge.notification WHERE notification_id <> :'first';
SELECT is(crm_bridge.retry_notification(), 0, 'nothing is undeliverable now');

-- In whose language ------------------------------------------------------------------------------------------------------

SELECT count(*) AS received FROM crm_bridge.receive('crm_user',
  '[{"external_id": "c-mira", "version": "2030-01-01T00:00:00Z", "fields": {"locale": "de_DE"}}, {"external_id": "c-carl", "version": "2030-01-01T00:00:00Z", "fields": {"locale": "es_ES"}}]', clock_timestamp()) \gset
SELECT pg_temp.refused($$ SELECT crm_bridge.set_setting('default_locale', '"es"', 1) $$, '22023', 'fr, ja', 'a language without texts is no default');
SELECT crm_bridge.set_setting('default_locale', '"fr_CA"', 1);
SELECT is(ARRAY(SELECT crm_bridge._locale_for(a, 1) FROM unnest(ARRAY['MIRA@zylker.example', 'carl@zylker.example', 'ben@zylker.example', 'x@y.example']) AS a),
  ARRAY['de_DE', 'fr_CA', 'fr_CA', 'fr_CA'], 'D10: the user''s locale, else the organization''s');
SELECT is(crm_bridge._locale_for('mira@zylker.example', 2), 'en', 'else English; another organization''s user is nobody''s');
SELECT is((SELECT subject FROM crm_bridge.preview_notification(:'first')), 'Fälligkeitsdatum nicht geändert: Routers', 'a person sees the mail before it goes');
SELECT matches((SELECT body FROM crm_bridge.preview_notification(:'first', 'en')), '\n\n-- \nThis message was sent automatically by crm_bridge for Zylker\. Replies', 'also in another language, with its footer');
SELECT pg_temp.refused($$ SELECT crm_bridge.preview_notification(crm_bridge.new_id()) $$, '42704', 'notifications', 'a mail that there is not');

-- Handed to a worker ---------------------------------------------------------------------------------------------------

SELECT results_eq('SELECT crm_bridge.notification_backlog()', ARRAY[1::bigint], 'the organization has mails');
SELECT results_eq(format('SELECT pg_temp.take(%L)', :'lease'), ARRAY['mira@zylker.example|de_DE|Fälligkeitsdatum nicht geändert: Routers'], 'a worker gets it, rendered');
SELECT is_empty(format('SELECT pg_temp.take(%L)', :'other'), 'another does not');
SELECT is_empty('SELECT crm_bridge.notification_backlog()', 'nothing else waits');
SELECT is(crm_bridge.hand_over_notification(:'other', :'first', 1), false, 'only who holds it may let the last byte leave');
SELECT is(crm_bridge.finish_notification(:'lease', :'first', 'retry', 'greylisted', '451 later', 1), 'queued', 'what the server does not take now');
SELECT is_empty('SELECT crm_bridge.notification_backlog()', 'waits a while');
SELECT pg_temp.at('1 minute');
SELECT is(count(*), 1::bigint, 'and is sent again') FROM pg_temp.take(:'lease');
SELECT is(crm_bridge.finish_notification(:'lease', :'first', 'release', org_id => 1), 'queued', 'what was not tried is given back');
SELECT is(pg_temp.state(:'first'), 'queued greylisted 1', 'and does not count as an attempt');
SELECT pg_temp.take(:'lease') AS taken \gset
SELECT is(crm_bridge.hand_over_notification(:'lease', :'first', 1), true, 'the last byte may leave');
SELECT pg_temp.refused(format('SELECT crm_bridge.finish_notification(%L, %L, %L, org_id => 1)', :'lease', :'first', 'lost'), '22023', 'in_doubt', 'an unknown outcome');
SELECT is(crm_bridge.finish_notification(:'lease', :'first', 'sent', org_id => 1), 'sent', 'R81: it is sent');
SELECT is(crm_bridge.finish_notification(:'lease', :'first', 'retry', org_id => 1), 'late', 'and stays so');
SELECT is(pg_temp.notify('mira@zylker.example', :'cause'), :'first'::uuid, 'R81: its cause brings no other');
SELECT is_empty(format('SELECT pg_temp.take(%L)', :'lease'), 'nothing is left to send');

-- Workers that end -----------------------------------------------------------------------------------------------------

SELECT pg_temp.notify('mira@zylker.example') AS early, pg_temp.notify('ben@zylker.example') AS late \gset
SELECT count(*) AS taken FROM pg_temp.take(:'lease') \gset
SELECT crm_bridge.hand_over_notification(:'lease', :'late', 1) AS may \gset
DELETE FROM crm_bridge.lease WHERE lease = :'lease';
SELECT results_eq('SELECT crm_bridge.notification_backlog()', ARRAY[1::bigint], 'mails of a worker that died are due');
SELECT results_eq(format('SELECT pg_temp.take(%L)', :'other'), ARRAY['mira@zylker.example|de_DE|Fälligkeitsdatum nicht geändert: Routers'], 'what it had not handed over is sent by another');
SELECT is(pg_temp.state(:'late'), 'in_doubt worker_ended 1', 'what it had is never sent again by itself');
SELECT is(crm_bridge.hand_over_notification(:'lease', :'early', 1), false, 'the first worker, if it lives after all, must break off');
SELECT is(crm_bridge.finish_notification(:'lease', :'late', 'sent', org_id => 1), 'sent', 'but what it knows of the mail in doubt counts');
SELECT crm_bridge.hand_over_notification(:'other', :'early', 1) AS may \gset
SELECT is(crm_bridge.finish_notification(:'other', :'early', 'in_doubt', 'answer_lost', 'the connection was lost', 1), 'in_doubt', 'an answer that was lost leaves the mail in doubt');
SELECT is_empty('SELECT crm_bridge.notification_backlog()', 'and nobody sends it');
SELECT is((SELECT needs_decision FROM crm_bridge.notifications WHERE notification_id = :'early'), true, 'a person sees it');
SELECT is(crm_bridge.retry_notification(:'early'), 1, 'and may send it again');
SELECT pg_temp.refused(format('SELECT crm_bridge.retry_notification(%L)', :'early'), '42704', 'notifications', 'but not one that is on its way');
SELECT count(*) AS taken FROM pg_temp.take(:'other') \gset
SELECT is(crm_bridge.end_lease(:'other'), 1, 'a worker that stops gives back what it holds');
SELECT is(pg_temp.state(:'early'), 'queued answer_lost 0', 'to be sent by the next');
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset
SELECT count(*) AS taken FROM pg_temp.take(:'lease') \gset
SELECT crm_bridge.set_setting('maximum_attempts', '1', 1);
SELECT is(crm_bridge.finish_notification(:'lease', :'early', 'retry', 'busy', '450 busy', 1), 'undeliverable', 'attempts are used up some day');

-- Not too many -----------------------------------------------------------------------------------------------------------

DELETE FROM crm_bridge.notification;
SELECT crm_bridge.set_setting('mails_per_recipient_hour', '5', 1);
SELECT count(pg_temp.notify('Ben@zylker.example', NULL, 'Task ' || n)) AS queued FROM generate_series(1, 5000) AS n \gset
SELECT count(pg_temp.notify('mira@zylker.example', NULL, 'Mine')) AS queued \gset
SELECT results_eq(format('SELECT pg_temp.take(%L)', :'lease'), ARRAY['Ben@zylker.example|fr_CA|Date d’échéance non modifiée : Task 1', 'Ben@zylker.example|fr_CA|Date d’échéance non modifiée : Task 2',
  'Ben@zylker.example|fr_CA|Date d’échéance non modifiée : Task 3', 'Ben@zylker.example|fr_CA|Date d’échéance non modifiée : Task 4', 'mira@zylker.example|de_DE|Fälligkeitsdatum nicht geändert: Mine',
  E'Ben@zylker.example|fr_CA|4\u00a0996 autres messages en un seul'], 'B7: of 5,000 mails to one person four go out, and one that stands for the others; nobody else waits');
SELECT matches((SELECT body FROM crm_bridge.preview_notification((SELECT notification_id FROM crm_bridge.notification WHERE kind = 'more_mails'))), '- Date d’échéance non modifiée : 4.996\n', 'it says what they were');
SELECT is((SELECT count(*) FROM crm_bridge.notifications WHERE state = 'summarized' AND summary_id IS NOT NULL), 4996::bigint, 'and each of them can be looked at');
SELECT count(crm_bridge.finish_notification(:'lease', n.notification_id, 'sent', org_id => 1)) AS sent FROM crm_bridge.notification AS n WHERE n.state = 'sending' \gset
SELECT count(pg_temp.notify('ben@zylker.example', NULL, 'Later')) AS queued \gset
SELECT is_empty(format('SELECT pg_temp.take(%L)', :'lease'), 'for the rest of the hour the person gets nothing more');
SELECT pg_temp.at('62 minutes');
SELECT results_eq(format('SELECT pg_temp.take(%L)', :'lease'), ARRAY['ben@zylker.example|fr_CA|Date d’échéance non modifiée : Later'], 'then it goes on');
SELECT crm_bridge.set_setting('mails_per_minute', '2', 1);
SELECT count(pg_temp.notify(n || '@zylker.example')) AS queued FROM generate_series(1, 5) AS n \gset
SELECT is(count(*), 1::bigint, 'the organization''s limit: two a minute, one of them taken already') FROM pg_temp.take(:'lease');
SELECT pg_temp.at('64 minutes');
SELECT is(count(*), 2::bigint, 'two in the next') FROM pg_temp.take(:'lease');
INSERT INTO crm_bridge.notification (org_id, recipient, kind) VALUES (1, 'mira@zylker.example', 'of another version');
SELECT pg_temp.at('66 minutes');
SELECT count(*) AS taken FROM pg_temp.take(:'lease') \gset
SELECT pg_temp.at('68 minutes');
SELECT count(*) AS taken FROM pg_temp.take(:'lease') \gset
SELECT is((SELECT string_agg(DISTINCT state, ' ') FROM crm_bridge.notification WHERE kind = 'of another version'), 'undeliverable', 'a mail without a text keeps no other from going out');

-- Where it is not known whether it was sent ------------------------------------------------------------------------------

SELECT pg_temp.notify('carl@zylker.example') AS waiting \gset
SELECT crm_bridge.start_here('promoted') AS epoch \gset
SELECT is(pg_temp.state(:'waiting'), 'queued 0', 'after a promotion what was queued is sent');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.notification WHERE state = 'sending' $$, 'what was being sent is in doubt');
SELECT crm_bridge.start_here('restored') AS epoch \gset
SELECT is(pg_temp.state(:'waiting'), 'in_doubt restored 0', 'after a restore nothing is sent twice: the dump''s server has probably sent it');

-- Before the trial ends (R2) --------------------------------------------------------------------------------------------

SELECT crm_bridge.create_organization(3, 'Free', 'free') AS org, pg_temp.at('0') AS now \gset
SELECT crm_bridge.activate_projects(3) AS command \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_portal', '[{"external_id": "p", "fields": {"name": "Free"}}]', clock_timestamp(), org_id => 3) \gset
SELECT crm_bridge.choose_portal('p', 3) AS command \gset
CREATE FUNCTION pg_temp.warned(passed interval) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.at(passed);
  PERFORM crm_bridge.heartbeat(crm_bridge.new_id(), 'a worker that has just started', '1 hour');
  RETURN (SELECT count(*) FROM crm_bridge.notification WHERE kind = 'trial_ending');
END $$;
SELECT is(pg_temp.warned('12 days 1 minute'), 0::bigint, 'R2: nobody can be told while no administrator is known');
SELECT count(*) AS received FROM crm_bridge.receive('crm_profile', '[{"external_id": "a", "fields": {"name": "Administrator"}}]', clock_timestamp(), org_id => 3) \gset
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "x", "fields": {"email": "ann@free.example", "status": "active", "profile_id": "a", "locale": "de_DE"}}, {"external_id": "y", "fields": {"email": "bob@free.example", "status": "active", "profile_id": "a"}},
  {"external_id": "z", "fields": {"email": "cat@free.example", "status": "active"}}]', clock_timestamp(), org_id => 3) \gset
SELECT is(pg_temp.warned('11 days 23 hours'), 0::bigint, 'R2: nor sooner than three days before the end');
SELECT is(pg_temp.warned('12 days 1 minute'), 2::bigint, 'R2: three days before the end of the trial the administrators are');
SELECT results_eq($$ SELECT n.org_id, n.recipient, n.facts -> 'days', (n.facts ->> 'ends_at')::timestamptz = i.trial_ends_at FROM crm_bridge.notification AS n JOIN crm_bridge.integration AS i ON i.org_id = 3 AND i.service = 'zoho_projects' WHERE n.kind = 'trial_ending' ORDER BY 2 $$,
  $$ VALUES (3::bigint, 'ann@free.example', '3'::jsonb, true), (3, 'bob@free.example', '3', true) $$, 'with the days that are left; no other organization is');
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "v", "fields": {"email": "new@free.example", "status": "active", "profile_id": "a"}}]', clock_timestamp(), org_id => 3) \gset
SELECT is(pg_temp.warned('13 days') + pg_temp.warned('14 days 23 hours'), 4::bigint, 'R2: once, however often a worker starts anew');
SELECT is(pg_temp.warned('15 days 1 minute'), 2::bigint, 'and not when it is over');
DELETE FROM crm_bridge.notification WHERE org_id = 3;
UPDATE crm_bridge.integration SET state = 'active' WHERE org_id = 3 AND service = 'zoho_projects';
SELECT crm_bridge.set_setting('trial_notice_days', '0', 3);
SELECT is(pg_temp.warned('14 days'), 0::bigint, 'R2: setting trial_notice_days: none');
SELECT crm_bridge.set_setting('trial_notice_days', '14', 3);
SELECT crm_bridge.set_edition('professional', 3) AS paid, pg_temp.at('0') AS now \gset
SELECT is(pg_temp.warned('14 days'), 0::bigint, 'R2: a paid edition has no trial');
SELECT crm_bridge.set_edition('free', 3) AS free, pg_temp.at('0') AS now \gset
SELECT is(pg_temp.warned('1 day 1 minute'), 3::bigint, 'R2: or more days');
-- A mail that cannot even be queued.
DELETE FROM crm_bridge.notification WHERE org_id = 3;
DELETE FROM crm_bridge.lease;
SET LOCAL client_min_messages = error;
ALTER TABLE crm_bridge.notification ADD CONSTRAINT broken CHECK (kind <> 'trial_ending');
SELECT is(pg_temp.warned('1 day 2 minutes'), 0::bigint, 'a mail that fails is not sent');
SELECT is((SELECT count(*) FROM crm_bridge.lease WHERE worker = 'a worker that has just started'), 1::bigint, 'and costs no worker its lease');
ALTER TABLE crm_bridge.notification DROP CONSTRAINT broken;
SELECT is(pg_temp.warned('1 day 3 minutes'), 3::bigint, 'R2: the next heartbeat tells them');

SELECT * FROM finish();
ROLLBACK;
