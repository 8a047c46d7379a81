-- SPDX-License-Identifier: PostgreSQL
-- Companies and contacts of Bigin are the other faces of clients and client users (R131-R134, D6, D13, B11).
BEGIN;
\ir fixture/tools.psql
SELECT plan(67);
\ir fixture/organization.psql

-- Refused before anything is set up --------------------------------------------------------------------------------

SELECT pg_temp.refused($$ SELECT crm_bridge.deactivate_bigin() $$, '55000', 'Bigin is not active', 'what is off cannot be switched off');
SELECT is((SELECT enabled FROM crm_bridge.automation WHERE rule = 'clients_in_bigin'), false, 'an organization begins without Bigin');
INSERT INTO crm_bridge.bigin_company (account_name) VALUES ('Before');
SELECT is_empty('SELECT * FROM crm_bridge.link', 'B11: while the rule is off, nothing gets a twin');
SELECT pg_temp.refused($$ SELECT crm_bridge.create_project_from_company((SELECT id FROM crm_bridge.bigin_company)) $$, '55000', 'zoho_projects', 'R134: no project without Projects');
\ir fixture/projects.psql
SELECT pg_temp.refused($$ SELECT crm_bridge.create_project_from_company((SELECT id FROM crm_bridge.bigin_company)) $$, '55000', 'bigin', 'R134: nor without Bigin');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.bigin_user (email) VALUES ('x@y.example') $$, '0A000', 'only read', 'users are Bigin''s to manage');
DELETE FROM crm_bridge.bigin_company;
\ir fixture/history.psql
\ir fixture/protocol.psql
SELECT pg_temp.forget() AS forgotten \gset
\ir fixture/bigin.psql

-- What stands on both sides ----------------------------------------------------------------------------------------

SELECT pg_temp.refused('SELECT crm_bridge.activate_bigin()', '55000', 'active already', 'switched on once');
SELECT results_eq('SELECT pairing, state, in_projects, in_bigin FROM pairs',
  $$ VALUES ('client_company', 'active', ' ACME ', 'Acme'), ('client_user_contact', 'active', 'Lin@acme.example', 'lin@acme.example') $$,
  'B11, D6: equal names and equal addresses are linked, not made again');
SELECT is((SELECT count(*) FROM crm_bridge.projects_client) + (SELECT count(*) FROM crm_bridge.bigin_company) + (SELECT count(*) FROM crm_bridge.delivery), 3::bigint,
  'D13: what was there before gets no twin, and nothing is sent because of the first reading');
SELECT results_eq($$ SELECT c.phone, b.phone FROM crm_bridge.projects_client AS c, crm_bridge.bigin_company AS b WHERE b.external_id = 'bc-acme' $$,
  $$ VALUES ('1', '2') $$, 'linking moves no value: what differs stays until somebody changes it');
SELECT count(*) AS received FROM crm_bridge.receive('bigin_company',
  '[{"external_id": "bc-twice", "created_at": "2020-01-01T00:00:00Z", "fields": {"account_name": "acme"}}, {"external_id": "bc-none", "fields": {"phone": "7"}}]', clock_timestamp()) \gset
SELECT results_eq($$ SELECT s.external_id, r.field, r.reason FROM crm_bridge.refusal AS r JOIN crm_bridge.shadow AS s ON s.record_id = r.record_id ORDER BY 1 $$,
  $$ VALUES ('bc-none', 'account_name', 'no_name'), ('bc-twice', 'account_name', 'ambiguous') $$, 'D12: what cannot be decided stays alone, with its reason');
SELECT is((SELECT count(*) FROM pairs), 2::bigint, 'and unlinked');

-- Any change follows, both ways (R133) -----------------------------------------------------------------------------

SELECT left_id AS client, right_id AS company FROM pairs WHERE pairing = 'client_company' \gset
SELECT left_id AS guest, right_id AS contact FROM pairs WHERE pairing = 'client_user_contact' \gset
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.projects_client SET name = 'Acme Ltd', phone = '3', website = 'https://acme.example' WHERE id = :'client';
SELECT results_eq(format('SELECT account_name, phone, website FROM crm_bridge.bigin_company WHERE id = %L', :'company'), $$ VALUES ('Acme Ltd', '3', 'https://acme.example') $$, 'R133: a client''s name, telephone and site follow');
SELECT results_eq('TABLE dirty', $$ VALUES ('bigin_company', 'write', 'pending', '{account_name,phone,website}'::text[]), ('projects_client', 'write', 'pending', '{name,phone,website}') $$, 'both services lack them');
SELECT is(pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease'), 2, 'and get them');
SELECT count(*) AS received FROM crm_bridge.receive('bigin_company', '[{"external_id": "bc-acme", "version": "2040-01-01T00:00:00Z", "modified_by": "b-mira", "fields": {"account_name": "Acme Inc", "phone": "4"}}]', clock_timestamp()) \gset
SELECT results_eq(format('SELECT name, phone, modified_by FROM crm_bridge.projects_client WHERE id = %L', :'client'), $$ VALUES ('Acme Inc', '4', 'mira@zylker.example') $$, 'R133, D16: a change in Bigin follows, in its person''s name');
UPDATE crm_bridge.bigin_contact SET last_name = 'Wu-Meyer', email = 'wu@acme.example' WHERE id = :'contact';
SELECT results_eq(format('SELECT first_name, last_name, email FROM crm_bridge.projects_client_user WHERE id = %L', :'guest'), $$ VALUES ('Lin', 'Wu-Meyer', 'wu@acme.example') $$, 'R133: a contact''s change follows');
UPDATE crm_bridge.projects_client_user SET first_name = 'Linda' WHERE id = :'guest';
SELECT is((SELECT first_name FROM crm_bridge.bigin_contact WHERE id = :'contact'), 'Linda', 'R133: a client user''s too');
SELECT is_empty('SELECT * FROM crm_bridge.conflict', 'without a conflict');
SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset

-- What is new gets its twin ----------------------------------------------------------------------------------------

INSERT INTO crm_bridge.projects_client (name, phone, portal_id) SELECT 'Contoso', '5', portal_id FROM crm_bridge.projects_client WHERE id = :'client';
SELECT results_eq($$ SELECT b.account_name, b.phone, p.state FROM pairs AS p JOIN crm_bridge.bigin_company AS b ON b.id = p.right_id WHERE p.in_projects = 'Contoso' $$, $$ VALUES ('Contoso', '5', 'active') $$, 'R133: a new client gets its company');
SELECT results_eq('SELECT module, operation FROM dirty', $$ VALUES ('bigin_company', 'write'), ('projects_client', 'write') $$, 'each is made at its service, once');
SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset
SELECT count(*) AS received FROM crm_bridge.receive('bigin_company', jsonb_build_array(jsonb_build_object('external_id', 'bc-new', 'created_at', now() + interval '1 hour', 'fields', '{"account_name": "Fabrikam", "website": "fabrikam.example"}'::jsonb)), clock_timestamp()) \gset
SELECT results_eq($$ SELECT c.name, c.website, c.portal_id IS NOT NULL, c.origin FROM pairs AS p JOIN crm_bridge.projects_client AS c ON c.id = p.left_id WHERE p.in_bigin = 'Fabrikam' $$, $$ VALUES ('Fabrikam', 'fabrikam.example', true, 'app') $$, 'R133: a company made in Bigin gets its client');
SELECT is(pg_temp.send_all(:'lease'), 1, 'which is made in Projects');
SELECT is(pg_temp.send('bigin', :'lease'), 0, 'P10: nothing goes back to Bigin');
SELECT count(*) AS received FROM crm_bridge.receive('projects_client', jsonb_build_array(jsonb_build_object('external_id', 'cl-new', 'created_at', now() + interval '1 hour', 'fields', '{"name": "Northwind", "portal_id": "portal"}'::jsonb)), clock_timestamp()) \gset
SELECT is((SELECT in_bigin FROM pairs WHERE in_projects = 'Northwind'), 'Northwind', 'R133: a client made in Projects gets its company');
SELECT crm_bridge.start_run('initial_sync', 'zoho_projects', 'projects_client', NULL, 1) AS run \gset
SELECT count(*) AS received FROM crm_bridge.receive('projects_client', '[{"external_id": "cl-read", "fields": {"name": "Read first", "portal_id": "portal"}}]', clock_timestamp(), run => :'run') \gset
SELECT is((SELECT count(*) FROM pairs WHERE in_projects = 'Read first'), 0::bigint, 'D13: nothing that a first reading of Projects brings is new');
SELECT crm_bridge.finish_run(:'run', 'finished', NULL, 1) AS finished \gset
SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset

-- Contacts: in Projects a customer's person is a guest of a project
INSERT INTO crm_bridge.bigin_contact (first_name, last_name, email, account_id) VALUES ('Ada', 'Berg', 'ada@acme.example', :'company');
SELECT results_eq($$ SELECT u.first_name, u.last_name, c.name, p.name FROM crm_bridge.projects_client_user AS u JOIN crm_bridge.projects_client AS c ON c.id = u.client_id
    JOIN crm_bridge.projects_project AS p ON p.id = u.project_id WHERE u.email = 'ada@acme.example' $$, $$ VALUES ('Ada', 'Berg', 'Acme Inc', 'Routers') $$, 'R133: a new contact becomes a client user, guest of the client''s project');
INSERT INTO crm_bridge.bigin_contact (last_name, email, account_id) SELECT 'Early', 'early@fabrikam.example', right_id FROM pairs WHERE in_bigin = 'Fabrikam';
SELECT is((SELECT count(*) FROM crm_bridge.projects_client_user WHERE email = 'early@fabrikam.example'), 0::bigint, 'where there is no project yet, the contact waits');
INSERT INTO crm_bridge.projects_project (name, client_id, portal_id) SELECT 'First', c.id, c.portal_id FROM crm_bridge.projects_client AS c WHERE c.name = 'Fabrikam';
SELECT is((SELECT p.name FROM crm_bridge.projects_client_user AS u JOIN crm_bridge.projects_project AS p ON p.id = u.project_id WHERE u.email = 'early@fabrikam.example'), 'First', 'and comes along with the first one');
INSERT INTO crm_bridge.bigin_contact (last_name, email) VALUES ('Loose', 'loose@acme.example');
SELECT is((SELECT count(*) FROM pairs WHERE in_bigin = 'loose@acme.example'), 0::bigint, 'a contact of no company has no client');
UPDATE crm_bridge.bigin_contact SET account_id = :'company' WHERE email = 'loose@acme.example';
SELECT is((SELECT in_projects FROM pairs WHERE in_bigin = 'loose@acme.example'), 'loose@acme.example', 'until it gets one');
INSERT INTO crm_bridge.projects_client_user (first_name, email, client_id, project_id, portal_id) SELECT 'Solo', 'solo@acme.example', p.client_id, p.id, p.portal_id FROM crm_bridge.projects_project AS p WHERE p.name = 'Routers';
SELECT results_eq($$ SELECT b.first_name, b.last_name, a.account_name FROM crm_bridge.bigin_contact AS b JOIN crm_bridge.bigin_company AS a ON a.id = b.account_id WHERE b.email = 'solo@acme.example' $$, $$ VALUES ('Solo', 'Solo', 'Acme Inc') $$, 'R133: a new client user becomes a contact, with the last name that Bigin demands');
INSERT INTO crm_bridge.bigin_contact (last_name, email, account_id) VALUES ('Again', 'SOLO@acme.example', :'company');
SELECT is((SELECT r.reason FROM crm_bridge.refusal AS r JOIN crm_bridge.bigin_contact AS b ON b.id = r.record_id WHERE b.last_name = 'Again'), 'ambiguous', 'D12: an address that stands twice is not guessed at');
SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset
SELECT is_empty($$ SELECT module, record_id FROM crm_bridge.delivery $$, 'everything reaches its service');
UPDATE crm_bridge.bigin_contact SET account_id = (SELECT right_id FROM pairs WHERE in_bigin = 'Fabrikam') WHERE email = 'ada@acme.example';
SELECT is((SELECT c.name FROM crm_bridge.projects_client_user AS u JOIN crm_bridge.projects_client AS c ON c.id = u.client_id WHERE u.email = 'ada@acme.example'), 'Fabrikam', 'R133: whoever changes the company changes the client');
DELETE FROM crm_bridge.bigin_company WHERE external_id = 'bc-twice';
DELETE FROM crm_bridge.bigin_contact WHERE email = 'ada@acme.example';
SELECT is((SELECT count(*) FROM crm_bridge.projects_client_user WHERE email = 'ada@acme.example'), 1::bigint, 'D2: a deletion unlinks; the other face stays');

-- A project out of a company (R134) --------------------------------------------------------------------------------

SELECT crm_bridge.create_project_from_company(:'company', 'Switches') AS project \gset
SELECT is((SELECT client_id FROM crm_bridge.projects_project WHERE id = :'project'), :'client'::uuid, 'R134: a project for a company has its client');
SELECT id AS old_company FROM crm_bridge.bigin_company WHERE external_id = 'bc-old' \gset
SELECT count(*) AS received FROM crm_bridge.receive('bigin_contact', '[{"external_id": "bt-old", "created_at": "2020-01-01T00:00:00Z", "fields": {"last_name": "Elder", "email": "elder@old.example", "account_id": "bc-old"}}]', clock_timestamp()) \gset
SELECT crm_bridge.create_project_from_company(:'old_company') AS project \gset
SELECT is((SELECT project_id FROM crm_bridge.projects_client_user WHERE email = 'elder@old.example'), :'project'::uuid, 'R134: the company''s people come along');
SELECT results_eq(format('SELECT p.name, c.name FROM crm_bridge.projects_project AS p JOIN crm_bridge.projects_client AS c ON c.id = p.client_id WHERE p.id = %L', :'project'), $$ VALUES ('Old Trading', 'Old Trading') $$, 'R134: which is made where a person asks for it');
SELECT pg_temp.refused('SELECT crm_bridge.create_project_from_company(crm_bridge.new_id())', '42704', 'company .* does not exist', 'R134: a company that there is not');
SELECT pg_temp.refused($$ SELECT crm_bridge.create_project_from_company((SELECT id FROM crm_bridge.bigin_company WHERE external_id = 'bc-none')) $$, '23502', 'no name', 'R134: or without a name');
INSERT INTO crm_bridge.projects_client (name, portal_id) SELECT 'Twice', portal_id FROM crm_bridge.projects_client WHERE id = :'client';
UPDATE crm_bridge.link SET state = 'archived', reason = 'test' WHERE left_id = (SELECT id FROM crm_bridge.projects_client WHERE name = 'Twice');
INSERT INTO crm_bridge.projects_client (name, portal_id) SELECT 'Twice', portal_id FROM crm_bridge.projects_client WHERE id = :'client';
SELECT pg_temp.refused($$ SELECT crm_bridge.create_project_from_company((SELECT id FROM crm_bridge.bigin_company WHERE account_name = 'Twice' ORDER BY id LIMIT 1)) $$, '55000', 'stands twice', 'R134, D6: nor does it guess which client is meant');

-- Off and on (B11) -------------------------------------------------------------------------------------------------

SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset
SELECT count(*) AS clients FROM crm_bridge.projects_client \gset
SELECT count(*) AS companies FROM crm_bridge.bigin_company \gset
CREATE TEMP TABLE links_before AS SELECT l.link_id, l.left_id, l.right_id, l.state FROM crm_bridge.link AS l;
CREATE TEMP VIEW bigin_state AS SELECT i.state, i.reads_until IS NOT NULL AS reads FROM crm_bridge.integration AS i WHERE i.service = 'bigin';
-- What the worker does: reads the service, and says so; then it reconciles.
CREATE FUNCTION pg_temp.finish_reading(service text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  worker uuid := (SELECT l.lease FROM crm_bridge.lease AS l WHERE l.worker = 'the test' LIMIT 1);
  finished bigint;
BEGIN
  SELECT count(crm_bridge.finish_command(c.command_id, 'done', '{}', 1)::text) INTO finished FROM crm_bridge.next_command(finish_reading.service, worker, 1) AS c;
  PERFORM crm_bridge.reconcile(1000, 1);
  RETURN finished;
END $$;
CREATE FUNCTION pg_temp.off_and_on(times integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..times LOOP
    PERFORM crm_bridge.deactivate_bigin();
    PERFORM crm_bridge.activate_bigin();
    PERFORM pg_temp.finish_reading('bigin');
  END LOOP;
END $$;
SELECT crm_bridge.heartbeat(:'lease', 'the test', '1 hour') AS beat \gset
SELECT crm_bridge.resync('bigin_company') AS asked \gset
SELECT crm_bridge.deactivate_bigin() AS off \gset
SELECT is((SELECT string_agg(DISTINCT l.state, ',') FROM crm_bridge.link AS l WHERE l.state <> 'archived'), 'suspended', 'D17: switched off, links rest');
SELECT is((SELECT state FROM crm_bridge.command WHERE command_id = :'asked'), 'failed', 'scheduled work is called off');
SELECT is((SELECT count(*) FROM crm_bridge.integration WHERE service = 'bigin' AND deactivated_by = current_user AND deactivated_at IS NOT NULL), 1::bigint, 'who did it is noted');
UPDATE crm_bridge.projects_client SET phone = '99', website = 'https://here.example' WHERE id = :'client';
SELECT is((SELECT phone FROM crm_bridge.bigin_company WHERE id = :'company'), '4', 'and nothing travels');
INSERT INTO crm_bridge.projects_client (name, portal_id) SELECT 'Meanwhile', portal_id FROM crm_bridge.projects_client WHERE id = :'client';
SELECT is((SELECT count(*) FROM pairs WHERE in_projects = 'Meanwhile'), 0::bigint, 'nor gets a twin');
UPDATE crm_bridge.projects_client_user SET first_name = 'here' WHERE email = 'wu@acme.example';
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT crm_bridge.activate_bigin() AS command \gset
SELECT results_eq('TABLE bigin_state', $$ VALUES ('active', true) $$, 'D17: on again, it is read before anything is sent');
SELECT is((SELECT string_agg(DISTINCT l.state, ',') FROM crm_bridge.link AS l WHERE l.state <> 'archived'), 'suspended', 'D17: and links rest until then');
SELECT count(*) AS received FROM crm_bridge.receive('bigin_company', '[{"external_id": "bc-acme", "version": "2040-01-02T00:00:00Z", "modified_at": "2040-01-02T00:00:00Z", "fields": {"account_name": "Acme of Bigin", "phone": "88"}}]', clock_timestamp()) \gset
SELECT count(*) AS received FROM crm_bridge.receive('bigin_contact', '[{"external_id": "bt-lin", "version": "2040-01-02T00:00:00Z", "modified_at": "2040-01-02T00:00:00Z", "fields": {"first_name": "there"}}]', clock_timestamp()) \gset
SELECT is((SELECT name FROM crm_bridge.projects_client WHERE id = :'client'), 'Acme Inc', 'what Bigin tells waits too');
SELECT is(pg_temp.finish_reading('bigin'), 1::bigint, 'the reading is finished');
SELECT results_eq('TABLE bigin_state', $$ VALUES ('active', false) $$, 'it may be sent again');
SELECT set_eq('SELECT l.link_id, l.left_id, l.right_id, l.state FROM crm_bridge.link AS l', 'TABLE links_before', 'B11: the same links go on');
SELECT results_eq(format('SELECT c.name, b.account_name, c.website, b.website FROM crm_bridge.projects_client AS c, crm_bridge.bigin_company AS b WHERE c.id = %L AND b.id = %L', :'client', :'company'),
  $$ VALUES ('Acme of Bigin', 'Acme of Bigin', 'https://here.example', 'https://here.example') $$, 'B1, D17: what only one side changed is on both');
SELECT results_eq(format('SELECT c.phone, b.phone FROM crm_bridge.projects_client AS c, crm_bridge.bigin_company AS b WHERE c.id = %L AND b.id = %L', :'client', :'company'),
  $$ VALUES ('88', '88') $$, 'D1: of what both changed the newest wins');
SELECT set_eq($$ SELECT c.field, c.base #>> '{}' AS b, c.left_value #>> '{}' AS l, c.right_value #>> '{}' AS r, c.winner FROM crm_bridge.conflict AS c $$,
  $$ VALUES ('phone', '4', '99', '88', 'right'), ('first_name', 'Linda', 'here', 'there', 'right') $$, 'B2: and the other one is kept, with the base: of companies and of people');
SELECT results_eq('SELECT d.module, d.fields FROM dirty AS d', $$ VALUES ('bigin_company', '{website}'::text[]), ('projects_client', '{name,phone}'), ('projects_client_user', '{first_name}') $$, 'each service lacks what it does not have, and nothing else');
SELECT pg_temp.send('bigin', :'lease') + pg_temp.send_all(:'lease') AS sent \gset
SELECT pg_temp.off_and_on(10);
SELECT results_eq('SELECT (SELECT count(*) FROM crm_bridge.projects_client), (SELECT count(*) FROM crm_bridge.bigin_company)',
  format('VALUES (%s::bigint + 1, %s::bigint)', :'clients', :'companies'), 'B11: off and on ten times makes nothing twice');
SELECT set_eq('SELECT l.link_id, l.left_id, l.right_id, l.state FROM crm_bridge.link AS l', 'TABLE links_before', 'B11: leaves every link as it was');
SELECT is_empty('TABLE dirty', 'B11: and nothing to send');
SELECT is((SELECT count(*) FROM crm_bridge.conflict), 2::bigint, 'B11: nor another conflict');

-- Both off: the one that comes back last wakes what they share.
SELECT crm_bridge.deactivate_bigin() AS off \gset
SELECT crm_bridge.deactivate_projects() AS off \gset
SELECT crm_bridge.activate_bigin() AS command \gset
SELECT is(pg_temp.finish_reading('bigin'), 1::bigint, 'Bigin is back, Projects is not');
SELECT is((SELECT string_agg(DISTINCT l.state, ',') FROM crm_bridge.link AS l WHERE l.state <> 'archived'), 'suspended', 'D17: then their links rest');
UPDATE crm_bridge.bigin_company SET phone = '77' WHERE id = :'company';
SELECT is((SELECT phone FROM crm_bridge.projects_client WHERE id = :'client'), '88', 'and nothing travels');
SELECT crm_bridge.activate_projects() AS command \gset
DELETE FROM crm_bridge.command WHERE service = 'zoho_projects';
SELECT crm_bridge.choose_portal('portal') AS command \gset
SELECT pg_temp.finish_reading('zoho_projects') AS read \gset
SELECT set_eq('SELECT l.link_id, l.left_id, l.right_id, l.state FROM crm_bridge.link AS l', 'TABLE links_before', 'D17: until both are');
SELECT is((SELECT phone FROM crm_bridge.projects_client WHERE id = :'client'), '77', 'D17: and what was written meanwhile follows');
SELECT results_eq($$ SELECT i.state, a.enabled FROM crm_bridge.integration AS i, crm_bridge.automation AS a WHERE i.service = 'bigin' AND a.rule = 'clients_in_bigin' $$, $$ VALUES ('active', true) $$, 'and it is on');

SELECT * FROM finish();
ROLLBACK;
