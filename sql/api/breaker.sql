-- The breaker for mass changes (B7), and what a person decides about a held run.

-- Judges machine work on records of a module before it is done: what was admitted is counted, the excess is put into a held run.
-- versions: of overwrites, the service's.  Result: the records that are held, or were rejected before.
-- Deletions and creations are counted by the hour, overwrites by the run.
CREATE OR REPLACE FUNCTION crm_bridge._hold_excess(
  org_id bigint, module text, direction text, operation text, run uuid, records uuid[], versions timestamptz[] DEFAULT NULL
)
RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _hold_excess.org_id;
  absolute numeric := crm_bridge._setting_number(org, CASE _hold_excess.operation WHEN 'delete' THEN 'mass_change_limit' WHEN 'create' THEN 'mass_create_limit' ELSE 'mass_overwrite_limit' END);
  share numeric := crm_bridge._setting_number(org, 'mass_change_share');
  counted uuid := CASE _hold_excess.operation WHEN 'overwrite' THEN run END;
  known uuid[];
  again uuid[];
  fresh uuid[];
  counter crm_bridge.mass_change;
  hour_ago timestamptz := clock_timestamp() - interval '1 hour';
BEGIN
  -- Records that leave with their portal leave because an administrator chose another one.
  IF absolute = 0 OR EXISTS (SELECT 1 FROM crm_bridge.run AS r WHERE r.org_id = org AND r.run_id = _hold_excess.run AND r.kind = 'other_portal') THEN
    RETURN '{}';
  END IF;
  -- Decided before: a yes counts once, a no for good; of an overwrite only for the version that was looked at.
  SELECT COALESCE(array_agg(h.record_id), '{}'), COALESCE(array_agg(h.record_id) FILTER (WHERE h.state <> 'approved'), '{}') INTO known, again
    FROM unnest(records, versions) AS r (record_id, version)
    JOIN crm_bridge.held_change AS h ON h.org_id = org AND h.record_id = r.record_id AND h.direction = _hold_excess.direction AND h.operation = _hold_excess.operation
   WHERE h.version IS NOT DISTINCT FROM r.version;
  DELETE FROM crm_bridge.held_change AS h
   WHERE h.org_id = org AND h.record_id = ANY (known) AND h.direction = _hold_excess.direction AND h.operation = _hold_excess.operation AND h.state = 'approved';
  fresh := ARRAY(SELECT r FROM unnest(records) AS r WHERE r <> ALL (known));
  IF fresh = '{}' THEN
    RETURN again;
  END IF;
  INSERT INTO crm_bridge.mass_change AS c (org_id, module, direction, operation, counted_in)
  VALUES (org, _hold_excess.module, _hold_excess.direction, _hold_excess.operation, counted)
  ON CONFLICT ON CONSTRAINT mass_change_key DO UPDATE
     -- Counted on in the same run, or within the same hour.
     SET (admitted, since) = (SELECT CASE WHEN goes_on THEN c.admitted ELSE 0 END, CASE WHEN goes_on THEN c.since ELSE clock_timestamp() END
                                FROM (SELECT c.counted_in IS NOT DISTINCT FROM counted AND (counted IS NOT NULL OR c.since > hour_ago)) AS w (goes_on)),
         total = CASE WHEN c.since > hour_ago THEN c.total END,
         counted_in = counted
  RETURNING * INTO counter;
  IF counter.total IS NULL AND _hold_excess.operation = 'delete' AND counter.admitted + cardinality(fresh) > crm_bridge._few_records() THEN
    -- Of what goes out the rows are gone already.
    EXECUTE format('SELECT count(*) FROM crm_bridge.%I AS m WHERE m.org_id = $1', _hold_excess.module) INTO counter.total USING org;
    counter.total := counter.total + counter.admitted
      + CASE _hold_excess.direction WHEN 'out' THEN (SELECT count(*) FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.module = _hold_excess.module AND d.operation = 'delete') ELSE 0 END;
  END IF;
  -- While a question is open, nothing trickles past it.
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.run AS r WHERE r.org_id = org AND r.run_id = counter.run_id AND r.state = 'held' AND (counted IS NULL OR r.started_at > counter.since))
     AND counter.admitted + cardinality(fresh) <= absolute
     AND (_hold_excess.operation <> 'delete' OR share = 0 OR counter.admitted + cardinality(fresh) <= GREATEST(crm_bridge._few_records(), share * counter.total)) THEN
    UPDATE crm_bridge.mass_change AS c SET admitted = counter.admitted + cardinality(fresh), total = counter.total
     WHERE c.org_id = org AND c.module = _hold_excess.module AND c.direction = _hold_excess.direction AND c.operation = _hold_excess.operation;
    RETURN again;
  END IF;
  UPDATE crm_bridge.run AS r SET expected = r.expected + cardinality(fresh), progress_at = clock_timestamp()
   WHERE r.org_id = org AND r.run_id = counter.run_id AND r.state = 'held';
  IF NOT FOUND THEN
    counter.run_id := crm_bridge.new_id();
    INSERT INTO crm_bridge.run (org_id, run_id, kind, service, module, state, expected, detail)
    SELECT org, counter.run_id, 'mass_change', m.service, m.module, 'held', cardinality(fresh),
           format('More records would be %s %s than settings mass_change_limit, mass_change_share, mass_create_limit and mass_overwrite_limit allow: %s were, then came %s more.',
                  CASE _hold_excess.operation WHEN 'delete' THEN 'deleted' WHEN 'create' THEN 'created' ELSE 'overwritten' END,
                  CASE _hold_excess.direction WHEN 'in' THEN 'here' ELSE 'at the service' END, counter.admitted, cardinality(fresh))
      FROM crm_bridge.module AS m WHERE m.module = _hold_excess.module;
  END IF;
  UPDATE crm_bridge.mass_change AS c SET run_id = counter.run_id, total = counter.total
   WHERE c.org_id = org AND c.module = _hold_excess.module AND c.direction = _hold_excess.direction AND c.operation = _hold_excess.operation;
  INSERT INTO crm_bridge.held_change AS h (org_id, record_id, direction, operation, module, run_id, version)
  SELECT org, r.record_id, _hold_excess.direction, _hold_excess.operation, _hold_excess.module, counter.run_id, r.version
    FROM unnest(records, versions) AS r (record_id, version) WHERE r.record_id = ANY (fresh)
  ON CONFLICT ON CONSTRAINT held_change_key DO UPDATE
     SET run_id = EXCLUDED.run_id, version = EXCLUDED.version, state = 'held', at = EXCLUDED.at;
  RETURN again || fresh;
END
$$;
COMMENT ON FUNCTION crm_bridge._hold_excess(bigint, text, text, text, uuid, uuid[], timestamptz[]) IS 'the breaker: which of these changes wait for a person (B7)';
REVOKE ALL ON FUNCTION crm_bridge._hold_excess(bigint, text, text, text, uuid, uuid[], timestamptz[]) FROM PUBLIC;

-- Deletions up to so many are never a share of anything.
CREATE OR REPLACE FUNCTION crm_bridge._few_records()
RETURNS integer
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN 100; END $$;
COMMENT ON FUNCTION crm_bridge._few_records() IS 'how many deletions an hour the relative limit leaves alone';
REVOKE ALL ON FUNCTION crm_bridge._few_records() FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._setting_number(org_id bigint, name text)
RETURNS numeric
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = _setting_number.org_id AND s.name = _setting_number.name),
                  (SELECT k.fallback FROM crm_bridge.known_setting AS k WHERE k.name = _setting_number.name))::numeric;
END
$$;
COMMENT ON FUNCTION crm_bridge._setting_number(bigint, text) IS 'a setting that is a number';
REVOKE ALL ON FUNCTION crm_bridge._setting_number(bigint, text) FROM PUBLIC;

-- Deletions and creations that claim has just taken: the excess goes to the held run.  Of creations only those that were
-- made for a link count, once each: what an app inserts by itself is no machine work.  Result: what may be sent.
CREATE OR REPLACE FUNCTION crm_bridge._hold_claimed(org_id bigint, claimed uuid[], operation text, candidates uuid[])
RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _hold_claimed.org_id;
  held uuid[] := '{}';
  of_module record;
BEGIN
  FOR of_module IN SELECT d.module, array_agg(d.record_id ORDER BY d.record_id) AS records FROM crm_bridge.delivery AS d
                    WHERE d.org_id = org AND d.record_id = ANY (candidates) GROUP BY d.module ORDER BY d.module LOOP
    IF _hold_claimed.operation = 'create' THEN
      of_module.records := crm_bridge._made_for_links(org, of_module.records);
      CONTINUE WHEN of_module.records = '{}';
    END IF;
    held := held || crm_bridge._hold_excess(org, of_module.module, 'out', _hold_claimed.operation, NULL, of_module.records);
  END LOOP;
  IF held <> '{}' THEN
    UPDATE crm_bridge.delivery AS d
       SET state = CASE WHEN h.state = 'rejected' THEN 'parked' ELSE 'held' END, stopped = true, lease = NULL, attempts = GREATEST(d.attempts - 1, 0),
           reason = CASE WHEN h.state = 'rejected' THEN 'rejected' ELSE 'mass_change' END,
           detail = CASE WHEN h.state = 'rejected' THEN 'reject_run() said no; retry() sends it after all.'
                         ELSE format('Too many %s within the hour: approve_run() or reject_run() decides.', CASE _hold_claimed.operation WHEN 'create' THEN 'creations' ELSE 'deletions' END) END
      FROM crm_bridge.held_change AS h
     WHERE d.org_id = org AND d.record_id = ANY (held) AND h.org_id = org AND h.record_id = d.record_id AND h.direction = 'out' AND h.operation = _hold_claimed.operation;
  END IF;
  RETURN ARRAY(SELECT c FROM unnest(claimed) AS c WHERE c <> ALL (held));
END
$$;
COMMENT ON FUNCTION crm_bridge._hold_claimed(bigint, uuid[], text, uuid[]) IS 'the breaker at claim: which of the records may be sent';
REVOKE ALL ON FUNCTION crm_bridge._hold_claimed(bigint, uuid[], text, uuid[]) FROM PUBLIC;

-- Those of the records that were made for a link: they are younger than their twins.
CREATE OR REPLACE FUNCTION crm_bridge._made_for_links(org_id bigint, records uuid[])
RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _made_for_links.org_id;
BEGIN
  RETURN ARRAY(
    SELECT DISTINCT f.record_id
      FROM (SELECT l.left_id AS record_id, l.right_id AS twin_id FROM crm_bridge.link AS l WHERE l.org_id = org AND l.left_id = ANY (records) AND l.state <> 'archived'
             UNION ALL
            SELECT l.right_id, l.left_id FROM crm_bridge.link AS l WHERE l.org_id = org AND l.right_id = ANY (records) AND l.state <> 'archived') AS f
      LEFT JOIN LATERAL (SELECT h.at FROM crm_bridge.history AS h WHERE h.org_id = org AND h.record_id = f.record_id AND h.operation = 'insert' ORDER BY h.at LIMIT 1) AS own ON true
      LEFT JOIN LATERAL (SELECT h.at FROM crm_bridge.history AS h WHERE h.org_id = org AND h.record_id = f.twin_id AND h.operation = 'insert' ORDER BY h.at LIMIT 1) AS twin ON true
     WHERE COALESCE(own.at, '-infinity') > COALESCE(twin.at, '-infinity') ORDER BY 1);
END
$$;
COMMENT ON FUNCTION crm_bridge._made_for_links(bigint, uuid[]) IS 'those of the records that were made for a link';
REVOKE ALL ON FUNCTION crm_bridge._made_for_links(bigint, uuid[]) FROM PUBLIC;

-- Creations that were let through and then put aside, because they refer to what the service does not have yet: they count when they go.
CREATE OR REPLACE FUNCTION crm_bridge._count_later(org_id bigint, records uuid[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _count_later.org_id;
BEGIN
  UPDATE crm_bridge.mass_change AS c SET admitted = GREATEST(c.admitted - w.records, 0)
    FROM (SELECT d.module, count(*) AS records FROM unnest(crm_bridge._made_for_links(org, _count_later.records)) AS r
            JOIN crm_bridge.delivery AS d ON d.org_id = org AND d.record_id = r AND d.attempts = 0 AND d.operation = 'write' GROUP BY d.module) AS w
   WHERE c.org_id = org AND c.module = w.module AND c.direction = 'out' AND c.operation = 'create';
END
$$;
COMMENT ON FUNCTION crm_bridge._count_later(bigint, uuid[]) IS 'takes creations that were put aside out of the breaker''s count';
REVOKE ALL ON FUNCTION crm_bridge._count_later(bigint, uuid[]) FROM PUBLIC;

-- A held run that waits.  Errors: 42704 no such run; 55000 it is not held.
CREATE OR REPLACE FUNCTION crm_bridge._held_run(run_id uuid, org_id bigint)
RETURNS crm_bridge.run
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  run crm_bridge.run;
BEGIN
  SELECT * INTO run FROM crm_bridge.run AS r WHERE r.org_id = _held_run.org_id AND r.run_id = _held_run.run_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('run %s does not exist', COALESCE(_held_run.run_id::text, 'NULL')), HINT = 'They are listed in crm_bridge.run.';
  ELSIF run.state <> 'held' THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('run %s is not held', run.run_id), DETAIL = format('Its state is %s.', run.state);
  END IF;
  RETURN run;
END
$$;
COMMENT ON FUNCTION crm_bridge._held_run(uuid, bigint) IS 'a run that waits for a decision';
REVOKE ALL ON FUNCTION crm_bridge._held_run(uuid, bigint) FROM PUBLIC;

-- Lets a held run go on: what it holds from the service is read again and then done, what it holds for the service is sent.
-- Result: how many records.  Errors: 42704 no such run; 55000 it is not held.
-- R1: administrators only
CREATE OR REPLACE FUNCTION crm_bridge.approve_run(run_id uuid, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  run crm_bridge.run;
  approved integer;
  again record;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  run := crm_bridge._held_run(approve_run.run_id, org);
  UPDATE crm_bridge.held_change AS h SET state = 'approved' WHERE h.org_id = org AND h.run_id = run.run_id AND h.state = 'held';
  GET DIAGNOSTICS approved = ROW_COUNT;
  FOR again IN SELECT h.operation, array_agg(s.external_id ORDER BY s.external_id) AS external_ids
                 FROM crm_bridge.held_change AS h JOIN crm_bridge.shadow AS s ON s.org_id = h.org_id AND s.record_id = h.record_id
                WHERE h.org_id = org AND h.run_id = run.run_id AND h.direction = 'in' AND s.external_id IS NOT NULL GROUP BY h.operation LOOP
    PERFORM crm_bridge.store_notice(run.service, 'approved', run.module, again.external_ids, CASE again.operation WHEN 'delete' THEN 'missing' ELSE 'update' END, NULL, org_id => org);
  END LOOP;
  UPDATE crm_bridge.delivery AS d SET state = 'pending', stopped = false, reason = NULL, detail = NULL
    FROM crm_bridge.held_change AS h
   WHERE h.org_id = org AND h.run_id = run.run_id AND h.direction = 'out' AND d.org_id = org AND d.record_id = h.record_id AND d.state = 'held';
  UPDATE crm_bridge.run AS r SET state = 'finished', done = approved, finished_at = now() WHERE r.org_id = org AND r.run_id = run.run_id;
  PERFORM pg_notify('crm_bridge', 'delivery ' || run.service);
  RETURN approved;
END
$$;
COMMENT ON FUNCTION crm_bridge.approve_run(uuid, bigint) IS 'lets a held run go on (B7)';
REVOKE ALL ON FUNCTION crm_bridge.approve_run(uuid, bigint) FROM PUBLIC;

-- Says no to a held run, for good: records that the service lost stay here, its overwriting values are not taken, what was
-- deleted here comes back, and what was to be created at the service stays here alone.  Result: how many records.  Errors: 42704 no such run; 55000 it is not held.
-- R1: administrators only
CREATE OR REPLACE FUNCTION crm_bridge.reject_run(run_id uuid, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  run crm_bridge.run;
  rejected integer;
  deleted uuid;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  run := crm_bridge._held_run(reject_run.run_id, org);
  UPDATE crm_bridge.held_change AS h SET state = 'rejected' WHERE h.org_id = org AND h.run_id = run.run_id AND h.state = 'held';
  GET DIAGNOSTICS rejected = ROW_COUNT;
  -- What was to be created stays here; only retry() sends it.
  UPDATE crm_bridge.delivery AS d SET state = 'parked', reason = 'rejected', detail = 'reject_run() said no; retry() sends it after all.'
    FROM crm_bridge.held_change AS h
   WHERE h.org_id = org AND h.run_id = run.run_id AND h.direction = 'out' AND h.operation = 'create' AND d.org_id = org AND d.record_id = h.record_id AND d.state = 'held';
  FOR deleted IN SELECT h.record_id FROM crm_bridge.held_change AS h
                  WHERE h.org_id = org AND h.run_id = run.run_id AND h.direction = 'out' AND h.operation = 'delete' ORDER BY 1 LOOP
    DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = deleted AND d.state = 'held';
    PERFORM crm_bridge._recreate_record(org, run.module, deleted);
  END LOOP;
  -- They exist again; a later deletion is a new decision.
  DELETE FROM crm_bridge.held_change AS h WHERE h.org_id = org AND h.run_id = run.run_id AND h.direction = 'out' AND h.operation = 'delete';
  UPDATE crm_bridge.run AS r SET state = 'rejected', finished_at = now() WHERE r.org_id = org AND r.run_id = run.run_id;
  RETURN rejected;
END
$$;
COMMENT ON FUNCTION crm_bridge.reject_run(uuid, bigint) IS 'says no to a held run, for good (B7)';
REVOKE ALL ON FUNCTION crm_bridge.reject_run(uuid, bigint) FROM PUBLIC;
