-- Outbound, as docs/protocol.md describes it.  Whatever touches rows that capture or another worker may hold takes them
-- with SKIP LOCKED or in one statement of its own; order: mirror rows, link, delivery, shadow.

-- Keeps a worker's claims alive.  Arguments: lease (the worker's own uuid), its name, how long one heartbeat lasts.
CREATE OR REPLACE FUNCTION crm_bridge.heartbeat(lease uuid, worker text, lasts interval DEFAULT '10 seconds')
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO crm_bridge.lease (org_id, lease, worker, lasts)
  VALUES (0, heartbeat.lease, heartbeat.worker, heartbeat.lasts)
  ON CONFLICT ON CONSTRAINT lease_key DO UPDATE
     SET renewed_at = now(), lasts = EXCLUDED.lasts, worker = EXCLUDED.worker;
  -- Workers that are long gone: what they held has been handed out again.
  DELETE FROM crm_bridge.lease AS l
   WHERE l.org_id = 0 AND l.renewed_at < now() - interval '1 hour'
     AND l.lease <> heartbeat.lease
     AND NOT EXISTS (SELECT 1 FROM crm_bridge.delivery AS d WHERE d.state = 'in_flight' AND d.lease = l.lease);
END
$$;
COMMENT ON FUNCTION crm_bridge.heartbeat(uuid, text, interval) IS 'keeps a worker''s claims alive';
REVOKE ALL ON FUNCTION crm_bridge.heartbeat(uuid, text, interval) FROM PUBLIC;

-- The leases whose heartbeat is fresh.
CREATE OR REPLACE FUNCTION crm_bridge._fresh_leases()
RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(SELECT l.lease FROM crm_bridge.lease AS l WHERE l.org_id = 0 AND l.renewed_at > clock_timestamp() - l.lasts);
END
$$;
COMMENT ON FUNCTION crm_bridge._fresh_leases() IS 'the workers that are alive';
REVOKE ALL ON FUNCTION crm_bridge._fresh_leases() FROM PUBLIC;

-- The organizations that have due work for a service, longest waiting first.
CREATE OR REPLACE FUNCTION crm_bridge.backlog(service text)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fresh uuid[] := crm_bridge._fresh_leases();
BEGIN
  RETURN QUERY
    SELECT i.org_id
      FROM crm_bridge.integration AS i
     CROSS JOIN LATERAL (
           SELECT d.queued_at FROM crm_bridge.delivery AS d
            WHERE d.org_id = i.org_id AND d.service = backlog.service AND NOT d.stopped
              AND ((d.state = 'pending' AND d.not_before <= now()) OR (d.state = 'in_flight' AND d.lease <> ALL (fresh)))
            ORDER BY d.queued_at, d.record_id LIMIT 1) AS oldest
     WHERE i.service = backlog.service AND i.state = 'active'
     ORDER BY oldest.queued_at;
END
$$;
COMMENT ON FUNCTION crm_bridge.backlog(text) IS 'the organizations that have due work for a service, longest waiting first';
REVOKE ALL ON FUNCTION crm_bridge.backlog(text) FROM PUBLIC;

-- What is to be sent of the given records, by our uuids: all writable fields that are not empty of a record that its
-- service does not have yet, the dirty ones of the others.  A statement of its own, run after the claim: with the
-- claim's older snapshot it could hand out old values under the right generation and lose an edit.
CREATE OR REPLACE FUNCTION crm_bridge._payload(org_id bigint, module text, records uuid[])
RETURNS TABLE (record_id uuid, mirror jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT m.id, m.custom_fields || (to_jsonb(m) - ''custom_fields'') FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = ANY ($2)',
    module) USING org_id, records;
END
$$;
COMMENT ON FUNCTION crm_bridge._payload(bigint, text, uuid[]) IS 'the mirror rows of records as documents';
REVOKE ALL ON FUNCTION crm_bridge._payload(bigint, text, uuid[]) FROM PUBLIC;

-- Hands up to "limit" due records to the worker that holds "lease": see docs/protocol.md.  Concurrent callers never get
-- the same record.  Errors: 55000 not armed; 22023 a bad limit.
CREATE OR REPLACE FUNCTION crm_bridge.claim(service text, "limit" integer, lease uuid, org_id bigint DEFAULT NULL)
RETURNS TABLE (module text, record_id uuid, operation text, external_id text, version timestamptz, fields jsonb,
               context jsonb, attempt integer, in_doubt boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(claim.org_id, crm_bridge._own_org(NULL));
  fresh uuid[];
  claimed uuid[];
  portal text;
BEGIN
  PERFORM crm_bridge._demand_armed();
  IF "limit" IS NULL OR "limit" < 1 OR "limit" > 10000 THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'limit must be between 1 and 10000';
  END IF;
  IF claim.lease IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'lease must not be null',
      HINT = 'Make one with crm_bridge.new_id() and keep it alive with crm_bridge.heartbeat().';
  END IF;
  PERFORM 1 FROM crm_bridge.integration AS i WHERE i.org_id = org AND i.service = claim.service AND i.state = 'active';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  fresh := crm_bridge._fresh_leases() || claim.lease;
  PERFORM crm_bridge.heartbeat(claim.lease, 'claim')
    WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.lease AS l WHERE l.org_id = 0 AND l.lease = claim.lease);

  WITH due AS (
    SELECT d.record_id
      FROM crm_bridge.delivery AS d
     WHERE d.org_id = org AND d.service = claim.service AND NOT d.stopped
       AND ((d.state = 'pending' AND d.not_before <= now()) OR (d.state = 'in_flight' AND d.lease <> ALL (fresh)))
       -- Two faces that are not reconciled yet are never sent.
       AND NOT EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS r WHERE r.org_id = org AND r.record_id = d.record_id)
       AND NOT EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS r
                         JOIN crm_bridge.link AS l ON l.org_id = org AND l.link_id = r.link_id
                        WHERE r.org_id = org AND (l.left_id = d.record_id OR l.right_id = d.record_id))
     ORDER BY d.queued_at, d.record_id
     LIMIT "limit"
       FOR NO KEY UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE crm_bridge.delivery AS d
       SET state = 'in_flight', lease = claim.lease, attempts = d.attempts + 1, sent_at = clock_timestamp(),
           -- A broken lease: its worker may have sent what it had.
           in_doubt = d.in_doubt OR d.state = 'in_flight',
           fields = CASE WHEN d.sent IS NULL THEN d.fields
                         ELSE ARRAY(SELECT DISTINCT f FROM unnest(d.fields || ARRAY(SELECT jsonb_object_keys(d.sent))) AS f ORDER BY f)
                    END,
           sent = COALESCE(d.sent, '{}')
      FROM due
     WHERE d.org_id = org AND d.record_id = due.record_id
    RETURNING d.record_id
  )
  SELECT array_agg(t.record_id) INTO claimed FROM taken AS t;
  IF claimed IS NULL THEN
    RETURN;
  END IF;

  SELECT p.external_id INTO portal
    FROM crm_bridge.integration AS i JOIN crm_bridge.projects_portal AS p ON p.org_id = i.org_id AND p.id = i.portal_id
   WHERE i.org_id = org AND i.service = claim.service;
  RETURN QUERY SELECT * FROM crm_bridge._prepare(org, claimed, portal);
END
$$;
COMMENT ON FUNCTION crm_bridge.claim(text, integer, uuid, bigint) IS 'hands due records of one organization to one worker';
REVOKE ALL ON FUNCTION crm_bridge.claim(text, integer, uuid, bigint) FROM PUBLIC;

-- Works out what is sent of the claimed records, notes it in "sent" and returns it with references as external ids.
-- A record that refers to one that has no external id yet is put aside until that one has.
CREATE OR REPLACE FUNCTION crm_bridge._prepare(org_id bigint, claimed uuid[], portal text)
RETURNS TABLE (module text, record_id uuid, operation text, external_id text, version timestamptz, fields jsonb,
               context jsonb, attempt integer, in_doubt boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _prepare.org_id;
  each_module text;
BEGIN
  FOR each_module IN SELECT DISTINCT d.module FROM crm_bridge.delivery AS d
                      WHERE d.org_id = org AND d.record_id = ANY (claimed) ORDER BY 1 LOOP
    RETURN QUERY
    WITH row_of AS (
      SELECT d.record_id, d.operation, d.fields AS dirty, d.attempts, d.in_doubt, s.external_id, s.version,
             p.mirror
        FROM crm_bridge.delivery AS d
        LEFT JOIN crm_bridge._payload(org, each_module, claimed) AS p ON p.record_id = d.record_id
        LEFT JOIN crm_bridge.shadow AS s ON s.org_id = org AND s.record_id = d.record_id AND s.state <> 'gone'
       WHERE d.org_id = org AND d.record_id = ANY (claimed) AND d.module = each_module
    ), chosen AS (
      SELECT r.*, CASE WHEN r.operation = 'delete' OR r.mirror IS NULL THEN 'delete'
                       WHEN COALESCE(r.external_id, r.mirror ->> 'external_id') IS NULL THEN 'create' ELSE 'update' END AS verb
        FROM row_of AS r
    ), value_of AS (
      -- Only columns hold our ids; a custom field that refers to a record keeps the service's own words.
      SELECT c.record_id, f.field, f.addresses, CASE WHEN f.custom AND f.reference_module IS NOT NULL THEN 'json' ELSE f.type END AS type,
             CASE WHEN c.mirror ? f.field THEN c.mirror -> f.field ELSE 'null'::jsonb END AS value,
             f.writable AND (CASE c.verb WHEN 'create' THEN jsonb_typeof(c.mirror -> f.field) <> 'null'
                                         WHEN 'update' THEN f.field = ANY (c.dirty) ELSE false END) AS to_send
        FROM chosen AS c
        JOIN crm_bridge.service_field AS f ON f.org_id = org AND f.module = each_module
       WHERE c.mirror IS NOT NULL
         AND (f.addresses OR (f.writable AND (c.verb = 'create' AND c.mirror ? f.field OR f.field = ANY (c.dirty))))
    ), referred AS (
      SELECT v.record_id, v.field, v.to_send, v.addresses, v.type, e.position, s.external_id, (e.id)::uuid AS target
        FROM value_of AS v
       CROSS JOIN LATERAL jsonb_array_elements_text(
               CASE WHEN jsonb_typeof(v.value) = 'array' THEN v.value
                    WHEN jsonb_typeof(v.value) = 'string' THEN jsonb_build_array(v.value) ELSE '[]'::jsonb END)
             WITH ORDINALITY AS e (id, position)
        LEFT JOIN crm_bridge.shadow AS s ON s.org_id = org AND s.record_id = (e.id)::uuid AND s.state <> 'gone'
       WHERE v.type IN ('reference', 'references')
    ), missing AS (
      SELECT r.record_id, min(r.target::text)::uuid AS target
        FROM referred AS r
       WHERE r.external_id IS NULL AND (r.to_send OR r.addresses)
       GROUP BY r.record_id
    ), resolved AS (
      SELECT v.record_id, v.field, v.to_send, v.addresses, v.value AS own,
             CASE v.type
               WHEN 'reference' THEN COALESCE((SELECT to_jsonb(r.external_id) FROM referred AS r
                                                WHERE r.record_id = v.record_id AND r.field = v.field), 'null'::jsonb)
               WHEN 'references' THEN (SELECT COALESCE(jsonb_agg(r.external_id ORDER BY r.position), '[]'::jsonb)
                                         FROM referred AS r WHERE r.record_id = v.record_id AND r.field = v.field)
               ELSE v.value END AS outward
        FROM value_of AS v
    ), composed AS (
      SELECT r.record_id,
             COALESCE(jsonb_object_agg(r.field, r.own) FILTER (WHERE r.to_send), '{}'::jsonb) AS own,
             COALESCE(jsonb_object_agg(r.field, r.outward) FILTER (WHERE r.to_send), '{}'::jsonb) AS outward,
             COALESCE(jsonb_object_agg(r.field, r.outward) FILTER (WHERE r.addresses AND r.outward <> 'null'::jsonb), '{}'::jsonb) AS address
        FROM resolved AS r
       GROUP BY r.record_id
    ), written AS (
      UPDATE crm_bridge.delivery AS d
         SET sent = CASE WHEN m.target IS NULL THEN COALESCE(x.own, '{}'::jsonb) END,
             fields = CASE WHEN m.target IS NULL THEN '{}' ELSE d.fields END,
             state = CASE WHEN m.target IS NULL THEN 'in_flight' ELSE 'waiting' END,
             stopped = m.target IS NOT NULL,
             lease = CASE WHEN m.target IS NULL THEN d.lease END,
             waits_for = m.target,
             attempts = CASE WHEN m.target IS NULL THEN d.attempts ELSE d.attempts - 1 END
        FROM chosen AS c
        LEFT JOIN composed AS x ON x.record_id = c.record_id
        LEFT JOIN missing AS m ON m.record_id = c.record_id
       WHERE d.org_id = org AND d.record_id = c.record_id
      RETURNING d.record_id, m.target
    )
    SELECT each_module, c.record_id, c.verb, COALESCE(c.external_id, c.mirror ->> 'external_id'), c.version,
           COALESCE(x.outward, '{}'::jsonb),
           CASE WHEN portal IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('portal_id', portal) END
             || COALESCE(x.address, '{}'::jsonb) || CASE WHEN c.verb = 'delete' THEN crm_bridge._address_of_deleted(org, c.record_id) ELSE '{}'::jsonb END,
           c.attempts, c.in_doubt
      FROM written AS w
      JOIN chosen AS c ON c.record_id = w.record_id
      LEFT JOIN composed AS x ON x.record_id = c.record_id
     WHERE w.target IS NULL;
  END LOOP;
  -- The record waited for may have got its id between the look and the note.
  PERFORM crm_bridge._wake_waiting(org, ARRAY(
    SELECT d.waits_for FROM crm_bridge.delivery AS d JOIN crm_bridge.shadow AS s ON s.org_id = org AND s.record_id = d.waits_for
     WHERE d.org_id = org AND d.record_id = ANY (claimed) AND s.external_id IS NOT NULL AND s.state <> 'gone'));
END
$$;
COMMENT ON FUNCTION crm_bridge._prepare(bigint, uuid[], text) IS 'what is sent of claimed records';
REVOKE ALL ON FUNCTION crm_bridge._prepare(bigint, uuid[], text) FROM PUBLIC;

-- The external ids that address a record which is not in its mirror any more, from what the service told last.
CREATE OR REPLACE FUNCTION crm_bridge._address_of_deleted(org_id bigint, record_id uuid)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT COALESCE(jsonb_object_agg(f.field, target.external_id), '{}'::jsonb)
            FROM crm_bridge.shadow AS s
            JOIN crm_bridge.service_field AS f ON f.org_id = s.org_id AND f.module = s.module AND f.addresses
            JOIN crm_bridge.shadow AS target ON target.org_id = s.org_id AND target.record_id = (s.fields ->> f.field)::uuid
           WHERE s.org_id = _address_of_deleted.org_id AND s.record_id = _address_of_deleted.record_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._address_of_deleted(bigint, uuid) IS 'the external ids that address a deleted record';
REVOKE ALL ON FUNCTION crm_bridge._address_of_deleted(bigint, uuid) FROM PUBLIC;

-- Records that waited for these may be sent now.
CREATE OR REPLACE FUNCTION crm_bridge._wake_waiting(org_id bigint, records uuid[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE crm_bridge.delivery AS d
     SET state = 'pending', stopped = false, waits_for = NULL
   WHERE d.org_id = _wake_waiting.org_id AND d.waits_for = ANY (records) AND d.state = 'waiting';
END
$$;
COMMENT ON FUNCTION crm_bridge._wake_waiting(bigint, uuid[]) IS 'makes due what waited for these records';
REVOKE ALL ON FUNCTION crm_bridge._wake_waiting(bigint, uuid[]) FROM PUBLIC;

-- Gives the mirror rows their external ids.  A row that somebody holds gets it by reconcile.
CREATE OR REPLACE FUNCTION crm_bridge._identify(org_id bigint, module text, records uuid[], external_ids text[])
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_identify';
COMMENT ON FUNCTION crm_bridge._identify(bigint, text, uuid[], text[]) IS 'gives mirror rows their external ids';
REVOKE ALL ON FUNCTION crm_bridge._identify(bigint, text, uuid[], text[]) FROM PUBLIC;
