-- The other face of a record, and what a new project takes over from an account.

-- Writes a new record of a module from its fields, the custom ones among them.
CREATE OR REPLACE FUNCTION crm_bridge._make_record(module text, id uuid, fields jsonb, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  custom jsonb;
BEGIN
  SELECT COALESCE(jsonb_object_agg(f.field, fields -> f.field), '{}') INTO custom
    FROM crm_bridge.service_field AS f
   WHERE f.org_id = _make_record.org_id AND f.module = _make_record.module AND f.custom AND fields ? f.field;
  -- A generated column takes no value, not even its own.
  EXECUTE format('INSERT INTO crm_bridge.%I (%s) SELECT %2$s FROM jsonb_populate_record(NULL::crm_bridge.%1$I, $1)', module,
                 (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a
                   WHERE a.attrelid = format('crm_bridge.%I', module)::regclass
                     AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''))
    USING fields || jsonb_build_object('org_id', org_id, 'id', id, 'custom_fields', custom, 'origin', 'app',
                                       'created_at', now(), 'modified_at', now());
END
$$;
COMMENT ON FUNCTION crm_bridge._make_record(text, uuid, jsonb, bigint) IS 'writes a new record of a module from its fields';
REVOKE ALL ON FUNCTION crm_bridge._make_record(text, uuid, jsonb, bigint) FROM PUBLIC;

-- Makes a record of the right module as the twin of one of the left, with the mapped fields filled (R27), and links the two.
-- "more" stands above the mapped fields, "less" below them.
CREATE OR REPLACE FUNCTION crm_bridge._make_twin(pairing text, side text, record_id uuid, more jsonb, org_id bigint, less jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  twin uuid := crm_bridge.new_id();
  target text;
BEGIN
  SELECT CASE side WHEN 'left' THEN p.right_module ELSE p.left_module END INTO target
    FROM crm_bridge.pairing AS p WHERE p.org_id = _make_twin.org_id AND p.pairing = _make_twin.pairing;
  -- The link first: what watches for new records sees that this one has its twin.
  INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
  VALUES (_make_twin.org_id, _make_twin.pairing,
          CASE side WHEN 'left' THEN record_id ELSE twin END, CASE side WHEN 'left' THEN twin ELSE record_id END);
  PERFORM crm_bridge._make_record(target, twin,
            less || crm_bridge._mapped_fields(pairing, side, record_id, org_id) || jsonb_strip_nulls(more), org_id);
  RETURN twin;
END
$$;
COMMENT ON FUNCTION crm_bridge._make_twin(text, text, uuid, jsonb, bigint, jsonb) IS 'makes and links the other face of a record';
REVOKE ALL ON FUNCTION crm_bridge._make_twin(text, text, uuid, jsonb, bigint, jsonb) FROM PUBLIC;

-- What an account gives to a project that is made for it, for a deal of it or for its client (R25): the mappings of pairing
-- account_project.  Nothing without an account.
CREATE OR REPLACE FUNCTION crm_bridge._fields_of_account(account_id uuid, org_id bigint)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Most organizations map none: then the account is not read.  A deal may name an account that has not been read yet.
  IF account_id IS NULL
     OR NOT EXISTS (SELECT 1 FROM crm_bridge.field_mapping AS f JOIN crm_bridge.pairing AS p ON p.org_id = f.org_id AND p.pairing = f.pairing
                     WHERE f.org_id = _fields_of_account.org_id AND f.pairing = 'account_project' AND f.in_force AND p.enabled)
     OR NOT EXISTS (SELECT 1 FROM crm_bridge.crm_account AS a WHERE a.org_id = _fields_of_account.org_id AND a.id = account_id) THEN
    RETURN '{}';
  END IF;
  RETURN crm_bridge._mapped_fields('account_project', 'left', account_id, org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._fields_of_account(uuid, bigint) IS 'what an account gives to a new project (R25)';
REVOKE ALL ON FUNCTION crm_bridge._fields_of_account(uuid, bigint) FROM PUBLIC;
