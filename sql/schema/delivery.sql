-- Outbound: one row for each record that its service lacks.
--
--            capture                claim                    acknowledge, nothing changed meanwhile
--   (none) ──────────► pending ───────────────► in_flight ─────────────────────────────────────────► (none)
--                       ▲ ▲  │ refers to a       │  │  │ acknowledge, changed meanwhile; fail(retry); lease broken
--     reference created │ │  ▼ record not there  │  │  └────────────────────────────────────► pending
--                     waiting                    │  └─ fail(park) ──► parked ─┐ retry(), or the
--                         └──────────────────────┼──── attempts used up ► dead ┘ record is edited
--                                            held (breaker; approve_run)
--
-- Nothing that claim and capture change is indexed, so that their updates stay on the page (HOT): only queued_at, which
-- never changes while a row is due, and stopped, which changes when a row leaves or enters the queue.
CREATE TABLE crm_bridge.delivery (
  org_id      bigint      NOT NULL,
  record_id   uuid        NOT NULL,
  module      text        NOT NULL,
  service     text        NOT NULL,
  operation   text        NOT NULL DEFAULT 'write',
  state       text        NOT NULL DEFAULT 'pending',
  stopped     boolean     NOT NULL DEFAULT false,
  fields      text[]      NOT NULL DEFAULT '{}',
  generation  bigint      NOT NULL DEFAULT 1,
  attempts    integer     NOT NULL DEFAULT 0,
  in_doubt    boolean     NOT NULL DEFAULT false,
  queued_at   timestamptz NOT NULL DEFAULT now(),
  not_before  timestamptz NOT NULL DEFAULT '-infinity',
  lease       uuid,
  sent        jsonb,
  sent_at     timestamptz,
  waits_for   uuid,
  reason      text,
  detail      text,
  doubted     jsonb,
  CONSTRAINT delivery_key PRIMARY KEY (org_id, record_id),
  CONSTRAINT delivery_operation_known CHECK (operation IN ('write', 'delete')),
  CONSTRAINT delivery_state_known CHECK (state IN ('pending', 'in_flight', 'waiting', 'held', 'parked', 'dead')),
  CONSTRAINT delivery_stopped_iff_not_due CHECK (stopped = (state IN ('waiting', 'held', 'parked', 'dead'))),
  CONSTRAINT delivery_leased_iff_in_flight CHECK ((state = 'in_flight') = (lease IS NOT NULL)),
  CONSTRAINT delivery_sent_while_in_flight CHECK (state <> 'in_flight' OR sent IS NOT NULL),
  CONSTRAINT delivery_waiting_for_a_record CHECK ((state = 'waiting') = (waits_for IS NOT NULL)),
  CONSTRAINT delivery_stopped_has_reason CHECK (state NOT IN ('held', 'parked', 'dead') OR reason IS NOT NULL)
) WITH (fillfactor = 60);
CREATE INDEX delivery_due ON crm_bridge.delivery (org_id, service, queued_at, record_id) WHERE NOT stopped;
CREATE INDEX delivery_waits ON crm_bridge.delivery (org_id, waits_for) WHERE waits_for IS NOT NULL;
COMMENT ON TABLE crm_bridge.delivery IS 'the dirty set: one row for each record that its service does not have yet, however many changes it got';
COMMENT ON COLUMN crm_bridge.delivery.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.delivery.record_id IS 'the record';
COMMENT ON COLUMN crm_bridge.delivery.module IS 'its module';
COMMENT ON COLUMN crm_bridge.delivery.service IS 'the service that lacks it';
COMMENT ON COLUMN crm_bridge.delivery.operation IS 'write (a create if the service has no such record yet) or delete';
COMMENT ON COLUMN crm_bridge.delivery.state IS 'pending, in_flight, waiting (for a record it refers to), held, parked (needs a person), dead (attempts used up)';
COMMENT ON COLUMN crm_bridge.delivery.stopped IS 'true where claim need not look';
COMMENT ON COLUMN crm_bridge.delivery.fields IS 'changed and not handed out yet; of no account for a create, which sends all that is not empty';
COMMENT ON COLUMN crm_bridge.delivery.generation IS 'grows when the record is changed while it is in flight';
COMMENT ON COLUMN crm_bridge.delivery.attempts IS 'how often it was handed out since it succeeded or was changed last';
COMMENT ON COLUMN crm_bridge.delivery.in_doubt IS 'an attempt''s answer was lost: the service may have it';
COMMENT ON COLUMN crm_bridge.delivery.queued_at IS 'since when it has been due; its place in the queue';
COMMENT ON COLUMN crm_bridge.delivery.not_before IS 'earliest time of the next attempt';
COMMENT ON COLUMN crm_bridge.delivery.lease IS 'the worker that has it';
COMMENT ON COLUMN crm_bridge.delivery.sent IS 'field → value handed out and not settled yet, in the mirror''s terms: recognises the echo';
COMMENT ON COLUMN crm_bridge.delivery.doubted IS
  'of a create whose answers were lost: what earlier attempts sent, where that differs: the record may be there with those values; of an update in flight: the attempt before, if its answer was lost';
COMMENT ON COLUMN crm_bridge.delivery.sent_at IS 'when it was handed out';
COMMENT ON COLUMN crm_bridge.delivery.waits_for IS 'the record that must have an external id first';
COMMENT ON COLUMN crm_bridge.delivery.reason IS 'code of the last failure';
COMMENT ON COLUMN crm_bridge.delivery.detail IS 'the service''s own words about it';

CREATE TABLE crm_bridge.lease (
  org_id      bigint      NOT NULL,
  lease       uuid        NOT NULL,
  worker      text        NOT NULL,
  lasts       interval    NOT NULL,
  opened_at   timestamptz NOT NULL DEFAULT now(),
  renewed_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT lease_key PRIMARY KEY (org_id, lease),
  CONSTRAINT lease_lasts CHECK (lasts > interval '0')
) WITH (fillfactor = 60);
COMMENT ON TABLE crm_bridge.lease IS 'the workers that hold work of an organization, kept alive by their heartbeat';
COMMENT ON COLUMN crm_bridge.lease.org_id IS 'the organization; 0 for the worker itself';
COMMENT ON COLUMN crm_bridge.lease.lease IS 'the worker''s token';
COMMENT ON COLUMN crm_bridge.lease.worker IS 'the worker''s name';
COMMENT ON COLUMN crm_bridge.lease.lasts IS 'how long after a heartbeat the work stays the worker''s';
COMMENT ON COLUMN crm_bridge.lease.opened_at IS 'first heartbeat';
COMMENT ON COLUMN crm_bridge.lease.renewed_at IS 'last heartbeat';
