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

-- Links clients and accounts of the same name (D6), if it is to, and counts what becomes of all of them (D12).
-- Names that stand twice on a side are set apart first: what is left is one to one, and no join grows beyond its sides.
CREATE OR REPLACE FUNCTION crm_bridge._match_clients(portal uuid, linking boolean, org_id bigint)
RETURNS TABLE (outcome text, reason text, clients bigint, accounts bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET work_mem = '256MB' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  org bigint := _match_clients.org_id;
  who text := crm_bridge.calling_role();
BEGIN
  RETURN QUERY
  WITH linked AS (
    SELECT l.left_id, l.right_id FROM crm_bridge.link AS l
     WHERE l.org_id = org AND l.pairing = 'account_client' AND l.state <> 'archived'
  ), twice AS MATERIALIZED (
    SELECT a.name_key FROM crm_bridge.crm_account AS a
     WHERE a.org_id = org AND a.name_key <> '' GROUP BY a.name_key HAVING count(*) > 1
     UNION
    SELECT c.name_key FROM crm_bridge.projects_client AS c
     WHERE c.org_id = org AND c.name_key <> '' AND (c.portal_id = portal OR c.portal_id IS NULL) GROUP BY c.name_key HAVING count(*) > 1
  ), of_accounts AS (
    SELECT a.id, NULLIF(a.name_key, '') AS name_key, (l.left_id IS NULL)::integer AS free, t.name_key IS NOT NULL AS is_twice
      FROM crm_bridge.crm_account AS a
      LEFT JOIN linked AS l ON l.left_id = a.id
      LEFT JOIN twice AS t ON t.name_key = a.name_key
     WHERE a.org_id = org
  ), of_clients AS (
    SELECT c.id, NULLIF(c.name_key, '') AS name_key, (l.right_id IS NULL)::integer AS free, t.name_key IS NOT NULL AS is_twice
      FROM crm_bridge.projects_client AS c
      LEFT JOIN linked AS l ON l.right_id = c.id
      LEFT JOIN twice AS t ON t.name_key = c.name_key
     WHERE c.org_id = org AND (c.portal_id = portal OR c.portal_id IS NULL)
  ), judged AS (
    SELECT a.id AS account_id, c.id AS client_id, COALESCE(a.free, 0) AS accounts, COALESCE(c.free, 0) AS clients,
           CASE WHEN COALESCE(a.name_key, c.name_key) IS NULL THEN 'no_name'
                WHEN c.id IS NULL THEN 'account_not_mapped'
                WHEN a.id IS NULL THEN 'no_account_of_that_name'
                WHEN a.free + c.free < 2 THEN 'ambiguous'
                WHEN EXISTS (SELECT 1 FROM crm_bridge.link AS d
                              WHERE d.org_id = org AND d.pairing = 'account_client' AND d.state = 'archived'
                                AND d.reason = 'unlinked' AND d.left_id = a.id AND d.right_id = c.id) THEN 'unlinked' END AS reason
      FROM (SELECT * FROM of_accounts AS x WHERE NOT x.is_twice) AS a
      FULL JOIN (SELECT * FROM of_clients AS x WHERE NOT x.is_twice) AS c ON c.name_key = a.name_key
     UNION ALL
    SELECT NULL, NULL, sum(n.account * n.free), sum(n.client * n.free),
           CASE WHEN sum(n.client) = 0 THEN 'account_not_mapped' WHEN sum(n.account) = 0 THEN 'no_account_of_that_name' ELSE 'ambiguous' END
      FROM (SELECT x.name_key, x.free, 1 AS account, 0 AS client FROM of_accounts AS x WHERE x.is_twice
             UNION ALL
            SELECT x.name_key, x.free, 0, 1 FROM of_clients AS x WHERE x.is_twice) AS n
     GROUP BY n.name_key
  ), made AS (
    INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id, created_by)
    SELECT org, 'account_client', j.account_id, j.client_id, who
      FROM judged AS j WHERE linking AND j.reason IS NULL
  )
  SELECT CASE WHEN r.reason IS NULL THEN 'linked' ELSE 'not_linked' END, r.reason, r.clients, r.accounts
    -- One pass: grouped by reason the planner would sort them all.
    FROM (SELECT sum(j.clients) FILTER (WHERE j.reason IS NULL) AS linked,
                 sum(j.accounts) FILTER (WHERE j.reason = 'account_not_mapped') AS not_mapped,
                 sum(j.clients) FILTER (WHERE j.reason = 'no_account_of_that_name') AS no_account,
                 sum(j.clients) FILTER (WHERE j.reason = 'ambiguous') AS ambiguous_clients,
                 sum(j.accounts) FILTER (WHERE j.reason = 'ambiguous') AS ambiguous_accounts,
                 sum(j.clients) FILTER (WHERE j.reason = 'no_name') AS nameless_clients,
                 sum(j.accounts) FILTER (WHERE j.reason = 'no_name') AS nameless_accounts,
                 sum(j.clients) FILTER (WHERE j.reason = 'unlinked') AS unlinked
            FROM judged AS j) AS s
   CROSS JOIN LATERAL (VALUES (NULL, s.linked::bigint, s.linked::bigint), ('account_not_mapped', 0, s.not_mapped::bigint),
                              ('ambiguous', s.ambiguous_clients::bigint, s.ambiguous_accounts::bigint),
                              ('no_account_of_that_name', s.no_account::bigint, 0),
                              ('no_name', s.nameless_clients::bigint, s.nameless_accounts::bigint),
                              ('unlinked', s.unlinked::bigint, s.unlinked::bigint)) AS r (reason, clients, accounts)
   WHERE r.clients > 0 OR r.accounts > 0;
END
$$;
COMMENT ON FUNCTION crm_bridge._match_clients(uuid, boolean, bigint) IS 'links clients and accounts of the same name and counts the reasons of all others';
REVOKE ALL ON FUNCTION crm_bridge._match_clients(uuid, boolean, bigint) FROM PUBLIC;

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
    RETURN QUERY SELECT * FROM crm_bridge._match_clients(portal, false, org);
    RETURN;
  END IF;
  IF decision = 'skip' THEN
    INSERT INTO crm_bridge.client_matching AS m (org_id, state) VALUES (org, 'skipped')
    ON CONFLICT ON CONSTRAINT client_matching_key DO UPDATE
       SET state = 'skipped', run_id = NULL, command_id = NULL, decided_at = now(), decided_by = EXCLUDED.decided_by;
    RETURN;
  END IF;
  run := crm_bridge.start_run('matching', 'zoho_projects', 'projects_client', NULL, org);
  FOR outcome, reason, clients, accounts IN SELECT * FROM crm_bridge._match_clients(portal, true, org) AS r LOOP
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
