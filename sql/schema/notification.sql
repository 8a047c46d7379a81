-- Mails to people, queued in the transaction that caused them.
--
--   queued ──take_notifications──► sending ──hand_over_notification──► sending, handed over ──finish─► sent
--     ▲ │                             │  └ refused before the end ─► undeliverable   │ answer lost, worker died
--     │ └ too many for one person     └ refused for now, worker died ─► queued       ▼
--     │    ─► summarized                                                          in_doubt
--     └───────────────────── retry_notification: a person decides ◄─ undeliverable, in_doubt
CREATE TABLE crm_bridge.notification (
  org_id           bigint      NOT NULL,
  notification_id  uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  at               timestamptz NOT NULL DEFAULT now(),
  recipient        text        NOT NULL,
  kind             text        NOT NULL,
  facts            jsonb       NOT NULL DEFAULT '{}',
  cause            uuid,
  attachment_name  text,
  attachment       text,
  locale           text,
  state            text        NOT NULL DEFAULT 'queued',
  attempts         integer     NOT NULL DEFAULT 0,
  not_before       timestamptz NOT NULL DEFAULT '-infinity',
  lease            uuid,
  taken_at         timestamptz,
  handed_over_at   timestamptz,
  sent_at          timestamptz,
  summary_id       uuid,
  reason           text,
  detail           text,
  CONSTRAINT notification_key PRIMARY KEY (org_id, notification_id),
  CONSTRAINT notification_once UNIQUE (org_id, cause, kind, recipient),
  CONSTRAINT notification_state_known CHECK (state IN ('queued', 'sending', 'sent', 'undeliverable', 'in_doubt', 'summarized')),
  CONSTRAINT notification_facts_object CHECK (jsonb_typeof(facts) = 'object'),
  CONSTRAINT notification_leased_iff_sending CHECK ((state = 'sending') = (lease IS NOT NULL)),
  CONSTRAINT notification_taken_while_sending CHECK (state NOT IN ('sending', 'sent') OR taken_at IS NOT NULL),
  CONSTRAINT notification_handed_over_or_not CHECK (handed_over_at IS NULL OR state NOT IN ('queued', 'summarized')),
  CONSTRAINT notification_sent_iff_sent CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT notification_summarized_iff_summary CHECK ((state = 'summarized') = (summary_id IS NOT NULL)),
  CONSTRAINT notification_failure_has_reason CHECK (state NOT IN ('undeliverable', 'in_doubt') OR reason IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX notification_open ON crm_bridge.notification (org_id, at, notification_id) WHERE state IN ('queued', 'sending');
CREATE INDEX notification_taken ON crm_bridge.notification (org_id, taken_at) WHERE taken_at IS NOT NULL;
COMMENT ON TABLE crm_bridge.notification IS 'a mail to a person, queued in the transaction that caused it';
COMMENT ON COLUMN crm_bridge.notification.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.notification.notification_id IS 'its own id, and the left part of the mail''s Message-ID';
COMMENT ON COLUMN crm_bridge.notification.at IS 'when it was queued; the mail''s date';
COMMENT ON COLUMN crm_bridge.notification.recipient IS 'e-mail address';
COMMENT ON COLUMN crm_bridge.notification.kind IS 'which text it will have';
COMMENT ON COLUMN crm_bridge.notification.facts IS 'what the text speaks of';
COMMENT ON COLUMN crm_bridge.notification.cause IS 'what caused it: of one cause a person gets one mail of a kind, however often it is processed';
COMMENT ON COLUMN crm_bridge.notification.attachment_name IS 'file name of the attachment';
COMMENT ON COLUMN crm_bridge.notification.attachment IS 'a table in CSV; removed when the mail is sent';
COMMENT ON COLUMN crm_bridge.notification.locale IS 'the recipient''s, found when it was handed to a worker first';
COMMENT ON COLUMN crm_bridge.notification.state IS
  'queued, sending, sent, undeliverable (the mail server refused it), in_doubt (its answer was lost), summarized (in another mail)';
COMMENT ON COLUMN crm_bridge.notification.attempts IS 'how often the mail server was asked to take it';
COMMENT ON COLUMN crm_bridge.notification.not_before IS 'earliest time of the next attempt';
COMMENT ON COLUMN crm_bridge.notification.lease IS 'the worker that sends it';
COMMENT ON COLUMN crm_bridge.notification.taken_at IS 'when a worker took it last; what the limits count by';
COMMENT ON COLUMN crm_bridge.notification.handed_over_at IS 'when its last byte was about to leave: from then on it may have arrived';
COMMENT ON COLUMN crm_bridge.notification.sent_at IS 'when the mail server took it';
COMMENT ON COLUMN crm_bridge.notification.summary_id IS 'the mail that stands for it and others';
COMMENT ON COLUMN crm_bridge.notification.reason IS 'code of the last failure';
COMMENT ON COLUMN crm_bridge.notification.detail IS 'the mail server''s own words about it';
