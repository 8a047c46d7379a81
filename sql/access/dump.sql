-- Configuration belongs to an organization, mappings and links to a pairing.  No foreign key says so: pg_restore with several
-- jobs loads an extension's tables in any order, and keys that are there from the start would refuse them.
CREATE OR REPLACE FUNCTION crm_bridge._demand_parent()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Not every table that this serves has such a column.
  wanted text := to_jsonb(NEW) ->> 'pairing';
BEGIN
  -- A restore: what belongs together was together when it was dumped.
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.installation) THEN
    RETURN NULL;
  END IF;
  IF TG_ARGV[0] = 'organization' THEN
    PERFORM 1 FROM crm_bridge.organization AS o WHERE o.org_id = NEW.org_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = format('organization %s does not exist', NEW.org_id),
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, HINT = 'Make it with crm_bridge.create_organization().';
    END IF;
  ELSE
    PERFORM 1 FROM crm_bridge.pairing AS p WHERE p.org_id = NEW.org_id AND p.pairing = wanted;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = format('pairing "%s" does not exist in organization %s', wanted, NEW.org_id),
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, HINT = 'The pairings are listed in crm_bridge.pairing.';
    END IF;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._demand_parent() IS 'refuses configuration of an organization, mappings and links of a pairing that does not exist';
REVOKE ALL ON FUNCTION crm_bridge._demand_parent() FROM PUBLIC;

DO $parents$
DECLARE
  child record;
BEGIN
  FOR child IN SELECT unnest(ARRAY['integration', 'role_binding', 'setting', 'automation', 'credential', 'service_field', 'pairing', 'budget_limit', 'profile_permission', 'integration_field',
                                   'merge_policy', 'cursor', 'run', 'command', 'client_matching']) AS name, 'organization' AS parent
               UNION ALL SELECT 'field_mapping', 'pairing' LOOP
    EXECUTE format('CREATE TRIGGER demand_parent AFTER INSERT OR UPDATE OF org_id%s ON crm_bridge.%I FOR EACH ROW EXECUTE FUNCTION crm_bridge._demand_parent(%L)',
                   CASE child.parent WHEN 'pairing' THEN ', pairing' ELSE '' END, child.name, child.parent);
  END LOOP;
END
$parents$;

-- A matching makes a million links in one statement: they are looked at together.
CREATE OR REPLACE FUNCTION crm_bridge._demand_pairing_of_links()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  orphan record;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.installation) THEN
    RETURN NULL;
  END IF;
  SELECT n.org_id, n.pairing INTO orphan FROM new_rows AS n
   WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.pairing AS p WHERE p.org_id = n.org_id AND p.pairing = n.pairing AND p.links) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = format('pairing "%s" does not exist in organization %s, or makes no links', orphan.pairing, orphan.org_id),
      SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, HINT = 'The pairings are listed in crm_bridge.pairing.';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._demand_pairing_of_links() IS 'refuses links of a pairing that does not exist, all of a statement at once';
REVOKE ALL ON FUNCTION crm_bridge._demand_pairing_of_links() FROM PUBLIC;
CREATE TRIGGER demand_parent AFTER INSERT ON crm_bridge.link REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge._demand_pairing_of_links();
CREATE TRIGGER demand_parent_of_changed AFTER UPDATE OF org_id, pairing ON crm_bridge.link
  FOR EACH ROW EXECUTE FUNCTION crm_bridge._demand_parent('pairing');

-- What a dump keeps: every organization's rows; not the installation's identity, not the catalogs that this script fills.
DO $dump$
DECLARE
  kept record;
BEGIN
  FOR kept IN SELECT c.oid::regclass AS name FROM pg_class AS c
               WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind = 'r'
                 AND c.relname NOT IN ('installation', 'module', 'standard_field', 'capability', 'known_setting', 'lease', 'message_text') ORDER BY c.relname LOOP
    PERFORM pg_catalog.pg_extension_config_dump(kept.name, '');
  END LOOP;
END
$dump$;
