-- Queues a mail to a person in the transaction that caused it.
CREATE OR REPLACE FUNCTION crm_bridge._notify(
  org_id           bigint,
  recipient        text,
  kind             text,
  facts            jsonb,
  attachment_name  text DEFAULT NULL,
  attachment       text DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO crm_bridge.notification (org_id, recipient, kind, facts, attachment_name, attachment)
  VALUES (_notify.org_id, _notify.recipient, _notify.kind, _notify.facts, _notify.attachment_name, _notify.attachment);
END
$$;
COMMENT ON FUNCTION crm_bridge._notify(bigint, text, text, jsonb, text, text) IS 'queues a mail to a person';
REVOKE ALL ON FUNCTION crm_bridge._notify(bigint, text, text, jsonb, text, text) FROM PUBLIC;
