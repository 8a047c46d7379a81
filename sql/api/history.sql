-- What history answers (B17): a record at any instant, what is new since a snapshot; and how long it is kept.

-- A record as it was at an instant: field → value, custom fields among them.  NULL: it was not there.
-- Errors: 42704 nobody knows the record; 55000 history does not go back so far.
CREATE OR REPLACE FUNCTION crm_bridge.record_at(record_id uuid, at timestamptz, org_id bigint DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(record_at.org_id);
  of_module text;
  kept_since timestamptz := (SELECT o.history_kept_since FROM crm_bridge.organization AS o WHERE o.org_id = org);
  state jsonb;
  event record;
BEGIN
  of_module := COALESCE((SELECT h.module FROM crm_bridge.history AS h WHERE h.org_id = org AND h.record_id = record_at.record_id LIMIT 1),
                        (SELECT s.module FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = record_at.record_id));
  IF of_module IS NULL OR NOT crm_bridge._may_see(of_module) THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('record %s is not known', COALESCE(record_at.record_id::text, 'NULL'));
  ELSIF record_at.at < kept_since THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('history goes back to %s', kept_since), HINT = 'Setting history_retention_days says how long it is kept.';
  END IF;
  EXECUTE format('SELECT (SELECT jsonb_object_agg(f.field, CASE WHEN f.custom THEN m.custom_fields -> f.field ELSE to_jsonb(m) -> f.field END)
                            FROM crm_bridge.service_field AS f WHERE f.org_id = m.org_id AND f.module = $3 AND (NOT f.custom OR m.custom_fields ? f.field))
                    FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.id = $2', of_module) INTO state USING org, record_at.record_id, of_module;
  -- Backwards: each event has what was before it.
  FOR event IN SELECT h.operation, h.old FROM crm_bridge.history AS h
                WHERE h.org_id = org AND h.record_id = record_at.record_id AND h.at > record_at.at ORDER BY h.at DESC, h.event_id DESC LOOP
    state := CASE event.operation WHEN 'insert' THEN NULL WHEN 'delete' THEN event.old ELSE COALESCE(state, '{}') || event.old END;
  END LOOP;
  RETURN state;
END
$$;
COMMENT ON FUNCTION crm_bridge.record_at(uuid, timestamptz, bigint) IS 'a record as it was at any instant (B17)';
REVOKE ALL ON FUNCTION crm_bridge.record_at(uuid, timestamptz, bigint) FROM PUBLIC;

-- What was committed since a snapshot, for readers that come again and again: none is missed that committed late, none is seen twice.
-- Start with NULL, go on with any row's next_snapshot; no rows: nothing happened, ask with the same snapshot again.
-- In a transaction of its own at READ COMMITTED; runs as the reader, who sees what record_history would show him.
CREATE OR REPLACE FUNCTION crm_bridge.changes_since(since pg_snapshot DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS TABLE (at timestamptz, module text, record_id uuid, operation text, origin text, actor text, old jsonb, transaction_id xid8,
               run_id uuid, event_id uuid, next_snapshot pg_snapshot)
-- STABLE: rows and next_snapshot are of one and the same moment.
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(changes_since.org_id);
BEGIN
  RETURN QUERY
    SELECT h.at, h.module, h.record_id, h.operation, h.origin, h.actor, h.old, h.transaction_id, h.run_id, h.event_id, pg_current_snapshot()
      FROM crm_bridge.history AS h
     WHERE h.org_id = org
       -- What a snapshot does not see is not older than the oldest transaction that it saw running: the index of each partition knows.
       AND (since IS NULL OR (h.transaction_id::text::bigint >= pg_snapshot_xmin(since)::text::bigint AND NOT pg_visible_in_snapshot(h.transaction_id, since)))
     ORDER BY h.at, h.event_id;
END
$$;
COMMENT ON FUNCTION crm_bridge.changes_since(pg_snapshot, bigint) IS 'what was committed since a snapshot; no late commit escapes (B17)';
REVOKE ALL ON FUNCTION crm_bridge.changes_since(pg_snapshot, bigint) FROM PUBLIC;

-- Makes history's partition of a month that begins after all that is there.  Result: its name, NULL if it is there or somebody is in the way.
CREATE OR REPLACE FUNCTION crm_bridge._make_history_partition(month date)
RETURNS name
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s'
AS $$
DECLARE
  partition name := 'history_' || to_char(month, 'YYYY_MM');
  field record;
BEGIN
  IF to_regclass(format('crm_bridge.%I', partition)) IS NOT NULL
     OR EXISTS (SELECT 1 FROM crm_bridge.history_default AS h WHERE h.at >= month::timestamptz AND h.at < (month + interval '1 month')::timestamptz) THEN
    RETURN NULL;
  END IF;
  BEGIN
    EXECUTE format('CREATE TABLE crm_bridge.%I PARTITION OF crm_bridge.history (CONSTRAINT %I PRIMARY KEY (org_id, at, event_id)) FOR VALUES FROM (%L) TO (%L)',
                   partition, partition || '_key', month::timestamptz, (month + interval '1 month')::timestamptz);
    EXECUTE format('CREATE INDEX %I ON crm_bridge.%I (org_id, record_id, at)', partition || '_by_record', partition);
    EXECUTE format('CREATE INDEX %I ON crm_bridge.%I USING brin (org_id, (transaction_id::text::bigint))', partition || '_by_transaction', partition);
    EXECUTE format('ALTER TABLE crm_bridge.%I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('COMMENT ON TABLE crm_bridge.%I IS %L', partition, format('history of %s', to_char(month, 'YYYY-MM')));
    FOR field IN SELECT a.attname, col_description(a.attrelid, a.attnum) AS description FROM pg_attribute AS a
                  WHERE a.attrelid = 'crm_bridge.history'::regclass AND a.attnum > 0 LOOP
      EXECUTE format('COMMENT ON COLUMN crm_bridge.%I.%I IS %L', partition, field.attname, field.description);
    END LOOP;
  EXCEPTION WHEN lock_not_available OR deadlock_detected OR check_violation THEN
    RETURN NULL;   -- next time
  END;
  RETURN partition;
END
$$;
COMMENT ON FUNCTION crm_bridge._make_history_partition(date) IS 'makes a month''s partition of history ahead of time';
REVOKE ALL ON FUNCTION crm_bridge._make_history_partition(date) FROM PUBLIC;

-- Drops what of history is older than every organization wants to keep it.  Result: the partitions dropped.
CREATE OR REPLACE FUNCTION crm_bridge._forget_old_history()
RETURNS name[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s'
AS $$
DECLARE
  shortest numeric := (SELECT min(crm_bridge._setting_number(o.org_id, 'history_retention_days')) FROM crm_bridge.organization AS o);
  longest numeric := (SELECT max(crm_bridge._setting_number(o.org_id, 'history_retention_days')) FROM crm_bridge.organization AS o);
  kept_since timestamptz := date_trunc('month', now() - make_interval(days => longest::integer));
  partition name;
  dropped name[] := '{}';
  removed bigint;
BEGIN
  -- 0 is for ever, and one that wants that is enough.
  IF shortest IS NULL OR shortest = 0 THEN
    RETURN dropped;
  END IF;
  FOR partition IN SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
                    WHERE i.inhparent = 'crm_bridge.history'::regclass AND c.relname ~ '^history_\d{4}_\d{2}$'
                      AND to_date(substr(c.relname, 9), 'YYYY_MM') < kept_since ORDER BY 1 LOOP
    BEGIN
      EXECUTE format('DROP TABLE crm_bridge.%I', partition);
      dropped := dropped || partition;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      kept_since := LEAST(kept_since, to_date(substr(partition, 9), 'YYYY_MM')::timestamptz);   -- next time
    END;
  END LOOP;
  -- Of the months before there were partitions.
  DELETE FROM crm_bridge.history_default AS h WHERE h.at < kept_since;
  GET DIAGNOSTICS removed = ROW_COUNT;
  IF removed > 0 OR dropped <> '{}' THEN
    UPDATE crm_bridge.organization AS o SET history_kept_since = kept_since;
  END IF;
  RETURN dropped;
END
$$;
COMMENT ON FUNCTION crm_bridge._forget_old_history() IS 'drops what of history is older than setting history_retention_days';
REVOKE ALL ON FUNCTION crm_bridge._forget_old_history() FROM PUBLIC;

-- Whoever keeps house holds the row of the installation: one at a time, and whoever dies lets go of it.
CREATE OR REPLACE FUNCTION crm_bridge._hold_installation()
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_armed();
  PERFORM 1 FROM crm_bridge.installation AS i FOR NO KEY UPDATE SKIP LOCKED;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION crm_bridge._hold_installation() IS 'holds the row of the installation until the transaction ends, unless somebody else does';
REVOKE ALL ON FUNCTION crm_bridge._hold_installation() FROM PUBLIC;

-- House-keeping, at any time and as often as one likes, best once a day (the workers see to it): history's partitions of the coming months, its retention, and what
-- is over: commands after 30 days, sent mails after 90, approved changes of decided runs after 90.
-- Result: {made, dropped, commands, mails, changes}, or {"busy": true} while another one is at it.
CREATE OR REPLACE FUNCTION crm_bridge.maintain()
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
  made name[] := '{}';
  dropped name[];
  partition name;
  ahead integer;
  commands bigint;
  mails bigint;
  changes bigint;
BEGIN
  IF NOT crm_bridge._hold_installation() THEN
    RETURN '{"busy": true}';
  END IF;
  FOR ahead IN 0 .. 2 LOOP
    partition := crm_bridge._make_history_partition((date_trunc('month', now()) + make_interval(months => ahead))::date);
    IF partition IS NOT NULL THEN
      made := made || partition;
    END IF;
  END LOOP;
  dropped := crm_bridge._forget_old_history();
  DELETE FROM crm_bridge.command AS c WHERE c.finished_at < now() - interval '30 days';
  GET DIAGNOSTICS commands = ROW_COUNT;
  DELETE FROM crm_bridge.notification AS n WHERE n.state = 'sent' AND n.sent_at < now() - interval '90 days';
  GET DIAGNOSTICS mails = ROW_COUNT;
  DELETE FROM crm_bridge.held_change AS h WHERE h.state = 'approved' AND h.at < now() - interval '90 days';
  GET DIAGNOSTICS changes = ROW_COUNT;
  UPDATE crm_bridge.installation AS i SET maintained_at = crm_bridge._clock();
  RETURN jsonb_build_object('made', made, 'dropped', dropped, 'commands', commands, 'mails', mails, 'changes', changes);
END
$$;
COMMENT ON FUNCTION crm_bridge.maintain() IS 'house-keeping: partitions and retention of history, what is over; run it once a day (B17)';
REVOKE ALL ON FUNCTION crm_bridge.maintain() FROM PUBLIC;

-- For workers, who ask again and again: house-keeping where it was not done for a day, by one of them.
-- Result: as of maintain(); NULL where there is nothing to do.  Errors: 55000 not armed.
CREATE OR REPLACE FUNCTION crm_bridge.maintain_if_due()
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM 1 FROM crm_bridge.installation AS i WHERE i.maintained_at > crm_bridge._clock() - interval '1 day';
  IF FOUND OR NOT crm_bridge._hold_installation() THEN
    RETURN NULL;
  END IF;
  -- Another one may have done it between the look and the lock.
  PERFORM 1 FROM crm_bridge.installation AS i WHERE i.maintained_at > crm_bridge._clock() - interval '1 day';
  RETURN CASE WHEN NOT FOUND THEN crm_bridge.maintain() END;
END
$$;
COMMENT ON FUNCTION crm_bridge.maintain_if_due() IS 'house-keeping where it was not done for a day: workers ask for it';
REVOKE ALL ON FUNCTION crm_bridge.maintain_if_due() FROM PUBLIC;
