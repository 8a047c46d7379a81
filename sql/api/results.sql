-- Whether what a worker says of records can be true.

-- A uuid as a worker wrote it, NULL for what is none.
CREATE OR REPLACE FUNCTION crm_bridge._uuid_or_null(word text)
RETURNS uuid
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN word ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN word::uuid END;
END
$$;
COMMENT ON FUNCTION crm_bridge._uuid_or_null(text) IS 'a uuid as a worker wrote it, NULL for what is none';
REVOKE ALL ON FUNCTION crm_bridge._uuid_or_null(text) FROM PUBLIC;

-- Raises 22023 if a result or failure names no record of this organization and module: a wrong one, taken for good, would lose a record.
CREATE OR REPLACE FUNCTION crm_bridge._demand_results(results jsonb, org_id bigint)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _demand_results.org_id;
  problem text;
BEGIN
  SELECT p.problem INTO problem
    FROM jsonb_array_elements(results) AS r
   CROSS JOIN LATERAL (SELECT crm_bridge._uuid_or_null(r ->> 'record_id') AS id) AS u
   CROSS JOIN LATERAL (
         SELECT CASE
           WHEN jsonb_typeof(r) <> 'object' THEN 'it is not an object'
           WHEN u.id IS NULL THEN 'its record_id is not a uuid'
           WHEN NOT EXISTS (SELECT 1 FROM crm_bridge.module AS m WHERE m.module = r ->> 'module') THEN format('module "%s" does not exist', r ->> 'module')
           WHEN COALESCE(jsonb_typeof(r -> 'external_id'), 'null') NOT IN ('null', 'string', 'number')
             OR octet_length(r ->> 'external_id') NOT BETWEEN 1 AND 255 THEN 'its external_id is not a text of 1 to 255 bytes'
           WHEN COALESCE((SELECT d.module FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.record_id = u.id),
                         (SELECT s.module FROM crm_bridge.shadow AS s WHERE s.org_id = org AND s.record_id = u.id)) IS DISTINCT FROM r ->> 'module'
             THEN format('record %s is not known in module "%s"', u.id, r ->> 'module')
         END AS problem) AS p
   WHERE p.problem IS NOT NULL LIMIT 1;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = problem;
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._demand_results(jsonb, bigint) IS 'refuses a result that names no record of the organization and module';
REVOKE ALL ON FUNCTION crm_bridge._demand_results(jsonb, bigint) FROM PUBLIC;
