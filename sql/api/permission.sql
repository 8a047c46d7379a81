-- The profiles' flags (R30-R36): setting them, and the people who come to Projects with them.

-- Sets or clears flags of a profile (R35); all its users are added to Projects as "Employee" (R32, R33).
-- Arguments: profile, its id, external id or name; the flags, NULL leaves one as it is.
-- Result: how many users Projects is asked to add.
-- Errors: 42501 not an administrator; 42704 no such profile; 21000 several of that name.  In force from the next statement on.
CREATE OR REPLACE FUNCTION crm_bridge.set_profile_permission(
  profile      text,
  tab_visible  boolean DEFAULT NULL,
  can_view     boolean DEFAULT NULL,
  can_create   boolean DEFAULT NULL,
  can_edit     boolean DEFAULT NULL,
  can_delete   boolean DEFAULT NULL,
  org_id       bigint  DEFAULT NULL
)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(set_profile_permission.org_id);
  wanted text := set_profile_permission.profile;
  found_ids uuid[];
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  found_ids := ARRAY(SELECT p.id FROM crm_bridge.crm_profile AS p
                      WHERE p.org_id = org AND (p.id::text = lower(wanted) OR p.external_id = wanted OR p.name = wanted));
  IF cardinality(found_ids) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('profile "%s" does not exist', wanted),
      HINT = 'The profiles are listed in crm_bridge.permission_matrix.';
  ELSIF cardinality(found_ids) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = '21000', MESSAGE = format('there are %s profiles named "%s"', cardinality(found_ids), wanted),
      HINT = 'Give the id.';
  END IF;
  -- What an administrators' profile may without a row, it keeps when one flag of it is set.
  INSERT INTO crm_bridge.profile_permission AS f (org_id, profile_id, tab_visible, can_view, can_create, can_edit, can_delete)
  SELECT org, found_ids[1],
         COALESCE(set_profile_permission.tab_visible, a.administers), COALESCE(set_profile_permission.can_view, a.administers),
         COALESCE(set_profile_permission.can_create, a.administers), COALESCE(set_profile_permission.can_edit, a.administers),
         COALESCE(set_profile_permission.can_delete, a.administers)
    FROM crm_bridge._administers(found_ids[1], org) AS a (administers)
  ON CONFLICT ON CONSTRAINT profile_permission_key DO UPDATE
     SET tab_visible = COALESCE(set_profile_permission.tab_visible, f.tab_visible),
         can_view = COALESCE(set_profile_permission.can_view, f.can_view),
         can_create = COALESCE(set_profile_permission.can_create, f.can_create),
         can_edit = COALESCE(set_profile_permission.can_edit, f.can_edit),
         can_delete = COALESCE(set_profile_permission.can_delete, f.can_delete),
         changed_at = now(), changed_by = crm_bridge.calling_role();
  RETURN crm_bridge._provision_permitted(found_ids[1], org, true);
END
$$;
COMMENT ON FUNCTION crm_bridge.set_profile_permission(text, boolean, boolean, boolean, boolean, boolean, bigint) IS
  'sets or clears flags of a CRM profile (R31, R35) and adds its users to Projects (R32)';
REVOKE ALL ON FUNCTION crm_bridge.set_profile_permission(text, boolean, boolean, boolean, boolean, boolean, bigint) FROM PUBLIC;

-- Whether a profile is one of administrators (setting administrator_profiles, by name).
CREATE OR REPLACE FUNCTION crm_bridge._administers(profile_id uuid, org_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (
    SELECT 1 FROM crm_bridge.crm_profile AS p
     CROSS JOIN LATERAL jsonb_array_elements_text(COALESCE(
             (SELECT s.value FROM crm_bridge.setting AS s
               WHERE s.org_id = p.org_id AND s.name = 'administrator_profiles'), '["Administrator"]')) AS a (name)
     WHERE p.org_id = _administers.org_id AND p.id = _administers.profile_id AND lower(p.name) = lower(a.name));
END
$$;
COMMENT ON FUNCTION crm_bridge._administers(uuid, bigint) IS 'whether a profile is one of administrators';
REVOKE ALL ON FUNCTION crm_bridge._administers(uuid, bigint) FROM PUBLIC;

-- Adds the users of a profile, or of all profiles that were saved, to Projects (R32).  Before there is a portal nobody is
-- added; they are when there is one.  With "report" the administrators are told what became of it.  Result: how many are asked for.
CREATE OR REPLACE FUNCTION crm_bridge._provision_permitted(profile_id uuid, org_id bigint, report boolean)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  emails text[];
BEGIN
  emails := ARRAY(
    SELECT DISTINCT lower(u.email) FROM crm_bridge.crm_user AS u
      JOIN crm_bridge.profile_permission AS f ON f.org_id = u.org_id AND f.profile_id = u.profile_id
     WHERE u.org_id = _provision_permitted.org_id AND COALESCE(u.status, 'active') = 'active' AND u.email <> ''
       AND (_provision_permitted.profile_id IS NULL OR u.profile_id = _provision_permitted.profile_id)
       AND EXISTS (SELECT 1 FROM crm_bridge.integration AS i
                    WHERE i.org_id = u.org_id AND i.service = 'zoho_projects' AND i.state IN ('active', 'stopped'))
       -- R34: whoever is there keeps the role that he has.
       AND NOT EXISTS (SELECT 1 FROM crm_bridge.projects_user AS p
                        WHERE p.org_id = u.org_id AND lower(p.email) = lower(u.email))
     ORDER BY 1);
  IF cardinality(emails) > 0 THEN
    PERFORM crm_bridge._provision_users(_provision_permitted.org_id, emails);
    IF report THEN
      INSERT INTO crm_bridge.run (org_id, kind, service, module, expected, facts)
      SELECT _provision_permitted.org_id, 'provisioning', 'zoho_projects', 'projects_user', cardinality(emails),
             jsonb_build_object('profile', s.names, 'emails', emails, 'left_out', s.left_out)
        FROM crm_bridge._saved_profiles(profile_id, org_id) AS s;
    END IF;
  END IF;
  RETURN cardinality(emails);
END
$$;
COMMENT ON FUNCTION crm_bridge._provision_permitted(uuid, bigint, boolean) IS 'adds the users of a profile to Projects (R32)';
REVOKE ALL ON FUNCTION crm_bridge._provision_permitted(uuid, bigint, boolean) FROM PUBLIC;

-- Whoever joins a profile that was saved comes to Projects too.
CREATE OR REPLACE FUNCTION crm_bridge._provision_joined()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A restore loads rows: whoever they are about was added where they were written.
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.installation) THEN
    RETURN NULL;
  ELSIF EXISTS (SELECT 1 FROM crm_bridge.profile_permission AS f WHERE f.org_id = NEW.org_id AND f.profile_id = NEW.profile_id) THEN
    PERFORM crm_bridge._provision_permitted(NEW.profile_id, NEW.org_id, false);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._provision_joined() IS 'whoever joins a profile that may work with Projects is added there';
REVOKE ALL ON FUNCTION crm_bridge._provision_joined() FROM PUBLIC;

-- All of them come when there is a portal at last.
CREATE OR REPLACE FUNCTION crm_bridge._provision_portal()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._provision_permitted(NULL, NEW.org_id, true);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._provision_portal() IS 'when there is a portal, the users of all saved profiles are added to it';
REVOKE ALL ON FUNCTION crm_bridge._provision_portal() FROM PUBLIC;

CREATE TRIGGER "2_provision_joined" AFTER INSERT ON crm_bridge.crm_user
  FOR EACH ROW WHEN (NEW.profile_id IS NOT NULL) EXECUTE FUNCTION crm_bridge._provision_joined();
CREATE TRIGGER "2_provision_changed" AFTER UPDATE OF profile_id, email, status ON crm_bridge.crm_user
  FOR EACH ROW WHEN ((OLD.profile_id, OLD.email, OLD.status) IS DISTINCT FROM (NEW.profile_id, NEW.email, NEW.status))
  EXECUTE FUNCTION crm_bridge._provision_joined();
CREATE TRIGGER provision_permitted AFTER UPDATE OF state, portal_id ON crm_bridge.integration
  FOR EACH ROW WHEN (NEW.service = 'zoho_projects' AND NEW.state = 'active'
                     AND (OLD.state NOT IN ('active', 'stopped') OR OLD.portal_id IS DISTINCT FROM NEW.portal_id))
  EXECUTE FUNCTION crm_bridge._provision_portal();
