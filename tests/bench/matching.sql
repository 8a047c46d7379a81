-- SPDX-License-Identifier: PostgreSQL
-- A million accounts and a million clients, of which :share percent bear the name of an account; then, in turn: a plain hash join on the
-- stored keys (with as many processes as the planner likes, and with one), the count of all reasons (dry run), the list of every
-- unmatched record with its reason, the run with its links.  Prints "side|seconds".
\set QUIET on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
SELECT crm_bridge.create_organization(1, 'Zylker') AS org \gset
SELECT crm_bridge.activate_projects() AS command \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_portal', '[{"external_id": "portal", "fields": {"name": "Zylker"}}]', clock_timestamp()) \gset
SELECT crm_bridge.choose_portal('Zylker') AS command \gset
-- The records are there already when somebody matches: what made them is not measured.
SET session_replication_role = replica;
INSERT INTO crm_bridge.crm_account (org_id, account_name)
SELECT 1, 'Company Nº ' || md5(n::text) || CASE n % 10 WHEN 0 THEN ' Société' WHEN 1 THEN ' GmbH' ELSE ' Ltd.' END FROM generate_series(1, :records) AS n;
INSERT INTO crm_bridge.projects_client (org_id, name)
SELECT 1, CASE WHEN n % 100 < :share THEN '' ELSE 'Other ' END || 'COMPANY NO ' || md5(n::text) || CASE n % 10 WHEN 0 THEN ' SOCIÉTÉ' WHEN 1 THEN ' GMBH' ELSE ' LTD.' END
  FROM generate_series(1, :records) AS n ORDER BY md5(n::text || 'x');
RESET session_replication_role;
VACUUM (ANALYZE) crm_bridge.crm_account;
VACUUM (ANALYZE) crm_bridge.projects_client;
CHECKPOINT;
CREATE PROCEDURE public.timed(side text, statement text) LANGUAGE plpgsql AS $$
DECLARE began timestamptz := clock_timestamp();
BEGIN
  EXECUTE statement;
  RAISE NOTICE '%|%', side, EXTRACT(epoch FROM clock_timestamp() - began);
END $$;
SET client_min_messages = notice;
\set join 'SET LOCAL work_mem = ''256MB''; SET LOCAL enable_mergejoin = off; SET LOCAL enable_nestloop = off; SELECT count(*) FROM crm_bridge.crm_account AS a JOIN crm_bridge.projects_client AS c ON c.name_key = a.name_key WHERE a.org_id = 1 AND c.org_id = 1'
CALL public.timed('warm', :'join');
CALL public.timed('join', :'join');
CALL public.timed('join_alone', 'SET LOCAL max_parallel_workers_per_gather = 0;' || :'join');
CALL public.timed('counted', 'SELECT * FROM crm_bridge.match_clients(dry_run => true)');
CALL public.timed('listed', 'SELECT count(u.client_id), count(u.account_id), count(u.reason) FROM crm_bridge.integration AS i, crm_bridge._unmatched(i.portal_id, 1) AS u WHERE i.service = ''zoho_projects''');
CALL public.timed('join', :'join');
CALL public.timed('join_alone', 'SET LOCAL max_parallel_workers_per_gather = 0;' || :'join');
CALL public.timed('counted', 'SELECT * FROM crm_bridge.match_clients(dry_run => true)');
CALL public.timed('listed', 'SELECT count(u.client_id), count(u.account_id), count(u.reason) FROM crm_bridge.integration AS i, crm_bridge._unmatched(i.portal_id, 1) AS u WHERE i.service = ''zoho_projects''');
CALL public.timed('join', :'join');
CALL public.timed('join_alone', 'SET LOCAL max_parallel_workers_per_gather = 0;' || :'join');
CALL public.timed('counted', 'SELECT * FROM crm_bridge.match_clients(dry_run => true)');
CALL public.timed('listed', 'SELECT count(u.client_id), count(u.account_id), count(u.reason) FROM crm_bridge.integration AS i, crm_bridge._unmatched(i.portal_id, 1) AS u WHERE i.service = ''zoho_projects''');
BEGIN;
CALL public.timed('run', 'SELECT * FROM crm_bridge.match_clients()');
ROLLBACK;
VACUUM crm_bridge.link;
BEGIN;
CALL public.timed('run', 'SELECT * FROM crm_bridge.match_clients()');
ROLLBACK;
VACUUM crm_bridge.link;
CALL public.timed('run', 'SELECT * FROM crm_bridge.match_clients()');
CALL public.timed('rematch', 'SELECT * FROM crm_bridge.match_clients(rematch => true)');
CALL public.timed('background', 'SELECT crm_bridge.finish_matching(command_id) FROM crm_bridge.client_matching');
CALL public.timed('report', 'SELECT count(r.reason) FROM crm_bridge.client_match_report AS r');
SET client_min_messages = warning;
SELECT 'links|' || count(*) FROM crm_bridge.link;
