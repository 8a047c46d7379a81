-- SPDX-License-Identifier: PostgreSQL
-- Attempts to read or write more than the flags give, and to be somebody else (T39, B13, design §5).  Ben may see the tab and
-- nothing else; every attempt is his, through a role that stands for him or an app's that acts for him.
BEGIN;
\ir fixture/tools.psql
SELECT plan(103);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
\ir fixture/history.psql
\ir fixture/linked_tasks.psql
\ir fixture/rights.psql
SELECT crm_bridge.create_organization(2, 'Other') AS org \gset
SELECT pg_temp.flags('Sales', 'tab') \g /dev/null
SELECT id AS task FROM crm_bridge.projects_task WHERE name = 'task 1' \gset
UPDATE crm_bridge.projects_task SET description = 'secret' WHERE id = :'task';
CREATE TABLE public.taken AS SELECT external_id FROM crm_bridge.projects_task WHERE id = :'task';
GRANT USAGE, CREATE ON SCHEMA public TO test_ben;
GRANT SELECT ON pg_temp.pair, public.taken TO test_ben;

-- To be somebody else ----------------------------------------------------------------------------------------------

SELECT is(pg_temp.outcome(a.role, a.person, a.text), a.code, 'T39: ' || a.name) FROM (VALUES
  ('test_ben', NULL, format($$ SET crm_bridge.acting_user = '1/%s' $$, :'mira'), '42501', 'SET of the setting behind act_as'),
  ('test_ben', NULL, format($$ SET LOCAL crm_bridge.acting_user = '1/%s' $$, :'mira'), '42501', 'SET LOCAL'),
  ('test_ben', NULL, format($$ SELECT set_config('crm_bridge.acting_user', '1/%s', true) $$, :'mira'), '42501', 'set_config'),
  ('test_ben', NULL, format($$ UPDATE pg_settings SET setting = '1/%s' WHERE name = 'crm_bridge.acting_user' $$, :'mira'), '42501', 'an UPDATE of pg_settings'),
  ('test_app', 'ben@zylker.example', 'RESET crm_bridge.acting_user', '42501', 'RESET to be rid of the person'),
  ('test_app', 'ben@zylker.example', 'SET crm_bridge.acting_user = DEFAULT', '42501', 'SET … = DEFAULT'),
  ('test_app', 'ben@zylker.example', 'SET crm_bridge.acting_user = ''''', '42501', 'SET to nothing'),
  ('test_ben', NULL, format($$ ALTER ROLE test_ben SET crm_bridge.acting_user = '1/%s' $$, :'mira'), '42501', 'ALTER ROLE … SET for oneself'),
  ('test_ben', NULL, format($$ CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SET crm_bridge.acting_user = '1/%s' AS 'SELECT 1' $$, :'mira'), '42501', 'a function that carries the setting'),
  ('test_ben', NULL, 'SELECT crm_bridge.act_as(''mira@zylker.example'')', '42501', 'act_as of a role that stands for another'),
  ('test_ben_reads', NULL, 'SELECT crm_bridge.act_as(''mira@zylker.example'')', '42501', 'act_as of one that reads'),
  ('test_app', NULL, 'SELECT crm_bridge.act_as(''mira@zylker.example'', 2)', '42501', 'act_as in an organization of others'),
  ('test_ben', NULL, $$ UPDATE crm_bridge.role_binding SET user_id = NULL $$, '42501', 'a write to role_binding'),
  ('test_ben', NULL, $$ UPDATE crm_bridge.profile_permission SET can_view = true $$, '42501', 'a write to the flags'),
  ('test_ben', NULL, $$ SELECT crm_bridge.set_profile_permission('Sales', can_view => true) $$, '42501', 'setting the flags'),
  ('test_ben', NULL, $$ UPDATE crm_bridge.crm_user SET profile_id = (SELECT id FROM crm_bridge.crm_profile WHERE name = 'Administrator') $$, '42501', 'taking another profile'),
  ('test_ben', NULL, $$ UPDATE crm_bridge.crm_user SET email = 'mira@zylker.example' $$, '42501', 'taking another''s address'),
  ('test_ben', NULL, $$ SELECT crm_bridge.grant_administrator('test_ben', 1) $$, '42501', 'granting to oneself'),
  ('test_ben', NULL, $$ SELECT crm_bridge.revoke_role('test_ben', 1) $$, '42501', 'losing one''s person'),
  ('test_ben', NULL, $$ SELECT crm_bridge._provision_users(1, ARRAY['x@y.example']) $$, '42501', 'an internal function'),
  ('test_ben', NULL, $$ CREATE TRIGGER mine BEFORE UPDATE ON crm_bridge.projects_task FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger() $$, '42501', 'a trigger on a mirror'),
  ('test_ben', NULL, $$ CREATE POLICY mine ON crm_bridge.projects_task USING (true) $$, '42501', 'a policy of one''s own'),
  ('test_ben', NULL, $$ ALTER TABLE crm_bridge.projects_task DISABLE TRIGGER ALL $$, '42501', 'switching triggers off'),
  ('test_ben', NULL, $$ SET session_replication_role = replica $$, '42501', 'session_replication_role'),
  ('test_ben', NULL, $$ CREATE RULE mine AS ON INSERT TO crm_bridge.projects_task DO INSTEAD NOTHING $$, '42501', 'a rule'),
  ('test_ben', NULL, $$ CREATE TABLE public.child () INHERITS (crm_bridge.projects_task) $$, '42501', 'a child table'),
  ('test_ben', NULL, $$ CREATE TABLE public.refers (org_id bigint, id uuid, FOREIGN KEY (org_id, id) REFERENCES crm_bridge.projects_task (org_id, id)) $$, '42501', 'a probe by foreign key'),
  ('test_ben', NULL, $$ CREATE STATISTICS public.s ON name, description FROM crm_bridge.projects_task $$, '42501', 'statistics of one''s own'),
  ('test_ben', NULL, $$ CREATE PUBLICATION p FOR TABLE crm_bridge.projects_task $$, '42501', 'a publication'),
  ('test_ben', NULL, $$ COPY crm_bridge.projects_task TO '/dev/null' $$, '42501', 'COPY to a file'),
  ('test_ben', NULL, $$ LOCK TABLE crm_bridge.projects_task IN ACCESS EXCLUSIVE MODE; TRUNCATE crm_bridge.projects_task $$, '42501', 'TRUNCATE')) AS a (role, person, text, code, name);
SELECT is(pg_temp.told('test_app', 'ben@zylker.example', format($$ SELECT (SELECT count(*) FROM crm_bridge.crm_deal WHERE set_config('crm_bridge.organization', '2', true) = '2') || '|' || coalesce(crm_bridge.current_org()::text, 'none') $$)),
          '1|none', 'T39: whoever acts for a person is in that person''s organization, whatever he sets');
SELECT is(pg_temp.outcome('test_app', 'ben@zylker.example', 'RESET ALL'), '0', 'T39: RESET ALL is taken');
SAVEPOINT reset_all;
SET LOCAL ROLE test_app;
SELECT crm_bridge.act_as('ben@zylker.example') \g /dev/null
RESET ALL;
SELECT is(crm_bridge.acting_user(), :'ben'::uuid, 'T39: but does not end acting');
ROLLBACK TO reset_all;
-- A superuser's mistakes: not even he sets it, so nothing that is stored can carry it.
SELECT is(pg_temp.outcome('postgres', NULL, format(a.text, :'mira')), '42501', 'design §5: a superuser neither: ' || a.text) FROM unnest(ARRAY[
  $$SET crm_bridge.acting_user = '1/%s'$$, $$ALTER ROLE test_app SET crm_bridge.acting_user = '1/%s'$$, $$SELECT set_config('crm_bridge.acting_user', '1/%s', false)$$]) AS a (text);
GRANT SET ON PARAMETER crm_bridge.acting_user TO test_ben;
SELECT is(pg_temp.outcome('test_ben', NULL, format($$ SET crm_bridge.acting_user = '1/%s' $$, :'mira')), '42501', 'T39: GRANT SET ON PARAMETER does not help');
REVOKE SET ON PARAMETER crm_bridge.acting_user FROM test_ben;
-- A role that is a member of the person's role is the person; one of two persons is nobody.
CREATE ROLE test_login IN ROLE test_ben;
SELECT is(pg_temp.told('test_login', NULL, 'SELECT crm_bridge.acting_user()'), :'ben', 'T39: a member of the person''s role is the person');
CREATE ROLE test_carl;
SELECT crm_bridge.grant_app('test_carl', 1, 'carl@zylker.example') \g /dev/null
SELECT pg_temp.flags('Sales', 'tab', 'view', 'create', 'edit', 'delete') \g /dev/null
SELECT is(pg_temp.outcome('test_login', NULL, 'SELECT FROM crm_bridge.projects_task'), '3', 'and has his rights');
GRANT test_carl TO test_login;
SELECT is(pg_temp.outcome('test_login', NULL, 'SELECT FROM crm_bridge.projects_task'), '0', 'T39: a member of two persons is neither, from the next statement on');
REVOKE test_carl FROM test_login;
SELECT is(pg_temp.outcome('test_login', NULL, 'SELECT FROM crm_bridge.projects_task'), '3', 'until he is one again');
SELECT crm_bridge.grant_app('test_ben', 1) \g /dev/null
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT crm_bridge.acting_user()'), :'ben', 'T39: granting again does not set a person''s role free');
SELECT pg_temp.flags('Sales', 'tab') \g /dev/null

-- To read what is hidden -------------------------------------------------------------------------------------------

CREATE TABLE public.leaked (value text);
GRANT INSERT, SELECT ON public.leaked TO test_ben;
CREATE SCHEMA trap AUTHORIZATION test_ben;
SET LOCAL ROLE test_ben;
CREATE FUNCTION public.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO public.leaked VALUES (value); RETURN true; END $$;
CREATE FUNCTION public.leak_same(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT public.leak($1) $$;
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.leak_same);
-- Operators and functions of the names that ours use, in front of the path.
CREATE FUNCTION trap.always(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.always);
CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'mira@zylker.example' $$;
CREATE FUNCTION trap.always(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR trap.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = trap.always);
CREATE VIEW public.own_view AS SELECT * FROM crm_bridge.projects_task;
CREATE MATERIALIZED VIEW public.own_copy AS SELECT * FROM crm_bridge.projects_task;
CREATE FUNCTION public.own_definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM crm_bridge.projects_task';
RESET ROLE;
CREATE FUNCTION pg_temp.found(query text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.told('test_ben', NULL, query) $$;
SELECT is(pg_temp.found(a.query), '0', 'T39: ' || a.name || ' shows nothing') FROM (VALUES
  ('a leaky function', 'SELECT count(*) FROM crm_bridge.projects_task WHERE public.leak(description)'),
  ('an operator of one''s own', 'SELECT count(*) FROM crm_bridge.projects_task WHERE description OPERATOR(public.===) ''x'''),
  ('an operator in front of the path', 'SELECT count(*) FROM crm_bridge.projects_task, set_config(''search_path'', ''trap, pg_catalog'', true)'),
  ('a view of one''s own', 'SELECT count(*) FROM public.own_view'), ('a materialized view', 'SELECT count(*) FROM public.own_copy'),
  ('a SECURITY DEFINER function of one''s own', 'SELECT public.own_definer()'),
  ('TABLESAMPLE', 'SELECT count(*) FROM crm_bridge.projects_task TABLESAMPLE SYSTEM (100)'),
  ('a look by ctid', 'SELECT count(*) FROM crm_bridge.projects_task WHERE ctid = ''(0,1)'''),
  ('a lateral join', 'SELECT count(*) FROM crm_bridge.crm_deal AS d, LATERAL (SELECT * FROM crm_bridge.projects_task OFFSET 0) AS t'),
  ('pg_stats', $$ SELECT count(*) FROM pg_stats WHERE schemaname = 'crm_bridge' AND tablename LIKE 'projects%' $$),
  ('history', $$ SELECT count(*) FROM crm_bridge.history WHERE old::text LIKE '%secret%' OR module = 'projects_task' $$),
  ('explain_sync', format('SELECT count(*) FROM crm_bridge.explain_sync(%L)', :'task'))) AS a (name, query);
SELECT is((SELECT count(*) FROM public.leaked), 0::bigint, 'T39: no function of his was shown a value');
SELECT is(pg_temp.outcome('test_ben', NULL, 'SET row_security = off'), '0', 'T39: row_security = off is taken');
SELECT is(pg_temp.outcome('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.projects_task, set_config(''row_security'', ''off'', true)'), '1', 'and within a statement changes nothing');
SAVEPOINT trapped;
SET LOCAL ROLE test_app;
SET LOCAL search_path = trap, pg_catalog, public;
SELECT crm_bridge.act_as('ben@zylker.example') AS acted \gset
SELECT public.is(:'acted'::text, :'ben'::text, 'T39: names in front of the path do not change whom act_as finds');
ROLLBACK TO trapped;

-- Prepared before, held open, in parallel --------------------------------------------------------------------------

SELECT pg_temp.flags('Sales', 'tab', 'view', 'edit') \g /dev/null
SET LOCAL ROLE test_ben;
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE looks AS SELECT count(*) FROM crm_bridge.projects_task;
PREPARE writes AS UPDATE crm_bridge.projects_task SET priority = 'high';
EXECUTE looks \g /dev/null
EXECUTE writes;
DECLARE held CURSOR FOR SELECT name FROM crm_bridge.projects_task;
FETCH 1 FROM held \g /dev/null
RESET ROLE;
SELECT pg_temp.flags('Sales', 'tab') \g /dev/null
SET LOCAL ROLE test_ben;
SELECT results_eq('EXECUTE looks', ARRAY[0::bigint], 'T39: a statement prepared before the flag was cleared reads nothing');
CLOSE held;
DECLARE held CURSOR FOR SELECT name FROM crm_bridge.projects_task;
SELECT is_empty('FETCH ALL FROM held', 'T39: nor does a cursor that is opened now');
RESET ROLE;
SELECT pg_temp.flags('Sales', 'tab', 'view') \g /dev/null
SET LOCAL ROLE test_ben;
SELECT throws_ok('EXECUTE writes', '42501', NULL, 'T39: nor writes one');
RESET ROLE;
SET LOCAL force_parallel_mode = on;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT is(pg_temp.told('test_app', 'ben@zylker.example', 'SELECT count(*) FROM crm_bridge.projects_task'), '3', 'T39: parallel workers know who acts');
SELECT pg_temp.flags('Sales', 'tab') \g /dev/null
SELECT is(pg_temp.told('test_app', 'ben@zylker.example', 'SELECT count(*) FROM crm_bridge.projects_task'), '0', 'and what he may not see');
SELECT is(pg_temp.told('test_app', 'mira@zylker.example', 'SELECT count(*) FROM crm_bridge.projects_task'), '3', 'of each person');

-- Around the tables (T39) --------------------------------------------------------------------------------------------------
-- With what a DBA may well have installed, and rights on it that a careless one gave.

CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION dblink;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION pageinspect;
CREATE EXTENSION pgstattuple;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO test_ben;
SELECT lo_from_bytea(0, 'secret') AS large \gset
CREATE TEMP TABLE loopback AS
  SELECT split_part(current_setting('unix_socket_directories'), ',', 1) AS host, current_setting('port') AS port, current_database() AS dbname;
CREATE TEMP TABLE attempts (name, text, code) AS
  SELECT a.* FROM loopback AS l, LATERAL (VALUES
  ('COPY from a program', $$ COPY public.leaked FROM PROGRAM 'id' $$, '42501'),
  ('COPY to a program', $$ COPY (SELECT 1) TO PROGRAM 'cat' $$, '42501'),
  ('another person''s large object', format('SELECT lo_get(%s)', :'large'), '42501'),
  ('another person''s large object, opened', format('SELECT lo_open(%s, x''40000''::int)', :'large'), '42501'),
  ('a file as a large object', $$ SELECT lo_import('/etc/passwd') $$, '42501'),
  ('a large object as a file', format($$ SELECT lo_export(%s, '/tmp/secret') $$, :'large'), '42501'),
  ('the pages of large objects', 'SELECT data FROM pg_largeobject', '42501'),
  ('a loopback by dblink, as the server''s own user', $$ SELECT * FROM dblink('dbname=postgres user=postgres', 'SELECT 1') AS t (n int) $$, '2F003'),
  ('a loopback by dblink with a password that nobody asks for',
   format('SELECT * FROM dblink(%L, %L) AS t (n int)', format('host=%s port=%s dbname=%s user=postgres password=guessed', l.host, l.port, l.dbname), 'SELECT 1'), '2F003'),
  ('a loopback by dblink, unchecked', $$ SELECT dblink_connect_u('dbname=postgres') $$, '42501'),
  ('a loopback by postgres_fdw without a password',
   format($$ CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L); CREATE USER MAPPING FOR test_ben SERVER loop OPTIONS (user 'postgres');
             CREATE FOREIGN TABLE public.far (name text) SERVER loop OPTIONS (schema_name 'crm_bridge', table_name 'projects_task'); SELECT * FROM public.far $$, l.host, l.port, l.dbname), '2F003'),
  ('a mapping that needs no password',
   $$ CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw; CREATE USER MAPPING FOR test_ben SERVER loop OPTIONS (user 'postgres', password_required 'false') $$, '42501'),
  ('the pages of a table', $$ SELECT get_raw_page('crm_bridge.projects_task', 0) $$, '42501'),
  ('how full it is', $$ SELECT * FROM pgstattuple('crm_bridge.projects_task') $$, '42501'),
  ('the planner''s statistics', 'SELECT * FROM pg_statistic', '42501'),
  ('the data of extended statistics', 'SELECT * FROM pg_statistic_ext_data', '42501'),
  ('a file of the server', $$ SELECT pg_read_file('PG_VERSION') $$, '42501'),
  ('the changes in the log', $$ SELECT * FROM pg_create_logical_replication_slot('s', 'test_decoding') $$, '42501'),
  ('a function that claims to leak nothing', $$ CREATE FUNCTION public.quiet(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT public.leak($1)' $$, '42501'),
  ('the message in place of projects', $$ SELECT * FROM crm_bridge._why_stopped('en', 1) $$, '42501'),
  ('the secrets', 'TABLE crm_bridge.credential', '42501'),
  ('a queued mail', 'SELECT facts FROM crm_bridge.notification', '42501')) AS a (name, text, code);
SELECT is(pg_temp.outcome('test_ben', NULL, a.text), a.code, 'T39: refused: ' || a.name) FROM attempts AS a;

-- Statements of others.  One that is no query is kept as it was typed.
SELECT pg_stat_statements_reset() \g /dev/null
DO $$ BEGIN PERFORM 'secret in a statement'; END $$;
SELECT isnt((SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%secret in a statement%'), 0::bigint, 'pg_stat_statements keeps it for a superuser');
SELECT is(pg_temp.found($$ SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%secret%' $$), '0', 'T39: pg_stat_statements shows nobody''s words but one''s own');
SELECT is(pg_temp.found('SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()'), '<insufficient privilege>', 'T39: nor does pg_stat_activity');

-- Statistics that hold the hidden values, and an operator of his own that the planner would try on them.
SET LOCAL ROLE test_ben;
CREATE OPERATOR public.=~= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.leak_same, RESTRICT = eqsel);
CREATE FUNCTION public.explained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  told text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, SUMMARY OFF) ' || query LOOP
    told := told || line || E'\n';
  END LOOP;
  RETURN told;
END $$;
RESET ROLE;
UPDATE crm_bridge.projects_task SET description = 'secret';
ANALYZE crm_bridge.projects_task;
SELECT is((SELECT most_common_vals::text FROM pg_stats WHERE schemaname = 'crm_bridge' AND tablename = 'projects_task' AND attname = 'description'), '{secret}', 'a superuser sees the values in pg_stats');
SELECT is(pg_temp.found($$ SELECT public.explained('SELECT name FROM crm_bridge.projects_task WHERE description OPERATOR(public.=~=) ''x''') ~ 'secret|task 1' $$), 'false', 'T39: EXPLAIN ANALYZE names no hidden value');
SELECT is((SELECT count(*) FROM public.leaked), 0::bigint, 'T39: and the planner shows none to his operator');

-- Errors that would quote a hidden row: a cast of it, a division by it, a key that it has.
SELECT is(pg_temp.found($$ SELECT count(*) FROM crm_bridge.projects_task WHERE description::integer > 0 $$), '0', 'T39: no cast of a hidden value fails');
SELECT is(pg_temp.found($$ SELECT count(*) FROM crm_bridge.projects_task WHERE 1 / (length(name) - 6) > 0 $$), '0', 'T39: no division by one');
SELECT pg_temp.flags('Sales', 'tab', 'create') \g /dev/null
SELECT is((e ->> 'sqlstate') || ':' || concat(e ->> 'detail', e ->> 'hint'), '23505:', 'T39: of a key that is taken the error quotes nothing of the row that has it')
  FROM (SELECT pg_temp.told('test_ben', NULL, $$ SELECT pg_temp.error_of('INSERT INTO crm_bridge.projects_task (external_id, name) SELECT external_id, ''x'' FROM public.taken') $$)::jsonb AS e) AS t;
SELECT pg_temp.flags('Sales', 'tab') \g /dev/null

-- What the bridge tells everybody who listens: a word of its own and the name of a service or a module, never data.
SELECT set_eq($$ SELECT DISTINCT m[1] FROM pg_proc AS p, regexp_matches(p.prosrc, 'pg_notify\(([^;]*)\);', 'g') AS m WHERE p.pronamespace = 'crm_bridge'::regnamespace $$,
  ARRAY[$$'crm_bridge', 'mail'$$, $$'crm_bridge', 'budget'$$, $$'crm_bridge', 'reconcile'$$, $$'crm_bridge', 'delivery ' || run.service$$, $$'crm_bridge', 'delivery ' || resume.service$$, $$'crm_bridge', 'delivery ' || command.service$$,
        $$'crm_bridge', 'delivery ' || store_credential.service$$, $$'crm_bridge', 'command ' || store_credential.service$$, $$'crm_bridge', 'command ' || _request_command.service$$, $$'crm_bridge', 'notice ' || store_notice.service$$],
  'T39: no notification carries data');

-- A plan that somebody else of the session made, before the role or the person was changed.
PREPARE of_the_owner AS SELECT count(*) FROM crm_bridge.projects_task;
SELECT results_eq('EXECUTE of_the_owner', ARRAY[3::bigint], 'a statement that the owner prepared');
SET LOCAL ROLE test_ben;
SELECT results_eq('EXECUTE of_the_owner', ARRAY[0::bigint], 'T39: is another one under another role');
RESET ROLE;
SET LOCAL ROLE test_app;
PREPARE of_the_app AS SELECT count(*) FROM crm_bridge.projects_task;
SELECT crm_bridge.act_as('mira@zylker.example') \g /dev/null
SELECT results_eq('EXECUTE of_the_app', ARRAY[3::bigint], 'a statement that an app prepared and ran for an administrator');
SELECT crm_bridge.act_as('ben@zylker.example') \g /dev/null
SELECT results_eq('EXECUTE of_the_app', ARRAY[0::bigint], 'T39: is another one when the app acts for somebody else');
RESET ROLE;

-- Definitions hold no data: what pg_get_…() shows of ours is what everybody can download.
SELECT is(pg_temp.found($$ SELECT count(*) FROM pg_proc AS p WHERE p.pronamespace = 'crm_bridge'::regnamespace AND p.prokind IN ('f', 'p') AND pg_get_functiondef(p.oid) ~ 'zylker|secret in' $$), '0', 'T39: pg_get_functiondef shows source');
SELECT is(pg_temp.found($$ SELECT count(*) FROM pg_class AS c WHERE c.relnamespace = 'crm_bridge'::regnamespace AND pg_get_viewdef(c.oid) ~ 'zylker|secret' $$), '0', 'T39: pg_get_viewdef no record');

-- Known, and the server's own: whether a key is taken shows to whoever may insert it (unique and foreign keys look past row security;
-- our mirrors have no foreign keys).  Sizes, row counts and activity of any table show in pg_class and pg_stat_all_tables, "Rows
-- Removed by Filter" counts hidden rows, pgrowlocks (where it is installed) the locked ones, and an estimate by a leakproof operator
-- tells whether a value is among the most common ones.  A cursor, WITH HOLD above all, a temporary table and a snapshot belong to the
-- session: who shares it with others shares them (DISCARD ALL, which a pool sends, drops them).  Time: a probe that finds something may
-- take longer than one that does not.

SELECT * FROM finish();
ROLLBACK;
