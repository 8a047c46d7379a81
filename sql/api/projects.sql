-- The Projects integration: activation, portal, reading again, pause and resume.

-- Begins the set-up (R3).  Result: the command that reads the portals; CALL wait_for_command(…) waits for it.
-- Errors: 55000 it is active already.
CREATE OR REPLACE FUNCTION crm_bridge.activate_projects(org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  UPDATE crm_bridge.integration AS i SET state = 'configuring'
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state IN ('off', 'configuring');
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is active already',
      HINT = 'choose_portal() chooses another portal only after the integration was switched off.';
  END IF;
  RETURN crm_bridge._request_command('zoho_projects', 'refresh_portals', '{}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.activate_projects(bigint) IS 'begins the set-up of the integration with Projects (R3); returns the command that reads the portals';
REVOKE ALL ON FUNCTION crm_bridge.activate_projects(bigint) FROM PUBLIC;

-- Asks the worker to read the portals again.  Result: the command's id.
CREATE OR REPLACE FUNCTION crm_bridge.refresh_portals(org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(org_id));
  RETURN crm_bridge._request_command('zoho_projects', 'refresh_portals', '{}', crm_bridge._own_org(org_id));
END
$$;
COMMENT ON FUNCTION crm_bridge.refresh_portals(bigint) IS 'asks the worker to read the portals again';
REVOKE ALL ON FUNCTION crm_bridge.refresh_portals(bigint) FROM PUBLIC;

-- Links the organization with a portal, one at a time (R6), and asks for all its projects (R7).
-- Argument: the portal's external id or name.  Result: the command of the first reading.
-- Errors: 42704 no such portal; 21000 several of that name; 55000 not begun with activate_projects, or active already.
CREATE OR REPLACE FUNCTION crm_bridge.choose_portal(portal text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  found_ids uuid[];
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  found_ids := ARRAY(SELECT p.id FROM crm_bridge.projects_portal AS p
                      WHERE p.org_id = org AND (p.external_id = portal OR p.name = portal));
  IF cardinality(found_ids) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('portal "%s" does not exist', portal),
      HINT = 'The portals are listed in crm_bridge.projects_portal; refresh_portals() reads them again.';
  ELSIF cardinality(found_ids) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = '21000', MESSAGE = format('there are %s portals named "%s"', cardinality(found_ids), portal),
      HINT = 'Give the external id.';
  END IF;
  UPDATE crm_bridge.integration AS i
     SET state = 'active', portal_id = found_ids[1], activated_at = now(), activated_by = crm_bridge.calling_role()
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'configuring';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is not being set up',
      HINT = 'Begin with crm_bridge.activate_projects().';
  END IF;
  RETURN crm_bridge._request_command('zoho_projects', 'initial_sync', '{}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.choose_portal(text, bigint) IS 'links the organization with a portal (R6) and reads all of it (R7); returns the command of the first reading';
REVOKE ALL ON FUNCTION crm_bridge.choose_portal(text, bigint) FROM PUBLIC;

-- Reads a module, or all of a service, again.  Result: the command's id.  Errors: 42704 unknown module.
CREATE OR REPLACE FUNCTION crm_bridge.resync(module text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  of_service text;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  SELECT m.service INTO of_service FROM crm_bridge.module AS m WHERE m.module = resync.module;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" does not exist', module),
      HINT = 'The modules are listed in crm_bridge.module.';
  END IF;
  RETURN crm_bridge._request_command(of_service, 'initial_sync', jsonb_build_object('modules', jsonb_build_array(module)), org);
END
$$;
COMMENT ON FUNCTION crm_bridge.resync(text, bigint) IS 'reads all records of a module again; returns the command''s id';
REVOKE ALL ON FUNCTION crm_bridge.resync(text, bigint) FROM PUBLIC;

-- Stops and resumes a service: nothing is sent or received meanwhile, nothing is lost.  Errors: 55000 it is in another state.
CREATE OR REPLACE FUNCTION crm_bridge.pause(service text, reason text DEFAULT 'paused', org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(pause.org_id));
  UPDATE crm_bridge.integration AS i SET state = 'stopped', stopped_since = now(), stopped_reason = pause.reason
   WHERE i.org_id = crm_bridge._own_org(pause.org_id) AND i.service = pause.service AND i.state = 'active';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('service "%s" is not active', service);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.pause(text, text, bigint) IS 'stops a service: nothing is sent or received, nothing is lost';
REVOKE ALL ON FUNCTION crm_bridge.pause(text, text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.resume(service text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(resume.org_id));
  UPDATE crm_bridge.integration AS i SET state = 'active', stopped_since = NULL, stopped_reason = NULL
   WHERE i.org_id = crm_bridge._own_org(resume.org_id) AND i.service = resume.service AND i.state = 'stopped';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('service "%s" is not stopped', service);
  END IF;
  PERFORM pg_notify('crm_bridge', 'delivery ' || resume.service);
END
$$;
COMMENT ON FUNCTION crm_bridge.resume(text, bigint) IS 'lets a stopped service go on';
REVOKE ALL ON FUNCTION crm_bridge.resume(text, bigint) FROM PUBLIC;
