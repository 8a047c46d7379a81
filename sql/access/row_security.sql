-- Row security: whoever is granted a table sees and writes the rows of his own organization only.  Enabled, never forced
-- (scale-out rule 19); plain expressions on columns of the row (rule 20).  Machinery tables have no policy for apps: they have
-- no grant on them.
-- The mirrors of Projects show their rows to those who have tab and View (R31, R36): _visible_org() is current_org() for them
-- and NULL for others, so it costs a scan nothing more.  What is noted elsewhere of records of Projects follows them.
DO $security$
DECLARE
  tenant record;
  subject name;
BEGIN
  FOR tenant IN SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'org_id'
                 WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname LOOP
    EXECUTE format('ALTER TABLE crm_bridge.%I ENABLE ROW LEVEL SECURITY', tenant.relname);
    CONTINUE WHEN tenant.relname = 'credential';
    IF EXISTS (SELECT 1 FROM crm_bridge.module AS m WHERE m.module = tenant.relname AND m.service = 'zoho_projects') THEN
      EXECUTE format('CREATE POLICY %I ON crm_bridge.%I USING (org_id OPERATOR(pg_catalog.=) crm_bridge._visible_org()) '
                     'WITH CHECK (org_id OPERATOR(pg_catalog.=) crm_bridge.current_org())',
                     tenant.relname || '_of_own_organization', tenant.relname);
    ELSE
      -- Configuration speaks of modules and pairings too, but holds no record's values.
      SELECT a.attname INTO subject FROM pg_attribute AS a
       WHERE a.attrelid = tenant.oid AND a.attname IN ('module', 'pairing') AND NOT a.attisdropped
         AND tenant.relname NOT IN ('service_field', 'pairing', 'field_mapping', 'integration_field', 'cursor', 'run', 'budget', 'budget_limit', 'budget_use',
                                    'budget_place', 'webhook_channel')
       ORDER BY 1 LIMIT 1;
      EXECUTE format('CREATE POLICY %I ON crm_bridge.%I USING (org_id OPERATOR(pg_catalog.=) crm_bridge.current_org()%s)',
                     tenant.relname || '_of_own_organization', tenant.relname, CASE WHEN FOUND THEN format(' AND crm_bridge._may_see(%I)', subject) END);
    END IF;
  END LOOP;
END
$security$;
