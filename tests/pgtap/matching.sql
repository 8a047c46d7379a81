-- SPDX-License-Identifier: PostgreSQL
-- Clients of Projects and accounts of the CRM (R37-R47, R59, D6, D12, B11).
BEGIN;
\ir fixture/tools.psql
SELECT plan(76);
\ir fixture/organization.psql

-- What stands on both sides; ids are names, so that the rows below can be read.
CREATE FUNCTION pg_temp.id(name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(name)::uuid $$;
CREATE VIEW pg_temp.pairs AS
  SELECT a.account_name AS account, c.name AS client, l.state
    FROM crm_bridge.link AS l
    JOIN crm_bridge.crm_account AS a ON a.id = l.left_id
    JOIN crm_bridge.projects_client AS c ON c.id = l.right_id
   WHERE l.pairing = 'account_client';
-- D12: every record in scope is linked or has one reason.
CREATE FUNCTION pg_temp.all_accounted_for(description text) RETURNS text LANGUAGE sql AS $$
  SELECT results_eq(
    $q$ SELECT count(*), count(*) FILTER (WHERE result = 'linked') + count(reason), count(*) FILTER (WHERE result = 'linked' AND reason IS NOT NULL), count(DISTINCT (side, client_id, account_id)) FROM crm_bridge.client_match_report $q$,
    $q$ SELECT n.n, n.n, 0::bigint, n.n FROM (SELECT (SELECT count(*) FROM crm_bridge.projects_client) + (SELECT count(*) FROM crm_bridge.crm_account) AS n) AS n $q$, description) $$;

INSERT INTO crm_bridge.crm_account (id, account_name, phone, website) VALUES
  (pg_temp.id('a-acme'), 'Acme', '1', NULL), (pg_temp.id('a-globex'), 'GLOBEX  Corporation', NULL, NULL), (pg_temp.id('a-sg'), 'Société Générale', NULL, NULL),
  (pg_temp.id('a-twin1'), 'Twin', NULL, NULL), (pg_temp.id('a-twin2'), 'twin', NULL, NULL), (pg_temp.id('a-solo'), 'Solo', NULL, NULL),
  (pg_temp.id('a-none'), NULL, NULL, NULL), (pg_temp.id('a-blank'), U&' \200B ', NULL, NULL), (pg_temp.id('a-only'), 'Only in the CRM', NULL, NULL),
  (pg_temp.id('a-initech'), 'Initech GmbH', NULL, NULL), (pg_temp.id('a-hooli'), 'Hooli Holding', NULL, 'https://www.hooli.example/about'),
  (pg_temp.id('a-wayne'), 'Wayne Enterprise', NULL, NULL);

-- Nothing is linked ------------------------------------------------------------------------------------------------

SELECT pg_temp.refused('SELECT * FROM crm_bridge.match_clients()', '55000', 'not active', 'R37: there is nothing to match before a portal is linked');
SELECT pg_temp.refused('SELECT crm_bridge.skip_client_matching()', '55000', 'not active', 'R42: nor to skip');
SELECT pg_temp.all_accounted_for('D12: before the integration every account has a reason');
SELECT results_eq('SELECT DISTINCT reason FROM crm_bridge.client_match_report', ARRAY['integration_inactive'], 'D12: integration_inactive');
\ir fixture/projects.psql
INSERT INTO crm_bridge.projects_client (id, name, phone) VALUES
  (pg_temp.id('c-acme'), 'ACME', '2'), (pg_temp.id('c-globex'), U&'\FF27lobex\00A0Corporation', NULL), (pg_temp.id('c-sg'), U&'SOCIE\0301TE\0301 ge\0301ne\0301rale\FEFF', NULL),
  (pg_temp.id('c-twin'), 'Twin', NULL), (pg_temp.id('c-solo1'), 'Solo', NULL), (pg_temp.id('c-solo2'), 'SOLO', NULL),
  (pg_temp.id('c-none'), '', NULL), (pg_temp.id('c-only'), 'Only in Projects', NULL), (pg_temp.id('c-initech'), 'Initech Ltd.', NULL),
  (pg_temp.id('c-hooli'), 'XYZ', NULL), (pg_temp.id('c-wayne'), 'Wayne Enterprises', NULL);
UPDATE crm_bridge.projects_client SET website = 'hooli.example' WHERE id = pg_temp.id('c-hooli');

-- The stored key ---------------------------------------------------------------------------------------------------

SELECT is((SELECT name_key FROM crm_bridge.projects_client WHERE id = pg_temp.id('c-globex')), 'globex corporation', 'D6: a name''s key is stored beside it');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_account SET name_key = 'x' WHERE account_name = 'Acme' $$, '428C9', 'name_key', 'nobody writes the key');
SELECT is(crm_bridge.name_key(NULL), NULL, 'no name has no key');
SELECT results_eq($$ SELECT provolatile::text, proparallel::text, proisstrict FROM pg_proc WHERE oid = 'crm_bridge.name_key(text)'::regprocedure $$, $$ VALUES ('i', 's', true) $$, 'D6: name_key is IMMUTABLE, STRICT and PARALLEL SAFE');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.history WHERE old ? 'name_key' $$, 'B17: the key is no field: history does not have it');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.delivery WHERE 'name_key' = ANY (fields) $$, 'and no service is told');

-- Looking first ----------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT * FROM crm_bridge.match_clients('perhaps') $$, '22023', 'decision "perhaps"', 'a decision is yes or skip');
SELECT results_eq('SELECT * FROM crm_bridge.match_clients(dry_run => true)',
  $$ VALUES ('linked', NULL, 3::bigint, 3::bigint), ('not_linked', 'account_not_mapped', 0, 4), ('not_linked', 'ambiguous', 3, 3), ('not_linked', 'no_account_of_that_name', 4, 0), ('not_linked', 'no_name', 1, 2) $$,
  'R40: a dry run says what a run would do');
SELECT is_empty('SELECT * FROM pg_temp.pairs', 'and does nothing');
SELECT is_empty('SELECT * FROM crm_bridge.client_matching', 'and decides nothing');
SELECT results_eq($$ SELECT client, reason FROM crm_bridge.client_match_report WHERE side = 'client' AND reason = 'not_requested' ORDER BY client COLLATE "C" $$,
  $$ SELECT c.name, 'not_requested' FROM crm_bridge.projects_client AS c WHERE c.id IN (pg_temp.id('c-acme'), pg_temp.id('c-globex'), pg_temp.id('c-sg')) ORDER BY c.name COLLATE "C" $$, 'D12: what would be linked says not_requested');

-- Yes --------------------------------------------------------------------------------------------------------------

DELETE FROM crm_bridge.delivery;
SELECT results_eq('SELECT * FROM crm_bridge.match_clients()',
  $$ VALUES ('linked', NULL, 3::bigint, 3::bigint), ('not_linked', 'account_not_mapped', 0, 4), ('not_linked', 'ambiguous', 3, 3), ('not_linked', 'no_account_of_that_name', 4, 0), ('not_linked', 'no_name', 1, 2) $$,
  'R40: yes links all that match and counts the reasons of all others');
SELECT set_eq('SELECT account FROM pg_temp.pairs', ARRAY['Acme', 'GLOBEX  Corporation', 'Société Générale'], 'D6: of equal names, whatever their case, width, accents'' form and invisible characters');
SELECT results_eq($$ SELECT a.phone, c.phone FROM crm_bridge.crm_account AS a, crm_bridge.projects_client AS c WHERE a.id = pg_temp.id('a-acme') AND c.id = pg_temp.id('c-acme') $$, $$ VALUES ('1', '2') $$, 'D7: a match overwrites nothing on either side');
SELECT is_empty('SELECT * FROM crm_bridge.delivery', 'and sends nothing');
SELECT pg_temp.all_accounted_for('D12: every client and every account is linked or has exactly one reason');
SELECT results_eq($$ SELECT side, COALESCE(client, account), reason FROM crm_bridge.client_match_report WHERE reason IS NOT NULL AND reason <> 'account_not_mapped' ORDER BY side, reason, COALESCE(client, account) COLLATE "C" $$,
  $$ VALUES ('account', 'Solo', 'ambiguous'), ('account', 'Twin', 'ambiguous'), ('account', 'twin', 'ambiguous'), ('account', U&' \200B ', 'no_name'), ('account', NULL, 'no_name'),
            ('client', 'SOLO', 'ambiguous'), ('client', 'Solo', 'ambiguous'), ('client', 'Twin', 'ambiguous'), ('client', 'Initech Ltd.', 'no_account_of_that_name'),
            ('client', 'Only in Projects', 'no_account_of_that_name'), ('client', 'Wayne Enterprises', 'no_account_of_that_name'), ('client', 'XYZ', 'no_account_of_that_name'), ('client', '', 'no_name') $$,
  'D6: the reasons are those of D6');
SELECT results_eq($$ SELECT m.state, m.decided_by, r.kind, r.state, r.done FROM crm_bridge.client_matching AS m JOIN crm_bridge.run AS r ON r.run_id = m.run_id $$ ,
  $$ VALUES ('matched', 'postgres', 'matching', 'running', 3::bigint) $$, 'R46: the call returns; the run goes on in the background');
SELECT pg_temp.refused('SELECT * FROM crm_bridge.match_clients()', '55000', 'decided already[\s\S]*rematch', 'R43: once for each link to a portal');
SELECT pg_temp.refused('SELECT crm_bridge.skip_client_matching()', '55000', 'decided already', 'R43: nor can it be skipped now');

-- In the background ------------------------------------------------------------------------------------------------

SELECT count(*) AS received FROM crm_bridge.receive('crm_profile', '[{"external_id": "f-admin", "fields": {"name": "Administrator"}}, {"external_id": "f-std", "fields": {"name": "Standard"}}]', clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('crm_user',
  '[{"external_id": "c-mira", "fields": {"profile_id": "f-admin"}}, {"external_id": "c-ben", "fields": {"profile_id": "f-admin"}}, {"external_id": "c-carl", "fields": {"profile_id": "f-std"}},
    {"external_id": "c-old", "fields": {"email": "old@zylker.example", "status": "inactive", "profile_id": "f-admin"}}]', clock_timestamp()) \gset
INSERT INTO crm_bridge.crm_contact (id, last_name, email, account_id) VALUES
  (pg_temp.id('p-ada'), 'Ada', 'Ada@Acme.example', pg_temp.id('a-acme')), (pg_temp.id('p-bo1'), 'Bo', 'bo@acme.example', pg_temp.id('a-acme')),
  (pg_temp.id('p-bo2'), 'Bo', 'BO@acme.example', pg_temp.id('a-acme')), (pg_temp.id('p-cy'), 'Cy', 'cy@acme.example', pg_temp.id('a-only')), (pg_temp.id('p-no'), 'No', NULL, pg_temp.id('a-acme'));
INSERT INTO crm_bridge.projects_client_user (id, last_name, email, client_id) VALUES
  (pg_temp.id('u-ada'), 'Ada', 'ada@acme.EXAMPLE ', pg_temp.id('c-acme')), (pg_temp.id('u-bo'), 'Bo', 'bo@acme.example', pg_temp.id('c-acme')),
  (pg_temp.id('u-cy'), 'Cy', 'cy@acme.example', pg_temp.id('c-acme')), (pg_temp.id('u-no'), 'No', NULL, pg_temp.id('c-acme'));
INSERT INTO crm_bridge.projects_project (id, name, client_id, client_user_ids) VALUES (pg_temp.id('j-one'), 'One', pg_temp.id('c-acme'), ARRAY[pg_temp.id('u-ada'), pg_temp.id('u-bo')]);
UPDATE crm_bridge.projects_client SET name = '=1+1' WHERE id = pg_temp.id('c-only');
UPDATE crm_bridge.projects_client SET name = 'Wayne "Bat", Enterprises' WHERE id = pg_temp.id('c-wayne');

SELECT command_id AS command, run_id AS run FROM crm_bridge.client_matching \gset
SELECT results_eq(format('SELECT service, kind, state FROM crm_bridge.command WHERE command_id = %L', :'command'), $$ VALUES ('zoho_projects', 'finish_matching', 'requested') $$, 'R46: a worker is asked for the rest');
SELECT is_empty('SELECT * FROM crm_bridge.notification', 'R41: no mail before the end');
SELECT crm_bridge.finish_matching(:'command') AS facts \gset
SELECT is(:'facts'::jsonb - 'run', '{"by": "postgres", "portal": "Zylker", "matched": 3, "unmatched": 8, "accounts_unmatched": 9, "people": 1, "proposed": 2, "reasons": {"no_name": 1, "ambiguous": 3, "no_account_of_that_name": 4}}'::jsonb, 'R41: what was found');
SELECT results_eq($$ SELECT ct.email, u.email FROM crm_bridge.link AS l JOIN crm_bridge.crm_contact AS ct ON ct.id = l.left_id JOIN crm_bridge.projects_client_user AS u ON u.id = l.right_id WHERE l.pairing = 'contact_client_user' $$,
  $$ VALUES ('Ada@Acme.example', 'ada@acme.EXAMPLE ') $$, 'R45: client users are matched with contacts of the account by e-mail; twice the same says nothing, another account''s contact is not meant');
SELECT results_eq('SELECT project, contact, email, client_user_id FROM crm_bridge.project_contact', $$ VALUES ('One', 'Ada', 'Ada@Acme.example', pg_temp.id('u-ada')) $$, 'R47: a client user listed under a project is a contact associated with it');
SELECT results_eq('SELECT account, project FROM crm_bridge.account_projects', $$ VALUES ('Acme', 'One') $$, 'R38: the projects of a matched client are associated with the account');
SELECT results_eq('SELECT recipient, kind, facts - ''people'', attachment_name FROM crm_bridge.notification ORDER BY 1',
  format($$ VALUES ('Mira@zylker.example', 'clients_matched', %1$L::jsonb - 'people', 'clients.csv'), ('ben@zylker.example', 'clients_matched', %1$L::jsonb - 'people', 'clients.csv') $$, :'facts'), 'R41: a mail to every administrator who is active, and to nobody else');
SELECT is((SELECT attachment FROM crm_bridge.notification WHERE recipient = 'ben@zylker.example'), E'\uFEFF' || array_to_string(ARRAY['client,account,result,reason',
  'SOLO,,not_linked,ambiguous', 'Solo,,not_linked,ambiguous', 'Twin,,not_linked,ambiguous', '''=1+1,,not_linked,no_account_of_that_name', 'Initech Ltd.,Initech GmbH,proposed,no_account_of_that_name',
  '"Wayne ""Bat"", Enterprises",,not_linked,no_account_of_that_name', 'XYZ,Hooli Holding,proposed,no_account_of_that_name', ',,not_linked,no_name',
  'ACME,Acme,linked,', U&'SOCIE\0301TE\0301 ge\0301ne\0301rale\FEFF,Société Générale,linked,', U&'\FF27lobex\00A0Corporation,GLOBEX  Corporation,linked,',
  ',Solo,not_linked,ambiguous', ',Twin,not_linked,ambiguous', ',twin,not_linked,ambiguous', U&'," \200B ",not_linked,no_name', ',,not_linked,no_name', ''], E'\r\n'),
  'R41: the attachment has the unmatched with their reasons and the matched; quoted, and no cell is a formula');
SELECT results_eq(format('SELECT cardinality(l), l[4] FROM string_to_array(crm_bridge._match_report_csv(%L, 2, 1), %L) AS l', :'run', E'\r\n'),
  $$ VALUES (5, '"only the first 2 rows; all are in crm_bridge.client_match_report",,,') $$, 'R41: a long report is cut, and its last line says so');
SELECT is(crm_bridge._csv_cell(v.given), v.wanted, 'a cell: ' || v.given)
  FROM (VALUES ('plain', 'plain'), ('a,b', '"a,b"'), ('say "x"', '"say ""x"""'), ('+1', '''+1'), ('-1', '''-1'), ('@x', '''@x'), (E'a\nb', E'"a\nb"')) AS v (given, wanted);
SELECT is((SELECT state FROM crm_bridge.run WHERE run_id = :'run'), 'finished', 'then the run is finished');
SELECT is(crm_bridge.finish_matching(:'command'), '{}', 'P1: a worker that is killed and asks again does nothing twice');
SELECT is((SELECT count(*) FROM crm_bridge.notification), 2::bigint, 'and no mail is sent twice');

-- Look-alikes ------------------------------------------------------------------------------------------------------

SELECT results_eq($$ SELECT client, account, look_alike, reason FROM crm_bridge.client_match_report WHERE result = 'proposed' ORDER BY client $$,
  $$ VALUES ('Initech Ltd.', 'Initech GmbH', 'legal_form_differs', 'no_account_of_that_name'), ('XYZ', 'Hooli Holding', 'same_website_host', 'no_account_of_that_name') $$, 'D6: look-alikes are proposed with a reason');
SELECT is((SELECT count(*) FROM pg_temp.pairs), 3::bigint, 'and never linked by themselves');
SELECT is(crm_bridge._bare_name(crm_bridge.name_key(v.name)), v.bare, 'the bare name of ' || v.name)
  FROM (VALUES ('Acme Co., Ltd.', 'acme'), ('Müller & Co. KG', 'müller'), ('㈱トヨタ', 'トヨタ'), ('华为技术有限公司', '华为技术'), ('ООО Ромашка', 'ромашка'), ('Ltd', 'ltd')) AS v (name, bare);
SELECT is(crm_bridge._website_host(v.website), v.host, 'the host of ' || v.website)
  FROM (VALUES ('HTTPS://www.Acme.example:8080/x?y', 'acme.example'), ('acme.example', 'acme.example'), ('none', NULL)) AS v (website, host);
CREATE SCHEMA elsewhere;
CREATE EXTENSION pg_trgm SCHEMA elsewhere;
UPDATE crm_bridge.projects_client SET name = 'Wayne Enterprises' WHERE id = pg_temp.id('c-wayne');
SELECT is(crm_bridge._propose_look_alikes(:'run', 1), 3::bigint, 'D6: with pg_trgm, wherever it is, similar names are proposed too');
SELECT results_eq($$ SELECT account, look_alike, score BETWEEN 0.5 AND 1 FROM crm_bridge.client_match_report WHERE client = 'Wayne Enterprises' $$, $$ VALUES ('Wayne Enterprise', 'similar_name', true) $$, 'with their likeness as score');

-- By hand ----------------------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.link_client(crm_bridge.new_id(), pg_temp.id('a-acme')) $$, '42704', 'client .* does not exist', 'R39: a client that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.link_client(pg_temp.id('c-acme'), crm_bridge.new_id()) $$, '42704', 'account .* does not exist', 'an account that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.link_client(pg_temp.id('c-acme'), pg_temp.id('a-only')) $$, '55000', 'cannot be linked[\s\S]*unlink_client', 'a client has one account');
SELECT pg_temp.refused($$ SELECT crm_bridge.link_client(pg_temp.id('c-only'), pg_temp.id('a-acme')) $$, '55000', 'cannot be linked[\s\S]*unlink_client', 'an account one client');
SELECT crm_bridge.link_client(pg_temp.id('c-initech'), pg_temp.id('a-initech')) AS link \gset
SELECT is(crm_bridge.link_client(pg_temp.id('c-initech'), pg_temp.id('a-initech')), :'link'::uuid, 'R39: any client is paired with any account by hand, once');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.match_result WHERE client_id = pg_temp.id('c-initech') $$, 'and is no longer proposed one');
SELECT is(crm_bridge.unlink_client(pg_temp.id('c-acme')), true, 'a link is ended by hand');
SELECT is(crm_bridge.unlink_client(pg_temp.id('c-acme')), false, 'once');
SELECT is_empty($$ SELECT 1 FROM crm_bridge.link WHERE pairing = 'contact_client_user' AND state <> 'archived' $$, 'and those of its people with it');
SELECT results_eq($$ SELECT DISTINCT reason FROM crm_bridge.client_match_report WHERE 'a-acme' = ANY (ARRAY['a-acme']) AND (client_id = pg_temp.id('c-acme') OR account_id = pg_temp.id('a-acme')) $$, ARRAY['unlinked'], 'D12: unlinked, on both sides');

-- Again ------------------------------------------------------------------------------------------------------------

CREATE TEMP TABLE before AS SELECT * FROM pg_temp.pairs;
UPDATE crm_bridge.crm_account SET account_name = 'Renamed' WHERE id = pg_temp.id('a-globex');
SELECT results_eq($$ SELECT outcome, reason, clients FROM crm_bridge.match_clients(rematch => true) WHERE clients > 0 $$,
  $$ VALUES ('not_linked', 'ambiguous', 3::bigint), ('not_linked', 'no_account_of_that_name', 3), ('not_linked', 'no_name', 1), ('not_linked', 'unlinked', 1) $$, 'B11: a rematch of the same links nothing again, nor what was unlinked by hand');
SELECT is((SELECT count(*) FROM pg_temp.pairs WHERE state = 'active'), 3::bigint, 'D6: a link survives renames');
SELECT pg_temp.all_accounted_for('D12: still everything is linked or has one reason');
UPDATE crm_bridge.crm_account SET account_name = 'Twin two' WHERE id = pg_temp.id('a-twin2');
SELECT results_eq($$ SELECT clients FROM crm_bridge.match_clients(rematch => true) WHERE outcome = 'linked' $$, ARRAY[1::bigint], 'B11: what has become unambiguous is linked');
SELECT crm_bridge.link_client(pg_temp.id('c-acme'), pg_temp.id('a-acme')) AS link \gset
SELECT is((SELECT count(*) FROM crm_bridge.link WHERE pairing = 'contact_client_user' AND state = 'active'), 1::bigint, 'R39: who links by hand again links the people too');

-- Skip, and another link to the portal -----------------------------------------------------------------------------

UPDATE crm_bridge.integration SET state = 'off' WHERE service = 'zoho_projects';
SELECT is_empty('SELECT * FROM crm_bridge.client_matching', 'R44: when the portal is deactivated the decision is open again');
UPDATE crm_bridge.integration SET state = 'configuring' WHERE service = 'zoho_projects';
UPDATE crm_bridge.integration SET state = 'active' WHERE service = 'zoho_projects';
SELECT pg_temp.accepted('SELECT crm_bridge.skip_client_matching()', 'R42: no, skip');
SELECT pg_temp.accepted('SELECT crm_bridge.skip_client_matching()', 'said twice');
SELECT pg_temp.refused('SELECT * FROM crm_bridge.match_clients()', '55000', 'It was skipped', 'R43: once skipped it cannot be started again');
SELECT isnt_empty('SELECT * FROM crm_bridge.match_clients(rematch => true)', 'B11: unless it is asked for by name');

SELECT * FROM finish();
ROLLBACK;
