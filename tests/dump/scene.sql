-- SPDX-License-Identifier: PostgreSQL
-- Two organizations with something in every table, brought about as in real life wherever there is a way.

\set QUIET on
\set ON_ERROR_STOP on
\o /dev/null
SET client_min_messages = warning;
SET timezone = 'UTC';

SELECT FROM crm_bridge.create_organization(1, 'Zylker', 'enterprise', 'Asia/Kolkata');
SELECT FROM crm_bridge.create_organization(2, 'Acme Trading', 'standard', 'Europe/Berlin');

-- Partitions of history: one beside the parent, one in another schema.  What is older stays in the default one.
CREATE TABLE crm_bridge.history_recent PARTITION OF crm_bridge.history
  (CONSTRAINT history_recent_key PRIMARY KEY (org_id, at, event_id))
  FOR VALUES FROM (date_trunc('month', now())) TO (date_trunc('month', now()) + interval '2 months');
CREATE SCHEMA archive;
CREATE TABLE archive.history_2020 PARTITION OF crm_bridge.history
  (CONSTRAINT history_2020_key PRIMARY KEY (org_id, at, event_id))
  FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');

SELECT FROM crm_bridge.grant_app('dump_app', 1);
SELECT FROM crm_bridge.grant_analyst('dump_analyst', 2);
SELECT FROM crm_bridge.grant_worker('dump_worker');

-- Both organizations read the same from their services.
DO $scene$
DECLARE
  org bigint;
  told record;
BEGIN
  FOR org IN SELECT o.org_id FROM crm_bridge.organization AS o ORDER BY 1 LOOP
    PERFORM crm_bridge.activate_projects(org);
    FOR told IN SELECT * FROM (VALUES
        ('projects_portal', '[{"external_id": "9", "version": "2026-03-01T09:00:00Z", "fields": {"name": "zylker", "time_zone": "Europe/Berlin"}}]'),
        ('crm_user', '[{"external_id": "7", "version": "2026-03-01T09:00:00Z", "fields": {"full_name": "Mira", "email": "mira@zylker.example"}}]'),
        ('projects_user', '[{"external_id": "70", "version": "2026-03-01T09:00:00Z", "fields": {"full_name": "Mira", "email": "mira@zylker.example", "portal_id": "9"}}]'),
        ('crm_account', '[{"external_id": "1", "version": "2026-03-01T09:00:00Z", "fields": {"account_name": "Größe & Söhne"}}]'),
        ('crm_deal', '[{"external_id": "2", "version": "2026-03-01T09:00:00Z", "fields": {"deal_name": "Routers", "stage": "Qualification", "amount": 12.50, "account_id": "1", "owner_id": "7", "Region__c": "EU"}},
                       {"external_id": "3", "version": "2026-03-01T09:00:00Z", "fields": {"deal_name": "Long won", "stage": "Closed Won", "account_id": "1"}}]'),
        ('crm_task', '[{"external_id": "4", "version": "2026-03-01T09:00:00Z", "fields": {"subject": "Call", "status": "Not Started", "priority": "Normal", "owner_id": "7"}}]'),
        ('crm_contact', '[{"external_id": "5", "version": "2026-03-01T09:00:00Z", "fields": {"last_name": "Ada", "account_id": "404"}}]'),
        ('crm_note', '[{"external_id": "6", "version": "2026-03-01T09:00:00Z", "created_at": "2025-03-01T09:00:00Z", "fields": {"title": "Call", "content": "Asked for a discount", "deal_id": "2", "author_id": "7"}}]'),
        ('projects_project', '[{"external_id": "20", "version": "2026-03-01T09:00:00Z", "fields": {"name": "Rollout", "portal_id": "9"}}]'),
        ('projects_task', '[{"external_id": "40", "version": "2026-03-01T09:00:00Z", "fields": {"name": "Call", "priority": "medium", "is_completed": false, "project_id": "20", "portal_id": "9"}}]'),
        ('projects_client_user', '[{"external_id": "71", "version": "2026-03-01T09:00:00Z", "fields": {"email": "lin@acme.example", "portal_id": "9"}}]'),
        ('projects_comment', '[{"external_id": "50", "version": "2026-03-01T09:00:00Z", "fields": {"content": "<p>Größe?</p>", "author_name": "Mira", "task_id": "40", "project_id": "20", "portal_id": "9"}}]')
      ) AS t (module, records) LOOP
      PERFORM crm_bridge.receive(told.module, told.records::jsonb, clock_timestamp(), NULL, org);
    END LOOP;
    PERFORM crm_bridge.choose_portal('zylker', org);
    INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
    SELECT org, 'task_task', l.id, r.id FROM crm_bridge.crm_task AS l, crm_bridge.projects_task AS r
     WHERE l.org_id = org AND r.org_id = org;
    PERFORM crm_bridge.set_automation('won_deal_becomes_project', true, org);
    PERFORM crm_bridge.set_setting('maximum_attempts', '1', org);
    PERFORM crm_bridge.set_setting('mass_change_limit', '1', org);
    PERFORM crm_bridge._hold_excess(org, 'crm_lead', 'in', 'delete', NULL, ARRAY[crm_bridge.new_id(), crm_bridge.new_id()]);
    PERFORM crm_bridge.store_fields('crm_deal', '[{"api_name": "Region__c", "type": "picklist", "writable": true, "picklist": ["EU", "US"]}]', org);
    PERFORM crm_bridge.map_field('deal_project', 'deal_name', 'name', 'both', true, org_id => org);
    PERFORM crm_bridge.confirm_field_mapping(org_id => org);
    INSERT INTO crm_bridge.merge_policy VALUES (org, 'task_task', 'subject', 'manual'), (org, 'crm_deal', '*', 'right');
    PERFORM crm_bridge.store_credential('zoho_crm', 'oauth', 'key-1', '\x00ff5ea1ed'::bytea, org_id => org);
    PERFORM crm_bridge.store_notice('zoho_crm', 'channel', 'crm_deal', ARRAY['2'], 'update', '{"ids": ["2"]}', org_id => org);
    PERFORM crm_bridge.save_cursor('zoho_crm', 'crm_deal', '{"since": "2026-03-01T09:00:00Z"}', org);
    PERFORM crm_bridge.finish_run(crm_bridge.start_run('poll', 'zoho_crm', 'crm_deal', 2, org), 'finished', NULL, org);
    PERFORM crm_bridge.next_channel_step('zoho_crm', 'channel', '\xabcd', crm_bridge.new_id(), org);
    INSERT INTO crm_bridge.budget (org_id, service, pattern, requests, period) VALUES (org, 'zoho_projects', '*', 100, '2 minutes');
    INSERT INTO crm_bridge.budget_limit (org_id, service, pattern, requests, period) VALUES (org, 'zoho_projects', '*', 50, '2 minutes');
    INSERT INTO crm_bridge.budget_use (org_id, service, pattern, counts_until, used) VALUES (org, 'zoho_projects', '*', '2026-03-01Z', 3);
    INSERT INTO crm_bridge.budget_place (org_id, service, pattern, lease, places, wanted) VALUES (org, 'zoho_crm', '*', crm_bridge.new_id(), 2, 3);
    PERFORM crm_bridge._notify(org, 'mira@zylker.example', 'clients_matched', '{"matched": 1}', 'clients.csv', E'name\n"Größe"', crm_bridge.new_id());
    INSERT INTO crm_bridge.projects_task_list (org_id, name) VALUES (org, 'General');
    INSERT INTO crm_bridge.crm_lead (org_id, last_name, custom_fields) VALUES (org, E'O\'Hara \\ "quoted"\tand\nmore', '{"Größe": [1, null, "x"]}');
    -- A rule of ours makes a client and a project.
    UPDATE crm_bridge.crm_deal AS d SET stage = 'Closed Won' WHERE d.org_id = org AND d.external_id = '2';
  END LOOP;
END
$scene$;
SELECT FROM crm_bridge.receive('crm_profile', '[{"external_id": "8", "fields": {"name": "Standard"}}]', now(), NULL, 1);
SELECT FROM crm_bridge.receive('projects_task_status', '[{"external_id": "80", "fields": {"name": "Open", "portal_id": "9"}}]', now(), NULL, 1);

SELECT FROM crm_bridge.receive('bigin_user', '[{"external_id": "90", "fields": {"email": "mira@zylker.example"}}]', now(), NULL, 1);
SELECT FROM crm_bridge.receive('bigin_company', '[{"external_id": "91", "fields": {"account_name": "Müller & Söhne", "owner_id": "90"}}]', now(), NULL, 1);
SELECT FROM crm_bridge.receive('bigin_contact', '[{"external_id": "92", "fields": {"last_name": "Wu", "account_id": "91"}}]', now(), NULL, 1);
SELECT FROM crm_bridge.receive('office_user', '[{"external_id": "93", "fields": {"mail": "ilse@zylker.example", "is_enabled": true}}]', now(), NULL, 1);

SELECT FROM crm_bridge.store_capabilities('zoho_crm', '[{"module": "crm_deal", "call": "create", "how": "POST", "requests": "1 for 100", "contract": "documented", "in_use": true}]');

-- Every state of a delivery.  The worker dies with what it holds: in flight.
SELECT crm_bridge.new_id() AS lease \gset
SELECT FROM crm_bridge.heartbeat(:'lease', 'worker', '1 day');
UPDATE crm_bridge.crm_account SET phone = '1';
UPDATE crm_bridge.crm_contact SET phone = '2';
UPDATE crm_bridge.crm_task SET description = 'soon';
SELECT FROM crm_bridge.claim('zoho_crm', 100, :'lease', org_id => 1);
SELECT FROM crm_bridge.claim('zoho_projects', 100, :'lease', org_id => 1);
SELECT FROM crm_bridge.fail(:'lease', (SELECT jsonb_agg(jsonb_build_object('module', d.module, 'record_id', d.record_id,
         'outcome', CASE d.module WHEN 'crm_account' THEN 'park' WHEN 'crm_contact' THEN 'retry' ELSE 'in_doubt' END, 'reason', 'invalid_data',
         'detail', 'the service''s own words')) FROM crm_bridge.delivery AS d
        WHERE d.org_id = 1 AND d.state = 'in_flight' AND d.module IN ('crm_account', 'crm_contact')), 1);
UPDATE crm_bridge.crm_lead SET company = 'Acme' WHERE org_id = 1;
UPDATE crm_bridge.crm_deal SET description = 'edited while it is in flight' WHERE org_id = 1 AND external_id = '2';
INSERT INTO crm_bridge.crm_deal (org_id, deal_name) VALUES (1, 'Pending');
UPDATE crm_bridge.delivery SET state = 'held', stopped = true, reason = 'too_many' WHERE org_id = 2 AND module = 'crm_lead';
DELETE FROM crm_bridge.crm_deal WHERE org_id = 2 AND external_id = '3';

-- What administrators decided.
INSERT INTO crm_bridge.profile_permission (org_id, profile_id, can_view) VALUES (1, crm_bridge.new_id(), true);
INSERT INTO crm_bridge.client_matching (org_id, state) VALUES (1, 'skipped');
INSERT INTO crm_bridge.match_result (org_id, client_id, account_id, run_id, reason, score) VALUES (1, crm_bridge.new_id(), crm_bridge.new_id(), crm_bridge.new_id(), 'similar_name', 0.5);
INSERT INTO crm_bridge.integration_field (org_id, name, service, module, field, project_field) VALUES (1, 'Amount', 'zoho_crm', 'crm_deal', 'amount', 'Budget');

-- A conflict that nobody has decided, a refusal, and a request that reconcile has not seen.
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE crm_bridge.crm_task SET subject = 'Call Ada' WHERE org_id = 2;
UPDATE crm_bridge.projects_task SET name = 'Call Bob' WHERE org_id = 2;
COMMIT;
SELECT FROM crm_bridge.reconcile(100, 2);
INSERT INTO crm_bridge.refusal (org_id, module, record_id, field, reason, value)
SELECT 1, 'crm_deal', d.id, 'deal_name', 'text_too_long', '"x"' FROM crm_bridge.crm_deal AS d WHERE d.external_id = '3' AND d.org_id = 1;
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE crm_bridge.crm_task SET due_date = '2026-04-01' WHERE org_id = 1;
COMMIT;

-- History of former years.
INSERT INTO crm_bridge.history
SELECT h.org_id, timestamptz '2020-05-05' + (h.at - date_trunc('day', h.at)), crm_bridge.new_id(), h.record_id, h.module, h.operation,
       h.origin, h.actor, h.transaction_id, h.run_id, h.old FROM crm_bridge.history AS h;
INSERT INTO crm_bridge.history
SELECT h.org_id, timestamptz '2019-05-05' + (h.at - date_trunc('day', h.at)), crm_bridge.new_id(), h.record_id, h.module, h.operation,
       h.origin, h.actor, h.transaction_id, h.run_id, h.old FROM crm_bridge.history AS h WHERE h.at >= '2021-01-01';
