-- Two records that somebody merges in a service: one of them is gone there, and its links follow the other.

-- The values that the twin of a merged record last agreed to, of the fields that its pairing keeps in step.
CREATE OR REPLACE FUNCTION crm_bridge._agreed_values(pairing text, side text, record_id uuid, org_id bigint)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known jsonb;
BEGIN
  SELECT NULLIF(s.fields, '{}') INTO known FROM crm_bridge.shadow AS s
   WHERE s.org_id = _agreed_values.org_id AND s.record_id = _agreed_values.record_id;
  IF known IS NULL THEN
    -- Its deletion is on record with all that it had.
    SELECT h.old INTO known FROM crm_bridge.history AS h
     WHERE h.org_id = _agreed_values.org_id AND h.record_id = _agreed_values.record_id AND h.operation = 'delete'
     ORDER BY h.at DESC LIMIT 1;
  END IF;
  RETURN (SELECT COALESCE(jsonb_object_agg(n.name, known -> n.name), '{}')
            FROM crm_bridge.field_mapping AS f
           CROSS JOIN LATERAL (SELECT CASE side WHEN 'left' THEN f.left_field ELSE f.right_field END AS name) AS n
           WHERE f.org_id = _agreed_values.org_id AND f.pairing = _agreed_values.pairing AND f.keep_in_step
             AND known ? n.name);
END
$$;
COMMENT ON FUNCTION crm_bridge._agreed_values(text, text, uuid, bigint) IS 'what a merged record last agreed on with its twin';
REVOKE ALL ON FUNCTION crm_bridge._agreed_values(text, text, uuid, bigint) FROM PUBLIC;

-- Of the links whose record on this side ("left" or "right") is gone: those whose record was merged into another one go on with
-- it, or are archived as merged where the survivor has a twin of its own.  Result: the links that are settled by that.
CREATE OR REPLACE FUNCTION crm_bridge._follow_survivors(links uuid[], side text, org_id bigint)
RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _follow_survivors.org_id;
  merged record;
BEGIN
  FOR merged IN
    SELECT k.link_id, k.pairing, k.state, s.record_id AS loser, v.record_id AS survivor, s.module, s.external_id
      FROM crm_bridge.link AS k
      JOIN crm_bridge.shadow AS s
        ON s.org_id = org AND s.record_id = CASE _follow_survivors.side WHEN 'left' THEN k.left_id ELSE k.right_id END
      JOIN crm_bridge.shadow AS v ON v.org_id = org AND v.record_id = s.survivor_id AND v.module = s.module AND v.state = 'live'
     WHERE k.org_id = org AND k.link_id = ANY (_follow_survivors.links)
     ORDER BY k.link_id
  LOOP
    IF EXISTS (SELECT 1 FROM crm_bridge.link AS o
                WHERE o.org_id = org AND o.pairing = merged.pairing AND o.state <> 'archived' AND o.link_id <> merged.link_id
                  AND merged.survivor = CASE _follow_survivors.side WHEN 'left' THEN o.left_id ELSE o.right_id END) THEN
      UPDATE crm_bridge.link AS k SET state = 'archived', reason = 'merged' WHERE k.org_id = org AND k.link_id = merged.link_id;
    ELSE
      UPDATE crm_bridge.link AS k
         SET left_id = CASE _follow_survivors.side WHEN 'left' THEN merged.survivor ELSE k.left_id END,
             right_id = CASE _follow_survivors.side WHEN 'right' THEN merged.survivor ELSE k.right_id END,
             state = CASE k.state WHEN 'archived' THEN 'active' ELSE k.state END, reason = NULL
       WHERE k.org_id = org AND k.link_id = merged.link_id;
      -- What the survivor has otherwise is a change like any other: the twin takes it, unless it was changed too.
      INSERT INTO crm_bridge.reconcile_request (org_id, record_id, module, link_id, operation, fields, old)
      SELECT org, merged.survivor, merged.module, merged.link_id, 'propagate', ARRAY(SELECT jsonb_object_keys(a.old)), a.old
        FROM (SELECT crm_bridge._agreed_values(merged.pairing, _follow_survivors.side, merged.loser, org) AS old) AS a
       WHERE a.old <> '{}';
    END IF;
    RETURN NEXT merged.link_id;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._follow_survivors(uuid[], text, bigint) IS 'links of merged records go on with the survivor';
REVOKE ALL ON FUNCTION crm_bridge._follow_survivors(uuid[], text, bigint) FROM PUBLIC;

-- Notes that the service merged a record into another one.  Where the deletion was seen first, links that ended by it are taken
-- up again, if their twins are still there.
CREATE OR REPLACE FUNCTION crm_bridge._note_survivor(module text, loser uuid, survivor uuid, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _note_survivor.org_id;
  gone boolean;
  ended record;
  stays boolean;
BEGIN
  UPDATE crm_bridge.shadow AS s SET survivor_id = _note_survivor.survivor
   WHERE s.org_id = org AND s.record_id = _note_survivor.loser AND s.module = _note_survivor.module
     AND s.survivor_id IS DISTINCT FROM _note_survivor.survivor
  RETURNING s.state = 'gone' INTO gone;
  IF gone IS NOT TRUE THEN
    RETURN;
  END IF;
  FOR ended IN
    SELECT k.link_id, CASE k.left_id WHEN _note_survivor.loser THEN 'left' ELSE 'right' END AS side,
           CASE k.left_id WHEN _note_survivor.loser THEN p.right_module ELSE p.left_module END AS twin_module,
           CASE k.left_id WHEN _note_survivor.loser THEN k.right_id ELSE k.left_id END AS twin
      FROM crm_bridge.link AS k
      JOIN crm_bridge.pairing AS p ON p.org_id = org AND p.pairing = k.pairing
     WHERE k.org_id = org AND _note_survivor.loser IN (k.left_id, k.right_id)
       AND (k.state <> 'archived' OR k.reason = 'deleted')
     ORDER BY k.link_id
       FOR NO KEY UPDATE OF k
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM crm_bridge.%I AS t WHERE t.org_id = $1 AND t.id = $2)', ended.twin_module)
       INTO stays USING org, ended.twin;
    CONTINUE WHEN NOT stays;
    PERFORM crm_bridge._follow_survivors(ARRAY[ended.link_id], ended.side, org);
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._note_survivor(text, uuid, uuid, bigint) IS 'notes that the service merged a record into another one';
REVOKE ALL ON FUNCTION crm_bridge._note_survivor(text, uuid, uuid, bigint) FROM PUBLIC;

-- Says which record survived a merge in the service, where the service does not show it: links of the one that is gone, or
-- will be seen gone, follow the other.
-- Errors: 42704 one of them is no record that the service has told of; 22023 both are the same, or the survivor is gone.
CREATE OR REPLACE FUNCTION crm_bridge.record_merged(module text, loser uuid, survivor uuid, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(record_merged.org_id);
  named uuid;
  state text;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  FOREACH named IN ARRAY ARRAY[record_merged.loser, record_merged.survivor] LOOP
    SELECT s.state INTO state FROM crm_bridge.shadow AS s
     WHERE s.org_id = org AND s.record_id = named AND s.module = record_merged.module;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('%s is no record of "%s" that the service has told of', COALESCE(named::text, 'NULL'), record_merged.module),
        HINT = 'Both are named by their id in the mirror; the one that is gone is in crm_bridge.record_history.';
    END IF;
  END LOOP;
  IF record_merged.loser = record_merged.survivor OR state = 'gone' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a record is merged into another one that the service still has';
  END IF;
  PERFORM crm_bridge._note_survivor(record_merged.module, record_merged.loser, record_merged.survivor, org);
END
$$;
COMMENT ON FUNCTION crm_bridge.record_merged(text, uuid, uuid, bigint) IS
  'says which record survived a merge in the service; links of the other one follow it';
REVOKE ALL ON FUNCTION crm_bridge.record_merged(text, uuid, uuid, bigint) FROM PUBLIC;
