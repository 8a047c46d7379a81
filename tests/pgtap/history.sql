-- SPDX-License-Identifier: PostgreSQL
-- History answers what a record was at any instant and what is new since a snapshot, and is kept as long as one wants (B17).
BEGIN;
\ir fixture/tools.psql
SELECT plan(32);
\ir fixture/organization.psql

-- A record at any instant ------------------------------------------------------------------------------------------

SELECT count(*) AS stored FROM crm_bridge.store_fields('crm_lead', '[{"api_name": "Color", "type": "text", "writable": true}]') \gset
CREATE TEMP TABLE moment (name text, at timestamptz);
INSERT INTO moment VALUES ('before', clock_timestamp());
INSERT INTO crm_bridge.crm_lead (last_name, company) VALUES ('Ann', 'Acme');
SELECT id AS lead FROM crm_bridge.crm_lead \gset
INSERT INTO moment VALUES ('inserted', clock_timestamp());
UPDATE crm_bridge.crm_lead SET company = 'Zylker', custom_fields = '{"Color": "red"}';
INSERT INTO moment VALUES ('changed', clock_timestamp());
UPDATE crm_bridge.crm_lead SET custom_fields = '{}', phone = '1';
INSERT INTO moment VALUES ('changed again', clock_timestamp());
DELETE FROM crm_bridge.crm_lead;
INSERT INTO moment VALUES ('deleted', clock_timestamp());
CREATE FUNCTION pg_temp.was(record uuid, moment_name text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', s ->> 'last_name', s ->> 'company', s ->> 'phone', s ->> 'Color') FROM (SELECT crm_bridge.record_at(record, (SELECT at FROM moment WHERE name = moment_name))) AS x (s) $$;
SELECT is(crm_bridge.record_at(:'lead', (SELECT at FROM moment WHERE name = 'before')), NULL, 'B17: before it was made it was not there');
SELECT is(pg_temp.was(:'lead', 'inserted'), 'Ann Acme', 'B17: as it was made');
SELECT is(pg_temp.was(:'lead', 'changed'), 'Ann Zylker red', 'B17: as it was changed, custom fields too');
SELECT is(pg_temp.was(:'lead', 'changed again'), 'Ann Zylker 1', 'B17: as it was in the end');
SELECT is(crm_bridge.record_at(:'lead', now() + interval '1 day'), NULL, 'B17: deleted it is not there');
SELECT is((SELECT jsonb_object_agg(k, v) FROM jsonb_each(crm_bridge.record_at(:'lead', (SELECT at FROM moment WHERE name = 'inserted'))) AS f (k, v) WHERE v <> 'null'), '{"last_name": "Ann", "company": "Acme"}', 'B17: nothing else is in it');
INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('Living') RETURNING id AS living \gset
SELECT is(crm_bridge.record_at(:'living', clock_timestamp()) ->> 'deal_name', 'Living', 'B17: what lives is told from the record');
SELECT pg_temp.refused(format('SELECT crm_bridge.record_at(%L, now())', crm_bridge.new_id()), '42704', 'is not known', 'a record that nobody knows');

-- What is new ------------------------------------------------------------------------------------------------------

SELECT is((SELECT count(*) FROM crm_bridge.changes_since()), (SELECT count(*) FROM crm_bridge.history), 'B17: the first time all of it');
SELECT results_eq('SELECT event_id FROM crm_bridge.changes_since()', 'SELECT event_id FROM crm_bridge.history ORDER BY at, event_id', 'B17: in order');
SELECT is((SELECT count(DISTINCT next_snapshot::text) FROM crm_bridge.changes_since()), 1::bigint, 'B17: of one moment');
-- This transaction has not committed for anybody's snapshot, so its events are new to each of them; what a snapshot saw is not.
SELECT is((SELECT count(*) FROM crm_bridge.changes_since(pg_current_snapshot())), (SELECT count(*) FROM crm_bridge.history), 'B17: what has not committed yet is still to come');
SELECT is_empty($$ SELECT FROM crm_bridge.changes_since(format('%s:%s:', pg_current_xact_id()::text::bigint + 1, pg_current_xact_id()::text::bigint + 1)::pg_snapshot) $$, 'B17: what a snapshot saw is not told again');
SELECT is((SELECT count(*) FROM crm_bridge.changes_since(format('%s:%s:%1$s', pg_current_xact_id(), pg_current_xact_id()::text::bigint + 1)::pg_snapshot)), (SELECT count(*) FROM crm_bridge.history),
  'B17: of a transaction that ran beside later ones nothing escapes');

-- Kept as long as one wants ----------------------------------------------------------------------------------------

SELECT crm_bridge.maintain() AS first \gset
SELECT is(jsonb_array_length(:'first'::jsonb -> 'made'), 2, 'B17: maintain makes the partitions of the two coming months; this month''s rows stay where they are');
SELECT is(jsonb_array_length(crm_bridge.maintain() -> 'made'), 0, 'B17: once');
SELECT is((SELECT count(*) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'crm_bridge.history'::regclass AND c.relrowsecurity), 3::bigint, 'B13: each with row security');
INSERT INTO crm_bridge.history (org_id, at, event_id, record_id, module, operation, origin, actor, transaction_id) SELECT 1, date_trunc('month', now()) + interval '40 days', crm_bridge.new_id(), :'lead', 'crm_lead', 'insert', 'app', 'x', pg_current_xact_id();
SELECT is((SELECT count(*) FROM crm_bridge.history_default WHERE actor = 'x'), 0::bigint, 'B17: next month''s rows go there');
SELECT crm_bridge._make_history_partition('2020-01-01') AS old_month, crm_bridge._make_history_partition('2020-02-01') AS other \gset
INSERT INTO crm_bridge.history (org_id, at, event_id, record_id, module, operation, origin, actor, transaction_id, old) VALUES (1, '2020-01-15', crm_bridge.new_id(), :'living', 'crm_deal', 'update', 'app', 'old', pg_current_xact_id(), '{"deal_name": "Old"}');
INSERT INTO crm_bridge.history (org_id, at, event_id, record_id, module, operation, origin, actor, transaction_id, old) VALUES (1, '2019-01-15', crm_bridge.new_id(), :'living', 'crm_deal', 'update', 'app', 'older', pg_current_xact_id(), '{"deal_name": "Older"}');
SELECT is(crm_bridge.maintain() -> 'dropped', '[]', 'B17: without a retention nothing is dropped');
SELECT is(crm_bridge.record_at(:'living', '2019-12-01') ->> 'deal_name', 'Old', 'B17: nor forgotten');
SELECT crm_bridge.set_setting('history_retention_days', '365') AS set \gset
SELECT crm_bridge.create_organization(2, 'Keeps all') AS org \gset
SELECT is(crm_bridge.maintain() -> 'dropped', '[]', 'B17: nor while one organization keeps all');
SELECT crm_bridge.set_setting('history_retention_days', '400', 2) AS set \gset
SELECT is(crm_bridge.maintain() -> 'dropped', '["history_2020_01", "history_2020_02"]', 'B17: months older than all want are dropped');
SELECT is((SELECT count(*) FROM crm_bridge.history WHERE at < '2021-01-01'), 0::bigint, 'B17: with what was before there were partitions');
SELECT pg_temp.refused(format('SELECT crm_bridge.record_at(%L, %L, 1)', :'living', '2019-12-01'), '55000', 'history goes back to[\s\S]*history_retention_days', 'B17: and nobody is told half of it');
SELECT is(crm_bridge.record_at(:'living', clock_timestamp(), 1) ->> 'deal_name', 'Living', 'B17: what is kept is told as before');

INSERT INTO crm_bridge.command (org_id, service, kind, state, finished_at) VALUES (1, 'zoho_crm', 'initial_sync', 'done', now() - interval '31 days'), (1, 'zoho_crm', 'initial_sync', 'done', now());
INSERT INTO crm_bridge.notification (org_id, recipient, kind, state, taken_at, handed_over_at, sent_at) SELECT 1, 'a@b.example', 'key_stale', 'sent', t, t, t FROM unnest(ARRAY[now() - interval '91 days', now()]) AS t;
SELECT is(crm_bridge.maintain() - 'made' - 'dropped', '{"mails": 1, "changes": 0, "commands": 1}', 'what is over is removed after a while');
SELECT is((SELECT count(*) FROM crm_bridge.command WHERE state = 'done') + (SELECT count(*) FROM crm_bridge.notification), 2::bigint, 'what is younger stays');
SELECT ok((SELECT count(*) FROM crm_bridge.history) > 0, 'B17: history itself stays');

-- Workers see to it, once a day.
SELECT is(crm_bridge.maintain_if_due(), NULL, 'B17: what was done today is not done again');
SELECT set_config('crm_bridge.clock_offset', '86401', true) \g /dev/null
SELECT isnt(crm_bridge.maintain_if_due(), NULL, 'B17: a day later it is due');
SELECT is(crm_bridge.maintain_if_due(), NULL, 'B17: once');
SELECT pg_temp.refused($$ SELECT crm_bridge.set_setting('history_kept_since', '"2020-01-01"', 1) $$, '22023', 'not known', 'B17: since when history is kept is nobody''s to say');

SELECT * FROM finish();
ROLLBACK;
