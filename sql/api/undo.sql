-- What a run did can be taken back (B8).

-- Writes several fields of a record from JSON; custom ones too.  What only the service writes is left out.  Result: whether the record is there.
CREATE OR REPLACE FUNCTION crm_bridge._write_fields(org_id bigint, module text, record_id uuid, fields jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _write_fields.org_id;
  assignments text := '';
  custom jsonb := '{}';
  written bigint;
  each_field record;
BEGIN
  FOR each_field IN SELECT f.field, f.custom FROM crm_bridge.service_field AS f
                     WHERE f.org_id = org AND f.module = _write_fields.module AND f.writable AND fields ? f.field ORDER BY f.field LOOP
    IF each_field.custom THEN
      custom := custom || jsonb_build_object(each_field.field, fields -> each_field.field);
    ELSE
      assignments := assignments || format('%I = v.%I, ', each_field.field, each_field.field);
    END IF;
  END LOOP;
  IF assignments = '' AND custom = '{}' THEN
    RETURN true;
  END IF;
  EXECUTE format('UPDATE crm_bridge.%I AS m SET %scustom_fields = CASE WHEN $4 = ''{}'' THEN m.custom_fields ELSE jsonb_strip_nulls(m.custom_fields || $4) END FROM jsonb_populate_record(NULL::crm_bridge.%I, $3) AS v WHERE m.org_id = $1 AND m.id = $2', module, assignments, module)
    USING org, record_id, fields, custom;
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written > 0;
END
$$;
COMMENT ON FUNCTION crm_bridge._write_fields(bigint, text, uuid, jsonb) IS 'writes fields of a record from JSON';
REVOKE ALL ON FUNCTION crm_bridge._write_fields(bigint, text, uuid, jsonb) FROM PUBLIC;

-- Brings a deleted record back as history has it, under its own id here; where the service has it still, it is the same there too.
-- Result: false if it is there, or history knows nothing of it.
CREATE OR REPLACE FUNCTION crm_bridge._recreate_record(org_id bigint, module text, record_id uuid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _recreate_record.org_id;
  was jsonb;
  columns text := '';
  there boolean;
  each_field name;
BEGIN
  EXECUTE format('SELECT true FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = $2', module) INTO there USING org, record_id;
  SELECT h.old INTO was FROM crm_bridge.history AS h
   WHERE h.org_id = org AND h.record_id = _recreate_record.record_id AND h.operation = 'delete' ORDER BY h.at DESC, h.event_id DESC LIMIT 1;
  IF there OR was IS NULL THEN
    RETURN false;
  END IF;
  FOR each_field IN SELECT f.field FROM crm_bridge.service_field AS f
                     WHERE f.org_id = org AND f.module = _recreate_record.module AND NOT f.custom AND (f.writable OR f.addresses) AND was ? f.field ORDER BY 1 LOOP
    columns := columns || format(', %I', each_field);
  END LOOP;
  EXECUTE format('INSERT INTO crm_bridge.%I (org_id, id, external_id, custom_fields%s) SELECT org_id, id, external_id, custom_fields%s FROM jsonb_populate_record(NULL::crm_bridge.%I, $1)',
                 module, columns, columns, module)
    USING was || jsonb_build_object('org_id', org, 'id', record_id,
      'external_id', (SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = _recreate_record.record_id AND s.state = 'live'),
      'custom_fields', (SELECT COALESCE(jsonb_object_agg(f.field, was -> f.field), '{}') FROM crm_bridge.service_field AS f
                         WHERE f.org_id = org AND f.module = _recreate_record.module AND f.custom AND was -> f.field <> 'null'));
  -- What the service has of it already, or is just being sent, needs no request; what it has and the record has not is to be emptied there.
  UPDATE crm_bridge.delivery AS d
     SET fields = ARRAY(SELECT f.field FROM crm_bridge.service_field AS f
                         WHERE f.org_id = org AND f.module = _recreate_record.module AND f.writable
                           AND (COALESCE(was -> f.field, 'null') <> COALESCE(CASE WHEN d.state = 'in_flight' THEN d.sent -> f.field END, s.fields -> f.field, 'null')
                                -- Nobody knows whether the service has what was sent of it before.
                                OR d.state = 'pending' AND d.in_doubt AND d.sent ? f.field) ORDER BY 1)
    FROM crm_bridge.shadow AS s
   WHERE d.org_id = org AND d.record_id = _recreate_record.record_id AND d.state IN ('pending', 'in_flight') AND s.org_id = org AND s.record_id = d.record_id AND s.state = 'live';
  DELETE FROM crm_bridge.delivery AS d USING crm_bridge.shadow AS s
   WHERE d.org_id = org AND d.record_id = _recreate_record.record_id AND d.state = 'pending' AND d.operation = 'write' AND d.fields = '{}'
     AND s.org_id = org AND s.record_id = d.record_id AND s.state = 'live';
  RETURN true;
END
$$;
COMMENT ON FUNCTION crm_bridge._recreate_record(bigint, text, uuid) IS 'brings a deleted record back as history has it';
REVOKE ALL ON FUNCTION crm_bridge._recreate_record(bigint, text, uuid) FROM PUBLIC;

-- D2: a linked record that was deleted comes back under its own id here.  gone: its service has deleted it, which makes it anew there with an
-- id of its own; otherwise the service is not told of the deletion, or makes it anew if it was told already.
-- Result: false if it cannot be made: its parent is gone too, or a rule of the database forbids it.
CREATE OR REPLACE FUNCTION crm_bridge._restore_record(org_id bigint, module text, record_id uuid, gone boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _restore_record.org_id;
BEGIN
  IF gone THEN
    UPDATE crm_bridge.shadow AS s SET state = 'gone', fields = '{}' WHERE s.org_id = org AND s.record_id = _restore_record.record_id;
  ELSE
    DELETE FROM crm_bridge.delivery AS d
     WHERE d.org_id = org AND d.record_id = _restore_record.record_id AND d.operation = 'delete' AND d.state <> 'in_flight' AND NOT d.in_doubt;
    DELETE FROM crm_bridge.held_change AS h WHERE h.org_id = org AND h.record_id = _restore_record.record_id AND h.direction = 'out' AND h.operation = 'delete';
  END IF;
  RETURN crm_bridge._recreate_record(org, _restore_record.module, _restore_record.record_id);
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm_bridge._restore_record(bigint, text, uuid, boolean) IS 'brings a linked record back that was deleted (D2)';
REVOKE ALL ON FUNCTION crm_bridge._restore_record(bigint, text, uuid, boolean) FROM PUBLIC;

-- Takes back what a run did: fields get the values from before it, except what changed since; records that it deleted are made
-- anew, at the service with a new id.  Records that it brought stay.  It is a run itself and can be undone.  Result: {run_id, restored,
-- recreated, inserted, changed_since: [{module, record_id, fields}], not_restored: [{record_id, pairing, twin}]} (links of what
-- was made anew, which a person has to make anew).
-- Errors: 42704 no such run; 55000 it is not over, or was undone.
-- R1: administrators only
CREATE OR REPLACE FUNCTION crm_bridge.undo_run(run_id uuid, org_id bigint DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(undo_run.org_id);
  undone crm_bridge.run;
  undoing uuid := crm_bridge.new_id();
  began timestamptz := clock_timestamp();
  touched record;
  restored integer := 0;
  recreated uuid[] := '{}';
  inserted integer;
  since jsonb := '[]';
  links jsonb;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  SELECT * INTO undone FROM crm_bridge.run AS r WHERE r.org_id = org AND r.run_id = undo_run.run_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('run %s does not exist', COALESCE(undo_run.run_id::text, 'NULL')), HINT = 'They are listed in crm_bridge.run.';
  ELSIF undone.state NOT IN ('finished', 'failed') THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('run %s cannot be undone', undone.run_id), DETAIL = format('Its state is %s.', undone.state);
  END IF;
  INSERT INTO crm_bridge.run (org_id, run_id, kind, service, module, detail) VALUES (org, undoing, 'undo', undone.service, undone.module, format('undoes %s', undone.run_id));
  -- One row a record: the values before the run, and which of its fields somebody changed after the run did.
  FOR touched IN
    WITH event AS (
      -- The instant finds the partitions and, by their keys, the rows.
      SELECT h.module, h.record_id, h.operation, h.old, h.at, h.event_id FROM crm_bridge.history AS h
       WHERE h.org_id = org AND h.at >= undone.started_at AND h.run_id = undone.run_id
    ), field AS (
      SELECT DISTINCT ON (e.record_id, f.key) e.module, e.record_id, f.key, f.value, last_value(e.at) OVER w AS at, last_value(e.event_id) OVER w AS event_id
        FROM event AS e CROSS JOIN LATERAL jsonb_each(e.old) AS f
       WHERE e.operation = 'update'
      WINDOW w AS (PARTITION BY e.record_id, f.key ORDER BY e.at, e.event_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
       ORDER BY e.record_id, f.key, e.at, e.event_id
    ), judged AS (
      SELECT f.*, EXISTS (SELECT 1 FROM crm_bridge.history AS h WHERE h.org_id = org AND h.record_id = f.record_id AND (h.at, h.event_id) > (f.at, f.event_id)
                             AND (h.old ? f.key OR h.operation <> 'update')) AS changed
        FROM field AS f
    ), difference AS (
      SELECT j.record_id, jsonb_object_agg(j.key, j.value) FILTER (WHERE NOT j.changed) AS before, jsonb_agg(j.key ORDER BY j.key) FILTER (WHERE j.changed) AS changed
        FROM judged AS j GROUP BY j.record_id
    ), touched AS (
      SELECT e.module, e.record_id, bool_or(e.operation = 'delete') AS deleted, bool_or(e.operation = 'insert') AS made FROM event AS e GROUP BY e.module, e.record_id
    )
    SELECT t.*, d.before, d.changed
      FROM touched AS t JOIN crm_bridge.module AS m ON m.module = t.module LEFT JOIN difference AS d ON d.record_id = t.record_id
     ORDER BY m.position, t.record_id
  LOOP
    IF touched.deleted THEN
      IF crm_bridge._recreate_record(org, touched.module, touched.record_id) THEN
        recreated := recreated || touched.record_id;
      END IF;
      CONTINUE;
    END IF;
    IF touched.changed IS NOT NULL THEN
      since := since || jsonb_build_array(jsonb_build_object('module', touched.module, 'record_id', touched.record_id, 'fields', touched.changed));
    END IF;
    IF touched.before IS NOT NULL AND NOT touched.made AND crm_bridge._write_fields(org, touched.module, touched.record_id, touched.before) THEN
      restored := restored + 1;
    END IF;
  END LOOP;
  SELECT count(DISTINCT h.record_id) INTO inserted FROM crm_bridge.history AS h
   WHERE h.org_id = org AND h.at >= undone.started_at AND h.run_id = undone.run_id AND h.operation = 'insert';
  SELECT jsonb_agg(jsonb_build_object('record_id', r, 'pairing', l.pairing, 'twin', CASE l.left_id WHEN r THEN l.right_id ELSE l.left_id END)) INTO links
    FROM unnest(recreated) AS r CROSS JOIN LATERAL crm_bridge._links_of(org, r) AS l;
  -- What these writes caused, the twins' rows too, is this run's: so it can be undone in its turn.
  UPDATE crm_bridge.history AS h SET run_id = undoing
   WHERE h.org_id = org AND h.at >= began AND h.transaction_id = pg_current_xact_id() AND h.run_id IS NULL;
  UPDATE crm_bridge.run AS r SET state = 'undone' WHERE r.org_id = org AND r.run_id = undone.run_id;
  UPDATE crm_bridge.run AS r SET state = 'finished', done = restored + cardinality(recreated), finished_at = now() WHERE r.org_id = org AND r.run_id = undoing;
  RETURN jsonb_build_object('run_id', undoing, 'restored', restored, 'recreated', cardinality(recreated), 'inserted', inserted,
                            'changed_since', since, 'not_restored', COALESCE(links, '[]'));
END
$$;
COMMENT ON FUNCTION crm_bridge.undo_run(uuid, bigint) IS 'takes back what a run did, except what changed since (B8)';
REVOKE ALL ON FUNCTION crm_bridge.undo_run(uuid, bigint) FROM PUBLIC;
