-- What a worker calls to send mails, as docs/protocol.md describes it.  The promise: a mail whose last byte was never sent is sent
-- again; one whose last byte was, and whose answer was lost, is in doubt and never sent again by itself (docs/decisions/0010).

-- The organizations that have mails to be sent, longest waiting first.
CREATE OR REPLACE FUNCTION crm_bridge.notification_backlog()
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fresh uuid[] := crm_bridge._fresh_leases();
  moment timestamptz := crm_bridge._clock();
BEGIN
  RETURN QUERY
    SELECT o.org_id
      FROM crm_bridge.organization AS o
     CROSS JOIN LATERAL (
           SELECT n.at FROM crm_bridge.notification AS n
            WHERE n.org_id = o.org_id
              AND ((n.state = 'queued' AND n.not_before <= moment) OR (n.state = 'sending' AND n.lease <> ALL (fresh)))
            ORDER BY n.at, n.notification_id LIMIT 1) AS oldest
     ORDER BY oldest.at;
END
$$;
COMMENT ON FUNCTION crm_bridge.notification_backlog() IS 'the organizations that have mails to be sent, longest waiting first';
REVOKE ALL ON FUNCTION crm_bridge.notification_backlog() FROM PUBLIC;

-- What is to become of the mails that are due: "send", "fold" (into a summary) or "wait".  A person gets at most per_hour mails an
-- hour; where more are due, the last of them is a summary of the rest.
CREATE OR REPLACE FUNCTION crm_bridge._mail_plan(org_id bigint, per_hour integer, moment timestamptz)
RETURNS TABLE (notification_id uuid, person text, summary boolean, fate text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH used AS (
    SELECT lower(n.recipient) AS person, count(*) AS mails FROM crm_bridge.notification AS n
     WHERE n.org_id = _mail_plan.org_id AND n.taken_at > moment - interval '1 hour' AND n.state NOT IN ('queued', 'summarized')
     GROUP BY 1
  ), due AS (
    SELECT n.notification_id, lower(n.recipient) AS person, n.kind = 'more_mails' AS summary,
           row_number() OVER (PARTITION BY lower(n.recipient), n.kind = 'more_mails' ORDER BY n.at, n.notification_id) AS place,
           count(*) FILTER (WHERE n.kind <> 'more_mails') OVER (PARTITION BY lower(n.recipient)) AS waiting,
           bool_or(n.kind = 'more_mails') OVER (PARTITION BY lower(n.recipient)) AS has_summary
      FROM crm_bridge.notification AS n
     WHERE n.org_id = _mail_plan.org_id AND n.state = 'queued' AND n.not_before <= moment
  )
  SELECT d.notification_id, d.person, d.summary,
         CASE WHEN d.summary THEN CASE WHEN d.place <= per_hour - COALESCE(u.mails, 0) THEN 'send' ELSE 'wait' END
              WHEN NOT d.has_summary AND d.waiting <= per_hour - COALESCE(u.mails, 0) THEN 'send'
              -- One place is kept for the summary.
              WHEN d.place <= per_hour - COALESCE(u.mails, 0) - 1 THEN 'send'
              WHEN per_hour - COALESCE(u.mails, 0) >= 1 THEN 'fold'
              ELSE 'wait' END
    FROM due AS d LEFT JOIN used AS u ON u.person = d.person;
END
$$;
COMMENT ON FUNCTION crm_bridge._mail_plan(bigint, integer, timestamptz) IS 'what is to become of the mails that are due';
REVOKE ALL ON FUNCTION crm_bridge._mail_plan(bigint, integer, timestamptz) FROM PUBLIC;

-- Puts the mails that are too many for a person into a summary.
CREATE OR REPLACE FUNCTION crm_bridge._fold_mails(org_id bigint, per_hour integer, moment timestamptz)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _fold_mails.org_id;
  crowd record;
  target uuid;
BEGIN
  FOR crowd IN
    SELECT k.person, array_agg(k.notification_id) AS mails, min(n.recipient) AS recipient
      FROM crm_bridge._mail_plan(org, per_hour, moment) AS k
      JOIN crm_bridge.notification AS n ON n.org_id = org AND n.notification_id = k.notification_id
     WHERE k.fate = 'fold' GROUP BY k.person LOOP
    SELECT n.notification_id INTO target FROM crm_bridge.notification AS n
     WHERE n.org_id = org AND n.state = 'queued' AND n.kind = 'more_mails' AND lower(n.recipient) = crowd.person AND n.not_before <= moment
     ORDER BY n.at, n.notification_id LIMIT 1;
    IF NOT FOUND THEN
      target := crm_bridge.new_id();
      INSERT INTO crm_bridge.notification (org_id, notification_id, recipient, kind) VALUES (org, target, crowd.recipient, 'more_mails');
    END IF;
    UPDATE crm_bridge.notification AS n SET state = 'summarized', summary_id = target
     WHERE n.org_id = org AND n.notification_id = ANY (crowd.mails) AND n.state = 'queued';
    UPDATE crm_bridge.notification AS n
       SET facts = (SELECT jsonb_build_object('count', sum(c.mails), 'kinds', jsonb_object_agg(c.kind, c.mails))
                      FROM (SELECT f.kind, count(*) AS mails FROM crm_bridge.notification AS f
                             WHERE f.org_id = org AND f.state = 'summarized' AND f.summary_id = target GROUP BY f.kind) AS c)
     WHERE n.org_id = org AND n.notification_id = target;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._fold_mails(bigint, integer, timestamptz) IS 'puts the mails that are too many for a person into a summary';
REVOKE ALL ON FUNCTION crm_bridge._fold_mails(bigint, integer, timestamptz) FROM PUBLIC;

-- Takes the mails back that these leases hold: queued again, but for those whose last byte may have left.  Result: how many.
CREATE OR REPLACE FUNCTION crm_bridge._take_back_mails(leases uuid[], org_id bigint)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  changed integer;
BEGIN
  UPDATE crm_bridge.notification AS n
     SET state = CASE WHEN n.handed_over_at IS NULL THEN 'queued' ELSE 'in_doubt' END, lease = NULL,
         attempts = CASE WHEN n.handed_over_at IS NULL THEN n.attempts - 1 ELSE n.attempts END,
         reason = CASE WHEN n.handed_over_at IS NULL THEN n.reason ELSE 'worker_ended' END,
         detail = CASE WHEN n.handed_over_at IS NULL THEN n.detail ELSE 'the worker ended before the mail server''s answer' END
   WHERE n.org_id = _take_back_mails.org_id AND n.state = 'sending' AND n.lease = ANY (leases);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm_bridge._take_back_mails(uuid[], bigint) IS 'takes mails back from leases that are over';
REVOKE ALL ON FUNCTION crm_bridge._take_back_mails(uuid[], bigint) FROM PUBLIC;

-- Gives back what a lease holds of all organizations, after the worker has lost sight of it.  Result: how many.
CREATE OR REPLACE FUNCTION crm_bridge.release_notifications(lease uuid)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT COALESCE(sum(crm_bridge._take_back_mails(ARRAY[release_notifications.lease], o.org_id)), 0) FROM crm_bridge.organization AS o);
END
$$;
COMMENT ON FUNCTION crm_bridge.release_notifications(uuid) IS 'gives back the mails that a worker holds';
REVOKE ALL ON FUNCTION crm_bridge.release_notifications(uuid) FROM PUBLIC;

-- Hands up to "limit" mails, rendered, to the worker that holds "lease".  Two workers never get the same one; while one is being
-- served another gets none, so that the limits hold: mails_per_minute of the organization, mails_per_recipient_hour.
-- Errors: 55000 not armed; 22023 a bad limit.
CREATE OR REPLACE FUNCTION crm_bridge.take_notifications(lease uuid, "limit" integer, org_id bigint DEFAULT NULL)
RETURNS TABLE (notification_id uuid, recipient text, locale text, kind text, subject text, body text, attachment_name text,
               attachment text, queued_at timestamptz, attempt integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(take_notifications.org_id, crm_bridge._own_org(NULL));
  moment timestamptz := crm_bridge._clock();
  fresh uuid[] := crm_bridge._fresh_leases() || take_notifications.lease;
  per_minute integer := COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'mails_per_minute'), '100')::integer;
  per_hour integer := COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'mails_per_recipient_hour'), '30')::integer;
  mail crm_bridge.notification;
BEGIN
  PERFORM crm_bridge._demand_armed();
  IF "limit" IS NULL OR "limit" < 1 OR "limit" > 1000 OR take_notifications.lease IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'limit must be between 1 and 1000, and lease not null';
  END IF;
  PERFORM 1 FROM crm_bridge.organization AS o WHERE o.org_id = org FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM crm_bridge._take_back_mails(ARRAY(SELECT DISTINCT n.lease FROM crm_bridge.notification AS n
                                             WHERE n.org_id = org AND n.state = 'sending' AND n.lease <> ALL (fresh)), org);
  PERFORM crm_bridge._fold_mails(org, per_hour, moment);
  FOR mail IN
    WITH chosen AS (
      SELECT n.notification_id
        FROM crm_bridge._mail_plan(org, per_hour, moment) AS k
        JOIN crm_bridge.notification AS n ON n.org_id = org AND n.notification_id = k.notification_id
       WHERE k.fate = 'send'
       ORDER BY n.at, n.notification_id
       LIMIT GREATEST(LEAST("limit", per_minute - (SELECT count(*) FROM crm_bridge.notification AS n
              WHERE n.org_id = org AND n.taken_at > moment - interval '1 minute' AND n.state NOT IN ('queued', 'summarized'))), 0)
    )
    UPDATE crm_bridge.notification AS n
       SET state = 'sending', lease = take_notifications.lease, attempts = n.attempts + 1, taken_at = moment,
           locale = COALESCE(n.locale, crm_bridge._locale_for(n.recipient, org))
      FROM chosen AS c
     WHERE n.org_id = org AND n.notification_id = c.notification_id AND n.state = 'queued'
    RETURNING n.* LOOP
    BEGIN
      subject := crm_bridge._render(mail.kind, 'subject', mail.locale, mail.facts, org);
      body := crm_bridge._mail_body(mail.kind, mail.locale, mail.facts, org);
    EXCEPTION WHEN data_exception OR undefined_object THEN
      -- It must not keep the others from going out.
      UPDATE crm_bridge.notification AS n SET state = 'undeliverable', lease = NULL, reason = 'no_text', detail = SQLERRM
       WHERE n.org_id = org AND n.notification_id = mail.notification_id;
      CONTINUE;
    END;
    notification_id := mail.notification_id;
    recipient := mail.recipient;
    locale := mail.locale;
    kind := mail.kind;
    attachment_name := mail.attachment_name;
    attachment := mail.attachment;
    queued_at := mail.at;
    attempt := mail.attempts;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge.take_notifications(uuid, integer, bigint) IS 'hands mails of one organization to one worker';
REVOKE ALL ON FUNCTION crm_bridge.take_notifications(uuid, integer, bigint) FROM PUBLIC;

-- Called before the last byte of a mail leaves: from here on it may have arrived.  Result: whether it may leave; false where the
-- lease was lost, and then the worker must break off.
CREATE OR REPLACE FUNCTION crm_bridge.hand_over_notification(lease uuid, notification_id uuid, org_id bigint DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(hand_over_notification.org_id, crm_bridge._own_org(NULL));
BEGIN
  PERFORM crm_bridge._demand_armed();
  UPDATE crm_bridge.notification AS n SET handed_over_at = crm_bridge._clock()
   WHERE n.org_id = org AND n.notification_id = hand_over_notification.notification_id
     AND n.state = 'sending' AND n.lease = hand_over_notification.lease;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION crm_bridge.hand_over_notification(uuid, uuid, bigint) IS 'the last byte of a mail is about to leave';
REVOKE ALL ON FUNCTION crm_bridge.hand_over_notification(uuid, uuid, bigint) FROM PUBLIC;

-- What became of a mail: sent; retry (not taken, for now); release (not tried); undeliverable (refused for good); in_doubt (handed
-- over, answer lost).  An answer that is known late still counts for a mail that was put in doubt meanwhile.
-- Result: the mail's state, or "late" where somebody else has it.  Errors: 22023 an unknown outcome.
CREATE OR REPLACE FUNCTION crm_bridge.finish_notification(
  lease            uuid,
  notification_id  uuid,
  outcome          text,
  reason           text   DEFAULT NULL,
  detail           text   DEFAULT NULL,
  org_id           bigint DEFAULT NULL
)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(finish_notification.org_id, crm_bridge._own_org(NULL));
  maximum integer := COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'maximum_attempts'), '12')::integer;
  next_state text;
BEGIN
  IF outcome IS NULL OR outcome NOT IN ('sent', 'retry', 'release', 'undeliverable', 'in_doubt') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('outcome "%s" is not known', outcome),
      HINT = 'Use sent, retry, release, undeliverable or in_doubt.';
  END IF;
  UPDATE crm_bridge.notification AS n
     SET state = CASE WHEN outcome = 'retry' AND n.attempts >= maximum THEN 'undeliverable'
                      WHEN outcome IN ('retry', 'release') THEN 'queued' ELSE outcome END,
         lease = NULL,
         attempts = CASE WHEN outcome = 'release' THEN n.attempts - 1 ELSE n.attempts END,
         handed_over_at = CASE WHEN outcome IN ('retry', 'release') THEN NULL ELSE n.handed_over_at END,
         not_before = CASE WHEN outcome = 'retry' THEN crm_bridge._clock() + crm_bridge.retry_delay(GREATEST(n.attempts, 1)) ELSE n.not_before END,
         sent_at = CASE WHEN outcome = 'sent' THEN crm_bridge._clock() END,
         attachment = CASE WHEN outcome <> 'sent' THEN n.attachment END,
         reason = CASE outcome WHEN 'sent' THEN NULL WHEN 'release' THEN n.reason ELSE left(COALESCE(finish_notification.reason, outcome), 200) END,
         detail = CASE outcome WHEN 'sent' THEN NULL WHEN 'release' THEN n.detail ELSE left(finish_notification.detail, 4000) END
   WHERE n.org_id = org AND n.notification_id = finish_notification.notification_id
     AND ((n.state = 'sending' AND n.lease = finish_notification.lease)
          OR (n.state = 'in_doubt' AND n.reason = 'worker_ended' AND outcome IN ('sent', 'retry', 'undeliverable')))
  RETURNING n.state INTO next_state;
  RETURN COALESCE(next_state, 'late');
END
$$;
COMMENT ON FUNCTION crm_bridge.finish_notification(uuid, uuid, text, text, text, bigint) IS 'what became of a mail';
REVOKE ALL ON FUNCTION crm_bridge.finish_notification(uuid, uuid, text, text, text, bigint) FROM PUBLIC;
