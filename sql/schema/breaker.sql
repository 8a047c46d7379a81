-- The breaker (B7): how much machine work has been let through, and what of it waits for a person.

CREATE TABLE crm_bridge.mass_change (
  org_id      bigint      NOT NULL,
  module      text        NOT NULL,
  direction   text        NOT NULL,
  operation   text        NOT NULL,
  counted_in  uuid,
  since       timestamptz NOT NULL DEFAULT clock_timestamp(),
  admitted    bigint      NOT NULL DEFAULT 0,
  total       bigint,
  run_id      uuid,
  CONSTRAINT mass_change_key PRIMARY KEY (org_id, module, direction, operation),
  CONSTRAINT mass_change_direction_known CHECK (direction IN ('in', 'out')),
  CONSTRAINT mass_change_operation_known CHECK (operation IN ('create', 'delete', 'overwrite'))
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_bridge.mass_change IS 'how many deletions and creations within the hour, and overwrites within a run, were let through: what the breaker judges by';
COMMENT ON COLUMN crm_bridge.mass_change.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.mass_change.module IS 'the module';
COMMENT ON COLUMN crm_bridge.mass_change.direction IS 'in: from the service into the mirror; out: from the mirror to the service';
COMMENT ON COLUMN crm_bridge.mass_change.operation IS 'create, delete or overwrite';
COMMENT ON COLUMN crm_bridge.mass_change.counted_in IS 'the run that is counted; empty: all within the hour';
COMMENT ON COLUMN crm_bridge.mass_change.since IS 'since when';
COMMENT ON COLUMN crm_bridge.mass_change.admitted IS 'how many';
COMMENT ON COLUMN crm_bridge.mass_change.total IS 'records of the module when it became of interest';
COMMENT ON COLUMN crm_bridge.mass_change.run_id IS 'the held run that takes what is held';

CREATE TABLE crm_bridge.held_change (
  org_id       bigint      NOT NULL,
  record_id    uuid        NOT NULL,
  direction    text        NOT NULL,
  operation    text        NOT NULL,
  module       text        NOT NULL,
  run_id       uuid        NOT NULL,
  version      timestamptz,
  state        text        NOT NULL DEFAULT 'held',
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT held_change_key PRIMARY KEY (org_id, record_id, direction, operation),
  CONSTRAINT held_change_state_known CHECK (state IN ('held', 'approved', 'rejected'))
);
CREATE INDEX held_change_of_run ON crm_bridge.held_change (org_id, run_id);
COMMENT ON TABLE crm_bridge.held_change IS 'what the breaker holds, one row a record, and what was decided about it: a no is remembered';
COMMENT ON COLUMN crm_bridge.held_change.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.held_change.record_id IS 'the record';
COMMENT ON COLUMN crm_bridge.held_change.direction IS 'in or out, as in mass_change';
COMMENT ON COLUMN crm_bridge.held_change.operation IS 'create, delete or overwrite';
COMMENT ON COLUMN crm_bridge.held_change.module IS 'its module';
COMMENT ON COLUMN crm_bridge.held_change.run_id IS 'the held run, for approve_run and reject_run';
COMMENT ON COLUMN crm_bridge.held_change.version IS 'the service''s version that would overwrite the record; a newer one is judged anew';
COMMENT ON COLUMN crm_bridge.held_change.state IS 'held, approved (the next reading lets it through) or rejected';
COMMENT ON COLUMN crm_bridge.held_change.at IS 'when it was held first';
