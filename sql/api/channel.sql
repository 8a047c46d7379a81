-- Notification channels: what is due for one, and what came of it.  The database decides, by its own clock, so that of several
-- workers one does it and none must remember anything.

-- What a worker is to do for a channel now: "make" it, "renew" it, "check" whether the service still has it, "catch_up" (poll
-- everything, because it was made), or "none".  Whoever is told to do something has two minutes, in which nobody else is told.
-- Result: one row; the time that a new channel's life is counted from is "moment".
-- token_hash is that of the token with which the worker would make it: with another key it is made anew.
CREATE OR REPLACE FUNCTION crm_bridge.next_channel_step(
  service     text,
  channel     text,
  token_hash  bytea,
  lease       uuid,
  org_id      bigint DEFAULT NULL
)
RETURNS TABLE (step text, moment timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(next_channel_step.org_id, crm_bridge._own_org(NULL));
  known crm_bridge.webhook_channel;
BEGIN
  moment := crm_bridge._clock();
  step := 'none';
  PERFORM crm_bridge._demand_armed();
  INSERT INTO crm_bridge.webhook_channel (org_id, service, channel, token_hash)
  SELECT org, next_channel_step.service, next_channel_step.channel, next_channel_step.token_hash
   WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.webhook_channel AS c
                      WHERE c.org_id = org AND c.service = next_channel_step.service AND c.channel = next_channel_step.channel)
  ON CONFLICT ON CONSTRAINT webhook_channel_key DO NOTHING;
  SELECT c.* INTO known FROM crm_bridge.webhook_channel AS c
   WHERE c.org_id = org AND c.service = next_channel_step.service AND c.channel = next_channel_step.channel
     FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND OR (known.tended_until > moment AND known.tended_by <> next_channel_step.lease
                   AND known.tended_by = ANY (crm_bridge._fresh_leases())) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  step := CASE
    WHEN known.token_hash <> next_channel_step.token_hash THEN 'make'
    WHEN known.state = 'manual' THEN 'none'
    -- A refusal rarely heals by itself, but a person may mend it.
    WHEN known.state = 'refused' AND known.checked_at > moment - interval '5 minutes' THEN 'none'
    WHEN known.state <> 'open' OR known.expires_at <= moment THEN 'make'
    -- A third of its life is left for a worker that is down and a service that does not answer.
    WHEN known.expires_at - moment < (known.expires_at - known.renewed_at) / 3 THEN 'renew'
    WHEN known.caught_up_at IS NULL OR known.caught_up_at < known.made_at THEN 'catch_up'
    WHEN known.checked_at < moment - interval '15 minutes' THEN 'check'
    ELSE 'none' END;
  IF step <> 'none' THEN
    UPDATE crm_bridge.webhook_channel AS c
       SET tended_by = next_channel_step.lease, tended_until = moment + interval '2 minutes',
           -- One that lapsed unnoticed was lost like any other.
           losses = c.losses + CASE WHEN step = 'make' AND known.state = 'open' THEN 1 ELSE 0 END,
           lost_at = CASE WHEN step = 'make' AND known.state = 'open' THEN moment ELSE c.lost_at END,
           state = CASE WHEN step = 'make' AND known.state = 'open' THEN 'lost' ELSE c.state END,
           token_hash = next_channel_step.token_hash
     WHERE c.org_id = org AND c.service = next_channel_step.service AND c.channel = next_channel_step.channel;
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION crm_bridge.next_channel_step(text, text, bytea, uuid, bigint) IS 'what a worker is to do for a notification channel now';
REVOKE ALL ON FUNCTION crm_bridge.next_channel_step(text, text, bytea, uuid, bigint) FROM PUBLIC;

-- What came of it: "made" or "renewed" (until expires_at), "found" or "lost" (of a check), "refused" (detail says why), "manual"
-- (the service has no call for it), "caught_up".  Errors: 22023 an unknown outcome; 42704 no such channel.
CREATE OR REPLACE FUNCTION crm_bridge.record_channel(
  service     text,
  channel     text,
  outcome     text,
  expires_at  timestamptz DEFAULT NULL,
  detail      text        DEFAULT NULL,
  org_id      bigint      DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(record_channel.org_id, crm_bridge._own_org(NULL));
  moment timestamptz := crm_bridge._clock();
BEGIN
  IF outcome IS NULL OR outcome NOT IN ('made', 'renewed', 'found', 'lost', 'refused', 'manual', 'caught_up') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('outcome "%s" is not known', outcome),
      HINT = 'Use made, renewed, found, lost, refused, manual or caught_up.';
  END IF;
  UPDATE crm_bridge.webhook_channel AS c
     SET state = CASE WHEN outcome IN ('made', 'renewed') THEN 'open' WHEN outcome IN ('lost', 'refused', 'manual') THEN outcome
                      ELSE c.state END,
         made_at = CASE WHEN outcome = 'made' OR (outcome = 'renewed' AND c.made_at IS NULL) THEN moment ELSE c.made_at END,
         renewed_at = CASE WHEN outcome IN ('made', 'renewed') THEN moment ELSE c.renewed_at END,
         checked_at = CASE WHEN outcome = 'caught_up' THEN c.checked_at ELSE moment END,
         caught_up_at = CASE WHEN outcome = 'caught_up' THEN moment ELSE c.caught_up_at END,
         -- A service that does not say how long it lasts means an hour.
         expires_at = CASE WHEN outcome IN ('made', 'renewed') THEN COALESCE(record_channel.expires_at, moment + interval '1 hour')
                           WHEN outcome = 'found' THEN COALESCE(record_channel.expires_at, c.expires_at)
                           ELSE c.expires_at END,
         lost_at = CASE WHEN outcome = 'lost' THEN moment ELSE c.lost_at END,
         losses = c.losses + CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END,
         detail = CASE WHEN outcome = 'refused' THEN COALESCE(record_channel.detail, 'refused')
                       WHEN outcome IN ('made', 'renewed') THEN NULL ELSE c.detail END,
         tended_until = moment
   WHERE c.org_id = org AND c.service = record_channel.service AND c.channel = record_channel.channel;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('channel "%s" of service "%s" does not exist', channel, service);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.record_channel(text, text, text, timestamptz, text, bigint) IS 'what came of tending a notification channel';
REVOKE ALL ON FUNCTION crm_bridge.record_channel(text, text, text, timestamptz, text, bigint) FROM PUBLIC;
