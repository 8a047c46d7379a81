-- Bigin (R131-R134): companies and clients, contacts and client users stay one thing with two faces.

-- Whether a rule of table automation is switched on.  From the backend's cache: asked for every row of the mirrors it looks at.
CREATE OR REPLACE FUNCTION crm_bridge._rule_is_on(rule text, org_id bigint)
RETURNS boolean
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_rule_is_on';
COMMENT ON FUNCTION crm_bridge._rule_is_on(text, bigint) IS 'whether a rule of table automation is switched on';

-- Whether the rule clients_in_bigin may make the twin of a record: it was made since the rule was switched on (D13).  What was
-- there before is linked where its twin is there too, and never made.
CREATE OR REPLACE FUNCTION crm_bridge._is_news(module text, origin text, created_at timestamptz, org_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Services tell whole seconds.
  RETURN EXISTS (SELECT 1 FROM crm_bridge.automation AS a
                  WHERE a.org_id = _is_news.org_id AND a.rule = 'clients_in_bigin' AND a.enabled
                    AND _is_news.created_at >= date_trunc('second', a.changed_at))
     -- Projects is not sure to tell when a client was made: nothing that a first reading brings counts as new.
     AND NOT (origin = 'service' AND EXISTS (SELECT 1 FROM crm_bridge.run AS r
                WHERE r.org_id = _is_news.org_id AND r.service = 'zoho_projects' AND r.module = _is_news.module
                  AND r.kind = 'initial_sync' AND r.state = 'running'));
END
$$;
COMMENT ON FUNCTION crm_bridge._is_news(text, text, timestamptz, bigint) IS 'whether a record is new since the rule clients_in_bigin was switched on';
REVOKE ALL ON FUNCTION crm_bridge._is_news(text, text, timestamptz, bigint) FROM PUBLIC;

-- Writes down why a record stays without a twin; what is there already is not said twice.
CREATE OR REPLACE FUNCTION crm_bridge._left_alone(module text, record_id uuid, field text, reason text, detail text, org_id bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO crm_bridge.refusal (org_id, module, record_id, field, reason, detail)
  SELECT _left_alone.org_id, _left_alone.module, _left_alone.record_id, _left_alone.field, _left_alone.reason, _left_alone.detail
   WHERE NOT EXISTS (SELECT 1 FROM crm_bridge.refusal AS r
                      WHERE r.org_id = _left_alone.org_id AND r.record_id = _left_alone.record_id AND r.link_id IS NULL
                        AND r.reason = _left_alone.reason);
END
$$;
COMMENT ON FUNCTION crm_bridge._left_alone(text, uuid, text, text, text, bigint) IS 'writes down why a record stays without a twin (D12)';
REVOKE ALL ON FUNCTION crm_bridge._left_alone(text, uuid, text, text, text, bigint) FROM PUBLIC;

-- Whom a record is linked with over a pairing; null for nobody.
CREATE OR REPLACE FUNCTION crm_bridge._twin_of(pairing text, record_id uuid, org_id bigint)
RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE(
    (SELECT l.right_id FROM crm_bridge.link AS l
      WHERE l.org_id = _twin_of.org_id AND l.left_id = record_id AND l.pairing = _twin_of.pairing AND l.state <> 'archived'),
    (SELECT l.left_id FROM crm_bridge.link AS l
      WHERE l.org_id = _twin_of.org_id AND l.right_id = record_id AND l.pairing = _twin_of.pairing AND l.state <> 'archived'));
END
$$;
COMMENT ON FUNCTION crm_bridge._twin_of(text, uuid, bigint) IS 'whom a record is linked with over a pairing';
REVOKE ALL ON FUNCTION crm_bridge._twin_of(text, uuid, bigint) FROM PUBLIC;

-- Links a client with the company of the same name; makes the twin of what is new and has none (R132, R133).
-- side says where the record stands: left a client, right a company.  Result: the twin, or null.
CREATE OR REPLACE FUNCTION crm_bridge._pair_company(side text, record_id uuid, org_id bigint)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  module text := CASE side WHEN 'left' THEN 'projects_client' ELSE 'bigin_company' END;
  label text;
  news boolean;
  twin uuid := crm_bridge._twin_of('client_company', record_id, org_id);
  clients uuid[];
  companies uuid[];
BEGIN
  IF twin IS NOT NULL THEN
    RETURN twin;
  END IF;
  IF side = 'left' THEN
    SELECT c.name, crm_bridge._is_news('projects_client', c.origin, c.created_at, c.org_id) INTO label, news
      FROM crm_bridge.projects_client AS c WHERE c.org_id = _pair_company.org_id AND c.id = record_id;
  ELSE
    SELECT c.account_name, crm_bridge._is_news('bigin_company', c.origin, c.created_at, c.org_id) INTO label, news
      FROM crm_bridge.bigin_company AS c WHERE c.org_id = _pair_company.org_id AND c.id = record_id;
  END IF;
  IF COALESCE(btrim(label), '') = '' THEN
    PERFORM crm_bridge._left_alone(module, record_id, CASE side WHEN 'left' THEN 'name' ELSE 'account_name' END, 'no_name',
                                   'Without a name it has no twin.', org_id);
    RETURN NULL;
  END IF;
  -- Two that become known at one moment on both sides must find each other, not make two twins.
  PERFORM pg_advisory_xact_lock(hashtextextended('crm_bridge client_company ' || org_id || ' ' || crm_bridge.name_key(label), 0));
  clients := ARRAY(SELECT c.id FROM crm_bridge.projects_client AS c
                    WHERE c.org_id = _pair_company.org_id AND c.name_key = crm_bridge.name_key(label) ORDER BY c.id LIMIT 2);
  companies := ARRAY(SELECT c.id FROM crm_bridge.bigin_company AS c
                      WHERE c.org_id = _pair_company.org_id AND c.name_key = crm_bridge.name_key(label) ORDER BY c.id LIMIT 2);
  IF cardinality(clients) > 1 OR cardinality(companies) > 1 THEN
    -- One that is being created at its service may be read there before that is confirmed: it is folded into ours then.
    IF EXISTS (SELECT 1 FROM crm_bridge.projects_client AS c WHERE c.org_id = _pair_company.org_id AND c.id = ANY (clients) AND c.external_id IS NULL
                  AND c.id <> record_id)
       OR EXISTS (SELECT 1 FROM crm_bridge.bigin_company AS c WHERE c.org_id = _pair_company.org_id AND c.id = ANY (companies)
                     AND c.external_id IS NULL AND c.id <> record_id) THEN
      RETURN NULL;
    END IF;
    PERFORM crm_bridge._left_alone(module, record_id, CASE side WHEN 'left' THEN 'name' ELSE 'account_name' END, 'ambiguous',
                                   'The name stands twice on one side.', org_id);
    RETURN NULL;
  END IF;
  twin := CASE side WHEN 'left' THEN companies[1] ELSE clients[1] END;
  IF twin IS NOT NULL AND crm_bridge._twin_of('client_company', twin, org_id) IS NOT NULL THEN
    PERFORM crm_bridge._left_alone(module, record_id, CASE side WHEN 'left' THEN 'name' ELSE 'account_name' END, 'ambiguous',
                                   'The one of the same name is linked with another.', org_id);
    RETURN NULL;
  END IF;
  IF twin IS NOT NULL THEN
    INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
    VALUES (_pair_company.org_id, 'client_company', clients[1], companies[1]);
  ELSIF news THEN
    twin := crm_bridge._make_twin('client_company', side, record_id,
              CASE side WHEN 'left' THEN '{}'::jsonb
                        ELSE (SELECT jsonb_build_object('portal_id', i.portal_id) FROM crm_bridge.integration AS i
                               WHERE i.org_id = _pair_company.org_id AND i.service = 'zoho_projects') END, org_id);
  ELSE
    RETURN NULL;
  END IF;
  -- Their people may have come first.
  PERFORM crm_bridge._pair_contact('right', c.id, c.org_id) FROM crm_bridge.bigin_contact AS c
    WHERE c.org_id = _pair_company.org_id AND c.account_id = CASE side WHEN 'left' THEN twin ELSE record_id END;
  PERFORM crm_bridge._pair_contact('left', u.id, u.org_id) FROM crm_bridge.projects_client_user AS u
    WHERE u.org_id = _pair_company.org_id AND u.client_id = CASE side WHEN 'left' THEN record_id ELSE twin END;
  RETURN twin;
END
$$;
COMMENT ON FUNCTION crm_bridge._pair_company(text, uuid, bigint) IS 'links a client with its company in Bigin, or makes the other one (R132, R133)';
REVOKE ALL ON FUNCTION crm_bridge._pair_company(text, uuid, bigint) FROM PUBLIC;

-- The same for a client user and a contact: by e-mail address, of a client and company that are linked.  "asked": a person wants
-- the twin, new or not.
CREATE OR REPLACE FUNCTION crm_bridge._pair_contact(side text, record_id uuid, org_id bigint, asked boolean DEFAULT false)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  module text := CASE side WHEN 'left' THEN 'projects_client_user' ELSE 'bigin_contact' END;
  address text;
  surname text;
  news boolean;
  client uuid;
  company uuid;
  invited_to record;
  twin uuid := crm_bridge._twin_of('client_user_contact', record_id, org_id);
  candidates uuid[];
BEGIN
  IF twin IS NOT NULL THEN
    RETURN twin;
  END IF;
  IF side = 'left' THEN
    SELECT u.email, COALESCE(u.last_name, u.full_name, u.first_name, u.email), u.client_id, crm_bridge._twin_of('client_company', u.client_id, u.org_id),
           crm_bridge._is_news('projects_client_user', u.origin, u.created_at, u.org_id)
      INTO address, surname, client, company, news
      FROM crm_bridge.projects_client_user AS u WHERE u.org_id = _pair_contact.org_id AND u.id = record_id;
  ELSE
    SELECT c.email, c.last_name, crm_bridge._twin_of('client_company', c.account_id, c.org_id), c.account_id,
           crm_bridge._is_news('bigin_contact', c.origin, c.created_at, c.org_id)
      INTO address, surname, client, company, news
      FROM crm_bridge.bigin_contact AS c WHERE c.org_id = _pair_contact.org_id AND c.id = record_id;
  END IF;
  IF client IS NULL OR company IS NULL THEN
    RETURN NULL;   -- they come along when their companies are linked
  END IF;
  IF COALESCE(btrim(address), '') = '' THEN
    PERFORM crm_bridge._left_alone(module, record_id, 'email', 'no_name', 'Without an e-mail address it has no twin.', org_id);
    RETURN NULL;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('crm_bridge client_user_contact ' || org_id || ' ' || lower(btrim(address)), 0));
  candidates := CASE side
    WHEN 'left' THEN ARRAY(SELECT c.id FROM crm_bridge.bigin_contact AS c
                            WHERE c.org_id = _pair_contact.org_id AND lower(c.email) = lower(btrim(address)) ORDER BY c.id LIMIT 2)
    ELSE ARRAY(SELECT u.id FROM crm_bridge.projects_client_user AS u
                WHERE u.org_id = _pair_contact.org_id AND lower(u.email) = lower(btrim(address)) ORDER BY u.id LIMIT 2) END;
  IF cardinality(candidates) > 1 OR crm_bridge._twin_of('client_user_contact', candidates[1], org_id) IS NOT NULL THEN
    PERFORM crm_bridge._left_alone(module, record_id, 'email', 'ambiguous', 'The e-mail address stands twice.', org_id);
    RETURN NULL;
  END IF;
  IF cardinality(candidates) = 1 THEN
    INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
    VALUES (_pair_contact.org_id, 'client_user_contact',
            CASE side WHEN 'left' THEN record_id ELSE candidates[1] END, CASE side WHEN 'left' THEN candidates[1] ELSE record_id END);
    RETURN candidates[1];
  END IF;
  IF NOT (news OR asked) THEN
    RETURN NULL;
  END IF;
  IF side = 'left' THEN
    RETURN crm_bridge._make_twin('client_user_contact', 'left', record_id, jsonb_build_object('last_name', left(surname, 80)), org_id);
  END IF;
  -- Projects takes a customer's person as a guest of a project: without one the contact waits for the first.
  SELECT p.id, p.portal_id INTO invited_to FROM crm_bridge.projects_project AS p
   WHERE p.org_id = _pair_contact.org_id AND p.client_id = client ORDER BY p.created_at DESC, p.id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN crm_bridge._make_twin('client_user_contact', 'right', record_id,
                               jsonb_build_object('project_id', invited_to.id, 'portal_id', invited_to.portal_id), org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._pair_contact(text, uuid, bigint, boolean) IS 'links a client user with its contact in Bigin, or makes the other one (R132, R133)';
REVOKE ALL ON FUNCTION crm_bridge._pair_contact(text, uuid, bigint, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._automate_bigin()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_ARGV[0] = 'client_company' THEN
    PERFORM crm_bridge._pair_company(TG_ARGV[1], NEW.id, NEW.org_id);
  ELSIF TG_ARGV[0] = 'client_user_contact' THEN
    PERFORM crm_bridge._pair_contact(TG_ARGV[1], NEW.id, NEW.org_id);
  ELSE
    -- A client's first project opens Projects to its people.
    PERFORM crm_bridge._pair_contact('right', c.id, c.org_id) FROM crm_bridge.bigin_contact AS c
      WHERE c.org_id = NEW.org_id AND c.account_id = crm_bridge._twin_of('client_company', (to_jsonb(NEW) ->> 'client_id')::uuid, NEW.org_id);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._automate_bigin() IS 'a new client gets its company in Bigin, a new contact its client user, and the other way round (R133)';
REVOKE ALL ON FUNCTION crm_bridge._automate_bigin() FROM PUBLIC;

-- A row that the bridge makes as a twin has its link already.
DO $triggers$
DECLARE
  watched record;
BEGIN
  FOR watched IN SELECT * FROM (VALUES
      ('1_client_in_bigin',      'projects_client',      'client_company',      'left',  NULL),
      ('1_company_in_projects',  'bigin_company',        'client_company',      'right', NULL),
      ('1_client_user_in_bigin', 'projects_client_user', 'client_user_contact', 'left',  'client_id'),
      ('1_contact_in_projects',  'bigin_contact',        'client_user_contact', 'right', 'account_id'),
      ('1_project_for_contacts', 'projects_project',     'project',             NULL,    'client_id')) AS w (name, module, pairing, side, of) LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON crm_bridge.%I FOR EACH ROW
                      WHEN (crm_bridge._rule_is_on(''clients_in_bigin'', NEW.org_id)) EXECUTE FUNCTION crm_bridge._automate_bigin(%L, %L)',
                   watched.name, watched.module, watched.pairing, COALESCE(watched.side, ''));
    IF watched.of IS NOT NULL THEN
      EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF %I ON crm_bridge.%I FOR EACH ROW
                        WHEN (OLD.%2$I IS DISTINCT FROM NEW.%2$I AND crm_bridge._rule_is_on(''clients_in_bigin'', NEW.org_id))
                        EXECUTE FUNCTION crm_bridge._automate_bigin(%4$L, %5$L)',
                     watched.name || '_later', watched.of, watched.module, watched.pairing, COALESCE(watched.side, ''));
    END IF;
  END LOOP;
END
$triggers$;

-- Switches Bigin on (R131) and reads all of it; what stands on both sides under one name is linked, nothing is made twice, and from
-- then on the rule clients_in_bigin makes the twins of what is new.  After a time without it nothing is sent before it has been read;
-- then links that rested go on, and what was written meanwhile on either side is merged (D17).  Its credential is stored with
-- "crm-bridge seal --service bigin".
-- Result: the command of the first reading.  Errors: 55000 it is active already.
CREATE OR REPLACE FUNCTION crm_bridge.activate_bigin(org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  PERFORM crm_bridge._activate_service('bigin', org);
  INSERT INTO crm_bridge.automation (org_id, rule, enabled) VALUES (org, 'clients_in_bigin', true)
  ON CONFLICT ON CONSTRAINT automation_key DO UPDATE SET enabled = true, changed_at = now();
  UPDATE crm_bridge.integration AS i SET reads_until = crm_bridge._clock() + interval '1 hour'
   WHERE i.org_id = org AND i.service = 'bigin' AND i.deactivated_at IS NOT NULL;
  -- What was read while it was active before.
  PERFORM crm_bridge._pair_company('right', c.id, c.org_id) FROM crm_bridge.bigin_company AS c WHERE c.org_id = org;
  RETURN crm_bridge._request_command('bigin', 'initial_sync', '{"repeat": true}', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.activate_bigin(bigint) IS 'switches Bigin on and reads all of it (R131); returns the command of the first reading';
REVOKE ALL ON FUNCTION crm_bridge.activate_bigin(bigint) FROM PUBLIC;

-- Switches Bigin off: nothing is sent or received, links rest, what was asked of the worker is called off, no record is touched.
-- Errors: 55000 it is off.
CREATE OR REPLACE FUNCTION crm_bridge.deactivate_bigin(org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
BEGIN
  PERFORM crm_bridge._demand_administrator(org);   -- R1
  UPDATE crm_bridge.integration AS i
     SET state = 'off', activated_at = NULL, activated_by = NULL, deactivated_at = now(), deactivated_by = crm_bridge.calling_role(),
         stopped_since = NULL, stopped_reason = NULL, stopped_detail = NULL, reads_until = NULL
   WHERE i.org_id = org AND i.service = 'bigin' AND i.state <> 'off';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the integration with Bigin is not active';
  END IF;
  UPDATE crm_bridge.automation AS a SET enabled = false, changed_at = now() WHERE a.org_id = org AND a.rule = 'clients_in_bigin';
  PERFORM crm_bridge._suspend_links(org, 'bigin');
  PERFORM crm_bridge._call_off('bigin', org);
END
$$;
COMMENT ON FUNCTION crm_bridge.deactivate_bigin(bigint) IS 'switches Bigin off; links are suspended, no record is touched';
REVOKE ALL ON FUNCTION crm_bridge.deactivate_bigin(bigint) FROM PUBLIC;

-- Starts a project for a company in Bigin (R134): its client and its contacts come along, made where there are none.
-- Arguments: the company's id; name (NULL: the company's).  Result: the project's id.
-- Errors: 42704 no such company; 55000 Projects or Bigin is not active, or the company's name stands twice; 23502 no name.
CREATE OR REPLACE FUNCTION crm_bridge.create_project_from_company(company_id uuid, name text DEFAULT NULL, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  portal uuid := crm_bridge._portal_in_use(org);
  client uuid;
  title text;
  project uuid := crm_bridge.new_id();
BEGIN
  PERFORM crm_bridge._demand_service('bigin', org);
  SELECT COALESCE(create_project_from_company.name, c.account_name) INTO title
    FROM crm_bridge.bigin_company AS c WHERE c.org_id = org AND c.id = company_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('company %s does not exist', company_id),
      HINT = 'Give the id of a row of crm_bridge.bigin_company.';
  ELSIF COALESCE(btrim(title), '') = '' THEN
    RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = format('company %s has no name for the project', company_id),
      HINT = 'Give the argument name.';
  END IF;
  client := COALESCE(crm_bridge._pair_company('right', company_id, org),
                     crm_bridge._make_client_of_company(company_id, portal, org));
  PERFORM crm_bridge._make_record('projects_project', project,
            crm_bridge._fields_of_account(crm_bridge._twin_of('account_client', client, org), org)
            || jsonb_build_object('name', left(title, 200), 'client_id', client, 'portal_id', portal), org);
  PERFORM crm_bridge._pair_contact('right', c.id, org, true) FROM crm_bridge.bigin_contact AS c WHERE c.org_id = org AND c.account_id = company_id;
  RETURN project;
END
$$;
COMMENT ON FUNCTION crm_bridge.create_project_from_company(uuid, text, bigint) IS 'starts a project for a company in Bigin, its client included (R134)';
REVOKE ALL ON FUNCTION crm_bridge.create_project_from_company(uuid, text, bigint) FROM PUBLIC;

-- An older company that has no client gets one when a person asks for it, unless its name says that there is one already.
CREATE OR REPLACE FUNCTION crm_bridge._make_client_of_company(company_id uuid, portal_id uuid, org_id bigint)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM 1 FROM crm_bridge.projects_client AS p JOIN crm_bridge.bigin_company AS c ON p.name_key = c.name_key
    WHERE p.org_id = _make_client_of_company.org_id AND c.org_id = _make_client_of_company.org_id AND c.id = company_id;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('company %s has no client of its own', company_id),
      DETAIL = 'Its name stands twice, or the client of that name belongs to another company.',
      HINT = 'Give one of them another name.';
  END IF;
  RETURN crm_bridge._make_twin('client_company', 'right', company_id, jsonb_build_object('portal_id', portal_id), org_id);
END
$$;
COMMENT ON FUNCTION crm_bridge._make_client_of_company(uuid, uuid, bigint) IS 'makes the client of a company that was there before the rule';
REVOKE ALL ON FUNCTION crm_bridge._make_client_of_company(uuid, uuid, bigint) FROM PUBLIC;
