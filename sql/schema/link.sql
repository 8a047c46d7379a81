-- What the services last said of each record, and which records are two faces of one thing.

CREATE TABLE crm_bridge.shadow (
  org_id           bigint      NOT NULL,
  record_id        uuid        NOT NULL,
  module           text        NOT NULL,
  external_id      text,
  state            text        NOT NULL DEFAULT 'live',
  version          timestamptz,
  fields           jsonb       NOT NULL DEFAULT '{}',
  read_at          timestamptz,
  acknowledged_at  timestamptz,
  survivor_id      uuid,
  doubted          jsonb,
  doubted_until    timestamptz,
  CONSTRAINT shadow_key PRIMARY KEY (org_id, record_id),
  CONSTRAINT shadow_external_id_unique UNIQUE (org_id, module, external_id),
  CONSTRAINT shadow_doubt_ends CHECK ((doubted IS NULL) = (doubted_until IS NULL)),
  CONSTRAINT shadow_state_known CHECK (state IN ('expected', 'live', 'gone', 'duplicate')),
  CONSTRAINT shadow_live_has_external_id CHECK (state = 'gone' OR external_id IS NOT NULL)
) WITH (fillfactor = 80);
COMMENT ON TABLE crm_bridge.shadow IS
  'the registry of records that a service knows, and what it last told or confirmed of each: the base of the merge against the service';
COMMENT ON COLUMN crm_bridge.shadow.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.shadow.record_id IS 'our id; the mirror row may not exist yet (expected) or any more (gone)';
COMMENT ON COLUMN crm_bridge.shadow.module IS 'the module';
COMMENT ON COLUMN crm_bridge.shadow.external_id IS 'the service''s id';
COMMENT ON COLUMN crm_bridge.shadow.state IS
  'expected: referred to, not read yet; live; gone: deleted at the service; duplicate: a second record of ours, being deleted there';
COMMENT ON COLUMN crm_bridge.shadow.version IS 'the service''s modification time of the state in fields';
COMMENT ON COLUMN crm_bridge.shadow.fields IS 'field → value as the service has it, in the mirror''s terms';
COMMENT ON COLUMN crm_bridge.shadow.read_at IS 'when the read began that brought this state';
COMMENT ON COLUMN crm_bridge.shadow.survivor_id IS
  'the record that it was merged into at the service: when it is gone there, its links go on with that one';
COMMENT ON COLUMN crm_bridge.shadow.doubted IS
  'writes of ours whose answer was lost and that were overtaken by newer ones, each field → value: what the service may yet do, late';
COMMENT ON COLUMN crm_bridge.shadow.doubted_until IS 'until when such a late write is reckoned with';
COMMENT ON COLUMN crm_bridge.shadow.acknowledged_at IS 'when the service confirmed a write of ours last';

CREATE TABLE crm_bridge.link (
  org_id      bigint      NOT NULL,
  link_id     uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  pairing     text        NOT NULL,
  left_id     uuid        NOT NULL,
  right_id    uuid        NOT NULL,
  state       text        NOT NULL DEFAULT 'active',
  left_base   jsonb       NOT NULL DEFAULT '{}',
  right_base  jsonb       NOT NULL DEFAULT '{}',
  reason      text,
  since       timestamptz NOT NULL DEFAULT now(),
  created_at  timestamptz NOT NULL DEFAULT now(),
  created_by  text        NOT NULL DEFAULT crm_bridge.calling_role(),
  CONSTRAINT link_key PRIMARY KEY (org_id, link_id),
  CONSTRAINT link_state_known CHECK (state IN ('active', 'suspended', 'archived')),
  CONSTRAINT link_archived_has_reason CHECK (state <> 'archived' OR reason IS NOT NULL)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX link_left_unique ON crm_bridge.link (org_id, left_id, pairing) WHERE state <> 'archived';
CREATE UNIQUE INDEX link_right_unique ON crm_bridge.link (org_id, right_id, pairing) WHERE state <> 'archived';
-- Whether a pair was unlinked by hand is asked of every pair that a matching finds.
CREATE INDEX link_archived_of_left ON crm_bridge.link (org_id, left_id) WHERE state = 'archived';
CREATE INDEX link_archived_of_right ON crm_bridge.link (org_id, right_id) WHERE state = 'archived';
COMMENT ON TABLE crm_bridge.link IS 'the join of two records that are faces of one thing';
COMMENT ON COLUMN crm_bridge.link.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.link.link_id IS 'the link''s own id';
COMMENT ON COLUMN crm_bridge.link.pairing IS 'the pairing it belongs to';
COMMENT ON COLUMN crm_bridge.link.left_id IS 'the record of the left module';
COMMENT ON COLUMN crm_bridge.link.right_id IS 'the record of the right module';
COMMENT ON COLUMN crm_bridge.link.state IS 'active: changes travel; suspended: the integration is off; archived: kept for the record';
COMMENT ON COLUMN crm_bridge.link.left_base IS
  'the left side''s values at the last agreement, only of fields that have diverged since: a field that is not here is in step';
COMMENT ON COLUMN crm_bridge.link.right_base IS 'likewise the right side''s';
COMMENT ON COLUMN crm_bridge.link.reason IS 'why it was archived';
COMMENT ON COLUMN crm_bridge.link.since IS 'since when it has not been active; of no account while it is';
COMMENT ON COLUMN crm_bridge.link.created_at IS 'when it was made';
COMMENT ON COLUMN crm_bridge.link.created_by IS 'the role that made it';

-- Insert only, own uuid as key, several per link allowed: leaving one never waits for anybody.
CREATE TABLE crm_bridge.reconcile_request (
  org_id      bigint      NOT NULL,
  request_id  uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  record_id   uuid        NOT NULL,
  module      text        NOT NULL,
  link_id     uuid,
  operation   text        NOT NULL,
  fields      text[]      NOT NULL DEFAULT '{}',
  old         jsonb       NOT NULL DEFAULT '{}',
  at          timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT reconcile_request_key PRIMARY KEY (org_id, request_id),
  CONSTRAINT reconcile_request_operation_known CHECK (operation IN ('propagate', 'deliver', 'delete', 'identify'))
);
CREATE INDEX reconcile_request_by_record ON crm_bridge.reconcile_request (org_id, record_id);
CREATE INDEX reconcile_request_by_link ON crm_bridge.reconcile_request (org_id, link_id) WHERE link_id IS NOT NULL;
COMMENT ON TABLE crm_bridge.reconcile_request IS
  'what a writer left undone because somebody else held the row it needed; the worker (or anyone with reconcile()) settles it';
COMMENT ON COLUMN crm_bridge.reconcile_request.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.reconcile_request.request_id IS 'the request''s own id; earlier ones sort first';
COMMENT ON COLUMN crm_bridge.reconcile_request.record_id IS 'the record that was written';
COMMENT ON COLUMN crm_bridge.reconcile_request.module IS 'its module';
COMMENT ON COLUMN crm_bridge.reconcile_request.link_id IS 'the link over which the change has to travel (propagate)';
COMMENT ON COLUMN crm_bridge.reconcile_request.operation IS
  'propagate: merge the faces of the link; deliver, delete: note it for the service; identify: give the mirror row its external id';
COMMENT ON COLUMN crm_bridge.reconcile_request.fields IS 'the fields that were changed';
COMMENT ON COLUMN crm_bridge.reconcile_request.old IS 'their values before: the base, where they were in step until then';
COMMENT ON COLUMN crm_bridge.reconcile_request.at IS 'when it was left';

CREATE TABLE crm_bridge.conflict (
  org_id       bigint      NOT NULL,
  conflict_id  uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  at           timestamptz NOT NULL DEFAULT now(),
  module       text        NOT NULL,
  record_id    uuid        NOT NULL,
  link_id      uuid,
  field        text        NOT NULL,
  other_field  text        NOT NULL,
  base         jsonb,
  left_value   jsonb,
  right_value  jsonb,
  left_at      timestamptz,
  right_at     timestamptz,
  left_by      text,
  right_by     text,
  winner       text        NOT NULL,
  reason       text        NOT NULL,
  resolved_at  timestamptz,
  resolved_by  text,
  CONSTRAINT conflict_key PRIMARY KEY (org_id, conflict_id),
  CONSTRAINT conflict_winner_known CHECK (winner IN ('left', 'right', 'none')),
  CONSTRAINT conflict_resolved_by_someone CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
);
CREATE INDEX conflict_by_record ON crm_bridge.conflict (org_id, record_id);
COMMENT ON TABLE crm_bridge.conflict IS 'both sides changed the same field since they last agreed: always recorded, whoever won (D1, B2)';
COMMENT ON COLUMN crm_bridge.conflict.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.conflict.conflict_id IS 'for resolve_conflict';
COMMENT ON COLUMN crm_bridge.conflict.at IS 'when it was found';
COMMENT ON COLUMN crm_bridge.conflict.module IS 'module of the left record';
COMMENT ON COLUMN crm_bridge.conflict.record_id IS 'the left record: of a link its left face; otherwise the mirror''s record, whose right side is the service';
COMMENT ON COLUMN crm_bridge.conflict.link_id IS 'the link, if it is between two faces';
COMMENT ON COLUMN crm_bridge.conflict.field IS 'the left side''s field; * for the whole record (deleted on one side)';
COMMENT ON COLUMN crm_bridge.conflict.other_field IS 'the right side''s field';
COMMENT ON COLUMN crm_bridge.conflict.base IS 'the left side''s value at the last agreement';
COMMENT ON COLUMN crm_bridge.conflict.left_value IS 'what the left side (or the mirror) had';
COMMENT ON COLUMN crm_bridge.conflict.right_value IS 'what the right side (or the service) had';
COMMENT ON COLUMN crm_bridge.conflict.left_at IS 'when the left side changed';
COMMENT ON COLUMN crm_bridge.conflict.right_at IS 'when the right side changed';
COMMENT ON COLUMN crm_bridge.conflict.left_by IS 'who changed the left side';
COMMENT ON COLUMN crm_bridge.conflict.right_by IS 'who changed the right side';
COMMENT ON COLUMN crm_bridge.conflict.winner IS 'whose value is in force: left, right, or none while it waits for a decision (manual)';
COMMENT ON COLUMN crm_bridge.conflict.reason IS 'what decided: policy, newest, tie, direction, manual, deleted, merged; unread: our write replaced the other before it was read';
COMMENT ON COLUMN crm_bridge.conflict.resolved_at IS 'when a person decided';
COMMENT ON COLUMN crm_bridge.conflict.resolved_by IS 'who decided';

CREATE TABLE crm_bridge.refusal (
  org_id      bigint      NOT NULL,
  refusal_id  uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  at          timestamptz NOT NULL DEFAULT now(),
  module      text        NOT NULL,
  record_id   uuid        NOT NULL,
  link_id     uuid,
  field       text        NOT NULL,
  reason      text        NOT NULL,
  detail      text,
  value       jsonb,
  agreed      jsonb,
  refused_for text,
  reverted    boolean     NOT NULL DEFAULT false,
  CONSTRAINT refusal_key PRIMARY KEY (org_id, refusal_id)
);
CREATE INDEX refusal_by_record ON crm_bridge.refusal (org_id, record_id);
COMMENT ON TABLE crm_bridge.refusal IS 'a change that cannot be carried to the other side';
COMMENT ON COLUMN crm_bridge.refusal.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.refusal.refusal_id IS 'its own id';
COMMENT ON COLUMN crm_bridge.refusal.at IS 'when it was refused';
COMMENT ON COLUMN crm_bridge.refusal.module IS 'module of the record that was changed';
COMMENT ON COLUMN crm_bridge.refusal.record_id IS 'the record that was changed';
COMMENT ON COLUMN crm_bridge.refusal.link_id IS 'the link over which it could not travel';
COMMENT ON COLUMN crm_bridge.refusal.field IS 'the field';
COMMENT ON COLUMN crm_bridge.refusal.reason IS 'a code: value_not_in_picklist, text_too_long, user_unknown, not_linked, not_representable, field_unknown, field_read_only, strict_schedule, parent_closed; refused: came along in the same update (R86)';
COMMENT ON COLUMN crm_bridge.refusal.detail IS 'the reason in a sentence';
COMMENT ON COLUMN crm_bridge.refusal.value IS 'the value that was refused';
COMMENT ON COLUMN crm_bridge.refusal.agreed IS 'the value that both sides agree on, of what a rule refused';
COMMENT ON COLUMN crm_bridge.refusal.refused_for IS 'who wrote the value';
COMMENT ON COLUMN crm_bridge.refusal.reverted IS 'whether the record was put back to the agreed value';
