-- Integration fields (R135-R137): a custom field of a project shows a field of its deal, and whoever changes the one changes the other.

-- Adds an integration field to the projects' layout, and fills it in the projects that have a deal already.
-- Arguments: name; the service, module and field of the data (R136); project_field, the custom field of projects that shows it (NULL: the
-- one whose API name is the name).  Result: how many projects were filled.
-- Errors: 55000 not both services are integrated (R137); 0A000 another module than deals; 42704 no such field; 42710 the name or the custom
-- field is taken; 42804 the types do not fit; 428C9 one of the fields is read-only.
CREATE OR REPLACE FUNCTION crm_bridge.add_integration_field(
  name           text,
  field          text,
  project_field  text   DEFAULT NULL,
  module         text   DEFAULT 'crm_deal',
  service        text   DEFAULT 'zoho_crm',
  org_id         bigint DEFAULT NULL
)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  shown_in text := COALESCE(project_field, name);
  filled integer;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  PERFORM crm_bridge._demand_service('zoho_crm', org);
  PERFORM crm_bridge._demand_service('zoho_projects', org);
  IF service IS DISTINCT FROM 'zoho_crm' OR module IS DISTINCT FROM 'crm_deal' THEN
    RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('an integration field cannot show module "%s" of service "%s"', module, service),
      DETAIL = CASE module WHEN 'crm_account' THEN 'An account has many projects: what somebody writes in one of them would be written in all the others.'
                           ELSE 'A project has one deal, so that a change in either has one place to go.' END,
      HINT = CASE module WHEN 'crm_account' THEN 'A field of the account fills new projects: SELECT crm_bridge.map_field(''account_project'', …).'
                         ELSE 'Use module crm_deal of service zoho_crm.' END;
  END IF;
  PERFORM 1 FROM crm_bridge.service_field AS f
    WHERE f.org_id = org AND f.module = 'projects_project' AND f.field = shown_in AND f.custom AND f.gone_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('projects have no custom field "%s"', shown_in),
      HINT = 'Make it in the layout of projects, then SELECT crm_bridge.resync(''projects_project''); the fields are in crm_bridge.service_field.';
  END IF;
  PERFORM 1 FROM crm_bridge.integration_field AS i
    WHERE i.org_id = org AND (i.name = add_integration_field.name OR i.project_field = shown_in);
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42710', MESSAGE = format('there is an integration field "%s", or one that shows in "%s", already', name, shown_in),
      HINT = 'remove_integration_field() ends it.';
  END IF;
  PERFORM crm_bridge.map_field('deal_project', field, shown_in, 'both', true, org_id => org);
  UPDATE crm_bridge.field_mapping AS f
     SET in_force = true, draft = NULL, direction = 'both', keep_in_step = true,
         conversion = COALESCE(f.draft ->> 'conversion', f.conversion), parameters = COALESCE(f.draft -> 'parameters', f.parameters)
   WHERE f.org_id = org AND f.pairing = 'deal_project' AND f.left_field = add_integration_field.field AND f.right_field = shown_in;
  INSERT INTO crm_bridge.integration_field (org_id, name, service, module, field, project_field)
  VALUES (org, add_integration_field.name, add_integration_field.service, add_integration_field.module, add_integration_field.field, shown_in);
  UPDATE crm_bridge.projects_project AS p
     SET custom_fields = p.custom_fields || jsonb_build_object(shown_in, t.fields -> shown_in)
    FROM crm_bridge.link AS l
   CROSS JOIN LATERAL (SELECT crm_bridge._mapped_fields('deal_project', 'left', l.left_id, org) AS fields) AS t
   WHERE l.org_id = org AND l.pairing = 'deal_project' AND l.state = 'active' AND p.org_id = org AND p.id = l.right_id
     AND t.fields ? shown_in AND p.custom_fields -> shown_in IS DISTINCT FROM t.fields -> shown_in;
  GET DIAGNOSTICS filled = ROW_COUNT;
  RETURN filled;
END
$$;
COMMENT ON FUNCTION crm_bridge.add_integration_field(text, text, text, text, text, bigint) IS
  'adds a field to the projects'' layout that shows a field of the deal and writes it back (R135, R136)';
REVOKE ALL ON FUNCTION crm_bridge.add_integration_field(text, text, text, text, text, bigint) FROM PUBLIC;

-- Ends an integration field; values stay as they are on both sides.  Errors: 42704 no such field.
CREATE OR REPLACE FUNCTION crm_bridge.remove_integration_field(name text, org_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := crm_bridge._own_org(org_id);
  ended crm_bridge.integration_field;
BEGIN
  PERFORM crm_bridge._demand_administrator(org);
  DELETE FROM crm_bridge.integration_field AS i WHERE i.org_id = org AND i.name = remove_integration_field.name RETURNING i.* INTO ended;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('integration field "%s" does not exist', name),
      HINT = 'They are listed in crm_bridge.integration_field.';
  END IF;
  DELETE FROM crm_bridge.field_mapping AS f
   WHERE f.org_id = org AND f.pairing = 'deal_project' AND f.left_field = ended.field AND f.right_field = ended.project_field;
END
$$;
COMMENT ON FUNCTION crm_bridge.remove_integration_field(text, bigint) IS 'ends an integration field; values stay';
REVOKE ALL ON FUNCTION crm_bridge.remove_integration_field(text, bigint) FROM PUBLIC;
