-- Budgets: what workers ask for before they send, and what administrators decide.  Each call locks one row of budget for as long
-- as its one short transaction lasts; nothing here is ever touched by an app's write.

-- What a service publishes about its limits: api/zoho-crm.md §5, api/zoho-projects.md §14.  Of Projects' 100 five are left for
-- people and scripts that use the same portal.
CREATE OR REPLACE FUNCTION crm_bridge._published_limit(service text, pattern text, org_id bigint)
RETURNS TABLE (requests integer, period interval, places integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  subscribed text := (SELECT o.edition FROM crm_bridge.organization AS o WHERE o.org_id = _published_limit.org_id);
  users bigint;
BEGIN
  IF service = 'zoho_projects' THEN
    RETURN QUERY SELECT 95, interval '2 minutes', NULL::integer;
  ELSIF service = 'zoho_crm' AND pattern = 'heavy' THEN
    RETURN QUERY SELECT NULL::integer, interval '1 day', 10;
  ELSIF service = 'zoho_crm' THEN
    users := (SELECT count(*) FROM crm_bridge.crm_user AS u WHERE u.org_id = _published_limit.org_id AND u.status = 'active');
    RETURN QUERY SELECT e.requests::integer, interval '1 day', e.places FROM (VALUES
      ('free',         5000::bigint,                              5),
      ('standard',     LEAST(50000 + 250 * users, 100000),       10),
      ('professional', LEAST(50000 + 500 * users, 3000000),      15),
      ('enterprise',   LEAST(50000 + 1000 * users, 5000000),     20),
      ('zohoone',      LEAST(50000 + 1000 * users, 5000000),     20),
      ('ultimate',     LEAST(50000 + 2000 * users, 2000000000),  25),
      ('crmplus',      LEAST(50000 + 2000 * users, 2000000000),  25)) AS e (edition, requests, places)
     WHERE e.edition = subscribed;
  ELSIF service = 'bigin' THEN
    -- Which edition of Bigin it is no call tells: without a decision the paid ones' number counts.
    users := (SELECT count(*) FROM crm_bridge.bigin_user AS u WHERE u.org_id = _published_limit.org_id AND u.status = 'active');
    RETURN QUERY SELECT LEAST(50000 + 250 * users, 100000)::integer, interval '1 day', NULL::integer;
  ELSE
    RETURN QUERY SELECT NULL::integer, interval '1 day', NULL::integer;
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._published_limit(text, text, bigint) IS 'what a service publishes about its limits';
REVOKE ALL ON FUNCTION crm_bridge._published_limit(text, text, bigint) FROM PUBLIC;

-- The limit in force: what an administrator decided, else what the worker's configuration says, else what the service publishes.
-- 0 means no limit and comes out as null.
CREATE OR REPLACE FUNCTION crm_bridge._limit_in_force(
  service     text,
  pattern     text,
  org_id      bigint,
  configured  integer  DEFAULT NULL,
  per         interval DEFAULT NULL
)
RETURNS TABLE (requests integer, period interval, places integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT NULLIF(COALESCE(own.requests, every.requests, configured, p.requests), 0),
           CASE WHEN own.requests IS NOT NULL THEN own.period WHEN every.requests IS NOT NULL THEN every.period
                WHEN configured IS NOT NULL THEN COALESCE(per, p.period) ELSE p.period END,
           NULLIF(COALESCE(own.places, every.places, p.places), 0)
      FROM crm_bridge._published_limit(_limit_in_force.service, _limit_in_force.pattern, _limit_in_force.org_id) AS p
      LEFT JOIN crm_bridge.budget_limit AS own ON own.org_id = _limit_in_force.org_id AND own.service = _limit_in_force.service
                                              AND own.pattern = _limit_in_force.pattern
      LEFT JOIN crm_bridge.budget_limit AS every ON every.org_id = _limit_in_force.org_id AND every.service = _limit_in_force.service
                                                AND every.pattern = '*'
                                                -- These are counted in other terms than the service's requests.
                                                AND _limit_in_force.pattern NOT IN ('heavy', 'POST /oauth/v2/token');
END
$$;
COMMENT ON FUNCTION crm_bridge._limit_in_force(text, text, bigint, integer, interval) IS 'the limit that counts for a meter';
REVOKE ALL ON FUNCTION crm_bridge._limit_in_force(text, text, bigint, integer, interval) FROM PUBLIC;

-- A share of a meter for one worker: up to "wanted" requests, or none if "at_least" are not left.  They may be sent until "hold" has
-- passed since the worker asked, and count against the meter until "counts_until".  With it the worker gives back what it did not
-- use of an earlier share, and tells what the service itself says is left.
-- Result: one row; retry_after is set where nothing was granted.  Errors: 22023 a bad argument.
CREATE OR REPLACE FUNCTION crm_bridge.take_budget(
  service           text,
  pattern           text,
  wanted            integer,
  at_least          integer     DEFAULT 1,
  given_back        integer     DEFAULT 0,
  given_back_until  timestamptz DEFAULT NULL,
  remaining         integer     DEFAULT NULL,
  configured        integer     DEFAULT NULL,
  per               interval    DEFAULT NULL,
  account           text        DEFAULT '',
  org_id            bigint      DEFAULT NULL
)
RETURNS TABLE (granted integer, hold interval, counts_until timestamptz, retry_after interval, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(take_budget.org_id, crm_bridge._own_org(NULL));
  in_force record;
  meter crm_bridge.budget;
  moment timestamptz;
  blocked_until timestamptz;
  words text;
  used bigint;
  free bigint;
  needed bigint;
  share integer := 0;
  slice interval;
  bucket timestamptz;
BEGIN
  IF wanted IS NULL OR wanted < 0 OR at_least IS NULL OR at_least < 1 OR given_back IS NULL OR given_back < 0 OR account IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'wanted and given_back must not be negative, at_least must be positive';
  END IF;
  SELECT l.* INTO STRICT in_force FROM crm_bridge._limit_in_force(service, pattern, org, configured, per) AS l;
  -- Written, not only locked: a caller with an older snapshot is told to try again (40001) instead of overlooking what others took.
  INSERT INTO crm_bridge.budget AS b (org_id, service, account, pattern, requests, period, places, asked_at)
  VALUES (org, take_budget.service, take_budget.account, take_budget.pattern, in_force.requests, in_force.period, in_force.places,
          clock_timestamp())
  ON CONFLICT ON CONSTRAINT budget_key DO UPDATE
     SET requests = EXCLUDED.requests, period = EXCLUDED.period, places = EXCLUDED.places, asked_at = EXCLUDED.asked_at
  RETURNING b.* INTO meter;
  -- Only now: whoever held the lock has taken his share before this moment.
  moment := crm_bridge._clock();
  -- A request that is sent at the last moment of the share may travel for as long again.
  hold := LEAST(interval '5 seconds', meter.period / 24);
  slice := meter.period / 60;

  IF given_back > 0 THEN
    UPDATE crm_bridge.budget_use AS u SET used = GREATEST(u.used - given_back, 0)
     WHERE u.org_id = org AND u.service = take_budget.service AND u.account = take_budget.account
       AND u.pattern = take_budget.pattern AND u.counts_until = given_back_until;
  END IF;
  DELETE FROM crm_bridge.budget_use AS u
   WHERE u.org_id = org AND u.service = take_budget.service AND u.account = take_budget.account
     AND u.pattern = take_budget.pattern AND (u.counts_until <= moment OR u.used = 0);
  used := COALESCE((SELECT sum(u.used) FROM crm_bridge.budget_use AS u
                     WHERE u.org_id = org AND u.service = take_budget.service AND u.account = take_budget.account
                       AND u.pattern = take_budget.pattern), 0);
  bucket := to_timestamp((ceil(EXTRACT(epoch FROM moment + 2 * hold) / EXTRACT(epoch FROM slice))
                          * EXTRACT(epoch FROM slice))::double precision) + meter.period;
  -- Others send for the same organization: what they took counts like ours.
  IF meter.requests - remaining > used THEN
    INSERT INTO crm_bridge.budget_use AS u (org_id, service, account, pattern, counts_until, used)
    VALUES (org, take_budget.service, take_budget.account, take_budget.pattern, bucket, meter.requests - remaining - used)
    ON CONFLICT ON CONSTRAINT budget_use_key DO UPDATE SET used = u.used + EXCLUDED.used;
    used := meter.requests - remaining;
  END IF;

  SELECT b.blocked_until, b.blocked_because INTO blocked_until, words FROM crm_bridge.budget AS b
   WHERE b.org_id = org AND b.service = take_budget.service AND b.account = take_budget.account
     AND b.pattern IN (take_budget.pattern, '*') AND b.blocked_until > moment
   ORDER BY b.blocked_until DESC LIMIT 1;
  free := COALESCE(meter.requests, 2000000000) - used;
  needed := LEAST(at_least, COALESCE(meter.requests, at_least));
  IF wanted = 0 THEN
    NULL;
  ELSIF blocked_until IS NOT NULL THEN
    retry_after := blocked_until - moment;
    reason := words;
  ELSIF free < needed THEN
    retry_after := (SELECT min(u.counts_until) FROM (
                      SELECT q.counts_until, sum(q.used) OVER (ORDER BY q.counts_until) AS free_by_then
                        FROM crm_bridge.budget_use AS q
                       WHERE q.org_id = org AND q.service = take_budget.service AND q.account = take_budget.account
                         AND q.pattern = take_budget.pattern) AS u
                     WHERE u.free_by_then >= needed - free) - moment;
    reason := format('%s of %s in %s are used', used, meter.requests, meter.period);
  ELSE
    -- Nobody takes all that is left: there may be others.
    share := GREATEST(needed, LEAST(wanted, free / 4));
    IF meter.requests IS NOT NULL THEN
      INSERT INTO crm_bridge.budget_use AS u (org_id, service, account, pattern, counts_until, used)
      VALUES (org, take_budget.service, take_budget.account, take_budget.pattern, bucket, share)
      ON CONFLICT ON CONSTRAINT budget_use_key DO UPDATE SET used = u.used + EXCLUDED.used;
    END IF;
  END IF;
  granted := share;
  counts_until := bucket;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION crm_bridge.take_budget(text, text, integer, integer, integer, timestamptz, integer, integer, interval, text, bigint) IS
  'a share of what a service takes, for one worker';
REVOKE ALL ON FUNCTION crm_bridge.take_budget(text, text, integer, integer, integer, timestamptz, integer, integer, interval, text, bigint) FROM PUBLIC;

-- A service told a worker to wait: nobody is given anything of this meter (* for all of the service) until then.  The doorbell
-- rings with "budget", so that workers drop the shares they hold.
CREATE OR REPLACE FUNCTION crm_bridge.rest_budget(
  service  text,
  pattern  text,
  wait     interval,
  reason   text,
  account  text   DEFAULT '',
  org_id   bigint DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(rest_budget.org_id, crm_bridge._own_org(NULL));
  until timestamptz := crm_bridge._clock() + LEAST(GREATEST(rest_budget.wait, interval '0'), interval '1 day');
  in_force record;
BEGIN
  SELECT l.* INTO STRICT in_force FROM crm_bridge._limit_in_force(service, pattern, org) AS l;
  INSERT INTO crm_bridge.budget AS b (org_id, service, account, pattern, requests, period, places, blocked_until, blocked_because)
  VALUES (org, rest_budget.service, rest_budget.account, rest_budget.pattern, in_force.requests, in_force.period, in_force.places,
          until, COALESCE(rest_budget.reason, 'the service asks to wait'))
  -- A shorter wait does not end a longer one.
  ON CONFLICT ON CONSTRAINT budget_key DO UPDATE
     SET blocked_until = EXCLUDED.blocked_until, blocked_because = EXCLUDED.blocked_because
   WHERE b.blocked_until IS NULL OR b.blocked_until < EXCLUDED.blocked_until;
  PERFORM pg_notify('crm_bridge', 'budget');
END
$$;
COMMENT ON FUNCTION crm_bridge.rest_budget(text, text, interval, text, text, bigint) IS 'a service told one worker to wait: all wait';
REVOKE ALL ON FUNCTION crm_bridge.rest_budget(text, text, interval, text, text, bigint) FROM PUBLIC;

-- How many requests of a meter the worker that holds "lease" may have under way at once, of "wanted".  Others that want some
-- get as many; what they do not want is free for all.  To be asked again every few seconds: the answer may be less than before.
-- 0 gives all back.  Result: null where there is no limit.
CREATE OR REPLACE FUNCTION crm_bridge.take_places(
  service  text,
  pattern  text,
  wanted   integer,
  lease    uuid,
  account  text   DEFAULT '',
  org_id   bigint DEFAULT NULL
)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(take_places.org_id, crm_bridge._own_org(NULL));
  in_force record;
  meter crm_bridge.budget;
  fresh uuid[];
  others record;
  share integer;
BEGIN
  IF wanted IS NULL OR wanted < 0 OR lease IS NULL OR account IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'wanted must not be negative, lease must not be null';
  END IF;
  SELECT l.* INTO STRICT in_force FROM crm_bridge._limit_in_force(service, pattern, org) AS l;
  IF in_force.places IS NULL THEN
    RETURN NULL;
  END IF;
  INSERT INTO crm_bridge.budget AS b (org_id, service, account, pattern, requests, period, places, asked_at)
  VALUES (org, take_places.service, take_places.account, take_places.pattern, in_force.requests, in_force.period, in_force.places,
          clock_timestamp())
  ON CONFLICT ON CONSTRAINT budget_key DO UPDATE SET places = EXCLUDED.places, asked_at = EXCLUDED.asked_at
  RETURNING b.* INTO meter;
  fresh := crm_bridge._fresh_leases();
  DELETE FROM crm_bridge.budget_place AS p
   WHERE p.org_id = org AND p.service = take_places.service AND p.account = take_places.account AND p.pattern = take_places.pattern
     AND (p.lease = take_places.lease OR p.lease <> ALL (fresh));
  IF wanted = 0 THEN
    RETURN 0;
  END IF;
  SELECT COALESCE(sum(p.places), 0) AS places, COALESCE(sum(LEAST(p.wanted, meter.places / (t.workers + 1))), 0) AS due
    INTO others
    FROM crm_bridge.budget_place AS p
   CROSS JOIN (SELECT count(*) AS workers FROM crm_bridge.budget_place AS q
                WHERE q.org_id = org AND q.service = take_places.service AND q.account = take_places.account
                  AND q.pattern = take_places.pattern) AS t
   WHERE p.org_id = org AND p.service = take_places.service AND p.account = take_places.account AND p.pattern = take_places.pattern;
  share := GREATEST(LEAST(wanted, meter.places - others.due, meter.places - others.places), 0);
  INSERT INTO crm_bridge.budget_place (org_id, service, account, pattern, lease, places, wanted)
  VALUES (org, take_places.service, take_places.account, take_places.pattern, take_places.lease, share, take_places.wanted);
  RETURN share;
END
$$;
COMMENT ON FUNCTION crm_bridge.take_places(text, text, integer, uuid, text, bigint) IS 'how many requests a worker may have under way at once';
REVOKE ALL ON FUNCTION crm_bridge.take_places(text, text, integer, uuid, text, bigint) FROM PUBLIC;
