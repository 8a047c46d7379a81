-- Who may what.  The extension makes no roles; an administrator grants these sets to his own.

CREATE OR REPLACE FUNCTION crm_bridge._bind(role regrole, kind text, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM 1 FROM crm_bridge.organization AS o WHERE o.org_id = _bind.org_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('organization %s does not exist', org_id),
      HINT = 'Make it with crm_bridge.create_organization().';
  END IF;
  INSERT INTO crm_bridge.role_binding (org_id, role, kind)
  SELECT _bind.org_id, r.rolname, _bind.kind FROM pg_roles AS r WHERE r.oid = _bind.role
  ON CONFLICT ON CONSTRAINT role_binding_key DO UPDATE SET kind = EXCLUDED.kind;
  EXECUTE format('GRANT USAGE ON SCHEMA crm_bridge TO %s', role);
END
$$;
COMMENT ON FUNCTION crm_bridge._bind(regrole, text, bigint) IS 'notes that a role works for an organization';
REVOKE ALL ON FUNCTION crm_bridge._bind(regrole, text, bigint) FROM PUBLIC;

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

-- The names of what analysts may read: mirrors, views and catalogs; no machinery, no secret.
CREATE OR REPLACE FUNCTION crm_bridge._readable()
RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(SELECT m.module FROM crm_bridge.module AS m ORDER BY 1)
    || ARRAY['module', 'standard_field', 'capability', 'organization', 'integration', 'service_field', 'pairing', 'field_mapping', 'merge_policy',
             'automation', 'setting', 'shadow', 'link', 'reconcile_request', 'delivery', 'run', 'conflict', 'refusal', 'history',
             'history_default', 'module_fields', 'sync_backlog', 'integration_overview', 'dead_letters', 'open_conflicts',
             'link_status', 'project_progress', 'account_projects', 'record_history', 'budget', 'budget_limit', 'budget_use', 'budget_place',
             'quota_status', 'webhook_channel'];
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
    'receive', 'reconcile_backlog', 'reconcile', 'store_notice', 'note_unlisted', 'next_records', 'notice_backlog', 'take_notices', 'finish_notices', 'read_cursor',
    'save_cursor', 'start_run', 'report_progress', 'finish_run', 'worker_organizations', 'worker_fields', 'known_external_ids', 'next_command', 'finish_command',
    'store_fields', 'store_capabilities', 'sealed_credential', 'store_credential', 'current_org', 'new_id', 'take_budget', 'rest_budget', 'take_places',
    'next_channel_step', 'record_channel']);
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_worker(regrole) IS 'lets a role be the worker: the protocol''s functions and nothing else';
REVOKE ALL ON FUNCTION crm_bridge.grant_worker(regrole) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.grant_analyst(role regrole, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._bind(role, 'analyst', crm_bridge._own_org(org_id));
  PERFORM crm_bridge._grant(role, false, crm_bridge._readable(), ARRAY['explain_sync', 'current_org', 'setting_value', '_own_org', 'calling_role',
    '_clock', '_request_of', '_forecast', '_limit_in_force', '_published_limit']);
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_analyst(regrole, bigint) IS 'lets a role read an organization''s mirrors and views';
REVOKE ALL ON FUNCTION crm_bridge.grant_analyst(regrole, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.grant_app(role regrole, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._bind(role, 'app', crm_bridge._own_org(org_id));
  PERFORM crm_bridge._grant(role, false, crm_bridge._readable(), ARRAY['explain_sync', 'pending_changes', 'create_project_from_deal',
    'create_project_from_company', 'add_task_to_crm', 'current_org', 'new_id', 'setting_value', '_own_org', 'calling_role', 'wait_for_command',
    '_clock', '_request_of', '_forecast', '_limit_in_force', '_published_limit']);
  PERFORM crm_bridge._grant(role, true,
    ARRAY(SELECT m.module FROM crm_bridge.module AS m WHERE m.updatable ORDER BY 1), '{}');
  PERFORM crm_bridge._grant(role, false, ARRAY['command'], '{}');
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_app(regrole, bigint) IS 'lets a role read and write an organization''s records';
REVOKE ALL ON FUNCTION crm_bridge.grant_app(regrole, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.grant_administrator(role regrole, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge.grant_app(role, org_id);
  PERFORM crm_bridge._bind(role, 'administrator', crm_bridge._own_org(org_id));
  PERFORM crm_bridge._grant(role, true, ARRAY['field_mapping', 'merge_policy', 'setting', 'budget_limit'],
    ARRAY['activate_projects', 'refresh_portals', 'choose_portal', 'resync', 'pause', 'resume', 'activate_bigin', 'deactivate_bigin', 'activate_office_directory', 'import_project_users', 'import_client_users',
          'retry', 'set_automation', 'set_setting',
          'create_projects_from_won_deals', 'map_field', 'unmap_field', '_check_conversion', 'reconcile', 'record_merged', 'set_budget']);
END
$$;
COMMENT ON FUNCTION crm_bridge.grant_administrator(regrole, bigint) IS 'lets a role set up and run an organization''s integrations';
REVOKE ALL ON FUNCTION crm_bridge.grant_administrator(regrole, bigint) FROM PUBLIC;
