-- SPDX-License-Identifier: PostgreSQL
-- account ↔ client ↔ company: one thing with three faces, two pairings.  Whoever writes one, both others agree at the end of the
-- statement, also where the merge over one link answers what the other has just brought (design §6, B1, B2).
BEGIN;
\ir fixture/tools.psql
SELECT plan(33);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql

SELECT count(crm_bridge.map_field('account_client', m.l, m.r, 'both', true)) AS mapped FROM (VALUES ('account_name', 'name'), ('phone', 'phone'), ('website', 'website')) AS m (l, r) \gset
SELECT crm_bridge.confirm_field_mapping() AS confirmed \gset
SELECT crm_bridge.activate_bigin() AS command \gset
INSERT INTO crm_bridge.crm_account (account_name, phone, website) VALUES ('Acme', '0', 'w');
SELECT crm_bridge._client_of_account(id, 1) AS client FROM crm_bridge.crm_account \gset
SELECT id AS account FROM crm_bridge.crm_account \gset
SELECT id AS company FROM crm_bridge.bigin_company \gset
SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset
SELECT l.link_id AS first_link FROM crm_bridge.link AS l WHERE pairing = 'account_client' \gset
SELECT l.link_id AS second_link FROM crm_bridge.link AS l WHERE pairing = 'client_company' \gset
CREATE TEMP VIEW faces AS
  SELECT concat_ws('|', a.account_name, a.phone, a.website) AS account, concat_ws('|', c.name, c.phone, c.website) AS client, concat_ws('|', b.account_name, b.phone, b.website) AS company
    FROM crm_bridge.crm_account AS a, crm_bridge.projects_client AS c, crm_bridge.bigin_company AS b
   WHERE b.account_name IS DISTINCT FROM 'other' AND c.name IS DISTINCT FROM 'other';
CREATE FUNCTION pg_temp.open() RETURNS bigint LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM crm_bridge.reconcile_request) + (SELECT count(*) FROM crm_bridge.link WHERE left_base <> '{}' OR right_base <> '{}') $$;

SELECT results_eq('TABLE faces', $$ VALUES ('Acme|0|w', 'Acme|0|w', 'Acme|0|w') $$, 'a client made for an account gets its company');
SELECT pg_temp.forget() AS forgotten \gset

-- From either end to the other, and from the middle ----------------------------------------------------------------

UPDATE crm_bridge.crm_account SET phone = '1';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme|1|w', 'Acme|1|w', 'Acme|1|w') $$, 'B1: an account''s change reaches the company in the same transaction');
SELECT results_eq('SELECT module, origin FROM events', $$ VALUES ('crm_account', 'app'), ('projects_client', 'bridge'), ('bigin_company', 'bridge') $$, 'each face is written once');
SELECT results_eq('SELECT module FROM dirty', ARRAY['bigin_company', 'crm_account', 'projects_client'], 'all three services lack it');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.bigin_company SET phone = '2', website = 'x';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme|2|x', 'Acme|2|x', 'Acme|2|x') $$, 'B1: and back');
SELECT is((SELECT count(*) FROM events), 3::bigint, 'each face is written once');
UPDATE crm_bridge.projects_client SET name = 'Acme Ltd';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|2|x', 'Acme Ltd|2|x', 'Acme Ltd|2|x') $$, 'B1: the middle reaches both ends');
SELECT count(*) AS received FROM crm_bridge.receive('bigin_company', (SELECT jsonb_agg(jsonb_build_object('external_id', external_id, 'version', '2040-01-01T00:00:00Z', 'fields', jsonb_build_object('phone', '3'))) FROM crm_bridge.bigin_company), clock_timestamp()) \gset
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|3|x', 'Acme Ltd|3|x', 'Acme Ltd|3|x') $$, 'B1: so does what Bigin tells');
SELECT is(pg_temp.open(), 0::bigint, 'nothing is left to reconcile, no base is kept');

-- A held field of one link is freed by what comes over the other ---------------------------------------------------

INSERT INTO crm_bridge.merge_policy (org_id, scope, field, policy) VALUES (1, 'client_company', 'phone', 'manual');
-- Both faces of the second link change while nobody can carry it: the request is left, and the merge is held.
INSERT INTO crm_bridge.reconcile_request (org_id, module, operation, record_id, link_id, fields, old) VALUES (1, 'projects_client', 'propagate', :'client', :'second_link', '{}', '{}');
UPDATE crm_bridge.projects_client SET phone = '4';
UPDATE crm_bridge.bigin_company SET phone = '5';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|4|x', 'Acme Ltd|4|x', 'Acme Ltd|5|x') $$, 'while a link is contended its faces wait; the other link carries on');
SELECT is(crm_bridge.reconcile(100, 1), 0, 'and is settled');
SELECT results_eq('SELECT module, field, winner, reason FROM crm_bridge.conflict WHERE link_id IS NOT NULL', $$ VALUES ('projects_client', 'phone', 'none', 'policy') $$, 'B2: both changed it, and a person is to decide');
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|4|x', 'Acme Ltd|4|x', 'Acme Ltd|5|x') $$, 'until then both keep their own');
DELETE FROM crm_bridge.merge_policy;
INSERT INTO crm_bridge.merge_policy (org_id, scope, field, policy) VALUES (1, 'client_company', 'phone', 'right');
SELECT pg_temp.forget() AS forgotten \gset

-- The change that comes over the first link loses on the second: the answer travels back over the first, in the same statement.
UPDATE crm_bridge.crm_account SET phone = '6';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|5|x', 'Acme Ltd|5|x', 'Acme Ltd|5|x') $$, 'B2: the company wins against what the account brought, and all three agree');
SELECT results_eq('SELECT winner, reason FROM crm_bridge.conflict WHERE link_id IS NOT NULL ORDER BY conflict_id', $$ VALUES ('none', 'policy'), ('right', 'policy') $$, 'B2: the loser''s value is on record');
SELECT is(pg_temp.open(), 0::bigint, 'B1: nothing is left to reconcile');
SELECT is((SELECT count(*) FROM events WHERE module = 'crm_account'), 2::bigint, 'the account is written once by the app and once by the answer');
UPDATE crm_bridge.crm_account SET phone = '7';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|7|x', 'Acme Ltd|7|x', 'Acme Ltd|7|x') $$, 'B1: the next change reaches everybody again');
SELECT is(pg_temp.open(), 0::bigint, 'with nothing left behind');

-- The same from the other end: the account wins against what the company brought.
DELETE FROM crm_bridge.merge_policy;
INSERT INTO crm_bridge.merge_policy (org_id, scope, field, policy) VALUES (1, 'account_client', 'website', 'manual');
INSERT INTO crm_bridge.reconcile_request (org_id, module, operation, record_id, link_id, fields, old) VALUES (1, 'projects_client', 'propagate', :'client', :'first_link', '{}', '{}');
UPDATE crm_bridge.crm_account SET website = 'a';
UPDATE crm_bridge.projects_client SET website = 'c';
SELECT is(crm_bridge.reconcile(100, 1), 0, 'held on the first link');
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|7|a', 'Acme Ltd|7|c', 'Acme Ltd|7|c') $$, 'as a person has to decide');
DELETE FROM crm_bridge.merge_policy;
INSERT INTO crm_bridge.merge_policy (org_id, scope, field, policy) VALUES (1, 'account_client', 'website', 'left');
UPDATE crm_bridge.bigin_company SET website = 'b';
SELECT results_eq('TABLE faces', $$ VALUES ('Acme Ltd|7|a', 'Acme Ltd|7|a', 'Acme Ltd|7|a') $$, 'B2: the account wins against what the company brought, and all three agree');
SELECT is(pg_temp.open(), 0::bigint, 'B1: nothing is left to reconcile');

-- Many at once, a value that one end cannot hold, and mappings that contradict each other --------------------------

SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
UPDATE crm_bridge.crm_account SET account_name = repeat('n', 200), website = repeat('w', 256), phone = '8';
SELECT results_eq('SELECT a.website = c.website, b.website, b.phone FROM crm_bridge.crm_account AS a, crm_bridge.projects_client AS c, crm_bridge.bigin_company AS b', $$ VALUES (true, 'a', '8') $$, 'what a face cannot hold stays where it is, the other fields go on');
SELECT results_eq($$ SELECT module, field, reason FROM crm_bridge.refusal $$, $$ VALUES ('projects_client', 'website', 'text_too_long') $$, 'and it is on record');
UPDATE crm_bridge.bigin_company SET website = 'short';
SELECT ok((SELECT a.website = c.website AND c.website = b.website FROM crm_bridge.crm_account AS a, crm_bridge.projects_client AS c, crm_bridge.bigin_company AS b), 'B1: the next value that all can hold is everybody''s');
SELECT is(pg_temp.open(), 0::bigint, 'with nothing left behind');

-- Two policies that contradict each other: the account never gives in, nor does the company.
INSERT INTO crm_bridge.merge_policy (org_id, scope, field, policy) VALUES (1, 'account_client', 'phone', 'left'), (1, 'client_company', 'phone', 'right');
INSERT INTO crm_bridge.reconcile_request (org_id, module, operation, record_id, link_id, fields, old)
VALUES (1, 'projects_client', 'propagate', :'client', :'first_link', '{}', '{}'), (1, 'projects_client', 'propagate', :'client', :'second_link', '{}', '{}');
UPDATE crm_bridge.crm_account SET phone = 'A';
UPDATE crm_bridge.projects_client SET phone = 'C';
UPDATE crm_bridge.bigin_company SET phone = 'B';
SELECT is(crm_bridge.reconcile(100, 1), 0, 'three edits on three faces are settled');
SELECT ok((SELECT count(DISTINCT f) = 1 FROM faces, unnest(ARRAY[account, client, company]) AS f), 'B1: and all three agree');
SELECT is(pg_temp.open(), 0::bigint, 'with nothing left behind');

-- A transaction that may not see what others commit leaves it all to reconcile (a property of §5, not of three faces).
DELETE FROM crm_bridge.merge_policy;
SELECT set_config('crm_bridge.propagate_limit', '0', true) AS limited \gset
UPDATE crm_bridge.crm_account SET phone = 'late';
SELECT isnt(pg_temp.open(), 0::bigint, 'above the limit the change is left to reconcile');
SELECT set_config('crm_bridge.propagate_limit', '1000', true) AS limited \gset
SELECT is(crm_bridge.reconcile(100, 1), 0, 'which goes the whole way');
SELECT ok((SELECT count(DISTINCT f) = 1 FROM faces, unnest(ARRAY[account, client, company]) AS f) AND pg_temp.open() = 0, 'B1: to the end of the chain');

SELECT * FROM finish();
ROLLBACK;
