-- Projects out of leads and accounts (R53); out of deals: deal_project.sql.

-- The portal that projects are made in.  Errors: 55000 the integration is not active.
CREATE OR REPLACE FUNCTION crm_bridge._portal_for_projects(org_id bigint)
RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  portal uuid;
BEGIN
  SELECT i.portal_id INTO portal FROM crm_bridge.integration AS i
   WHERE i.org_id = _portal_for_projects.org_id AND i.service = 'zoho_projects' AND i.state IN ('active', 'stopped');
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Projects is not active',
      HINT = 'Set it up with crm_bridge.activate_projects() and crm_bridge.choose_portal().';
  END IF;
  RETURN portal;
END
$$;
COMMENT ON FUNCTION crm_bridge._portal_for_projects(bigint) IS 'the portal that projects are made in';
REVOKE ALL ON FUNCTION crm_bridge._portal_for_projects(bigint) FROM PUBLIC;

-- Whether projects get the client of their company (setting clients_for_projects).
CREATE OR REPLACE FUNCTION crm_bridge._clients_come_along(org_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE((SELECT s.value FROM crm_bridge.setting AS s
                    WHERE s.org_id = _clients_come_along.org_id AND s.name = 'clients_for_projects'), 'true')::boolean;
END
$$;
COMMENT ON FUNCTION crm_bridge._clients_come_along(bigint) IS 'whether projects get the client of their company (setting clients_for_projects)';
REVOKE ALL ON FUNCTION crm_bridge._clients_come_along(bigint) FROM PUBLIC;

-- The client of a lead's company: that of the account of the same name, else the client of the same name (D6), else a new one.
CREATE OR REPLACE FUNCTION crm_bridge._client_of_lead(lead crm_bridge.crm_lead, portal uuid)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := lead.org_id;
  key text := crm_bridge.name_key(lead.company);
  namesakes uuid[];
  client uuid := crm_bridge.new_id();
BEGIN
  IF COALESCE(key, '') = '' THEN
    RETURN NULL;
  END IF;
  namesakes := ARRAY(SELECT a.id FROM crm_bridge.crm_account AS a WHERE a.org_id = org AND a.name_key = key LIMIT 2);
  IF cardinality(namesakes) = 1 THEN
    RETURN crm_bridge._client_of_account(namesakes[1], org);
  END IF;
  namesakes := ARRAY(SELECT c.id FROM crm_bridge.projects_client AS c
                      WHERE c.org_id = org AND c.name_key = key AND (c.portal_id = portal OR c.portal_id IS NULL) LIMIT 2);
  IF cardinality(namesakes) > 0 THEN
    -- Several of one name: which is meant, nobody can say.
    RETURN CASE WHEN cardinality(namesakes) = 1 THEN namesakes[1] END;
  END IF;
  INSERT INTO crm_bridge.projects_client (org_id, id, name, phone, website, portal_id)
  VALUES (org, client, lead.company, lead.phone, lead.website, portal);
  RETURN client;
END
$$;
COMMENT ON FUNCTION crm_bridge._client_of_lead(crm_bridge.crm_lead, uuid) IS 'the client of a lead''s company, made where there is none';
REVOKE ALL ON FUNCTION crm_bridge._client_of_lead(crm_bridge.crm_lead, uuid) FROM PUBLIC;

-- Makes a project out of a lead (R53, R54), linked to it, with the client of its company.  A lead that has a project keeps it.
-- Arguments: the lead's id; name (NULL: the company's, else the person's).  Result: the project's id.
-- Errors: 42704 no such lead; 55000 the integration is not active; 23502 the project would have no name.
CREATE OR REPLACE FUNCTION crm_bridge.create_project_from_lead(lead_id uuid, name text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  portal uuid := crm_bridge._portal_for_projects(org);
  lead crm_bridge.crm_lead;
  project uuid;
  client uuid;
  title text;
BEGIN
  SELECT * INTO lead FROM crm_bridge.crm_lead AS l WHERE l.org_id = org AND l.id = lead_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('lead %s does not exist', lead_id),
      HINT = 'Give the id of a row of crm_bridge.crm_lead.';
  END IF;
  SELECT l.right_id INTO project FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.left_id = lead_id AND l.pairing = 'lead_project' AND l.state <> 'archived';
  IF FOUND THEN
    RETURN project;
  END IF;
  title := COALESCE(create_project_from_lead.name, left(COALESCE(NULLIF(btrim(lead.company), ''), concat_ws(' ', lead.first_name, lead.last_name)), 200));
  IF btrim(title) = '' THEN
    RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = format('lead %s has no name for the project', lead_id), HINT = 'Give the argument name.';
  END IF;
  IF crm_bridge._clients_come_along(org) THEN
    client := crm_bridge._client_of_lead(lead, portal);
  END IF;
  RETURN crm_bridge._make_twin('lead_project', 'left', lead_id, jsonb_build_object('portal_id', portal, 'name', title, 'client_id', client), org,
           crm_bridge._fields_of_account(crm_bridge._twin_of('account_client', client, org), org));
END
$$;
COMMENT ON FUNCTION crm_bridge.create_project_from_lead(uuid, text, bigint) IS
  'makes a project out of a lead, with the client of its company (R53); a second call returns the same project';
REVOKE ALL ON FUNCTION crm_bridge.create_project_from_lead(uuid, text, bigint) FROM PUBLIC;

-- Makes a project for an account (R53), mapped fields filled, with its client.  An account may have many: one of the same name is returned instead.
-- Errors: 42704 no such account; 55000 the integration is not active; 23502 no name is given.
CREATE OR REPLACE FUNCTION crm_bridge.create_project_from_account(account_id uuid, name text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  portal uuid := crm_bridge._portal_for_projects(org);
  client uuid;
  project uuid;
BEGIN
  IF COALESCE(btrim(name), '') = '' THEN
    RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = format('there is no name for the project of account %s', account_id), HINT = 'Give the argument name.';
  END IF;
  PERFORM 1 FROM crm_bridge.crm_account AS a WHERE a.org_id = org AND a.id = create_project_from_account.account_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('account %s does not exist', account_id),
      HINT = 'Give the id of a row of crm_bridge.crm_account.';
  END IF;
  client := crm_bridge._client_of_account(account_id, org);
  SELECT p.id INTO project FROM crm_bridge.projects_project AS p
   WHERE p.org_id = org AND p.client_id = client AND p.name = create_project_from_account.name ORDER BY p.created_at, p.id LIMIT 1;
  IF FOUND THEN
    RETURN project;
  END IF;
  project := crm_bridge.new_id();
  PERFORM crm_bridge._make_record('projects_project', project,
            crm_bridge._fields_of_account(account_id, org)
            || jsonb_build_object('name', create_project_from_account.name, 'client_id', client, 'portal_id', portal), org);
  RETURN project;
END
$$;
COMMENT ON FUNCTION crm_bridge.create_project_from_account(uuid, text, bigint) IS
  'makes a project for an account, with its client (R53); one of the same name is returned instead';
REVOKE ALL ON FUNCTION crm_bridge.create_project_from_account(uuid, text, bigint) FROM PUBLIC;
