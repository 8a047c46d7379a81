-- Inbound: webhooks as received, where delta queries stand, runs, and what the worker is asked to do.

CREATE TABLE crm_bridge.inbox (
  org_id       bigint      NOT NULL,
  notice_id    uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  service      text        NOT NULL,
  channel      text        NOT NULL,
  module       text        NOT NULL,
  external_id  text        NOT NULL,
  event        text        NOT NULL,
  context      jsonb,
  told         jsonb,
  body         text,
  received_at  timestamptz NOT NULL DEFAULT now(),
  taken_at     timestamptz,
  lease        uuid,
  CONSTRAINT inbox_key PRIMARY KEY (org_id, notice_id),
  CONSTRAINT inbox_leased_iff_taken CHECK ((taken_at IS NULL) = (lease IS NULL))
);
-- A notice says "look again": until somebody looks, a second one adds nothing.
CREATE UNIQUE INDEX inbox_one_untaken ON crm_bridge.inbox (org_id, service, module, external_id) WHERE taken_at IS NULL;
COMMENT ON TABLE crm_bridge.inbox IS 'webhooks as received: hints which records to read again, one row a record; removed when it was read';
COMMENT ON COLUMN crm_bridge.inbox.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.inbox.notice_id IS 'its own id';
COMMENT ON COLUMN crm_bridge.inbox.service IS 'the service that called';
COMMENT ON COLUMN crm_bridge.inbox.channel IS 'the channel it came through';
COMMENT ON COLUMN crm_bridge.inbox.module IS 'the module it speaks of';
COMMENT ON COLUMN crm_bridge.inbox.external_id IS 'the record it speaks of';
COMMENT ON COLUMN crm_bridge.inbox.event IS 'insert, update or delete, as the service says; missing: a list does not show it any more; a hint';
COMMENT ON COLUMN crm_bridge.inbox.context IS 'where the record lives, as the webhook says: for records that are not known yet';
COMMENT ON COLUMN crm_bridge.inbox.told IS
  'the values that webhooks said the record was given, at most the last 20, as the service writes them: whether they were overwritten before they were read';
COMMENT ON COLUMN crm_bridge.inbox.body IS 'the body as received, on the first row of a call';
COMMENT ON COLUMN crm_bridge.inbox.received_at IS 'when it came';
COMMENT ON COLUMN crm_bridge.inbox.taken_at IS 'when a worker began to read the record';
COMMENT ON COLUMN crm_bridge.inbox.lease IS 'that worker: when its lease ends, another one reads';

CREATE TABLE crm_bridge.cursor (
  org_id    bigint      NOT NULL,
  service   text        NOT NULL,
  module    text        NOT NULL,
  value     jsonb       NOT NULL,
  saved_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT cursor_key PRIMARY KEY (org_id, service, module)
);
COMMENT ON TABLE crm_bridge.cursor IS 'where the delta query of each module stands';
COMMENT ON COLUMN crm_bridge.cursor.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.cursor.service IS 'the service';
COMMENT ON COLUMN crm_bridge.cursor.module IS 'the module';
COMMENT ON COLUMN crm_bridge.cursor.value IS 'the connector''s own notes, for example the last modification time that it saw';
COMMENT ON COLUMN crm_bridge.cursor.saved_at IS 'when it was saved';

CREATE TABLE crm_bridge.run (
  org_id       bigint      NOT NULL,
  run_id       uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  kind         text        NOT NULL,
  service      text,
  module       text,
  state        text        NOT NULL DEFAULT 'running',
  done         bigint      NOT NULL DEFAULT 0,
  expected     bigint,
  detail       text,
  started_at   timestamptz NOT NULL DEFAULT now(),
  progress_at  timestamptz,
  finished_at  timestamptz,
  facts        jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT run_key PRIMARY KEY (org_id, run_id),
  CONSTRAINT run_kind_known CHECK (kind IN ('initial_sync', 'poll', 'import', 'matching', 'projects_from_deals', 'resync', 'other_portal', 'mass_change', 'undo', 'provisioning')),
  CONSTRAINT run_state_known CHECK (state IN ('running', 'finished', 'failed', 'held', 'rejected', 'undone')),
  CONSTRAINT run_finished_iff_final CHECK ((finished_at IS NULL) = (state IN ('running', 'held')))
);
COMMENT ON TABLE crm_bridge.run IS 'units of machine work that can be watched, judged and undone';
COMMENT ON COLUMN crm_bridge.run.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.run.run_id IS 'stands on every history row that the run caused';
COMMENT ON COLUMN crm_bridge.run.kind IS 'what kind of work';
COMMENT ON COLUMN crm_bridge.run.service IS 'the service it works on';
COMMENT ON COLUMN crm_bridge.run.module IS 'the module it works on';
COMMENT ON COLUMN crm_bridge.run.state IS 'running, finished, failed, held, rejected or undone';
COMMENT ON COLUMN crm_bridge.run.done IS 'records done so far';
COMMENT ON COLUMN crm_bridge.run.expected IS 'records expected in all, where it is known';
COMMENT ON COLUMN crm_bridge.run.detail IS 'what there is to say about it';
COMMENT ON COLUMN crm_bridge.run.started_at IS 'when it began';
COMMENT ON COLUMN crm_bridge.run.progress_at IS 'when it last got further; long ago while it is running: nobody works on it';
COMMENT ON COLUMN crm_bridge.run.finished_at IS 'when it ended';
COMMENT ON COLUMN crm_bridge.run.facts IS 'what its report will speak of; empty when it has been made';
-- Every heartbeat looks whether one of them is done.
CREATE INDEX run_provisioning ON crm_bridge.run (org_id, run_id) WHERE kind = 'provisioning' AND finished_at IS NULL;

CREATE TABLE crm_bridge.command (
  org_id        bigint      NOT NULL,
  command_id    uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  service       text        NOT NULL,
  kind          text        NOT NULL,
  arguments     jsonb       NOT NULL DEFAULT '{}',
  state         text        NOT NULL DEFAULT 'requested',
  requested_at  timestamptz NOT NULL DEFAULT now(),
  requested_by  text        NOT NULL DEFAULT crm_bridge.calling_role(),
  lease         uuid,
  taken_at      timestamptz,
  finished_at   timestamptz,
  result        jsonb,
  attempts      integer     NOT NULL DEFAULT 0,
  not_before    timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT command_key PRIMARY KEY (org_id, command_id),
  CONSTRAINT command_kind_known CHECK (kind IN ('refresh_portals', 'initial_sync', 'refresh_metadata', 'finish_matching')),
  CONSTRAINT command_state_known CHECK (state IN ('requested', 'taken', 'done', 'failed')),
  CONSTRAINT command_leased_iff_taken CHECK ((state = 'taken') = (lease IS NOT NULL)),
  CONSTRAINT command_finished_iff_final CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'failed')))
);
CREATE INDEX command_open ON crm_bridge.command (org_id, service, requested_at) WHERE finished_at IS NULL;
COMMENT ON TABLE crm_bridge.command IS 'what the worker is asked to do: what needs a service cannot be done inside a transaction';
COMMENT ON COLUMN crm_bridge.command.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.command.command_id IS 'for wait_for_command';
COMMENT ON COLUMN crm_bridge.command.service IS 'the service it concerns';
COMMENT ON COLUMN crm_bridge.command.kind IS 'refresh_portals, initial_sync, refresh_metadata or finish_matching';
COMMENT ON COLUMN crm_bridge.command.arguments IS 'what it needs to know';
COMMENT ON COLUMN crm_bridge.command.state IS 'requested, taken, done or failed';
COMMENT ON COLUMN crm_bridge.command.requested_at IS 'when it was asked for';
COMMENT ON COLUMN crm_bridge.command.requested_by IS 'the role that asked';
COMMENT ON COLUMN crm_bridge.command.lease IS 'the worker that does it';
COMMENT ON COLUMN crm_bridge.command.taken_at IS 'when the worker took it';
COMMENT ON COLUMN crm_bridge.command.finished_at IS 'when it ended';
COMMENT ON COLUMN crm_bridge.command.result IS 'what came out of it, or the error';
COMMENT ON COLUMN crm_bridge.command.attempts IS 'how often it failed, where it is repeated until it succeeds (argument repeat)';
COMMENT ON COLUMN crm_bridge.command.not_before IS 'not to be done again before';

--                 make                 service has it no more, or it lapsed
--   (none) ► making ────► open ◄────────────────────────────────► lost
--              │            │ renewed at two thirds of its life      make, then catch up
--              └► refused   └► open
--              └► manual: the service has no call for it; a person sets it up (crm-bridge doctor --show-webhooks)
CREATE TABLE crm_bridge.webhook_channel (
  org_id          bigint      NOT NULL,
  channel         text        NOT NULL,
  service         text        NOT NULL,
  module          text        NOT NULL DEFAULT '*',
  token_hash      bytea       NOT NULL,
  state           text        NOT NULL DEFAULT 'making',
  expires_at      timestamptz,
  made_at         timestamptz,
  renewed_at      timestamptz,
  checked_at      timestamptz,
  caught_up_at    timestamptz,
  last_notice_at  timestamptz,
  lost_at         timestamptz,
  losses          integer     NOT NULL DEFAULT 0,
  detail          text,
  tended_by       uuid,
  tended_until    timestamptz,
  CONSTRAINT webhook_channel_key PRIMARY KEY (org_id, service, channel),
  CONSTRAINT webhook_channel_state_known CHECK (state IN ('making', 'open', 'lost', 'refused', 'manual')),
  CONSTRAINT webhook_channel_open_is_made CHECK (state <> 'open' OR (made_at IS NOT NULL AND renewed_at IS NOT NULL)),
  CONSTRAINT webhook_channel_refused_has_reason CHECK (state <> 'refused' OR detail IS NOT NULL)
) WITH (fillfactor = 50);
COMMENT ON TABLE crm_bridge.webhook_channel IS 'the notifications that are switched on at the services';
COMMENT ON COLUMN crm_bridge.webhook_channel.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.webhook_channel.channel IS 'the channel''s id at the service';
COMMENT ON COLUMN crm_bridge.webhook_channel.service IS 'the service';
COMMENT ON COLUMN crm_bridge.webhook_channel.module IS 'the module; * for all of the service';
COMMENT ON COLUMN crm_bridge.webhook_channel.token_hash IS 'hash of the token that the service repeats; the token itself is never stored';
COMMENT ON COLUMN crm_bridge.webhook_channel.state IS 'making, open, lost (the service has it no more), refused (see detail) or manual (a person sets it up)';
COMMENT ON COLUMN crm_bridge.webhook_channel.expires_at IS 'when it lapses unless it is renewed';
COMMENT ON COLUMN crm_bridge.webhook_channel.made_at IS 'when it was made last';
COMMENT ON COLUMN crm_bridge.webhook_channel.renewed_at IS 'when it was made or renewed last';
COMMENT ON COLUMN crm_bridge.webhook_channel.checked_at IS 'when the service was asked about it last';
COMMENT ON COLUMN crm_bridge.webhook_channel.caught_up_at IS 'when everything was polled after it was made, for what happened before';
COMMENT ON COLUMN crm_bridge.webhook_channel.last_notice_at IS 'when a notice came through it last, to the second';
COMMENT ON COLUMN crm_bridge.webhook_channel.lost_at IS 'when it was found lost last';
COMMENT ON COLUMN crm_bridge.webhook_channel.losses IS 'how often it was lost';
COMMENT ON COLUMN crm_bridge.webhook_channel.detail IS 'the service''s own words, where it refused';
COMMENT ON COLUMN crm_bridge.webhook_channel.tended_by IS 'the worker that does what is due';
COMMENT ON COLUMN crm_bridge.webhook_channel.tended_until IS 'until then no other does';
