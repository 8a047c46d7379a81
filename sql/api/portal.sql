-- Which portal of Projects an organization is linked with, and what becomes of records and links when that changes (R6-R15, D17).

-- Another credential opens other portals: those of the one before are not offered beside them.  They keep their ids.
CREATE OR REPLACE FUNCTION crm_bridge._forget_portals(org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _forget_portals.org_id;
  known jsonb := (SELECT jsonb_agg(jsonb_build_object('external_id', p.external_id, 'deleted', true))
                    FROM crm_bridge.projects_portal AS p WHERE p.org_id = org);
BEGIN
  DELETE FROM crm_bridge.cursor AS c WHERE c.org_id = org AND c.service = 'zoho_projects' AND c.module = 'projects_portal';
  IF known IS NOT NULL THEN
    PERFORM * FROM crm_bridge.receive('projects_portal', known, clock_timestamp(), NULL, org);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._forget_portals(bigint) IS 'portals that another credential opened are not offered any more';
REVOKE ALL ON FUNCTION crm_bridge._forget_portals(bigint) FROM PUBLIC;

-- Asks the worker to read the portals again.  Result: the command's id.
CREATE OR REPLACE FUNCTION crm_bridge.refresh_portals(org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(org_id));   -- R1
  RETURN crm_bridge._request_command('zoho_projects', 'refresh_portals', '{}', crm_bridge._own_org(org_id));
END
$$;
COMMENT ON FUNCTION crm_bridge.refresh_portals(bigint) IS 'asks the worker to read the portals again';
REVOKE ALL ON FUNCTION crm_bridge.refresh_portals(bigint) FROM PUBLIC;

-- Links the organization with a portal, one at a time (R6), and asks for all its projects (R7).  What was linked before resumes with the
-- same portal, once that has been read; with another one it is archived, and the other portal's records leave the mirrors (D17, R50).
-- Argument: the portal's external id or name.  Result: the command of the first reading.
-- Errors: 42704 no such portal; 21000 several of that name; 55000 not begun with activate_projects, or active already.
CREATE OR REPLACE FUNCTION crm_bridge.choose_portal(portal text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  found_ids uuid[];
  before uuid;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  found_ids := ARRAY(SELECT p.id FROM crm_bridge.projects_portal AS p
                      WHERE p.org_id = org AND (p.external_id = portal OR p.name = portal));
  IF cardinality(found_ids) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('portal "%s" does not exist', portal),
      HINT = 'The portals are listed in crm_bridge.projects_portal; refresh_portals() reads them again.';
  ELSIF cardinality(found_ids) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = '21000', MESSAGE = format('there are %s portals named "%s"', cardinality(found_ids), portal),
      HINT = 'Give the external id.';
  END IF;
  SELECT i.portal_id INTO before FROM crm_bridge.integration AS i
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'configuring' FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is not being set up',
      DETAIL = 'One portal can be linked at a time.', HINT = 'Begin with crm_bridge.activate_projects(); switch off what is active with crm_bridge.deactivate_projects().';
  END IF;
  IF before <> found_ids[1] THEN
    PERFORM crm_bridge._leave_portal(found_ids[1], org);
  END IF;
  UPDATE crm_bridge.integration AS i
     SET state = 'active', portal_id = found_ids[1], activated_at = now(), activated_by = crm_bridge.calling_role(),
         trial_ends_at = CASE WHEN i.trial_ends_at IS NULL AND o.edition = 'free' THEN crm_bridge._clock() + interval '15 days' ELSE i.trial_ends_at END,
         -- After a time without the portal it is read before anything is sent; nobody waits for that longer than an hour.
         reads_until = CASE WHEN before IS NOT NULL THEN crm_bridge._clock() + interval '1 hour' END
    FROM crm_bridge.organization AS o
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND o.org_id = org;
  RETURN crm_bridge._request_command('zoho_projects', 'initial_sync', '{"repeat": true}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.choose_portal(text, bigint) IS 'links the organization with a portal (R6) and reads all of it (R7); returns the command of the first reading';
REVOKE ALL ON FUNCTION crm_bridge.choose_portal(text, bigint) FROM PUBLIC;

-- A portal is made in Projects: its API has no call for it (D15).  Result: the steps that lead to a new portal that is linked (R14, R15).
-- Errors: 22023 no name; 42710 there is a portal of that name already.
CREATE OR REPLACE FUNCTION crm_bridge.create_portal(name text, org_id bigint DEFAULT NULL)
RETURNS TABLE (step integer, what_to_do text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  IF COALESCE(btrim(create_portal.name), '') = '' THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a portal needs a name';
  END IF;
  PERFORM 1 FROM crm_bridge.projects_portal AS p WHERE p.org_id = org AND p.name = create_portal.name;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42710', MESSAGE = format('there is a portal named "%s" already', create_portal.name),
      HINT = format('Link it with SELECT crm_bridge.choose_portal(%L);', create_portal.name);
  END IF;
  RETURN QUERY VALUES
    (1, format('Sign in to Zoho Projects as the user whose credential the worker has, and create a portal named "%s": the service has no API call for it.', create_portal.name)),
    (2, 'SELECT crm_bridge.refresh_portals();'),
    (3, format('SELECT crm_bridge.choose_portal(%L);   -- a new portal is linked only when it is chosen', create_portal.name));
END
$$;
COMMENT ON FUNCTION crm_bridge.create_portal(text, bigint) IS 'the steps to a new portal (R14, R15): the service has no API call for it (D15)';
REVOKE ALL ON FUNCTION crm_bridge.create_portal(text, bigint) FROM PUBLIC;

-- The pairings that have a face in Projects.
CREATE OR REPLACE FUNCTION crm_bridge._pairings_of(service text, org_id bigint)
RETURNS TABLE (pairing text, left_module text, right_module text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT p.pairing, p.left_module, p.right_module FROM crm_bridge.pairing AS p
     WHERE p.org_id = _pairings_of.org_id
       AND EXISTS (SELECT 1 FROM crm_bridge.module AS m WHERE m.service = _pairings_of.service AND m.module IN (p.left_module, p.right_module));
END
$$;
COMMENT ON FUNCTION crm_bridge._pairings_of(text, bigint) IS 'the pairings that have a face in a service';
REVOKE ALL ON FUNCTION crm_bridge._pairings_of(text, bigint) FROM PUBLIC;

-- Links rest: what is written on one side stays there.  "since" is when both sides agreed last: what somebody had left to be settled is
-- settled when the link resumes.
CREATE OR REPLACE FUNCTION crm_bridge._suspend_links(org_id bigint, service text)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _suspend_links.org_id;
BEGIN
  UPDATE crm_bridge.link AS l
     SET state = 'suspended',
         since = COALESCE((SELECT min(r.at) - interval '1 microsecond' FROM crm_bridge.reconcile_request AS r
                            WHERE r.org_id = org AND r.link_id = l.link_id), clock_timestamp())
   WHERE l.org_id = org AND l.state = 'active'
     AND l.pairing IN (SELECT p.pairing FROM crm_bridge._pairings_of(_suspend_links.service, org) AS p);
END
$$;
COMMENT ON FUNCTION crm_bridge._suspend_links(bigint, text) IS 'links of a service that is switched off rest (D17)';
REVOKE ALL ON FUNCTION crm_bridge._suspend_links(bigint, text) FROM PUBLIC;

-- A service has been read: links that rest go on, also those that another portal had archived, where both records are here and
-- neither has found another partner.  What was written meanwhile on either side is merged by reconcile; the base is in the history.
-- A client's link with its company in Bigin has two services that may be off: the one that has been read last wakes it.
CREATE OR REPLACE FUNCTION crm_bridge._resume_links(org_id bigint, service text)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _resume_links.org_id;
  each_pairing record;
  total integer := 0;
  more integer;
BEGIN
  FOR each_pairing IN
    SELECT p.* FROM crm_bridge._pairings_of(_resume_links.service, org) AS p
     WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.module AS m JOIN crm_bridge.integration AS i ON i.org_id = org AND i.service = m.service
                        WHERE m.module IN (p.left_module, p.right_module)
                          AND (i.state IN ('off', 'configuring') OR i.reads_until > crm_bridge._clock())) LOOP
    EXECUTE format(
      $resume$
      WITH resting AS (
        SELECT l.link_id, l.left_id, l.right_id, l.since,
               EXISTS (SELECT 1 FROM crm_bridge.%1$I AS m WHERE m.org_id = $1 AND m.id = l.left_id) AS left_here,
               EXISTS (SELECT 1 FROM crm_bridge.%2$I AS m WHERE m.org_id = $1 AND m.id = l.right_id) AS right_here,
               l.state = 'archived' AS archived
          FROM crm_bridge.link AS l
         WHERE l.org_id = $1 AND l.pairing = $2 AND (l.state = 'suspended' OR (l.state = 'archived' AND l.reason = 'other_portal'))
      ), resumed AS (
        UPDATE crm_bridge.link AS l SET state = 'active', reason = NULL
          FROM (SELECT DISTINCT ON (r.left_id) r.* FROM (SELECT DISTINCT ON (r.right_id) r.* FROM resting AS r
                 ORDER BY r.right_id, r.archived, r.since DESC) AS r ORDER BY r.left_id, r.archived, r.since DESC) AS r
         WHERE l.org_id = $1 AND l.link_id = r.link_id
           AND (NOT r.archived OR (r.left_here AND r.right_here
                AND NOT EXISTS (SELECT 1 FROM crm_bridge.link AS o WHERE o.org_id = $1 AND o.pairing = $2 AND o.state = 'active'
                                   AND (o.left_id = r.left_id OR o.right_id = r.right_id))))
        RETURNING l.link_id, r.left_id, r.right_id, r.since, r.left_here, r.right_here
      ), face AS (
        SELECT r.link_id, %1$L AS module, r.left_id AS record_id, r.since, r.left_here AS here FROM resumed AS r
        UNION ALL
        SELECT r.link_id, %2$L, r.right_id, r.since, r.right_here FROM resumed AS r
      ), changed AS (
        SELECT f.*, (SELECT jsonb_object_agg(o.key, o.value) FROM (
                       SELECT DISTINCT ON (e.key) e.key, e.value
                         FROM crm_bridge.history AS h CROSS JOIN LATERAL jsonb_each(h.old) AS e
                        WHERE h.org_id = $1 AND h.record_id = f.record_id AND h.at > f.since
                        ORDER BY e.key, h.at, h.event_id) AS o) AS old
          FROM face AS f
      ), left_to_do AS (
        INSERT INTO crm_bridge.reconcile_request (org_id, record_id, module, link_id, operation, fields, old)
        SELECT $1, c.record_id, c.module, c.link_id, 'propagate', ARRAY(SELECT jsonb_object_keys(c.old)), COALESCE(c.old, '{}')
          FROM changed AS c WHERE c.old IS NOT NULL OR NOT c.here
        RETURNING 1
      )
      SELECT count(*) FROM resumed
      $resume$, each_pairing.left_module, each_pairing.right_module) INTO more USING org, each_pairing.pairing;
    total := total + more;
  END LOOP;
  IF total > 0 THEN
    PERFORM pg_notify('crm_bridge', 'reconcile');
  END IF;
  RETURN total;
END
$$;
COMMENT ON FUNCTION crm_bridge._resume_links(bigint, text) IS 'links go on after their service has been read (D17); what was written meanwhile is merged';
REVOKE ALL ON FUNCTION crm_bridge._resume_links(bigint, text) FROM PUBLIC;

-- Another portal than before: its predecessor's records leave the mirrors, their history and ids stay, and so do the records in Projects
-- (R50, R51).  What was never sent is noted as refused.
-- Argument next_portal: what has been read of that one already, so that it could be chosen, stays.
CREATE OR REPLACE FUNCTION crm_bridge._leave_portal(next_portal uuid, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _leave_portal.org_id;
  each_module text;
  theirs text;
  leaving jsonb;
  run uuid;
  gone bigint;
  kept text;
  total bigint := 0;
BEGIN
  UPDATE crm_bridge.link AS l SET state = 'archived', reason = 'other_portal'
   WHERE l.org_id = org AND l.state = 'suspended'
     AND l.pairing IN (SELECT p.pairing FROM crm_bridge._pairings_of('zoho_projects', org) AS p);
  INSERT INTO crm_bridge.refusal (org_id, module, record_id, field, reason, detail)
  SELECT org, d.module, d.record_id, COALESCE(f.field, '*'), 'integration_inactive', 'It had not been sent when another portal was linked.'
    FROM crm_bridge.delivery AS d LEFT JOIN LATERAL unnest(d.fields) AS f (field) ON true
   WHERE d.org_id = org AND d.service = 'zoho_projects';
  DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.service = 'zoho_projects';
  DELETE FROM crm_bridge.cursor AS c WHERE c.org_id = org AND c.service = 'zoho_projects';
  run := crm_bridge.start_run('other_portal', 'zoho_projects', NULL, NULL, org);
  FOR each_module IN SELECT m.module FROM crm_bridge.module AS m
                      WHERE m.service = 'zoho_projects' AND m.module <> 'projects_portal' ORDER BY m.position DESC LOOP
    theirs := CASE WHEN EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = format('crm_bridge.%I', each_module)::regclass
                                   AND a.attname = 'portal_id' AND NOT a.attisdropped)
                   THEN 'm.portal_id IS DISTINCT FROM $2' ELSE 'true' END;
    LOOP
      EXECUTE format('SELECT jsonb_agg(jsonb_build_object(''external_id'', m.external_id, ''deleted'', true))
                        FROM (SELECT m.external_id FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND m.external_id IS NOT NULL AND %s LIMIT 1000 FOR UPDATE) AS m',
                     each_module, theirs) INTO leaving USING org, next_portal;
      EXIT WHEN leaving IS NULL;
      SELECT count(*) FILTER (WHERE r.outcome = 'deleted'), min(r.outcome) FILTER (WHERE r.outcome <> 'deleted') INTO gone, kept
        FROM crm_bridge.receive(each_module, leaving, clock_timestamp(), run, org) AS r;
      IF gone = 0 THEN
        RAISE EXCEPTION USING ERRCODE = '55006', MESSAGE = format('records of module "%s" could not leave with their portal', each_module),
          DETAIL = format('The outcome of the first of them is "%s".', kept), HINT = 'Choose the portal again.';
      END IF;
      total := total + gone;
    END LOOP;
    -- What no service knows nobody can bring back: it is the history's from here on.
    EXECUTE format('DELETE FROM crm_bridge.%I AS m WHERE m.org_id = $1 AND %s', each_module, theirs) USING org, next_portal;
  END LOOP;
  DELETE FROM crm_bridge.delivery AS d WHERE d.org_id = org AND d.service = 'zoho_projects';
  PERFORM crm_bridge.report_progress(run, total, total, org);
  PERFORM crm_bridge.finish_run(run, 'finished', NULL, org);
END
$$;
COMMENT ON FUNCTION crm_bridge._leave_portal(uuid, bigint) IS 'the records of a portal that is not linked any more leave the mirrors (R50, R51, D17)';
REVOKE ALL ON FUNCTION crm_bridge._leave_portal(uuid, bigint) FROM PUBLIC;
