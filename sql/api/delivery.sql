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
  PERFORM crm_bridge._end_trials();
  -- What administrators are told must never cost a worker its lease.
  BEGIN
    PERFORM crm_bridge._announce_trial_ends();
    PERFORM crm_bridge._report_provisioning();
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = format('administrators could not be told: %s', SQLERRM);
  END;
  DELETE FROM crm_bridge.budget_place AS p
   WHERE p.asked_at < now() - interval '1 minute' AND p.lease <> ALL (crm_bridge._fresh_leases());
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
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  fresh uuid[] := crm_bridge._fresh_leases();
BEGIN
  RETURN QUERY
    SELECT i.org_id
      FROM crm_bridge.open_integration AS i
     CROSS JOIN LATERAL (
           SELECT d.queued_at FROM crm_bridge.delivery AS d
            WHERE d.org_id = i.org_id AND d.service = backlog.service AND NOT d.stopped
              AND ((d.state = 'pending' AND d.not_before <= now()) OR (d.state = 'in_flight' AND d.lease <> ALL (fresh)))
            ORDER BY d.queued_at, d.record_id LIMIT 1) AS oldest
     WHERE i.service = backlog.service AND (i.reads_until IS NULL OR i.reads_until <= crm_bridge._clock())
     ORDER BY oldest.queued_at;
END
$$;
COMMENT ON FUNCTION crm_bridge.backlog(text) IS 'the organizations that have due work for a service, longest waiting first';
REVOKE ALL ON FUNCTION crm_bridge.backlog(text) FROM PUBLIC;

-- What is to be sent of the given records, longest waiting first: all writable fields that are not empty of a record that
-- its service does not have yet, the changed ones of the others.  Only reads.  A field that a person is to
-- decide on (D1) is in none of it.  own: in the mirror's terms; fields, address:
-- with external ids for references; waits_for: a record that must have an external id first; left_out: custom fields that
-- the service does not know or does not let us write; base: what the service last told of the fields of an update.
CREATE OR REPLACE FUNCTION crm_bridge._compose(org_id bigint, records uuid[])
RETURNS TABLE (module text, record_id uuid, operation text, external_id text, version timestamptz, own jsonb, fields jsonb,
               address jsonb, attempt integer, in_doubt boolean, waits_for uuid, left_out jsonb, base jsonb)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_compose';
COMMENT ON FUNCTION crm_bridge._compose(bigint, uuid[]) IS 'what is to be sent of records';
REVOKE ALL ON FUNCTION crm_bridge._compose(bigint, uuid[]) FROM PUBLIC;

-- Hands up to "limit" due records to the worker that holds "lease": see docs/protocol.md.  Concurrent callers never get
-- the same record.  resting: modules that the service takes nothing of for a while; the others' records go past them.
-- Errors: 55000 not armed; 22023 a bad limit; 25000 at REPEATABLE READ or SERIALIZABLE.
CREATE OR REPLACE FUNCTION crm_bridge.claim(service text, "limit" integer, lease uuid, resting text[] DEFAULT '{}', org_id bigint DEFAULT NULL)
RETURNS TABLE (module text, record_id uuid, operation text, external_id text, version timestamptz, fields jsonb,
               context jsonb, attempt integer, in_doubt boolean, doubted jsonb, base jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(claim.org_id, crm_bridge._own_org(NULL));
  fresh uuid[];
  claimed uuid[];
  deletions uuid[];
  creations uuid[];
  portal text;
BEGIN
  PERFORM crm_bridge._demand_armed();
  IF "limit" IS NULL OR "limit" < 1 OR "limit" > 10000 THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'limit must be between 1 and 10000';
  END IF;
  -- With a snapshot from before its locks it could hand out an old value under the right generation, and lose an edit.
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    RAISE EXCEPTION USING ERRCODE = '25000', MESSAGE = format('claim cannot run at isolation level %s', current_setting('transaction_isolation')),
      DETAIL = 'It has to see what was committed since the transaction began.',
      HINT = 'Call it at READ COMMITTED: SET default_transaction_isolation = ''read committed''.';
  END IF;
  IF claim.lease IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'lease must not be null',
      HINT = 'Make one with crm_bridge.new_id() and keep it alive with crm_bridge.heartbeat().';
  END IF;
  PERFORM 1 FROM crm_bridge.open_integration AS i
    WHERE i.org_id = org AND i.service = claim.service AND (i.reads_until IS NULL OR i.reads_until <= crm_bridge._clock());
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
       AND d.module <> ALL (resting)
       -- Two faces that are not reconciled yet are never sent.  In this form each is a probe of a whole key; joins would be
       -- planned by the statistics of tables that may be young.
       AND NOT (SELECT EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS r WHERE r.org_id = org AND r.record_id = d.record_id))
       AND NOT (SELECT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                                 JOIN crm_bridge.reconcile_request AS r ON r.org_id = org AND r.link_id = l.link_id
                                WHERE l.org_id = org AND l.left_id = d.record_id AND l.state <> 'archived'))
       AND NOT (SELECT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                                 JOIN crm_bridge.reconcile_request AS r ON r.org_id = org AND r.link_id = l.link_id
                                WHERE l.org_id = org AND l.right_id = d.record_id AND l.state <> 'archived'))
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
    RETURNING d.record_id, d.operation, d.attempts
  )
  SELECT array_agg(t.record_id), array_agg(t.record_id) FILTER (WHERE t.operation = 'delete'),
         -- A creation counts once, however often it is tried.
         array_agg(t.record_id) FILTER (WHERE t.operation = 'write' AND t.attempts = 1
           AND (SELECT s.record_id FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = t.record_id AND s.state = 'live') IS NULL)
    INTO claimed, deletions, creations FROM taken AS t;
  IF deletions IS NOT NULL THEN
    claimed := crm_bridge._hold_claimed(org, claimed, 'delete', deletions);
  END IF;
  IF creations IS NOT NULL THEN
    claimed := crm_bridge._hold_claimed(org, claimed, 'create', creations);
  END IF;
  IF claimed IS NULL THEN
    RETURN;
  END IF;

  SELECT p.external_id INTO portal
    FROM crm_bridge.integration AS i JOIN crm_bridge.projects_portal AS p ON p.org_id = i.org_id AND p.id = i.portal_id
   WHERE i.org_id = org AND i.service = claim.service;
  RETURN QUERY SELECT * FROM crm_bridge._prepare(org, claimed, portal);
END
$$;
COMMENT ON FUNCTION crm_bridge.claim(text, integer, uuid, text[], bigint) IS 'hands due records of one organization to one worker';
REVOKE ALL ON FUNCTION crm_bridge.claim(text, integer, uuid, text[], bigint) FROM PUBLIC;

-- A write whose answer was lost is about to be overtaken by a newer one.  The service may still do it, after the newer one (T05): its
-- values are kept for ten minutes, so that receive takes them for what they are when they come back: also those that the newer one
-- sends again, because a third may send others before they come.  Ten attempts a record at most.
-- Arguments: sent, the values of that write.
CREATE OR REPLACE FUNCTION crm_bridge._note_doubt(org_id bigint, record_id uuid, sent jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _note_doubt.org_id;
BEGIN
  UPDATE crm_bridge.shadow AS s
     SET doubted = CASE WHEN s.doubted_until > clock_timestamp() THEN jsonb_path_query_array(s.doubted, '$[last - 8 to last]') ELSE '[]' END
                   || jsonb_build_array(sent),
         doubted_until = clock_timestamp() + interval '10 minutes'
   WHERE s.org_id = org AND s.record_id = _note_doubt.record_id;
END
$$;
COMMENT ON FUNCTION crm_bridge._note_doubt(bigint, uuid, jsonb) IS 'keeps the values of a write whose answer was lost and that a newer one overtakes';
REVOKE ALL ON FUNCTION crm_bridge._note_doubt(bigint, uuid, jsonb) FROM PUBLIC;

-- Notes what is sent of the claimed records in "sent" and returns it.  A statement of its own, run after the claim: with the
-- claim's older snapshot it could hand out old values under the right generation and lose an edit.
-- A record that refers to one that has no external id yet is put aside until that one has.
CREATE OR REPLACE FUNCTION crm_bridge._prepare(org_id bigint, claimed uuid[], portal text)
RETURNS TABLE (module text, record_id uuid, operation text, external_id text, version timestamptz, fields jsonb,
               context jsonb, attempt integer, in_doubt boolean, doubted jsonb, base jsonb)
LANGUAGE plpgsql VOLATILE
-- Planned once: each statement is one probe of a key.
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _prepare.org_id;
  request record;
  awaited uuid[] := '{}';
  aside uuid[] := '{}';
BEGIN
  FOR request IN SELECT * FROM crm_bridge._compose(org, claimed) LOOP
    IF request.in_doubt AND request.external_id IS NOT NULL THEN
      PERFORM crm_bridge._note_doubt(org, request.record_id, d.sent)
         FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = request.record_id AND d.sent <> '{}';
    END IF;
    -- All that was edited waits for a person.
    IF request.operation = 'update' AND request.own = '{}' AND request.left_out IS NULL THEN
      DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = request.record_id;
      CONTINUE;
    END IF;
    UPDATE crm_bridge.delivery AS d
       SET sent = CASE WHEN request.waits_for IS NULL THEN request.own END,
           fields = CASE WHEN request.waits_for IS NULL THEN '{}' ELSE d.fields END,
           -- Where the service keeps no id of ours, the record of a lost answer is looked up by what was sent then.  Of an update the last
           -- attempt in doubt is kept until this one's fate is known: if this one is not sent after all, that one is what may come back.
           doubted = CASE WHEN request.operation <> 'create' THEN CASE WHEN request.in_doubt AND d.sent <> '{}' THEN jsonb_build_array(d.sent) END
                          WHEN request.in_doubt AND d.sent <> '{}' AND d.sent <> request.own
                          THEN COALESCE(jsonb_path_query_array(d.doubted, '$[last - 8 to last]'), '[]') || jsonb_build_array(d.sent) ELSE d.doubted END,
           state = CASE WHEN request.waits_for IS NULL THEN 'in_flight' ELSE 'waiting' END,
           stopped = request.waits_for IS NOT NULL,
           lease = CASE WHEN request.waits_for IS NULL THEN d.lease END,
           waits_for = request.waits_for,
           attempts = CASE WHEN request.waits_for IS NULL THEN d.attempts ELSE d.attempts - 1 END
     WHERE d.org_id = org AND d.record_id = request.record_id
    RETURNING CASE WHEN request.operation = 'create' THEN d.doubted END INTO doubted;
    IF request.waits_for IS NOT NULL THEN
      awaited := awaited || request.waits_for;
      aside := aside || request.record_id;
      CONTINUE;
    END IF;
    IF request.left_out IS NOT NULL AND request.attempt = 1 THEN
      PERFORM crm_bridge._refuse_fields(org, request.module, request.record_id, request.left_out);
    END IF;
    module := request.module;
    record_id := request.record_id;
    operation := request.operation;
    external_id := request.external_id;
    version := request.version;
    fields := request.fields;
    context := request.address;
    IF request.operation = 'delete' THEN
      context := crm_bridge._address_of_deleted(org, request.record_id);
    END IF;
    IF portal IS NOT NULL THEN
      context := jsonb_build_object('portal_id', portal) || context;
    END IF;
    attempt := request.attempt;
    in_doubt := request.in_doubt;
    base := CASE WHEN request.operation = 'update' THEN request.base END;
    RETURN NEXT;
  END LOOP;
  -- A record waited for may have got its id between the look and the note.
  IF awaited <> '{}' THEN
    PERFORM crm_bridge._count_later(org, aside);
    PERFORM crm_bridge._wake_waiting(org, ARRAY(
      SELECT s.record_id FROM crm_bridge.shadow AS s
       WHERE s.org_id = org AND s.record_id = ANY (awaited) AND s.external_id IS NOT NULL AND s.state <> 'gone'));
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._prepare(bigint, uuid[], text) IS 'what is sent of claimed records';
REVOKE ALL ON FUNCTION crm_bridge._prepare(bigint, uuid[], text) FROM PUBLIC;

-- Custom fields that stay here, with their reason (D12): nobody looks for a value that went out without a word.
CREATE OR REPLACE FUNCTION crm_bridge._refuse_fields(org_id bigint, module text, record_id uuid, left_out jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO crm_bridge.refusal (org_id, module, record_id, field, reason, detail, value)
  SELECT _refuse_fields.org_id, _refuse_fields.module, _refuse_fields.record_id, l.key,
         CASE WHEN f.field IS NULL THEN 'field_unknown' ELSE 'field_read_only' END,
         CASE WHEN f.field IS NULL THEN format('The service has no field "%s" for a %s.', l.key, m.label)
              ELSE format('The service takes no value for field "%s".', l.key) END,
         l.value
    FROM jsonb_each(_refuse_fields.left_out) AS l
    JOIN crm_bridge.module AS m ON m.module = _refuse_fields.module
    LEFT JOIN crm_bridge.service_field AS f
           ON f.org_id = _refuse_fields.org_id AND f.module = _refuse_fields.module AND f.field = l.key;
END
$$;
COMMENT ON FUNCTION crm_bridge._refuse_fields(bigint, text, uuid, jsonb) IS 'notes custom fields that the service does not take';
REVOKE ALL ON FUNCTION crm_bridge._refuse_fields(bigint, text, uuid, jsonb) FROM PUBLIC;

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

-- Whether a record is a face of a link.  Two probes of whole keys, whatever the statistics of a young table say.
CREATE OR REPLACE FUNCTION crm_bridge._is_linked(org_id bigint, record_id uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM crm_bridge.link AS l
                  WHERE l.org_id = _is_linked.org_id AND l.left_id = _is_linked.record_id AND l.state <> 'archived')
      OR EXISTS (SELECT 1 FROM crm_bridge.link AS l
                  WHERE l.org_id = _is_linked.org_id AND l.right_id = _is_linked.record_id AND l.state <> 'archived');
END
$$;
COMMENT ON FUNCTION crm_bridge._is_linked(bigint, uuid) IS 'whether a record is a face of a link that is not archived';
REVOKE ALL ON FUNCTION crm_bridge._is_linked(bigint, uuid) FROM PUBLIC;

-- All links of a record, archived ones too.  By each of the four indexes: with OR the planner would read the organization's links.
CREATE OR REPLACE FUNCTION crm_bridge._links_of(org_id bigint, record_id uuid)
RETURNS SETOF crm_bridge.link
LANGUAGE plpgsql STABLE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _links_of.org_id;
  record uuid := _links_of.record_id;
BEGIN
  RETURN QUERY SELECT l.* FROM crm_bridge.link AS l WHERE l.org_id = org AND l.left_id = record AND l.state <> 'archived';
  RETURN QUERY SELECT l.* FROM crm_bridge.link AS l WHERE l.org_id = org AND l.right_id = record AND l.state <> 'archived';
  RETURN QUERY SELECT l.* FROM crm_bridge.link AS l WHERE l.org_id = org AND l.left_id = record AND l.state = 'archived';
  RETURN QUERY SELECT l.* FROM crm_bridge.link AS l WHERE l.org_id = org AND l.right_id = record AND l.state = 'archived';
END
$$;
COMMENT ON FUNCTION crm_bridge._links_of(bigint, uuid) IS 'all links of a record';
REVOKE ALL ON FUNCTION crm_bridge._links_of(bigint, uuid) FROM PUBLIC;

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
