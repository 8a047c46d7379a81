-- SPDX-License-Identifier: PostgreSQL
-- Ids, the organization of the session, the role that is asking (design §4 and §5, style 40).
BEGIN;
\ir fixture/tools.psql
SELECT plan(36);

-- Ids --------------------------------------------------------------------------------------------------------------

CREATE TEMP TABLE made AS SELECT n, crm_bridge.new_id() AS id FROM generate_series(1, 20000) AS n;
SELECT is((SELECT count(*) FROM made WHERE substr(id::text, 15, 1) = '7' AND substr(id::text, 20, 1) IN ('8', '9', 'a', 'b')),
          20000::bigint, 'design §3: ids are UUIDs of version 7 and of the standard variant');
SELECT is((SELECT count(DISTINCT id) FROM made), 20000::bigint, 'no two are the same');
SELECT is_empty($$ SELECT 1 FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before FROM made) AS m WHERE id <= before $$,
                'an id that is made later by the same session sorts later');
SELECT is_empty($$
  SELECT id FROM made WHERE ('x' || translate(substr(id::text, 1, 13), '-', ''))::bit(48)::bigint
                            < floor(extract(epoch FROM transaction_timestamp()) * 1000)
  $$, 'an id carries the instant at which it was made, in milliseconds');

-- The organization -------------------------------------------------------------------------------------------------

CREATE ROLE test_stranger;
CREATE ROLE test_app;
CREATE ROLE test_both;
CREATE ROLE test_member IN ROLE test_app;
GRANT USAGE ON SCHEMA crm_bridge TO test_stranger;

SELECT is(crm_bridge.current_org(), NULL, 'without an organization there is none to work for');
SELECT crm_bridge.create_organization(1, 'One') AS org \gset
SELECT is(crm_bridge.current_org(), 1::bigint, 'design §4: the only organization need not be named');
SELECT crm_bridge.create_organization(60001234567, 'Two') AS org \gset
SELECT is(crm_bridge.current_org(), NULL, 'of two, none is taken by chance');
SET LOCAL crm_bridge.organization = 60001234567;
SELECT is(crm_bridge.current_org(), 60001234567::bigint, 'the setting chooses, also a number of eleven digits');
SET LOCAL crm_bridge.organization = 3;
SELECT is(crm_bridge.current_org(), NULL, 'an organization that does not exist is not chosen');
SET LOCAL crm_bridge.organization = 0;
SELECT is(crm_bridge.current_org(), NULL, '0 chooses none');
SELECT pg_temp.refused($$ SET crm_bridge.organization = 'one' $$, '22023', 'crm_bridge.organization', 'the setting takes a number only');
SELECT pg_temp.refused($$ SET crm_bridge.organization = -1 $$, '22023', 'crm_bridge.organization', 'and no negative one');
SELECT pg_temp.refused($$ SET crm_bridge.organisation = 1 $$, '42602', 'crm_bridge', 'style 13: a setting that is spelt wrongly is refused');
SELECT pg_temp.refused($$ SELECT crm_bridge._own_org(NULL) $$, '55000', 'SET crm_bridge.organization',
                       'who leaves it open is told how to settle it');
SELECT pg_temp.refused($$ SELECT crm_bridge._own_org(9) $$, '42704', 'organization 9 does not exist', 'a number that is nobody''s is unknown');

SELECT crm_bridge.grant_app('test_app', 1) AS done \gset
SELECT crm_bridge.grant_app('test_both', 1) AS done \gset
SELECT crm_bridge.grant_app('test_both', 60001234567) AS done \gset

SET LOCAL ROLE test_stranger;
SELECT is(crm_bridge.current_org(), NULL, 'a role without a binding has no organization');
SET LOCAL crm_bridge.organization = 1;
SELECT is(crm_bridge.current_org(), NULL, 'design §4: the setting never widens: a stranger stays a stranger');
SET LOCAL ROLE test_app;
SET LOCAL crm_bridge.organization = 0;
SELECT is(crm_bridge.current_org(), 1::bigint, 'role_binding gives a role its organization');
SET LOCAL crm_bridge.organization = 60001234567;
SELECT is(crm_bridge.current_org(), NULL, 'design §4: the setting never widens: another organization is not chosen');
SELECT pg_temp.refused($$ SELECT crm_bridge._own_org(60001234567) $$, '42501', 'Role "test_app" is not bound to it',
                       'nor can another organization be named');
SET LOCAL ROLE test_member;
SET LOCAL crm_bridge.organization = 0;
SELECT is(crm_bridge.current_org(), 1::bigint, 'a member of a bound role works for its organization');
SET LOCAL ROLE test_both;
SELECT is(crm_bridge.current_org(), NULL, 'a role of two organizations must choose');
SET LOCAL crm_bridge.organization = 1;
SELECT is(crm_bridge.current_org(), 1::bigint, 'the setting narrows to the first');
SET LOCAL crm_bridge.organization = 60001234567;
SELECT is(crm_bridge.current_org(), 60001234567::bigint, 'or to the second');
SELECT is(crm_bridge._own_org(1), 1::bigint, 'and either can be named');
RESET ROLE;
DELETE FROM crm_bridge.role_binding WHERE role = 'test_both' AND org_id = 60001234567;
SET LOCAL ROLE test_both;
SELECT is(crm_bridge.current_org(), NULL, 'a binding that is taken away counts from the next statement on');
SET LOCAL crm_bridge.organization = 0;
SELECT is(crm_bridge.current_org(), 1::bigint, 'and what is left is the only one');
RESET ROLE;

-- The role that is asking ------------------------------------------------------------------------------------------

CREATE FUNCTION public.seen_by_definer() RETURNS text[] LANGUAGE sql SECURITY DEFINER AS
  $$ SELECT ARRAY[crm_bridge.calling_role()::text, current_user::text, crm_bridge.current_org()::text] $$;
CREATE FUNCTION public.seen_twice() RETURNS text[] LANGUAGE sql SECURITY DEFINER AS $$ SELECT public.seen_by_definer() $$;
ALTER FUNCTION public.seen_twice() OWNER TO test_both;

SELECT is(crm_bridge.calling_role(), current_user::name, 'outside of any function it is current_user');
SELECT is(public.seen_by_definer(), ARRAY['postgres', 'postgres', NULL]::text[], 'a superuser works for all organizations');
SET LOCAL ROLE test_app;
SELECT is(crm_bridge.calling_role(), 'test_app'::name, 'it follows SET ROLE');
SELECT is(public.seen_by_definer(), ARRAY['test_app', 'postgres', '1']::text[],
          'style 40: inside a SECURITY DEFINER function it stays the caller, and so does the organization');
SELECT is(public.seen_twice(), ARRAY['test_app', 'postgres', '1']::text[], 'also two such functions deep');
SET LOCAL ROLE test_stranger;
SELECT is(public.seen_by_definer(), ARRAY['test_stranger', 'postgres', NULL]::text[], 'a definer function lends a stranger no organization');
SELECT is(crm_bridge.calling_role(), 'test_stranger'::name, 'a stranger may ask who he is');
SELECT pg_temp.refused($$ SELECT crm_bridge._own_org(1) $$, '42501', '_own_org', 'but may not call what is internal');
SELECT is(substr(crm_bridge.new_id()::text, 15, 1), '7', 'anybody may make ids');

SELECT * FROM finish();
ROLLBACK;
