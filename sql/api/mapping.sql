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
-- It acts when it has been confirmed with confirm_field_mapping() (R28).
-- Result: the conversion's name.  Errors: 42704 unknown pairing or field; 42804 the types do not fit; 22023 a bad
-- direction, conversion or parameter; 428C9 the field to be written is read-only; 0A000 keep_in_step, or another direction than
-- left_to_right, in a pairing that makes no links.  Source: R24-R28, D7.
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
  PERFORM crm_bridge._demand_administrator(org);
  IF direction IS NULL OR direction NOT IN ('both', 'left_to_right', 'right_to_left') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('direction "%s" is not known', direction),
      HINT = 'Use both, left_to_right or right_to_left.';
  END IF;
  IF keep_in_step OR direction <> 'left_to_right' THEN
    PERFORM 1 FROM crm_bridge.pairing AS p WHERE p.org_id = org AND p.pairing = map_field.pairing AND NOT p.links;
    IF FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('fields of pairing "%s" cannot be kept in step', pairing),
        DETAIL = 'Its records are not linked: a field of the left one fills a right one when that is made, and no change follows.',
        HINT = 'Leave keep_in_step false and direction left_to_right.';
    END IF;
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
  INSERT INTO crm_bridge.field_mapping AS f (org_id, pairing, left_field, right_field, direction, keep_in_step, conversion, parameters)
  VALUES (org, map_field.pairing, map_field.left_field, map_field.right_field, map_field.direction,
          map_field.keep_in_step, chosen, map_field.parameters)
  ON CONFLICT ON CONSTRAINT field_mapping_key DO UPDATE
     SET direction = CASE WHEN f.in_force THEN f.direction ELSE EXCLUDED.direction END,
         keep_in_step = CASE WHEN f.in_force THEN f.keep_in_step ELSE EXCLUDED.keep_in_step END,
         conversion = CASE WHEN f.in_force THEN f.conversion ELSE EXCLUDED.conversion END,
         parameters = CASE WHEN f.in_force THEN f.parameters ELSE EXCLUDED.parameters END,
         -- What is in force stays so until the change is confirmed.
         draft = CASE WHEN f.in_force THEN jsonb_build_object('direction', EXCLUDED.direction, 'keep_in_step', EXCLUDED.keep_in_step,
                                                              'conversion', EXCLUDED.conversion, 'parameters', EXCLUDED.parameters) END;
  RETURN chosen;
END
$$;
COMMENT ON FUNCTION crm_bridge.map_field(text, text, text, text, boolean, text, jsonb, bigint) IS
  'maps a field of one side to one of the other; checks that a conversion fits (R24-R28)';
REVOKE ALL ON FUNCTION crm_bridge.map_field(text, text, text, text, boolean, text, jsonb, bigint) FROM PUBLIC;

-- Ends a mapping with the next confirmation; one that was never confirmed is gone at once.  Values stay as they are.
-- Errors: 42704 no such mapping.
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
  PERFORM crm_bridge._demand_administrator(org);
  DELETE FROM crm_bridge.field_mapping AS f
   WHERE f.org_id = org AND f.pairing = unmap_field.pairing
     AND f.left_field = unmap_field.left_field AND f.right_field = unmap_field.right_field AND NOT f.in_force;
  IF NOT FOUND THEN
    UPDATE crm_bridge.field_mapping AS f SET draft = '{"remove": true}'
     WHERE f.org_id = org AND f.pairing = unmap_field.pairing
       AND f.left_field = unmap_field.left_field AND f.right_field = unmap_field.right_field
       AND NOT COALESCE(f.draft ? 'remove', false);
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704',
      MESSAGE = format('field "%s" is not mapped to "%s" in pairing "%s"', left_field, right_field, pairing),
      HINT = 'The mappings are listed in crm_bridge.field_mapping.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.unmap_field(text, text, text, bigint) IS 'ends a mapping; values stay as they are';
REVOKE ALL ON FUNCTION crm_bridge.unmap_field(text, text, text, bigint) FROM PUBLIC;

-- "Done" (R28): what was mapped, changed and unmapped since the last confirmation acts from now on, all of it together.
-- Argument: pairing (NULL: all).  Result: how many mappings changed.  Errors: 42704 unknown pairing; what map_field raises, if a field has
-- changed at the service since the draft was made: then nothing is confirmed.
CREATE OR REPLACE FUNCTION crm_bridge.confirm_field_mapping(pairing text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  changed integer;
  removed integer;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  IF confirm_field_mapping.pairing IS NOT NULL THEN
    PERFORM 1 FROM crm_bridge.pairing AS p WHERE p.org_id = org AND p.pairing = confirm_field_mapping.pairing;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('pairing "%s" does not exist', confirm_field_mapping.pairing),
        HINT = 'The pairings are listed in crm_bridge.pairing.';
    END IF;
  END IF;
  DELETE FROM crm_bridge.field_mapping AS f
   WHERE f.org_id = org AND f.pairing = COALESCE(confirm_field_mapping.pairing, f.pairing) AND f.draft ? 'remove';
  GET DIAGNOSTICS removed = ROW_COUNT;
  PERFORM crm_bridge._check_conversion(f.pairing, f.left_field, f.right_field, COALESCE(f.draft ->> 'conversion', f.conversion),
                                       COALESCE(f.draft -> 'parameters', f.parameters), org)
     FROM crm_bridge.field_mapping AS f
    WHERE f.org_id = org AND f.pairing = COALESCE(confirm_field_mapping.pairing, f.pairing) AND (NOT f.in_force OR f.draft IS NOT NULL);
  UPDATE crm_bridge.field_mapping AS f
     SET in_force = true, draft = NULL,
         direction = COALESCE(f.draft ->> 'direction', f.direction),
         keep_in_step = COALESCE((f.draft ->> 'keep_in_step')::boolean, f.keep_in_step),
         conversion = COALESCE(f.draft ->> 'conversion', f.conversion),
         parameters = COALESCE(f.draft -> 'parameters', f.parameters)
   WHERE f.org_id = org AND f.pairing = COALESCE(confirm_field_mapping.pairing, f.pairing) AND (NOT f.in_force OR f.draft IS NOT NULL);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed + removed;
END
$$;
COMMENT ON FUNCTION crm_bridge.confirm_field_mapping(text, bigint) IS 'lets mappings act as they were drafted (R28)';
REVOKE ALL ON FUNCTION crm_bridge.confirm_field_mapping(text, bigint) FROM PUBLIC;

-- Forgets what was drafted since the last confirmation.  Result: how many drafts.
CREATE OR REPLACE FUNCTION crm_bridge.discard_field_mapping(org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  never integer;
  changed integer;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  DELETE FROM crm_bridge.field_mapping AS f WHERE f.org_id = org AND NOT f.in_force;
  GET DIAGNOSTICS never = ROW_COUNT;
  UPDATE crm_bridge.field_mapping AS f SET draft = NULL WHERE f.org_id = org AND f.draft IS NOT NULL;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN never + changed;
END
$$;
COMMENT ON FUNCTION crm_bridge.discard_field_mapping(bigint) IS 'forgets mappings that were drafted and not confirmed';
REVOKE ALL ON FUNCTION crm_bridge.discard_field_mapping(bigint) FROM PUBLIC;

-- Mappings that do not work as they are written, because a field has changed at its service since: it is gone, read-only, of another
-- type, or without a choice that the mapping names.  Such a mapping is passed over until it is mended.
-- Result: one row a mapping, with what broke and why; none: all is well.
CREATE OR REPLACE FUNCTION crm_bridge.check_field_mapping(org_id bigint DEFAULT NULL)
RETURNS TABLE (pairing text, left_field text, right_field text, in_force boolean, problem text, detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(check_field_mapping.org_id);
  mapping record;
BEGIN
  FOR mapping IN
    SELECT f.*, p.left_module, p.right_module, l.gone_at AS left_gone, r.gone_at AS right_gone,
           CASE WHEN f.direction <> 'left_to_right' AND l.writable IS FALSE THEN f.left_field
                WHEN f.direction <> 'right_to_left' AND r.writable IS FALSE THEN f.right_field END AS read_only
      FROM crm_bridge.field_mapping AS f
      JOIN crm_bridge.pairing AS p ON p.org_id = f.org_id AND p.pairing = f.pairing
      LEFT JOIN crm_bridge.service_field AS l ON l.org_id = f.org_id AND l.module = p.left_module AND l.field = f.left_field
      LEFT JOIN crm_bridge.service_field AS r ON r.org_id = f.org_id AND r.module = p.right_module AND r.field = f.right_field
     WHERE f.org_id = org ORDER BY p.position, f.left_field, f.right_field LOOP
    pairing := mapping.pairing;
    left_field := mapping.left_field;
    right_field := mapping.right_field;
    in_force := mapping.in_force;
    problem := NULL;
    IF mapping.left_gone IS NOT NULL OR mapping.right_gone IS NOT NULL THEN
      problem := 'field_gone';
      detail := format('The service has not listed field "%s" of a %s since %s.',
                       CASE WHEN mapping.left_gone IS NOT NULL THEN mapping.left_field ELSE mapping.right_field END,
                       CASE WHEN mapping.left_gone IS NOT NULL THEN mapping.left_module ELSE mapping.right_module END,
                       COALESCE(mapping.left_gone, mapping.right_gone));
    ELSIF mapping.read_only IS NOT NULL THEN
      problem := 'field_read_only';
      detail := format('The service takes no value for field "%s".', mapping.read_only);
    ELSE
      BEGIN
        PERFORM crm_bridge._check_conversion(mapping.pairing, mapping.left_field, mapping.right_field, mapping.conversion, mapping.parameters, org);
      EXCEPTION
        WHEN undefined_object THEN problem := 'field_gone'; detail := SQLERRM;
        WHEN datatype_mismatch THEN problem := 'type_changed'; detail := SQLERRM;
        WHEN invalid_parameter_value THEN problem := 'choice_gone'; detail := SQLERRM;
      END;
    END IF;
    IF problem IS NOT NULL THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge.check_field_mapping(bigint) IS 'mappings that do not work any more because a service changed its fields, and why';
REVOKE ALL ON FUNCTION crm_bridge.check_field_mapping(bigint) FROM PUBLIC;

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
    (_default_mappings.org_id, 'contact_client_user', 'crm_contact', 'projects_client_user', 4, 'unlink'),
    (_default_mappings.org_id, 'lead_project', 'crm_lead', 'projects_project', 5, 'unlink'),
    (_default_mappings.org_id, 'client_company', 'projects_client', 'bigin_company', 6, 'unlink'),
    (_default_mappings.org_id, 'client_user_contact', 'projects_client_user', 'bigin_contact', 7, 'unlink'),
    (_default_mappings.org_id, 'note_comment', 'crm_note', 'projects_comment', 8, 'delete');
  -- An account has many projects: its fields fill those that are made for it or for a deal of it, below the deal's own (R25).
  INSERT INTO crm_bridge.pairing (org_id, pairing, left_module, right_module, position, on_delete, links)
  VALUES (_default_mappings.org_id, 'account_project', 'crm_account', 'projects_project', 9, 'unlink', false);

  -- A client is made with the account's name and keeps its own afterwards: links survive renames (D6).
  PERFORM crm_bridge.map_field('account_client', 'account_name', 'name', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('account_client', 'phone', 'phone', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('account_client', 'website', 'website', org_id => _default_mappings.org_id);

  PERFORM crm_bridge.map_field('deal_project', 'deal_name', 'name', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('deal_project', 'description', 'description', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('deal_project', 'account_id', 'client_id', conversion => 'linked',
                               parameters => '{"pairing": "account_client"}', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('deal_project', 'closing_date', 'end_date', org_id => _default_mappings.org_id);

  PERFORM crm_bridge.map_field('contact_client_user', 'first_name', 'first_name', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('contact_client_user', 'last_name', 'last_name', org_id => _default_mappings.org_id);
  PERFORM crm_bridge.map_field('contact_client_user', 'email', 'email', org_id => _default_mappings.org_id);

  PERFORM crm_bridge.map_field('lead_project', 'description', 'description', org_id => _default_mappings.org_id);

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
  PERFORM crm_bridge.map_field('note_comment', 'content', 'content', 'both', true, conversion => 'comment',
                               parameters => '{"author_line": "Zoho CRM"}', org_id => _default_mappings.org_id);
  -- What both services have of a company and of a person (R132); any change follows (R133).
  PERFORM crm_bridge.map_field('client_company', f.left_field, f.right_field, 'both', true, org_id => _default_mappings.org_id)
    FROM (VALUES ('name', 'account_name'), ('phone', 'phone'), ('website', 'website')) AS f (left_field, right_field);
  PERFORM crm_bridge.map_field('client_user_contact', f.field, f.field, 'both', true, org_id => _default_mappings.org_id)
    FROM (VALUES ('first_name'), ('last_name'), ('email')) AS f (field);
  PERFORM crm_bridge.map_field('client_user_contact', 'client_id', 'account_id', 'both', true, conversion => 'linked',
                               parameters => '{"pairing": "client_company"}', org_id => _default_mappings.org_id);
  UPDATE crm_bridge.field_mapping AS f SET in_force = true WHERE f.org_id = _default_mappings.org_id;
END
$$;
COMMENT ON FUNCTION crm_bridge._default_mappings(bigint) IS 'the pairings and mappings that an organization starts with';
REVOKE ALL ON FUNCTION crm_bridge._default_mappings(bigint) FROM PUBLIC;
