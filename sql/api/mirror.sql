-- What all mirrors have in common: triggers, the comments of their columns, the check of origin.

CREATE OR REPLACE FUNCTION crm_bridge.guard()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'crm_bridge_guard';
COMMENT ON FUNCTION crm_bridge.guard() IS 'before each row of a mirror: may it be written, and who wrote it';
REVOKE ALL ON FUNCTION crm_bridge.guard() FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.capture()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'crm_bridge_capture';
COMMENT ON FUNCTION crm_bridge.capture() IS
  'after each statement on a mirror: history, the twins over the links, and what the service lacks';
REVOKE ALL ON FUNCTION crm_bridge.capture() FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.refuse_truncate()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'crm_bridge_refuse_truncate';
COMMENT ON FUNCTION crm_bridge.refuse_truncate() IS 'mirrors are not truncated: nobody could tell the service what is gone';
REVOKE ALL ON FUNCTION crm_bridge.refuse_truncate() FROM PUBLIC;

DO $mirrors$
DECLARE
  mirror record;
  field record;
BEGIN
  FOR mirror IN SELECT m.module FROM crm_bridge.module AS m ORDER BY m.service, m.position LOOP
    EXECUTE format('ALTER TABLE crm_bridge.%I ADD CONSTRAINT %I CHECK (origin IN (''app'', ''service'', ''bridge'', ''import'', ''mass_update''))',
                   mirror.module, mirror.module || '_origin_known');
    -- Names sort before what an app may add, so that its own triggers see rows that are permitted and stamped.
    EXECUTE format('CREATE TRIGGER "0_guard" BEFORE INSERT OR UPDATE OR DELETE ON crm_bridge.%I FOR EACH ROW EXECUTE FUNCTION crm_bridge.guard(%L)',
                   mirror.module, mirror.module);
    EXECUTE format('CREATE TRIGGER "0_capture_insert" AFTER INSERT ON crm_bridge.%I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge.capture(%L)',
                   mirror.module, mirror.module);
    EXECUTE format('CREATE TRIGGER "0_capture_update" AFTER UPDATE ON crm_bridge.%I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge.capture(%L)',
                   mirror.module, mirror.module);
    EXECUTE format('CREATE TRIGGER "0_capture_delete" AFTER DELETE ON crm_bridge.%I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge.capture(%L)',
                   mirror.module, mirror.module);
    EXECUTE format('CREATE TRIGGER "0_refuse_truncate" BEFORE TRUNCATE ON crm_bridge.%I FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge.refuse_truncate(%L)',
                   mirror.module, mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.org_id IS ''the organization''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.id IS ''our id, for life''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.external_id IS ''the service''''s id; empty until the service has the record''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.custom_fields IS ''the organization''''s own fields: API name → value''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.origin IS ''where the last change came from: app, service, bridge, import or mass_update''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.created_at IS ''when the record was made''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.modified_at IS ''when it was changed last''', mirror.module);
    EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.modified_by IS ''who changed it last: a role here, a person there''', mirror.module);
    FOR field IN SELECT f.field, f.description FROM crm_bridge.standard_field AS f WHERE f.module = mirror.module LOOP
      EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.%I IS %L', mirror.module, field.field, field.description);
    END LOOP;
  END LOOP;
  FOR field IN SELECT a.attname AS field, col_description('crm_bridge.history'::regclass, a.attnum) AS description
                 FROM pg_attribute AS a
                WHERE a.attrelid = 'crm_bridge.history'::regclass AND a.attnum > 0 LOOP
    EXECUTE format('COMMENT ON COLUMN crm_bridge.history_default.%I IS %L', field.field, field.description);
  END LOOP;
  FOR mirror IN SELECT unnest(ARRAY['installation', 'organization', 'role_binding', 'integration', 'service_field',
                                    'pairing', 'field_mapping', 'merge_policy', 'setting', 'automation']) AS module LOOP
    EXECUTE format('CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON crm_bridge.%I FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge._configuration_changed()',
                   mirror.module);
  END LOOP;
END
$mirrors$;
