-- Projects out of won deals (R53-R59): by call, by rule, and for deals that were won before the rule was there.

-- The stages in which a deal counts as won.
CREATE OR REPLACE FUNCTION crm_bridge._is_won(stage text, org_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = _is_won.org_id AND s.name = 'won_stages'),
                  '["Closed Won"]'::jsonb) ? stage;
END
$$;
COMMENT ON FUNCTION crm_bridge._is_won(text, bigint) IS 'whether a stage means that the deal is won (setting won_stages)';
REVOKE ALL ON FUNCTION crm_bridge._is_won(text, bigint) FROM PUBLIC;

-- The client that stands for an account in Projects; made where there is none (setting clients_for_projects).
CREATE OR REPLACE FUNCTION crm_bridge._client_of_account(account_id uuid, org_id bigint)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  client uuid;
BEGIN
  SELECT l.right_id INTO client FROM crm_bridge.link AS l
   WHERE l.org_id = _client_of_account.org_id AND l.left_id = account_id AND l.pairing = 'account_client' AND l.state <> 'archived';
  IF FOUND OR account_id IS NULL THEN
    RETURN client;
  END IF;
  -- Two deals of one account that are won at the same moment must not make two clients.
  PERFORM 1 FROM crm_bridge.crm_account AS a
    WHERE a.org_id = _client_of_account.org_id AND a.id = account_id AND a.account_name IS NOT NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT l.right_id INTO client FROM crm_bridge.link AS l
   WHERE l.org_id = _client_of_account.org_id AND l.left_id = account_id AND l.pairing = 'account_client' AND l.state <> 'archived';
  IF FOUND THEN
    RETURN client;
  END IF;
  RETURN crm_bridge._make_twin('account_client', 'left', account_id,
           (SELECT jsonb_build_object('portal_id', i.portal_id) FROM crm_bridge.integration AS i
             WHERE i.org_id = _client_of_account.org_id AND i.service = 'zoho_projects'), org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._client_of_account(uuid, bigint) IS 'the client that stands for an account in Projects, made where there is none';
REVOKE ALL ON FUNCTION crm_bridge._client_of_account(uuid, bigint) FROM PUBLIC;

-- The client users that come along to a deal's project (R56): the deal's contact, where he is one of the client's people already.
-- Setting client_users_for_projects: "existing" (the default), "invite" (_invite_contact_of_deal) or "none".
CREATE OR REPLACE FUNCTION crm_bridge._client_users_of_deal(deal crm_bridge.crm_deal, client uuid)
RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := deal.org_id;
BEGIN
  IF (SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'client_users_for_projects') = '"none"' THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT array_agg(u.id) FROM crm_bridge.link AS l
            JOIN crm_bridge.projects_client_user AS u ON u.org_id = org AND u.id = l.right_id
           WHERE l.org_id = org AND l.left_id = deal.contact_id AND l.pairing = 'contact_client_user' AND l.state = 'active'
             AND u.client_id = client);
END
$$;
COMMENT ON FUNCTION crm_bridge._client_users_of_deal(crm_bridge.crm_deal, uuid) IS 'the client users that come along to a deal''s project (R56)';
REVOKE ALL ON FUNCTION crm_bridge._client_users_of_deal(crm_bridge.crm_deal, uuid) FROM PUBLIC;

-- Makes the deal's contact a client user of the project, where that is wanted: Projects invites new ones by mail, so it is not
-- done unless the setting says "invite" (D14).
CREATE OR REPLACE FUNCTION crm_bridge._invite_contact_of_deal(deal crm_bridge.crm_deal, client uuid, project uuid, portal uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := deal.org_id;
BEGIN
  IF client IS NOT NULL
     AND (SELECT s.value FROM crm_bridge.setting AS s WHERE s.org_id = org AND s.name = 'client_users_for_projects') = '"invite"'
     AND EXISTS (SELECT 1 FROM crm_bridge.crm_contact AS c WHERE c.org_id = org AND c.id = deal.contact_id AND c.email <> '')
     AND NOT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                      WHERE l.org_id = org AND l.left_id = deal.contact_id AND l.pairing = 'contact_client_user' AND l.state <> 'archived') THEN
    PERFORM crm_bridge._make_twin('contact_client_user', 'left', deal.contact_id,
              jsonb_build_object('client_id', client, 'project_id', project, 'portal_id', portal), org);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge._invite_contact_of_deal(crm_bridge.crm_deal, uuid, uuid, uuid) IS
  'makes the deal''s contact a client user of its project, if setting client_users_for_projects says "invite" (R56, D14)';
REVOKE ALL ON FUNCTION crm_bridge._invite_contact_of_deal(crm_bridge.crm_deal, uuid, uuid, uuid) FROM PUBLIC;

-- Makes a project out of a deal (R53, R54): mapped fields filled, linked to the deal and to the account's client.
-- A deal that has a project already keeps it: calling twice makes nothing twice.
-- Arguments: the deal's id; name (NULL: as mapped).  Result: the project's id.
-- Errors: 42501 the person may not create; 42704 no such deal; 55000 the integration is not active; 23502 the project would have no name.  Source: R53-R59.
CREATE OR REPLACE FUNCTION crm_bridge.create_project_from_deal(deal_id uuid, name text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_permission('create', org);
  RETURN crm_bridge._project_of_deal(deal_id, name, org);
END
$$;
COMMENT ON FUNCTION crm_bridge.create_project_from_deal(uuid, text, bigint) IS
  'makes a project out of a deal, linked to deal and account, mapped fields filled (R53, R54); a second call returns the same project';
REVOKE ALL ON FUNCTION crm_bridge.create_project_from_deal(uuid, text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._project_of_deal(deal_id uuid, name text, org_id bigint)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  deal crm_bridge.crm_deal;
  project uuid;
  portal uuid;
  client uuid;
BEGIN
  SELECT i.portal_id INTO portal FROM crm_bridge.integration AS i
   WHERE i.org_id = _project_of_deal.org_id AND i.service = 'zoho_projects' AND i.state IN ('active', 'stopped');
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is not active',
      HINT = 'Set it up with crm_bridge.activate_projects() and crm_bridge.choose_portal().';
  END IF;
  SELECT * INTO deal FROM crm_bridge.crm_deal AS d
   WHERE d.org_id = _project_of_deal.org_id AND d.id = deal_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('deal %s does not exist', deal_id),
      HINT = 'Give the id of a row of crm_bridge.crm_deal.';
  END IF;
  SELECT l.right_id INTO project FROM crm_bridge.link AS l
   WHERE l.org_id = _project_of_deal.org_id AND l.left_id = deal_id AND l.pairing = 'deal_project' AND l.state <> 'archived';
  IF FOUND THEN
    RETURN project;
  END IF;
  IF COALESCE(_project_of_deal.name, deal.deal_name, '') = '' THEN
    RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = format('deal %s has no name for the project', deal_id),
      HINT = 'Give the argument name.';
  END IF;
  IF crm_bridge._clients_come_along(_project_of_deal.org_id) THEN
    client := crm_bridge._client_of_account(deal.account_id, _project_of_deal.org_id);
  END IF;
  project := crm_bridge._make_twin('deal_project', 'left', deal_id,
               jsonb_build_object('portal_id', portal, 'name', COALESCE(_project_of_deal.name, left(deal.deal_name, 200)),
                                  'client_user_ids', crm_bridge._client_users_of_deal(deal, client)), _project_of_deal.org_id,
               crm_bridge._fields_of_account(deal.account_id, _project_of_deal.org_id));
  PERFORM crm_bridge._invite_contact_of_deal(deal, client, project, portal);
  RETURN project;
END
$$;
COMMENT ON FUNCTION crm_bridge._project_of_deal(uuid, text, bigint) IS 'the deal''s project, made where there is none';
REVOKE ALL ON FUNCTION crm_bridge._project_of_deal(uuid, text, bigint) FROM PUBLIC;

-- Makes projects out of deals that were won before the rule was there (D13), oldest first.
-- Arguments: limit (how many deals at most), dry_run (true: only say what would be done).
-- Result: one row a won deal without a project: its project, or the reason why it has none (D12).
CREATE OR REPLACE FUNCTION crm_bridge.create_projects_from_won_deals(
  "limit"  integer DEFAULT 1000,
  dry_run  boolean DEFAULT true,
  org_id   bigint  DEFAULT NULL
)
RETURNS TABLE (deal_id uuid, deal_name text, account_name text, project_id uuid, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(create_projects_from_won_deals.org_id);
  run uuid;
  made bigint := 0;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  IF NOT dry_run THEN
    run := crm_bridge.start_run('projects_from_deals', 'zoho_projects', 'projects_project', NULL, org);
  END IF;
  FOR deal_id, deal_name, account_name IN
    SELECT d.id, d.deal_name, a.account_name
      FROM crm_bridge.crm_deal AS d
      LEFT JOIN crm_bridge.crm_account AS a ON a.org_id = d.org_id AND a.id = d.account_id
     WHERE d.org_id = org AND crm_bridge._is_won(d.stage, org)
       AND NOT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                        WHERE l.org_id = org AND l.left_id = d.id AND l.pairing = 'deal_project' AND l.state <> 'archived')
     ORDER BY d.created_at, d.id LIMIT "limit"
  LOOP
    project_id := NULL;
    reason := CASE WHEN COALESCE(deal_name, '') = '' THEN 'no_name' WHEN dry_run THEN 'not_requested' END;
    IF reason IS NULL THEN
      project_id := crm_bridge._project_of_deal(deal_id, NULL, org);
      made := made + 1;
    END IF;
    RETURN NEXT;
  END LOOP;
  IF NOT dry_run THEN
    PERFORM crm_bridge.report_progress(run, made, made, org);
    PERFORM crm_bridge.finish_run(run, 'finished', NULL, org);
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.create_projects_from_won_deals(integer, boolean, bigint) IS
  'makes projects out of deals that were won before the rule was there (D13); dry_run => true only shows which';
REVOKE ALL ON FUNCTION crm_bridge.create_projects_from_won_deals(integer, boolean, bigint) FROM PUBLIC;

-- Switches a rule on or off (R55).  It acts on transitions seen from then on (D13).  Errors: 42704 unknown rule.
CREATE OR REPLACE FUNCTION crm_bridge.set_automation(rule text, enabled boolean, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM crm_bridge._demand_administrator(crm_bridge._own_org(set_automation.org_id));
  UPDATE crm_bridge.automation AS a SET enabled = set_automation.enabled, changed_at = now()
   WHERE a.org_id = crm_bridge._own_org(set_automation.org_id) AND a.rule = set_automation.rule;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('rule "%s" does not exist', rule),
      HINT = 'The rules are listed in crm_bridge.automation.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm_bridge.set_automation(text, boolean, bigint) IS 'switches a rule such as won_deal_becomes_project on or off (R55)';
REVOKE ALL ON FUNCTION crm_bridge.set_automation(text, boolean, bigint) FROM PUBLIC;

-- Whether a deal in this stage gets a project by rule.  From the backend's cache: asked on every write of a deal.
CREATE OR REPLACE FUNCTION crm_bridge._gets_project(stage text, org_id bigint)
RETURNS boolean
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_gets_project';
COMMENT ON FUNCTION crm_bridge._gets_project(text, bigint) IS
  'whether a deal in this stage gets a project by the rule won_deal_becomes_project';

-- A deal that is seen to become won gets its project in the same transaction (R55, D13).
CREATE OR REPLACE FUNCTION crm_bridge._automate_won_deal()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF COALESCE(NEW.deal_name, '') <> '' THEN
    PERFORM crm_bridge._project_of_deal(NEW.id, NULL, NEW.org_id);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._automate_won_deal() IS 'a deal that becomes won gets its project (R55)';
REVOKE ALL ON FUNCTION crm_bridge._automate_won_deal() FROM PUBLIC;

-- Of statements that name the column only: the condition of a trigger is parsed anew for every statement that may fire it.
CREATE TRIGGER "1_won_deal_becomes_project" AFTER UPDATE OF stage ON crm_bridge.crm_deal
  FOR EACH ROW WHEN (OLD.stage IS DISTINCT FROM NEW.stage AND crm_bridge._gets_project(NEW.stage, NEW.org_id)
                     AND crm_bridge._gets_project(OLD.stage, OLD.org_id) IS NOT TRUE)
  EXECUTE FUNCTION crm_bridge._automate_won_deal();
-- What the service brings in is no transition: it may have been won for years.
CREATE TRIGGER "1_won_deal_inserted" AFTER INSERT ON crm_bridge.crm_deal
  FOR EACH ROW WHEN (NEW.origin = 'app' AND crm_bridge._gets_project(NEW.stage, NEW.org_id))
  EXECUTE FUNCTION crm_bridge._automate_won_deal();
