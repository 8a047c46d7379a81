-- Matching clients with accounts (R37-R44): yes, skip, by hand.  What follows in the background is in matching_background.sql.

-- With the link to the portal ends what was decided on its clients (R44).
CREATE OR REPLACE FUNCTION crm_bridge._forget_client_matching()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM crm_bridge.client_matching AS m WHERE m.org_id = NEW.org_id;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._forget_client_matching() IS 'the next link to a portal may be matched again (R44)';
REVOKE ALL ON FUNCTION crm_bridge._forget_client_matching() FROM PUBLIC;
CREATE TRIGGER forget_client_matching AFTER UPDATE ON crm_bridge.integration
  FOR EACH ROW WHEN (NEW.service = 'zoho_projects' AND OLD.portal_id IS NOT NULL
                     AND (NEW.portal_id IS DISTINCT FROM OLD.portal_id
                          OR (NEW.state IN ('off', 'configuring') AND OLD.state NOT IN ('off', 'configuring'))))
  EXECUTE FUNCTION crm_bridge._forget_client_matching();

-- Links clients and accounts of the same name (D6), if it is to, and counts what becomes of all that are not linked yet (D12).
-- One pass over each side in C++: extension/core/client_match has the rules and says what memory it takes.
CREATE OR REPLACE FUNCTION crm_bridge._match_clients(portal uuid, linking boolean, creator text, org_id bigint)
RETURNS TABLE (outcome text, reason text, clients bigint, accounts bigint)
LANGUAGE c VOLATILE STRICT ROWS 6
SET search_path = pg_catalog, pg_temp SET jit = off
AS 'MODULE_PATHNAME', 'crm_bridge_match_clients';
COMMENT ON FUNCTION crm_bridge._match_clients(uuid, boolean, text, bigint) IS 'links clients and accounts of the same name and counts the reasons of all others';
REVOKE ALL ON FUNCTION crm_bridge._match_clients(uuid, boolean, text, bigint) FROM PUBLIC;

-- Every client in scope and every account that is not linked, each with its one reason (D12): what client_match_report says of
-- them, for all at once.  Without a portal it is integration_inactive.
CREATE OR REPLACE FUNCTION crm_bridge._unmatched(portal uuid, org_id bigint)
RETURNS TABLE (client_id uuid, account_id uuid, reason text)
LANGUAGE c STABLE ROWS 100000
SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '256MB'
AS 'MODULE_PATHNAME', 'crm_bridge_unmatched';
COMMENT ON FUNCTION crm_bridge._unmatched(uuid, bigint) IS 'clients and accounts that are not linked, each with the reason';
REVOKE ALL ON FUNCTION crm_bridge._unmatched(uuid, bigint) FROM PUBLIC;

-- Matches the clients of the portal with the accounts of the same name (R40, D6), once for each link to a portal (R43).
-- Values stay as they are on both sides.  Client users, look-alikes and the report follow in the background (R46): the command
-- is in client_matching.  What was linked or unlinked by hand stays so.
-- Arguments: decision, 'yes' or 'skip' (R42); rematch, again although it was decided before (B11); dry_run, only count.
-- Result: how many clients and accounts are linked by this, and how many are not, by reason (D12); client_match_report has each.
-- Errors: 22023 another decision; 55000 the integration is not active, or it was decided already.
CREATE OR REPLACE FUNCTION crm_bridge.match_clients(
  decision  text    DEFAULT 'yes',
  rematch   boolean DEFAULT false,
  dry_run   boolean DEFAULT false,
  org_id    bigint  DEFAULT NULL
)
RETURNS TABLE (outcome text, reason text, clients bigint, accounts bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(match_clients.org_id);
  portal uuid;
  decided crm_bridge.client_matching;
  run uuid;
  counted jsonb;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  IF decision IS NULL OR decision NOT IN ('yes', 'skip') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('decision "%s" is not known', decision),
      HINT = 'Say ''yes'' or ''skip''.';
  END IF;
  -- Two matchings at once would find the same pairs.
  SELECT i.portal_id INTO portal FROM crm_bridge.integration AS i
   WHERE i.org_id = org AND i.service = 'zoho_projects' AND i.state = 'active' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is not active',
      HINT = 'Set it up with crm_bridge.activate_projects() and crm_bridge.choose_portal().';
  END IF;
  SELECT * INTO decided FROM crm_bridge.client_matching AS m WHERE m.org_id = org;
  IF decided.state IS NOT NULL AND NOT COALESCE(rematch, false) AND NOT COALESCE(dry_run, false) THEN
    IF decision = 'skip' AND decided.state = 'skipped' THEN
      RETURN;
    END IF;
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the matching of clients with accounts was decided already',
      DETAIL = format('It was %s on %s by %s; that is done once for each link to a portal.', decided.state, decided.decided_at::date, decided.decided_by),
      HINT = 'Link by hand with crm_bridge.link_client(), or give rematch => true.';
  END IF;
  IF COALESCE(dry_run, false) THEN
    RETURN QUERY SELECT * FROM crm_bridge._match_clients(portal, false, crm_bridge.calling_role(), org);
    RETURN;
  END IF;
  IF decision = 'skip' THEN
    INSERT INTO crm_bridge.client_matching AS m (org_id, state) VALUES (org, 'skipped')
    ON CONFLICT ON CONSTRAINT client_matching_key DO UPDATE
       SET state = 'skipped', run_id = NULL, command_id = NULL, decided_at = now(), decided_by = EXCLUDED.decided_by;
    RETURN;
  END IF;
  run := crm_bridge.start_run('matching', 'zoho_projects', 'projects_client', NULL, org);
  FOR outcome, reason, clients, accounts IN SELECT * FROM crm_bridge._match_clients(portal, true, crm_bridge.calling_role(), org) AS r LOOP
    counted := COALESCE(counted, '[]') || jsonb_build_object('reason', reason, 'clients', clients, 'accounts', accounts);
    IF outcome = 'linked' THEN
      PERFORM crm_bridge.report_progress(run, clients, NULL, org);
    END IF;
    RETURN NEXT;
  END LOOP;
  INSERT INTO crm_bridge.client_matching AS m (org_id, state, run_id, command_id)
  VALUES (org, 'matched', run, crm_bridge._request_command('zoho_projects', 'finish_matching',
            jsonb_build_object('run', run, 'counted', COALESCE(counted, '[]'), 'by', crm_bridge.calling_role()), org))
  ON CONFLICT ON CONSTRAINT client_matching_key DO UPDATE
     SET state = 'matched', run_id = EXCLUDED.run_id, command_id = EXCLUDED.command_id, decided_at = now(), decided_by = EXCLUDED.decided_by;
END
$$;
COMMENT ON FUNCTION crm_bridge.match_clients(text, boolean, boolean, bigint) IS
  'matches clients of Projects with CRM accounts of the same name (R37-R44); dry_run => true only counts';
REVOKE ALL ON FUNCTION crm_bridge.match_clients(text, boolean, boolean, bigint) FROM PUBLIC;

-- "No, skip" (R42): maps nothing; link_client maps one by one later.  Errors: as match_clients.
CREATE OR REPLACE FUNCTION crm_bridge.skip_client_matching(org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(org_id));   -- R1
  PERFORM crm_bridge.match_clients('skip', org_id => skip_client_matching.org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge.skip_client_matching(bigint) IS 'decides that clients are not matched with accounts (R42)';
REVOKE ALL ON FUNCTION crm_bridge.skip_client_matching(bigint) FROM PUBLIC;

-- Pairs a client with an account by hand, whatever their names (R39), and their people.  Values stay as they are on both sides.
-- Result: the link's id; of a pair that is linked already the one that there is.
-- Errors: 42704 no such client or account; 55000 one of them is linked with another.
CREATE OR REPLACE FUNCTION crm_bridge.link_client(client_id uuid, account_id uuid, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  pair uuid := crm_bridge.new_id();
  other crm_bridge.link;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  PERFORM 1 FROM crm_bridge.crm_account AS a WHERE a.org_id = org AND a.id = link_client.account_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('account %s does not exist', account_id),
      HINT = 'Give the id of a row of crm_bridge.crm_account.';
  END IF;
  PERFORM 1 FROM crm_bridge.projects_client AS c WHERE c.org_id = org AND c.id = link_client.client_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('client %s does not exist', client_id),
      HINT = 'Give the id of a row of crm_bridge.projects_client.';
  END IF;
  SELECT * INTO other FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.pairing = 'account_client' AND l.state <> 'archived'
     AND (l.left_id = link_client.account_id OR l.right_id = link_client.client_id)
   ORDER BY (l.left_id = link_client.account_id AND l.right_id = link_client.client_id) DESC LIMIT 1;
  IF other.left_id = link_client.account_id AND other.right_id = link_client.client_id THEN
    RETURN other.link_id;
  ELSIF other.link_id IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '55000',
      MESSAGE = format('client %s cannot be linked with account %s', client_id, account_id),
      DETAIL = CASE WHEN other.right_id = link_client.client_id THEN format('The client is linked with account %s.', other.left_id)
                    ELSE format('The account is linked with client %s.', other.right_id) END,
      HINT = format('End that link first with crm_bridge.unlink_client(''%s'').', other.right_id);
  END IF;
  INSERT INTO crm_bridge.link (org_id, link_id, pairing, left_id, right_id)
  VALUES (org, pair, 'account_client', link_client.account_id, link_client.client_id);
  DELETE FROM crm_bridge.match_result AS r WHERE r.org_id = org AND r.client_id = link_client.client_id;
  PERFORM crm_bridge._match_client_users(link_client.client_id, org);
  RETURN pair;
END
$$;
COMMENT ON FUNCTION crm_bridge.link_client(uuid, uuid, bigint) IS 'pairs a client with an account by hand (R39)';
REVOKE ALL ON FUNCTION crm_bridge.link_client(uuid, uuid, bigint) FROM PUBLIC;

-- Ends the link of a client with its account, and of their people.  It is remembered: a rematch does not link them again.
-- Result: whether there was one.  Errors: 42704 no such client.
CREATE OR REPLACE FUNCTION crm_bridge.unlink_client(client_id uuid, org_id bigint DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  ended boolean;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  PERFORM 1 FROM crm_bridge.projects_client AS c WHERE c.org_id = org AND c.id = unlink_client.client_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('client %s does not exist', client_id),
      HINT = 'Give the id of a row of crm_bridge.projects_client.';
  END IF;
  UPDATE crm_bridge.link AS l SET state = 'archived', reason = 'unlinked'
   WHERE l.org_id = org AND l.pairing = 'account_client' AND l.state <> 'archived' AND l.right_id = unlink_client.client_id;
  ended := FOUND;
  UPDATE crm_bridge.link AS l SET state = 'archived', reason = 'client_unlinked'
    FROM crm_bridge.projects_client_user AS u
   WHERE u.org_id = org AND u.client_id = unlink_client.client_id
     AND l.org_id = org AND l.pairing = 'contact_client_user' AND l.state <> 'archived' AND l.right_id = u.id;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm_bridge.unlink_client(uuid, bigint) IS 'ends the link of a client with its account; a rematch does not link them again';
REVOKE ALL ON FUNCTION crm_bridge.unlink_client(uuid, bigint) FROM PUBLIC;
