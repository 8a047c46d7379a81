-- Updates of linked records that their service refuses for good (R80-R86, D3, B2, B5): what fail() does about them.

-- A field of a mirror row as JSON, custom ones too; NULL where the row is not there.
CREATE OR REPLACE FUNCTION crm_bridge._mirror_value(org_id bigint, module text, record_id uuid, field text)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
  value jsonb;
BEGIN
  EXECUTE format('SELECT COALESCE(m.custom_fields -> $3, to_jsonb(m) -> $3, ''null'') FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = $2', module)
    INTO value USING org_id, record_id, field;
  RETURN value;
END
$$;
COMMENT ON FUNCTION crm_bridge._mirror_value(bigint, text, uuid, text) IS 'a field of a mirror row as JSON';
REVOKE ALL ON FUNCTION crm_bridge._mirror_value(bigint, text, uuid, text) FROM PUBLIC;

-- Writes what the service has into a mirror row: nothing of it is sent there, its twins follow.
CREATE OR REPLACE FUNCTION crm_bridge._put_back(org_id bigint, module text, record_id uuid, fields jsonb, actor text)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_put_back';
COMMENT ON FUNCTION crm_bridge._put_back(bigint, text, uuid, jsonb, text) IS 'puts fields of a record back to what its service has';
REVOKE ALL ON FUNCTION crm_bridge._put_back(bigint, text, uuid, jsonb, text) FROM PUBLIC;

-- Where a field that a service refused was edited: at the record itself or, if it came over a link, at the twin.
-- wanted: the module whose face is to be shown, if there is such a face, wherever it was edited.  No row: it was never edited here.
CREATE OR REPLACE FUNCTION crm_bridge._edited_face(
  org_id bigint, module text, record_id uuid, field text, wanted text,
  OUT link_id uuid, OUT face_module text, OUT face_id uuid, OUT face_field text, OUT edited_at timestamptz, OUT actor text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _edited_face.org_id;
  edit crm_bridge.history;
  twin record;
BEGIN
  SELECT h.* INTO edit FROM crm_bridge.history AS h
   WHERE h.org_id = org AND h.record_id = _edited_face.record_id AND (h.operation = 'insert' OR h.old ? _edited_face.field) AND h.origin <> 'service'
   ORDER BY h.at DESC, h.event_id DESC LIMIT 1;
  edited_at := edit.at;
  actor := edit.actor;
  face_module := _edited_face.module;
  face_id := _edited_face.record_id;
  face_field := _edited_face.field;
  SELECT f.* INTO twin
    FROM (SELECT l.link_id, p.right_module AS module, l.right_id AS id, m.right_field AS field
            FROM crm_bridge.link AS l JOIN crm_bridge.pairing AS p ON p.org_id = l.org_id AND p.pairing = l.pairing
            JOIN crm_bridge.field_mapping AS m ON m.org_id = l.org_id AND m.pairing = l.pairing AND m.in_force AND m.keep_in_step AND m.left_field = _edited_face.field
           WHERE l.org_id = org AND l.left_id = _edited_face.record_id AND l.state = 'active'
           UNION ALL
          SELECT l.link_id, p.left_module, l.left_id, m.left_field
            FROM crm_bridge.link AS l JOIN crm_bridge.pairing AS p ON p.org_id = l.org_id AND p.pairing = l.pairing
            JOIN crm_bridge.field_mapping AS m ON m.org_id = l.org_id AND m.pairing = l.pairing AND m.in_force AND m.keep_in_step AND m.right_field = _edited_face.field
           WHERE l.org_id = org AND l.right_id = _edited_face.record_id AND l.state = 'active') AS f
    LEFT JOIN LATERAL (SELECT h.at, h.transaction_id FROM crm_bridge.history AS h
                        WHERE h.org_id = org AND h.record_id = f.id AND h.old ? f.field ORDER BY h.at DESC, h.event_id DESC LIMIT 1) AS t ON true
   ORDER BY f.module = wanted DESC NULLS LAST, t.transaction_id = edit.transaction_id DESC NULLS LAST, t.at DESC NULLS LAST LIMIT 1;
  link_id := twin.link_id;
  IF twin.link_id IS NOT NULL AND (edit.origin = 'bridge' OR twin.module = wanted) THEN
    face_module := twin.module;
    face_id := twin.id;
    face_field := twin.field;
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._edited_face(bigint, text, uuid, text, text) IS 'where a field that a service refused was edited, by whom and when';
REVOKE ALL ON FUNCTION crm_bridge._edited_face(bigint, text, uuid, text, text) FROM PUBLIC;

-- Which rule of Projects a refusal speaks of: strict_schedule, parent_closed, or refused for any other.  No document says how
-- Projects words it: what the mirror knows counts, and where the mirror lags behind, the words themselves.
CREATE OR REPLACE FUNCTION crm_bridge._refused_rule(org_id bigint, module text, record_id uuid, refused text[], words text, OUT rule text, OUT nearest_day date)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _refused_rule.org_id;
  task crm_bridge.projects_task;
  project crm_bridge.projects_project;
  parent_completed boolean;
  due date;
BEGIN
  rule := 'refused';
  IF _refused_rule.module <> 'projects_task' THEN
    RETURN;
  END IF;
  SELECT t.* INTO task FROM crm_bridge.projects_task AS t WHERE t.org_id = org AND t.id = _refused_rule.record_id;
  SELECT p.* INTO project FROM crm_bridge.projects_project AS p WHERE p.org_id = org AND p.id = task.project_id;
  IF 'end_date' = ANY (refused) AND task.end_date IS NOT NULL THEN
    due := (task.end_date AT TIME ZONE COALESCE((SELECT p.time_zone FROM crm_bridge.projects_portal AS p WHERE p.org_id = org AND p.id = task.portal_id), 'UTC'))::date;
    nearest_day := CASE WHEN due > project.end_date THEN project.end_date WHEN due < project.start_date THEN project.start_date END;
    IF nearest_day IS NOT NULL AND (project.is_strict OR words ~* 'project|schedule') THEN
      rule := 'strict_schedule';
      RETURN;
    END IF;
    nearest_day := NULL;
  END IF;
  IF 'is_completed' = ANY (refused) AND task.is_completed IS FALSE AND task.parent_task_id IS NOT NULL THEN
    SELECT m.is_completed INTO parent_completed FROM crm_bridge.projects_task AS m WHERE m.org_id = org AND m.id = task.parent_task_id;
    IF parent_completed OR words ~* 'parent' THEN
      rule := 'parent_closed';
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._refused_rule(bigint, text, uuid, text[], text) IS 'which rule of Projects a refusal speaks of';
REVOKE ALL ON FUNCTION crm_bridge._refused_rule(bigint, text, uuid, text[], text) FROM PUBLIC;

-- The mirror lagged behind: the project or the parent that forbade the change is read again, so that the next one is refused before its commit.
CREATE OR REPLACE FUNCTION crm_bridge._read_rule_again(org_id bigint, task uuid, rule text)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _read_rule_again.org_id;
BEGIN
  PERFORM crm_bridge.store_notice('zoho_projects', 'refused', s.module, ARRAY[s.external_id], 'update', NULL, org_id => org)
     FROM crm_bridge.projects_task AS t
     JOIN crm_bridge.shadow AS s ON s.org_id = t.org_id AND s.record_id = CASE rule WHEN 'strict_schedule' THEN t.project_id ELSE t.parent_task_id END AND s.state = 'live'
    WHERE t.org_id = org AND t.id = _read_rule_again.task;
END
$$;
COMMENT ON FUNCTION crm_bridge._read_rule_again(bigint, uuid, text) IS 'has the record read again that forbade a change';
REVOKE ALL ON FUNCTION crm_bridge._read_rule_again(bigint, uuid, text) FROM PUBLIC;

-- Settles a final refusal of an update of a linked record.  named: the fields that the service named, by its names or ours; those alone are
-- refused, or all that was sent if it named none or the rule is one of R80 and R83 (R86).  With refusal = revert they are put back to what the
-- service has, and the twin with them; with keep they are noted.  Each value that somebody typed goes into refusal, and he is told once.
-- Result: done or pending (settled; pending: other fields go out), busy (a writer holds the record), NULL: it is parked like any other.
CREATE OR REPLACE FUNCTION crm_bridge._refuse_update(lease uuid, record_id uuid, named text[], words text, org_id bigint)
RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _refuse_update.org_id;
  record uuid := _refuse_update.record_id;
  reverts boolean := COALESCE((SELECT s.value #>> '{}' FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'refusal'), 'revert') = 'revert';
  delivery crm_bridge.delivery;
  agreed jsonb;
  refused text[];
  spoken_of text[];
  rule text;
  nearest_day date;
  there boolean;
  rest text[];
  faces jsonb;
BEGIN
  SELECT d.* INTO delivery FROM crm_bridge.delivery AS d
   WHERE d.org_id = org AND d.record_id = record AND d.state = 'in_flight' AND d.lease = _refuse_update.lease AND d.operation = 'write' FOR NO KEY UPDATE SKIP LOCKED;
  SELECT s.fields INTO agreed FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = record AND s.state = 'live';
  IF delivery.record_id IS NULL OR agreed IS NULL OR NOT crm_bridge._is_linked(org, record) THEN
    RETURN NULL;
  END IF;
  spoken_of := ARRAY(SELECT f.field FROM crm_bridge.service_field AS f
                      WHERE f.org_id = org AND f.module = delivery.module AND delivery.sent ? f.field AND (f.api_name = ANY (named) OR f.field = ANY (named)) ORDER BY 1);
  SELECT r.rule, r.nearest_day INTO rule, nearest_day
    FROM crm_bridge._refused_rule(org, delivery.module, record, CASE WHEN spoken_of = '{}' THEN ARRAY(SELECT jsonb_object_keys(delivery.sent)) ELSE spoken_of END, words) AS r;
  refused := CASE WHEN spoken_of = '{}' OR rule <> 'refused' THEN ARRAY(SELECT jsonb_object_keys(delivery.sent) ORDER BY 1) ELSE spoken_of END;
  -- What was edited meanwhile goes out as it is now.
  refused := ARRAY(SELECT f FROM unnest(refused) AS f WHERE f <> ALL (delivery.fields));
  IF refused = '{}' THEN
    RETURN NULL;
  ELSIF EXISTS (SELECT 1 FROM unnest(refused) AS f CROSS JOIN LATERAL crm_bridge._edited_face(org, delivery.module, record, f, NULL) AS e
                 WHERE e.actor LIKE 'refused by %') THEN
    -- It was put back by a refusal on the other side: two services that refuse each other's values need a person.
    RETURN NULL;
  END IF;
  EXECUTE format('SELECT true FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = $2 FOR NO KEY UPDATE SKIP LOCKED', delivery.module) INTO there USING org, record;
  IF there IS NOT TRUE THEN
    RETURN 'busy';
  END IF;
  faces := (SELECT jsonb_agg(to_jsonb(e) || jsonb_build_object('field', f, 'value', crm_bridge._mirror_value(org, e.face_module, e.face_id, e.face_field)) ORDER BY f)
              FROM unnest(refused) AS f
             CROSS JOIN LATERAL crm_bridge._edited_face(org, delivery.module, record, f, CASE WHEN rule <> 'refused' THEN 'crm_task' END) AS e);
  IF reverts THEN
    rest := ARRAY(SELECT DISTINCT f FROM unnest(delivery.fields || ARRAY(SELECT jsonb_object_keys(delivery.sent))) AS f WHERE f <> ALL (refused) ORDER BY f);
    -- Before the record: what it sets off may come round to its delivery.
    DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = record AND rest = '{}';
    UPDATE crm_bridge.delivery AS d
       SET state = 'pending', lease = NULL, sent = NULL, doubted = NULL, in_doubt = false, attempts = 0, not_before = '-infinity', fields = rest, reason = NULL, detail = NULL
     WHERE d.org_id = org AND d.record_id = record;
    PERFORM crm_bridge._put_back(org, delivery.module, record, (SELECT jsonb_object_agg(f, COALESCE(agreed -> f, 'null')) FROM unnest(refused) AS f),
                                 'refused by ' || delivery.service);
  END IF;
  PERFORM crm_bridge._record_refused(org, delivery.module, record, faces, rule, nearest_day, spoken_of, words, reverts);
  IF rule <> 'refused' THEN
    PERFORM crm_bridge._read_rule_again(org, record, rule);
  END IF;
  RETURN CASE WHEN NOT reverts THEN NULL WHEN rest = '{}' THEN 'done' ELSE 'pending' END;
END
$$;
COMMENT ON FUNCTION crm_bridge._refuse_update(uuid, uuid, text[], text, bigint) IS 'settles a final refusal of an update of a linked record (D3)';
REVOKE ALL ON FUNCTION crm_bridge._refuse_update(uuid, uuid, text[], text, bigint) FROM PUBLIC;

-- Notes refused values and tells whoever typed them.  faces: what _edited_face says of each field, with its value.
CREATE OR REPLACE FUNCTION crm_bridge._record_refused(
  org_id bigint, module text, record_id uuid, faces jsonb, rule text, nearest_day date, spoken_of text[], words text, reverted boolean
)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _record_refused.org_id;
  of_rule text[] := CASE rule WHEN 'strict_schedule' THEN ARRAY['end_date'] WHEN 'parent_closed' THEN ARRAY['is_completed'] ELSE spoken_of END;
  face record;
  said jsonb := '[]';
BEGIN
  FOR face IN SELECT f.* FROM jsonb_to_recordset(faces) AS f (field text, link_id uuid, face_module text, face_id uuid, face_field text, value jsonb, edited_at timestamptz, actor text) LOOP
    said := said || (to_jsonb(face) || jsonb_build_object(
      'speaks', of_rule = '{}' OR face.field = ANY (of_rule),
      'reason', CASE WHEN rule = 'refused' OR face.field = ANY (of_rule) THEN rule ELSE 'refused' END,
      'detail', CASE WHEN of_rule = '{}' OR face.field = ANY (of_rule) THEN words ELSE 'It came along in an update of which another field was refused.' END,
      -- Where nothing was put back: what the side had before it was edited.
      'agreed', CASE WHEN reverted THEN crm_bridge._mirror_value(org, face.face_module, face.face_id, face.face_field)
                     ELSE (SELECT h.old -> face.face_field FROM crm_bridge.history AS h
                            WHERE h.org_id = org AND h.record_id = face.face_id AND h.old ? face.face_field ORDER BY h.at DESC, h.event_id DESC LIMIT 1) END));
  END LOOP;
  INSERT INTO crm_bridge.refusal (org_id, at, module, record_id, link_id, field, reason, detail, value, agreed, refused_for, reverted)
  SELECT org, clock_timestamp(), f.face_module, f.face_id, f.link_id, f.face_field, f.reason, f.detail, f.value, f.agreed, f.actor, reverted
    FROM jsonb_to_recordset(said) AS f (face_module text, face_id uuid, link_id uuid, face_field text, reason text, detail text, value jsonb, agreed jsonb, actor text, edited_at timestamptz)
   -- Tried again and refused again: the value is on record.
   WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.refusal AS r
                      WHERE r.org_id = org AND r.record_id = f.face_id AND r.field = f.face_field AND r.value = f.value AND NOT r.reverted AND r.at >= f.edited_at);
  PERFORM crm_bridge._tell_refused_update(org, _record_refused.module, _record_refused.record_id, said, rule, nearest_day, words, reverted);
END
$$;
COMMENT ON FUNCTION crm_bridge._record_refused(bigint, text, uuid, jsonb, text, date, text[], text, boolean) IS 'notes refused values and tells whoever typed them';
REVOKE ALL ON FUNCTION crm_bridge._record_refused(bigint, text, uuid, jsonb, text, date, text[], text, boolean) FROM PUBLIC;

-- One mail a person and update: about the field of which the service spoke, with the others that came along.  Its cause is the edit
-- itself: refused again it is the same, edited again another.
CREATE OR REPLACE FUNCTION crm_bridge._tell_refused_update(
  org_id bigint, module text, record_id uuid, faces jsonb, rule text, nearest_day date, words text, reverted boolean
)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _tell_refused_update.org_id;
  here text := _tell_refused_update.module;
  record uuid := _tell_refused_update.record_id;
  face record;
  recipient text;
  facts jsonb;
  kind text;
BEGIN
  FOR face IN
    SELECT DISTINCT ON (f.actor) f.*,
           (SELECT jsonb_agg(crm_bridge._field_label(org, o ->> 'face_module', o ->> 'face_field') ORDER BY o ->> 'field')
              FROM jsonb_array_elements(faces) AS o WHERE o ->> 'actor' = f.actor AND o ->> 'field' <> f.field) AS others
      FROM jsonb_to_recordset(faces) AS f (field text, link_id uuid, face_module text, face_id uuid, face_field text, value jsonb, agreed jsonb, edited_at timestamptz,
                                           actor text, speaks boolean)
     WHERE f.speaks ORDER BY f.actor, f.field LOOP
    -- Of whom nobody has an address, the owner of the CRM's face is told.
    recipient := crm_bridge._address_of_actor(face.actor, (COALESCE(
      (SELECT NULLIF(crm_bridge._mirror_value(org, p.left_module, l.left_id, 'owner_id'), 'null')
         FROM crm_bridge.link AS l JOIN crm_bridge.pairing AS p ON p.org_id = l.org_id AND p.pairing = l.pairing
        WHERE l.org_id = org AND l.link_id = face.link_id),
      crm_bridge._mirror_value(org, face.face_module, face.face_id, 'owner_id')) #>> '{}')::uuid, org);
    kind := CASE WHEN rule = 'strict_schedule' AND face.face_module = 'crm_task' THEN 'due_date_refused'
                 WHEN rule = 'parent_closed' AND face.face_module = 'crm_task' THEN 'status_refused'
                 WHEN reverted THEN 'update_refused' ELSE 'update_kept' END;
    facts := CASE WHEN kind IN ('update_refused', 'update_kept') THEN jsonb_build_object(
        'record', crm_bridge._record_label(org, face.face_module, face.face_id),
        'module', face.face_module, 'field', crm_bridge._field_label(org, face.face_module, face.face_field),
        'old', face.agreed, 'new', face.value, 'others', COALESCE(face.others, '[]'), 'service', crm_bridge._service_label(here), 'words', words)
      ELSE (SELECT jsonb_build_object('task', t.name, 'project', p.name, 'parent', m.name, 'old', face.agreed, 'new', face.value, 'limit', nearest_day)
              FROM crm_bridge.projects_task AS t
              LEFT JOIN crm_bridge.projects_project AS p ON p.org_id = t.org_id AND p.id = t.project_id
              LEFT JOIN crm_bridge.projects_task AS m ON m.org_id = t.org_id AND m.id = t.parent_task_id
             WHERE t.org_id = org AND t.id = record) END;
    PERFORM crm_bridge._notify(org, recipient, kind, facts,
                               cause => md5(concat_ws('|', face.face_id, face.face_field, face.value, face.edited_at AT TIME ZONE 'UTC'))::uuid);
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._tell_refused_update(bigint, text, uuid, jsonb, text, date, text, boolean) IS 'tells whoever typed them that values were refused, once an edit';
REVOKE ALL ON FUNCTION crm_bridge._tell_refused_update(bigint, text, uuid, jsonb, text, date, text, boolean) FROM PUBLIC;

-- What a field is called in a mail.
CREATE OR REPLACE FUNCTION crm_bridge._field_label(org_id bigint, module text, field text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT replace(f.api_name, '_', ' ') FROM crm_bridge.service_field AS f
                    WHERE f.org_id = _field_label.org_id AND f.module = _field_label.module AND f.field = _field_label.field), _field_label.field);
END
$$;
COMMENT ON FUNCTION crm_bridge._field_label(bigint, text, text) IS 'what a field is called in a mail';
REVOKE ALL ON FUNCTION crm_bridge._field_label(bigint, text, text) FROM PUBLIC;

-- What the service of a module is called.
CREATE OR REPLACE FUNCTION crm_bridge._service_label(module text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT CASE m.service WHEN 'office365' THEN 'Office 365' ELSE initcap(replace(replace(m.service, '_', ' '), 'crm', 'CRM')) END
            FROM crm_bridge.module AS m WHERE m.module = _service_label.module);
END
$$;
COMMENT ON FUNCTION crm_bridge._service_label(text) IS 'what the service of a module is called';
REVOKE ALL ON FUNCTION crm_bridge._service_label(text) FROM PUBLIC;

-- The failures among those of fail() that are final refusals of updates: they name refused_fields.  A fault while one is settled leaves it to
-- be parked, with a WARNING.
CREATE OR REPLACE FUNCTION crm_bridge._refuse_updates(lease uuid, failures jsonb, org_id bigint)
RETURNS TABLE (module text, record_id uuid, state text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _refuse_updates.org_id;
  failure jsonb;
  code text;
BEGIN
  FOR failure IN SELECT f FROM jsonb_array_elements(failures) AS f
                  WHERE f ->> 'outcome' = 'park' AND jsonb_typeof(f -> 'refused_fields') = 'array' ORDER BY f ->> 'record_id' LOOP
    module := failure ->> 'module';
    record_id := (failure ->> 'record_id')::uuid;
    BEGIN
      state := crm_bridge._refuse_update(_refuse_updates.lease, (failure ->> 'record_id')::uuid,
                                         ARRAY(SELECT jsonb_array_elements_text(failure -> 'refused_fields')), left(failure ->> 'detail', 4000), org);
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE;
      IF code LIKE '40%' OR code LIKE '53%' OR code LIKE '57%' OR code LIKE '55%' THEN
        RAISE;
      END IF;
      RAISE WARNING USING ERRCODE = code, MESSAGE = format('the refusal of %s is not settled, it is parked: %s', record_id, SQLERRM);
      state := NULL;
    END;
    IF state IS NOT NULL THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._refuse_updates(uuid, jsonb, bigint) IS 'settles those of the failures that are final refusals of updates';
REVOKE ALL ON FUNCTION crm_bridge._refuse_updates(uuid, jsonb, bigint) FROM PUBLIC;

-- What a person did at a service and the other side cannot hold (B5): he is told, once an edit.  What an app wrote needs no mail: it was
-- refused, or warned, or meant.  Result: whether somebody was told.
CREATE OR REPLACE FUNCTION crm_bridge._tell_not_carried(refusal crm_bridge.refusal)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := refusal.org_id;
  edit crm_bridge.history;
  link record;
BEGIN
  SELECT h.* INTO edit FROM crm_bridge.history AS h
   WHERE h.org_id = org AND h.record_id = refusal.record_id AND h.old ? refusal.field ORDER BY h.at DESC, h.event_id DESC LIMIT 1;
  SELECT p.left_module, l.left_id, CASE l.left_id WHEN refusal.record_id THEN p.right_module ELSE p.left_module END AS other INTO link
    FROM crm_bridge.link AS l JOIN crm_bridge.pairing AS p ON p.org_id = l.org_id AND p.pairing = l.pairing WHERE l.org_id = org AND l.link_id = refusal.link_id;
  IF edit.origin IS DISTINCT FROM 'service' OR link.left_id IS NULL THEN
    RETURN false;
  END IF;
  PERFORM crm_bridge._notify(org,
    crm_bridge._address_of_actor(edit.actor, (crm_bridge._mirror_value(org, link.left_module, link.left_id, 'owner_id') #>> '{}')::uuid, org), 'update_kept',
    jsonb_build_object(
      'record', crm_bridge._record_label(org, refusal.module, refusal.record_id),
      'module', refusal.module, 'field', crm_bridge._field_label(org, refusal.module, refusal.field),
      'old', refusal.agreed, 'new', refusal.value, 'others', '[]'::jsonb, 'service', crm_bridge._service_label(link.other), 'words', refusal.detail),
    cause => md5(concat_ws('|', refusal.link_id, refusal.record_id, refusal.field, refusal.value, edit.at AT TIME ZONE 'UTC'))::uuid);
  RETURN true;
END
$$;
COMMENT ON FUNCTION crm_bridge._tell_not_carried(crm_bridge.refusal) IS 'tells whoever edited a record at a service what the other side cannot hold (B5)';
REVOKE ALL ON FUNCTION crm_bridge._tell_not_carried(crm_bridge.refusal) FROM PUBLIC;
