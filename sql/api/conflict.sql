-- Conflicts: who decides, and the decision put into force (D1, D2, B2).

-- Who wins where both sides change a field.  scope: a pairing or a module; field: the left side's, or * for all others; policy:
-- left, right, newest or manual; NULL takes the policy back.  Errors: 42704 no such scope or field; 22023 no such policy.
-- R1: administrators only
CREATE OR REPLACE FUNCTION crm_bridge.set_merge_policy(scope text, field text, policy text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  subject text;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  SELECT p.left_module INTO subject FROM crm_bridge.pairing AS p WHERE p.org_id = org AND p.pairing = scope;
  IF NOT FOUND THEN
    SELECT m.module INTO subject FROM crm_bridge.module AS m WHERE m.module = scope;
  END IF;
  IF subject IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('"%s" is neither a pairing nor a module', scope),
      HINT = 'The pairings are listed in crm_bridge.pairing, the modules in crm_bridge.module.';
  ELSIF field IS DISTINCT FROM '*' AND NOT EXISTS (SELECT 1 FROM crm_bridge.service_field AS f
                                                    WHERE f.org_id = org AND f.module = subject AND f.field = set_merge_policy.field) THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" has no field "%s"', subject, field),
      HINT = 'Of a pairing name the left side''s field; * stands for all that have no policy of their own.';
  ELSIF policy NOT IN ('left', 'right', 'newest', 'manual') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('policy "%s" is not known', policy), HINT = 'Say left, right, newest or manual.';
  END IF;
  IF policy IS NULL THEN
    DELETE FROM crm_bridge.merge_policy AS p WHERE p.org_id = org AND p.scope = set_merge_policy.scope AND p.field = set_merge_policy.field;
    RETURN;
  END IF;
  INSERT INTO crm_bridge.merge_policy AS p (org_id, scope, field, policy)
  VALUES (org, set_merge_policy.scope, set_merge_policy.field, set_merge_policy.policy)
  ON CONFLICT ON CONSTRAINT merge_policy_key DO UPDATE SET policy = EXCLUDED.policy;
END
$$;
COMMENT ON FUNCTION crm_bridge.set_merge_policy(text, text, text, bigint) IS 'says who wins where both sides change a field (D1)';
REVOKE ALL ON FUNCTION crm_bridge.set_merge_policy(text, text, text, bigint) FROM PUBLIC;

-- What becomes of a link when one of its records is deleted: delete deletes the twin too, unlink leaves it by itself, restore makes the
-- deleted record anew.  Errors: 42704 no such pairing; 22023 no such choice.
-- R1: administrators only
CREATE OR REPLACE FUNCTION crm_bridge.set_on_delete(pairing text, on_delete text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  IF on_delete IS NULL OR on_delete NOT IN ('delete', 'unlink', 'restore') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('"%s" is no way to deal with a deletion', on_delete), HINT = 'Say delete, unlink or restore.';
  END IF;
  UPDATE crm_bridge.pairing AS p SET on_delete = set_on_delete.on_delete WHERE p.org_id = org AND p.pairing = set_on_delete.pairing;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('pairing "%s" does not exist', pairing), HINT = 'The pairings are listed in crm_bridge.pairing.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.set_on_delete(text, text, bigint) IS 'says what becomes of a link when one of its records is deleted (D2)';
REVOKE ALL ON FUNCTION crm_bridge.set_on_delete(text, text, bigint) FROM PUBLIC;

-- Tells the person whose value lost, once a conflict; where it was entered by no address, nobody can be told.
CREATE OR REPLACE FUNCTION crm_bridge._tell_loser(
  org_id bigint, conflict_id uuid, module text, record_id uuid, link_id uuid, field text, other_field text,
  winner text, left_value jsonb, right_value jsonb, left_by text, right_by text
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _tell_loser.org_id;
  loser text := CASE winner WHEN 'left' THEN right_by ELSE left_by END;
  by_whom text := CASE winner WHEN 'left' THEN left_by ELSE right_by END;
  of_module text := _tell_loser.module;
  of_record uuid := _tell_loser.record_id;
  of_field text := _tell_loser.field;
BEGIN
  IF of_field = '*' OR NOT crm_bridge._is_address(loser) OR lower(loser) = lower(by_whom) THEN
    RETURN false;
  END IF;
  IF winner = 'left' AND _tell_loser.link_id IS NOT NULL THEN
    SELECT p.right_module, l.right_id, _tell_loser.other_field INTO of_module, of_record, of_field
      FROM crm_bridge.link AS l JOIN crm_bridge.pairing AS p ON p.org_id = l.org_id AND p.pairing = l.pairing
     WHERE l.org_id = org AND l.link_id = _tell_loser.link_id;
  END IF;
  PERFORM crm_bridge._notify(org, loser, 'conflict_lost', jsonb_build_object(
    'record', crm_bridge._record_label(org, of_module, of_record),
    'module', of_module,
    'field', crm_bridge._field_label(org, of_module, of_field),
    'yours', CASE winner WHEN 'left' THEN right_value ELSE left_value END,
    'other', CASE winner WHEN 'left' THEN left_value ELSE right_value END,
    'by', COALESCE(NULLIF(by_whom, ''), '?')), cause => _tell_loser.conflict_id);
  RETURN true;
END
$$;
COMMENT ON FUNCTION crm_bridge._tell_loser(bigint, uuid, text, uuid, uuid, text, text, text, jsonb, jsonb, text, text) IS 'mails the person whose value lost a conflict (D1)';
REVOKE ALL ON FUNCTION crm_bridge._tell_loser(bigint, uuid, text, uuid, uuid, text, text, text, jsonb, jsonb, text, text) FROM PUBLIC;

-- Writes one field of a record from JSON.  Result: whether that changed anything.  Errors: 42704 no such field, the record is gone;
-- 22023 the value does not fit; 55000 only the service writes it.
CREATE OR REPLACE FUNCTION crm_bridge._write_field(org_id bigint, module text, record_id uuid, field text, value jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _write_field.org_id;
  known crm_bridge.service_field;
  fresh text;
  current text;
  written bigint;
BEGIN
  SELECT * INTO known FROM crm_bridge.service_field AS f WHERE f.org_id = org AND f.module = _write_field.module AND f.field = _write_field.field;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" has no field "%s" any more', module, field);
  ELSIF NOT known.writable THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('field "%s" is not to be written', field), DETAIL = 'Only the service gives it a value.';
  END IF;
  IF known.custom THEN
    fresh := format('CASE WHEN $3 = ''null'' THEN m.custom_fields - %1$L ELSE m.custom_fields || jsonb_build_object(%1$L::text, $3) END', field);
    current := 'm.custom_fields';
    field := 'custom_fields';
  ELSE
    fresh := format('(jsonb_populate_record(NULL::crm_bridge.%I, jsonb_build_object(%L::text, $3))).%I', module, field, field);
    current := format('m.%I', field);
  END IF;
  BEGIN
    EXECUTE format('UPDATE crm_bridge.%I AS m SET %I = %s WHERE m.org_id = $1 AND m.id = $2 AND %s IS DISTINCT FROM %s', module, field, fresh, current, fresh)
      USING org, record_id, value;
    GET DIAGNOSTICS written = ROW_COUNT;
  EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s does not fit field "%s"', value, _write_field.field), DETAIL = SQLERRM;
  END;
  RETURN written > 0;
END
$$;
COMMENT ON FUNCTION crm_bridge._write_field(bigint, text, uuid, text, jsonb) IS 'writes one field of a record from JSON, as the caller';
REVOKE ALL ON FUNCTION crm_bridge._write_field(bigint, text, uuid, text, jsonb) FROM PUBLIC;

-- Whether a value that a person gives fits a field.  Errors: 22023 it does not.
CREATE OR REPLACE FUNCTION crm_bridge._demand_fitting(org_id bigint, module text, field text, value jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _demand_fitting.org_id;
  known crm_bridge.service_field;
BEGIN
  SELECT * INTO known FROM crm_bridge.service_field AS f WHERE f.org_id = org AND f.module = _demand_fitting.module AND f.field = _demand_fitting.field;
  IF known.picklist IS NOT NULL AND value <> 'null' AND (value #>> '{}') <> ALL (known.picklist) THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s does not fit field "%s"', value, field),
      DETAIL = format('Its choices are %s.', array_to_string(known.picklist, ', '));
  ELSIF known.maximum_length IS NOT NULL AND length(value #>> '{}') > known.maximum_length THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('the value does not fit field "%s"', field),
      DETAIL = format('It has %s characters, the service takes %s.', length(value #>> '{}'), known.maximum_length);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._demand_fitting(bigint, text, text, jsonb) IS 'refuses a value that a field cannot take';
REVOKE ALL ON FUNCTION crm_bridge._demand_fitting(bigint, text, text, jsonb) FROM PUBLIC;

-- Who is at work, as decisions are signed: the person acted for, else the role.
CREATE OR REPLACE FUNCTION crm_bridge._whoever_decides(org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT u.email FROM crm_bridge.crm_user AS u WHERE u.org_id = _whoever_decides.org_id AND u.id = crm_bridge.acting_user()),
                  crm_bridge.calling_role());
END
$$;
COMMENT ON FUNCTION crm_bridge._whoever_decides(bigint) IS 'who is at work, for signing a decision';
REVOKE ALL ON FUNCTION crm_bridge._whoever_decides(bigint) FROM PUBLIC;

-- Makes one face of a link say something to the other that it did not hear: "field" of the side counts as changed, the other
-- side's as agreed.  Result: whether the other side took it.
CREATE OR REPLACE FUNCTION crm_bridge._tell_twin(conflict crm_bridge.conflict, side text, module text, record_id uuid, value jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  request uuid := crm_bridge.new_id();
  -- Of the base and what the side had one at least is not what it has now.
  had jsonb := CASE side WHEN 'left' THEN conflict.left_value ELSE conflict.right_value END;
  another jsonb := CASE WHEN COALESCE(had, 'null') IS DISTINCT FROM value THEN COALESCE(had, 'null')
                        WHEN COALESCE(conflict.base, 'null') IS DISTINCT FROM value THEN COALESCE(conflict.base, 'null') ELSE 'null' END;
BEGIN
  INSERT INTO crm_bridge.reconcile_request (org_id, request_id, record_id, module, link_id, operation, fields, old)
  SELECT conflict.org_id, request, _tell_twin.record_id, _tell_twin.module, conflict.link_id, 'propagate', ARRAY[f.name], jsonb_build_object(f.name, another)
    FROM (SELECT CASE side WHEN 'left' THEN conflict.field ELSE conflict.other_field END AS name) AS f;
  PERFORM crm_bridge._reconcile_request(request, conflict.org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._tell_twin(crm_bridge.conflict, text, text, uuid, jsonb) IS 'carries a decided value to the other face';
REVOKE ALL ON FUNCTION crm_bridge._tell_twin(crm_bridge.conflict, text, text, uuid, jsonb) FROM PUBLIC;
