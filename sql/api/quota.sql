-- Limits and what waits behind them, for people.

-- Decides a limit, in place of what the service publishes: for one meter, or with pattern * for every meter of the service that
-- has no decision of its own.  Null leaves a limit undecided, 0 lifts it; everything null takes the decision back.
-- Errors: 22023 requests without a period, or negative; 42501 another's organization.
CREATE OR REPLACE FUNCTION crm_bridge.set_budget(
  service   text,
  requests  integer  DEFAULT NULL,
  period    interval DEFAULT NULL,
  places    integer  DEFAULT NULL,
  pattern   text     DEFAULT '*',
  org_id    bigint   DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(set_budget.org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  IF (set_budget.requests IS NULL) <> (set_budget.period IS NULL) OR set_budget.requests < 0 OR set_budget.places < 0
     OR set_budget.period <= interval '0' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'requests and period belong together, and neither they nor places may be negative',
      HINT = 'For example crm_bridge.set_budget(''zoho_projects'', 50, ''2 minutes'').';
  END IF;
  DELETE FROM crm_bridge.budget_limit AS l
   WHERE l.org_id = org AND l.service = set_budget.service AND l.pattern = set_budget.pattern;
  IF set_budget.requests IS NOT NULL OR set_budget.places IS NOT NULL THEN
    INSERT INTO crm_bridge.budget_limit (org_id, service, pattern, requests, period, places)
    VALUES (org, set_budget.service, set_budget.pattern, set_budget.requests, set_budget.period, set_budget.places);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.set_budget(text, integer, interval, integer, text, bigint) IS 'decides how many requests a service may get, in place of what it publishes';
REVOKE ALL ON FUNCTION crm_bridge.set_budget(text, integer, interval, integer, text, bigint) FROM PUBLIC;

-- The meter that a module's change runs through, how many records one request takes, and how many of the meter's units that
-- many records cost.  The steps that come besides (looking up, associating a client) are not in it.
CREATE OR REPLACE FUNCTION crm_bridge._request_of(module text, operation text)
RETURNS TABLE (pattern text, records integer, units_a_record numeric)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  collection text := CASE module
    WHEN 'projects_user' THEN '/api/v3/portal/{}/users'
    WHEN 'projects_client' THEN '/api/v3/portal/{}/clients'
    WHEN 'projects_project' THEN '/api/v3/portal/{}/projects'
    WHEN 'projects_task_list' THEN '/api/v3/portal/{}/projects/{}/tasklists'
    WHEN 'projects_task' THEN '/api/v3/portal/{}/projects/{}/tasks' END;
BEGIN
  IF collection IS NULL THEN
    -- Zoho CRM and Bigin: 100 records a call; a write costs one credit for ten records, a deletion one a call.
    RETURN QUERY SELECT '*', 100, CASE WHEN operation = 'delete' THEN 0.01 ELSE 0.1 END;
  ELSIF operation = 'create' THEN
    RETURN QUERY SELECT 'POST ' || collection, 1, 1::numeric;
  ELSIF operation = 'update' THEN
    RETURN QUERY SELECT 'PATCH ' || collection || '/{}', 1, 1::numeric;
  ELSIF module = 'projects_project' THEN
    RETURN QUERY SELECT 'POST ' || collection || '/{}/trash', 1, 1::numeric;
  ELSE
    RETURN QUERY SELECT 'DELETE ' || collection || '/{}', 1, 1::numeric;
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._request_of(text, text) IS 'the meter that a module''s change runs through, and what it costs there';
REVOKE ALL ON FUNCTION crm_bridge._request_of(text, text) FROM PUBLIC;

-- "4,012 changes, 81 minutes at this limit"
CREATE OR REPLACE FUNCTION crm_bridge._forecast(changes bigint, units numeric, requests integer, period interval, blocked interval)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := to_char(changes, 'FM999,999,999,999') || CASE WHEN changes = 1 THEN ' change' ELSE ' changes' END;
  minutes numeric := ceil((COALESCE(EXTRACT(epoch FROM blocked), 0)
                           + COALESCE(units * EXTRACT(epoch FROM period) / requests, 0)) / 60);
BEGIN
  IF changes = 0 THEN
    RETURN 'nothing waits';
  ELSIF requests IS NULL AND blocked IS NULL THEN
    RETURN what || ', no limit known';
  ELSIF minutes <= 1 THEN
    RETURN what || ', a minute at this limit';
  ELSIF minutes < 180 THEN
    RETURN format('%s, %s minutes at this limit', what, minutes);
  ELSIF minutes < 48 * 60 THEN
    RETURN format('%s, %s hours at this limit', what, ceil(minutes / 60));
  END IF;
  RETURN format('%s, %s days at this limit', what, ceil(minutes / 1440));
END
$$;
COMMENT ON FUNCTION crm_bridge._forecast(bigint, numeric, integer, interval, interval) IS 'how long what waits will take, in words';
REVOKE ALL ON FUNCTION crm_bridge._forecast(bigint, numeric, integer, interval, interval) FROM PUBLIC;

CREATE VIEW crm_bridge.quota_status WITH (security_invoker = true) AS
  WITH waiting AS (
    SELECT g.org_id, g.service, r.pattern, sum(g.changes) AS changes,
           -- A call that is not full costs as much as a tenth that is begun.
           sum(ceil(g.changes * r.units_a_record)) AS units, sum(ceil(g.changes::numeric / r.records)) AS calls
      FROM (SELECT d.org_id, d.service, d.module,
                   CASE WHEN d.operation = 'delete' THEN 'delete' WHEN s.external_id IS NULL THEN 'create' ELSE 'update' END AS operation,
                   count(*) AS changes
              FROM crm_bridge.delivery AS d
              LEFT JOIN crm_bridge.shadow AS s ON s.org_id = d.org_id AND s.record_id = d.record_id
             WHERE d.state IN ('pending', 'in_flight', 'waiting')
             GROUP BY 1, 2, 3, 4) AS g
     CROSS JOIN LATERAL crm_bridge._request_of(g.module, g.operation) AS r
     GROUP BY g.org_id, g.service, r.pattern
  ), meter AS (
    SELECT b.org_id, b.service, b.account, b.pattern, b.requests, b.period, b.places, b.blocked_until, b.blocked_because
      FROM crm_bridge.budget AS b
     UNION ALL
    SELECT w.org_id, w.service, '', w.pattern, l.requests, l.period, l.places, NULL, NULL
      FROM waiting AS w
     CROSS JOIN LATERAL crm_bridge._limit_in_force(w.service, w.pattern, w.org_id) AS l
     WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.budget AS b
                        WHERE b.org_id = w.org_id AND b.service = w.service AND b.account = '' AND b.pattern = w.pattern)
  )
  SELECT m.org_id, m.service, m.account, m.pattern, m.requests, m.period, COALESCE(u.used, 0) AS used,
         GREATEST(m.requests - COALESCE(u.used, 0), 0) AS "left", u.refills_at, m.places,
         COALESCE(p.places, 0) AS places_taken,
         CASE WHEN m.blocked_until > c.moment THEN m.blocked_until END AS blocked_until,
         CASE WHEN m.blocked_until > c.moment THEN m.blocked_because END AS blocked_because,
         COALESCE(w.changes, 0) AS changes_waiting, COALESCE(w.calls, 0) AS requests_waiting,
         crm_bridge._forecast(COALESCE(w.changes, 0)::bigint, COALESCE(w.units, 0), m.requests, m.period,
                              CASE WHEN m.blocked_until > c.moment THEN m.blocked_until - c.moment END) AS forecast,
         c.moment AS as_of
    FROM meter AS m
   CROSS JOIN (SELECT crm_bridge._clock() AS moment) AS c
    LEFT JOIN waiting AS w ON w.org_id = m.org_id AND w.service = m.service AND w.pattern = m.pattern AND m.account = ''
    LEFT JOIN LATERAL (
         SELECT sum(q.used) AS used, min(q.counts_until) AS refills_at FROM crm_bridge.budget_use AS q
          WHERE q.org_id = m.org_id AND q.service = m.service AND q.account = m.account AND q.pattern = m.pattern
            AND q.counts_until > c.moment AND q.used > 0) AS u ON true
    LEFT JOIN LATERAL (
         SELECT sum(q.places) AS places FROM crm_bridge.budget_place AS q
          WHERE q.org_id = m.org_id AND q.service = m.service AND q.account = m.account AND q.pattern = m.pattern) AS p ON true;
COMMENT ON VIEW crm_bridge.quota_status IS 'how many requests each service takes, how many are left, what waits behind the limit and for how long (B10)';
COMMENT ON COLUMN crm_bridge.quota_status.account IS 'whose credential sends the requests; empty for the organization''s own';
COMMENT ON COLUMN crm_bridge.quota_status.pattern IS 'which requests: a URL pattern, * for all of the service, heavy for the CRM''s costly ones';
COMMENT ON COLUMN crm_bridge.quota_status.requests IS 'how many (for the CRM: credits) the service takes in any stretch of the period; null for no limit';
COMMENT ON COLUMN crm_bridge.quota_status.period IS 'the period';
COMMENT ON COLUMN crm_bridge.quota_status.used IS 'handed out to workers and not forgotten by the service yet';
COMMENT ON COLUMN crm_bridge.quota_status."left" IS 'what can be handed out now; null for no limit';
COMMENT ON COLUMN crm_bridge.quota_status.refills_at IS 'when some of what is used is free again';
COMMENT ON COLUMN crm_bridge.quota_status.places IS 'how many requests may be under way at once; null for no limit';
COMMENT ON COLUMN crm_bridge.quota_status.places_taken IS 'how many of these places workers hold';
COMMENT ON COLUMN crm_bridge.quota_status.blocked_until IS 'until when the service told us to wait';
COMMENT ON COLUMN crm_bridge.quota_status.blocked_because IS 'the service''s own words';
COMMENT ON COLUMN crm_bridge.quota_status.changes_waiting IS 'records on their way to the service that need this meter';
COMMENT ON COLUMN crm_bridge.quota_status.requests_waiting IS 'how many requests they make, in batches as large as the service takes';
COMMENT ON COLUMN crm_bridge.quota_status.forecast IS 'how long that takes at this limit, in words';
