-- What became of claimed records: acknowledge, fail, retry, and what a deletion leaves to be sent.

-- Folds a record that a poll brought in before the answer to its creation came into the one that we created.
CREATE OR REPLACE FUNCTION crm_bridge._adopt(org_id bigint, module text, ours uuid, stranger uuid)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_adopt';
COMMENT ON FUNCTION crm_bridge._adopt(bigint, text, uuid, uuid) IS
  'folds a record that was read before its creation was confirmed into the one that was created here';
REVOKE ALL ON FUNCTION crm_bridge._adopt(bigint, text, uuid, uuid) FROM PUBLIC;

-- The service has what was handed out: see docs/protocol.md.  Folds it into the shadow; what was changed meanwhile is due again.
-- An external id is never refused, whoever brings it: if the record has none it is set, a second one is deleted at the service.
-- A poll may bring the same record in at the same moment: then its row is there at the next try, and is folded into ours.
-- A result that cannot be true (see _demand_results) or cannot be read is 'rejected', with a WARNING that says why; the others go on.
CREATE OR REPLACE FUNCTION crm_bridge.acknowledge(lease uuid, results jsonb, org_id bigint DEFAULT NULL)
RETURNS TABLE (module text, record_id uuid, outcome text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  org bigint := COALESCE(acknowledge.org_id, crm_bridge._own_org(NULL));
  tries integer := 5;
BEGIN
  IF jsonb_typeof(results) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'results must be a JSON array',
      HINT = 'For example [{"module": "crm_deal", "record_id": "…", "external_id": "…", "version": "…"}].';
  END IF;
  LOOP
    BEGIN
      PERFORM crm_bridge._demand_results(results, org);
      RETURN QUERY SELECT a.module, a.record_id, a.outcome FROM crm_bridge._acknowledge(acknowledge.lease, results, org) AS a;
      RETURN;
    EXCEPTION
      WHEN unique_violation THEN
        tries := tries - 1;
        IF tries = 0 THEN
          RAISE;
        END IF;
      WHEN data_exception OR integrity_constraint_violation THEN
        IF jsonb_array_length(results) = 1 THEN
          RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = format('a result is rejected: %s', SQLERRM), DETAIL = left((results -> 0)::text, 500);
          RETURN QUERY SELECT results #>> '{0,module}', crm_bridge._uuid_or_null(results #>> '{0,record_id}'), 'rejected';
        ELSE
          RETURN QUERY SELECT a.module, a.record_id, a.outcome
                         FROM jsonb_array_elements(results) AS r
                        CROSS JOIN LATERAL crm_bridge.acknowledge(acknowledge.lease, jsonb_build_array(r), org) AS a;
        END IF;
        RETURN;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge.acknowledge(uuid, jsonb, bigint) IS 'the service has what was handed out';
REVOKE ALL ON FUNCTION crm_bridge.acknowledge(uuid, jsonb, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._acknowledge(lease uuid, results jsonb, org_id bigint)
RETURNS TABLE (module text, record_id uuid, outcome text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _acknowledge.org_id;
  each_module text;
  identified uuid[];
BEGIN
  PERFORM crm_bridge._adopt(org, s.module, (r ->> 'record_id')::uuid, s.record_id)
     FROM jsonb_array_elements(results) AS r
    CROSS JOIN LATERAL (
          SELECT o.module, o.record_id, o.acknowledged_at FROM crm_bridge.shadow AS o
           WHERE o.org_id = org AND o.module = r ->> 'module' AND o.external_id = r ->> 'external_id' LIMIT 1) AS s
    WHERE s.record_id <> (r ->> 'record_id')::uuid AND s.acknowledged_at IS NULL
      -- Scalar, here and below, so that each is one probe of a whole key, whatever the statistics of a young table say.
      AND (SELECT o.external_id FROM crm_bridge.shadow AS o
            WHERE o.org_id = org AND o.record_id = (r ->> 'record_id')::uuid AND o.state <> 'gone' LIMIT 1) IS NULL
      AND NOT crm_bridge._is_linked(org, s.record_id);

  -- Mirror rows first, before any delivery row is held.
  FOR each_module IN SELECT DISTINCT r ->> 'module' FROM jsonb_array_elements(results) AS r WHERE r ->> 'external_id' IS NOT NULL LOOP
    PERFORM crm_bridge._identify(org, each_module, array_agg(n.record_id), array_agg(n.external_id))
       FROM (SELECT DISTINCT ON (r ->> 'record_id') (r ->> 'record_id')::uuid AS record_id, r ->> 'external_id' AS external_id
               FROM jsonb_array_elements(results) AS r
              WHERE r ->> 'module' = each_module AND r ->> 'external_id' IS NOT NULL) AS n
      WHERE (SELECT s.record_id FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.module = each_module
                AND s.external_id = n.external_id AND s.record_id <> n.record_id LIMIT 1) IS NULL
        AND (SELECT s.external_id FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = n.record_id
                AND (s.state <> 'gone' OR s.external_id = n.external_id) LIMIT 1) IS NULL;
  END LOOP;

  RETURN QUERY
  WITH result AS (
    SELECT DISTINCT ON (r ->> 'record_id') r ->> 'module' AS module, (r ->> 'record_id')::uuid AS record_id,
           r ->> 'external_id' AS external_id, (r ->> 'version')::timestamptz AS version
      FROM jsonb_array_elements(results) AS r
  ), held AS (
    SELECT d.* FROM crm_bridge.delivery AS d
     WHERE d.org_id = org AND d.record_id IN (SELECT r.record_id FROM result AS r)
     ORDER BY d.record_id FOR NO KEY UPDATE SKIP LOCKED
  ), judged AS (
    SELECT r.module, r.record_id, r.external_id, r.version,
           COALESCE(h.state = 'in_flight' AND h.lease = _acknowledge.lease, false) AS valid,
           h.operation = 'delete' AND h.sent = '{}' AND s.external_id IS NOT NULL AND r.external_id IS NULL AS erased,
           h.sent, h.doubted,
           -- A reading that came before this answer and is newer has shown what became of these fields, and receive has decided on
           -- them: what it showed stays the base.
           CASE WHEN s.version > r.version AND s.read_at > h.sent_at THEN h.fields ELSE '{}' END AS overtaken,
           -- Judged by the row that is locked: a writer may have changed it since this statement's snapshot, and what looks at
           -- the snapshot first would find the record neither settled nor due again.
           (h.operation = 'write' AND h.fields = '{}' AND s.bygone IS NOT TRUE)
             OR (h.operation = 'delete' AND h.sent = '{}' AND s.external_id IS NOT NULL AND r.external_id IS NULL) AS finished,
           s.external_id AS known_as, s.state AS known_state, s.bygone,
           -- Somebody else's record by now: it must not be taken for ours.
           COALESCE((SELECT o.acknowledged_at IS NOT NULL OR crm_bridge._is_linked(org, o.record_id)
                       FROM crm_bridge.shadow AS o WHERE o.org_id = org AND o.module = r.module
                        AND o.external_id = r.external_id AND o.record_id <> r.record_id LIMIT 1), false) AS taken
      FROM result AS r
      LEFT JOIN held AS h ON h.record_id = r.record_id
      -- bygone: an answer about the record's first life, told after its deletion: it is to be made anew still.
      LEFT JOIN LATERAL (SELECT k.external_id, k.state, k.version, k.read_at, k.state = 'gone' AND k.external_id = r.external_id AS bygone
                           FROM crm_bridge.shadow AS k
                          WHERE k.org_id = org AND k.record_id = r.record_id LIMIT 1) AS s ON true
      -- A writer holds the row until his transaction ends; nobody waits for that here.
     WHERE h.record_id IS NOT NULL
        OR (SELECT d.record_id FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = r.record_id LIMIT 1) IS NULL
  ), confirmed AS (
    INSERT INTO crm_bridge.shadow AS s (org_id, record_id, module, external_id, state, version, fields, acknowledged_at, doubted, doubted_until)
    SELECT org, j.record_id, j.module, COALESCE(CASE WHEN j.known_state <> 'gone' THEN j.known_as END, j.external_id), 'live',
           j.version, CASE WHEN j.valid THEN j.sent - j.overtaken ELSE '{}' END, clock_timestamp(),
           d.doubted, CASE WHEN d.doubted IS NOT NULL THEN clock_timestamp() + interval '10 minutes' END
      FROM judged AS j
      -- Which attempt has created it a worker that was given up does not say: what comes back of any is ours.
     CROSS JOIN LATERAL (SELECT CASE WHEN NOT j.valid AND j.sent <> '{}' AND (j.known_as IS NULL OR j.known_state = 'gone')
                                     THEN COALESCE(j.doubted, '[]') || jsonb_build_array(j.sent) END AS doubted) AS d
     WHERE NOT j.erased AND NOT j.taken AND j.bygone IS NOT TRUE AND COALESCE(CASE WHEN j.known_state <> 'gone' THEN j.known_as END, j.external_id) IS NOT NULL
    ON CONFLICT ON CONSTRAINT shadow_key DO UPDATE
       SET external_id = EXCLUDED.external_id, state = 'live',
           version = GREATEST(s.version, EXCLUDED.version),
           fields = s.fields || EXCLUDED.fields,
           acknowledged_at = EXCLUDED.acknowledged_at,
           doubted = COALESCE(EXCLUDED.doubted, s.doubted), doubted_until = COALESCE(EXCLUDED.doubted_until, s.doubted_until)
    RETURNING s.record_id
  ), former AS (
    -- A record made anew has another id: what is still told of the first one is not a stranger's.
    INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, state, read_at)
    SELECT org, crm_bridge.new_id(), j.module, j.known_as, 'gone', clock_timestamp() FROM judged AS j JOIN confirmed AS c ON c.record_id = j.record_id
     WHERE j.known_state = 'gone' AND j.known_as <> j.external_id ON CONFLICT ON CONSTRAINT shadow_external_id_unique DO NOTHING
  ), erased AS (
    UPDATE crm_bridge.shadow AS s
       SET state = 'gone', fields = '{}', acknowledged_at = clock_timestamp()
      FROM judged AS j
     WHERE j.erased AND j.valid AND s.org_id = org AND s.record_id = j.record_id
    RETURNING s.record_id
  ), settled AS (
    DELETE FROM crm_bridge.delivery AS d
     USING judged AS j
     WHERE d.org_id = org AND d.record_id = j.record_id AND j.valid AND NOT j.taken AND j.finished
    RETURNING d.record_id
  ), due_again AS (
    UPDATE crm_bridge.delivery AS d
       SET state = CASE WHEN j.taken THEN 'parked' ELSE 'pending' END, stopped = j.taken,
           lease = NULL, sent = NULL, doubted = NULL, in_doubt = false, attempts = 0, not_before = '-infinity',
           reason = CASE WHEN j.taken THEN 'external_id_taken' END,
           detail = CASE WHEN j.taken THEN format('The service''s record %s belongs to another record here.', j.external_id) END
      FROM judged AS j
     WHERE d.org_id = org AND d.record_id = j.record_id AND j.valid
       AND (j.taken OR NOT j.finished)
    RETURNING d.record_id
  ), second AS (
    SELECT j.module, j.external_id FROM judged AS j
     WHERE j.known_state <> 'gone' AND j.known_as <> j.external_id AND NOT j.taken
  ), duplicate AS (
    INSERT INTO crm_bridge.shadow (org_id, record_id, module, external_id, state)
    SELECT org, crm_bridge.new_id(), s.module, s.external_id, 'duplicate' FROM second AS s
    ON CONFLICT ON CONSTRAINT shadow_external_id_unique DO NOTHING
    RETURNING record_id, module
  ), compensation AS (
    INSERT INTO crm_bridge.delivery (org_id, record_id, module, service, operation, reason)
    SELECT org, d.record_id, d.module, m.service, 'delete', 'duplicate'
      FROM duplicate AS d JOIN crm_bridge.module AS m ON m.module = d.module
    RETURNING record_id
  )
  SELECT j.module, j.record_id,
         CASE WHEN j.known_state <> 'gone' AND j.known_as <> j.external_id THEN 'duplicate'
              WHEN NOT j.valid THEN 'late'
              WHEN EXISTS (SELECT 1 FROM settled AS s WHERE s.record_id = j.record_id) THEN 'done'
              ELSE 'pending' END
    FROM judged AS j
  UNION ALL
  SELECT r.module, r.record_id, 'busy' FROM result AS r WHERE r.record_id NOT IN (SELECT j.record_id FROM judged AS j);

  identified := ARRAY(SELECT (r ->> 'record_id')::uuid FROM jsonb_array_elements(results) AS r WHERE r ->> 'external_id' IS NOT NULL);
  IF identified <> '{}' THEN
    PERFORM crm_bridge._wake_waiting(org, identified);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._acknowledge(uuid, jsonb, bigint) IS 'one try of acknowledge';
REVOKE ALL ON FUNCTION crm_bridge._acknowledge(uuid, jsonb, bigint) FROM PUBLIC;

-- Milliseconds of full-jitter backoff after an attempt, at least the service's own Retry-After.
CREATE OR REPLACE FUNCTION crm_bridge.retry_delay(attempt integer, retry_after bigint DEFAULT 0)
RETURNS interval
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_retry_delay';
COMMENT ON FUNCTION crm_bridge.retry_delay(integer, bigint) IS
  'how long to wait after an attempt: exponential with full jitter, at least retry_after milliseconds';

-- What was handed out did not succeed: see docs/protocol.md.  A failure that names no record of ours is 'rejected'; the others go on.
CREATE OR REPLACE FUNCTION crm_bridge.fail(lease uuid, failures jsonb, org_id bigint DEFAULT NULL)
RETURNS TABLE (module text, record_id uuid, state text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(fail.org_id, crm_bridge._own_org(NULL));
  maximum integer;
  unknown text;
  settled uuid[] := '{}';
BEGIN
  IF jsonb_typeof(failures) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'failures must be a JSON array',
      HINT = 'For example [{"module": "crm_deal", "record_id": "…", "outcome": "retry", "reason": "rate_limited"}].';
  END IF;
  SELECT f ->> 'outcome' INTO unknown FROM jsonb_array_elements(failures) AS f
   WHERE COALESCE(f ->> 'outcome', '') NOT IN ('retry', 'in_doubt', 'release', 'park', 'gone') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('outcome "%s" is not known', unknown),
      HINT = 'Use retry, in_doubt, release, park or gone.';
  END IF;
  BEGIN
    PERFORM crm_bridge._demand_results(failures, org);
  EXCEPTION WHEN data_exception THEN
    IF jsonb_array_length(failures) = 1 THEN
      RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = format('a failure is rejected: %s', SQLERRM), DETAIL = left((failures -> 0)::text, 500);
      RETURN QUERY SELECT failures #>> '{0,module}', crm_bridge._uuid_or_null(failures #>> '{0,record_id}'), 'rejected';
    ELSE
      RETURN QUERY SELECT a.module, a.record_id, a.state
                     FROM jsonb_array_elements(failures) AS f
                    CROSS JOIN LATERAL crm_bridge.fail(fail.lease, jsonb_build_array(f), org) AS a;
    END IF;
    RETURN;
  END;
  maximum := COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'maximum_attempts'), '12')::integer;

  FOR module, record_id, state IN SELECT u.module, u.record_id, u.state FROM crm_bridge._refuse_updates(fail.lease, failures, org) AS u LOOP
    settled := settled || record_id;
    RETURN NEXT;
  END LOOP;

  -- A deletion of what is not there any more is done.
  RETURN QUERY
  WITH failure AS (
    SELECT DISTINCT ON (f ->> 'record_id') (f ->> 'record_id')::uuid AS record_id, f ->> 'outcome' AS outcome,
           left(COALESCE(f ->> 'reason', f ->> 'outcome'), 200) AS reason, left(f ->> 'detail', 4000) AS detail,
           -- Nobody waits for longer than a day, and not for what is no number.
           CASE WHEN jsonb_typeof(f -> 'retry_after') = 'number'
                THEN LEAST(GREATEST((f ->> 'retry_after')::numeric, 0), 86400000)::bigint ELSE 0 END AS retry_after
      FROM jsonb_array_elements(failures) AS f WHERE (f ->> 'record_id')::uuid <> ALL (settled)
  ), held AS (
    SELECT d.record_id, d.module, d.operation, d.sent, d.attempts, f.outcome, f.reason, f.detail, f.retry_after,
           CASE WHEN f.outcome IN ('retry', 'in_doubt') AND d.attempts >= maximum THEN 'dead'
                WHEN f.outcome = 'gone' AND d.operation = 'delete' THEN 'done'
                -- Known already, and decided: the record was changed here, so it is created anew (D2).
                WHEN f.outcome = 'gone' AND s.state = 'gone' THEN 'pending'
                -- Edited meanwhile: what the service refused may be mended already.
                WHEN f.outcome = 'park' AND d.operation = 'write' AND d.fields <> '{}' THEN 'pending'
                WHEN f.outcome IN ('park', 'gone') THEN 'parked'
                ELSE 'pending' END AS next_state,
           d.operation = 'write' AND s.external_id IS NOT NULL AND s.state <> 'gone' AS is_update
      FROM crm_bridge.delivery AS d JOIN failure AS f ON f.record_id = d.record_id
      LEFT JOIN crm_bridge.shadow AS s ON s.org_id = d.org_id AND s.record_id = d.record_id
     WHERE d.org_id = org AND d.state = 'in_flight' AND d.lease = fail.lease
     ORDER BY d.record_id FOR NO KEY UPDATE OF d SKIP LOCKED
  ), erased AS (
    UPDATE crm_bridge.shadow AS s SET state = 'gone', fields = '{}', acknowledged_at = clock_timestamp()
      FROM held AS h WHERE h.next_state = 'done' AND s.org_id = org AND s.record_id = h.record_id
    RETURNING s.record_id
  ), removed AS (
    DELETE FROM crm_bridge.delivery AS d USING held AS h
     WHERE h.next_state = 'done' AND d.org_id = org AND d.record_id = h.record_id
    RETURNING d.record_id
  ), changed AS (
    UPDATE crm_bridge.delivery AS d
       SET state = h.next_state, stopped = h.next_state <> 'pending', lease = NULL,
           attempts = CASE WHEN h.outcome = 'release' THEN GREATEST(d.attempts - 1, 0) ELSE d.attempts END,
           in_doubt = d.in_doubt OR h.outcome = 'in_doubt',
           -- What may have arrived stays known, so that its echo is recognised: this attempt, or the one before it.
           sent = CASE WHEN h.outcome = 'in_doubt' THEN d.sent
                       WHEN d.in_doubt THEN CASE WHEN h.is_update THEN d.doubted -> 0 ELSE d.sent END END,
           fields = ARRAY(SELECT DISTINCT f FROM unnest(d.fields || ARRAY(SELECT jsonb_object_keys(d.sent))) AS f ORDER BY f),
           not_before = CASE WHEN h.outcome = 'release' THEN '-infinity'
                             ELSE now() + crm_bridge.retry_delay(GREATEST(d.attempts, 1), h.retry_after) END,
           reason = CASE WHEN h.outcome = 'release' THEN d.reason ELSE h.reason END,
           detail = CASE WHEN h.outcome = 'release' THEN d.detail ELSE h.detail END
      FROM held AS h
     WHERE h.next_state <> 'done' AND d.org_id = org AND d.record_id = h.record_id
    RETURNING d.record_id
  )
  SELECT h.module, h.record_id, h.next_state FROM held AS h
  UNION ALL
  SELECT d.module, d.record_id, 'busy' FROM crm_bridge.delivery AS d JOIN failure AS f ON f.record_id = d.record_id
   WHERE d.org_id = org AND d.state = 'in_flight' AND d.lease = fail.lease
     AND d.record_id NOT IN (SELECT h.record_id FROM held AS h);
END
$$;
COMMENT ON FUNCTION crm_bridge.fail(uuid, jsonb, bigint) IS 'what was handed out did not succeed: later again, parked, or dead';
REVOKE ALL ON FUNCTION crm_bridge.fail(uuid, jsonb, bigint) FROM PUBLIC;

-- Gives back what a worker holds when it stops.  Whether it was sent is not known here: it counts as in doubt.
-- Result: how many records.
CREATE OR REPLACE FUNCTION crm_bridge.end_lease(lease uuid)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given_back integer := 0;
  org bigint;
  more integer;
BEGIN
  FOR org IN SELECT o.org_id FROM crm_bridge.organization AS o ORDER BY 1 LOOP
    UPDATE crm_bridge.delivery AS d
       SET state = 'pending', lease = NULL, in_doubt = true,
           fields = ARRAY(SELECT DISTINCT f FROM unnest(d.fields || ARRAY(SELECT jsonb_object_keys(d.sent))) AS f ORDER BY f)
     WHERE d.org_id = org AND NOT d.stopped AND d.state = 'in_flight' AND d.lease = end_lease.lease;
    GET DIAGNOSTICS more = ROW_COUNT;
    given_back := given_back + more;
  END LOOP;
  given_back := given_back + crm_bridge.release_notifications(end_lease.lease);
  DELETE FROM crm_bridge.budget_place AS p WHERE p.lease = end_lease.lease;
  DELETE FROM crm_bridge.lease AS l WHERE l.org_id = 0 AND l.lease = end_lease.lease;
  RETURN given_back;
END
$$;
COMMENT ON FUNCTION crm_bridge.end_lease(uuid) IS 'gives back what a worker holds when it stops';
REVOKE ALL ON FUNCTION crm_bridge.end_lease(uuid) FROM PUBLIC;

-- Makes parked and dead records due again: one, or all of the organization.  Result: how many.
CREATE OR REPLACE FUNCTION crm_bridge.retry(record_id uuid DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  changed integer;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  UPDATE crm_bridge.delivery AS d
     SET state = 'pending', stopped = false, attempts = 0, not_before = '-infinity', queued_at = now()
   WHERE d.org_id = org AND d.state IN ('parked', 'dead')
     AND (retry.record_id IS NULL OR d.record_id = retry.record_id)
     -- A no of reject_run() is taken back for one record only.
     AND (retry.record_id IS NOT NULL OR d.reason IS DISTINCT FROM 'rejected');
  GET DIAGNOSTICS changed = ROW_COUNT;
  UPDATE crm_bridge.held_change AS h SET state = 'approved'
   WHERE h.org_id = org AND h.record_id = retry.record_id AND h.direction = 'out' AND h.operation = 'create' AND h.state = 'rejected';
  IF changed = 0 AND retry.record_id IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('record %s is neither parked nor dead', retry.record_id),
      HINT = 'See crm_bridge.explain_sync() for its state.';
  END IF;
  IF changed > 0 THEN
    NOTIFY crm_bridge;
  END IF;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm_bridge.retry(uuid, bigint) IS 'makes a parked or dead record due again; without an argument all of them';
REVOKE ALL ON FUNCTION crm_bridge.retry(uuid, bigint) FROM PUBLIC;
