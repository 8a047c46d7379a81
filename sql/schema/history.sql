-- Who changed which record, when, from what (B17).  The new value is in the record or in the "old" of its next row.
-- Partitioned by time so that retention is a DROP.  The parent has no key or index: each partition carries its own, so
-- that a dumped partition can be attached again (design §3).
CREATE TABLE crm_bridge.history (
  org_id          bigint      NOT NULL,
  at              timestamptz NOT NULL,
  event_id        uuid        NOT NULL,
  record_id       uuid        NOT NULL,
  module          text        NOT NULL,
  operation       text        NOT NULL,
  origin          text        NOT NULL,
  actor           text        NOT NULL,
  transaction_id  xid8        NOT NULL,
  run_id          uuid,
  old             jsonb
) PARTITION BY RANGE (at);
COMMENT ON TABLE crm_bridge.history IS 'append only: every change of every mirror row; read it with record_history';
COMMENT ON COLUMN crm_bridge.history.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.history.at IS 'the clock when the change was captured, while its row was locked: in order for each record';
COMMENT ON COLUMN crm_bridge.history.event_id IS 'the change''s own id';
COMMENT ON COLUMN crm_bridge.history.record_id IS 'the record';
COMMENT ON COLUMN crm_bridge.history.module IS 'its module';
COMMENT ON COLUMN crm_bridge.history.operation IS 'insert, update or delete';
COMMENT ON COLUMN crm_bridge.history.origin IS 'app, service, bridge, import or mass_update';
COMMENT ON COLUMN crm_bridge.history.actor IS 'the person or role';
COMMENT ON COLUMN crm_bridge.history.transaction_id IS 'the transaction';
COMMENT ON COLUMN crm_bridge.history.run_id IS 'the run that it belongs to';
COMMENT ON COLUMN crm_bridge.history.old IS 'field → value before: the changed fields of an update, all of a delete, nothing of an insert';

CREATE TABLE crm_bridge.history_default PARTITION OF crm_bridge.history (
  CONSTRAINT history_default_key PRIMARY KEY (org_id, at, event_id)
) DEFAULT;
CREATE INDEX history_default_by_record ON crm_bridge.history_default (org_id, record_id, at);
CREATE INDEX history_default_by_transaction ON crm_bridge.history_default USING brin (org_id, (transaction_id::text::bigint));
COMMENT ON TABLE crm_bridge.history_default IS 'what no other partition takes; always there, so that no write ever fails for the want of one';
