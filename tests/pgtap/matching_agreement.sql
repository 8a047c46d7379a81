-- SPDX-License-Identifier: PostgreSQL
-- The pass that matches (C++), the live report (SQL) and what is linked say the same of every record (D6, D12).
BEGIN;
\ir fixture/tools.psql
SELECT plan(16);
\ir fixture/organization.psql
\ir fixture/projects.psql

CREATE FUNCTION pg_temp.id(name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(name)::uuid $$;
CREATE FUNCTION pg_temp.dice(name text, sides integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT ('x' || left(md5(name), 7))::bit(28)::integer % sides $$;
CREATE VIEW pg_temp.pass AS
  SELECT u.client_id, u.account_id, u.reason
    FROM crm_bridge._unmatched((SELECT portal_id FROM crm_bridge.integration WHERE service = 'zoho_projects' AND state = 'active'), 1) AS u;
CREATE VIEW pg_temp.report AS
  SELECT CASE r.side WHEN 'client' THEN r.client_id END AS client_id, CASE r.side WHEN 'account' THEN r.account_id END AS account_id, r.reason
    FROM crm_bridge.client_match_report AS r WHERE r.org_id = 1 AND r.reason IS NOT NULL;
CREATE VIEW pg_temp.counted AS
  SELECT NULLIF(r.reason, 'not_requested') AS reason, count(r.client_id) AS clients, count(r.account_id) AS accounts FROM pg_temp.report AS r GROUP BY 1;

-- Few names for many records, so that each is missing, alone or double on either side; some linked, some unlinked by hand, some
-- of another portal, names of several pages among them.
CREATE FUNCTION pg_temp.name_of(record text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE n WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN ' ' WHEN 3 THEN repeat('Long Name ', 900) WHEN 4 THEN repeat('LONG  NAME ', 900) ELSE 'Company ' || n END
    FROM (SELECT pg_temp.dice(record, 400)) AS d (n) $$;
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
INSERT INTO crm_bridge.crm_account (id, account_name) SELECT pg_temp.id('a' || n), pg_temp.name_of('a' || n) FROM generate_series(1, 400) AS n;
INSERT INTO crm_bridge.projects_client (id, name, portal_id)
SELECT pg_temp.id('c' || n), upper(pg_temp.name_of('c' || n)), CASE WHEN n % 10 = 0 THEN pg_temp.id('another portal') WHEN n % 3 = 0 THEN i.portal_id END
  FROM generate_series(1, 400) AS n, crm_bridge.integration AS i WHERE i.service = 'zoho_projects';
-- Pairs of the same name, in every state that a link can be in; then pairs of any names.
INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id, state, reason)
SELECT 1, 'account_client', a.id, c.id, s.state, CASE s.state WHEN 'archived' THEN s.reason END
  FROM crm_bridge.crm_account AS a
  JOIN crm_bridge.projects_client AS c USING (name_key)
 CROSS JOIN LATERAL (SELECT (ARRAY['archived', 'archived', 'archived', 'active', 'suspended'])[1 + pg_temp.dice(a.id::text || c.id, 5)],
                            (ARRAY['unlinked', 'unlinked', 'deleted'])[1 + pg_temp.dice(c.id::text, 3)]) AS s (state, reason)
 WHERE a.name_key <> '' AND pg_temp.dice(a.id::text, 3) = 0
ON CONFLICT DO NOTHING;
INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
SELECT 1, 'account_client', pg_temp.id('a' || n), pg_temp.id('c' || 401 - n) FROM generate_series(1, 400, 9) AS n
ON CONFLICT DO NOTHING;
-- Nothing of another organization counts.
SELECT crm_bridge.create_organization(2, 'Other') AS other \gset
INSERT INTO crm_bridge.setting (org_id, name, value) VALUES (2, 'rule_mode', '"send"');
SET LOCAL crm_bridge.organization = 1;
INSERT INTO crm_bridge.crm_account (org_id, account_name) SELECT 2, account_name FROM crm_bridge.crm_account WHERE org_id = 1;

SELECT set_eq('SELECT DISTINCT reason FROM pg_temp.report', ARRAY['account_not_mapped', 'ambiguous', 'no_account_of_that_name', 'no_name', 'not_requested', 'unlinked'],
  'every reason of a matching is among the records of this test');
SELECT bag_eq('SELECT * FROM pg_temp.pass', 'SELECT * FROM pg_temp.report', 'D12: the pass says of every record what the report says');
SELECT bag_eq('SELECT reason, clients, accounts FROM crm_bridge.match_clients(dry_run => true)', 'SELECT * FROM pg_temp.counted', 'D12: and counts them so');

-- What guards links guards those of a matching too.
DELETE FROM crm_bridge.field_mapping WHERE pairing = 'account_client';
SAVEPOINT without_pairing;
DELETE FROM crm_bridge.pairing WHERE pairing = 'account_client';
SELECT pg_temp.refused('SELECT * FROM crm_bridge.match_clients()', '23503', 'pairing "account_client" does not exist', 'links of a pairing that does not exist are refused');
ROLLBACK TO without_pairing;

CREATE TEMP TABLE requested AS SELECT * FROM pg_temp.pass WHERE reason = 'not_requested';
CREATE TEMP TABLE others AS SELECT * FROM pg_temp.pass WHERE reason <> 'not_requested';
SELECT results_eq($$ SELECT clients, accounts FROM crm_bridge.match_clients() WHERE outcome = 'linked' $$,
  'SELECT count(client_id), count(account_id) FROM requested', 'R40: what the report called not requested is linked');
SELECT bag_eq('SELECT * FROM pg_temp.pass', 'SELECT * FROM others', 'and nothing else changes');
SELECT bag_eq('SELECT * FROM pg_temp.pass', 'SELECT * FROM pg_temp.report', 'D12: still both say the same');
SELECT bag_eq('SELECT reason, clients, accounts FROM crm_bridge.match_clients(rematch => true)', 'SELECT * FROM pg_temp.counted', 'B11: a rematch counts what is left');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.link AS l JOIN crm_bridge.crm_account AS a ON a.id = l.left_id JOIN crm_bridge.projects_client AS c ON c.id = l.right_id
                    WHERE l.created_by IS NULL OR a.org_id <> l.org_id OR c.org_id <> l.org_id $$, 'a link is made of two records of its organization, by somebody');

-- Nobody else calls it.
SELECT is((SELECT count(*) FROM crm_bridge._unmatched(NULL, 3)), 0::bigint, 'an organization without records has nothing to say');
CREATE ROLE agreement_stranger;
GRANT USAGE ON SCHEMA crm_bridge TO agreement_stranger;
SET LOCAL ROLE agreement_stranger;
SELECT pg_temp.refused('SELECT * FROM crm_bridge._unmatched(NULL, 1)', '42501', '_unmatched', 'the pass is nobody''s but the extension''s');
SELECT pg_temp.refused('SELECT * FROM crm_bridge._match_clients(crm_bridge.new_id(), true, ''x'', 1)', '42501', '_match_clients', 'nor is the one that links');
RESET ROLE;

-- More pairs than one statement writes.
SET LOCAL session_replication_role = replica;
INSERT INTO crm_bridge.crm_account (account_name) SELECT 'Batch ' || n FROM generate_series(1, 10001) AS n;
INSERT INTO crm_bridge.projects_client (name) SELECT 'BATCH ' || n FROM generate_series(1, 10001) AS n;
SET LOCAL session_replication_role = DEFAULT;
SELECT results_eq($$ SELECT clients FROM crm_bridge.match_clients(rematch => true) WHERE outcome = 'linked' $$, ARRAY[10001::bigint], 'R40: as many as there are are linked');
SELECT results_eq($$ SELECT count(*), count(DISTINCT a.id), count(DISTINCT c.id) FROM crm_bridge.link AS l JOIN crm_bridge.crm_account AS a ON a.id = l.left_id
                       JOIN crm_bridge.projects_client AS c ON c.id = l.right_id WHERE a.name_key = c.name_key AND a.account_name LIKE 'Batch %' AND l.state = 'active' $$,
  $$ VALUES (10001::bigint, 10001::bigint, 10001::bigint) $$, 'each with its namesake, once');

-- Without a portal.
UPDATE crm_bridge.integration SET state = 'off' WHERE service = 'zoho_projects';
SELECT bag_eq('SELECT * FROM pg_temp.pass', 'SELECT * FROM pg_temp.report', 'D12: without the integration too');
SELECT results_eq('SELECT DISTINCT reason FROM pg_temp.pass', ARRAY['integration_inactive'], 'D12: integration_inactive');

SELECT * FROM finish();
ROLLBACK;
