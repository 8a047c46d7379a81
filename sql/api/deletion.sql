-- Deletions on their way out.

-- The records were deleted in the mirror: their service is to be told, if it knows them or may know them.
CREATE OR REPLACE FUNCTION crm_bridge._deliver_deletions(org_id bigint, module text, records uuid[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _deliver_deletions.org_id;
  held uuid[];
  contended uuid[];
BEGIN
  held := ARRAY(SELECT d.record_id FROM crm_bridge.delivery AS d
                 WHERE d.org_id = org AND d.record_id = ANY (records) FOR NO KEY UPDATE SKIP LOCKED);
  contended := ARRAY(SELECT d.record_id FROM crm_bridge.delivery AS d
                      WHERE d.org_id = org AND d.record_id = ANY (records) AND d.record_id <> ALL (held));
  INSERT INTO crm_bridge.reconcile_request (org_id, record_id, module, operation)
  SELECT org, r, _deliver_deletions.module, 'delete' FROM unnest(contended) AS r;
  -- Nobody outside ever heard of these.
  DELETE FROM crm_bridge.delivery AS d
   WHERE d.org_id = org AND d.record_id = ANY (held) AND d.state <> 'in_flight' AND NOT d.in_doubt
     AND NOT EXISTS (SELECT 1 FROM crm_bridge.shadow AS s
                      WHERE s.org_id = org AND s.record_id = d.record_id AND s.state <> 'gone');
  UPDATE crm_bridge.delivery AS d
     SET operation = 'delete', generation = d.generation + 1, fields = '{}', attempts = 0, not_before = '-infinity',
         state = CASE WHEN d.state = 'in_flight' THEN d.state ELSE 'pending' END, stopped = false, waits_for = NULL
   WHERE d.org_id = org AND d.record_id = ANY (held);
  INSERT INTO crm_bridge.delivery (org_id, record_id, module, service, operation)
  SELECT org, s.record_id, s.module, m.service, 'delete'
    FROM crm_bridge.shadow AS s JOIN crm_bridge.module AS m ON m.module = s.module
   WHERE s.org_id = org AND s.record_id = ANY (records) AND s.state = 'live'
     AND s.record_id <> ALL (held) AND s.record_id <> ALL (contended);
END
$$;
COMMENT ON FUNCTION crm_bridge._deliver_deletions(bigint, text, uuid[]) IS 'notes that a service is to delete records';
REVOKE ALL ON FUNCTION crm_bridge._deliver_deletions(bigint, text, uuid[]) FROM PUBLIC;
