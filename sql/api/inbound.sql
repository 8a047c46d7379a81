-- Inbound, as docs/protocol.md describes it.

-- Merges what a service told about records of one module into their mirrors: see docs/protocol.md.
-- Errors: 55000 not armed; 42704 unknown module or organization; 22023 records is not an array or too long.
CREATE OR REPLACE FUNCTION crm_bridge.receive(
  module           text,
  records          jsonb,
  read_started_at  timestamptz,
  run              uuid   DEFAULT NULL,
  org_id           bigint DEFAULT NULL
)
RETURNS TABLE (external_id text, record_id uuid, outcome text, detail text)
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'crm_bridge_receive';
COMMENT ON FUNCTION crm_bridge.receive(text, jsonb, timestamptz, uuid, bigint) IS
  'merges what a service told about records into their mirrors';
REVOKE ALL ON FUNCTION crm_bridge.receive(text, jsonb, timestamptz, uuid, bigint) FROM PUBLIC;

-- The organizations for which writers left something to be settled.
CREATE OR REPLACE FUNCTION crm_bridge.reconcile_backlog()
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT o.org_id FROM crm_bridge.organization AS o
                WHERE EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS r WHERE r.org_id = o.org_id) ORDER BY 1;
END
$$;
COMMENT ON FUNCTION crm_bridge.reconcile_backlog() IS 'the organizations for which writers left something to be settled';
REVOKE ALL ON FUNCTION crm_bridge.reconcile_backlog() FROM PUBLIC;

-- Settles one request that a writer left: merges the two faces of its link, or notes what its service lacks.
-- One a transaction, so that it never holds more than one link.  Result: true if it is settled, false if somebody
-- else holds what it needs.
CREATE OR REPLACE FUNCTION crm_bridge._reconcile_request(request_id uuid, org_id bigint)
RETURNS boolean
LANGUAGE c VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'crm_bridge_reconcile_request';
COMMENT ON FUNCTION crm_bridge._reconcile_request(uuid, bigint) IS 'settles one request that a writer left';
REVOKE ALL ON FUNCTION crm_bridge._reconcile_request(uuid, bigint) FROM PUBLIC;

-- Settles up to "limit" requests.  Result: how many are left.
-- A worker, which belongs to no organization, may name any; everybody else his own.
CREATE OR REPLACE FUNCTION crm_bridge.reconcile("limit" integer DEFAULT 100, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := CASE WHEN reconcile.org_id IS NULL OR EXISTS (
                            SELECT 1 FROM crm_bridge.role_binding AS b JOIN pg_roles AS r ON r.rolname = b.role
                             WHERE pg_has_role(crm_bridge.calling_role(), r.oid, 'MEMBER'))
                     THEN crm_bridge._own_org(reconcile.org_id) ELSE reconcile.org_id END;
  request uuid;
BEGIN
  FOR request IN SELECT r.request_id FROM crm_bridge.reconcile_request AS r
                  WHERE r.org_id = org ORDER BY r.request_id LIMIT "limit" LOOP
    PERFORM crm_bridge._reconcile_request(request, org);
  END LOOP;
  RETURN (SELECT count(*) FROM crm_bridge.reconcile_request AS r WHERE r.org_id = org);
END
$$;
COMMENT ON FUNCTION crm_bridge.reconcile(integer, bigint) IS 'settles what writers left undone; returns how many requests are left';
REVOKE ALL ON FUNCTION crm_bridge.reconcile(integer, bigint) FROM PUBLIC;

-- Stores a webhook before it is answered.  Result: how many of the records were not noted already.  The body is kept for people, its
-- first 64 KB; an id that is empty or longer than 255 bytes is no service's and is left out.
-- told: values that the webhook says records were given, {"at": "…", "values": {"ID": {"Status": "Completed"}}}, by the service's names, "at"
-- when they were entered, as far as it says so; more than 64 KB are not kept.
-- Errors: 42704 unknown module or organization; 22004 no channel or event.
CREATE OR REPLACE FUNCTION crm_bridge.store_notice(
  service       text,
  channel       text,
  module        text,
  external_ids  text[],
  event         text,
  body          text,
  context       jsonb  DEFAULT NULL,
  told          jsonb  DEFAULT NULL,
  org_id        bigint DEFAULT NULL
)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(store_notice.org_id, crm_bridge._own_org(NULL));
  entered jsonb := CASE WHEN jsonb_typeof(told -> 'values') = 'object' AND octet_length(told::text) <= 65536 THEN told -> 'values' ELSE '{}' END;
  stored integer;
BEGIN
  PERFORM 1 FROM crm_bridge.module AS m WHERE m.module = store_notice.module AND m.service = store_notice.service;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" of service "%s" does not exist', module, service),
      HINT = 'The modules are listed in crm_bridge.module.';
  END IF;
  PERFORM 1 FROM crm_bridge.organization AS o WHERE o.org_id = org;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('organization %s does not exist', org);
  END IF;
  IF channel IS NULL OR event IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'channel and event must not be null';
  END IF;
  WITH kept AS (
    INSERT INTO crm_bridge.inbox AS n (org_id, service, channel, module, external_id, event, context, told, body)
    SELECT org, store_notice.service, left(store_notice.channel, 255), store_notice.module, e.id, left(store_notice.event, 255), store_notice.context,
           CASE WHEN jsonb_typeof(entered -> e.id) = 'object' THEN jsonb_build_array(jsonb_build_object('at', told -> 'at', 'values', entered -> e.id)) END,
           CASE WHEN e.position = 1 THEN left(store_notice.body, 65536) END
      FROM (SELECT u.id, min(u.position) AS position FROM unnest(external_ids) WITH ORDINALITY AS u (id, position)
             WHERE octet_length(u.id) BETWEEN 1 AND 255 GROUP BY u.id) AS e
     ORDER BY e.id
    -- "Look again" twice is once; but each value that was entered meanwhile may have been overwritten.
    ON CONFLICT (org_id, service, module, external_id) WHERE taken_at IS NULL DO UPDATE
       SET told = jsonb_path_query_array(COALESCE(n.told, '[]') || EXCLUDED.told, '$[last - 19 to last]') WHERE EXCLUDED.told IS NOT NULL
    RETURNING n.xmax = 0 AS is_new
  )
  SELECT count(*) FILTER (WHERE k.is_new) INTO stored FROM kept AS k;
  -- To the second, and never waiting for another notice's transaction.
  UPDATE crm_bridge.webhook_channel AS c SET last_notice_at = crm_bridge._clock()
    FROM (SELECT w.channel FROM crm_bridge.webhook_channel AS w
           WHERE w.org_id = org AND w.service = store_notice.service AND w.channel = store_notice.channel
             AND (w.last_notice_at IS NULL OR w.last_notice_at < crm_bridge._clock() - interval '1 second')
             FOR NO KEY UPDATE SKIP LOCKED) AS heard
   WHERE c.org_id = org AND c.service = store_notice.service AND c.channel = heard.channel;
  IF stored > 0 THEN
    PERFORM pg_notify('crm_bridge', 'notice ' || store_notice.service);
  END IF;
  RETURN stored;
END
$$;
COMMENT ON FUNCTION crm_bridge.store_notice(text, text, text, text[], text, text, jsonb, jsonb, bigint) IS 'stores a webhook before it is answered';
REVOKE ALL ON FUNCTION crm_bridge.store_notice(text, text, text, text[], text, text, jsonb, jsonb, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.notice_backlog(service text)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fresh uuid[] := crm_bridge._fresh_leases();
BEGIN
  RETURN QUERY SELECT i.org_id FROM crm_bridge.open_integration AS i
                WHERE i.service = notice_backlog.service
                  AND EXISTS (SELECT 1 FROM crm_bridge.inbox AS n WHERE n.org_id = i.org_id AND n.service = i.service
                                 AND (n.taken_at IS NULL OR n.taken_at < now() - interval '15 seconds' OR n.lease <> ALL (fresh)))
                ORDER BY 1;
END
$$;
COMMENT ON FUNCTION crm_bridge.notice_backlog(text) IS 'the organizations that have webhooks to follow up';
REVOKE ALL ON FUNCTION crm_bridge.notice_backlog(text) FROM PUBLIC;

-- What webhooks say should be read again, one row a record.  A notice is given again when the lease of whoever took it has
-- ended, and when it is not finished within fifteen seconds, as after a failure of the service: reading twice does no harm.
CREATE OR REPLACE FUNCTION crm_bridge.take_notices(service text, "limit" integer, lease uuid, org_id bigint DEFAULT NULL)
RETURNS TABLE (notice_ids uuid[], module text, external_id text, event text, context jsonb, told jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(take_notices.org_id, crm_bridge._own_org(NULL));
  fresh uuid[] := crm_bridge._fresh_leases();
BEGIN
  IF take_notices.lease IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'lease must not be null',
      HINT = 'Make one with crm_bridge.new_id() and keep it alive with crm_bridge.heartbeat().';
  END IF;
  RETURN QUERY
  WITH open AS (
    SELECT n.notice_id FROM crm_bridge.inbox AS n
     WHERE n.org_id = org AND n.service = take_notices.service
       AND (n.taken_at IS NULL OR n.taken_at < now() - interval '15 seconds' OR n.lease <> ALL (fresh))
     ORDER BY n.notice_id LIMIT "limit" FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE crm_bridge.inbox AS n SET taken_at = clock_timestamp(), lease = take_notices.lease FROM open
     WHERE n.org_id = org AND n.notice_id = open.notice_id
    RETURNING n.notice_id, n.module, n.external_id, n.event, n.context, n.told
  )
  SELECT array_agg(t.notice_id), t.module, t.external_id, max(t.event),
         COALESCE(crm_bridge._context_of(org, t.module, t.external_id), (array_agg(t.context) FILTER (WHERE t.context IS NOT NULL))[1]),
         jsonb_path_query_array(jsonb_agg(t.told) FILTER (WHERE t.told IS NOT NULL), '$[*][*]')
    FROM taken AS t GROUP BY t.module, t.external_id;
END
$$;
COMMENT ON FUNCTION crm_bridge.take_notices(text, integer, uuid, bigint) IS 'what webhooks say should be read again';
REVOKE ALL ON FUNCTION crm_bridge.take_notices(text, integer, uuid, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._context_of(org_id bigint, module text, external_id text)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT crm_bridge._address_of_deleted(s.org_id, s.record_id)
            FROM crm_bridge.shadow AS s
           WHERE s.org_id = _context_of.org_id AND s.module = _context_of.module AND s.external_id = _context_of.external_id
             AND s.state = 'live');
END
$$;
COMMENT ON FUNCTION crm_bridge._context_of(bigint, text, text) IS 'external ids that address a record, by its own';
REVOKE ALL ON FUNCTION crm_bridge._context_of(bigint, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.finish_notices(notice_ids uuid[], org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(finish_notices.org_id, crm_bridge._own_org(NULL));
BEGIN
  DELETE FROM crm_bridge.inbox AS n WHERE n.org_id = org AND n.notice_id = ANY (notice_ids);
END
$$;
COMMENT ON FUNCTION crm_bridge.finish_notices(uuid[], bigint) IS 'these webhooks have been followed up';
REVOKE ALL ON FUNCTION crm_bridge.finish_notices(uuid[], bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.read_cursor(service text, module text, org_id bigint DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(read_cursor.org_id, crm_bridge._own_org(NULL));
BEGIN
  RETURN (SELECT c.value FROM crm_bridge.cursor AS c
           WHERE c.org_id = org AND c.service = read_cursor.service AND c.module = read_cursor.module);
END
$$;
COMMENT ON FUNCTION crm_bridge.read_cursor(text, text, bigint) IS 'where the delta query of a module stands';
REVOKE ALL ON FUNCTION crm_bridge.read_cursor(text, text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.save_cursor(service text, module text, value jsonb, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(save_cursor.org_id, crm_bridge._own_org(NULL));
BEGIN
  INSERT INTO crm_bridge.cursor (org_id, service, module, value)
  VALUES (org, save_cursor.service, save_cursor.module, save_cursor.value)
  ON CONFLICT ON CONSTRAINT cursor_key DO UPDATE SET value = EXCLUDED.value, saved_at = now();
END
$$;
COMMENT ON FUNCTION crm_bridge.save_cursor(text, text, jsonb, bigint) IS 'notes where the delta query of a module stands';
REVOKE ALL ON FUNCTION crm_bridge.save_cursor(text, text, jsonb, bigint) FROM PUBLIC;

-- Notes which records of a place a complete list did not show: they are read again one by one, and only what the service
-- then denies counts as deleted.  "within" names the place by the fields that address the module's records and external ids, for
-- example {"project_id": "85"}; what was read or written since the listing began, or confirmed shortly before (five seconds; a minute
-- where there is no second look), is left alone.
-- Event "delete" instead of "missing" spares the second look where the list leaves no doubt.  Without a list (NULL) the place
-- itself is gone, and everything in it.
-- Result: how many were noted.  Errors: 42704 unknown module; 22023 a bad event, or a field that addresses nothing.
CREATE OR REPLACE FUNCTION crm_bridge.note_unlisted(
  module           text,
  within           jsonb,
  listed           text[],
  read_started_at  timestamptz,
  event            text   DEFAULT 'missing',
  org_id           bigint DEFAULT NULL
)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(note_unlisted.org_id, crm_bridge._own_org(NULL));
  of_service text;
  place record;
  conditions text := '';
  missing text[];
BEGIN
  SELECT m.service INTO of_service FROM crm_bridge.module AS m WHERE m.module = note_unlisted.module;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" does not exist', module),
      HINT = 'The modules are listed in crm_bridge.module.';
  END IF;
  IF event IS NULL OR event NOT IN ('missing', 'delete') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('event "%s" is not known', event), HINT = 'Use missing or delete.';
  END IF;
  FOR place IN SELECT w.key AS field, f.field IS NOT NULL AS known, s.record_id
                 FROM jsonb_each_text(within) AS w
                 LEFT JOIN crm_bridge.service_field AS f
                   ON f.org_id = org AND f.module = note_unlisted.module AND f.field = w.key AND f.addresses
                 LEFT JOIN crm_bridge.shadow AS s
                   ON s.org_id = org AND s.module = f.reference_module AND s.external_id = w.value LOOP
    IF NOT place.known THEN
      RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('field "%s" addresses no "%s"', place.field, module);
    ELSIF place.record_id IS NULL THEN
      RETURN 0;   -- nothing of ours is there
    END IF;
    conditions := conditions || format(' AND m.%I = %L::uuid', place.field, place.record_id);
  END LOOP;
  EXECUTE format(
    'SELECT array_agg(m.external_id ORDER BY m.external_id) FROM crm_bridge.%I AS m
       JOIN crm_bridge.shadow AS s ON s.org_id = m.org_id AND s.record_id = m.id AND s.state = ''live''
      WHERE m.org_id = $1 AND m.external_id IS NOT NULL AND m.external_id <> ALL ($2)
        AND ($4 OR ((s.read_at IS NULL OR s.read_at < $3)
                    AND (s.acknowledged_at IS NULL OR s.acknowledged_at < $3 - $5)))%s',
    note_unlisted.module, conditions) INTO missing USING org, COALESCE(listed, '{}'), read_started_at, listed IS NULL,
      CASE event WHEN 'delete' THEN interval '1 minute' ELSE interval '5 seconds' END;
  IF missing IS NULL THEN
    RETURN 0;
  END IF;
  RETURN crm_bridge.store_notice(of_service, 'listing', note_unlisted.module, missing, note_unlisted.event, NULL, org_id => org);
END
$$;
COMMENT ON FUNCTION crm_bridge.note_unlisted(text, jsonb, text[], timestamptz, text, bigint) IS
  'notes which records a complete list did not show, so that they are read again';
REVOKE ALL ON FUNCTION crm_bridge.note_unlisted(text, jsonb, text[], timestamptz, text, bigint) FROM PUBLIC;

-- The records of a module that the service has, in the order of their external ids, after the one given: a worker goes round
-- them a few at a time.  context as in claim.  Errors: 42704 unknown module.
CREATE OR REPLACE FUNCTION crm_bridge.next_records(module text, after text, "limit" integer, org_id bigint DEFAULT NULL)
RETURNS TABLE (external_id text, context jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(next_records.org_id, crm_bridge._own_org(NULL));
BEGIN
  PERFORM 1 FROM crm_bridge.module AS m WHERE m.module = next_records.module;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" does not exist', module),
      HINT = 'The modules are listed in crm_bridge.module.';
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT m.external_id, crm_bridge._context_of($1, $2, m.external_id) FROM crm_bridge.%I AS m
      WHERE m.org_id = $1 AND m.external_id > $3 ORDER BY m.external_id LIMIT $4',
    next_records.module) USING org, next_records.module, COALESCE(after, ''), "limit";
END
$$;
COMMENT ON FUNCTION crm_bridge.next_records(text, text, integer, bigint) IS 'the records of a module after one of them: a worker goes round';
REVOKE ALL ON FUNCTION crm_bridge.next_records(text, text, integer, bigint) FROM PUBLIC;
