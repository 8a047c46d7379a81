-- Imports of people into Projects (R131, R138-R142): users of the portal and customers' people, chosen by e-mail address.

-- Adds people to the portal who are not in it (R32, R33); whoever is there already keeps his role (R34).  The one way in which the
-- bridge makes portal users.  Result: one row an address, in their order: outcome made or existing, and the user.
-- Errors: 55000 Projects is not active.
CREATE OR REPLACE FUNCTION crm_bridge._provision_users(org_id bigint, emails text[], role text DEFAULT 'Employee')
RETURNS TABLE (email text, outcome text, user_id uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  portal uuid := crm_bridge._portal_in_use(_provision_users.org_id);
BEGIN
  -- Two that add the same person at once must not add him twice.
  PERFORM pg_advisory_xact_lock(hashtextextended('crm_bridge projects_user ' || _provision_users.org_id, 0));
  FOR email IN SELECT lower(btrim(a.address)) FROM unnest(emails) WITH ORDINALITY AS a (address, n)
                WHERE btrim(a.address) <> '' GROUP BY lower(btrim(a.address)) ORDER BY min(a.n) LOOP
    outcome := 'existing';
    SELECT u.id INTO user_id FROM crm_bridge.projects_user AS u
     WHERE u.org_id = _provision_users.org_id AND lower(u.email) = _provision_users.email
       AND u.portal_id IS NOT DISTINCT FROM portal ORDER BY u.id LIMIT 1;
    IF NOT FOUND THEN
      outcome := 'made';
      user_id := crm_bridge.new_id();
      INSERT INTO crm_bridge.projects_user (org_id, id, email, role, portal_id)
      VALUES (_provision_users.org_id, user_id, _provision_users.email, _provision_users.role, portal);
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge._provision_users(bigint, text[], text) IS
  'adds people to the portal, as Employee where nothing else is said (R33); whoever is there keeps his role (R34)';
REVOKE ALL ON FUNCTION crm_bridge._provision_users(bigint, text[], text) FROM PUBLIC;

-- Raises unless people can be imported from the source into Projects.
CREATE OR REPLACE FUNCTION crm_bridge._demand_importable(source text, org_id bigint)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF source IS NULL OR source NOT IN ('crm', 'bigin', 'office365') THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('source "%s" is not known', source),
      HINT = 'Use crm, bigin or office365.';
  END IF;
  -- R140: a ZSC key that is no longer valid stops the integration, and a stopped one is not active.
  PERFORM crm_bridge._demand_service('zoho_projects', org_id);
  PERFORM crm_bridge._demand_service(CASE source WHEN 'crm' THEN 'zoho_crm' ELSE source END, org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._demand_importable(text, bigint) IS 'raises unless people can be imported from the source into Projects (R140)';
REVOKE ALL ON FUNCTION crm_bridge._demand_importable(text, bigint) FROM PUBLIC;

-- The users of a source by e-mail address: whether each is there, and may work.
CREATE OR REPLACE FUNCTION crm_bridge._users_of_source(source text, emails text[], org_id bigint)
RETURNS TABLE (email text, known boolean, active boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT w.address, f.active IS NOT NULL, COALESCE(f.active, false)
      FROM (SELECT lower(btrim(a.address)) AS address, min(a.n) AS n FROM unnest(emails) WITH ORDINALITY AS a (address, n) GROUP BY 1) AS w
      LEFT JOIN LATERAL (
           SELECT bool_or(u.active) AS active FROM (
             SELECT COALESCE(c.status, 'active') = 'active' FROM crm_bridge.crm_user AS c
              WHERE source = 'crm' AND c.org_id = _users_of_source.org_id AND lower(c.email) = w.address
              UNION ALL
             SELECT COALESCE(b.status, 'active') = 'active' FROM crm_bridge.bigin_user AS b
              WHERE source = 'bigin' AND b.org_id = _users_of_source.org_id AND lower(b.email) = w.address
              UNION ALL
             SELECT COALESCE(o.is_enabled, true) FROM crm_bridge.office_user AS o
              WHERE source = 'office365' AND o.org_id = _users_of_source.org_id
                AND lower(COALESCE(o.mail, o.user_principal_name)) = w.address) AS u (active)) AS f ON true
     ORDER BY w.n;
END
$$;
COMMENT ON FUNCTION crm_bridge._users_of_source(text, text[], bigint) IS 'the users of the CRM, of Bigin or of Office 365 by e-mail address';
REVOKE ALL ON FUNCTION crm_bridge._users_of_source(text, text[], bigint) FROM PUBLIC;

-- Imports users into the portal (R131, R138, R142), and into a project if one is named.
-- Arguments: source crm, bigin or office365; emails of its users; the project's id (NULL: the portal only).
-- Result: one row an address: outcome imported, existing or refused; reason unknown, inactive, no_address, or members_unknown where
-- it is not read yet who works in the project.  Importing again changes nothing.
-- Errors: 0A000 from the CRM in the editions crmplus and zohoone (R139); 55000 Projects or the source is not active (R140);
-- 42704 no such project; 22023 another source.
CREATE OR REPLACE FUNCTION crm_bridge.import_project_users(
  source      text,
  emails      text[],
  project_id  uuid   DEFAULT NULL,
  org_id      bigint DEFAULT NULL
)
RETURNS TABLE (email text, outcome text, reason text, user_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(import_project_users.org_id);
  edition text := (SELECT o.edition FROM crm_bridge.organization AS o WHERE o.org_id = org);
  members uuid[];
  person record;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  IF source = 'crm' AND edition IN ('crmplus', 'zohoone') THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'project users cannot be imported from the CRM in this edition',
      DETAIL = format('The organization has edition "%s", which gives its users to Projects by itself.', edition),
      HINT = 'Import client users, or project users from another source.';
  END IF;
  PERFORM crm_bridge._demand_importable(source, org);
  IF import_project_users.project_id IS NOT NULL THEN
    SELECT p.user_ids INTO members FROM crm_bridge.projects_project AS p
     WHERE p.org_id = org AND p.id = import_project_users.project_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('project %s does not exist', import_project_users.project_id),
        HINT = 'Give the id of a row of crm_bridge.projects_project.';
    END IF;
  END IF;
  FOR person IN SELECT s.email, s.known, s.active FROM crm_bridge._users_of_source(source, emails, org) AS s LOOP
    email := person.email;
    user_id := NULL;
    outcome := 'refused';
    reason := CASE WHEN COALESCE(person.email, '') = '' THEN 'no_address' WHEN NOT person.known THEN 'unknown' WHEN NOT person.active THEN 'inactive'
                   WHEN import_project_users.project_id IS NOT NULL AND members IS NULL THEN 'members_unknown' END;
    IF reason IS NULL THEN
      SELECT CASE p.outcome WHEN 'made' THEN 'imported' ELSE 'existing' END, p.user_id INTO outcome, user_id
        FROM crm_bridge._provision_users(org, ARRAY[person.email]) AS p;
      IF import_project_users.project_id IS NOT NULL AND user_id <> ALL (members) THEN
        outcome := 'imported';
        members := members || user_id;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
  UPDATE crm_bridge.projects_project AS p SET user_ids = members
   WHERE p.org_id = org AND p.id = import_project_users.project_id AND p.user_ids IS DISTINCT FROM members;
END
$$;
COMMENT ON FUNCTION crm_bridge.import_project_users(text, text[], uuid, bigint) IS
  'imports users of the CRM, of Bigin or of Office 365 into the portal or into a project (R131, R138-R142)';
REVOKE ALL ON FUNCTION crm_bridge.import_project_users(text, text[], uuid, bigint) FROM PUBLIC;

-- The people of a source by e-mail address, with the client that they belong to; the first of several of one address.
CREATE OR REPLACE FUNCTION crm_bridge._people_of_source(source text, emails text[], org_id bigint)
RETURNS TABLE (email text, known boolean, first_name text, last_name text, client_id uuid)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT w.address, f.address IS NOT NULL, f.given, f.family, f.client
      FROM (SELECT lower(btrim(a.address)) AS address, min(a.n) AS n FROM unnest(emails) WITH ORDINALITY AS a (address, n) GROUP BY 1) AS w
      LEFT JOIN LATERAL (
           SELECT lower(c.email) AS address, c.id, c.first_name AS given, c.last_name AS family,
                  crm_bridge._twin_of('account_client', c.account_id, c.org_id) AS client
             FROM crm_bridge.crm_contact AS c
            WHERE source = 'crm' AND c.org_id = _people_of_source.org_id AND lower(c.email) = w.address
            UNION ALL
           SELECT lower(b.email), b.id, b.first_name, b.last_name, crm_bridge._twin_of('client_company', b.account_id, b.org_id)
             FROM crm_bridge.bigin_contact AS b
            WHERE source = 'bigin' AND b.org_id = _people_of_source.org_id AND lower(b.email) = w.address
            UNION ALL
           SELECT lower(COALESCE(o.mail, o.user_principal_name)), o.id, o.given_name, o.surname, NULL
             FROM crm_bridge.office_user AS o
            WHERE source = 'office365' AND o.org_id = _people_of_source.org_id AND lower(COALESCE(o.mail, o.user_principal_name)) = w.address
            ORDER BY client NULLS LAST, id LIMIT 1) AS f ON true
     ORDER BY w.n;
END
$$;
COMMENT ON FUNCTION crm_bridge._people_of_source(text, text[], bigint) IS 'the people of the CRM, of Bigin or of Office 365 by e-mail address, with their client';
REVOKE ALL ON FUNCTION crm_bridge._people_of_source(text, text[], bigint) FROM PUBLIC;

-- Imports customers' people (R131, R138, R141): contacts of the CRM or of Bigin, or guests of the Office 365 tenant.
-- Arguments: source; emails; the client whom they work for (NULL: the one linked with their company); the project that they are
-- invited to (NULL: the client's latest, since Projects takes a customer's person only into a project).
-- Result: one row an address: outcome imported, existing or refused; reason unknown, no_address, account_not_mapped (its company is
-- linked with no client), no_project, other_client (it is a person of another client already).  Importing again changes nothing.
-- Errors: 55000 Projects or the source is not active (R140); 42704 no such client or project; 22023 another source.
CREATE OR REPLACE FUNCTION crm_bridge.import_client_users(
  source      text,
  emails      text[],
  client_id   uuid   DEFAULT NULL,
  project_id  uuid   DEFAULT NULL,
  org_id      bigint DEFAULT NULL
)
RETURNS TABLE (email text, outcome text, reason text, user_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  org bigint := crm_bridge._own_org(import_client_users.org_id);
  portal uuid;
  owner_of_project uuid;
  members uuid[];
  person record;
  known record;
  target uuid;
  place uuid;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  PERFORM crm_bridge._demand_importable(source, org);
  portal := crm_bridge._portal_in_use(org);
  IF import_client_users.client_id IS NOT NULL THEN
    PERFORM 1 FROM crm_bridge.projects_client AS c WHERE c.org_id = org AND c.id = import_client_users.client_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('client %s does not exist', import_client_users.client_id),
        HINT = 'Give the id of a row of crm_bridge.projects_client.';
    END IF;
  END IF;
  IF import_client_users.project_id IS NOT NULL THEN
    SELECT p.client_id, p.client_user_ids INTO owner_of_project, members FROM crm_bridge.projects_project AS p
     WHERE p.org_id = org AND p.id = import_client_users.project_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('project %s does not exist', import_client_users.project_id),
        HINT = 'Give the id of a row of crm_bridge.projects_project.';
    END IF;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('crm_bridge projects_client_user ' || org, 0));
  FOR person IN SELECT * FROM crm_bridge._people_of_source(source, emails, org) LOOP
    email := person.email;
    outcome := 'refused';
    user_id := NULL;
    target := COALESCE(import_client_users.client_id, owner_of_project, person.client_id);
    place := import_client_users.project_id;
    IF place IS NULL THEN
      place := (SELECT p.id FROM crm_bridge.projects_project AS p
                 WHERE p.org_id = org AND p.client_id = target ORDER BY p.created_at DESC, p.id DESC LIMIT 1);
    END IF;
    SELECT u.id, u.client_id, u.project_id INTO known FROM crm_bridge.projects_client_user AS u
     WHERE u.org_id = org AND lower(u.email) = person.email ORDER BY u.client_id IS NOT DISTINCT FROM target DESC, u.id LIMIT 1;
    reason := CASE WHEN COALESCE(person.email, '') = '' THEN 'no_address' WHEN NOT person.known THEN 'unknown'
                   WHEN target IS NULL THEN 'account_not_mapped'
                   WHEN known.id IS NOT NULL AND known.client_id IS DISTINCT FROM target THEN 'other_client'
                   WHEN known.id IS NULL AND place IS NULL THEN 'no_project' END;
    IF reason IS NULL AND known.id IS NULL THEN
      outcome := 'imported';
      user_id := crm_bridge.new_id();
      INSERT INTO crm_bridge.projects_client_user (org_id, id, first_name, last_name, email, client_id, project_id, portal_id)
      VALUES (org, user_id, person.first_name, person.last_name, person.email, target, place, portal);
    ELSIF reason IS NULL THEN
      user_id := known.id;
      -- Whoever is a guest of another project is invited to this one as well.
      outcome := CASE WHEN import_client_users.project_id IS NULL OR known.project_id = place OR user_id = ANY (members)
                      THEN 'existing' ELSE 'imported' END;
      UPDATE crm_bridge.projects_client_user AS u SET project_id = place
       WHERE u.org_id = org AND u.id = known.id AND outcome = 'imported';
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm_bridge.import_client_users(text, text[], uuid, uuid, bigint) IS
  'imports customers'' people from the CRM, from Bigin or from Office 365 (R131, R138, R141)';
REVOKE ALL ON FUNCTION crm_bridge.import_client_users(text, text[], uuid, uuid, bigint) FROM PUBLIC;
