-- Who may what.  The extension makes no roles; an administrator grants these sets to his own.

-- Notes that a role works for an organization, and whom it stands for.  Granting again keeps the person: a role is not made
-- free to act for anybody by chance; revoke_role() first.  Errors: 42704 no such organization or user; 21000 several.
CREATE OR REPLACE FUNCTION crm_bridge._bind(role regrole, kind text, acts_as text, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  users uuid[];
BEGIN
  PERFORM 1 FROM crm_bridge.organization AS o WHERE o.org_id = _bind.org_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('organization %s does not exist', org_id),
      HINT = 'Make it with crm_bridge.create_organization().';
  END IF;
  IF acts_as IS NOT NULL THEN
    users := ARRAY(SELECT u.id FROM crm_bridge.crm_user AS u
                    WHERE u.org_id = _bind.org_id AND (u.id::text = lower(acts_as) OR lower(u.email) = lower(acts_as)));
    IF cardinality(users) <> 1 THEN
      RAISE EXCEPTION USING ERRCODE = CASE cardinality(users) WHEN 0 THEN '42704' ELSE '21000' END,
        MESSAGE = format('there are %s users "%s"', cardinality(users), acts_as),
        HINT = 'Give the id or the e-mail address of a row of crm_bridge.crm_user.';
    END IF;
  END IF;
  INSERT INTO crm_bridge.role_binding AS b (org_id, role, kind, user_id)
  SELECT _bind.org_id, r.rolname, _bind.kind, users[1] FROM pg_roles AS r WHERE r.oid = _bind.role
  ON CONFLICT ON CONSTRAINT role_binding_key DO UPDATE SET kind = EXCLUDED.kind, user_id = COALESCE(EXCLUDED.user_id, b.user_id);
  EXECUTE format('GRANT USAGE ON SCHEMA crm_bridge TO %s', role);
END
$$;
COMMENT ON FUNCTION crm_bridge._bind(regrole, text, text, bigint) IS 'notes that a role works for an organization, and whom it stands for';
REVOKE ALL ON FUNCTION crm_bridge._bind(regrole, text, text, bigint) FROM PUBLIC;

-- The tables and views of a kind, and the functions for it, in one place.
CREATE OR REPLACE FUNCTION crm_bridge._grant(role regrole, writing boolean, relations text[], functions text[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  granted record;
BEGIN
  FOR granted IN SELECT unnest(relations) AS name LOOP
    IF writing THEN
      EXECUTE format('GRANT INSERT, UPDATE, DELETE ON crm_bridge.%I TO %s', granted.name, role);
    ELSE
      EXECUTE format('GRANT SELECT ON crm_bridge.%I TO %s', granted.name, role);
    END IF;
  END LOOP;
  FOR granted IN SELECT p.oid::regprocedure AS signature FROM pg_proc AS p
                  WHERE p.pronamespace = 'crm_bridge'::regnamespace AND p.proname = ANY (functions) LOOP
    EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', granted.signature, role);
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._grant(regrole, boolean, text[], text[]) IS 'grants a set of tables, for reading or for writing, and functions';
REVOKE ALL ON FUNCTION crm_bridge._grant(regrole, boolean, text[], text[]) FROM PUBLIC;

-- The functions below may be called again, for another organization or after an upgrade.  acts_as: the CRM user, by id or e-mail
-- address, whom the role stands for; then it has that person's rights always and acts for nobody else (act_as).

-- The names of what analysts may read: mirrors, views and catalogs; no machinery, no secret.
CREATE OR REPLACE FUNCTION crm_bridge._readable()
RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(SELECT m.module FROM crm_bridge.module AS m ORDER BY 1)
    || ARRAY['module', 'standard_field', 'capability', 'known_setting', 'organization', 'integration', 'service_field', 'pairing', 'field_mapping', 'integration_field', 'merge_policy',
             'automation', 'setting', 'shadow', 'link', 'reconcile_request', 'delivery', 'run', 'conflict', 'refusal', 'history',
             'history_default', 'module_fields', 'sync_backlog', 'integration_overview', 'dead_letters', 'open_conflicts',
             'link_status', 'project_progress', 'account_projects', 'record_history', 'budget', 'budget_limit', 'budget_use', 'budget_place',
             'quota_status', 'webhook_channel', 'open_integration', 'message_text', 'profile_permission', 'permission_matrix', 'project_crm_details',
             'client_matching', 'match_result', 'client_match_report', 'project_contact', 'account_progress', 'deal_progress', 'activity_feed', 'record_name', 'held_change', 'project_tasks', 'refusals'];
END
$$;
COMMENT ON FUNCTION crm_bridge._readable() IS 'what an analyst may read';
REVOKE ALL ON FUNCTION crm_bridge._readable() FROM PUBLIC;

-- The worker's role: the protocol's functions and nothing else.  It serves every organization of the database.
CREATE OR REPLACE FUNCTION crm_bridge.grant_worker(role regrole)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA crm_bridge TO %s', role);
  PERFORM crm_bridge._grant(role, false, ARRAY['module'], ARRAY['heartbeat', 'backlog', 'claim', 'acknowledge', 'fail', 'end_lease',
    'receive', 'reconcile_backlog', 'reconcile', 'store_notice', 'record_lost_updates', 'note_unlisted', 'next_records', 'notice_backlog', 'take_notices', 'finish_notices', 'read_cursor',
    'save_cursor', 'start_run', 'report_progress', 'finish_run', 'worker_organizations', 'worker_fields', 'known_external_ids', 'next_command', 'finish_command',
    'store_fields', 'store_capabilities', 'sealed_credential', 'store_credential', 'refuse_credential', 'current_org', 'new_id', 'take_budget', 'rest_budget', 'take_places',
    'next_channel_step', 'record_channel', 'notification_backlog', 'take_notifications', 'hand_over_notification', 'finish_notification',
    'release_notifications', 'finish_matching', 'maintain_if_due']);
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_worker(regrole) IS 'lets a role be the worker: the protocol''s functions and nothing else';
REVOKE ALL ON FUNCTION crm_bridge.grant_worker(regrole) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.grant_analyst(role regrole, org_id bigint DEFAULT NULL, acts_as text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._bind(role, 'analyst', acts_as, crm_bridge._own_org(org_id));
  PERFORM crm_bridge._grant(role, false, crm_bridge._readable(), ARRAY['explain_sync', 'record_at', 'changes_since', 'related_list', 'current_org', 'setting_value', '_own_org', 'calling_role', '_crm_details_org',
    '_clock', '_request_of', '_forecast', '_limit_in_force', '_published_limit']);
  -- Mails speak of records and of people: not for every app.
  PERFORM crm_bridge._grant(role, false, ARRAY['notification', 'notifications'], ARRAY['preview_notification']);
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_analyst(regrole, bigint, text) IS 'lets a role read an organization''s mirrors and views';
REVOKE ALL ON FUNCTION crm_bridge.grant_analyst(regrole, bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.grant_app(role regrole, org_id bigint DEFAULT NULL, acts_as text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._bind(role, 'app', acts_as, crm_bridge._own_org(org_id));
  PERFORM crm_bridge._grant(role, false, crm_bridge._readable(), ARRAY['explain_sync', 'record_at', 'changes_since', 'related_list', 'pending_changes', 'create_project_from_deal', 'create_project_from_lead', 'create_project_from_account', 'create_project_from_company', 'resolve_conflict',
    'add_task_to_crm', 'task_link_targets', 'act_as', '_crm_details_org', 'current_org', 'new_id', 'setting_value', '_own_org', 'calling_role', 'wait_for_command',
    '_clock', '_request_of', '_forecast', '_limit_in_force', '_published_limit']);
  PERFORM crm_bridge._grant(role, true,
    ARRAY(SELECT m.module FROM crm_bridge.module AS m WHERE m.updatable ORDER BY 1), '{}');
  PERFORM crm_bridge._grant(role, false, ARRAY['command'], '{}');
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_app(regrole, bigint, text) IS 'lets a role read and write an organization''s records';
REVOKE ALL ON FUNCTION crm_bridge.grant_app(regrole, bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.grant_administrator(role regrole, org_id bigint DEFAULT NULL, acts_as text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge.grant_app(role, org_id, acts_as);
  PERFORM crm_bridge._bind(role, 'administrator', acts_as, crm_bridge._own_org(org_id));
  PERFORM crm_bridge._grant(role, true, ARRAY['field_mapping', 'merge_policy', 'setting', 'budget_limit'],
    ARRAY['activate_projects', 'deactivate_projects', 'set_edition', 'refresh_portals', 'choose_portal', 'activate_bigin', 'deactivate_bigin', 'activate_office_directory', 'import_project_users', 'import_client_users', 'create_portal', 'use_shared_portal', 'mark_key_stale', 'resync', 'pause', 'resume', 'retry', 'set_automation', 'set_setting',
          'create_projects_from_won_deals', 'add_integration_field', 'remove_integration_field', 'map_field', 'unmap_field', 'confirm_field_mapping', 'discard_field_mapping', 'check_field_mapping', '_check_conversion', 'reconcile', 'record_merged', 'set_budget',
          'set_profile_permission', '_demand_administrator', 'match_clients', 'skip_client_matching', 'link_client', 'unlink_client', 'set_merge_policy', 'set_on_delete', 'approve_run', 'reject_run', 'undo_run', 'maintain']);
  PERFORM crm_bridge._grant(role, false, ARRAY['notification', 'notifications'], ARRAY['preview_notification', 'retry_notification', 'credential_status']);
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_administrator(regrole, bigint, text) IS 'lets a role set up and run an organization''s integrations';
REVOKE ALL ON FUNCTION crm_bridge.grant_administrator(regrole, bigint, text) FROM PUBLIC;

-- Takes a role's work for an organization from it; what it has for other organizations stays.  For a worker's role any
-- organization will do: all that it was granted goes.
CREATE OR REPLACE FUNCTION crm_bridge.revoke_role(role regrole, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  rest crm_bridge.role_binding;
BEGIN
  DELETE FROM crm_bridge.role_binding AS b USING pg_roles AS r
   WHERE b.org_id = org AND r.oid = revoke_role.role AND b.role = r.rolname;
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA crm_bridge FROM %s', role);
  EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA crm_bridge FROM %s', role);
  EXECUTE format('REVOKE ALL ON SCHEMA crm_bridge FROM %s', role);
  FOR rest IN SELECT b.* FROM crm_bridge.role_binding AS b JOIN pg_roles AS r ON r.rolname = b.role
               WHERE r.oid = revoke_role.role ORDER BY b.org_id LOOP
    CASE rest.kind
      WHEN 'analyst' THEN PERFORM crm_bridge.grant_analyst(role, rest.org_id);
      WHEN 'app' THEN PERFORM crm_bridge.grant_app(role, rest.org_id);
      ELSE PERFORM crm_bridge.grant_administrator(role, rest.org_id);
    END CASE;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge.revoke_role(regrole, bigint) IS 'takes a role''s work for an organization from it';
REVOKE ALL ON FUNCTION crm_bridge.revoke_role(regrole, bigint) FROM PUBLIC;
