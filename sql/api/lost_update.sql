-- Lost updates: values that somebody entered in a service and that a write of ours replaced before they were read (B2, P9).

-- What webhooks said that records were given: whatever of it was never read and has been overwritten is recorded as a conflict, which our
-- write has won (reason "unread").  To be called after receive has merged what the records are now.
-- Arguments: records, as receive takes them, modified_at being when the values were entered (without it: within the last fifteen minutes); the same
-- record may come several times.
-- Result: how many values were found lost.  Errors: 55000 not armed; 42704 unknown module or organization; 22023 records is not an array or too long.
CREATE OR REPLACE FUNCTION crm_bridge.record_lost_updates(module text, records jsonb, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'crm_bridge_record_lost_updates';
COMMENT ON FUNCTION crm_bridge.record_lost_updates(text, jsonb, bigint) IS 'records values that a write of ours replaced before anybody had read them';
REVOKE ALL ON FUNCTION crm_bridge.record_lost_updates(text, jsonb, bigint) FROM PUBLIC;
