-- People who are brought to Projects.

-- Asks the worker to add people to the portal.  Arguments: their e-mail addresses; role, of those who are new (R33).
-- Whoever is a user of the portal already keeps the role that he has (R34).  Result: how many are asked for.
CREATE OR REPLACE FUNCTION crm_bridge._provision_users(org_id bigint, emails text[], role text DEFAULT 'Employee')
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted text[];
BEGIN
  wanted := ARRAY(SELECT DISTINCT lower(e) FROM unnest(_provision_users.emails) AS e
                   WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.projects_user AS p
                                      WHERE p.org_id = _provision_users.org_id AND lower(p.email) = lower(e))
                     AND NOT EXISTS (SELECT 1 FROM crm_bridge.command AS c
                                      WHERE c.org_id = _provision_users.org_id AND c.kind = 'import_project_users'
                                        AND c.finished_at IS NULL AND c.arguments -> 'emails' ? lower(e))
                   ORDER BY 1);
  IF cardinality(wanted) > 0 THEN
    PERFORM crm_bridge._request_command('zoho_projects', 'import_project_users',
              jsonb_build_object('emails', to_jsonb(wanted), 'role', _provision_users.role), _provision_users.org_id);
  END IF;
  RETURN cardinality(wanted);
END
$$;
COMMENT ON FUNCTION crm_bridge._provision_users(bigint, text[], text) IS 'asks the worker to add people to the portal; those who are there stay as they are (R34)';
REVOKE ALL ON FUNCTION crm_bridge._provision_users(bigint, text[], text) FROM PUBLIC;
