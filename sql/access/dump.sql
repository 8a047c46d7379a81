-- What a dump keeps: every organization's rows; not the installation's identity, not the catalogs that this script fills.
DO $dump$
DECLARE
  kept record;
BEGIN
  FOR kept IN SELECT c.oid::regclass AS name FROM pg_class AS c
               WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind = 'r'
                 AND c.relname NOT IN ('installation', 'module', 'standard_field', 'lease') ORDER BY c.relname LOOP
    PERFORM pg_catalog.pg_extension_config_dump(kept.name, '');
  END LOOP;
END
$dump$;
