-- How many requests the services take, shared by all workers (B10; docs/decisions/0007).
--
-- A meter is what a service counts by: Zoho CRM counts credits of the whole organization (pattern *), Zoho Projects requests of
-- each URL pattern.  A worker takes a small share of a meter at a time.  What is handed out stands in budget_use until it cannot
-- count at the service any more, whether the worker used it or died with it: in no stretch of a period is more handed out than the
-- limit.

CREATE TABLE crm_bridge.budget (
  org_id           bigint      NOT NULL,
  service          text        NOT NULL,
  account          text        NOT NULL DEFAULT '',
  pattern          text        NOT NULL,
  requests         integer,
  period           interval    NOT NULL,
  places           integer,
  blocked_until    timestamptz,
  blocked_because  text,
  asked_at         timestamptz,
  CONSTRAINT budget_key PRIMARY KEY (org_id, service, account, pattern),
  CONSTRAINT budget_positive CHECK (requests > 0 AND places > 0 AND period > interval '0'),
  CONSTRAINT budget_blocked_has_reason CHECK (blocked_until IS NULL OR blocked_because IS NOT NULL)
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_bridge.budget IS 'the meters by which services count requests, with the limit that was in force when a worker asked last';
COMMENT ON COLUMN crm_bridge.budget.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.budget.service IS 'the service';
COMMENT ON COLUMN crm_bridge.budget.account IS 'whose credential sends the requests; empty for the organization''s own';
COMMENT ON COLUMN crm_bridge.budget.pattern IS 'which requests: a URL pattern, * for all of the service, heavy for the CRM''s costly ones';
COMMENT ON COLUMN crm_bridge.budget.requests IS 'how many (for the CRM: credits) the service takes in any stretch of the period; null for no limit';
COMMENT ON COLUMN crm_bridge.budget.period IS 'the period';
COMMENT ON COLUMN crm_bridge.budget.places IS 'how many requests may be under way at once; null for no limit';
COMMENT ON COLUMN crm_bridge.budget.blocked_until IS 'until when the service told us to wait';
COMMENT ON COLUMN crm_bridge.budget.blocked_because IS 'the service''s own words';
COMMENT ON COLUMN crm_bridge.budget.asked_at IS 'when a worker asked last';

CREATE TABLE crm_bridge.budget_limit (
  org_id      bigint      NOT NULL,
  service     text        NOT NULL,
  pattern     text        NOT NULL,
  requests    integer,
  period      interval,
  places      integer,
  decided_by  text        NOT NULL DEFAULT crm_bridge.calling_role(),
  decided_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT budget_limit_key PRIMARY KEY (org_id, service, pattern),
  CONSTRAINT budget_limit_not_negative CHECK (requests >= 0 AND places >= 0),
  CONSTRAINT budget_limit_has_period CHECK ((requests IS NULL) = (period IS NULL) AND period > interval '0')
);
COMMENT ON TABLE crm_bridge.budget_limit IS 'limits that an administrator decided with set_budget; they replace the service''s published ones';
COMMENT ON COLUMN crm_bridge.budget_limit.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.budget_limit.service IS 'the service';
COMMENT ON COLUMN crm_bridge.budget_limit.pattern IS 'the meter; * for every meter of the service without a row of its own';
COMMENT ON COLUMN crm_bridge.budget_limit.requests IS 'how many in a period, 0 for no limit; null: not decided';
COMMENT ON COLUMN crm_bridge.budget_limit.period IS 'the period';
COMMENT ON COLUMN crm_bridge.budget_limit.places IS 'how many under way at once, 0 for no limit; null: not decided';
COMMENT ON COLUMN crm_bridge.budget_limit.decided_by IS 'who decided it';
COMMENT ON COLUMN crm_bridge.budget_limit.decided_at IS 'when';

-- One row for each sixtieth of a period in which something was handed out, so that a day of the CRM is no larger than two
-- minutes of Projects.
CREATE TABLE crm_bridge.budget_use (
  org_id        bigint      NOT NULL,
  service       text        NOT NULL,
  account       text        NOT NULL DEFAULT '',
  pattern       text        NOT NULL,
  counts_until  timestamptz NOT NULL,
  used          integer     NOT NULL,
  CONSTRAINT budget_use_key PRIMARY KEY (org_id, service, account, pattern, counts_until),
  CONSTRAINT budget_use_not_negative CHECK (used >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_bridge.budget_use IS 'what was handed out of a meter and may still count at the service';
COMMENT ON COLUMN crm_bridge.budget_use.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.budget_use.service IS 'the service';
COMMENT ON COLUMN crm_bridge.budget_use.account IS 'whose credential, as in budget';
COMMENT ON COLUMN crm_bridge.budget_use.pattern IS 'the meter';
COMMENT ON COLUMN crm_bridge.budget_use.counts_until IS 'from then on the service has certainly forgotten it';
COMMENT ON COLUMN crm_bridge.budget_use.used IS 'how many';

CREATE TABLE crm_bridge.budget_place (
  org_id    bigint      NOT NULL,
  service   text        NOT NULL,
  account   text        NOT NULL DEFAULT '',
  pattern   text        NOT NULL,
  lease     uuid        NOT NULL,
  places    integer     NOT NULL,
  wanted    integer     NOT NULL,
  asked_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT budget_place_key PRIMARY KEY (org_id, service, account, pattern, lease),
  CONSTRAINT budget_place_not_negative CHECK (places >= 0 AND wanted >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_bridge.budget_place IS 'how many requests each worker may have under way at once; lapses with the worker''s lease';
COMMENT ON COLUMN crm_bridge.budget_place.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.budget_place.service IS 'the service';
COMMENT ON COLUMN crm_bridge.budget_place.account IS 'whose credential, as in budget';
COMMENT ON COLUMN crm_bridge.budget_place.pattern IS 'the meter';
COMMENT ON COLUMN crm_bridge.budget_place.lease IS 'the worker';
COMMENT ON COLUMN crm_bridge.budget_place.places IS 'how many it has';
COMMENT ON COLUMN crm_bridge.budget_place.wanted IS 'how many it could use';
COMMENT ON COLUMN crm_bridge.budget_place.asked_at IS 'when it asked last';
