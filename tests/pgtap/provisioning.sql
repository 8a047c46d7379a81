-- SPDX-License-Identifier: PostgreSQL
-- Who comes to Projects with a profile's permission (R32-R34, D8), and what only the portal's administrator sees (R143, R144).
BEGIN;
\ir fixture/tools.psql
SELECT plan(43);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/protocol.psql
\ir fixture/history.psql
\ir fixture/rights.psql

-- Provisioning -----------------------------------------------------------------------------------------------------

SELECT count(*) AS received FROM crm_bridge.receive('crm_user',
  '[{"external_id": "c-dan", "fields": {"full_name": "Dan", "email": "Dan@zylker.example", "status": "active", "profile_id": "sales"}},
    {"external_id": "c-eve", "fields": {"full_name": "Eve", "email": "eve@zylker.example", "status": "inactive", "profile_id": "sales"}},
    {"external_id": "c-fax", "fields": {"full_name": "No address", "status": "active", "profile_id": "sales"}}]', clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_user', '[{"external_id": "p-ben", "fields": {"role": "Manager"}}]', clock_timestamp()) \gset

-- What Projects is asked for, in place of asking it.
CREATE TABLE public.asked (emails text[], role text);
CREATE FUNCTION pg_temp.keep_asking() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE replace(pg_get_functiondef('crm_bridge._provision_users(bigint, text[], text)'::regprocedure),
                  (SELECT prosrc FROM pg_proc WHERE oid = 'crm_bridge._provision_users(bigint, text[], text)'::regprocedure),
                  ' BEGIN INSERT INTO public.asked VALUES (emails, role); END ');
END
$$;
SAVEPOINT as_it_is;
SELECT pg_temp.keep_asking() \g /dev/null

SELECT is((SELECT count(*) FROM public.asked), 0::bigint, 'R32: nobody is added to Projects before a permission is saved');
SELECT is(crm_bridge.set_profile_permission('Sales', tab_visible => true), 2, 'R32: saving a profile''s permission says how many are added');
SELECT results_eq('SELECT emails, role FROM public.asked', $$ VALUES (ARRAY['carl@zylker.example', 'dan@zylker.example'], 'Employee'::text) $$,
                  'R32, R33, R34: its active users with an address come as Employee, but Ben, who is there already');
SELECT is((SELECT role FROM crm_bridge.projects_user WHERE external_id = 'p-ben'), 'Manager', 'R34: and keeps the role that he had');
DELETE FROM public.asked;
SELECT count(*) AS received FROM crm_bridge.receive('crm_user',
  '[{"external_id": "c-gus", "fields": {"full_name": "Gus", "email": "gus@zylker.example", "status": "active", "profile_id": "sales"}},
    {"external_id": "c-hal", "fields": {"full_name": "Hal", "email": "hal@zylker.example", "status": "active", "profile_id": "chiefs"}}]', clock_timestamp()) \gset
SELECT ok((SELECT bool_or('gus@zylker.example' = ANY (emails)) FROM public.asked), 'R32: who joins the profile later comes too');
SELECT ok(NOT (SELECT bool_or('hal@zylker.example' = ANY (emails)) FROM public.asked), 'but not with a profile that nobody saved');
DELETE FROM public.asked;
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-hal", "fields": {"profile_id": "sales"}}, {"external_id": "c-eve", "fields": {"status": "active"}}]', clock_timestamp()) \gset
SELECT ok((SELECT bool_or('hal@zylker.example' = ANY (emails)) FROM public.asked), 'R32: nor who moves to it is forgotten');
SELECT ok((SELECT bool_or('eve@zylker.example' = ANY (emails)) FROM public.asked), 'nor who becomes active');
DELETE FROM public.asked;
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-hal", "fields": {"time_zone": "Asia/Tokyo"}}]', clock_timestamp()) \gset
SELECT is((SELECT count(*) FROM public.asked), 0::bigint, 'another change of a user asks for nothing');
SELECT is(crm_bridge.set_profile_permission('Sales', false, false, false, false, false), 5, 'clearing all flags is saving too');
SELECT is((SELECT count(*) FROM crm_bridge.projects_user), 3::bigint, 'D8: and takes nobody out of the portal');
DELETE FROM public.asked;
SELECT crm_bridge.deactivate_projects() AS off, crm_bridge.activate_projects() AS command \gset
SELECT is(crm_bridge.set_profile_permission('Administrator', can_view => true), 0, 'R5: without a portal nobody can be added');
SELECT is((SELECT count(*) FROM public.asked), 0::bigint, 'nor is anybody asked for');
SELECT crm_bridge.choose_portal('Zylker') \g /dev/null
SELECT is((SELECT array_agg(DISTINCT e ORDER BY e) FROM public.asked, unnest(emails) AS e),
          ARRAY['carl@zylker.example', 'dan@zylker.example', 'eve@zylker.example', 'gus@zylker.example', 'hal@zylker.example'],
          'R5, R32: when it is chosen, all whose profile was saved come');
ROLLBACK TO as_it_is;
SELECT is(crm_bridge.set_profile_permission('Sales', tab_visible => true), 2, 'and as it is:');
SELECT set_eq('SELECT u.email, u.role FROM crm_bridge.projects_user AS u WHERE u.external_id IS NULL',
              $$ VALUES ('carl@zylker.example', 'Employee'), ('dan@zylker.example', 'Employee') $$, 'R32, R33: they are added to the portal');
SELECT crm_bridge.set_profile_permission('Sales', tab_visible => true) \g /dev/null
SELECT is((SELECT count(*) FROM crm_bridge.projects_user AS u WHERE u.external_id IS NULL), 2::bigint, 'once');

-- The administrators are told (R32) ----------------------------------------------------------------------------------

SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-olga", "fields": {"full_name": "Olga", "email": "olga@zylker.example", "status": "active", "profile_id": "chiefs"}}]', clock_timestamp()) \gset
CREATE TEMP VIEW told AS SELECT n.recipient, n.facts FROM crm_bridge.notification AS n WHERE n.kind = 'users_provisioned' ORDER BY 1;
CREATE FUNCTION pg_temp.beat(lease uuid) RETURNS bigint LANGUAGE sql AS $$ SELECT crm_bridge.heartbeat(lease, 'the test', '1 hour'); SELECT count(*) FROM crm_bridge.notification WHERE kind = 'users_provisioned' $$;
CREATE FUNCTION pg_temp.record_of(email text) RETURNS uuid LANGUAGE sql AS $$ SELECT u.id FROM crm_bridge.projects_user AS u WHERE u.email = record_of.email $$;
SELECT is(pg_temp.beat(:'lease'), 0::bigint, 'R32: while Projects has not answered for everybody, nobody is told');
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_projects', 10, :'lease', org_id => 1) \gset
SELECT count(*) AS done FROM crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'projects_user', 'record_id', pg_temp.record_of('carl@zylker.example'), 'external_id', 'p-carl')), 1) \gset
SELECT is(pg_temp.beat(:'lease'), 0::bigint, 'R32: nor when it has answered for one of two');
SELECT count(*) AS failed FROM crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'projects_user', 'record_id', pg_temp.record_of('dan@zylker.example'),
  'outcome', 'park', 'reason', 'invalid_data', 'detail', E'the plan has no\nfree seat')), 1) \gset
SELECT is(pg_temp.beat(:'lease'), 2::bigint, 'R32: then every administrator is');
SELECT results_eq('SELECT recipient FROM told', ARRAY['Mira@zylker.example', 'olga@zylker.example'], 'R32: and nobody else');
SELECT is((SELECT facts FROM told LIMIT 1), '{"profile": ["Sales"], "users": ["carl@zylker.example"], "refused": [{"who": "dan@zylker.example", "reason": "parked", "detail": "the plan has no\nfree seat"},
  {"who": "eve@zylker.example", "word": "not_active"}, {"who": "No address", "word": "no_address"}]}'::jsonb, 'R32: with the profile, who was added, and who could not be, and why');
SELECT matches(crm_bridge._render('users_provisioned', 'body', 'de', (SELECT facts FROM told LIMIT 1), 1),
  'Profil: Sales\nHinzugefügte Benutzer:\n- carl@zylker.example\n\nNicht hinzugefügt:\n- dan@zylker.example: vom Dienst abgelehnt; bitte prüfen – the plan has no free seat\n- eve@zylker.example: ist kein aktiver Benutzer\n- No address: hat keine E-Mail-Adresse\n', 'D10: in words of the reader''s language');
SELECT results_eq($$ SELECT state, done, expected, facts FROM crm_bridge.run WHERE kind = 'provisioning' $$, $$ VALUES ('finished', 1::bigint, 2::bigint, '{}'::jsonb) $$, 'the run can be watched');
SELECT is(pg_temp.beat(:'lease') + pg_temp.beat(:'lease'), 4::bigint, 'R32: once a run, however often a worker looks');
SELECT crm_bridge.set_profile_permission('Sales', can_view => true) \g /dev/null
SELECT is(pg_temp.beat(:'lease'), 2::bigint, 'R32: a permission that adds nobody tells nobody');
SELECT count(*) AS received FROM crm_bridge.receive('crm_user', '[{"external_id": "c-gus", "fields": {"full_name": "Gus", "email": "gus@zylker.example", "status": "active", "profile_id": "sales"}}]', clock_timestamp()) \gset
SELECT is((SELECT count(*) FROM crm_bridge.run WHERE kind = 'provisioning'), 1::bigint, 'nor does somebody who joins the profile later');

-- CRM details beside the project -----------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS account, crm_bridge.new_id() AS deal \gset
INSERT INTO crm_bridge.crm_account (id, account_name, industry) VALUES (:'account', 'Acme', 'Mining');
INSERT INTO crm_bridge.crm_deal (id, deal_name, stage, amount, account_id, owner_id) VALUES (:'deal', 'Routers', 'Closed Won', 9000, :'account', :'mira');
SELECT crm_bridge.create_project_from_deal(:'deal') AS project \gset
INSERT INTO crm_bridge.projects_project (name) VALUES ('Of nobody''s');
SELECT pg_temp.flags('Sales', 'tab', 'view', 'create', 'edit', 'delete') \g /dev/null

SELECT is(pg_temp.told(r.role, r.person, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '0', 'R144: no CRM details for ' || r.who) FROM (VALUES
  ('test_app', NULL, 'an app'), ('test_app', 'ben@zylker.example', 'an app that acts for an employee'), ('test_ben', NULL, 'an employee''s role'),
  ('test_ben_reads', NULL, 'an employee''s role to read'), ('test_analyst', NULL, 'an analyst'), ('test_administrator', NULL, 'an administrator''s role by itself'),
  ('test_app', 'mira@zylker.example', 'a CRM administrator who is none of the portal')) AS r (role, person, who);
SELECT count(*) AS received FROM crm_bridge.receive('projects_user', '[{"external_id": "p-ben", "fields": {"role": "Administrator", "profile": "Portal Owner"}}]', clock_timestamp()) \gset
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '2', 'R144: the portal''s administrator sees them, from the next statement on');
SELECT is(pg_temp.told('test_app', 'ben@zylker.example', $$ SELECT concat_ws('|', project, client, account, industry, deal, stage, amount, deal_owner) FROM crm_bridge.project_crm_details WHERE deal IS NOT NULL $$),
          'Routers|Acme|Acme|Mining|Routers|Closed Won|9000|Mira', 'R143: client, account and deal beside the project');
SELECT is(pg_temp.told('test_ben_reads', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '2', 'R144: in whichever role he comes');
SELECT pg_temp.flags('Sales', 'none') \g /dev/null
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '0', 'R36: what he may not view he does not see this way either');
SELECT pg_temp.flags('Sales', 'tab', 'view') \g /dev/null
SELECT count(*) AS received FROM crm_bridge.receive('projects_user', '[{"external_id": "p-ben", "fields": {"is_active": false}}]', clock_timestamp()) \gset
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '0', 'R144: one who has left the portal does not');
SELECT count(*) AS received FROM crm_bridge.receive('projects_user', '[{"external_id": "p-ben", "fields": {"is_active": true, "profile": "Employee"}}]', clock_timestamp()) \gset
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '0', 'R144: the profile decides, not the name of the role');
SELECT count(*) AS received FROM crm_bridge.receive('projects_portal', '[{"external_id": "portal", "fields": {"owner_email": "Ben@zylker.example"}}]', clock_timestamp()) \gset
SELECT is(pg_temp.told('test_ben', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '2', 'R144: the portal''s owner sees them');
SELECT is(pg_temp.told('postgres', NULL, 'SELECT count(*) FROM crm_bridge.project_crm_details'), '2', 'a superuser passes, as he does everywhere');
-- A function of the reader's own, cheap and telling, in front of the barrier.
SELECT count(*) AS received FROM crm_bridge.receive('projects_portal', '[{"external_id": "portal", "fields": {"owner_email": "mira@zylker.example"}}]', clock_timestamp()) \gset
CREATE TABLE public.leaked (value text);
GRANT INSERT, SELECT ON public.leaked TO test_ben;
GRANT USAGE, CREATE ON SCHEMA public TO test_ben;
SET LOCAL ROLE test_ben;
CREATE FUNCTION public.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO public.leaked VALUES (value); RETURN true; END $$;
SELECT count(*) AS seen FROM crm_bridge.project_crm_details WHERE public.leak(account) AND public.leak(deal) AND public.leak(amount::text) \gset
SELECT is((SELECT count(*) FROM public.leaked), 0::bigint, 'R144: a leaky condition is shown nothing');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
