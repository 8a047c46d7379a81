-- SPDX-License-Identifier: PostgreSQL
-- What an analyst reads, over content that is known (design §4, R57, R58, B4, B17).
BEGIN;
\ir fixture/tools.psql
SELECT plan(39);
\ir fixture/organization.psql
\ir fixture/projects.psql
\ir fixture/history.psql
\ir fixture/protocol.psql
\ir fixture/linked_tasks.psql

-- Everything is in step --------------------------------------------------------------------------------------------

SELECT is_empty('SELECT * FROM crm_bridge.sync_backlog', 'sync_backlog: nothing is on its way');
SELECT results_eq('SELECT organization, service, state, portal, waiting_to_be_sent, need_a_person, open_conflicts, in_step FROM crm_bridge.integration_overview ORDER BY service',
  $$ VALUES ('Zylker', 'zoho_crm', 'active', NULL, 0::numeric, 0::numeric, 0::bigint, true), ('Zylker', 'zoho_projects', 'active', 'Zylker', 0, 0, 0, true) $$, 'integration_overview: both services are in step');
SELECT results_eq('SELECT pairing, left_name, right_name, state, in_step FROM crm_bridge.link_status ORDER BY pairing, left_name',
  $$ VALUES ('account_client', 'Acme', 'Acme', 'active', true), ('deal_project', 'Routers', 'Routers', 'active', true), ('task_task', 'task 1', 'task 1', 'active', true),
            ('task_task', 'task 2', 'task 2', 'active', true), ('task_task', 'task 3', 'task 3', 'active', true) $$, 'link_status: every link, with the names of both faces');
SELECT results_eq('SELECT project, account, deal, open_tasks, closed_tasks, overdue_tasks, in_step FROM crm_bridge.project_progress',
  $$ VALUES ('Routers', 'Acme', 'Routers', 3::bigint, 0::bigint, 0::bigint, true) $$, 'R58: project_progress');
SELECT results_eq('SELECT account, project, deal, open_tasks FROM crm_bridge.account_projects', $$ VALUES ('Acme', 'Routers', 'Routers', 3::bigint) $$, 'R57: account_projects');
SELECT ok(every(v.as_of = now()), 'a view says when it was read') FROM (SELECT as_of FROM crm_bridge.integration_overview UNION ALL SELECT as_of FROM crm_bridge.link_status UNION ALL SELECT as_of FROM crm_bridge.project_progress) AS v;
SELECT results_eq(format('SELECT topic, state, reason FROM crm_bridge.explain_sync(%L)', :'crm_1'), $$ VALUES ('shadow', 'live', NULL::text), ('link', 'active', NULL) $$, 'B4: explain_sync: the service has it, it is linked, nothing is open');
SELECT is((SELECT detail ->> 'twin' FROM crm_bridge.explain_sync(:'crm_1') WHERE topic = 'link'), :'projects_1', 'B4: it names the twin');
SELECT is_empty('SELECT * FROM crm_bridge.explain_sync(crm_bridge.new_id())', 'of what nobody knows there is nothing to say');
SELECT is_empty('SELECT * FROM crm_bridge.pending_changes()', 'B4: pending_changes: what was sent already is not pending');

-- Changes on their way ---------------------------------------------------------------------------------------------

UPDATE crm_bridge.projects_task SET is_completed = true WHERE id = :'projects_1';
UPDATE crm_bridge.projects_task SET end_date = '2020-01-01' WHERE id = :'projects_2';
INSERT INTO crm_bridge.crm_contact (last_name) VALUES ('Li');
UPDATE crm_bridge.projects_project SET name = 'Routers II';
SELECT results_eq('SELECT service, module, pending, in_flight, waiting, held, parked, dead, oldest = now() FROM crm_bridge.sync_backlog ORDER BY module',
  $$ VALUES ('zoho_crm', 'crm_contact', 1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, true), ('zoho_crm', 'crm_task', 2, 0, 0, 0, 0, 0, true),
            ('zoho_projects', 'projects_project', 1, 0, 0, 0, 0, 0, true), ('zoho_projects', 'projects_task', 2, 0, 0, 0, 0, 0, true) $$, 'sync_backlog: by service, module and state');
SELECT results_eq('SELECT service, waiting_to_be_sent, in_step FROM crm_bridge.integration_overview ORDER BY service', $$ VALUES ('zoho_crm', 3::numeric, false), ('zoho_projects', 3, false) $$, 'integration_overview counts them');
SELECT results_eq('SELECT left_name FROM crm_bridge.link_status WHERE NOT in_step ORDER BY left_name', $$ VALUES ('Routers'), ('task 1'), ('task 2') $$, 'link_status shows which pairs are not in step');
SELECT results_eq('SELECT open_tasks, closed_tasks, overdue_tasks, in_step FROM crm_bridge.project_progress', $$ VALUES (2::bigint, 1::bigint, 1::bigint, false) $$, 'R58: project_progress counts open, closed and overdue tasks');
SELECT results_eq(format('SELECT topic, state, reason, detail ->> %L, detail -> %L FROM crm_bridge.explain_sync(%L) WHERE topic = %L', 'to_do', 'fields', :'crm_1', 'delivery'),
  $$ VALUES ('delivery', 'pending', 'pending', 'update', '["status"]'::jsonb) $$, 'B4: explain_sync shows the request that is pending');
SELECT results_eq('SELECT module, request, fields FROM crm_bridge.pending_changes() ORDER BY module, record_id',
  $$ VALUES ('crm_contact', 'create', '{"last_name": "Li"}'::jsonb), ('crm_task', 'update', '{"status": "Completed"}'), ('crm_task', 'update', '{"due_date": "2019-12-31"}'),
            ('projects_project', 'update', '{"name": "Routers II"}'), ('projects_task', 'update', '{"is_completed": true}'), ('projects_task', 'update', '{"end_date": "2020-01-01T00:00:00+00:00"}') $$, 'B4: pending_changes: the requests that this transaction would cause');

-- What pending_changes lists is what is then handed out, creates, references and deletions included.
SELECT crm_bridge.new_id() AS late_account, crm_bridge.new_id() AS late_deal \gset
INSERT INTO crm_bridge.crm_account (id, account_name) VALUES (:'late_account', 'Late');
INSERT INTO crm_bridge.crm_deal (id, deal_name, account_id, custom_fields) VALUES (:'late_deal', 'Late', :'late_account', '{"Free__c": 1}');
DELETE FROM crm_bridge.crm_task WHERE id = :'crm_3';
CREATE TEMP TABLE foreseen AS SELECT service, module, record_id, request, fields, waits_for FROM crm_bridge.pending_changes();
SELECT results_eq(format('SELECT waits_for FROM foreseen WHERE record_id = %L', :'late_deal'), format('VALUES (%L::uuid)', :'late_account'), 'B4: for which record one waits');
CREATE TEMP TABLE handed_out (service text, module text, record_id uuid, request text, fields text[]);
DO $$
DECLARE
  worker uuid := (SELECT l.lease FROM crm_bridge.lease AS l);
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['zoho_crm', 'zoho_projects', 'zoho_crm'] LOOP
    INSERT INTO handed_out SELECT name, c.module, c.record_id, c.operation, ARRAY(SELECT jsonb_object_keys(c.fields)) FROM crm_bridge.claim(name, 100, worker, org_id => 1) AS c;
    PERFORM * FROM crm_bridge.acknowledge(worker, (SELECT jsonb_agg(jsonb_build_object('module', h.module, 'record_id', h.record_id) || CASE h.request WHEN 'create' THEN jsonb_build_object('external_id', h.record_id) ELSE '{}' END)
      FROM handed_out AS h JOIN crm_bridge.delivery AS d ON d.record_id = h.record_id AND d.state = 'in_flight'), 1);
  END LOOP;
END
$$;
SELECT set_eq('SELECT * FROM handed_out', 'SELECT service, module, record_id, request, ARRAY(SELECT jsonb_object_keys(fields)) FROM foreseen', 'B4: what pending_changes lists is what is then handed out');
SELECT is((SELECT count(*) FROM crm_bridge.delivery), 0::bigint, 'all of it');

-- What needs a person ----------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS bad \gset
INSERT INTO crm_bridge.crm_lead (id, last_name) VALUES (:'bad', 'Bad');
SELECT count(*) AS claimed FROM crm_bridge.claim('zoho_crm', 1, :'lease', org_id => 1) \gset
SELECT count(*) AS failed FROM crm_bridge.fail(:'lease', jsonb_build_array(jsonb_build_object('module', 'crm_lead', 'record_id', :'bad', 'outcome', 'park', 'reason', 'INVALID_DATA', 'detail', 'Email is not valid')), 1) \gset
SELECT results_eq('SELECT module, record_id, operation, state, attempts, reason, detail FROM crm_bridge.dead_letters', format($$ VALUES ('crm_lead', %L::uuid, 'write', 'parked', 1, 'INVALID_DATA', 'Email is not valid') $$, :'bad'), 'dead_letters: with the service''s own words');
SELECT results_eq('SELECT service, need_a_person, in_step FROM crm_bridge.integration_overview ORDER BY service', $$ VALUES ('zoho_crm', 1::numeric, true), ('zoho_projects', 0, true) $$, 'integration_overview counts what needs a person');
SELECT results_eq(format('SELECT state, reason, detail ->> %L FROM crm_bridge.explain_sync(%L)', 'detail', :'bad'), $$ VALUES ('parked', 'parked', 'Email is not valid') $$, 'D12: its reason code');

INSERT INTO crm_bridge.merge_policy VALUES (1, 'task_task', 'subject', 'manual');
SET LOCAL crm_bridge.propagate_limit = 0;
UPDATE crm_bridge.crm_task SET subject = 'left' WHERE id = :'crm_1';
UPDATE crm_bridge.projects_task SET name = 'right', priority = 'high' WHERE id = :'projects_1';
SELECT results_eq(format('SELECT topic, subject, state, reason FROM crm_bridge.explain_sync(%L) WHERE topic = %L', :'crm_1', 'request'), $$ VALUES ('request', 'crm_task', 'propagate', 'pending') $$, 'B4: explain_sync shows what waits for reconcile');
SELECT ok(NOT (SELECT in_step FROM crm_bridge.link_status WHERE link_id = :'link_1'), 'link_status: such a pair is not in step');
SELECT ok(NOT (SELECT bool_or(in_step) FROM crm_bridge.integration_overview), 'integration_overview: nor is the organization');
SELECT crm_bridge.reconcile() AS rest \gset
RESET crm_bridge.propagate_limit;
SELECT results_eq('SELECT module, record_id, field, base, left_value, right_value, winner, losing_value, needs_decision FROM crm_bridge.open_conflicts',
  format($$ VALUES ('crm_task', %L::uuid, 'subject', '"task 1"'::jsonb, '"left"'::jsonb, '"right"'::jsonb, 'none', NULL::jsonb, true) $$, :'crm_1'), 'open_conflicts: what a person must decide');
SELECT is((SELECT max(open_conflicts) FROM crm_bridge.integration_overview), 1::bigint, 'integration_overview counts them');
SELECT is((SELECT fields_apart FROM crm_bridge.link_status WHERE link_id = :'link_1')::text, '{subject}', 'link_status names the fields that are apart');
SELECT results_eq(format('SELECT subject, state, reason FROM crm_bridge.explain_sync(%L) WHERE topic = %L', :'crm_1', 'conflict'), $$ VALUES ('subject', 'open', 'policy') $$, 'B4: explain_sync shows the conflict');
UPDATE crm_bridge.merge_policy SET policy = 'left';
SET LOCAL crm_bridge.propagate_limit = 0;
UPDATE crm_bridge.crm_task SET subject = 'left 2' WHERE id = :'crm_2';
UPDATE crm_bridge.projects_task SET name = 'right 2' WHERE id = :'projects_2';
SELECT crm_bridge.reconcile() AS rest \gset
RESET crm_bridge.propagate_limit;
SELECT results_eq($$ SELECT winner, losing_value, needs_decision FROM crm_bridge.open_conflicts WHERE winner <> 'none' $$, $$ VALUES ('left', '"right 2"'::jsonb, false) $$, 'B2: the value that lost is there to be read');

-- History ----------------------------------------------------------------------------------------------------------

SELECT pg_temp.forget() AS forgotten \gset
UPDATE crm_bridge.crm_deal SET amount = 1, deal_name = 'Renamed' WHERE id = :'deal';
SELECT results_eq('SELECT module, record_id, operation, origin, actor, field, old_value FROM crm_bridge.record_history ORDER BY field',
  format($$ VALUES ('crm_deal', %1$L::uuid, 'update', 'app', 'postgres', 'amount', 'null'::jsonb), ('crm_deal', %1$L, 'update', 'app', 'postgres', 'deal_name', '"Routers"') $$, :'deal'), 'B17: record_history: one row a field, with the value before');
INSERT INTO crm_bridge.crm_lead (last_name) VALUES ('New');
SELECT results_eq($$ SELECT field, old_value FROM crm_bridge.record_history WHERE operation = 'insert' $$, $$ VALUES (NULL::text, NULL::jsonb) $$, 'B17: one row for an insert');

-- A project without links, an account without projects -------------------------------------------------------------

INSERT INTO crm_bridge.projects_project (name) VALUES ('Internal');
INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Idle');
SELECT results_eq($$ SELECT account, deal, open_tasks, overdue_tasks, in_step FROM crm_bridge.project_progress WHERE project = 'Internal' $$, $$ VALUES (NULL::text, NULL::text, 0::bigint, 0::bigint, false) $$, 'R58: a project of nobody is listed too');
SELECT is((SELECT count(*) FROM crm_bridge.account_projects), 1::bigint, 'R57: an account without a project has no row');
SELECT crm_bridge.create_organization(2, 'Other') AS org \gset
SELECT is((SELECT count(*) FROM crm_bridge.integration_overview WHERE org_id = 2), 2::bigint, 'every organization has its overview');
SELECT pg_temp.refused(format('SELECT * FROM crm_bridge.explain_sync(%L)', :'deal'), '55000', 'not settled which organization', 'with two organizations one must be named');
SELECT is((SELECT count(*) FROM crm_bridge.explain_sync(:'deal', 2)), 0::bigint, 'another''s records are not explained');
SELECT is((SELECT count(*) FROM crm_bridge.explain_sync(:'deal', 1) WHERE topic = 'delivery'), 1::bigint, 'one''s own are');
SELECT is((SELECT count(*) FROM crm_bridge.module_fields WHERE org_id = 2), (SELECT count(*) FROM crm_bridge.standard_field), 'module_fields: what a connector translates');

SELECT * FROM finish();
ROLLBACK;
