-- Sealed credentials, among them the ZSC key (R11-R13, R16-R23, D10, D15, B14, B16).  Nothing here can open one: what comes in is sealed
-- already ("crm-bridge seal"), what goes out goes to the worker that has the key.
--
-- The services' public APIs know no call for a ZSC key.  What stands in its place there is the consent of the key's owner; both are
-- sealed together, with the owner's e-mail address, and grow stale together: when the portal changes hands or the key is generated anew.

-- The credential by which a worker opens a service.
CREATE OR REPLACE FUNCTION crm_bridge.sealed_credential(service text, org_id bigint DEFAULT NULL)
RETURNS TABLE (kind text, key_id text, sealed bytea, email text, sealed_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := COALESCE(sealed_credential.org_id, crm_bridge._own_org(NULL));
BEGIN
  -- A service that is no integration, as a mail server, has one credential.
  RETURN QUERY SELECT c.kind, c.key_id, c.sealed, c.email, c.sealed_at FROM crm_bridge.credential AS c
                 LEFT JOIN crm_bridge.integration AS i ON i.org_id = c.org_id AND i.service = c.service
                WHERE c.org_id = org AND c.service = sealed_credential.service AND (i.org_id IS NULL OR c.kind = i.credential_kind);
END
$$;
COMMENT ON FUNCTION crm_bridge.sealed_credential(text, bigint) IS 'the credential by which a worker opens a service, as ciphertext';
REVOKE ALL ON FUNCTION crm_bridge.sealed_credential(text, bigint) FROM PUBLIC;

-- Keeps a secret that was sealed to a worker's key.  If the service was stopped for the want of it, it goes on: portal, mapping and
-- permissions are as they were (R22, R23), and what waited is sent (B14).
-- Arguments: kind oauth, zsc_key, …; email: whose it is, needed for a ZSC key (R11).  Errors: 23514 a ZSC key without an e-mail address.
CREATE OR REPLACE FUNCTION crm_bridge.store_credential(
  service  text,
  kind     text,
  key_id   text,
  sealed   bytea,
  email    text   DEFAULT NULL,
  org_id   bigint DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(store_credential.org_id, crm_bridge._own_org(NULL));
BEGIN
  INSERT INTO crm_bridge.credential (org_id, service, kind, key_id, sealed, email)
  VALUES (org, store_credential.service, store_credential.kind, store_credential.key_id, store_credential.sealed, btrim(store_credential.email))
  ON CONFLICT ON CONSTRAINT credential_key DO UPDATE
     SET key_id = EXCLUDED.key_id, sealed = EXCLUDED.sealed, sealed_at = EXCLUDED.sealed_at, email = EXCLUDED.email,
         stale_since = NULL, stale_reason = NULL;
  UPDATE crm_bridge.integration AS i
     SET state = 'active', stopped_since = NULL, stopped_reason = NULL, stopped_detail = NULL
   WHERE i.org_id = org AND i.service = store_credential.service AND i.credential_kind = store_credential.kind
     AND i.state = 'stopped' AND i.stopped_reason IN ('zsc_key_stale', 'credential_refused');
  PERFORM pg_notify('crm_bridge', 'command ' || store_credential.service);
  PERFORM pg_notify('crm_bridge', 'delivery ' || store_credential.service);
END
$$;
COMMENT ON FUNCTION crm_bridge.store_credential(text, text, text, bytea, text, bigint) IS
  'keeps a secret that was sealed to a worker''s key; a service that was stopped for the want of it goes on (R22)';
REVOKE ALL ON FUNCTION crm_bridge.store_credential(text, text, text, bytea, text, bigint) FROM PUBLIC;

-- Stops a service whose credential is not accepted any more, and tells the administrators.  Work waits; nothing fails (B14).
CREATE OR REPLACE FUNCTION crm_bridge._stop_for_credential(service text, kind text, reason text, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _stop_for_credential.org_id;
  owner text;
BEGIN
  UPDATE crm_bridge.credential AS c
     SET stale_since = clock_timestamp(), stale_reason = left(COALESCE(_stop_for_credential.reason, 'refused'), 500)
   WHERE c.org_id = org AND c.service = _stop_for_credential.service AND c.kind = _stop_for_credential.kind AND c.stale_since IS NULL
  RETURNING c.email INTO owner;
  UPDATE crm_bridge.integration AS i
     SET state = 'stopped', stopped_since = clock_timestamp(), stopped_detail = left(_stop_for_credential.reason, 500),
         stopped_reason = CASE WHEN i.credential_kind = 'zsc_key' THEN 'zsc_key_stale' ELSE 'credential_refused' END
   WHERE i.org_id = org AND i.service = _stop_for_credential.service AND i.credential_kind = _stop_for_credential.kind AND i.state = 'active';
  IF FOUND AND _stop_for_credential.service = 'zoho_projects' THEN
    PERFORM crm_bridge._notify(org, a.email, 'key_stale',
              jsonb_build_object('since', clock_timestamp(), 'reason', _stop_for_credential.reason, 'email', COALESCE(owner, a.email)))
       FROM crm_bridge._administrators(org) AS a (email);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._stop_for_credential(text, text, text, bigint) IS 'stops a service whose credential is not accepted any more (R20)';
REVOKE ALL ON FUNCTION crm_bridge._stop_for_credential(text, text, text, bigint) FROM PUBLIC;

-- The service refused the credential for good: the worker says so.  Of no effect if it has been renewed since the worker took it.
-- Arguments: sealed_at of the credential that was refused, as sealed_credential gave it; reason: the service's words.
CREATE OR REPLACE FUNCTION crm_bridge.refuse_credential(service text, sealed_at timestamptz, reason text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := COALESCE(refuse_credential.org_id, crm_bridge._own_org(NULL));
BEGIN
  PERFORM crm_bridge._stop_for_credential(refuse_credential.service, i.credential_kind, refuse_credential.reason, org)
     FROM crm_bridge.integration AS i
     JOIN crm_bridge.credential AS c ON c.org_id = i.org_id AND c.service = i.service AND c.kind = i.credential_kind
    WHERE i.org_id = org AND i.service = refuse_credential.service AND c.sealed_at = refuse_credential.sealed_at;
END
$$;
COMMENT ON FUNCTION crm_bridge.refuse_credential(text, timestamptz, text, bigint) IS 'the service refused the credential for good';
REVOKE ALL ON FUNCTION crm_bridge.refuse_credential(text, timestamptz, text, bigint) FROM PUBLIC;

-- Says that the ZSC key is not valid any more, because the portal's owner changed (R18) or a new key was generated (R19).
-- Errors: 55000 no ZSC key is in use.
CREATE OR REPLACE FUNCTION crm_bridge.mark_key_stale(reason text DEFAULT 'A new key was generated.', org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  PERFORM 1 FROM crm_bridge.credential AS c WHERE c.org_id = org AND c.service = 'zoho_projects' AND c.kind = 'zsc_key';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'there is no ZSC key',
      DETAIL = 'The organization''s own portals are opened without one.', HINT = crm_bridge._how_to_seal_key('the owner''s address', org);
  END IF;
  PERFORM crm_bridge._stop_for_credential('zoho_projects', 'zsc_key', mark_key_stale.reason, org);
END
$$;
COMMENT ON FUNCTION crm_bridge.mark_key_stale(text, bigint) IS 'says that the ZSC key is not valid any more (R18, R19): the integration stops until it is renewed';
REVOKE ALL ON FUNCTION crm_bridge.mark_key_stale(text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._how_to_seal_key(email text, org_id bigint)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN format('Where the worker runs: crm-bridge seal --service zoho_projects --kind zsc_key --email %s --org %s '
                '< {"zsc_key", "client_id", "client_secret", "refresh_token"}.', email, org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._how_to_seal_key(text, bigint) IS 'what to type to store a ZSC key';
REVOKE ALL ON FUNCTION crm_bridge._how_to_seal_key(text, bigint) FROM PUBLIC;

-- Opens the portals of another user: by the ZSC key that "crm-bridge seal" stored with this e-mail address (R11).  The worker offers those
-- portals, and only those, that belong to whom the key opens (R12, R13).  Result: the command that reads them.
-- Errors: 55000 not begun with activate_projects, or the key is stale; 42704 no key for that address, with the steps in the hint.
CREATE OR REPLACE FUNCTION crm_bridge.use_shared_portal(email text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  stored crm_bridge.credential;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  SELECT * INTO stored FROM crm_bridge.credential AS c WHERE c.org_id = org AND c.service = 'zoho_projects' AND c.kind = 'zsc_key';
  IF NOT FOUND OR lower(stored.email) <> lower(btrim(COALESCE(use_shared_portal.email, ''))) THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('there is no ZSC key for "%s"', use_shared_portal.email),
      DETAIL = 'The portal''s owner, an administrator of Projects, sees the key and its e-mail address in the set-up of Projects and consents for its API.',
      HINT = crm_bridge._how_to_seal_key(COALESCE(use_shared_portal.email, 'the owner''s address'), org);
  ELSIF stored.stale_since IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the ZSC key of "%s" is not valid any more', stored.email),
      DETAIL = stored.stale_reason, HINT = crm_bridge._how_to_seal_key(stored.email, org);
  END IF;
  UPDATE crm_bridge.integration AS i SET credential_kind = 'zsc_key'
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'configuring';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is not being set up',
      HINT = 'Begin with crm_bridge.activate_projects().';
  END IF;
  PERFORM crm_bridge._forget_portals(org);
  RETURN crm_bridge._request_command('zoho_projects', 'refresh_portals', '{}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.use_shared_portal(text, bigint) IS 'opens another user''s portals by his ZSC key (R11-R13); returns the command that reads them';
REVOKE ALL ON FUNCTION crm_bridge.use_shared_portal(text, bigint) FROM PUBLIC;

-- What there is of credentials, without the secrets.
CREATE OR REPLACE FUNCTION crm_bridge.credential_status(org_id bigint DEFAULT NULL)
RETURNS TABLE (service text, kind text, email text, key_id text, sealed_at timestamptz, stale_since timestamptz, stale_reason text, in_use boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(credential_status.org_id);
BEGIN
  RETURN QUERY
    SELECT c.service, c.kind, c.email, c.key_id, c.sealed_at, c.stale_since, c.stale_reason, COALESCE(i.credential_kind = c.kind, true)
      FROM crm_bridge.credential AS c
      LEFT JOIN crm_bridge.integration AS i ON i.org_id = c.org_id AND i.service = c.service
     WHERE c.org_id = org ORDER BY c.service, c.kind;
END
$$;
COMMENT ON FUNCTION crm_bridge.credential_status(bigint) IS 'which credentials there are, whose, and whether they are valid; without the secrets';
REVOKE ALL ON FUNCTION crm_bridge.credential_status(bigint) FROM PUBLIC;
