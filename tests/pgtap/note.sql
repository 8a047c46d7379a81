-- SPDX-License-Identifier: PostgreSQL
-- Notes: a record of any module that a note hangs on is one reference a module (docs/decisions/0006; R77, R78 stand on this).
BEGIN;
\ir fixture/tools.psql
SELECT plan(23);
\ir fixture/organization.psql
\ir fixture/history.psql
\ir fixture/protocol.psql

SELECT crm_bridge.new_id() AS deal, crm_bridge.new_id() AS task, crm_bridge.new_id() AS note \gset
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_note (content) VALUES ('x') $$, '23514', 'crm_note_about_something', 'B5: a note of ours hangs on something');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.crm_note (content, deal_id, task_id) VALUES ('x', %L, %L) $$, :'deal', :'task'), '23514', 'crm_note_about_one_thing', 'and on one thing only');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.crm_note (deal_id) VALUES (%L) $$, :'deal'), '23514', 'crm_note_says_something', 'B5: it says something');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.crm_note (content, title, deal_id) VALUES ('', '', %L) $$, :'deal'), '23514', 'crm_note_says_something', 'which empty words do not');
SELECT pg_temp.refused(format($$ INSERT INTO crm_bridge.crm_note (content, deal_id, author_id) VALUES ('x', %L, %L) $$, :'deal', :'deal'), '428C9', '"author_id" of "crm_note"', 'B5: its author is the CRM''s to say');

INSERT INTO crm_bridge.crm_deal (id, deal_name, stage) VALUES (:'deal', 'Routers', 'Qualification');
INSERT INTO crm_bridge.crm_task (id, subject, deal_id) VALUES (:'task', 'Ship', :'deal');
INSERT INTO crm_bridge.crm_note (id, title, content, task_id) VALUES (:'note', 'Call', 'Asked for a discount', :'task');
SELECT results_eq('TABLE dirty', $$ VALUES ('crm_deal', 'write', 'pending', '{}'::text[]), ('crm_note', 'write', 'pending', '{}'), ('crm_task', 'write', 'pending', '{}') $$, 'a note is to be sent like any other record');
SELECT set_eq(format($$ SELECT module FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'), ARRAY['crm_deal'], 'B6: the deal goes first');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_deal', 'record_id', :'deal', 'external_id', 'd1', 'version', '2026-03-01T09:00:00Z')), 1) \g /dev/null
SELECT set_eq(format($$ SELECT module FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'), ARRAY['crm_task'], 'then the task');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_task', 'record_id', :'task', 'external_id', 't1', 'version', '2026-03-01T09:00:00Z')), 1) \g /dev/null
SELECT results_eq(format($$ SELECT module, operation, fields FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'),
  $$ VALUES ('crm_note', 'create', '{"title": "Call", "content": "Asked for a discount", "task_id": "t1"}'::jsonb) $$, 'then the note, with the CRM''s id of the task that it hangs on');
SELECT crm_bridge.acknowledge(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_note', 'record_id', :'note', 'external_id', 'n1', 'version', '2026-03-01T09:00:00Z')), 1) \g /dev/null

-- From the service ---------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.told(records jsonb)
RETURNS SETOF text LANGUAGE sql AS $$ SELECT r.outcome FROM crm_bridge.receive('crm_note', records, clock_timestamp()) AS r $$;
SELECT results_eq($$ SELECT pg_temp.told('[{"external_id": "n1", "version": "2026-03-01T09:00:00Z", "fields": {"title": "Call", "content": "Asked for a discount", "task_id": "t1", "author_id": "u1", "account_id": null, "contact_id": null, "lead_id": null, "deal_id": null}}]') $$, ARRAY['updated'], 'what the CRM adds comes in');
SELECT is((SELECT count(*) FROM crm_bridge.delivery WHERE module = 'crm_note'), 0::bigint, 'B9: an echo sends nothing');
SELECT isnt((SELECT author_id FROM crm_bridge.crm_note WHERE external_id = 'n1'), NULL, 'its author is known');
SELECT results_eq($$ SELECT pg_temp.told('[{"external_id": "n2", "version": "2026-03-02T09:00:00Z", "created_at": "2025-01-05T10:00:00Z", "modified_by": "u1", "fields": {"content": "Met them", "deal_id": "d1"}}]') $$, ARRAY['inserted'], 'a note of the CRM');
SELECT results_eq(format($$ SELECT deal_id = %L::uuid, task_id, created_at, modified_at FROM crm_bridge.crm_note WHERE external_id = 'n2' $$, :'deal'), $$ VALUES (true, NULL::uuid, '2025-01-05 10:00+00'::timestamptz, '2026-03-02 09:00+00'::timestamptz) $$,
  'it hangs on our deal, made when the CRM says and changed when the CRM says');
SELECT results_eq($$ SELECT pg_temp.told('[{"external_id": "n3", "version": "2026-03-02T09:00:00Z", "fields": {"content": "On a product", "deal_id": null}}]') $$, ARRAY['inserted'], 'a note on something that has no mirror is kept');
SELECT lives_ok($$ UPDATE crm_bridge.crm_note SET content = 'On a product, edited' WHERE external_id = 'n3' $$, 'and can be edited');
SELECT pg_temp.send_all(:'lease') AS sent \gset
SELECT results_eq($$ SELECT pg_temp.told('[{"external_id": "n2", "deleted": true}]') $$, ARRAY['deleted'], 'one that is gone');
SELECT is((SELECT count(*) FROM crm_bridge.crm_note WHERE external_id = 'n2'), 0::bigint, 'is gone here');
DELETE FROM crm_bridge.crm_note WHERE external_id = 'n1';
SELECT results_eq(format($$ SELECT module, operation, external_id FROM crm_bridge.claim('zoho_crm', 10, %L, org_id => 1) $$, :'lease'), $$ VALUES ('crm_note', 'delete', 'n1') $$, 'a deletion is handed out');

-- Which of ours are still there -------------------------------------------------------------------------------------

SELECT pg_temp.told('[{"external_id": "n4", "fields": {"content": "a"}}, {"external_id": "n5", "fields": {"content": "b"}}, {"external_id": "n6", "fields": {"content": "c"}}]') \g /dev/null
SELECT results_eq($$ SELECT r.external_id FROM crm_bridge.next_records('crm_note', '', 2) AS r $$, ARRAY['n3', 'n4'], 'what the CRM has, a portion at a time');
SELECT results_eq($$ SELECT r.external_id FROM crm_bridge.next_records('crm_note', 'n4', 2) AS r $$, ARRAY['n5', 'n6'], 'the next portion');
SELECT is_empty($$ SELECT r.external_id FROM crm_bridge.next_records('crm_note', 'n6', 2) AS r $$, 'and the end');
SELECT is_empty($$ SELECT r.external_id FROM crm_bridge.next_records('crm_note', '', 10) AS r WHERE r.external_id = 'n2' $$, 'one that is gone is not among them');

SELECT * FROM finish();
ROLLBACK;
