-- What the connectors of a worker can do, for people to read (design §8).

-- Takes over what a worker says of a service, all of it: [{"module", "call", "how", "requests", "contract", "in_use"}].
-- What is the same already is not written again.  Result: how many rows changed.
-- Errors: 22023 not an array; 23514 a contract that is not documented, observed, assumed or absent.
CREATE OR REPLACE FUNCTION crm_bridge.store_capabilities(service text, capabilities jsonb)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  removed integer;
  written integer;
BEGIN
  IF jsonb_typeof(capabilities) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'capabilities must be a JSON array',
      HINT = 'For example [{"module": "crm_deal", "call": "create", "how": "POST", "requests": "1 per 100", "contract": "documented", "in_use": true}].';
  END IF;
  -- Workers that start together tell the same: the second waits and finds nothing to do.
  PERFORM 1 FROM crm_bridge.capability AS c WHERE c.service = store_capabilities.service ORDER BY c.module, c.call FOR UPDATE;
  DELETE FROM crm_bridge.capability AS c
   WHERE c.service = store_capabilities.service
     AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(capabilities) AS e
                      WHERE e ->> 'module' = c.module AND e ->> 'call' = c.call);
  GET DIAGNOSTICS removed = ROW_COUNT;
  INSERT INTO crm_bridge.capability AS known (service, module, call, how, requests, contract, in_use)
  SELECT DISTINCT ON (e ->> 'module', e ->> 'call')
         store_capabilities.service, e ->> 'module', e ->> 'call', e ->> 'how', e ->> 'requests', e ->> 'contract',
         (e ->> 'in_use')::boolean
    FROM jsonb_array_elements(capabilities) AS e ORDER BY e ->> 'module', e ->> 'call'
  ON CONFLICT ON CONSTRAINT capability_key DO UPDATE
     SET how = EXCLUDED.how, requests = EXCLUDED.requests, contract = EXCLUDED.contract, in_use = EXCLUDED.in_use, told_at = now()
   WHERE (known.how, known.requests, known.contract, known.in_use)
         IS DISTINCT FROM (EXCLUDED.how, EXCLUDED.requests, EXCLUDED.contract, EXCLUDED.in_use);
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN removed + written;
END
$$;
COMMENT ON FUNCTION crm_bridge.store_capabilities(text, jsonb) IS 'takes over what a worker says its connector to a service can do';
REVOKE ALL ON FUNCTION crm_bridge.store_capabilities(text, jsonb) FROM PUBLIC;
