-- The services of an organization: what they are allowed to become, activation, trial, pause, deactivation.  docs/integration.md
-- draws the states.

-- What a service is allowed to become.  The trial is the free edition's; a service without a portal needs no set-up.
CREATE FUNCTION crm_bridge._check_transition()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  allowed text[] := CASE OLD.state
    WHEN 'off' THEN CASE NEW.service WHEN 'zoho_projects' THEN '{configuring}' ELSE '{active}' END
    WHEN 'configuring' THEN '{active,off}'
    WHEN 'active' THEN '{stopped,trial_expired,off}'
    WHEN 'stopped' THEN '{active,trial_expired,off}'
    WHEN 'trial_expired' THEN '{active,off}' END;
BEGIN
  IF NEW.state <> ALL (allowed) THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('service "%s" cannot go from %s to %s', NEW.service, OLD.state, NEW.state),
      DETAIL = format('From %s it goes to %s.', OLD.state, array_to_string(allowed, ' or ')), SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm_bridge._check_transition() IS 'refuses a state of a service that does not follow from the one before';
REVOKE ALL ON FUNCTION crm_bridge._check_transition() FROM PUBLIC;
CREATE TRIGGER check_transition BEFORE UPDATE OF state ON crm_bridge.integration
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION crm_bridge._check_transition();

-- The services that send and receive at this moment.  A trial ends by the clock, whenever somebody notes it.
CREATE VIEW crm_bridge.open_integration WITH (security_invoker = true) AS
  SELECT i.org_id, i.service, i.portal_id, i.reads_until
    FROM crm_bridge.integration AS i
    JOIN crm_bridge.organization AS o ON o.org_id = i.org_id
   WHERE i.state = 'active'
     AND (i.service <> 'zoho_projects' OR o.edition <> 'free' OR i.trial_ends_at > crm_bridge._clock());
COMMENT ON VIEW crm_bridge.open_integration IS 'the services that send and receive at this moment';

-- Notes that a trial is over (D11).  Part of every heartbeat; nothing is sent or received after its end in any case.
CREATE OR REPLACE FUNCTION crm_bridge._end_trials()
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE crm_bridge.integration AS i
     SET state = 'trial_expired', stopped_since = NULL, stopped_reason = NULL, stopped_detail = NULL
    FROM crm_bridge.organization AS o
   WHERE o.org_id = i.org_id AND o.edition = 'free' AND i.service = 'zoho_projects'
     AND i.state IN ('active', 'stopped') AND i.trial_ends_at <= crm_bridge._clock();
END
$$;
COMMENT ON FUNCTION crm_bridge._end_trials() IS 'notes that a trial is over (R2, D11)';
REVOKE ALL ON FUNCTION crm_bridge._end_trials() FROM PUBLIC;

-- Tells the administrators that a trial is about to end (R2), once for each end.  Part of every heartbeat: nothing has to run at
-- a certain time, and what was queued is not queued again, whoever looks how often.
CREATE OR REPLACE FUNCTION crm_bridge._announce_trial_ends()
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moment timestamptz := crm_bridge._clock();
BEGIN
  PERFORM crm_bridge._notify(e.org_id, a.email, 'trial_ending',
            jsonb_build_object('ends_at', e.ends_at, 'days', ceil(EXTRACT(epoch FROM e.ends_at - moment) / 86400)), cause => e.cause)
     FROM (SELECT i.org_id, i.trial_ends_at AS ends_at, md5(format('crm_bridge trial %s %s', i.org_id, EXTRACT(epoch FROM i.trial_ends_at)))::uuid AS cause
             FROM crm_bridge.integration AS i JOIN crm_bridge.organization AS o ON o.org_id = i.org_id
            WHERE o.edition = 'free' AND i.service = 'zoho_projects' AND i.state IN ('active', 'stopped') AND i.trial_ends_at > moment
              AND i.trial_ends_at <= moment + interval '1 day' * crm_bridge._setting_number(i.org_id, 'trial_notice_days')::double precision) AS e
    CROSS JOIN LATERAL crm_bridge._administrators(e.org_id) AS a (email)
    WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.notification AS n WHERE n.org_id = e.org_id AND n.cause = e.cause AND n.kind = 'trial_ending');
END
$$;
COMMENT ON FUNCTION crm_bridge._announce_trial_ends() IS 'tells the administrators that a trial is about to end (R2)';
REVOKE ALL ON FUNCTION crm_bridge._announce_trial_ends() FROM PUBLIC;

-- Begins the set-up (R3).  Result: the command that reads the portals; CALL wait_for_command(…) waits for it.
-- Errors: 55000 it is active already, or the trial is over.
CREATE OR REPLACE FUNCTION crm_bridge.activate_projects(org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  ended timestamptz;
  others boolean;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  SELECT i.trial_ends_at INTO ended
    FROM crm_bridge.integration AS i JOIN crm_bridge.organization AS o ON o.org_id = i.org_id
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND o.edition = 'free' AND i.trial_ends_at <= crm_bridge._clock();
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the trial of the integration with Projects is over',
      DETAIL = format('It ended at %s; the free edition has one of 15 days.', ended),
      HINT = 'Say with crm_bridge.set_edition() that the CRM has a paid edition now.';
  END IF;
  -- Our own portals are offered; use_shared_portal() opens another user's.
  PERFORM 1 FROM crm_bridge.integration AS i
    WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'off' AND i.credential_kind <> 'oauth';
  others := FOUND;
  UPDATE crm_bridge.integration AS i SET state = 'configuring', credential_kind = CASE i.state WHEN 'off' THEN 'oauth' ELSE i.credential_kind END
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state IN ('off', 'configuring');
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is active already',
      HINT = 'Another portal can be chosen after deactivate_projects().';
  END IF;
  IF others THEN
    PERFORM crm_bridge._forget_portals(org);
  END IF;
  RETURN crm_bridge._request_command('zoho_projects', 'refresh_portals', '{}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.activate_projects(bigint) IS 'begins the set-up of the integration with Projects (R3); returns the command that reads the portals';
REVOKE ALL ON FUNCTION crm_bridge.activate_projects(bigint) FROM PUBLIC;

-- What was asked of the worker for a service that is switched off, and what has been heard from it and not been looked at yet.
CREATE OR REPLACE FUNCTION crm_bridge._call_off(service text, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE crm_bridge.command AS c
     SET state = 'failed', lease = NULL, finished_at = now(), result = '{"error": "the integration was switched off"}'
   WHERE c.org_id = _call_off.org_id AND c.service = _call_off.service AND c.finished_at IS NULL;
  DELETE FROM crm_bridge.inbox AS n WHERE n.org_id = _call_off.org_id AND n.service = _call_off.service;
END
$$;
COMMENT ON FUNCTION crm_bridge._call_off(text, bigint) IS 'ends the worker''s tasks for a service that is switched off';
REVOKE ALL ON FUNCTION crm_bridge._call_off(text, bigint) FROM PUBLIC;

-- Switches the integration off (R48): the tab goes, links rest, what was asked of the worker is called off.  No record is touched, here or
-- in Projects (R50, R51); what waits to be sent waits on.  The same portal resumes all of it, another one archives it (D17).
-- Errors: 55000 it is off already.
CREATE OR REPLACE FUNCTION crm_bridge.deactivate_projects(org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R48
  UPDATE crm_bridge.integration AS i
     SET state = 'off', deactivated_at = now(), deactivated_by = crm_bridge.calling_role(),
         stopped_since = NULL, stopped_reason = NULL, stopped_detail = NULL, reads_until = NULL
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state <> 'off';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is off already',
      HINT = 'Begin with crm_bridge.activate_projects().';
  END IF;
  PERFORM crm_bridge._suspend_links(org, 'zoho_projects');
  PERFORM crm_bridge._call_off('zoho_projects', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.deactivate_projects(bigint) IS
  'switches the integration with Projects off (R48): links rest, nothing is sent or received, no record is touched';
REVOKE ALL ON FUNCTION crm_bridge.deactivate_projects(bigint) FROM PUBLIC;

-- Says which edition the CRM has.  A paid one resumes an integration whose trial is over (D11); the free one begins the trial that it has
-- not had yet (R2).  Errors: 23514 unknown edition.
CREATE OR REPLACE FUNCTION crm_bridge.set_edition(edition text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  UPDATE crm_bridge.organization AS o SET edition = set_edition.edition WHERE o.org_id = org;
  IF set_edition.edition = 'free' THEN
    UPDATE crm_bridge.integration AS i SET trial_ends_at = crm_bridge._clock() + interval '15 days'
     WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state IN ('active', 'stopped') AND i.trial_ends_at IS NULL;
  ELSE
    UPDATE crm_bridge.integration AS i SET state = 'active', reads_until = crm_bridge._clock() + interval '1 hour'
     WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'trial_expired';
    IF FOUND THEN
      PERFORM crm_bridge._request_command('zoho_projects', 'initial_sync', '{}', org);
    END IF;
  END IF;
  PERFORM crm_bridge._end_trials();
END
$$;
COMMENT ON FUNCTION crm_bridge.set_edition(text, bigint) IS 'says which edition the CRM has: decides the trial (R2, D11)';
REVOKE ALL ON FUNCTION crm_bridge.set_edition(text, bigint) FROM PUBLIC;

-- Stops and resumes a service: nothing is sent or received meanwhile, nothing is lost.
-- Argument reason: why, for those who look.  Errors: 55000 it is in another state.
CREATE OR REPLACE FUNCTION crm_bridge.pause(service text, reason text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(pause.org_id));
  UPDATE crm_bridge.integration AS i SET state = 'stopped', stopped_since = now(), stopped_reason = 'paused', stopped_detail = pause.reason
   WHERE i.org_id = crm_bridge._own_org(pause.org_id) AND i.service = pause.service AND i.state = 'active';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('service "%s" is not active', service);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.pause(text, text, bigint) IS 'stops a service: nothing is sent or received, nothing is lost';
REVOKE ALL ON FUNCTION crm_bridge.pause(text, text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.resume(service text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(resume.org_id));
  UPDATE crm_bridge.integration AS i SET state = 'active', stopped_since = NULL, stopped_reason = NULL, stopped_detail = NULL
   WHERE i.org_id = crm_bridge._own_org(resume.org_id) AND i.service = resume.service AND i.state = 'stopped';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('service "%s" is not stopped', service);
  END IF;
  PERFORM pg_notify('crm_bridge', 'delivery ' || resume.service);
END
$$;
COMMENT ON FUNCTION crm_bridge.resume(text, bigint) IS 'lets a stopped service go on';
REVOKE ALL ON FUNCTION crm_bridge.resume(text, bigint) FROM PUBLIC;

-- Reads a module, or all of a service, again.  Result: the command's id.  Errors: 42704 unknown module.
CREATE OR REPLACE FUNCTION crm_bridge.resync(module text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  of_service text;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  SELECT m.service INTO of_service FROM crm_bridge.module AS m WHERE m.module = resync.module;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('module "%s" does not exist', module),
      HINT = 'The modules are listed in crm_bridge.module.';
  END IF;
  RETURN crm_bridge._request_command(of_service, 'initial_sync', jsonb_build_object('modules', jsonb_build_array(module)), org);
END
$$;
COMMENT ON FUNCTION crm_bridge.resync(text, bigint) IS 'reads all records of a module again; returns the command''s id';
REVOKE ALL ON FUNCTION crm_bridge.resync(text, bigint) FROM PUBLIC;

