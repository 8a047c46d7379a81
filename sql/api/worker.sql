-- What else a worker asks the database, as docs/protocol.md describes it.

CREATE VIEW crm_bridge.module_fields WITH (security_invoker = true) AS
  SELECT f.org_id, m.service, f.module, f.field, f.api_name, f.type, f.reference_module, f.writable, f.custom, f.addresses
    FROM crm_bridge.service_field AS f
    JOIN crm_bridge.module AS m ON m.module = f.module;
COMMENT ON VIEW crm_bridge.module_fields IS 'the fields of every module of an organization, with their service: what a connector translates';
COMMENT ON COLUMN crm_bridge.module_fields.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.module_fields.service IS 'the service';
COMMENT ON COLUMN crm_bridge.module_fields.module IS 'the module';
COMMENT ON COLUMN crm_bridge.module_fields.field IS 'name in the mirror';
COMMENT ON COLUMN crm_bridge.module_fields.api_name IS 'name in the service''s API';
COMMENT ON COLUMN crm_bridge.module_fields.type IS 'what the value means';
COMMENT ON COLUMN crm_bridge.module_fields.reference_module IS 'the module that a reference points to';
COMMENT ON COLUMN crm_bridge.module_fields.writable IS 'whether the service takes a value for it';
COMMENT ON COLUMN crm_bridge.module_fields.custom IS 'whether the organization added it';
COMMENT ON COLUMN crm_bridge.module_fields.addresses IS 'part of the record''s URL at the service';

-- The fields of a service's modules, for a worker, which reads no table of an organization by itself.
CREATE OR REPLACE FUNCTION crm_bridge.worker_fields(service text, org_id bigint DEFAULT NULL)
RETURNS TABLE (module text, field text, api_name text, type text, reference_module text, writable boolean,
               custom boolean, addresses boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(worker_fields.org_id, crm_bridge._own_org(NULL));
BEGIN
  RETURN QUERY
    SELECT f.module, f.field, f.api_name, f.type, f.reference_module, f.writable, f.custom, f.addresses
      FROM crm_bridge.module_fields AS f
     WHERE f.org_id = org AND f.service = worker_fields.service
     ORDER BY f.module, f.field;
END
$$;
COMMENT ON FUNCTION crm_bridge.worker_fields(text, bigint) IS 'the fields of a service''s modules, for a worker';
REVOKE ALL ON FUNCTION crm_bridge.worker_fields(text, bigint) FROM PUBLIC;

-- Those of the external ids that belong to a record of ours: a create that is in doubt must not take one of them for its own.
CREATE OR REPLACE FUNCTION crm_bridge.known_external_ids(module text, external_ids text[], org_id bigint DEFAULT NULL)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(known_external_ids.org_id, crm_bridge._own_org(NULL));
BEGIN
  -- A record that was only read, and is nobody's twin, may well be the one whose answer was lost: see _adopt.
  RETURN QUERY
    SELECT s.external_id FROM crm_bridge.shadow AS s
     WHERE s.org_id = org
       AND s.module = known_external_ids.module AND s.external_id = ANY (external_ids)
       AND (s.acknowledged_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM crm_bridge._links_of(s.org_id, s.record_id)));
END
$$;
COMMENT ON FUNCTION crm_bridge.known_external_ids(text, text[], bigint) IS 'those of the external ids that belong to a record of ours';
REVOKE ALL ON FUNCTION crm_bridge.known_external_ids(text, text[], bigint) FROM PUBLIC;

-- Whom a worker polls for a service.
CREATE OR REPLACE FUNCTION crm_bridge.worker_organizations(service text)
RETURNS TABLE (org_id bigint, name text, state text, portal_id text, time_zone text, key_email text, credential_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT o.org_id, o.name, CASE WHEN i.state <> 'active' OR n.org_id IS NOT NULL THEN i.state ELSE 'trial_expired' END, p.external_id,
           COALESCE(p.time_zone, o.time_zone), CASE WHEN c.kind = 'zsc_key' THEN c.email END, c.sealed_at
      FROM crm_bridge.integration AS i
      JOIN crm_bridge.organization AS o ON o.org_id = i.org_id
      LEFT JOIN crm_bridge.open_integration AS n ON n.org_id = i.org_id AND n.service = i.service
      LEFT JOIN crm_bridge.projects_portal AS p ON p.org_id = i.org_id AND p.id = i.portal_id
      LEFT JOIN crm_bridge.credential AS c ON c.org_id = i.org_id AND c.service = i.service AND c.kind = i.credential_kind
     WHERE i.service = worker_organizations.service AND i.state <> 'off'
     ORDER BY o.org_id;
END
$$;
COMMENT ON FUNCTION crm_bridge.worker_organizations(text) IS 'whom a worker polls for a service';
REVOKE ALL ON FUNCTION crm_bridge.worker_organizations(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.start_run(
  kind      text,
  service   text,
  module    text,
  expected  bigint DEFAULT NULL,
  org_id    bigint DEFAULT NULL
)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(start_run.org_id, crm_bridge._own_org(NULL));
  started uuid := crm_bridge.new_id();
BEGIN
  INSERT INTO crm_bridge.run (org_id, run_id, kind, service, module, expected)
  VALUES (org, started, start_run.kind, start_run.service,
          start_run.module, start_run.expected);
  RETURN started;
END
$$;
COMMENT ON FUNCTION crm_bridge.start_run(text, text, text, bigint, bigint) IS 'begins a run: machine work that can be watched';
REVOKE ALL ON FUNCTION crm_bridge.start_run(text, text, text, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.report_progress(run uuid, done bigint, expected bigint DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(report_progress.org_id, crm_bridge._own_org(NULL));
BEGIN
  UPDATE crm_bridge.run AS r
     SET done = report_progress.done, expected = COALESCE(report_progress.expected, r.expected),
         progress_at = clock_timestamp()
   WHERE r.org_id = org AND r.run_id = report_progress.run;
END
$$;
COMMENT ON FUNCTION crm_bridge.report_progress(uuid, bigint, bigint, bigint) IS 'how far a run is';
REVOKE ALL ON FUNCTION crm_bridge.report_progress(uuid, bigint, bigint, bigint) FROM PUBLIC;

-- After much work at once: views and claims are planned by statistics, and autovacuum may take a minute to look at a table that
-- was empty before.  Does without where somebody else holds a table for longer than a moment.
CREATE OR REPLACE FUNCTION crm_bridge._gather_statistics(tables text[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  each_table text;
BEGIN
  FOR each_table IN SELECT t FROM unnest(tables) AS t ORDER BY t LOOP
    BEGIN
      EXECUTE format('ANALYZE crm_bridge.%I', each_table);
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      RAISE DEBUG 'statistics of % are left to autovacuum', each_table;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._gather_statistics(text[]) IS 'lets the planner know what a large run has done to tables';
REVOKE ALL ON FUNCTION crm_bridge._gather_statistics(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.finish_run(run uuid, state text, detail text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(finish_run.org_id, crm_bridge._own_org(NULL));
  of_module text;
BEGIN
  UPDATE crm_bridge.run AS r
     SET state = finish_run.state, detail = finish_run.detail, finished_at = now()
   WHERE r.org_id = org AND r.run_id = finish_run.run
  RETURNING CASE WHEN r.done >= 1000 THEN r.module END INTO of_module;
  IF of_module IS NOT NULL AND finish_run.state = 'finished' THEN
    PERFORM crm_bridge._gather_statistics(ARRAY[of_module, 'shadow', 'link', 'delivery']);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.finish_run(uuid, text, text, bigint) IS 'ends a run as finished or failed';
REVOKE ALL ON FUNCTION crm_bridge.finish_run(uuid, text, text, bigint) FROM PUBLIC;

-- The oldest command that nobody works on.  One whose worker is gone is given again.
CREATE OR REPLACE FUNCTION crm_bridge.next_command(service text, lease uuid, org_id bigint DEFAULT NULL)
RETURNS TABLE (command_id uuid, kind text, arguments jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(next_command.org_id, crm_bridge._own_org(NULL));
  fresh uuid[] := crm_bridge._fresh_leases();
BEGIN
  PERFORM crm_bridge._demand_armed();
  RETURN QUERY
  WITH oldest AS (
    SELECT c.command_id FROM crm_bridge.command AS c
     WHERE c.org_id = org AND c.service = next_command.service AND c.finished_at IS NULL
       AND ((c.state = 'requested' AND c.not_before <= now()) OR c.lease <> ALL (fresh))
     ORDER BY c.requested_at, c.command_id LIMIT 1 FOR UPDATE SKIP LOCKED
  )
  UPDATE crm_bridge.command AS c
     SET state = 'taken', lease = next_command.lease, taken_at = clock_timestamp()
    FROM oldest AS o
   WHERE c.org_id = org AND c.command_id = o.command_id
  RETURNING c.command_id, c.kind, c.arguments;
END
$$;
COMMENT ON FUNCTION crm_bridge.next_command(text, uuid, bigint) IS 'what a worker is to do next';
REVOKE ALL ON FUNCTION crm_bridge.next_command(text, uuid, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.finish_command(command_id uuid, state text, result jsonb DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(finish_command.org_id, crm_bridge._own_org(NULL));
  command crm_bridge.command;
BEGIN
  -- One that was called off meanwhile stays as it is.
  SELECT * INTO command FROM crm_bridge.command AS c
   WHERE c.org_id = org AND c.command_id = finish_command.command_id AND c.finished_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF finish_command.state = 'failed' AND command.arguments ? 'repeat' THEN
    UPDATE crm_bridge.command AS c
       SET state = 'requested', lease = NULL, taken_at = NULL, result = finish_command.result, attempts = c.attempts + 1,
           not_before = now() + crm_bridge.retry_delay(c.attempts + 1)
     WHERE c.org_id = org AND c.command_id = finish_command.command_id;
    RETURN;
  END IF;
  UPDATE crm_bridge.command AS c
     SET state = finish_command.state, result = finish_command.result, lease = NULL, finished_at = now()
   WHERE c.org_id = org AND c.command_id = finish_command.command_id;
  IF finish_command.state = 'done' AND command.kind = 'initial_sync' AND NOT command.arguments ? 'modules' THEN
    UPDATE crm_bridge.integration AS i SET reads_until = NULL
     WHERE i.org_id = org AND i.service = command.service AND i.reads_until IS NOT NULL;
    PERFORM crm_bridge._resume_links(org, command.service);
    PERFORM pg_notify('crm_bridge', 'delivery ' || command.service);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.finish_command(uuid, text, jsonb, bigint) IS 'a command is done or failed';
REVOKE ALL ON FUNCTION crm_bridge.finish_command(uuid, text, jsonb, bigint) FROM PUBLIC;

-- Asks the worker for something.  Result: the command's id, for wait_for_command.
CREATE OR REPLACE FUNCTION crm_bridge._request_command(service text, kind text, arguments jsonb, org_id bigint)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  requested uuid := crm_bridge.new_id();
BEGIN
  INSERT INTO crm_bridge.command (org_id, command_id, service, kind, arguments)
  VALUES (_request_command.org_id, requested, _request_command.service, _request_command.kind, _request_command.arguments);
  PERFORM pg_notify('crm_bridge', 'command ' || _request_command.service);
  RETURN requested;
END
$$;
COMMENT ON FUNCTION crm_bridge._request_command(text, text, jsonb, bigint) IS 'asks the worker for something';
REVOKE ALL ON FUNCTION crm_bridge._request_command(text, text, jsonb, bigint) FROM PUBLIC;

-- Waits until the worker has done a command; call it in a transaction of its own, after the one that asked has committed.
-- Result: the command's result.  Errors: 42704 no such command; 57014 not done within timeout; 58000 it failed.
CREATE OR REPLACE PROCEDURE crm_bridge.wait_for_command(command_id uuid, timeout interval DEFAULT '30 seconds', org_id bigint DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  deadline timestamptz := clock_timestamp() + timeout;
  command crm_bridge.command;
BEGIN
  LOOP
    SELECT * INTO command FROM crm_bridge.command AS c WHERE c.org_id = org AND c.command_id = wait_for_command.command_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('command %s does not exist', command_id);
    END IF;
    EXIT WHEN command.finished_at IS NOT NULL;
    IF clock_timestamp() > deadline THEN
      RAISE EXCEPTION USING ERRCODE = '57014', MESSAGE = format('command %s is not done yet', command_id),
        DETAIL = format('Its state is %s.', command.state), HINT = 'Is a worker running? See crm-bridge status.';
    END IF;
    COMMIT;
    PERFORM pg_catalog.pg_sleep(0.02);
  END LOOP;
  IF command.state = 'failed' THEN
    RAISE EXCEPTION USING ERRCODE = '58000', MESSAGE = format('command %s failed', command.kind), DETAIL = command.result ->> 'error';
  END IF;
END
$$;
COMMENT ON PROCEDURE crm_bridge.wait_for_command(uuid, interval, bigint) IS 'CALL it to wait until the worker has done a command';
REVOKE ALL ON PROCEDURE crm_bridge.wait_for_command(uuid, interval, bigint) FROM PUBLIC;

-- The name under which a field told by a service can be kept; NULL where there is none, or where it would stand before a column of ours.
CREATE OR REPLACE FUNCTION crm_bridge._custom_name(field jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN jsonb_typeof(field -> 'api_name') = 'string' AND octet_length(field ->> 'api_name') BETWEEN 1 AND 255
                   AND field ->> 'api_name' NOT IN ('org_id', 'id', 'external_id', 'custom_fields', 'origin', 'created_at', 'modified_at', 'modified_by')
              THEN field ->> 'api_name' END;
END
$$;
COMMENT ON FUNCTION crm_bridge._custom_name(jsonb) IS 'the name under which a field told by a service can be kept';
REVOKE ALL ON FUNCTION crm_bridge._custom_name(jsonb) FROM PUBLIC;

-- Takes over a service's custom fields.  Argument fields: [{"api_name", "type", "writable", "reference_module",
-- "maximum_length", "picklist"}].  A type that nobody knows is kept as json; what has no usable name is left out with a WARNING.
-- Result: how many were taken.  Errors: 42704 unknown module or organization; 22023 fields is not an array.
CREATE OR REPLACE FUNCTION crm_bridge.store_fields(module text, fields jsonb, org_id bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(store_fields.org_id, crm_bridge._own_org(NULL));
  stored integer;
  nameless integer;
BEGIN
  PERFORM 1 FROM crm_bridge.module AS m WHERE m.module = store_fields.module;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" does not exist', module),
      HINT = 'The modules are listed in crm_bridge.module.';
  END IF;
  IF jsonb_typeof(fields) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'fields must be a JSON array',
      HINT = 'For example [{"api_name": "Color", "type": "text", "writable": true}].';
  END IF;
  SELECT count(*) INTO nameless FROM jsonb_array_elements(fields) AS f WHERE crm_bridge._custom_name(f) IS NULL;
  IF nameless > 0 THEN
    RAISE WARNING USING MESSAGE = format('%s fields of module "%s" are left out', nameless, module),
      DETAIL = 'Their api_name is missing, longer than 255 bytes, or the name of one of the table''s own columns.';
  END IF;
  INSERT INTO crm_bridge.service_field AS known
         (org_id, module, field, api_name, type, reference_module, writable, custom, maximum_length, picklist)
  SELECT DISTINCT ON (n.name) org, store_fields.module, n.name, n.name,
         CASE WHEN f ->> 'type' IN ('text', 'html', 'picklist', 'number', 'money', 'boolean', 'date', 'instant', 'reference', 'references')
              THEN f ->> 'type' ELSE 'json' END,
         f ->> 'reference_module', COALESCE(f -> 'writable' = 'true'::jsonb, false), true,
         CASE WHEN f ->> 'maximum_length' ~ '^[0-9]{1,9}$' THEN (f ->> 'maximum_length')::integer END,
         CASE WHEN jsonb_typeof(f -> 'picklist') = 'array'
              THEN ARRAY(SELECT p FROM jsonb_array_elements_text(f -> 'picklist') AS p WHERE p IS NOT NULL) END
    FROM jsonb_array_elements(fields) WITH ORDINALITY AS e (f, position)
   CROSS JOIN LATERAL (SELECT crm_bridge._custom_name(f) AS name) AS n
   WHERE n.name IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM crm_bridge.standard_field AS s
                      WHERE s.module = store_fields.module AND s.api_name = n.name)
   ORDER BY n.name, e.position DESC
  ON CONFLICT ON CONSTRAINT service_field_key DO UPDATE
     SET type = EXCLUDED.type, reference_module = EXCLUDED.reference_module, writable = EXCLUDED.writable,
         maximum_length = EXCLUDED.maximum_length, picklist = EXCLUDED.picklist, seen_at = now(), gone_at = NULL
   WHERE known.custom;
  GET DIAGNOSTICS stored = ROW_COUNT;
  -- All custom fields are told: what is not among them is gone, and with it whatever was mapped to it (check_field_mapping).
  UPDATE crm_bridge.service_field AS f SET gone_at = now()
   WHERE f.org_id = org AND f.module = store_fields.module AND f.custom AND f.gone_at IS NULL
     AND f.field NOT IN (SELECT crm_bridge._custom_name(e) FROM jsonb_array_elements(fields) AS e WHERE crm_bridge._custom_name(e) IS NOT NULL);
  RETURN stored;
END
$$;
COMMENT ON FUNCTION crm_bridge.store_fields(text, jsonb, bigint) IS 'takes over a service''s custom fields';
REVOKE ALL ON FUNCTION crm_bridge.store_fields(text, jsonb, bigint) FROM PUBLIC;
