-- Services beside the CRM and Projects: switched on as a whole, without a portal to choose.

-- Sets a service's integration active.  Errors: 55000 it is active already.
CREATE OR REPLACE FUNCTION crm_bridge._activate_service(service text, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO crm_bridge.integration AS i (org_id, service, state, activated_at, activated_by)
  VALUES (_activate_service.org_id, _activate_service.service, 'active', now(), crm_bridge.calling_role())
  ON CONFLICT ON CONSTRAINT integration_key DO UPDATE
     SET state = 'active', activated_at = EXCLUDED.activated_at, activated_by = EXCLUDED.activated_by
   WHERE i.state IN ('off', 'configuring');
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the integration with service "%s" is active already', service);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._activate_service(text, bigint) IS 'sets the integration with a service active';
REVOKE ALL ON FUNCTION crm_bridge._activate_service(text, bigint) FROM PUBLIC;

-- Raises 55000 unless the integration with the service is active.
CREATE OR REPLACE FUNCTION crm_bridge._demand_service(service text, org_id bigint)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_state text;
BEGIN
  SELECT i.state INTO found_state FROM crm_bridge.integration AS i
   WHERE i.org_id = _demand_service.org_id AND i.service = _demand_service.service;
  IF found_state IS DISTINCT FROM 'active' THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the integration with service "%s" is not active', service),
      DETAIL = format('Its state is %s.', COALESCE(found_state, 'off')),
      HINT = 'The state of every service is in crm_bridge.integration_overview.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._demand_service(text, bigint) IS 'raises 55000 unless the integration with a service is active';
REVOKE ALL ON FUNCTION crm_bridge._demand_service(text, bigint) FROM PUBLIC;

-- The portal that the organization works in.  Errors: 55000 Projects is not active.
CREATE OR REPLACE FUNCTION crm_bridge._portal_in_use(org_id bigint)
RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT i.portal_id FROM crm_bridge.integration AS i
                    WHERE i.org_id = _portal_in_use.org_id AND i.service = 'zoho_projects' AND i.state = 'stopped'),
                  (SELECT i.portal_id FROM crm_bridge.integration AS i, crm_bridge._demand_service('zoho_projects', _portal_in_use.org_id)
                    WHERE i.org_id = _portal_in_use.org_id AND i.service = 'zoho_projects'));
END
$$;
COMMENT ON FUNCTION crm_bridge._portal_in_use(bigint) IS 'the portal that the organization works in; 55000 while Projects is not active';
REVOKE ALL ON FUNCTION crm_bridge._portal_in_use(bigint) FROM PUBLIC;

-- Lets the directory of the Office 365 tenant be read (R142).  Its credential is stored with "crm-bridge seal --service office365".
-- Result: the command of the first reading.  Errors: 55000 it is active already.
CREATE OR REPLACE FUNCTION crm_bridge.activate_office_directory(org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  PERFORM crm_bridge._activate_service('office365', org);
  RETURN crm_bridge._request_command('office365', 'initial_sync', '{}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.activate_office_directory(bigint) IS 'lets the users of the Office 365 tenant be read (R142); returns the command of the first reading';
REVOKE ALL ON FUNCTION crm_bridge.activate_office_directory(bigint) FROM PUBLIC;
