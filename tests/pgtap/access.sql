-- SPDX-License-Identifier: PostgreSQL
-- Who may what, tried by SET ROLE, denials first (design §5, T38, T39, B13, B16).
BEGIN;
\ir fixture/tools.psql
SELECT plan(111);
\ir fixture/organization.psql
\ir fixture/projects.psql
SELECT crm_bridge.create_organization(2, 'Other') AS org \gset

CREATE ROLE test_stranger;
CREATE ROLE test_analyst;
CREATE ROLE test_app;
CREATE ROLE test_administrator;
CREATE ROLE test_worker;
CREATE ROLE test_other_app;
SELECT crm_bridge.grant_analyst('test_analyst', 1), crm_bridge.grant_app('test_app', 1), crm_bridge.grant_administrator('test_administrator', 1),
       crm_bridge.grant_worker('test_worker'), crm_bridge.grant_app('test_other_app', 2) \g /dev/null

-- What a statement raises for a role: its SQLSTATE, or "allowed".
CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  code text;
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', role);
  code := COALESCE(pg_temp.error_of(statement) ->> 'sqlstate', 'allowed');
  RESET ROLE;
  RETURN code;
END
$$;
-- The rows that a query returns to a role.
CREATE FUNCTION pg_temp.seen(role text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  rows bigint;
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', role);
  EXECUTE format('SELECT count(*) FROM (%s) AS q', query) INTO rows;
  RESET ROLE;
  RETURN rows;
END
$$;

CREATE TEMP TABLE roles AS SELECT unnest(ARRAY['test_stranger', 'test_analyst', 'test_app', 'test_administrator', 'test_worker']) AS role;
CREATE TEMP TABLE mirrors AS SELECT module::text AS name, updatable FROM crm_bridge.module;

-- The matrix: every relation × every role × every privilege --------------------------------------------------------

CREATE TEMP TABLE readable AS
  SELECT name FROM mirrors
   UNION ALL SELECT unnest(ARRAY['module', 'standard_field', 'capability', 'known_setting', 'organization', 'integration', 'service_field', 'pairing', 'field_mapping', 'integration_field', 'merge_policy',
    'automation', 'setting', 'shadow', 'link', 'reconcile_request', 'delivery', 'run', 'conflict', 'refusal', 'history', 'history_default',
    'module_fields', 'sync_backlog', 'integration_overview', 'dead_letters', 'open_conflicts', 'link_status', 'project_progress', 'account_projects', 'record_history',
    'budget', 'budget_limit', 'budget_use', 'budget_place', 'quota_status', 'webhook_channel', 'open_integration', 'message_text', 'profile_permission', 'permission_matrix', 'project_crm_details',
    'client_matching', 'match_result', 'client_match_report', 'project_contact', 'account_progress', 'deal_progress', 'activity_feed', 'record_name', 'held_change', 'project_tasks', 'refusals']);
CREATE TEMP TABLE expected AS
  SELECT r.role, n.name, 'SELECT' AS privilege FROM roles AS r, readable AS n WHERE r.role IN ('test_analyst', 'test_app', 'test_administrator')
   UNION ALL SELECT r.role, m.name, p FROM roles AS r, mirrors AS m, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS p WHERE r.role IN ('test_app', 'test_administrator') AND m.updatable
   UNION ALL SELECT r.role, n, 'SELECT' FROM roles AS r, unnest(ARRAY['notification', 'notifications']) AS n WHERE r.role IN ('test_analyst', 'test_administrator')
   UNION ALL SELECT r.role, 'command', 'SELECT' FROM roles AS r WHERE r.role IN ('test_app', 'test_administrator')
   UNION ALL SELECT 'test_administrator', t, p FROM unnest(ARRAY['field_mapping', 'merge_policy', 'setting', 'budget_limit']) AS t, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS p
   UNION ALL SELECT 'test_worker', 'module', 'SELECT';
CREATE TEMP TABLE cells AS
  SELECT r.role, c.relname::text AS name, c.relkind, p AS privilege, has_table_privilege(r.role, c.oid, p) AS granted,
         (SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = 1) AS first_column
    FROM roles AS r, pg_class AS c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p
   WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind IN ('r', 'p', 'v');
GRANT SELECT ON cells TO PUBLIC;

SELECT is_empty($$
  SELECT c.role, c.name, c.privilege, c.answer FROM (
    SELECT c.*, pg_temp.attempt(c.role, CASE c.privilege
             WHEN 'SELECT' THEN format('SELECT FROM crm_bridge.%I LIMIT 0', c.name)
             WHEN 'INSERT' THEN format('INSERT INTO crm_bridge.%I DEFAULT VALUES', c.name)
             WHEN 'UPDATE' THEN format('UPDATE crm_bridge.%I SET %I = %2$I', c.name, c.first_column)
             WHEN 'DELETE' THEN format('DELETE FROM crm_bridge.%I', c.name)
             ELSE format('TRUNCATE crm_bridge.%I', c.name) END) AS answer
      FROM cells AS c
     WHERE c.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') AND (c.relkind <> 'v' OR c.privilege = 'SELECT')
       AND (c.role, c.name, c.privilege) NOT IN (SELECT e.role, e.name, e.privilege FROM expected AS e)) AS c
   WHERE c.answer <> '42501'
  $$, 'T38: every denied cell of the matrix of relations is refused when it is tried');
SELECT set_eq('SELECT role, name, privilege FROM cells WHERE granted', 'SELECT role, name, privilege FROM expected', 'T38: and exactly the others are granted');
SELECT is(pg_temp.attempt(r.role, 'SELECT FROM crm_bridge.credential'), '42501', format('B16: %s cannot read a credential', r.role)) FROM roles AS r;

CREATE TEMP TABLE expected_functions AS
  SELECT 'test_analyst' AS role, unnest(ARRAY['explain_sync', 'record_at', 'changes_since', 'related_list', 'setting_value', '_own_org', 'preview_notification']) AS name
   UNION ALL SELECT r.role, f FROM roles AS r, unnest(ARRAY['_clock', '_request_of', '_forecast', '_limit_in_force', '_published_limit', '_crm_details_org']) AS f
              WHERE r.role IN ('test_analyst', 'test_app', 'test_administrator')
   UNION ALL SELECT r.role, f FROM roles AS r, unnest(ARRAY['explain_sync', 'record_at', 'changes_since', 'related_list', 'pending_changes', 'create_project_from_deal', 'add_task_to_crm', 'task_link_targets', 'act_as', 'setting_value', '_own_org', 'wait_for_command', 'create_project_from_lead', 'create_project_from_account', 'create_project_from_company', 'resolve_conflict']) AS f
              WHERE r.role IN ('test_app', 'test_administrator')
   UNION ALL SELECT 'test_administrator', unnest(ARRAY['activate_projects', 'deactivate_projects', 'set_edition', 'refresh_portals', 'choose_portal', 'activate_bigin', 'deactivate_bigin', 'activate_office_directory', 'import_project_users', 'import_client_users', 'create_portal', 'use_shared_portal', 'mark_key_stale', 'credential_status', 'resync', 'pause', 'resume', 'retry', 'set_automation', 'set_setting',
    'create_projects_from_won_deals', 'add_integration_field', 'remove_integration_field', 'map_field', 'unmap_field', 'confirm_field_mapping', 'discard_field_mapping', 'check_field_mapping', '_check_conversion', 'reconcile', 'record_merged', 'set_budget', 'preview_notification', 'retry_notification', 'set_profile_permission', '_demand_administrator', 'match_clients', 'skip_client_matching', 'link_client', 'unlink_client', 'set_merge_policy', 'set_on_delete', 'approve_run', 'reject_run', 'undo_run', 'maintain'])
   UNION ALL SELECT 'test_worker', unnest(ARRAY['heartbeat', 'backlog', 'claim', 'acknowledge', 'fail', 'end_lease', 'receive', 'reconcile_backlog', 'reconcile', 'store_notice', 'record_lost_updates', 'note_unlisted', 'next_records', 'notice_backlog',
    'take_notices', 'finish_notices', 'read_cursor', 'save_cursor', 'start_run', 'report_progress', 'finish_run', 'worker_organizations', 'worker_fields', 'known_external_ids', 'store_capabilities', 'next_command',
    'finish_command', 'store_fields', 'sealed_credential', 'store_credential', 'refuse_credential', 'take_budget', 'rest_budget', 'take_places',
    'next_channel_step', 'record_channel', 'notification_backlog', 'take_notifications', 'hand_over_notification', 'finish_notification', 'release_notifications', 'finish_matching', 'maintain_if_due']);
CREATE TEMP TABLE function_cells AS
  SELECT r.role, p.oid, p.proname::text AS name, p.prokind, p.proisstrict, has_function_privilege(r.role, p.oid, 'EXECUTE') AS granted,
         format('%s crm_bridge.%I(%s)', CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END, p.proname,
                (SELECT string_agg(format('NULL::%s', format_type(t, NULL)), ', ' ORDER BY n) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n))) AS call
    FROM roles AS r, pg_proc AS p
   WHERE p.pronamespace = 'crm_bridge'::regnamespace AND p.proname NOT IN ('new_id', 'current_org', 'calling_role', 'retry_delay', '_gets_project', 'acting_user', '_visible_org', '_may_see', 'name_key', '_rule_is_on');
-- The planner answers NULL for a strict function of NULL without calling it: such a call shows nothing.
SELECT is_empty($$
  SELECT f.role, f.name, f.answer FROM (SELECT f.*, pg_temp.attempt(f.role, f.call) AS answer FROM function_cells AS f
    WHERE NOT f.proisstrict AND (f.role, f.name) NOT IN (SELECT e.role, e.name FROM expected_functions AS e)) AS f WHERE f.answer <> '42501'
  $$, 'T38: every function that a role may not call is refused when it is tried');
SELECT set_eq('SELECT role, name FROM function_cells WHERE granted', 'SELECT role, name FROM expected_functions', 'T38: and exactly the others are granted; a worker has the protocol and nothing else');
SELECT is(pg_temp.attempt('test_stranger', 'SELECT FROM crm_bridge.crm_deal'), '42501', 'a role without a grant does not even see the schema');

-- Two organizations ------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_account (org_id, account_name, external_id) VALUES (1, 'Ours', 'a1'), (2, 'Theirs', 'a2');
INSERT INTO crm_bridge.crm_deal (org_id, deal_name, stage) VALUES (1, 'Our deal', 'Qualification'), (2, 'Their deal', 'Qualification');
SELECT id AS ours FROM crm_bridge.crm_deal WHERE org_id = 1 \gset
SELECT id AS theirs FROM crm_bridge.crm_deal WHERE org_id = 2 \gset
SELECT is_empty($$
  SELECT n.name, r.role FROM readable AS n, roles AS r
   WHERE r.role IN ('test_analyst', 'test_app', 'test_administrator')
     -- Asked of the row as a document, because not every table has the column.
     AND pg_temp.seen(r.role, format('SELECT 1 FROM crm_bridge.%I AS t WHERE to_jsonb(t) ->> %L <> %L', n.name, 'org_id', '1')) > 0
  $$, 'T39: no table and no view shows a row of another organization');
SELECT is(pg_temp.seen('test_app', 'SELECT 1 FROM crm_bridge.crm_deal'), 1::bigint, 'one''s own are there');
SELECT is(pg_temp.seen('test_other_app', 'SELECT 1 FROM crm_bridge.crm_deal'), 1::bigint, 'for each organization');
SELECT is(pg_temp.seen('test_app', 'SELECT 1 FROM crm_bridge.history_default WHERE org_id = 2') + pg_temp.seen('test_app', 'SELECT 1 FROM crm_bridge.record_history WHERE org_id = 2'), 0::bigint, 'T39: nor a partition, nor a view over it');
SELECT ok(pg_temp.seen('test_app', 'SELECT 1 FROM crm_bridge.history') > 0, 'though history has rows');

SET LOCAL ROLE test_app;
SET LOCAL crm_bridge.organization = 2;
SELECT is((SELECT count(*) FROM crm_bridge.crm_deal), 0::bigint, 'T39: SET crm_bridge.organization cannot widen');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (2, 'x') $$, '42501', 'row-level security', 'T39: nor does it let one write there');
SET LOCAL crm_bridge.organization = 0;
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (2, 'Smuggled') $$, '42501', 'row-level security', 'T39: INSERT for another organization');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (1, 'Fine'), (2, 'Smuggled') $$, '42501', 'row-level security', 'T39: also among one''s own');
SELECT pg_temp.refused($$ INSERT INTO crm_bridge.crm_account (org_id, external_id, account_name) VALUES (2, 'a2', 'Taken') ON CONFLICT (org_id, external_id) DO UPDATE SET account_name = 'Taken' $$, '42501', 'row-level security', 'T39: INSERT … ON CONFLICT');
SELECT pg_temp.refused($$ MERGE INTO crm_bridge.crm_account AS a USING (SELECT 2::bigint AS o) AS n ON false WHEN NOT MATCHED THEN INSERT (org_id, account_name) VALUES (n.o, 'Merged') $$, '42501', 'row-level security', 'T39: MERGE');
SELECT pg_temp.refused($$ UPDATE crm_bridge.crm_deal SET org_id = 2 $$, '0A000', 'org_id', 'T39: a row is not moved there');
UPDATE crm_bridge.crm_deal SET deal_name = 'Touched' WHERE org_id = 2 OR true;
DELETE FROM crm_bridge.crm_account WHERE org_id = 2;
RESET ROLE;
SELECT results_eq('SELECT org_id, deal_name FROM crm_bridge.crm_deal ORDER BY org_id', $$ VALUES (1::bigint, 'Touched'), (2, 'Their deal') $$, 'T39: UPDATE reaches one''s own rows only');
SELECT is((SELECT count(*) FROM crm_bridge.crm_account WHERE org_id = 2), 1::bigint, 'T39: so does DELETE');

SELECT is(pg_temp.attempt('test_app', format('SELECT * FROM crm_bridge.explain_sync(%L, 2)', :'theirs')), '42501', 'T39: another organization cannot be named in explain_sync');
SELECT is(pg_temp.attempt('test_app', 'SELECT * FROM crm_bridge.pending_changes(2)'), '42501', 'nor in pending_changes');
SELECT is(pg_temp.attempt('test_app', format('SELECT crm_bridge.create_project_from_deal(%L, org_id => 2)', :'theirs')), '42501', 'nor in create_project_from_deal');
SELECT is(pg_temp.attempt('test_app', format('SELECT crm_bridge.create_project_from_deal(%L)', :'theirs')), '42704', 'and its deals do not exist');
SELECT is(pg_temp.attempt('test_app', 'SELECT crm_bridge.setting_value(''won_stages'', ''[]'', 2)'), '42501', 'nor in setting_value');
SELECT is(pg_temp.seen('test_app', format('SELECT * FROM crm_bridge.explain_sync(%L)', :'theirs')), 0::bigint, 'its records are not explained');
SELECT is(pg_temp.attempt('test_administrator', format('SELECT crm_bridge.%s', f.call)), '42501', format('T39: an administrator cannot name another organization in %s', split_part(f.call, '(', 1)))
  FROM unnest(ARRAY['activate_projects(2)', 'refresh_portals(2)', 'choose_portal(''Zylker'', 2)', 'resync(''crm_deal'', 2)', 'pause(''zoho_crm'', ''x'', 2)', 'resume(''zoho_crm'', 2)',
    'retry(NULL, 2)', 'set_automation(''won_deal_becomes_project'', true, 2)', 'set_setting(''maximum_attempts'', ''1'', 2)', 'create_projects_from_won_deals(1, false, 2)', 'reconcile(1, 2)', 'match_clients(org_id => 2)', 'skip_client_matching(2)',
    'link_client(crm_bridge.new_id(), crm_bridge.new_id(), 2)', 'unlink_client(crm_bridge.new_id(), 2)',
    'map_field(''deal_project'', ''next_step'', ''description'', org_id => 2)', 'unmap_field(''deal_project'', ''deal_name'', ''name'', 2)',
    'activate_bigin(2)', 'deactivate_bigin(2)', 'activate_office_directory(2)', 'import_project_users(''crm'', ''{}'', NULL, 2)', 'import_client_users(''crm'', ''{}'', NULL, NULL, 2)']) AS f (call);
SELECT is(pg_temp.attempt('test_administrator', $$ INSERT INTO crm_bridge.setting VALUES (2, 'won_stages', '[]') $$), '42501', 'T39: nor write its settings');
SELECT is(pg_temp.attempt('test_administrator', $$ INSERT INTO crm_bridge.merge_policy VALUES (2, 'crm_deal', '*', 'left') $$), '42501', 'nor its policies');
SELECT is(pg_temp.attempt('test_administrator', $$ UPDATE crm_bridge.field_mapping SET org_id = 2 $$), '42501', 'nor move a mapping there');
SELECT is(pg_temp.attempt('test_administrator', $$ INSERT INTO crm_bridge.role_binding VALUES (2, 'test_administrator', 'administrator') $$), '42501', 'nor bind himself to it');
SELECT is(pg_temp.attempt('test_administrator', 'SELECT crm_bridge.grant_app(''test_administrator'', 2)'), '42501', 'nor have himself bound');

-- A function of the reader's own that is cheap and tells what it sees must not see the others' rows.
CREATE TABLE public.leaked (value text);
GRANT INSERT, SELECT ON public.leaked TO test_analyst;
GRANT CREATE ON SCHEMA public TO test_analyst;
SET LOCAL ROLE test_analyst;
CREATE FUNCTION public.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO public.leaked VALUES (value); RETURN true; END $$;
SELECT count(*) AS seen FROM crm_bridge.crm_deal WHERE public.leak(deal_name) \gset
SELECT count(*) AS seen FROM crm_bridge.project_progress WHERE public.leak(deal) \gset
SELECT results_eq('SELECT DISTINCT value FROM public.leaked', ARRAY['Touched'], 'T39: a leaky function sees one''s own rows only');
SELECT pg_temp.refused('SET LOCAL row_security = off; SELECT count(*) FROM crm_bridge.crm_deal', '42501', 'row-level security', 'T39: row_security = off shows nothing more');
RESET ROLE;

-- What each role is for --------------------------------------------------------------------------------------------

SELECT is(pg_temp.attempt('test_analyst', v.query), 'allowed', format('an analyst reads %s', v.name))
  FROM (SELECT c.relname AS name, format('SELECT * FROM crm_bridge.%I', c.relname) AS query FROM pg_class AS c WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind = 'v' ORDER BY 1) AS v;
SELECT is(pg_temp.attempt('test_analyst', format('SELECT * FROM crm_bridge.explain_sync(%L)', :'ours')), 'allowed', 'and asks why a record is where it is');
SELECT is(pg_temp.attempt('test_analyst', format('SELECT crm_bridge.create_project_from_deal(%L)', :'ours')), '42501', 'but makes nothing');

SELECT is(pg_temp.attempt('test_app', $$ INSERT INTO crm_bridge.crm_deal (deal_name) VALUES ('By the app') $$), 'allowed', 'an app inserts');
SELECT is(pg_temp.attempt('test_app', $$ UPDATE crm_bridge.crm_deal SET amount = 1 WHERE deal_name = 'By the app' $$), 'allowed', 'and updates');
SELECT is(pg_temp.attempt('test_app', $$ SELECT * FROM crm_bridge.pending_changes() $$), 'allowed', 'and asks what that would cause');
SELECT is(pg_temp.attempt('test_app', format('SELECT crm_bridge.create_project_from_deal(%L)', :'ours')), 'allowed', 'and makes a project');
SELECT is(pg_temp.attempt('test_app', $$ DELETE FROM crm_bridge.crm_deal WHERE deal_name = 'By the app' $$), 'allowed', 'and deletes');
SELECT is((SELECT count(*) FROM crm_bridge.history WHERE actor = 'test_app' AND operation = 'delete'), 1::bigint, 'B17: all of which is captured without a right on the machinery');
SELECT is(pg_temp.attempt('test_app', 'TRUNCATE crm_bridge.crm_deal'), '42501', 'it does not truncate');

SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.map_field('deal_project', 'next_step', 'description') $$), 'allowed', 'R26: an administrator maps fields');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.map_field('deal_project', 'next_step', 'description', org_id => 1) $$), 'allowed', 'also where he names his organization');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.unmap_field('deal_project', 'next_step', 'description') $$), 'allowed', 'and ends mappings');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.set_setting('maximum_attempts', '5') $$), 'allowed', 'sets settings');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.set_automation('won_deal_becomes_project', true) $$), 'allowed', 'R55: switches rules on');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT * FROM crm_bridge.create_projects_from_won_deals() $$), 'allowed', 'looks at older deals');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.pause('zoho_crm'), crm_bridge.resume('zoho_crm'), crm_bridge.retry(), crm_bridge.reconcile(), crm_bridge.resync('crm_deal') $$), 'allowed', 'runs the integration');
SELECT is(pg_temp.attempt('test_administrator', $$ SELECT crm_bridge.activate_projects() $$), '55000', 'R3: and may begin one (it is active already)');

SELECT crm_bridge.new_id() AS lease \gset
SELECT is(pg_temp.attempt('test_worker', v.statement), 'allowed', format('a worker calls %s', split_part(v.statement, '(', 1))) FROM unnest(ARRAY[
  format('SELECT crm_bridge.heartbeat(%L, ''w'')', :'lease'), 'SELECT * FROM crm_bridge.backlog(''zoho_crm'')', format('SELECT * FROM crm_bridge.claim(''zoho_crm'', 10, %L, org_id => 1)', :'lease'),
  format('SELECT * FROM crm_bridge.claim(''zoho_crm'', 10, %L, org_id => 2)', :'lease'), 'SELECT * FROM crm_bridge.receive(''crm_deal'', ''[{"external_id": "w1", "fields": {"deal_name": "w"}}]'', now(), org_id => 2)',
  'SELECT crm_bridge.reconcile(10, 2)', 'SELECT * FROM crm_bridge.sealed_credential(''zoho_crm'', 1)', 'SELECT * FROM crm_bridge.worker_fields(''zoho_crm'', 2)', format('SELECT crm_bridge.end_lease(%L)', :'lease')]) AS v (statement);
SELECT is(pg_temp.attempt('test_worker', 'SELECT FROM crm_bridge.crm_deal'), '42501', 'a worker reads no record but those that it is handed');

SELECT is(pg_temp.attempt('postgres', 'SELECT crm_bridge.grant_app(''test_app'', 1)'), 'allowed', 'a grant may be repeated');
SELECT is(pg_temp.attempt('postgres', 'SELECT crm_bridge.grant_analyst(''test_app'', 9)'), '42704', 'for an organization that there is');
SELECT is((SELECT count(*) FROM crm_bridge.role_binding WHERE role = 'test_app'), 1::bigint, 'and binds once');

SELECT * FROM finish();
ROLLBACK;
