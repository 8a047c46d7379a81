-- A conflict that a person decides (D1, D2, B2).

-- Of a field: the value of the side that is to count is put into that side and carried to the other one.
-- Locks in order: mirror rows, link; the writes themselves take delivery and shadow.
CREATE OR REPLACE FUNCTION crm_bridge._resolve_link(conflict crm_bridge.conflict, link crm_bridge.link, pairing crm_bridge.pairing, side text, value jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  of_module text := CASE side WHEN 'left' THEN pairing.left_module ELSE pairing.right_module END;
  of_record uuid := CASE side WHEN 'left' THEN link.left_id ELSE link.right_id END;
  of_field text := CASE side WHEN 'left' THEN conflict.field ELSE conflict.other_field END;
  one_way text := (SELECT f.direction FROM crm_bridge.field_mapping AS f
                    WHERE f.org_id = conflict.org_id AND f.pairing = link.pairing AND f.left_field = conflict.field AND f.right_field = conflict.other_field
                      AND f.direction = CASE side WHEN 'left' THEN 'right_to_left' ELSE 'left_to_right' END);
  refused text;
BEGIN
  IF link.state <> 'active' THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the two records are not in step any more: their link is %s', link.state),
      DETAIL = COALESCE(link.reason, 'The integration is switched off.'), HINT = 'Write the value into the record itself; both values stay in crm_bridge.conflict.';
  ELSIF one_way IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('field "%s" does not travel from the %s side to the other', of_field, side),
      DETAIL = format('Its mapping is %s.', one_way), HINT = 'Decide for the other side and give the value, in that side''s terms.';
  END IF;
  -- What each side has now is where they start from; then one of them changes.
  UPDATE crm_bridge.link AS l SET left_base = l.left_base - conflict.field, right_base = l.right_base - conflict.other_field
   WHERE l.org_id = link.org_id AND l.link_id = link.link_id AND (l.left_base ? conflict.field OR l.right_base ? conflict.other_field);
  IF NOT crm_bridge._write_field(link.org_id, of_module, of_record, of_field, value) THEN
    PERFORM crm_bridge._tell_twin(conflict, side, of_module, of_record, value);
  END IF;
  IF EXISTS (SELECT 1 FROM crm_bridge.link AS l WHERE l.org_id = link.org_id AND l.link_id = link.link_id AND l.left_base ? conflict.field) THEN
    SELECT r.detail INTO refused FROM crm_bridge.refusal AS r
     WHERE r.org_id = link.org_id AND r.link_id = link.link_id ORDER BY r.refusal_id DESC LIMIT 1;
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s cannot be carried to the other side', value), DETAIL = COALESCE(refused, ''),
      HINT = 'Decide for a value that both sides know: resolve_conflict(id, side, value).';
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._resolve_link(crm_bridge.conflict, crm_bridge.link, crm_bridge.pairing, text, jsonb) IS 'puts a value in force on both faces';
REVOKE ALL ON FUNCTION crm_bridge._resolve_link(crm_bridge.conflict, crm_bridge.link, crm_bridge.pairing, text, jsonb) FROM PUBLIC;

-- Against the service.  What it told is known from now on: only something newer asks again.  Where something newer is known already (a write
-- of ours was under way and was done after all) that stays the base, or its next reading would take back what was decided.
CREATE OR REPLACE FUNCTION crm_bridge._resolve_service(conflict crm_bridge.conflict, value jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  request uuid := crm_bridge.new_id();
  changed boolean := crm_bridge._write_field(conflict.org_id, conflict.module, conflict.record_id, conflict.field, value);
BEGIN
  IF conflict.winner <> 'none' THEN
    RETURN;
  END IF;
  IF NOT changed THEN
    INSERT INTO crm_bridge.reconcile_request (org_id, request_id, record_id, module, operation, fields)
    VALUES (conflict.org_id, request, conflict.record_id, conflict.module, 'deliver', ARRAY[conflict.field]);
    PERFORM crm_bridge._reconcile_request(request, conflict.org_id);
  END IF;
  UPDATE crm_bridge.shadow AS s SET fields = s.fields || jsonb_build_object(conflict.field, conflict.right_value)
   WHERE s.org_id = conflict.org_id AND s.record_id = conflict.record_id AND s.state = 'live'
     AND COALESCE(s.fields -> conflict.field = COALESCE(conflict.base, 'null'), true);
END
$$;
COMMENT ON FUNCTION crm_bridge._resolve_service(crm_bridge.conflict, jsonb) IS 'puts a value in force here and at the service';
REVOKE ALL ON FUNCTION crm_bridge._resolve_service(crm_bridge.conflict, jsonb) FROM PUBLIC;

-- Decides a conflict, whoever had won.  decision: left or right (of open_conflicts); value: another value instead, in that side's
-- terms (JSON null empties the field).  Of a whole record (field *) the side that kept it keeps it, the other deletes it after all.
-- The value is sent like any edit of the caller's, under his rights.  Result: {module, record_id, field, value}.
-- Errors: 42704 no such conflict, the record is gone; 55000 resolved already, or the records are not in step; 22023 a bad decision or value.
CREATE OR REPLACE FUNCTION crm_bridge.resolve_conflict(conflict_id uuid, decision text, value jsonb DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(resolve_conflict.org_id);
  conflict crm_bridge.conflict;
  link crm_bridge.link;
  pairing crm_bridge.pairing;
  decided jsonb;
  kept text;
  right_module text;
  right_record uuid;
  face record;
  there boolean;
  who text := crm_bridge._whoever_decides(org);
BEGIN
  SELECT * INTO conflict FROM crm_bridge.conflict AS c WHERE c.org_id = org AND c.conflict_id = resolve_conflict.conflict_id;
  IF NOT FOUND OR NOT crm_bridge._may_see(conflict.module) THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('conflict %s does not exist', COALESCE(resolve_conflict.conflict_id::text, 'NULL')),
      HINT = 'They are listed in crm_bridge.open_conflicts.';
  ELSIF decision IS NULL OR decision NOT IN ('left', 'right') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('decision "%s" is neither left nor right', decision),
      HINT = 'Say whose value is to count; a third argument gives another value instead, in that side''s terms.';
  ELSIF value IS NOT NULL AND conflict.field = '*' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a conflict about a whole record takes no value';
  END IF;
  SELECT * INTO link FROM crm_bridge.link AS l WHERE l.org_id = org AND l.link_id = conflict.link_id;
  SELECT * INTO pairing FROM crm_bridge.pairing AS p WHERE p.org_id = org AND p.pairing = link.pairing;
  kept := CASE WHEN conflict.field = '*' THEN COALESCE(NULLIF(conflict.winner, 'none'), 'left') END;
  -- Of a record and its service both sides are the one that is here.
  right_module := CASE WHEN link.link_id IS NOT NULL THEN pairing.right_module WHEN kept IS NOT NULL THEN conflict.module END;
  right_record := CASE WHEN link.link_id IS NOT NULL THEN link.right_id WHEN kept IS NOT NULL THEN conflict.record_id END;
  -- Mirror rows first.  Who waits for them holds no link: the machinery takes these with SKIP LOCKED.
  FOR face IN SELECT * FROM (VALUES ('left', conflict.module, conflict.record_id), ('right', right_module, right_record)) AS f (side, module, id)
               WHERE f.id IS NOT NULL AND (kept IS NULL OR f.side = kept) LOOP
    IF face.module LIKE 'projects\_%' THEN
      PERFORM crm_bridge._demand_permission(CASE WHEN kept IS NOT NULL AND decision <> kept THEN 'delete' ELSE 'edit' END, org);
    END IF;
    there := false;
    EXECUTE format('SELECT true FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = $2 FOR NO KEY UPDATE', face.module) INTO there USING org, face.id;
    IF there IS NOT TRUE THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('%s %s is gone', (SELECT m.label FROM crm_bridge.module AS m WHERE m.module = face.module), face.id),
        DETAIL = 'It was deleted since; its last values are in crm_bridge.record_history.';
    END IF;
  END LOOP;
  PERFORM 1 FROM crm_bridge.link AS l WHERE l.org_id = org AND l.link_id = conflict.link_id FOR NO KEY UPDATE;
  SELECT * INTO conflict FROM crm_bridge.conflict AS c WHERE c.org_id = org AND c.conflict_id = resolve_conflict.conflict_id FOR UPDATE;
  IF conflict.resolved_at IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('conflict %s is resolved already', conflict.conflict_id),
      DETAIL = CASE conflict.resolved_by WHEN 'superseded' THEN format('On %s a newer value took its place; look for the newer conflict.', conflict.resolved_at)
                    ELSE format('%s decided on %s for %s.', conflict.resolved_by, conflict.resolved_at, conflict.winner) END,
      HINT = 'All conflicts with their values are in crm_bridge.conflict; write the value into the record itself.';
  END IF;
  decided := COALESCE(value, CASE decision WHEN 'left' THEN conflict.left_value ELSE conflict.right_value END, 'null');
  IF value IS NOT NULL THEN
    PERFORM crm_bridge._demand_fitting(org, CASE WHEN decision = 'left' OR link.link_id IS NULL THEN conflict.module ELSE pairing.right_module END,
                                       CASE decision WHEN 'left' THEN conflict.field ELSE conflict.other_field END, value);
  END IF;
  IF kept IS NOT NULL THEN
    IF decision <> kept THEN
      EXECUTE format('DELETE FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = $2', CASE kept WHEN 'left' THEN conflict.module ELSE right_module END)
        USING org, CASE kept WHEN 'left' THEN conflict.record_id ELSE right_record END;
    END IF;
  ELSIF conflict.link_id IS NOT NULL THEN
    PERFORM crm_bridge._resolve_link(conflict, link, pairing, decision, decided);
  ELSE
    PERFORM crm_bridge._resolve_service(conflict, decided);
  END IF;
  UPDATE crm_bridge.conflict AS c SET winner = decision, resolved_at = now(), resolved_by = who
   WHERE c.org_id = org AND c.conflict_id = conflict.conflict_id;
  -- Who lost now and does not know it yet; whoever decided does.
  PERFORM crm_bridge._tell_loser(org, conflict.conflict_id, conflict.module, conflict.record_id, conflict.link_id, conflict.field, conflict.other_field, decision,
            CASE decision WHEN 'left' THEN decided ELSE conflict.left_value END, CASE decision WHEN 'right' THEN decided ELSE conflict.right_value END,
            CASE decision WHEN 'left' THEN who ELSE conflict.left_by END, CASE decision WHEN 'right' THEN who ELSE conflict.right_by END);
  RETURN jsonb_build_object('module', conflict.module, 'record_id', conflict.record_id, 'field', conflict.field, 'value', decided);
END
$$;
COMMENT ON FUNCTION crm_bridge.resolve_conflict(uuid, text, jsonb, bigint) IS 'puts a value of a conflict in force on both sides and sends it (D1, B2)';
REVOKE ALL ON FUNCTION crm_bridge.resolve_conflict(uuid, text, jsonb, bigint) FROM PUBLIC;
