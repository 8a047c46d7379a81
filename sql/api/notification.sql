-- Mails to people: queueing them, looking at them, deciding about those that did not arrive.  What a worker calls is in mail.sql.

-- Queues a mail in the caller's transaction.  Arguments: e-mail address, a kind of message_text, what its text speaks of, an
-- attachment (CSV), and what caused it: of one cause a person gets one mail of a kind, however often the cause is processed.
-- Result: the mail's id; that of the first where the cause is known.  An address that cannot be one does not fail the caller:
-- such a mail is undeliverable from the start.  Errors: 22023 an unknown kind, facts that are no object.
CREATE OR REPLACE FUNCTION crm_bridge._notify(
  org_id           bigint,
  recipient        text,
  kind             text,
  facts            jsonb,
  attachment_name  text DEFAULT NULL,
  attachment       text DEFAULT NULL,
  cause            uuid DEFAULT NULL
)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  queued uuid := crm_bridge.new_id();
  address text := btrim(COALESCE(_notify.recipient, ''));
  reachable boolean := crm_bridge._is_address(address);
BEGIN
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.message_text AS m WHERE m.kind = _notify.kind AND m.part = 'subject') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('notification kind "%s" is not known', _notify.kind),
      HINT = 'The kinds are listed in crm_bridge.message_text.';
  ELSIF jsonb_typeof(_notify.facts) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'facts must be a JSON object';
  END IF;
  INSERT INTO crm_bridge.notification (org_id, notification_id, recipient, kind, facts, cause, attachment_name, attachment, state, reason, detail)
  VALUES (_notify.org_id, queued, address, _notify.kind, _notify.facts, _notify.cause,
          CASE WHEN _notify.attachment IS NOT NULL THEN COALESCE(_notify.attachment_name, 'table.csv') END, _notify.attachment,
          CASE WHEN reachable THEN 'queued' ELSE 'undeliverable' END,
          CASE WHEN NOT reachable THEN 'bad_address' END, CASE WHEN NOT reachable THEN 'not an e-mail address that mail can be sent to' END)
  ON CONFLICT ON CONSTRAINT notification_once DO NOTHING;
  IF NOT FOUND THEN
    RETURN (SELECT n.notification_id FROM crm_bridge.notification AS n
             WHERE n.org_id = _notify.org_id AND n.cause = _notify.cause AND n.kind = _notify.kind AND n.recipient = address);
  END IF;
  IF reachable THEN
    PERFORM crm_bridge._ring_for_mail();
  END IF;
  RETURN queued;
END
$$;
COMMENT ON FUNCTION crm_bridge._notify(bigint, text, text, jsonb, text, text, uuid) IS 'queues a mail to a person';
REVOKE ALL ON FUNCTION crm_bridge._notify(bigint, text, text, jsonb, text, text, uuid) FROM PUBLIC;

-- What mail can be sent to: an ASCII local part without quotes, and a domain, which may be internationalized.
CREATE OR REPLACE FUNCTION crm_bridge._is_address(address text)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE(octet_length(address) <= 254
    AND address ~ '^[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+)*@[^\s@"<>(),:;\\\[\]\u0001-\u002c\u007f-\u00a0\u2028\u2029]+$', false);
END
$$;
COMMENT ON FUNCTION crm_bridge._is_address(text) IS 'whether mail can be sent to an address';
REVOKE ALL ON FUNCTION crm_bridge._is_address(text) FROM PUBLIC;

-- Wakes the mailer when the transaction commits.  Two-phase commit forbids NOTIFY: then it finds the mail by itself.
CREATE OR REPLACE FUNCTION crm_bridge._ring_for_mail()
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('crm_bridge.notify')::boolean THEN
    PERFORM pg_notify('crm_bridge', 'mail');
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._ring_for_mail() IS 'wakes the mailer at commit';
REVOKE ALL ON FUNCTION crm_bridge._ring_for_mail() FROM PUBLIC;

CREATE VIEW crm_bridge.notifications WITH (security_invoker = true) AS
  SELECT n.org_id, n.notification_id, n.at, n.recipient, n.kind, n.state, n.locale, n.attempts, n.not_before, n.sent_at, n.summary_id,
         n.reason, n.detail, n.attachment_name, n.state IN ('undeliverable', 'in_doubt') AS needs_decision, now() AS as_of
    FROM crm_bridge.notification AS n;
COMMENT ON VIEW crm_bridge.notifications IS 'mails to people and what became of them; preview_notification() shows one, retry_notification() sends one again';
COMMENT ON COLUMN crm_bridge.notifications.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.notifications.notification_id IS 'for preview_notification and retry_notification';
COMMENT ON COLUMN crm_bridge.notifications.at IS 'when it was queued';
COMMENT ON COLUMN crm_bridge.notifications.recipient IS 'e-mail address';
COMMENT ON COLUMN crm_bridge.notifications.kind IS 'what it tells';
COMMENT ON COLUMN crm_bridge.notifications.state IS 'queued, sending, sent, undeliverable, in_doubt (it may have arrived) or summarized';
COMMENT ON COLUMN crm_bridge.notifications.locale IS 'the recipient''s, once it was handed to a worker';
COMMENT ON COLUMN crm_bridge.notifications.attempts IS 'how often the mail server was asked to take it';
COMMENT ON COLUMN crm_bridge.notifications.not_before IS 'earliest time of the next attempt';
COMMENT ON COLUMN crm_bridge.notifications.sent_at IS 'when the mail server took it';
COMMENT ON COLUMN crm_bridge.notifications.summary_id IS 'the mail that stands for it and others';
COMMENT ON COLUMN crm_bridge.notifications.reason IS 'why it did not arrive, as a code';
COMMENT ON COLUMN crm_bridge.notifications.detail IS 'the mail server''s own words';
COMMENT ON COLUMN crm_bridge.notifications.attachment_name IS 'file name of its attachment';
COMMENT ON COLUMN crm_bridge.notifications.needs_decision IS 'it did not arrive, or may not have: a person decides';
COMMENT ON COLUMN crm_bridge.notifications.as_of IS 'when this was read';

-- A mail as its recipient reads it, or in another language.  Errors: 42704 no such mail of the organization.
CREATE OR REPLACE FUNCTION crm_bridge.preview_notification(notification_id uuid, locale text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS TABLE (recipient text, in_locale text, subject text, body text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  mail crm_bridge.notification;
BEGIN
  SELECT n.* INTO mail FROM crm_bridge.notification AS n WHERE n.org_id = org AND n.notification_id = preview_notification.notification_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('notification %s does not exist', notification_id),
      HINT = 'They are listed in crm_bridge.notifications.';
  END IF;
  recipient := mail.recipient;
  in_locale := COALESCE(preview_notification.locale, mail.locale, crm_bridge._locale_for(mail.recipient, org));
  subject := crm_bridge._render(mail.kind, 'subject', in_locale, mail.facts, org);
  body := crm_bridge._mail_body(mail.kind, in_locale, mail.facts, org);
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION crm_bridge.preview_notification(uuid, text, bigint) IS 'a mail as its recipient reads it';
REVOKE ALL ON FUNCTION crm_bridge.preview_notification(uuid, text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._mail_body(kind text, locale text, facts jsonb, org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN crm_bridge._render(kind, 'body', locale, facts, org_id) || E'\n\n-- \n' || crm_bridge._render('word', 'footer', locale, '{}', org_id) || E'\n';
END
$$;
COMMENT ON FUNCTION crm_bridge._mail_body(text, text, jsonb, bigint) IS 'the text of a mail with its footer';
REVOKE ALL ON FUNCTION crm_bridge._mail_body(text, text, jsonb, bigint) FROM PUBLIC;

-- Sends a mail again that did not arrive, or may not have: if it did, its recipient gets it twice, with the same Message-ID.
-- Without an argument all undeliverable ones.  Result: how many.  Errors: 42704 it is neither undeliverable nor in doubt.
CREATE OR REPLACE FUNCTION crm_bridge.retry_notification(notification_id uuid DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  changed integer;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  UPDATE crm_bridge.notification AS n
     SET state = 'queued', attempts = 0, not_before = '-infinity', handed_over_at = NULL
   WHERE n.org_id = org AND crm_bridge._is_address(n.recipient)
     AND CASE WHEN retry_notification.notification_id IS NULL THEN n.state = 'undeliverable'
              ELSE n.notification_id = retry_notification.notification_id AND n.state IN ('undeliverable', 'in_doubt') END;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed = 0 AND retry_notification.notification_id IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704',
      MESSAGE = format('notification %s is neither undeliverable nor in doubt, or has no address', retry_notification.notification_id),
      HINT = 'See crm_bridge.notifications for its state.';
  END IF;
  IF changed > 0 THEN
    PERFORM crm_bridge._ring_for_mail();
  END IF;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm_bridge.retry_notification(uuid, bigint) IS 'sends a mail again that did not arrive or may not have; without an argument all undeliverable ones';
REVOKE ALL ON FUNCTION crm_bridge.retry_notification(uuid, bigint) FROM PUBLIC;
