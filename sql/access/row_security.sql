-- Row security: whoever is granted a table sees and writes the rows of his own organization only.  Enabled, never forced
-- (scale-out rule 19); plain expressions on columns of the row (rule 20).  Machinery tables have no policy for apps: they have
-- no grant on them.
DO $security$
DECLARE
  tenant record;
BEGIN
  FOR tenant IN SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'org_id'
                 WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname LOOP
    EXECUTE format('ALTER TABLE crm_bridge.%I ENABLE ROW LEVEL SECURITY', tenant.relname);
    IF tenant.relname <> 'credential' THEN
      EXECUTE format('CREATE POLICY %I ON crm_bridge.%I USING (org_id OPERATOR(pg_catalog.=) crm_bridge.current_org())',
                     tenant.relname || '_of_own_organization', tenant.relname);
    END IF;
  END LOOP;
END
$security$;
