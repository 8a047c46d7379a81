-- SPDX-License-Identifier: PostgreSQL
-- After each statement on a mirror: history is exactly what changed, delivery exactly what the service lacks (T11, B6, B17).
BEGIN;
\ir fixture/tools.psql
SELECT plan(63);
\ir fixture/organization.psql
\ir fixture/history.psql

-- Plain statements -------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_deal (deal_name, stage, amount, description) VALUES ('Routers', 'Qualification', 12.5, 'first');
SELECT results_eq('TABLE events', $$ VALUES ('insert', 'app', 'crm_deal', NULL::jsonb) $$, 'T11: an insert is one event; the row itself has its values');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_deal', 'write', 'pending', '{}'::text[]) $$, 'and one record that the service lacks: all of it');
SELECT results_eq($$ SELECT h.record_id, h.actor, h.transaction_id, h.run_id, h.at BETWEEN now() AND clock_timestamp() FROM crm_bridge.history AS h $$,
  $$ SELECT d.id, current_user::text COLLATE "default", pg_current_xact_id(), NULL::uuid, true FROM crm_bridge.crm_deal AS d $$,
  'B6, B17: the event names record, person, transaction and instant');
SELECT pg_temp.forget() AS forgotten \gset

UPDATE crm_bridge.crm_deal SET amount = 13, deal_name = deal_name, stage = 'Negotiation/Review';
SELECT results_eq('TABLE events', $$ VALUES ('update', 'app', 'crm_deal', '{"amount": 12.5, "stage": "Qualification"}'::jsonb) $$, 'T11: an update is what changed, with the values before');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_deal', 'write', 'pending', '{amount,stage}'::text[]) $$, 'only changed fields are to be sent');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_deal SET amount = 13.00, deal_name = 'Routers', description = description || '';
UPDATE crm_bridge.crm_deal SET amount = amount WHERE false;
SELECT is_empty('TABLE events', 'T11: an update that changes nothing leaves no event; 13 and 13.00 are one number');
SELECT is_empty('TABLE dirty', 'and nothing to send');
UPDATE crm_bridge.crm_deal SET stage = NULL;
UPDATE crm_bridge.crm_deal SET stage = '';
SELECT results_eq('TABLE events', $$ VALUES ('update', 'app', 'crm_deal', '{"stage": "Negotiation/Review"}'::jsonb), ('update', 'app', 'crm_deal', '{"stage": null}'::jsonb) $$,
  'NULL and the empty text are two values');
DELETE FROM crm_bridge.crm_deal;
SELECT results_eq($$ SELECT operation, old ->> 'deal_name', old -> 'amount', old -> 'closing_date' FROM events OFFSET 2 $$,
  $$ VALUES ('delete', 'Routers', '13.00'::jsonb, 'null'::jsonb) $$, 'T11: a delete keeps the whole row');
SELECT is_empty('TABLE dirty', 'what the service never had need not be deleted there');
SELECT pg_temp.forget() AS forgotten \gset

-- Statements of many rows ------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_lead (last_name, annual_revenue) SELECT 'Lead ' || n, n FROM generate_series(1, 1500) AS n;
SELECT is((SELECT count(*) FROM events WHERE operation = 'insert'), 1500::bigint, 'T11: 1,500 rows in one statement are 1,500 events');
SELECT is((SELECT count(*) FROM dirty), 1500::bigint, 'and as many records to send');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_lead SET company = CASE WHEN annual_revenue % 3 = 0 THEN 'Acme' ELSE company END, city = city;
SELECT is((SELECT count(*) FROM events), 500::bigint, 'of an update of 1,500 rows only the 500 that changed are events');
SELECT is((SELECT count(*) FROM crm_bridge.history AS h JOIN crm_bridge.crm_lead AS l ON l.id = h.record_id WHERE l.company = 'Acme'), 500::bigint, 'each of its own record');
SELECT is((SELECT count(*) FROM dirty WHERE fields = '{company}'), 500::bigint, 'old and new rows are read in step');
SELECT pg_temp.forget() AS forgotten \gset
DELETE FROM crm_bridge.crm_lead;
SELECT is((SELECT count(DISTINCT old ->> 'last_name') FROM events WHERE operation = 'delete'), 1500::bigint, 'a delete of 1,500 rows keeps each of them');
SELECT pg_temp.forget() AS forgotten \gset

COPY crm_bridge.crm_lead (last_name, company) FROM STDIN;
Copied 1	Acme
Copied 2	\N
Copied 3	Zylker
\.
SELECT results_eq('SELECT operation, origin, module FROM events', $$ VALUES ('insert', 'app', 'crm_lead'), ('insert', 'app', 'crm_lead'), ('insert', 'app', 'crm_lead') $$, 'T11: COPY');
SELECT is((SELECT count(*) FROM dirty), 3::bigint, 'what is copied in is sent');
SELECT pg_temp.forget() AS forgotten \gset

INSERT INTO crm_bridge.crm_account (external_id, account_name) VALUES ('a1', 'Acme');
SELECT pg_temp.forget() AS forgotten \gset
INSERT INTO crm_bridge.crm_account (external_id, account_name) VALUES ('a1', 'Acme Ltd'), ('a2', 'Zylker')
ON CONFLICT (org_id, external_id) DO UPDATE SET account_name = EXCLUDED.account_name;
SELECT set_eq('TABLE events', $$ VALUES ('insert', 'app', 'crm_account', NULL::jsonb), ('update', 'app', 'crm_account', '{"account_name": "Acme"}'::jsonb) $$,
  'T11: both arms of INSERT … ON CONFLICT');
INSERT INTO crm_bridge.crm_account (external_id, account_name) VALUES ('a1', 'Nobody') ON CONFLICT DO NOTHING;
SELECT is((SELECT count(*) FROM events), 2::bigint, 'and the arm that does nothing');
SELECT pg_temp.forget() AS forgotten \gset

MERGE INTO crm_bridge.crm_account AS a
USING (VALUES ('a1', 'Acme GmbH'), ('a2', NULL), ('a3', 'Third')) AS n (external_id, account_name) ON a.external_id = n.external_id
WHEN MATCHED AND n.account_name IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET account_name = n.account_name
WHEN NOT MATCHED THEN INSERT (external_id, account_name) VALUES (n.external_id, n.account_name);
SELECT set_eq($$ SELECT operation, COALESCE(old ->> 'account_name', 'none') FROM events $$,
  $$ VALUES ('insert', 'none'), ('update', 'Acme Ltd'), ('delete', 'Zylker') $$, 'T11: all arms of MERGE in one statement');
SELECT results_eq($$ SELECT fields FROM dirty $$, $$ VALUES ('{account_name}'::text[]), ('{account_name}') $$, 'what MERGE wrote is to be sent');
SELECT pg_temp.forget() AS forgotten \gset

WITH gone AS (DELETE FROM crm_bridge.crm_account WHERE external_id = 'a3' RETURNING account_name),
     renamed AS (UPDATE crm_bridge.crm_account SET account_name = 'From ' || gone.account_name FROM gone WHERE external_id = 'a1' RETURNING 1)
INSERT INTO crm_bridge.crm_account (account_name) SELECT 'Heir of ' || account_name FROM gone;
SELECT set_eq($$ SELECT operation FROM events $$, $$ VALUES ('insert'), ('update'), ('delete') $$, 'three statements in one WITH');
SELECT pg_temp.forget() AS forgotten \gset

-- A cascade that the database's owner added: the mirrors themselves carry no foreign keys.
INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Parent');
INSERT INTO crm_bridge.crm_task (subject, deal_id) SELECT 'Child ' || n, d.id FROM crm_bridge.crm_deal AS d, generate_series(1, 2) AS n;
ALTER TABLE crm_bridge.crm_task ADD CONSTRAINT crm_task_test_cascade FOREIGN KEY (org_id, deal_id) REFERENCES crm_bridge.crm_deal (org_id, id) ON DELETE CASCADE;
SELECT pg_temp.forget() AS forgotten \gset
DELETE FROM crm_bridge.crm_deal;
SELECT set_eq($$ SELECT operation, module, COALESCE(old ->> 'subject', old ->> 'deal_name') FROM events $$,
  $$ VALUES ('delete', 'crm_deal', 'Parent'), ('delete', 'crm_task', 'Child 1'), ('delete', 'crm_task', 'Child 2') $$, 'T11: a cascade is captured like any other delete');
SELECT pg_temp.forget() AS forgotten \gset

-- Rolled back ------------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Kept');
SELECT pg_temp.forget() AS forgotten \gset
SAVEPOINT trial;
UPDATE crm_bridge.crm_deal SET deal_name = 'Tried';
INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Tried too');
ROLLBACK TO SAVEPOINT trial;
UPDATE crm_bridge.crm_deal SET amount = 5;
SELECT results_eq($$ SELECT operation, old FROM events $$, $$ VALUES ('update', '{"amount": null}'::jsonb) $$, 'B6: what a savepoint took back never happened');
SELECT results_eq('SELECT fields FROM dirty', $$ VALUES ('{amount}'::text[]) $$, 'and is not sent');
SELECT pg_temp.forget() AS forgotten \gset
DO $$
BEGIN
  FOR n IN 1 .. 200 LOOP
    BEGIN
      UPDATE crm_bridge.crm_deal SET amount = n;
      IF n % 2 = 1 THEN RAISE EXCEPTION 'taken back'; END IF;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
  END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM events), 100::bigint, 'T11: of 200 subtransactions the 100 that were rolled back leave nothing');
SELECT is((SELECT array_agg((old -> 'amount')::numeric) FROM events), (SELECT array_agg(n::numeric) FROM (SELECT 5 AS n UNION ALL SELECT * FROM generate_series(2, 198, 2)) AS s),
  'and each value before is the one that was there');
SELECT is((SELECT count(*) FROM dirty), 1::bigint, 'B10: a hundred updates of a record are one to send');
SELECT pg_temp.forget() AS forgotten \gset

-- session_replication_role -----------------------------------------------------------------------------------------

SET LOCAL session_replication_role = replica;
UPDATE crm_bridge.crm_deal SET next_step = 'by replication';
SELECT is_empty('TABLE events', 'T11: what replication applies was captured where it was written');
SELECT is_empty('TABLE dirty', 'and is sent from there');
SET LOCAL session_replication_role = local;
UPDATE crm_bridge.crm_deal SET next_step = 'locally';
SELECT results_eq('SELECT old FROM events', $$ VALUES ('{"next_step": "by replication"}'::jsonb) $$, 'local is captured');
SET LOCAL session_replication_role = origin;
UPDATE crm_bridge.crm_deal SET next_step = 'as usual';
SELECT is((SELECT count(*) FROM events), 2::bigint, 'origin is captured');
SELECT pg_temp.forget() AS forgotten \gset

-- Values -----------------------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS one, crm_bridge.new_id() AS two \gset
SET LOCAL timezone = 'America/New_York';
INSERT INTO crm_bridge.projects_task (name, description, end_date, is_completed, completion_percentage, owner_ids, task_list_id, custom_fields)
VALUES (E'quote " and \\ and \u00e9', NULL, '2026-03-01 09:15:00+05:30', true, 12345678901234567890.0000000001, ARRAY[:'one', :'two']::uuid[], :'one',
        '{"Region__c": "EU", "Size__c": {"w": 1}, "Gone__c": 7}');
INSERT INTO crm_bridge.crm_deal (deal_name, closing_date) VALUES ('Dated', '2026-12-24');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.projects_task SET name = 'new', description = '<p>x</p>', end_date = '2026-03-02', is_completed = false, completion_percentage = 1,
  owner_ids = '{}', task_list_id = NULL, custom_fields = '{"Region__c": "EU", "Size__c": {"w": 2}, "New__c": null}';
SELECT results_eq('SELECT old FROM events', format($$ VALUES (jsonb_build_object('name', E'quote " and \\ and \u00e9', 'description', NULL, 'end_date', '2026-03-01T03:45:00+00:00',
  'is_completed', true, 'completion_percentage', 12345678901234567890.0000000001, 'owner_ids', jsonb_build_array(%1$L, %2$L), 'task_list_id', %1$L,
  'Size__c', '{"w": 1}'::jsonb, 'Gone__c', 7)) $$, :'one', :'two'), 'B17: every type of value is kept as it was; instants in UTC, custom fields key by key');
SELECT results_eq('SELECT fields FROM dirty', $$ VALUES ('{Gone__c,Size__c,completion_percentage,description,end_date,is_completed,name,owner_ids,task_list_id}'::text[]) $$,
  'a custom field that appears without a value is none that changed');
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_deal SET closing_date = 'infinity' WHERE deal_name = 'Dated';
UPDATE crm_bridge.crm_deal SET closing_date = '0044-03-15 BC' WHERE deal_name = 'Dated';
UPDATE crm_bridge.crm_deal SET closing_date = NULL, amount = 'NaN' WHERE deal_name = 'Dated';
UPDATE crm_bridge.crm_deal SET amount = 1e100 WHERE deal_name = 'Dated';
SELECT results_eq('SELECT old FROM events', $$ VALUES ('{"closing_date": "2026-12-24"}'::jsonb), ('{"closing_date": "infinity"}'),
  ('{"closing_date": "0044-03-15 BC", "amount": null}'), ('{"amount": "NaN"}') $$, 'B2: not even what no service takes is lost');
RESET timezone;
UPDATE crm_bridge.projects_task SET custom_fields = custom_fields || '{"Size__c": {"w": 2.00}}';
SELECT is((SELECT count(*) FROM events), 4::bigint, 'nor is a number in a custom field that gets more zeros');
SELECT pg_temp.forget() AS forgotten \gset

SELECT string_agg(md5(n::text), '') AS text FROM generate_series(1, 3200) AS n \gset
SELECT crm_bridge.set_setting('rule_mode', '"send"') \g /dev/null
INSERT INTO crm_bridge.crm_task (subject, description) VALUES ('Long', :'text');
SELECT cmp_ok(pg_column_size(description), '>', 60000, 'a description of 100 kB is stored out of line') FROM crm_bridge.crm_task;
SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_task SET subject = 'Longer';
SELECT results_eq('SELECT old FROM events', $$ VALUES ('{"subject": "Long"}'::jsonb) $$, 'T11: a toasted value that does not change is no change');
UPDATE crm_bridge.crm_task SET description = :'text';
SELECT is((SELECT count(*) FROM events), 1::bigint, 'nor is one that is written again as it was');
UPDATE crm_bridge.crm_task SET description = description || 'x';
SELECT is((SELECT md5(old ->> 'description') FROM events OFFSET 1), md5(:'text'), 'one that changes is kept whole');
DELETE FROM crm_bridge.crm_task;
SELECT is((SELECT length(old ->> 'description') FROM events OFFSET 2), 102401, 'also when it is deleted');
SELECT pg_temp.forget() AS forgotten \gset

-- Who and for whom -------------------------------------------------------------------------------------------------

SET LOCAL crm_bridge.write_origin = import;
UPDATE crm_bridge.crm_deal SET next_step = 'imported';
RESET crm_bridge.write_origin;
SELECT ok((SELECT every(origin = 'import') FROM events), 'D4: an import is told apart');
SELECT pg_temp.forget() AS forgotten \gset
SELECT count(*) AS received FROM crm_bridge.receive('crm_lead', '[{"external_id": "l1", "modified_by": "boss@zylker.example", "fields": {"last_name": "Li"}}]', clock_timestamp()) \gset
SELECT results_eq('SELECT h.operation, h.origin, h.actor FROM crm_bridge.history AS h', $$ VALUES ('insert', 'service', 'boss@zylker.example') $$, 'what the service tells is the service''s, with its person');
SELECT is_empty('TABLE dirty', 'P10: and is not sent back');
SELECT pg_temp.forget() AS forgotten \gset

SELECT crm_bridge.create_organization(2, 'Other') AS org \gset
INSERT INTO crm_bridge.crm_contact (org_id, last_name) VALUES (1, 'Ours'), (2, 'Theirs'), (1, 'Ours too');
UPDATE crm_bridge.crm_contact SET first_name = 'A';
SELECT results_eq($$ SELECT h.org_id, h.operation, count(*) FROM crm_bridge.history AS h JOIN crm_bridge.crm_contact AS c ON c.org_id = h.org_id AND c.id = h.record_id GROUP BY 1, 2 ORDER BY 1, 2 $$,
  $$ VALUES (1::bigint, 'insert', 2::bigint), (1, 'update', 2), (2, 'insert', 1), (2, 'update', 1) $$, 'one statement on two organizations is captured for each');
SELECT results_eq($$ SELECT d.org_id, count(*) FROM crm_bridge.delivery AS d JOIN crm_bridge.crm_contact AS c ON c.org_id = d.org_id AND c.id = d.record_id GROUP BY 1 ORDER BY 1 $$,
  $$ VALUES (1::bigint, 2::bigint), (2, 1) $$, 'and is to be sent for each');
SELECT pg_temp.forget() AS forgotten \gset

-- TRUNCATE and misuse ----------------------------------------------------------------------------------------------

SELECT pg_temp.refused($$ TRUNCATE crm_bridge.crm_contact $$, '0A000', $w$cannot truncate mirror "crm_contact".*crm_bridge.resync\('crm_contact'\)$w$, 'T11: TRUNCATE is refused, with what to do instead');
CREATE TABLE public.nobody (org_id bigint PRIMARY KEY);
ALTER TABLE crm_bridge.crm_contact ADD CONSTRAINT crm_contact_test_cascade FOREIGN KEY (org_id) REFERENCES public.nobody NOT VALID;
SELECT pg_temp.refused($$ TRUNCATE public.nobody CASCADE $$, '0A000', 'cannot truncate mirror "crm_contact"', 'also by a cascade');
ALTER TABLE crm_bridge.crm_contact DROP CONSTRAINT crm_contact_test_cascade;
CREATE TABLE public.shard (LIKE crm_bridge.crm_contact INCLUDING DEFAULTS);
CREATE TABLE public.stranger (a integer);
CREATE FUNCTION pg_temp.misused(made text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  error jsonb;
BEGIN
  EXECUTE 'CREATE TRIGGER "a mistake" ' || made;
  error := pg_temp.error_of(statement);
  EXECUTE format('DROP TRIGGER "a mistake" ON %s', CASE WHEN made ~ 'stranger' THEN 'public.stranger' ELSE 'public.shard' END);
  RETURN concat_ws(' ', error ->> 'sqlstate', error ->> 'message');
END
$$;
SELECT alike(pg_temp.misused($$ AFTER INSERT ON public.shard FOR EACH ROW EXECUTE FUNCTION crm_bridge.guard('crm_contact') $$, 'INSERT INTO public.shard (last_name, org_id) VALUES (NULL, 1)'),
  '39P01 trigger "a mistake" must fire at another time%', 'style 27: guard at the wrong time');
SELECT alike(pg_temp.misused($$ BEFORE INSERT ON public.shard FOR EACH ROW EXECUTE FUNCTION crm_bridge.capture('crm_contact') $$, 'INSERT INTO public.shard (org_id) VALUES (1)'),
  '39P01 trigger "a mistake" must fire at another time%', 'style 27: capture for each row');
SELECT alike(pg_temp.misused($$ BEFORE INSERT ON public.shard FOR EACH ROW EXECUTE FUNCTION crm_bridge.guard() $$, 'INSERT INTO public.shard (org_id) VALUES (1)'),
  '39P01 trigger "a mistake" must have 1 argument%', 'style 27: guard without the module');
SELECT alike(pg_temp.misused($$ AFTER UPDATE ON public.shard REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge.capture('crm_contact') $$, 'UPDATE public.shard SET title = NULL'),
  '39P01 trigger "a mistake" must name its transition tables', 'style 27: capture without the rows before');
SELECT alike(pg_temp.misused($$ BEFORE INSERT ON public.stranger FOR EACH ROW EXECUTE FUNCTION crm_bridge.guard('crm_contact') $$, 'INSERT INTO public.stranger VALUES (1)'),
  '39P01 trigger "a mistake" must be on a table with the columns of "crm_contact"', 'style 27: guard on a table of another shape');
SELECT alike(pg_temp.misused($$ AFTER INSERT ON public.stranger REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge.capture('crm_contact') $$, 'INSERT INTO public.stranger VALUES (1)'),
  '39P01 trigger "a mistake" must be on a table with the columns of "crm_contact"', 'style 27: capture on a table of another shape');
SELECT alike(pg_temp.misused($$ BEFORE INSERT ON public.shard FOR EACH ROW EXECUTE FUNCTION crm_bridge.guard('crm_nothing') $$, 'INSERT INTO public.shard (org_id) VALUES (1)'),
  '42704 module "crm_nothing" does not exist', 'a module that there is not');
SELECT pg_temp.refused('SELECT crm_bridge.capture()', '39P01', 'can only be called as a trigger', 'style 27: nobody calls them otherwise');
CREATE TRIGGER "0_guard" BEFORE INSERT ON public.shard FOR EACH ROW EXECUTE FUNCTION crm_bridge.guard('crm_contact');
INSERT INTO public.shard (org_id, last_name, origin) VALUES (1, 'On a shard', 'service');
SELECT is((SELECT origin FROM public.shard), 'app', 'scale-out 9: a table of the same shape is guarded under any name');

-- A restore --------------------------------------------------------------------------------------------------------

DELETE FROM crm_bridge.installation;
INSERT INTO crm_bridge.crm_user (org_id, external_id, full_name, origin, modified_by) VALUES (1, 'u9', 'Loaded', 'service', 'boss');
UPDATE crm_bridge.crm_contact SET external_id = last_name;
DELETE FROM crm_bridge.crm_deal;
SELECT is_empty('TABLE events', 'design §3: while the installation is empty (a restore) nothing is captured');
SELECT is_empty('TABLE dirty', 'and nothing is to be sent');
SELECT is((SELECT modified_by FROM crm_bridge.crm_user), 'boss', 'rows load as they were');
SELECT pg_temp.accepted('TRUNCATE crm_bridge.crm_contact', 'and tables may be emptied');
SELECT crm_bridge.start_here('restored') AS epoch \gset
INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (1, 'After');
SELECT results_eq($$ SELECT operation, module FROM events $$, $$ VALUES ('insert', 'crm_deal') $$, 'after start_here everything is captured again');

SELECT * FROM finish();
ROLLBACK;
