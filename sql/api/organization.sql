-- Organizations, the installation's identity, settings.

-- Raises 55000 with a hint unless this server may send and receive for the database.
CREATE OR REPLACE FUNCTION crm_bridge._demand_armed()
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_demand_armed';
COMMENT ON FUNCTION crm_bridge._demand_armed() IS 'raises 55000 unless this server may send and receive for the database';
REVOKE ALL ON FUNCTION crm_bridge._demand_armed() FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._server_identity(OUT system_identifier bigint, OUT timeline bigint)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_server_identity';
COMMENT ON FUNCTION crm_bridge._server_identity() IS 'the cluster''s identifier and its WAL timeline';
REVOKE ALL ON FUNCTION crm_bridge._server_identity() FROM PUBLIC;

-- The organization that a call is about: the one named, if the caller may work for it, else the session's own.
-- Errors: 42501 an organization that is not the caller's; 55000 none named and none settled.
-- With its owner's rights, because role_binding is not the callers' to read; it tells them only of themselves.
CREATE OR REPLACE FUNCTION crm_bridge._own_org(org_id bigint)
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  own bigint := crm_bridge.current_org();
BEGIN
  IF org_id IS NULL THEN
    IF own IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = '55000',
        MESSAGE = 'it is not settled which organization is meant',
        DETAIL = format('Role "%s" belongs to no organization or to several.', crm_bridge.calling_role()),
        HINT = 'Give org_id, or SET crm_bridge.organization.';
    END IF;
    RETURN own;
  END IF;
  -- Whoever acts for a person acts in that person's organization only.
  IF own IS NOT DISTINCT FROM org_id OR COALESCE(crm_bridge._acting_organization() = org_id, true) AND (EXISTS (
       SELECT 1 FROM pg_roles AS r WHERE r.rolname = crm_bridge.calling_role() AND r.rolsuper)
     OR EXISTS (SELECT 1 FROM crm_bridge.role_binding AS b JOIN pg_roles AS r ON r.rolname = b.role
                 WHERE b.org_id = _own_org.org_id AND pg_has_role(crm_bridge.calling_role(), r.oid, 'MEMBER'))) THEN
    PERFORM 1 FROM crm_bridge.organization AS o WHERE o.org_id = _own_org.org_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('organization %s does not exist', org_id),
        HINT = 'Make it with crm_bridge.create_organization().';
    END IF;
    RETURN org_id;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '42501',
    MESSAGE = format('permission denied for organization %s', org_id),
    DETAIL = format('Role "%s" is not bound to it.', crm_bridge.calling_role()),
    HINT = 'An administrator binds roles with crm_bridge.grant_app() and its like.';
END
$$;
COMMENT ON FUNCTION crm_bridge._own_org(bigint) IS 'the organization that a call is about, checked against the calling role';
REVOKE ALL ON FUNCTION crm_bridge._own_org(bigint) FROM PUBLIC;

-- Makes an organization with the standard fields, pairings and mappings, and arms the installation with the first.
-- Arguments: org_id (positive; the tenant's number for good), name, edition of the CRM, IANA time zone (D18).
-- Result: org_id.  Errors: 23505 it exists; 23514 a bad argument; 22023 an unknown time zone.
CREATE OR REPLACE FUNCTION crm_bridge.create_organization(
  org_id     bigint,
  name       text,
  edition    text DEFAULT 'enterprise',
  time_zone  text DEFAULT 'UTC'
)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM 1 FROM pg_timezone_names AS z WHERE z.name = create_organization.time_zone;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('time zone "%s" is not known', time_zone),
      HINT = 'Names are those of pg_timezone_names, for example Europe/Berlin.';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM crm_bridge.installation) THEN
    IF EXISTS (SELECT 1 FROM crm_bridge.organization) THEN
      RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'crm_bridge is not armed on this server',
        DETAIL = 'There are organizations already: the database was restored from a dump.',
        HINT = 'Call crm_bridge.start_here(''restored'') first.';
    END IF;
    INSERT INTO crm_bridge.installation (system_identifier, database_oid, timeline, epoch, reason, armed_at)
    SELECT i.system_identifier, d.oid, i.timeline, 1, 'created', now()
      FROM crm_bridge._server_identity() AS i, pg_database AS d WHERE d.datname = current_database();
  END IF;
  INSERT INTO crm_bridge.organization (org_id, name, edition, time_zone)
  VALUES (create_organization.org_id, create_organization.name, create_organization.edition, create_organization.time_zone);
  INSERT INTO crm_bridge.integration (org_id, service, state, activated_at, activated_by)
  VALUES (create_organization.org_id, 'zoho_crm', 'active', now(), crm_bridge.calling_role()),
         (create_organization.org_id, 'zoho_projects', 'off', NULL, NULL);
  INSERT INTO crm_bridge.service_field
         (org_id, module, field, api_name, type, reference_module, writable, custom, addresses, maximum_length, picklist)
  SELECT create_organization.org_id, f.module, f.field, f.api_name, f.type, f.reference_module,
         f.writable, false, f.addresses, f.maximum_length, f.picklist
    FROM crm_bridge.standard_field AS f;
  INSERT INTO crm_bridge.automation (org_id, rule) VALUES (create_organization.org_id, 'won_deal_becomes_project'), (create_organization.org_id, 'clients_in_bigin');
  INSERT INTO crm_bridge.automation (org_id, rule, enabled) VALUES (create_organization.org_id, 'comments_of_linked_tasks', true);
  PERFORM crm_bridge._default_mappings(create_organization.org_id);
  RETURN create_organization.org_id;
END
$$;
COMMENT ON FUNCTION crm_bridge.create_organization(bigint, text, text, text) IS
  'makes an organization with its standard fields, pairings and mappings; the first one arms the installation';
REVOKE ALL ON FUNCTION crm_bridge.create_organization(bigint, text, text, text) FROM PUBLIC;

-- Says that this server is the one that sends and receives from now on: after a restore, a promotion, an upgrade.
-- After a restore every service is read first, and what was in flight counts as in doubt: it is looked up, not repeated.
-- Argument: reason 'restored', 'promoted' or 'upgraded'.  Result: the new epoch.
-- Errors: 22023 another reason; 55000 the server is a standby.
CREATE OR REPLACE FUNCTION crm_bridge.start_here(reason text)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  new_epoch integer;
BEGIN
  IF reason IS NULL OR reason NOT IN ('restored', 'promoted', 'upgraded') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('reason "%s" is not known', reason),
      HINT = 'Use restored, promoted or upgraded.';
  END IF;
  PERFORM crm_bridge._server_identity();   -- a standby says what it is before it is asked to write
  SELECT i.epoch INTO new_epoch FROM crm_bridge.installation AS i;
  new_epoch := COALESCE(new_epoch, 0) + 1;
  DELETE FROM crm_bridge.installation;
  INSERT INTO crm_bridge.installation (system_identifier, database_oid, timeline, epoch, reason, armed_at)
  SELECT i.system_identifier, d.oid, i.timeline, new_epoch, start_here.reason, now()
    FROM crm_bridge._server_identity() AS i, pg_database AS d WHERE d.datname = current_database();
  DELETE FROM crm_bridge.lease;
  -- Whoever had it may have sent it.
  UPDATE crm_bridge.delivery AS d
     SET state = 'pending', lease = NULL, in_doubt = true,
         fields = ARRAY(SELECT DISTINCT f FROM unnest(d.fields || ARRAY(SELECT jsonb_object_keys(d.sent))) AS f ORDER BY f)
   WHERE d.state = 'in_flight';
  UPDATE crm_bridge.command AS c SET state = 'requested', lease = NULL WHERE c.state = 'taken';
  -- A mail is never sent twice: where a dump comes from, what it holds as queued has probably been sent since; a standby may lack
  -- the last hand-overs.
  UPDATE crm_bridge.notification AS n
     SET state = 'in_doubt', lease = NULL, reason = start_here.reason, detail = 'it may have been sent before this server was armed'
   WHERE (n.state = 'sending' AND (start_here.reason <> 'upgraded' OR n.handed_over_at IS NOT NULL))
      OR (n.state = 'queued' AND start_here.reason = 'restored');
  UPDATE crm_bridge.notification AS n SET state = 'queued', lease = NULL WHERE n.state = 'sending';
  IF start_here.reason <> 'upgraded' THEN
    -- Nothing is sent before what happened meanwhile has been read; nobody waits for that longer than an hour.
    UPDATE crm_bridge.integration AS i SET reads_until = crm_bridge._clock() + interval '1 hour' WHERE i.state IN ('active', 'stopped');
    INSERT INTO crm_bridge.command (org_id, service, kind, arguments)
    SELECT i.org_id, i.service, 'initial_sync', '{"repeat": true}' FROM crm_bridge.integration AS i WHERE i.state IN ('active', 'stopped');
  END IF;
  RETURN new_epoch;
END
$$;
COMMENT ON FUNCTION crm_bridge.start_here(text) IS
  'makes this server the one that sends and receives: after a restore, a promotion or an upgrade';
REVOKE ALL ON FUNCTION crm_bridge.start_here(text) FROM PUBLIC;

-- Result: the organization's value of a setting, or the default.
CREATE OR REPLACE FUNCTION crm_bridge.setting_value(name text, fallback jsonb, org_id bigint DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  RETURN COALESCE((SELECT s.value FROM crm_bridge.setting AS s
                    WHERE s.org_id = org AND s.name = setting_value.name), fallback);
END
$$;
COMMENT ON FUNCTION crm_bridge.setting_value(text, jsonb, bigint) IS 'the organization''s value of a setting, or the default given';
REVOKE ALL ON FUNCTION crm_bridge.setting_value(text, jsonb, bigint) FROM PUBLIC;

-- Sets a setting of the organization; crm_bridge.known_setting lists them.
-- Errors: 42501 not an administrator; 22023 an unknown name or a value of the wrong type.
CREATE OR REPLACE FUNCTION crm_bridge.set_setting(name text, value jsonb, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  wanted text := (SELECT k.type FROM crm_bridge.known_setting AS k WHERE k.name = set_setting.name);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  IF wanted IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('setting "%s" is not known', name),
      HINT = format('Settings are %s.', (SELECT string_agg(k.name, ', ' ORDER BY k.name) FROM crm_bridge.known_setting AS k));
  ELSIF jsonb_typeof(value) IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('setting "%s" takes a JSON value of type %s', name, wanted),
      DETAIL = format('The value given is of type %s.', COALESCE(jsonb_typeof(value), 'null'));
  ELSIF set_setting.name = 'default_locale' AND crm_bridge._language_of(value #>> '{}') IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('there are no texts in language "%s"', value #>> '{}'),
      HINT = 'Use en, de, fr, ja or zh, with or without a country: de_CH.';
  ELSIF wanted = 'number' AND (value #>> '{}')::numeric NOT BETWEEN 0 AND 100000 THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('setting "%s" must be between 0 and 100000', name);
  END IF;
  IF set_setting.name = 'client_users_for_projects' AND value #>> '{}' NOT IN ('existing', 'invite', 'none') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('setting "%s" does not take %s', name, value),
      HINT = 'Say "existing", "invite" or "none".';
  END IF;
  IF set_setting.name IN ('rule_mode', 'refusal') AND NOT value #>> '{}' = ANY (CASE name WHEN 'rule_mode' THEN ARRAY['reject', 'warn', 'send'] ELSE ARRAY['revert', 'keep'] END) THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('setting "%s" does not take %s', name, value),
      HINT = CASE name WHEN 'rule_mode' THEN 'Say "reject", "warn" or "send".' ELSE 'Say "revert" or "keep".' END;
  END IF;
  INSERT INTO crm_bridge.setting (org_id, name, value) VALUES (org, set_setting.name, set_setting.value)
  ON CONFLICT ON CONSTRAINT setting_key DO UPDATE SET value = EXCLUDED.value;
END
$$;
COMMENT ON FUNCTION crm_bridge.set_setting(text, jsonb, bigint) IS 'sets a setting of the organization: one of known_setting';
REVOKE ALL ON FUNCTION crm_bridge.set_setting(text, jsonb, bigint) FROM PUBLIC;
