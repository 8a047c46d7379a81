-- Mappings: which field feeds which.

-- The conversion that a mapping of these two fields would use, checked.  Raises 42804 naming both fields and their types if none fits.
CREATE OR REPLACE FUNCTION crm_bridge._check_conversion(
  pairing      text,
  left_field   text,
  right_field  text,
  conversion   text,
  parameters   jsonb,
  org_id       bigint
)
RETURNS text
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'crm_bridge_check_conversion';
COMMENT ON FUNCTION crm_bridge._check_conversion(text, text, text, text, jsonb, bigint) IS
  'the name of the conversion for two fields; 42804 if there is none that fits';
REVOKE ALL ON FUNCTION crm_bridge._check_conversion(text, text, text, text, jsonb, bigint) FROM PUBLIC;

-- The fields of the twin that a record's mapped fields give; side is where the record stands ('left' or 'right').
-- What cannot be expressed on the other side is left out.
CREATE OR REPLACE FUNCTION crm_bridge._mapped_fields(pairing text, side text, record_id uuid, org_id bigint)
RETURNS jsonb
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_mapped_fields';
COMMENT ON FUNCTION crm_bridge._mapped_fields(text, text, uuid, bigint) IS 'the fields that a twin of the record is made with (R27)';
REVOKE ALL ON FUNCTION crm_bridge._mapped_fields(text, text, uuid, bigint) FROM PUBLIC;

-- Maps a field of the pairing's left module to one of its right module, or changes an existing mapping.
-- Arguments: pairing (see crm_bridge.pairing), the two fields by their names in the mirrors (custom fields by their API
-- name), direction both | left_to_right | right_to_left, keep_in_step (D7: later changes follow), conversion (NULL: the one
-- that fits) with its parameters as an object of texts.
-- Result: the conversion's name.  Errors: 42704 unknown pairing or field; 42804 the types do not fit; 22023 a bad
-- direction, conversion or parameter; 428C9 the field to be written is read-only.  Source: R24-R28, D7.
CREATE OR REPLACE FUNCTION crm_bridge.map_field(
  pairing       text,
  left_field    text,
  right_field   text,
  direction     text    DEFAULT 'left_to_right',
  keep_in_step  boolean DEFAULT false,
  conversion    text    DEFAULT NULL,
  parameters    jsonb   DEFAULT '{}',
  org_id        bigint  DEFAULT NULL
)
RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  chosen text;
  read_only text;
BEGIN
  IF direction IS NULL OR direction NOT IN ('both', 'left_to_right', 'right_to_left') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('direction "%s" is not known', direction),
      HINT = 'Use both, left_to_right or right_to_left.';
  END IF;
  chosen := crm_bridge._check_conversion(pairing, left_field, right_field, conversion, parameters, org);
  SELECT format('"%s" of "%s"', f.field, f.module) INTO read_only
    FROM crm_bridge.pairing AS p
    JOIN crm_bridge.service_field AS f
      ON f.org_id = p.org_id
     AND ((f.module = p.right_module AND f.field = map_field.right_field AND direction <> 'right_to_left')
       OR (f.module = p.left_module AND f.field = map_field.left_field AND direction <> 'left_to_right'))
   WHERE p.org_id = org AND p.pairing = map_field.pairing AND NOT f.writable
   LIMIT 1;
  IF read_only IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '428C9', MESSAGE = format('field %s is read-only', read_only),
      DETAIL = 'The service takes no value for it.', HINT = 'Map it in the other direction only.';
  END IF;
  INSERT INTO crm_bridge.field_mapping (org_id, pairing, left_field, right_field, direction, keep_in_step, conversion, parameters)
  VALUES (org, map_field.pairing, map_field.left_field, map_field.right_field, map_field.direction,
          map_field.keep_in_step, chosen, map_field.parameters)
  ON CONFLICT ON CONSTRAINT field_mapping_key DO UPDATE
     SET direction = EXCLUDED.direction, keep_in_step = EXCLUDED.keep_in_step, conversion = EXCLUDED.conversion,
         parameters = EXCLUDED.parameters;
  RETURN chosen;
END
$$;
COMMENT ON FUNCTION crm_bridge.map_field(text, text, text, text, boolean, text, jsonb, bigint) IS
  'maps a field of one side to one of the other; checks that a conversion fits (R24-R28)';
REVOKE ALL ON FUNCTION crm_bridge.map_field(text, text, text, text, boolean, text, jsonb, bigint) FROM PUBLIC;

-- Ends a mapping.  Values stay as they are.  Errors: 42704 no such mapping.
CREATE OR REPLACE FUNCTION crm_bridge.unmap_field(
  pairing      text,
  left_field   text,
  right_field  text,
  org_id       bigint DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  DELETE FROM crm_bridge.field_mapping AS f
   WHERE f.org_id = org AND f.pairing = unmap_field.pairing
     AND f.left_field = unmap_field.left_field AND f.right_field = unmap_field.right_field;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704',
      MESSAGE = format('field "%s" is not mapped to "%s" in pairing "%s"', left_field, right_field, pairing),
      HINT = 'The mappings are listed in crm_bridge.field_mapping.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.unmap_field(text, text, text, bigint) IS 'ends a mapping; values stay as they are';
REVOKE ALL ON FUNCTION crm_bridge.unmap_field(text, text, text, bigint) FROM PUBLIC;

-- The pairings and mappings that an organization starts with, as the field's practice has them; all editable.
CREATE OR REPLACE FUNCTION crm_bridge._default_mappings(org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO crm_bridge.pairing (org_id, pairing, left_module, right_module, position, on_delete) VALUES
    (_default_mappings.org_id, 'account_client', 'crm_account', 'projects_client', 1, 'unlink'),
    (_default_mappings.org_id, 'deal_project', 'crm_deal', 'projects_project', 2, 'unlink'),
    (_default_mappings.org_id, 'task_task', 'crm_task', 'projects_task', 3, 'unlink'),
    (_default_mappings.org_id, 'client_company', 'projects_client', 'bigin_company', 4, 'unlink'),
    (_default_mappings.org_id, 'client_user_contact', 'projects_client_user', 'bigin_contact', 5, 'unlink');

  -- A client is made with the account's name and keeps its own afterwards: links survive renames (D6).
  PERFORM crm_bridge.map_field('account_client', 'account_name', 'name', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('account_client', 'phone', 'phone', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('account_client', 'website', 'website', org_id => _default_mappings.org_id);

  PERFORM crm_bridge.map_field('deal_project', 'deal_name', 'name', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('deal_project', 'description', 'description', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('deal_project', 'account_id', 'client_id', conversion => 'linked',
                               parameters => '{"pairing": "account_client"}', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('deal_project', 'closing_date', 'end_date', org_id => _default_mappings.org_id);

  -- The six fields of a task (R61-R66) and no other (R67).
  PERFORM crm_bridge.map_field('task_task', 'subject', 'name', 'both', true, org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('task_task', 'description', 'description', 'both', true, org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('task_task', 'due_date', 'end_date', 'both', true, org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('task_task', 'priority', 'priority', 'both', true, conversion => 'picklist', parameters =>
    '{"left:Highest": "high", "left:High": "high", "left:Normal": "medium", "left:Low": "low", "left:Lowest": "low",
      "left:": "none", "right:high": "high", "right:medium": "medium", "right:low": "low", "right:none": "none",
      "right:": "none", "left>high": "High", "left>medium": "Normal", "left>low": "Low", "right>none": "none"}',
    org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('task_task', 'status', 'is_completed', 'both', true, conversion => 'flag', parameters =>
    '{"true": "Completed", "false": "Not Started"}', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('task_task', 'owner_id', 'owner_ids', 'both', true, conversion => 'user_email',
                               org_id => _default_mappings.org_id);

  -- What both services have of a company and of a person (R132); any change follows (R133).
  PERFORM crm_bridge.map_field('client_company', f.left_field, f.right_field, 'both', true, org_id => _default_mappings.org_id)
    FROM (VALUES ('name', 'account_name'), ('phone', 'phone'), ('website', 'website')) AS f (left_field, right_field);
  PERFORM crm_bridge.map_field('client_user_contact', f.field, f.field, 'both', true, org_id => _default_mappings.org_id)
    FROM (VALUES ('first_name'), ('last_name'), ('email')) AS f (field);
  PERFORM crm_bridge.map_field('client_user_contact', 'client_id', 'account_id', 'both', true, conversion => 'linked',
                               parameters => '{"pairing": "client_company"}', org_id => _default_mappings.org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._default_mappings(bigint) IS 'the pairings and mappings that an organization starts with';
REVOKE ALL ON FUNCTION crm_bridge._default_mappings(bigint) FROM PUBLIC;
